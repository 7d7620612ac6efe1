"""A ranking for the browser tests, with the doctor in the middle of it."""

from typing import Any


def build_ranking(course: Any, doctor: dict[str, str] | None) -> int:
    from accounts.models import User
    from assessments.domain.ranking import refresh_ranking, show_name
    from core.clock import now
    from courses.enums import LessonKind
    from tests.assessments.ranked import marked
    from tests.factories.assessments import make_quiz
    from tests.factories.courses import LessonFactory

    lesson = LessonFactory.create(course=course, kind=LessonKind.QUIZ, title="Mock exam", is_required=False)
    quiz = make_quiz(lesson=lesson, has_ranking=True)
    for score in range(1, 10):
        show_name(quiz=quiz, user=marked(quiz, score, country="DE").user, shows=score % 2 == 0)
    if doctor is not None:
        person = User.objects.get(pk=doctor["id"])
        marked(quiz, 7, user=person)
        show_name(quiz=quiz, user=person, shows=True)
    refresh_ranking(quiz_id=quiz.pk, now=now())
    return int(quiz.pk)
