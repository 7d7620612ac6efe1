"""What calendars were told, and the address from which a person's calendar reads."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from webinars.models import Webinar


class ScheduleRevision(models.Model):
    """A webinar's date as it was announced. `number` is the SEQUENCE of its calendar entries; 0 is the first.

    A change below is noticed by looking, not told: the newest row differs from the webinar, so the next is written,
    and what doctors were promised before is withdrawn.
    """

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="schedule_revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField()
    is_cancelled = models.BooleanField(default=False)
    noticed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("announced date")
        verbose_name_plural = _("announced dates")
        ordering = ("webinar", "-number")
        constraints = (models.UniqueConstraint(fields=("webinar", "number"), name="reminders_revision_once"),)

    def __str__(self) -> str:
        return f"{self.webinar_id}/{self.number}"


class CalendarFeed(models.Model):
    """A person's own address for a calendar that subscribes: only the SHA-256 of its token is kept."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    token_hash = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")

    def __str__(self) -> str:
        return f"{self.user_id}"
