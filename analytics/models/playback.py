"""How well it plays: what browsers report, and that added up by `domain.rollups`."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from analytics.enums import DeviceKind, NetworkKind, PlaybackError
from analytics.models.audience import webinar_key
from core.db import IntMultiRangeField
from webinars.enums import Phase
from webinars.models import PlaySession


class PlaybackReport(models.Model):
    """One report of one player, as its browser says it. The same one sent again changes nothing: it has the same key.

    Since the one before: `play_ms` and `stall_ms` of wall time; `kbits` is kbit/s of the picture × seconds played, 0
    where the browser does not tell; `start_ms` from the tap to the first picture, only where one began. `replayed` is
    what the page knew as seen and was played again, in the seconds of the coverage of that phase.
    """

    pk = models.CompositePrimaryKey("session_started_at", "session", "number")
    session_started_at = models.DateTimeField()
    session = models.ForeignKey(PlaySession, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    number = models.PositiveIntegerField()
    webinar = webinar_key()
    phase = models.CharField(max_length=10, choices=Phase)
    received_at = models.DateTimeField()
    country = models.CharField(max_length=2, blank=True)
    device = models.CharField(max_length=8, choices=DeviceKind)
    network = models.CharField(max_length=7, choices=NetworkKind)
    start_ms = models.PositiveIntegerField(null=True)
    play_ms = models.PositiveIntegerField()
    stall_ms = models.PositiveIntegerField()
    stalls = models.PositiveIntegerField()
    kbits = models.PositiveBigIntegerField()
    errors = models.PositiveIntegerField()
    error_kind = models.CharField(max_length=7, choices=PlaybackError, blank=True)
    replayed = IntMultiRangeField(default=tuple)

    class Meta:
        verbose_name = _("playback report")
        verbose_name_plural = _("playback reports")
        indexes = (
            models.Index(fields=("webinar", "received_at"), name="analytics_report_webinar"),
            models.Index(fields=("received_at",), name="analytics_report_received"),
        )

    def __str__(self) -> str:
        return f"{self.session_id}/{self.number}"


class PlayerSummary(models.Model):
    """What pages need of one player whose reports lie in cold storage: which device, and what was played again, all of
    them together. One a session and phase; a session's reports are all of the month in which it was opened.
    """

    pk = models.CompositePrimaryKey("session", "phase")
    session = models.ForeignKey(PlaySession, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    phase = models.CharField(max_length=10, choices=Phase)
    webinar = webinar_key()
    month = models.DateField(help_text=_("Its first day."))
    device = models.CharField(max_length=8, choices=DeviceKind)
    replayed = IntMultiRangeField(default=tuple)

    class Meta:
        verbose_name = _("player of a month in cold storage")
        verbose_name_plural = _("players of months in cold storage")
        indexes = (models.Index(fields=("webinar",), name="analytics_summary_webinar"),)

    def __str__(self) -> str:
        return f"{self.session_id}/{self.phase}"


class Measures(models.Model):
    """Sums of reports by when they were received.

    `plays`: first reports, so they may be added up; `sessions`: distinct players of the row, so they may not.
    `start_buckets[i]`: starts of less than `domain.rollups.quality.START_BOUNDS[i]` ms and not of a smaller one; the
    last is the rest.
    """

    plays = models.PositiveIntegerField()
    sessions = models.PositiveIntegerField()
    starts = models.PositiveIntegerField()
    start_ms_sum = models.PositiveBigIntegerField()
    start_buckets = ArrayField(models.PositiveIntegerField())
    play_ms = models.PositiveBigIntegerField()
    stall_ms = models.PositiveBigIntegerField()
    stalls = models.PositiveIntegerField()
    kbits = models.PositiveBigIntegerField()
    errors = models.PositiveIntegerField()

    class Meta:
        abstract = True


class QualityHour(Measures):
    pk = models.CompositePrimaryKey("webinar", "phase", "at", "country", "device", "network")
    webinar = webinar_key()
    phase = models.CharField(max_length=10, choices=Phase)
    at = models.DateTimeField()
    country = models.CharField(max_length=2, blank=True)
    device = models.CharField(max_length=8, choices=DeviceKind)
    network = models.CharField(max_length=7, choices=NetworkKind)

    class Meta:
        verbose_name = _("quality of an hour")
        verbose_name_plural = _("quality by hour")

    def __str__(self) -> str:
        return f"{self.webinar_id}/{self.phase}/{self.at:%Y-%m-%d %H}/{self.country}/{self.device}/{self.network}"


class QualityMinute(Measures):
    """For looking on while a webinar is live."""

    pk = models.CompositePrimaryKey("webinar", "phase", "at", "country")
    webinar = webinar_key()
    phase = models.CharField(max_length=10, choices=Phase)
    at = models.DateTimeField()
    country = models.CharField(max_length=2, blank=True)

    class Meta:
        verbose_name = _("quality of a minute")
        verbose_name_plural = _("quality by minute")

    def __str__(self) -> str:
        return f"{self.webinar_id}/{self.phase}/{self.at:%Y-%m-%d %H:%M}/{self.country}"
