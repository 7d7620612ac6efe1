"""What an evaluation is as a lesson: its form, made, copied and looked over with the course."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from assessments.domain.evaluation_forms import ready_form
from assessments.models import Evaluation, EvaluationReceipt
from courses.enums import LessonKind
from courses.models import Lesson


class EvaluationLessons:
    """Registered with `courses.domain.lesson_kinds`."""

    def prepare(self, *, lesson: Lesson, now: datetime) -> None:
        """With the ready form, about the webinar before it: most evaluations need nothing more."""
        if not Evaluation.objects.filter(lesson=lesson).exists():
            Evaluation.objects.get_or_create(
                lesson=lesson, defaults={"form": ready_form(), "about": _webinar_before(lesson)}
            )

    def copy(self, *, source: Lesson, target: Lesson, now: datetime) -> None:
        """The same form, about the copy of the same webinar; answers stay behind."""
        original = Evaluation.objects.filter(lesson=source).select_related("about").first()
        if original is None:
            self.prepare(lesson=target, now=now)
            return
        about = original.about
        if about is not None and about.course_id == source.course_id:
            about = Lesson.objects.filter(course=target.course_id, position=about.position).first()
        Evaluation.objects.create(
            lesson=target, form_id=original.form_id, about=about, is_anonymous=original.is_anonymous
        )

    def is_used(self, *, lesson: Lesson) -> bool:
        return EvaluationReceipt.objects.filter(evaluation__lesson=lesson).exists()

    def problems(self, *, lessons: Sequence[Lesson]) -> dict[int, str]:
        forms = {
            lesson: (form, questions)
            for lesson, form, questions in Evaluation.objects.filter(lesson__in=lessons)
            .annotate(questions=Count("form__questions"))
            .values_list("lesson_id", "form_id", "questions")
        }
        found = {}
        for lesson in lessons:
            form, questions = forms.get(lesson.pk, (None, 0))
            if form is None:
                found[lesson.pk] = _("no feedback form is chosen yet.")
            elif not questions:
                found[lesson.pk] = _("its feedback form has no question yet.")
        return found

    def address(self, *, lesson: Lesson) -> str | None:
        pk = Evaluation.objects.filter(lesson=lesson).values_list("pk", flat=True).first()
        return reverse("assessments:evaluation", args=(pk,)) if pk is not None else None

    def asked_about(self, *, lessons: Sequence[Lesson]) -> dict[int, int]:
        pairs = Evaluation.objects.filter(lesson__in=[one.pk for one in lessons], about__isnull=False)
        return dict(pairs.values_list("lesson_id", "about_id"))


def _webinar_before(lesson: Lesson) -> Lesson | None:
    before = Lesson.objects.filter(course=lesson.course_id, kind=LessonKind.WEBINAR, position__lt=lesson.position)
    return before.order_by("-position").first()
