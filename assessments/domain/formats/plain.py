"""What GIFT and Moodle XML have in common: questions as Moodle knows them, and vignettes made of several of them.

Moodle has no vignettes. One is written as a description whose ID number is `vignette-1`, and its questions follow with
the ID numbers `vignette-1.1`, `vignette-1.2`. Moodle keeps ID numbers, so it comes back whole.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape, unescape

from django.utils.translation import gettext as _

from assessments.domain.formats.base import (
    MOST_QUESTIONS,
    Reading,
    finished,
    too_many,
    with_difficulty,
    without_difficulty,
)
from assessments.enums import ItemKind
from assessments.items.base import Draft, ItemError
from assessments.items.exchange import Plain, exchange_of
from core.richtext import plain_text

KINDS = {
    "multichoiceset": ItemKind.MULTIPLE,
    "truefalse": ItemKind.TRUE_FALSE,
    "matching": ItemKind.MATCHING,
    "match": ItemKind.MATCHING,
    "shortanswer": ItemKind.SHORT,
    "numerical": ItemKind.NUMERIC,
    "essay": ItemKind.ESSAY,
    "ordering": ItemKind.ORDERING,
    "ddmarker": ItemKind.HOTSPOT,
    "description": ItemKind.VIGNETTE,
}
_PART = re.compile(r"vignette-([\w-]{1,40})\.([0-9]{1,4})\Z")
_WHOLE = re.compile(r"vignette-([\w-]{1,40})\Z")
_REFERENCES = re.compile(r'<div class="references">\s*<ul>(.*?)</ul>\s*</div>\s*\Z', re.DOTALL)
_ENTRY = re.compile(r"<li>(.*?)</li>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """A question of a file, on its way in or out. `feedback` is HTML, with the references at its end."""

    place: int
    name: str
    stem: str
    plain: Plain
    feedback: str = ""
    tags: Sequence[str] = ()
    id_number: str = ""
    images: Mapping[str, bytes] = field(default_factory=dict)
    problem: str = ""  # why it could not be read


@dataclass(slots=True)
class _Vignette:
    head: Found
    parts: list[tuple[int, Found]] = field(default_factory=list)


def kind_of(plain: Plain) -> ItemKind:
    """Raises ItemError."""
    if plain.type == "multichoice":
        return ItemKind.SINGLE if plain.fields.get("single", "true") in {"true", "1"} else ItemKind.MULTIPLE
    if plain.type not in KINDS:
        raise ItemError(_("Questions of the type “%(type)s” cannot be used here.") % {"type": plain.type[:40]})
    return KINDS[plain.type]


def collect(found: Iterable[Found], reading: Reading) -> None:
    """Into the reading, vignettes put together from their questions. Those of none are left out and told."""
    waiting: dict[str, _Vignette] = {}
    for number, one in enumerate(found):
        if number > MOST_QUESTIONS * 4:
            raise too_many()
        part = _PART.match(one.id_number)
        if part and part[1] in waiting:
            waiting[part[1]].parts.append((int(part[2]), one))
            continue
        whole = _WHOLE.match(one.id_number)
        if one.plain.type == "description" and whole and whole[1] not in waiting:
            waiting[whole[1]] = _Vignette(one)
        elif one.plain.type == "description":
            reading.refuse(_("This is only a text, without a question."), place=one.place, name=one.name)
        else:
            reading.take(lambda one=one: draft_of(one), place=one.place, name=one.name)  # type: ignore[misc]
    for vignette in waiting.values():
        head = vignette.head
        reading.take(lambda it=vignette: _vignette_of(it), place=head.place, name=head.name)  # type: ignore[misc]


def draft_of(found: Found) -> Draft:
    """Raises ItemError."""
    if found.problem:
        raise ItemError(found.problem)
    kind = kind_of(found.plain)
    shown, key = exchange_of(kind).from_plain(found.plain)
    rationale, references = split_feedback(found.feedback)
    tags, difficulty = without_difficulty(list(found.tags))
    return Draft(
        kind=kind,
        name=found.name,
        stem=found.stem,
        shown=shown,
        key={**key, "rationale": rationale, "references": references},
        tags=tags,
        difficulty=difficulty,
        images=found.images,
    )


def _vignette_of(vignette: _Vignette) -> Draft:
    head = draft_of(vignette.head)
    parts = []
    for _number, found in sorted(vignette.parts, key=lambda part: part[0]):
        try:
            parts.append(finished(draft_of(found)))
        except ItemError as problem:
            raise ItemError(
                _("Question “%(name)s” of it: %(text)s") % {"name": found.name, "text": problem}
            ) from problem
    return replace(head, parts=tuple(parts))


def flattened(drafts: Iterable[Draft]) -> Iterator[Found]:
    """In the order in which they are written. Kinds that Moodle does not have are not among them."""
    vignettes = 0
    for place, draft in enumerate(drafts, start=1):
        if draft.kind != ItemKind.VIGNETTE:
            yield from _found_of(draft, place=place, id_number="")
            continue
        vignettes += 1
        yield from _found_of(draft, place=place, id_number=f"vignette-{vignettes}")
        for number, part in enumerate(draft.parts, start=1):
            yield from _found_of(part, place=place, id_number=f"vignette-{vignettes}.{number}")


def _found_of(draft: Draft, *, place: int, id_number: str) -> Iterator[Found]:
    plain = exchange_of(draft.kind).to_plain(shown=draft.shown, key=draft.key)
    if plain is not None:
        yield Found(
            place=place,
            name=draft.name,
            stem=draft.stem,
            plain=plain,
            feedback=joined_feedback(draft),
            tags=with_difficulty(draft.tags, draft.difficulty),
            id_number=id_number,
            images=draft.images,
        )


def has_plain(draft: Draft) -> bool:
    whole = exchange_of(draft.kind).to_plain(shown=draft.shown, key=draft.key) is not None
    return whole and all(has_plain(part) for part in draft.parts)


def joined_feedback(draft: Draft) -> str:
    entries = "".join(f"<li>{escape(one, quote=False)}</li>" for one in draft.key.get("references", ()))
    listed = f'<div class="references"><ul>{entries}</ul></div>' if entries else ""
    return f"{draft.key.get('rationale', '')}{listed}"


def split_feedback(feedback: str) -> tuple[str, list[str]]:
    """The rationale, and the references at its end. Looks at the last 30,000 signs: no pattern runs over megabytes."""
    if len(feedback) > 30_000:
        return feedback, []
    match = _REFERENCES.search(feedback)
    if match is None:
        return feedback, []
    entries = [plain_text(unescape(one) if "<" not in unescape(one) else one) for one in _ENTRY.findall(match[1])]
    return feedback[: match.start()], entries
