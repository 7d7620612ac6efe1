"""People with a result, for rankings."""

from decimal import Decimal
from typing import Any

from assessments.enums import AttemptState, EndedBy
from assessments.models import Attempt, Candidate, Quiz
from core.clock import now
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory


def marked(quiz: Quiz, score: Decimal | float, *, most: Decimal | int = 10, **person: Any) -> Attempt:
    """A new person's only attempt, with this result."""
    cohort = person.pop("cohort", None)
    user = person.pop("user", None) or UserFactory.create(**person)
    if not user.enrolments.filter(programme=quiz.lesson.course.programme).exists():
        EnrolmentFactory.create(programme=quiz.lesson.course.programme, user=user, cohort=cohort)
    Candidate.objects.create(quiz=quiz, user=user)
    moment = now()
    return Attempt.objects.create(
        quiz=quiz,
        user=user,
        number=1,
        seed=1,
        paper={"sections": [], "items": []},
        state=AttemptState.MARKED,
        started_at=moment,
        submitted_at=moment,
        ended_by=EndedBy.PERSON,
        most_points=most,
        score=score,
        counts=True,
    )
