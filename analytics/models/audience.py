"""Who was there, added up. Made from the watch records and visits by `domain.rollups`; nothing here is a source.

Somebody is there from the opening of the player to its latest beat, or from the tap on a meeting's link to leaving;
pauses of less than a minute are none (`webinars.domain.attendance.merge`). Times are UTC.
"""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from webinars.enums import Phase
from webinars.models import Webinar


def webinar_key() -> Any:
    """Of a partitioned table: no constraint, which would lock the webinars whenever a month begins."""
    return models.ForeignKey(Webinar, models.CASCADE, related_name="+", db_index=False, db_constraint=False)


class AudienceMinute(models.Model):
    """One minute in which somebody was there, came or went. `people` are distinct persons."""

    pk = models.CompositePrimaryKey("webinar", "phase", "at")
    webinar = webinar_key()
    phase = models.CharField(max_length=10, choices=Phase)
    at = models.DateTimeField()
    people = models.PositiveIntegerField()
    arrivals = models.PositiveIntegerField()
    leavings = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("audience of a minute")
        verbose_name_plural = _("audience by minute")

    def __str__(self) -> str:
        return f"{self.webinar_id}/{self.phase}/{self.at:%Y-%m-%d %H:%M}"


class AudienceHour(models.Model):
    """By the people's present country and time zone. An hour of another zone is read from it: `at AT TIME ZONE`.

    A person has one country and one zone, so `people` may be added up within an hour, but not over hours.
    """

    pk = models.CompositePrimaryKey("webinar", "phase", "at", "country", "timezone")
    webinar = webinar_key()
    phase = models.CharField(max_length=10, choices=Phase)
    at = models.DateTimeField()
    country = models.CharField(max_length=2, blank=True)
    timezone = models.CharField(max_length=64)
    people = models.PositiveIntegerField()
    seconds = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("audience of an hour")
        verbose_name_plural = _("audience by hour")

    def __str__(self) -> str:
        return f"{self.webinar_id}/{self.phase}/{self.at:%Y-%m-%d %H}/{self.country}"


class AudienceDay(models.Model):
    """By the people's present country and specialty, in days of UTC. `newcomers` had never been there before."""

    pk = models.CompositePrimaryKey("webinar", "phase", "on", "country", "specialty")
    webinar = webinar_key()
    phase = models.CharField(max_length=10, choices=Phase)
    on = models.DateField()
    country = models.CharField(max_length=2, blank=True)
    specialty = models.CharField(max_length=120, blank=True)
    people = models.PositiveIntegerField()
    seconds = models.PositiveBigIntegerField()
    newcomers = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("audience of a day")
        verbose_name_plural = _("audience by day")

    def __str__(self) -> str:
        return f"{self.webinar_id}/{self.phase}/{self.on}/{self.country}"


class RollupState(models.Model):
    """How far the tables of a webinar have got. What changed after these times, and a minute before, is looked at next.

    `ended_at` is the end of the broadcast with which live clocks were cut. Empty times: nothing has been looked at.
    """

    webinar = models.OneToOneField(Webinar, models.CASCADE, primary_key=True, related_name="+")
    seen_through = models.DateTimeField(null=True)
    quality_through = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True, help_text=_("When a row of the tables was made last."))
    whole_at = models.DateTimeField(null=True, help_text=_("When all rows were made anew last."))

    class Meta:
        verbose_name = _("state of the figures")
        verbose_name_plural = _("states of the figures")

    def __str__(self) -> str:
        return str(self.webinar_id)
