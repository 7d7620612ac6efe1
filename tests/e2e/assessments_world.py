"""Tests and feedback forms for the browser tests: one of each to be taken, and one that was handed in."""

from typing import Any


def build_assessments(course: Any, doctor: dict[str, str] | None) -> dict[str, int]:
    """Optional lessons at the end of a course: no other test's progress changes."""
    from django.utils.timezone import now

    from accounts.models import User
    from assessments.domain.starting import start_attempt
    from assessments.domain.submitting import submit
    from assessments.enums import EndedBy
    from core.clock import now as moment
    from courses.enums import LessonKind
    from lms.demo.questions import create_test
    from tests.e2e.ranking_world import build_ranking
    from tests.factories.assessments import make_evaluation, make_quiz
    from tests.factories.courses import LessonFactory

    def lesson(title: str, kind: str) -> Any:
        return LessonFactory.create(course=course, kind=kind, title=title, is_required=False)

    running = make_quiz(lesson=lesson("Before the lecture: what do you know?", LessonKind.QUIZ))
    over = make_quiz(lesson=lesson("After the lecture: what do you know?", LessonKind.QUIZ))
    exam = create_test(course=course, title="Ovarian reserve: what stayed with you", now=moment())
    answered_feedback(lesson("Your feedback on the opening", LessonKind.EVALUATION))
    feedback = make_evaluation(lesson=lesson("Your feedback on the lecture", LessonKind.EVALUATION))
    ids = {"quiz": running.pk, "exam": exam.pk, "evaluation": feedback.pk}
    ids["ranked"] = build_ranking(course, doctor)
    if doctor is not None:
        person = User.objects.get(pk=doctor["id"])
        ids["attempt"] = start_attempt(quiz=running, user=person, now=now())[0].pk
        handed_in = start_attempt(quiz=over, user=person, now=now())[0]
        ids["result"] = submit(attempt_id=handed_in.pk, by=EndedBy.PERSON).pk
    return ids


def answered_feedback(lesson: Any) -> None:
    """Enough answers for the office to show them, and a form before it that can still be changed."""
    from assessments.models import EvaluationQuestion
    from tests.assessments.feedback import hand_in
    from tests.factories.assessments import EvaluationFormFactory, make_evaluation

    form = EvaluationFormFactory.create(programme=lesson.course.programme, title="Not asked yet")
    EvaluationQuestion.objects.create(form=form, position=1, kind="one", text="Which?", choices=["This", "That"])
    evaluation = make_evaluation(lesson=lesson)
    for number in range(1, 6):
        hand_in(evaluation, number, 5, number + 5, number % 2, [0, 2], "More time for questions, please.")
