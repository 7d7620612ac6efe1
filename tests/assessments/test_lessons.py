"""A test as a lesson of its course."""

import pytest

from assessments.domain.starting import start_attempt
from assessments.models import Attempt, Pick, Quiz, Section
from core.clock import now
from courses.domain import lesson_kinds
from courses.enums import LessonKind
from tests.factories.assessments import candidate_of, make_quiz
from tests.factories.courses import LessonFactory

pytestmark = pytest.mark.django_db


def test_a_copy_has_the_settings_and_questions_and_nothing_that_doctors_did() -> None:
    quiz = make_quiz(time_limit_seconds=900, pass_percent=70, is_one_way=True)
    start_attempt(quiz=quiz, user=candidate_of(quiz), now=now())
    target = LessonFactory(kind=LessonKind.QUIZ)
    lesson_kinds.copy_content(source=quiz.lesson, target=target, now=now())
    copy = Quiz.objects.get(lesson=target)
    assert (copy.time_limit_seconds, copy.pass_percent, copy.is_one_way) == (900, 70, True)
    assert [pick.item_id for pick in Pick.objects.filter(section__quiz=copy).order_by("position")] == [
        pick.item_id for pick in Pick.objects.filter(section__quiz=quiz).order_by("position")
    ]
    assert not Attempt.objects.filter(quiz=copy).exists()
    assert lesson_kinds.is_used(lesson=quiz.lesson)
    assert not lesson_kinds.is_used(lesson=target)


def test_a_test_without_questions_is_a_problem_of_its_course() -> None:
    empty, full = LessonFactory(kind=LessonKind.QUIZ), make_quiz().lesson
    lesson_kinds.prepare_lesson(lesson=empty, now=now())
    Section.objects.create(quiz=empty.quiz, position=1)
    assert set(lesson_kinds.problems_of(lessons=[empty, full])) == {empty.pk}
