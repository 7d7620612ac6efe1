from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from courses.models import Lesson
from webinars.models.webinar import Webinar


class RoomCheck(models.Model):
    """A lesson that was held up in the room: from then on its doctors may begin it, until it is closed.

    There is no row before it is opened. Opened once: what it asks belongs to that minute, in the recording too.
    """

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="checks")
    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="+")
    opened_at = models.DateTimeField()
    opened_seconds = models.FloatField(null=True, help_text=_("Program time when it was opened."))
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("check in a room")
        verbose_name_plural = _("checks in a room")
        ordering = ("webinar", "opened_at")
        constraints = (
            models.UniqueConstraint(fields=("webinar", "lesson"), name="webinars_check_once"),
            models.UniqueConstraint(fields=("webinar",), condition=Q(closed_at=None), name="webinars_check_one_open"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(closed_at__gte=F("opened_at")), name="webinars_check_closes_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.webinar_id}/{self.lesson_id}"
