"""A question as doctors will get it, before there is any paper: for its author, with how it is marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from assessments.domain.sheet import Line, Reviewed
from assessments.enums import Outcome
from assessments.items import type_of
from assessments.items.base import AnswerError, Json
from assessments.models import ItemVersion

_NUMBERS = ("most", "points", "least_words", "most_words")


@dataclass(frozen=True, slots=True)
class Tried:
    """One answer, and what it is worth."""

    label: str
    answer: str
    gives: str
    is_full: bool


def draft_line(*, kind: str, stem: str, shown: Json, position: int = 0, story: ItemVersion | None = None) -> Line:
    """`shown` may be unfinished: numbers that are none are left out. Options stand in the author's order."""
    item_type = type_of(kind)
    usable = _usable(shown)
    return Line(
        position=position,
        section=0,
        points="1",
        kind=item_type.kind,
        stem=stem,
        story=story.stem if story else "",
        story_images=story.shown.get("images", ()) if story else (),
        view=item_type.view(shown=usable, order=item_type.orderable(usable), value=None),
        value=None,
        saved=0,
        is_flagged=False,
        is_open=True,
    )


def review_of_right(*, kind: str, stem: str, shown: Json, key: Json, value: Json | None) -> Reviewed:
    """What a doctor sees afterwards who gave this answer, where right answers are shown. Of cleaned halves."""
    item_type = type_of(kind)
    mark = item_type.mark(shown=shown, key=key, value=value) if value else None
    return Reviewed(
        position=0,
        stem=stem,
        mine=item_type.describe(shown=shown, value=value),
        outcome=mark.outcome if mark else "",
        points=mark.share if mark else None,
        most="1",
        rows=item_type.rows(shown=shown, key=key, value=value),
        rationale=key.get("rationale", ""),
        references=key.get("references", ()),
        watch_lesson_id=None,
        watch_seconds=None,
    )


def try_answers(*, kind: str, shown: Json, key: Json, answers: Sequence[tuple[Any, Json]]) -> list[Tried]:
    """Each as a doctor's: read, cleaned and marked as on a paper. Of cleaned halves."""
    item_type = type_of(kind)
    found = []
    for label, raw in answers:
        try:
            value = item_type.clean_answer(shown=shown, raw=raw)
        except AnswerError:
            continue  # an example that no doctor could give either, such as a number with too many digits
        if value is None:
            continue
        mark = item_type.mark(shown=shown, key=key, value=value)
        if mark.outcome == Outcome.WAITING:
            gives = _("a person decides")
            if mark.share is not None:
                gives = _("a person decides; suggested: %(share)s of 1") % {"share": _short(mark.share)}
        else:
            gives = _("%(share)s of 1") % {"share": _short(mark.share or Decimal(0))}
        text = item_type.describe(shown=shown, value=value)
        found.append(Tried(str(label), text, gives, is_full=mark.outcome == Outcome.RIGHT))
    return found


def _short(share: Decimal) -> str:
    return format(round(share, 2).normalize() + 0, "f")


def _usable(value: Any) -> Any:
    """What templates take for a number is one."""
    if isinstance(value, dict):
        read = {name: _number(one) if name in _NUMBERS else _usable(one) for name, one in value.items()}
        return {name: one for name, one in read.items() if one is not None}
    return [_usable(one) for one in value] if isinstance(value, list) else value


def _number(value: Any) -> int | None:
    text = str(value)
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else None
