import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Device
from core.db import IntMultiRangeField, TimeMultiRangeField
from courses.models import Enrolment
from webinars.enums import Phase
from webinars.models.webinar import Webinar


class PlaySession(models.Model):
    """One opening of the player on one device. Beats name it; it says whose seconds they are.

    `enrolment` is kept here so that each beat's right is checked by one primary-key lookup instead of four joins.
    Empty means a preview by staff, whose seconds complete nothing unless they become enrolled.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="play_sessions", db_index=False)
    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="play_sessions")
    phase = models.CharField(max_length=10, choices=Phase)
    device = models.ForeignKey(Device, models.CASCADE, related_name="play_sessions")
    enrolment = models.ForeignKey(Enrolment, models.CASCADE, null=True, related_name="play_sessions")
    media_seconds = models.PositiveIntegerField(help_text=_("Length of the timeline; beats outside it are refused."))
    required_seconds = models.PositiveIntegerField(help_text=_("Unique seconds that complete the lesson."))
    epoch = models.DateTimeField(
        null=True, help_text=_("Program time 0 of the broadcast watched: nobody has seen more than has been since.")
    )
    shown = IntMultiRangeField(  # type: ignore[misc]  # the field has no nullable twin
        null=True,
        help_text=_("Which seconds of the uncut recording of a broadcast this version shows; beats count within it."),
    )
    carried = IntMultiRangeField(  # type: ignore[misc]
        null=True,
        help_text=_(
            "What the person had seen live, in seconds of the uncut recording: counts for completion, not as watched."
        ),
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("play session")
        verbose_name_plural = _("play sessions")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(required_seconds__gte=1, required_seconds__lte=models.F("media_seconds")),
                name="webinars_session_seconds",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("started_at")),
                name="webinars_session_ends_later",
            ),
            models.CheckConstraint(
                condition=models.Q(phase=Phase.LIVE, epoch__isnull=False) | models.Q(phase=Phase.ON_DEMAND, epoch=None),
                name="webinars_session_live_has_epoch",
            ),
            models.CheckConstraint(
                condition=models.Q(shown=None, carried=None)
                | models.Q(phase=Phase.ON_DEMAND, shown__isnull=False, carried__isnull=False),
                name="webinars_session_shown_and_carried",
            ),
        )
        indexes = (
            models.Index(fields=("user", "webinar"), name="webinars_session_person"),
            models.Index(fields=("started_at",), include=("webinar",), name="webinars_session_started"),
        )

    def __str__(self) -> str:
        return str(self.id)


class WatchRecord(models.Model):
    """What a person has watched of one phase of a webinar. Written by the group commit only.

    `coverage` and `position_seconds` are program time of a live phase. On demand they are seconds of the recording,
    and of the *uncut* recording where it comes from a broadcast: a cut that is made later changes no record.

    `clock` is the union over play sessions of [session start, receipt of its latest beat): the wall time in which the
    person may have been watching. `seen_seconds` never exceeds its length × the highest playback rate + a slack.

    No column that a beat changes may be indexed: then PostgreSQL updates the row in place (HOT), which is half of what
    a beat costs. The migration leaves room in the pages for it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="watch_records", db_index=False)
    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="watch_records")
    phase = models.CharField(max_length=10, choices=Phase)
    coverage = IntMultiRangeField(default=tuple)
    excess = IntMultiRangeField(
        default=tuple, help_text=_("Seconds claimed faster than the clock allows: not credited, kept as evidence.")
    )
    shown = IntMultiRangeField(  # type: ignore[misc]
        null=True, help_text=_("Of the latest play session, like the next one.")
    )
    carried = IntMultiRangeField(  # type: ignore[misc]
        null=True, help_text=_("Seconds that count for completion besides the coverage.")
    )
    seen_seconds = models.PositiveIntegerField(default=0)
    required_seconds = models.PositiveIntegerField(help_text=_("As the play session had it when it was reached."))
    position_seconds = models.FloatField(default=0.0)
    clock = TimeMultiRangeField(default=tuple)
    first_beat_at = models.DateTimeField()
    last_beat_at = models.DateTimeField()
    grew_at = models.DateTimeField(null=True, help_text=_("Of the latest beat that brought a new second."))
    reached_at = models.DateTimeField(null=True, help_text=_("When the required seconds were reached."))
    settled_at = models.DateTimeField(null=True, help_text=_("When the lesson's completion was recorded for it."))

    class Meta:
        verbose_name = _("watch record")
        verbose_name_plural = _("watch records")
        constraints = (
            models.UniqueConstraint(fields=("user", "webinar", "phase"), name="webinars_watch_record_once"),
            models.CheckConstraint(condition=models.Q(position_seconds__gte=0), name="webinars_watch_position"),
        )
        indexes = (
            models.Index(
                fields=("reached_at",),
                condition=models.Q(reached_at__isnull=False, settled_at=None),
                name="webinars_watch_unsettled",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.webinar_id}/{self.phase}"
