import pytest
from django.conf import settings

from assessments.enums import AttemptState, EndedBy
from assessments.models import Attempt
from assessments.tasks import submit_overdue
from tests.assessments.sitting import choose, make_older, start
from tests.factories.assessments import candidate_of, make_quiz

pytestmark = pytest.mark.django_db


def test_attempts_end_at_their_deadline_without_a_browser() -> None:
    """By the task that beat sends, under the name that it sends."""
    quiz = make_quiz(time_limit_seconds=60)
    over, running = start(quiz, candidate_of(quiz)), start(quiz, candidate_of(quiz))
    choose(over, 0, "b")
    make_older(over, 100)

    assert submit_overdue() == 1
    assert submit_overdue() == 0

    ends = dict(Attempt.objects.values_list("pk", "ended_by"))
    assert ends == {over.pk: EndedBy.DEADLINE, running.pk: ""}
    assert Attempt.objects.get(state=AttemptState.MARKED).score == 1
    sent = [(one["task"], one["schedule"]) for one in settings.CELERY_BEAT_SCHEDULE.values()]
    assert (submit_overdue.name, 5.0) in sent
