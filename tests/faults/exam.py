"""The exam of a round: drawn from a bank of what a machine marks, with little time. Imported after `django.setup`."""

from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from assessments.enums import ItemKind
from assessments.items import type_of
from assessments.models import Attempt, Pick, Section
from courses.models import Course
from tests.assessments.sitting import start
from tests.factories.assessments import BankFactory, QuizFactory, make_item
from tests.factories.courses import LessonFactory

SECONDS, GRACE_SECONDS = 30, 2
ATTEMPTS, QUESTIONS = 60, 6  # on a slow machine a round takes half an hour, and all shall have something to do
FIRST_DEADLINE, BETWEEN_DEADLINES = 6.0, 1.5  # seconds from now, of those whose time is running out as the round begins

OPTIONS = [{"id": name, "text": f"Option {name}"} for name in "abcde"]
SHAPES: tuple[tuple[ItemKind, dict[str, Any], dict[str, Any]], ...] = (
    (ItemKind.SINGLE, {"options": OPTIONS}, {"right": "b"}),
    (ItemKind.SINGLE, {"options": OPTIONS}, {"right": "e"}),
    (ItemKind.MULTIPLE, {"options": OPTIONS}, {"right": ["a", "c", "d"], "rule": "minus"}),
    (ItemKind.MULTIPLE, {"options": OPTIONS}, {"right": ["b", "e"], "rule": "each"}),
    (ItemKind.TRUE_FALSE, {}, {"right": True}),
    (ItemKind.NUMERIC, {}, {"answers": [{"right": "5.5", "tolerance": "0.5"}]}),
    (ItemKind.ORDERING, {"entries": OPTIONS[:4]}, {"right": ["a", "b", "c", "d"], "rule": "pairs"}),
    (ItemKind.ORDERING, {"entries": OPTIONS[1:]}, {"right": ["e", "d", "c", "b"], "rule": "places"}),
)


def make_exam(*, course: Course, late: list[Any]) -> dict[str, Any]:
    """`late` have begun already, and each has a little more time left than the one before."""
    quiz = QuizFactory(
        lesson=LessonFactory(course=course, kind="quiz"),
        kind="mock_exam",
        time_limit_seconds=SECONDS,
        grace_seconds=GRACE_SECONDS,
        attempts_allowed=ATTEMPTS,
        pass_percent=50,
        wrong_share="0.250",
        shuffles_items=True,
        shuffles_options=True,
    )
    bank = BankFactory(programme=course.programme)
    for kind, shown, key in SHAPES:
        cleaned, secret = type_of(kind).clean(shown=shown, key=key)
        make_item(bank=bank, kind=kind, shown=cleaned, key=secret)
    section = Section.objects.create(quiz=quiz, position=1)
    Pick.objects.create(section=section, position=1, bank=bank, count=QUESTIONS, points="1.50")
    begun = [start(quiz, user) for user in late]
    for number, attempt in enumerate(begun):
        left = timedelta(seconds=FIRST_DEADLINE + number * BETWEEN_DEADLINES)
        moved = now() + left - attempt.deadline_at  # type: ignore[operator]  # this test has a time limit
        Attempt.objects.filter(pk=attempt.pk).update(
            started_at=attempt.started_at + moved,
            deadline_at=attempt.deadline_at + moved,  # type: ignore[operator]
        )
    return {"exam": quiz.pk, "exam_lesson": quiz.lesson_id, "begun": {str(one.user_id): one.pk for one in begun}}
