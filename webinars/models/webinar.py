from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from courses.models import Lesson
from media.models import Video
from webinars.enums import IngestKind, RecordingPolicy


class Webinar(models.Model):
    """A lesson with a video timeline. Without a start it is a recorded lecture; with one it has a live phase.

    Its state is worked out from these dates by `domain.schedule.state_of`; there is no state to get out of step.
    """

    lesson = models.OneToOneField(Lesson, models.CASCADE, related_name="webinar")
    video = models.ForeignKey(Video, models.PROTECT, null=True, blank=True, related_name="webinars")
    presenters = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="presented_webinars")
    moderators = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="moderated_webinars")
    completion_percent = models.PositiveSmallIntegerField(
        _("percent to watch"), default=90, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    counted_seconds = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("Length for which the threshold was applied to what people had watched.")
    )
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    planned_minutes = models.PositiveSmallIntegerField(
        _("planned length in minutes"), default=60, validators=[MinValueValidator(5), MaxValueValidator(720)]
    )
    doors_minutes = models.PositiveSmallIntegerField(
        _("doors open, minutes before"), default=20, validators=[MaxValueValidator(240)]
    )
    capacity = models.PositiveIntegerField(_("places"), null=True, blank=True, validators=[MinValueValidator(1)])
    needs_registration = models.BooleanField(_("doctors register first"), default=False)
    ingest = models.CharField(_("picture comes by"), max_length=10, choices=IngestKind, default=IngestKind.RTMP)
    external_url = models.CharField(
        _("link to the meeting"), max_length=500, blank=True, validators=[URLValidator(schemes=["https"])]
    )
    is_rehearsal = models.BooleanField(
        _("rehearsal"), default=False, help_text=_("While it is on, only presenters and staff see the stream.")
    )
    allows_takeover = models.BooleanField(
        _("a second presenter may take over the stream"),
        default=False,
        help_text=_("Otherwise a second stream is refused while the first one is on."),
    )
    recording_policy = models.CharField(
        _("recording opens"), max_length=10, choices=RecordingPolicy, default=RecordingPolicy.AUTOMATIC
    )
    recording_opens_at = models.DateTimeField(_("recording opens at"), null=True, blank=True)
    followup_days = models.PositiveSmallIntegerField(_("questions stay open, days"), default=7)
    live_at = models.DateTimeField(_("went live at"), null=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("webinar")
        verbose_name_plural = _("webinars")
        constraints = (
            models.CheckConstraint(condition=Q(completion_percent__range=(1, 100)), name="webinars_webinar_percent"),
            models.CheckConstraint(condition=Q(planned_minutes__gte=1), name="webinars_webinar_has_length"),
            models.CheckConstraint(condition=Q(capacity=None) | Q(capacity__gte=1), name="webinars_webinar_capacity"),
            models.CheckConstraint(
                condition=Q(live_at=None, ended_at=None) | Q(live_at__isnull=False, starts_at__isnull=False),
                name="webinars_webinar_live_was_scheduled",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("live_at")), name="webinars_webinar_ends_later"
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at=None) | Q(starts_at__isnull=False, live_at=None),
                name="webinars_webinar_cancelled_before_live",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | ~Q(ingest=IngestKind.EXTERNAL) | ~Q(external_url=""),
                name="webinars_webinar_external_has_link",
                violation_error_message=_("Give the link to the meeting, beginning with https://."),
            ),
            models.CheckConstraint(
                condition=~Q(recording_policy=RecordingPolicy.AT_DATE) | Q(recording_opens_at__isnull=False),
                name="webinars_webinar_recording_date",
                violation_error_message=_("Give the date on which the recording opens."),
            ),
        )
        indexes = (
            models.Index(
                fields=("starts_at",),
                condition=Q(starts_at__isnull=False, ended_at=None, cancelled_at=None),
                name="webinars_webinar_coming",
            ),
        )

    def __str__(self) -> str:
        return self.lesson.title


class Registration(models.Model):
    """A doctor's place in a webinar. Places are counted under a lock of the webinar's row."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="registrations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webinar_registrations")
    registered_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = (
            models.UniqueConstraint(fields=("webinar", "user"), name="webinars_registration_once"),
            models.CheckConstraint(
                condition=Q(cancelled_at=None) | Q(cancelled_at__gte=F("registered_at")),
                name="webinars_registration_cancelled_later",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.webinar_id}"


class Visit(models.Model):
    """A person in a meeting elsewhere: from the tap on the link to leaving. Attendance of the `external` kind."""

    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="visits")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webinar_visits")
    joined_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text=_("The page said last that it is still open."))
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = (
            models.UniqueConstraint(
                fields=("webinar", "user"), condition=Q(left_at=None), name="webinars_visit_one_open"
            ),
            models.CheckConstraint(condition=Q(seen_at__gte=F("joined_at")), name="webinars_visit_seen_later"),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(left_at__gte=F("joined_at")), name="webinars_visit_left_later"
            ),
        )
        indexes = (models.Index(fields=("webinar", "user", "joined_at"), name="webinars_visit_person"),)

    def __str__(self) -> str:
        return f"{self.user_id}/{self.webinar_id}"
