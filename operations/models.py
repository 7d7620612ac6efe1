from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from operations.enums import Part, Severity


class IncidentQuerySet(models.QuerySet["Incident"]):
    def since(self, at: datetime) -> "IncidentQuerySet":
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=at))

    def open_at(self, now: datetime) -> "IncidentQuerySet":
        return self.since(now).filter(started_at__lte=now)


class Incident(models.Model):
    """What operators tell everybody on the status page. The page is public: no names, no programmes."""

    part = models.CharField(_("part"), max_length=12, choices=Part.choices, default=Part.WEBSITE)
    severity = models.CharField(_("how bad"), max_length=8, choices=Severity.choices, default=Severity.SLOW)
    title = models.CharField(
        _("title"), max_length=120, help_text=_("One plain sentence, such as: Videos are slow at the moment.")
    )
    words = models.TextField(
        _("more words"),
        max_length=2_000,
        blank=True,
        help_text=_("What doctors should do, and when to look again. Everybody can read this page: no names."),
    )
    started_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty while it lasts."))

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ("-started_at", "-pk")
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gt=F("started_at")),
                name="operations_incident_ends_after_it_began",
                violation_error_message=_("It cannot end before it began."),
            )
        ]

    def __str__(self) -> str:
        return self.title
