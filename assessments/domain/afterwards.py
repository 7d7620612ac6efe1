"""What a result tells beyond its sum: how one did by topic, and which minutes of which lectures to watch again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from assessments.domain.sheet import Policy, Reviewed
from assessments.enums import Outcome
from assessments.models import Quiz
from courses.domain.queries import outline_of
from courses.rules import get_enrolment_for

MOST_TOPICS = 12
NOT_RIGHT = frozenset({Outcome.WRONG, Outcome.PARTLY, Outcome.BLANK})


@dataclass(slots=True)
class Topic:
    """`points` never go below nothing: a wrong answer that costs something would make a bar that is none."""

    name: str
    points: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    questions: int = 0

    @property
    def percent(self) -> int:
        """Rounded down: 100 means everything."""
        return int(self.points * 100 / self.most) if self.most else 0


@dataclass(frozen=True, slots=True)
class Moment:
    """`seconds` of the recording; none: the whole lecture. `numbers` of the questions that it explains."""

    seconds: int | None
    numbers: Sequence[int]


@dataclass(frozen=True, slots=True)
class Lecture:
    lesson_id: int
    title: str
    moments: Sequence[Moment] = field(default_factory=tuple)


def topics_of(*, questions: Sequence[Reviewed], policy: Policy) -> list[Topic]:
    """The weakest first. By topics of curricula where questions have any, otherwise by tags; nothing for a single one.

    A question of two topics counts in both, one that waits for its marks in none yet.
    """
    if not policy.marks:
        return []
    by_curricula = any(one.filed.topics for one in questions)
    found: dict[str, Topic] = {}
    for one in questions:
        if one.points is None:
            continue
        for name in dict.fromkeys(one.filed.topics if by_curricula else one.filed.tags):
            topic = found.setdefault(name, Topic(name))
            topic.points += max(one.points, Decimal(0))
            topic.most += Decimal(one.most)
            topic.questions += 1
    listed = sorted((one for one in found.values() if one.most), key=lambda one: (one.points / one.most, one.name))
    if len(listed) > MOST_TOPICS:  # those that say most
        kept = {one.name for one in sorted(listed, key=lambda one: -one.questions)[:MOST_TOPICS]}
        listed = [one for one in listed if one.name in kept]
    return listed if len(listed) > 1 else []


def watch_again(
    *, questions: Sequence[Reviewed], policy: Policy, quiz: Quiz, user: User, now: datetime
) -> list[Lecture]:
    """For what was not right, where right answers are shown: lectures of the programme that this person may open now.

    Each minute once, with all its questions. No query where there is nothing; otherwise six.
    """
    if not (policy.marks and policy.answers):
        return []
    wanted: dict[int, dict[int | None, list[int]]] = {}
    for one in questions:
        if one.outcome in NOT_RIGHT and one.watch_lesson_id is not None:
            wanted.setdefault(one.watch_lesson_id, {}).setdefault(one.watch_seconds, []).append(one.number)
    if not wanted:
        return []
    programme = quiz.lesson.course.programme
    outline = outline_of(programme=programme, user_id=user.pk, enrolment=get_enrolment_for(user, programme), now=now)
    lessons = [one for course in outline.courses for one in course.lessons if one.lesson.pk in wanted]
    return [
        Lecture(one.lesson.pk, one.lesson.title, _moments(wanted[one.lesson.pk]))
        for one in lessons
        if one.availability.is_open
    ]


def _moments(by_second: dict[int | None, list[int]]) -> list[Moment]:
    return [Moment(at, by_second[at]) for at in sorted(by_second, key=lambda at: at if at is not None else -1)]
