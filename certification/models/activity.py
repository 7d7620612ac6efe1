"""What authorities accredit: one activity for each format of a webinar, and the terms of each authority for it."""

from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from certification.enums import ActivityState, AuthorityKey, Format
from courses.models import Lesson


class ActivityQuerySet(models.QuerySet["Activity"]):
    def open(self) -> Self:
        return self.filter(state=ActivityState.OPEN)


class Activity(models.Model):
    """One format of one webinar as it is announced to authorities and doctors.

    `starts_at` and `ends_at` are the event of a live activity, and release and termination of an enduring one. Their
    days are those of the programme's home time zone.
    """

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="activities", verbose_name=_("webinar"))
    format = models.CharField(_("format"), max_length=8, choices=Format)
    title = models.CharField(_("title as accredited"), max_length=200)
    state = models.CharField(_("state"), max_length=6, choices=ActivityState, default=ActivityState.DRAFT)
    starts_at = models.DateTimeField(_("starts or is released at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    reviewed_on = models.DateField(_("content last reviewed on"), null=True, blank=True)
    minutes = models.PositiveSmallIntegerField(
        _("minutes of education"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    assessment = models.ForeignKey(
        Lesson, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("test to pass")
    )
    evaluation = models.ForeignKey(
        Lesson, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("feedback form")
    )
    objectives = models.TextField(_("learning objectives"), max_length=4000, blank=True)
    sources = models.TextField(_("sources"), max_length=8000, blank=True)
    same_as = models.ForeignKey(
        Lesson,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("same content as"),
        help_text=_(
            "Of a copy: the webinar that it is a copy of. Whoever has credit of one of them has none of the other."
        ),
    )
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects: ClassVar = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        ordering = ("lesson", "format")
        constraints = (
            models.UniqueConstraint(fields=("lesson", "format"), name="certification_activity_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gt=F("starts_at")),
                name="certification_activity_window",
            ),
            models.CheckConstraint(
                condition=Q(state=ActivityState.DRAFT)
                | Q(opened_at__isnull=False, starts_at__isnull=False, ends_at__isnull=False, minutes__isnull=False),
                name="certification_activity_open_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state=ActivityState.CLOSED) | Q(closed_at__isnull=False),
                name="certification_activity_closed_has_date",
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} ({self.get_format_display()})"

    @property
    def origin_id(self) -> int:
        """The webinar of which credit is given once: its own, or the one that it is a copy of."""
        return self.same_as_id or self.lesson_id


class Accreditation(models.Model):
    """What one authority, and where it has several one council, grants for an activity, and on which terms."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="accreditations", verbose_name=_("activity"))
    authority = models.CharField(_("authority"), max_length=12, choices=AuthorityKey)
    council = models.CharField(_("council"), max_length=40, blank=True)
    version = models.CharField(_("version of the rules"), max_length=20)
    credits = models.DecimalField(
        _("credits"), max_digits=6, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(0)]
    )
    approval_code = models.CharField(_("approval code"), max_length=80, blank=True)
    provider = models.CharField(_("accredited provider"), max_length=200, blank=True)
    event = models.CharField(
        _("event"),
        max_length=80,
        blank=True,
        db_default="",
        help_text=_("A congress or series that a council caps as a whole: the same word at each of its webinars."),
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    parameters: Any = models.JSONField(_("parameters"), default=dict, blank=True)

    class Meta:
        verbose_name = _("accreditation")
        verbose_name_plural = _("accreditations")
        ordering = ("activity", "authority", "council")
        constraints = (
            models.UniqueConstraint(
                fields=("activity", "authority", "council"), name="certification_accreditation_once"
            ),
            models.CheckConstraint(condition=Q(credits__gte=0), name="certification_accreditation_credits"),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="certification_accreditation_window",
            ),
        )

    def __str__(self) -> str:
        return " · ".join(str(part) for part in (self.get_authority_display(), self.council, self.activity) if part)


class Acknowledgement(models.Model):
    """That a doctor saw the disclosures of an activity before the start: what exactly, and when. Written once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sheet = models.ForeignKey("certification.DisclosureSheet", models.PROTECT, related_name="acknowledgements")
    shown_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField()

    class Meta:
        verbose_name = _("acknowledgement")
        verbose_name_plural = _("acknowledgements")
        constraints = (
            models.UniqueConstraint(fields=("user", "sheet"), name="certification_acknowledged_once"),
            models.CheckConstraint(
                condition=Q(acknowledged_at__gte=F("shown_at")), name="certification_acknowledged_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.sheet_id}"
