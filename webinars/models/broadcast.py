import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from media.models import Video
from webinars.enums import StreamProblem
from webinars.models.webinar import Webinar


class StreamKey(models.Model):
    """What a presenter's program signs in with. Only its SHA-256 is kept; the key itself is shown once."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="stream_keys")
    presenter = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="stream_keys")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField(max_length=4, help_text=_("The last characters, to tell keys apart."))
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("stream key")
        verbose_name_plural = _("stream keys")
        constraints = (
            models.UniqueConstraint(
                fields=("webinar", "presenter"), condition=Q(revoked_at=None), name="webinars_stream_key_one_valid"
            ),
        )

    def __str__(self) -> str:
        return f"…{self.ending}"


class Broadcast(models.Model):
    """One time on air, or one rehearsal. Its segments lie below `videos/<key>/live/`; a grant for `key` opens them.

    `epoch` is program time 0: the program date of the first segment. All program times count from it.
    """

    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="broadcasts")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    is_rehearsal = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    epoch = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    program_seconds = models.FloatField(default=0.0, help_text=_("Program time of the end of the latest segment."))
    recording = models.OneToOneField(Video, models.SET_NULL, null=True, blank=True, related_name="broadcast")
    recorded_at = models.DateTimeField(null=True, blank=True, help_text=_("When the recording was put together."))
    lease_until = models.DateTimeField(null=True, blank=True, help_text=_("A worker is putting it together."))
    opened_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When open pages were told that the recording can be watched.")
    )

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        constraints = (
            models.UniqueConstraint(
                fields=("webinar",), condition=Q(is_rehearsal=False), name="webinars_broadcast_one_real"
            ),
            models.UniqueConstraint(
                fields=("webinar",), condition=Q(ended_at=None), name="webinars_broadcast_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="webinars_broadcast_ends_later"
            ),
            models.CheckConstraint(condition=Q(program_seconds__gte=0), name="webinars_broadcast_seconds"),
        )

    def __str__(self) -> str:
        return str(self.key)


class PublishSession(models.Model):
    """One connection of a publisher. A broadcast has one after the other; an interruption is the gap between two.

    The packager renews `lease_until` while it works: one that was killed is found by its lease.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    broadcast = models.ForeignKey(Broadcast, models.PROTECT, related_name="publish_sessions")
    stream_key = models.ForeignKey(StreamKey, models.SET_NULL, null=True, related_name="publish_sessions")
    presenter = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    number = models.PositiveIntegerField(help_text=_("Within the broadcast, from 1: the discontinuity counter."))
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=20, choices=StreamProblem, blank=True)
    must_end = models.CharField(
        max_length=20, choices=StreamProblem, blank=True, help_text=_("Somebody took over, or withdrew the key.")
    )
    shift_seconds = models.FloatField(
        default=0.0, help_text=_("Added to the packager's clock where that lagged behind the segments before.")
    )
    health = models.JSONField(
        default=dict, help_text=_("The latest report: bitrate, frames, dropped frames, key frames, codecs, time.")
    )
    reported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("publish session")
        verbose_name_plural = _("publish sessions")
        ordering = ("broadcast", "number")
        constraints = (
            models.UniqueConstraint(fields=("broadcast", "number"), name="webinars_publish_number_once"),
            models.UniqueConstraint(
                fields=("broadcast",), condition=Q(ended_at=None), name="webinars_publish_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="webinars_publish_ends_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.broadcast_id}.{self.number}"


class Segment(models.Model):
    """A piece of the broadcast that is safely stored. The playlists and the Timeline are written from these rows.

    `renditions` maps the name of a rendition to `[seconds, bytes]`; its file is `<rendition>/<number>.ts` below the
    broadcast's folder. `program_start` never overlaps the segment before, whatever the packagers' clocks say.
    """

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="segments")
    publish_session = models.ForeignKey(PublishSession, models.CASCADE, related_name="segments")
    number = models.PositiveIntegerField(help_text=_("Within the broadcast, from 0: the media sequence number."))
    program_start = models.FloatField(help_text=_("Seconds since the broadcast's epoch."))
    seconds = models.FloatField()
    renditions = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ("broadcast", "number")
        constraints = (
            models.UniqueConstraint(fields=("broadcast", "number"), name="webinars_segment_number_once"),
            models.CheckConstraint(condition=Q(program_start__gte=0, seconds__gt=0), name="webinars_segment_times"),
        )

    def __str__(self) -> str:
        return f"{self.broadcast_id}/{self.number}"


class StreamNotice(models.Model):
    """Something the presenter should know about the stream: a refusal, an interruption, too high a bitrate."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="stream_notices")
    problem = models.CharField(max_length=20, choices=StreamProblem)
    detail = models.CharField(max_length=200, blank=True, help_text=_("A figure or a name; never a key."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("stream notice")
        verbose_name_plural = _("stream notices")
        indexes = (models.Index(fields=("webinar", "-at"), name="webinars_notice_latest"),)

    def __str__(self) -> str:
        return self.problem


class Edition(models.Model):
    """One way the recording of a broadcast is cut, as it goes through the pipeline. Never ahead of the files.

    The edition on air is the one whose `source_key` is the `Video.published_source`: that changes in the transaction
    that publishes the files, so timeline and picture change together. `spans` say where each uninterrupted piece of the
    broadcast lies in the uncut recording, measured from the frames; `cuts` are in whole seconds of it.
    """

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="editions")
    number = models.PositiveIntegerField()
    cuts = models.JSONField(default=list, help_text=_("Pairs of whole seconds of the uncut recording, in order."))
    spans = models.JSONField(default=list, help_text=_("Program start, program end, second of the uncut recording."))
    uncut_seconds = models.FloatField(default=0.0)
    source_key = models.CharField(max_length=255, blank=True)
    version = models.CharField(max_length=16, blank=True, help_text=_("Of the video, once it was published."))
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True, help_text=_("Why it could not be put together."))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    handed_at = models.DateTimeField(null=True, blank=True, help_text=_("When its file went into the pipeline."))
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        ordering = ("broadcast", "number")
        constraints = (
            models.UniqueConstraint(fields=("broadcast", "number"), name="webinars_edition_number_once"),
            models.UniqueConstraint(
                fields=("source_key",), condition=~Q(source_key=""), name="webinars_edition_source_once"
            ),
            models.CheckConstraint(
                condition=Q(handed_at=None, source_key="") | Q(handed_at__isnull=False) & ~Q(source_key=""),
                name="webinars_edition_handed_has_source",
            ),
        )

    def __str__(self) -> str:
        return f"{self.broadcast_id}.{self.number}"


class Cut(models.Model):
    """A part of the uncut recording that nobody shall see: a trimmed head or tail, a pause. In its seconds.

    This is the wanted list; what is on air stands in the Edition. Raw coverage is never rewritten: everybody's place
    follows from the Edition. Whole seconds, so that what was watched maps without rounding.
    """

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="cuts")
    start = models.FloatField(_("from"))
    end = models.FloatField(_("to"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    applied_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("When a recording without this part was published; until then it counts not."),
    )

    class Meta:
        verbose_name = _("cut")
        verbose_name_plural = _("cuts")
        ordering = ("broadcast", "start")
        constraints = (
            models.CheckConstraint(condition=Q(start__gte=0, end__gt=F("start")), name="webinars_cut_is_a_part"),
        )

    def __str__(self) -> str:
        return f"{self.start:.1f}–{self.end:.1f}"


class Chapter(models.Model):
    """A named place, in seconds of the uncut recording: a later cut moves it along."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="chapters")
    at_seconds = models.FloatField(_("at, in seconds"))
    title = models.CharField(_("title"), max_length=120)

    class Meta:
        verbose_name = _("chapter")
        verbose_name_plural = _("chapters")
        ordering = ("webinar", "at_seconds")
        constraints = (
            models.UniqueConstraint(fields=("webinar", "at_seconds"), name="webinars_chapter_once"),
            models.CheckConstraint(condition=Q(at_seconds__gte=0) & ~Q(title=""), name="webinars_chapter_named"),
        )

    def __str__(self) -> str:
        return self.title
