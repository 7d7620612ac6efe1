"""What happened when, along the axis of a webinar: chapters, polls, questions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from analytics.domain.axis import Axis
from analytics.domain.presenting.questions import Asked
from core.replica import reading
from webinars.domain.timelines import RecordingMap, shown_then
from webinars.enums import PollState
from webinars.models import Chapter, Poll


class MarkKind(StrEnum):
    CHAPTER = "chapter"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class Mark:
    """`title` was written by somebody: escape it."""

    kind: MarkKind
    second: float
    title: str


def marks_of(webinar_id: int, axis: Axis) -> list[Mark]:
    """Two queries. What was cut out of the recording stands where the recording goes on."""
    chapters = Chapter.objects.using(reading()).filter(webinar=webinar_id).values_list("at_seconds", "title")
    polls = Poll.objects.using(reading()).filter(webinar=webinar_id, opened_seconds__isnull=False)
    found = [Mark(MarkKind.CHAPTER, axis.of_uncut(at), title) for at, title in chapters]
    found += [
        Mark(MarkKind.POLL, axis.of_program(at or 0.0), question)
        for at, question in polls.exclude(state=PollState.DRAFT).values_list("opened_seconds", "question")
    ]
    return sorted(found, key=lambda mark: (mark.second, mark.kind, mark.title))


def questions_per_minute(
    asked: Iterable[Asked], axis: Axis, editions: Sequence[tuple[datetime, RecordingMap]] = ()
) -> list[tuple[int, int]]:
    """(minute of the axis, questions), in order; minutes without any are left out.

    `editions`: each from when it was on air, the oldest first. What was cut since has its seconds elsewhere now.
    """
    places = (axis.of_program(one.seconds) if one.is_live else _now_at(one, axis, editions) for one in asked)
    return sorted(Counter(int(second // 60) for second in places if second <= axis.length).items())


def _now_at(one: Asked, axis: Axis, editions: Sequence[tuple[datetime, RecordingMap]]) -> float:
    """Where the axis has what was shown when this was asked."""
    then = shown_then(editions, at=one.at, second=one.seconds)
    return axis.of_uncut(then.uncut_to_shown.to_program(one.seconds)) if then else one.seconds
