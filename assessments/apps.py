from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AssessmentsConfig(AppConfig):
    name = "assessments"
    verbose_name = _("Assessments")

    def ready(self) -> None:
        from assessments.domain.evaluation_lessons import EvaluationLessons
        from assessments.domain.lessons import QuizLessons
        from courses.domain import lesson_kinds
        from courses.enums import LessonKind

        lesson_kinds.register(LessonKind.QUIZ, QuizLessons())
        lesson_kinds.register(LessonKind.EVALUATION, EvaluationLessons())
