"""What a test is as a lesson: the settings behind it, made, copied and looked over with the course."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from assessments.domain import checks
from assessments.models import Attempt, Pick, Quiz, Section
from courses.domain.lesson_kinds import Inner, InnerFigures
from courses.models import Lesson

COPIED = (
    "kind", "instructions", "time_limit_seconds", "grace_seconds", "attempts_allowed", "counting", "pass_percent",
    "completes_by", "wrong_share", "marks_when", "answers_when", "shuffles_items", "shuffles_options", "is_one_way",
    "has_ranking", "markers_needed",
)  # fmt: skip
PICK_COPIED = (
    "position",
    "item_id",
    "bank_id",
    "count",
    "tags",
    "difficulty_from",
    "difficulty_to",
    "topic_id",
    "points",
)


def copy_content(*, source: Quiz, target: Quiz) -> None:
    """Into a test without sections. Which test it is compared with and which webinar it belongs to stay behind."""
    for name in COPIED:
        setattr(target, name, getattr(source, name))
    target.save()
    for section in source.sections.order_by("position").prefetch_related("picks"):
        copied = Section.objects.create(
            quiz=target, position=section.position, title=section.title, instructions=section.instructions
        )
        Pick.objects.bulk_create(
            [
                Pick(section=copied, **{name: getattr(pick, name) for name in PICK_COPIED})
                for pick in section.picks.all()
            ]
        )


class QuizLessons:
    """Registered with `courses.domain.lesson_kinds`."""

    def prepare(self, *, lesson: Lesson, now: datetime) -> None:
        Quiz.objects.get_or_create(lesson=lesson)

    def copy(self, *, source: Lesson, target: Lesson, now: datetime) -> None:
        """Settings, sections and what they take; the questions stay in their banks. Pairs and webinars stay behind."""
        original = Quiz.objects.filter(lesson=source).first()
        if original is None:
            self.prepare(lesson=target, now=now)
            return
        made = Quiz.objects.create(lesson=target)
        copy_content(source=original, target=made)

    def is_used(self, *, lesson: Lesson) -> bool:
        return Attempt.objects.filter(quiz__lesson=lesson).exists()

    def problems(self, *, lessons: Sequence[Lesson]) -> dict[int, str]:
        quizzes = Quiz.objects.filter(lesson__in=lessons).annotate(picks=Count("sections__picks"))
        taken = dict(quizzes.values_list("lesson_id", "picks"))
        return {lesson.pk: _("it has no question yet.") for lesson in lessons if not taken.get(lesson.pk)}

    def inner_of(self, *, lesson: Lesson) -> list[Inner]:
        return checks.inner_of(lesson=lesson)

    def end_inner(self, *, lesson_id: int) -> None:
        checks.end_check(lesson_id=lesson_id)

    def figures_of_inner(self, *, lesson_id: int, since: datetime, until: datetime | None) -> InnerFigures:
        return checks.figures_of(lesson_id=lesson_id, since=since, until=until)

    def address(self, *, lesson: Lesson) -> str | None:
        pk = Quiz.objects.filter(lesson=lesson).values_list("pk", flat=True).first()
        return reverse("assessments:quiz", args=(pk,)) if pk is not None else None
