from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import Role
from courses.enums import OPEN_ENROLMENTS, CompletionRule, EnrolmentStatus, LessonKind, PublishStatus

STATEMENT_MONTHS = (2, 12)


def _window(name: str) -> models.CheckConstraint:
    """`closes_at` after `opens_at`, either may be empty."""
    return models.CheckConstraint(
        condition=models.Q(opens_at=None) | models.Q(closes_at=None) | models.Q(closes_at__gt=models.F("opens_at")),
        name=name,
    )


def _rule(name: str) -> models.CheckConstraint:
    """A number of parts is given exactly when the rule needs one."""
    return models.CheckConstraint(
        condition=models.Q(completion_rule=CompletionRule.ALL, required_count=None)
        | models.Q(completion_rule=CompletionRule.N_OF_M, required_count__gte=1),
        name=name,
    )


class ProgrammeQuerySet(models.QuerySet["Programme"]):
    def published(self) -> Self:
        return self.filter(status=PublishStatus.PUBLISHED)


class Programme(models.Model):
    """A set of courses that lead to a programme certificate. Doctors see it only by enrolment."""

    slug = models.SlugField(_("short name in addresses"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("summary"), max_length=5000, blank=True)
    society = models.CharField(_("society"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=PublishStatus, default=PublishStatus.DRAFT)
    timezone = models.CharField(_("home time zone"), max_length=64, default="UTC")
    opens_at = models.DateTimeField(_("opens at"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes at"), null=True, blank=True)
    completion_rule = models.CharField(
        _("complete when"), max_length=8, choices=CompletionRule, default=CompletionRule.ALL
    )
    required_count = models.PositiveSmallIntegerField(_("courses needed"), null=True, blank=True)
    statement_months = models.PositiveSmallIntegerField(
        _("months for which a disclosure may be used"),
        null=True,
        blank=True,
        validators=[MinValueValidator(STATEMENT_MONTHS[0]), MaxValueValidator(STATEMENT_MONTHS[1])],
        help_text=_("2 to 12. Empty: 12. Who teaches or plans is asked anew when a statement is older."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = ProgrammeQuerySet.as_manager()

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ("-created_at", "id")
        constraints = (
            _window("courses_programme_window"),
            _rule("courses_programme_rule"),
            models.CheckConstraint(
                condition=models.Q(statement_months=None) | models.Q(statement_months__range=STATEMENT_MONTHS),
                name="courses_programme_statement_months",
                violation_error_message=_("2 to 12 months, or empty."),
            ),
        )

    def __str__(self) -> str:
        return self.title


class CourseQuerySet(models.QuerySet["Course"]):
    def published(self) -> Self:
        return self.filter(status=PublishStatus.PUBLISHED)


class Course(models.Model):
    """An ordered list of lessons. `position` orders the courses of a programme, from 1."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="courses")
    position = models.PositiveSmallIntegerField(_("position"), validators=[MinValueValidator(1)])
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("summary"), max_length=5000, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=PublishStatus, default=PublishStatus.DRAFT)
    opens_at = models.DateTimeField(_("opens at"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes at"), null=True, blank=True)
    is_required = models.BooleanField(_("counts towards the programme"), default=True)
    is_sequential = models.BooleanField(_("lessons in order"), default=False)
    completion_rule = models.CharField(
        _("complete when"), max_length=8, choices=CompletionRule, default=CompletionRule.ALL
    )
    required_count = models.PositiveSmallIntegerField(_("lessons needed"), null=True, blank=True)
    prerequisites = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="unlocks", verbose_name=_("courses to complete first")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = CourseQuerySet.as_manager()

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ("programme", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("programme", "position"),
                name="courses_course_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=models.Q(position__gte=1), name="courses_course_position_from_1"),
            _window("courses_course_window"),
            _rule("courses_course_rule"),
        )

    def __str__(self) -> str:
        return self.title


class Lesson(models.Model):
    """One unit to complete. What it shows belongs to the app of its kind (a webinar, a quiz, …)."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="lessons")
    position = models.PositiveSmallIntegerField(_("position"), validators=[MinValueValidator(1)])
    kind = models.CharField(_("kind"), max_length=12, choices=LessonKind)
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("summary"), max_length=5000, blank=True)
    is_required = models.BooleanField(_("required"), default=True)
    opens_at = models.DateTimeField(_("opens at"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes at"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("lesson")
        verbose_name_plural = _("lessons")
        ordering = ("course", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("course", "position"), name="courses_lesson_position", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=models.Q(position__gte=1), name="courses_lesson_position_from_1"),
            _window("courses_lesson_window"),
        )

    def __str__(self) -> str:
        return self.title


class Cohort(models.Model):
    """A group of a programme's doctors with their own window, for example one country or one intake."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="cohorts")
    name = models.CharField(_("name"), max_length=120)
    opens_at = models.DateTimeField(_("opens at"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes at"), null=True, blank=True)

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")
        ordering = ("programme", "name")
        constraints = (
            models.UniqueConstraint(fields=("programme", "name"), name="courses_cohort_name"),
            _window("courses_cohort_window"),
        )

    def __str__(self) -> str:
        return self.name


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def open(self) -> Self:
        """Those that let their doctor in."""
        return self.filter(status__in=OPEN_ENROLMENTS)

    def for_list(self) -> Self:
        return self.select_related("user", "programme", "cohort")


class Enrolment(models.Model):
    """A doctor's place in a programme. Its row is locked while a completion is raised or its status changes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="enrolments")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="enrolments")
    cohort = models.ForeignKey(Cohort, models.SET_NULL, null=True, blank=True, related_name="enrolments")
    status = models.CharField(_("status"), max_length=12, choices=EnrolmentStatus, default=EnrolmentStatus.INVITED)
    enrolled_at = models.DateTimeField(_("enrolled at"))
    activated_at = models.DateTimeField(_("first signed in at"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)

    objects: ClassVar = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        ordering = ("-enrolled_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("user", "programme"), name="courses_enrolment_once"),
            models.CheckConstraint(
                condition=~models.Q(status=EnrolmentStatus.COMPLETED) | models.Q(completed_at__isnull=False),
                name="courses_enrolment_completed_has_date",
            ),
        )
        indexes = (models.Index(fields=("programme", "status"), name="courses_enrolment_status"),)

    def __str__(self) -> str:
        return f"{self.user} – {self.programme}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_ENROLMENTS


class RoleGrant(models.Model):
    """A role other than doctor, in one programme or, with no programme, in all of them."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="role_grants", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=12, choices=[c for c in Role.choices if c[0] != Role.DOCTOR])
    programme = models.ForeignKey(Programme, models.CASCADE, null=True, blank=True, related_name="role_grants")
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(_("granted at"))

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role", "programme"), nulls_distinct=False, name="courses_role_grant_once"
            ),
            models.CheckConstraint(condition=~models.Q(role=Role.DOCTOR), name="courses_role_grant_not_doctor"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class LessonCompletion(models.Model):
    """That a person completed a lesson, when, and the evidence for it. Written once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="lesson_completions")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="completions")
    completed_at = models.DateTimeField(_("completed at"))
    evidence = models.JSONField(_("evidence"), default=dict)

    class Meta:
        verbose_name = _("lesson completion")
        verbose_name_plural = _("lesson completions")
        constraints = (models.UniqueConstraint(fields=("user", "lesson"), name="courses_lesson_completed_once"),)
        indexes = (models.Index(fields=("lesson", "completed_at"), name="courses_lesson_completed_at"),)

    def __str__(self) -> str:
        return f"{self.user} – {self.lesson}"


class CourseCompletion(models.Model):
    """That a person completed a course. Stays when lessons are added later."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="course_completions")
    course = models.ForeignKey(Course, models.PROTECT, related_name="completions")
    completed_at = models.DateTimeField(_("completed at"))

    class Meta:
        verbose_name = _("course completion")
        verbose_name_plural = _("course completions")
        constraints = (models.UniqueConstraint(fields=("user", "course"), name="courses_course_completed_once"),)

    def __str__(self) -> str:
        return f"{self.user} – {self.course}"
