"""What reading and writing a file of questions gives, and the one error it raises."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image

from assessments.domain.images import FORMATS
from assessments.enums import ItemKind
from assessments.items import type_of
from assessments.items.base import Draft, ItemError, Json
from assessments.items.shapes import storable
from core.richtext import clean_html, plain_text

MOST_BYTES = 30_000_000
MOST_QUESTIONS = 5_000
MOST_PARTS = 20
MOST_IMAGE_BYTES = 8_000_000
LONGEST_NAME = 120
LONGEST_STEM = 20_000
MOST_SIGNS = 100_000
MOST_TAGS_IN_TEXT = 3_000  # the sanitiser's time grows with their square where lists are in lists
LONGEST_TAG = 60
MOST_TAGS = 30
PICTURES = ("image", "images")
"""Where an item names its pictures by number; a draft has the pictures themselves instead."""
DIFFICULTY = "difficulty:"
"""In formats that have tags and no difficulty, it is one of the tags."""


class FormatError(ValueError):
    """The file as a whole is not what it should be. The text says what to do; nothing was read."""


@dataclass(frozen=True, slots=True)
class Remark:
    """About one question: where it stands (a line, or its number in the file; from 1), its name, and what to do."""

    place: int
    name: str
    text: str

    def __str__(self) -> str:
        name = f" “{self.name}”" if self.name else ""
        return f"{self.place}{name}: {self.text}"


@dataclass(slots=True)
class Reading:
    """`drafts` are good, complete and cleaned. `errors` are questions that were left out, `notes` are not."""

    drafts: list[Draft] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    places: list[int] = field(default_factory=list)  # of each draft, where it stands
    _names: dict[str, int] = field(default_factory=dict)  # and the last number that each was given

    def take(self, make: Callable[[], Draft], *, place: int, name: str = "") -> Draft | None:
        """Keeps what `make` gives, or says why not. A name that was given counts once in a file."""
        if len(self.drafts) + len(self.errors) >= MOST_QUESTIONS:
            raise too_many()
        try:
            draft = self._named(finished(make()), was_given=bool(name.strip()))
        except ItemError as problem:
            self.refuse(str(problem), place=place, name=name)
            return None
        self.drafts.append(draft)
        self.places.append(place)
        return draft

    def refuse(self, text: str, *, place: int, name: str = "") -> None:
        if len(self.errors) >= MOST_QUESTIONS:
            raise FormatError(_("There are too many errors: is this the right format?"))
        self.errors.append(Remark(place, name.strip()[:LONGEST_NAME], text or _("This question cannot be used.")))

    def note(self, text: str, *, place: int, name: str = "") -> None:
        if len(self.notes) < MOST_QUESTIONS:
            self.notes.append(Remark(place, name.strip()[:LONGEST_NAME], text))

    def _named(self, draft: Draft, *, was_given: bool) -> Draft:
        """Names of parts count too: all of them are names in one bank."""
        if was_given and draft.name.casefold() in self._names:
            raise ItemError(_("Another question in this file has the same name: give this one another."))
        name = self._free(draft.name)
        parts = tuple(replace(part, name=self._free(part.name)) for part in draft.parts)
        return replace(draft, name=name, parts=parts)

    def _free(self, name: str) -> str:
        """`name`, or with the first free number behind it; it is taken then."""
        free, number = name, self._names.get(name.casefold(), 0)
        while free.casefold() in self._names:
            number += 1
            ending = f" ({number + 1})"
            free = name[: LONGEST_NAME - len(ending)].strip() + ending
        self._names[name.casefold()] = number
        self._names.setdefault(free.casefold(), 0)
        return free


@dataclass(frozen=True, slots=True)
class Writing:
    """A file, and what it could not carry, question by question."""

    data: bytes
    losses: list[Remark]


@dataclass(frozen=True, slots=True)
class Format:
    """`read` raises FormatError and nothing else, whatever the bytes are."""

    name: str
    title: str
    extension: str
    media_type: str
    read: Callable[[bytes], Reading]
    pack: Callable[[Sequence[Draft]], bytes]
    can_carry: Callable[[Draft], bool]

    def write(self, drafts: Sequence[Draft]) -> Writing:
        """Reads back what it has written, question by question: the losses are what really is missing."""
        kept, losses = [], []
        for place, draft in enumerate(drafts, start=1):
            missing = self._missing(draft)
            if missing is None:
                losses.append(Remark(place, draft.name, _("Left out: this format cannot carry it.")))
                continue
            kept.append(draft)
            if missing:
                losses.append(Remark(place, draft.name, _("Not carried: %(what)s.") % {"what": ", ".join(missing)}))
        return Writing(self.pack(kept), losses)

    def _missing(self, draft: Draft) -> list[str] | None:
        if not self.can_carry(draft):
            return None
        back = self.read(self.pack([draft]))
        if len(back.drafts) != 1 or back.errors or back.drafts[0].kind != draft.kind:
            return None
        return differences(draft, back.drafts[0])


def finished(draft: Draft) -> Draft:
    """Cleaned as the author's own form would. Raises ItemError."""
    name, stem = named(draft.name, draft.stem, difficulty=draft.difficulty)
    if draft.kind == ItemKind.VIGNETTE and not 1 <= len(draft.parts) <= MOST_PARTS:
        raise ItemError(_("A vignette has 1 to %(most)d questions.") % {"most": MOST_PARTS}, field="parts")
    shown, key = _cleaned(draft)
    parts = tuple(finished(part) for part in draft.parts)
    return replace(draft, name=name, stem=stem, shown=shown, key=key, tags=tags_of(draft.tags), parts=parts)


def too_many() -> FormatError:
    return FormatError(_("There are more than %(most)d questions: divide the file.") % {"most": MOST_QUESTIONS})


def bounded(html: str) -> str:
    """As it is; raises ItemError for a text that would take long to look through."""
    if len(html) > MOST_SIGNS or html.count("<") > MOST_TAGS_IN_TEXT:
        raise ItemError(_("Its text is too long: at most %(most)d characters.") % {"most": LONGEST_STEM})
    return html


def named(name: str, stem: str, *, difficulty: int | None) -> tuple[str, str]:
    """Name and text, cleaned; without a name it is the text's first words. Raises ItemError."""
    stem = clean_html(storable(bounded(stem)))
    if not plain_text(stem):
        raise ItemError(_("It has no question text."), field="stem")
    if len(stem) > LONGEST_STEM:
        raise ItemError(_("Its text is too long: at most %(most)d characters.") % {"most": LONGEST_STEM}, field="stem")
    if difficulty is not None and difficulty not in range(1, 6):
        raise ItemError(_("The difficulty is a number from 1 to 5."), field="difficulty")
    words = " ".join(storable(name).split())[:LONGEST_NAME].strip()
    return words or plain_text(stem)[:LONGEST_NAME].strip(), stem


def _cleaned(draft: Draft) -> tuple[Json, Json]:
    """Pictures of a draft have names and no numbers yet; a point in a picture is checked as if it had one."""
    shown = {name: value for name, value in draft.shown.items() if name not in PICTURES}
    if draft.kind != ItemKind.HOTSPOT:
        return type_of(draft.kind).clean(shown=shown, key=draft.key)
    first = next(iter(draft.images.values()), None)
    if first is None:
        raise ItemError(_("Its picture is missing."), field="image")
    size = shown.get("size") or size_of(first)
    cleaned, key = type_of(draft.kind).clean(shown={**shown, "size": size, "image": 1}, key=draft.key)
    return {name: value for name, value in cleaned.items() if name not in PICTURES}, key


def size_of(data: bytes) -> list[int]:
    """Width and height as the picture's head says; nothing is decoded. Raises ItemError."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            return list(picture.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ItemError(_("Its picture cannot be read."), field="image") from error


def picture_name(path: str) -> str:
    """The last part of a path, without what a name of a file cannot have."""
    name = re.sub(r'[\x00-\x1f\x7f\\/:*?"<>|]', " ", path.rpartition("/")[2])
    return " ".join(name.split()).lstrip(".")[-150:].strip() or "picture"


def tags_of(raw: Sequence[str]) -> tuple[str, ...]:
    """Each once, in their order. Raises ItemError."""
    tags = tuple(dict.fromkeys(text for text in (" ".join(storable(tag).split()) for tag in raw) if text))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise ItemError(_("At most 30 tags, each of at most 60 characters."), field="tags")
    return tags


def with_difficulty(tags: Sequence[str], difficulty: int | None) -> tuple[str, ...]:
    return (*tags, f"{DIFFICULTY}{difficulty}") if difficulty else tuple(tags)


def without_difficulty(tags: Sequence[str]) -> tuple[tuple[str, ...], int | None]:
    found = [tag for tag in tags if tag in {f"{DIFFICULTY}{n}" for n in range(1, 6)}]
    return tuple(tag for tag in tags if tag not in found), int(found[-1][-1]) if found else None


def differences(one: Draft, other: Draft) -> list[str]:
    """In plain words, each once: what `other` does not have as `one` has it."""
    return list(dict.fromkeys(_differing(one, other)))


def _differing(one: Draft, other: Draft) -> list[str]:
    words = {
        "name": _("the name"),
        "stem": _("how the question is set"),
        "tags": _("tags"),
        "difficulty": _("the difficulty"),
    }
    found = [words[name] for name in words if getattr(one, name) != getattr(other, name)]
    found += [_label(path) for path in _paths(one.shown, other.shown) + _paths(one.key, other.key)]
    if dict(one.images) != dict(other.images):
        found.append(_("pictures"))
    if len(one.parts) != len(other.parts):
        return [*found, _("questions of the vignette")]
    for mine, theirs in zip(one.parts, other.parts, strict=True):
        found += [_("the kind of a question")] if mine.kind != theirs.kind else _differing(mine, theirs)
    return found


def _paths(one: Json, other: Json) -> list[tuple[str, ...]]:
    """Where two objects differ, as deep as both have something."""
    found: list[tuple[str, ...]] = []
    for name in dict.fromkeys([*one, *other]):
        left, right = one.get(name), other.get(name)
        if left == right:
            continue
        deeper = _paths(left, right) if isinstance(left, dict) and isinstance(right, dict) else []
        if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            deeper = [path for a, b in zip(left, right, strict=True) for path in _both(a, b)]
        found += [(name, *path) for path in deeper] if deeper else [(name,)]
    return found


def _both(one: Any, other: Any) -> list[tuple[str, ...]]:
    if isinstance(one, dict) and isinstance(other, dict):
        return _paths(one, other)
    return [] if one == other else [()]


def _label(path: tuple[str, ...]) -> str:
    known: Mapping[str, str] = {
        "rationale": _("the rationale"),
        "references": _("references"),
        "rationales": _("why each option is right or wrong"),
        "id": _("the letters of the options"),
        "text": _("how an option is set"),
        "right": _("what is right"),
    }
    named = next((known[name] for name in path if name in known), None)
    return named or _("the setting “%(name)s”") % {"name": path[0]}
