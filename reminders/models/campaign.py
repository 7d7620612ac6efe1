"""Messages that the office writes itself, to whom it chooses."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from courses.models import Programme
from reminders.enums import CampaignState, Channel


class Campaign(models.Model):
    """`audience` is filters, worked out anew when it starts: who came in meanwhile is among them, who left is not.

    `texts` by language, then channel: {"en": {"email": {"subject", "body", "button"}, "sms": {"body"}}}.
    `local_at` is a wall clock time without a zone ("2026-12-01T09:00"): each doctor's own nine o'clock.
    `fallback_minutes`: how long a channel that tells what arrived has time to tell it, until the next one is tried;
    without these the next one is only for whom this one is no way at all.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="campaigns")
    title = models.CharField(_("title"), max_length=120)
    audience: Any = models.JSONField(_("audience"), default=dict)
    texts: Any = models.JSONField(_("texts"), default=dict)
    path = models.CharField(_("page it leads to"), max_length=200, blank=True)
    channels = ArrayField(models.CharField(max_length=8, choices=Channel), verbose_name=_("channels, in order"))
    fallback_minutes = models.PositiveIntegerField(_("minutes until the next channel"), null=True, blank=True)
    local_at = models.CharField(_("at this hour of the doctor's day"), max_length=16, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=CampaignState, default=CampaignState.DRAFT)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(_("made at"))
    scheduled_at = models.DateTimeField(_("scheduled at"), null=True, editable=False)
    started_at = models.DateTimeField(_("started at"), null=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)
    # Only where the site itself stopped it.
    why_stopped = models.CharField(_("why it was stopped"), max_length=300, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ("-made_at",)
        constraints = (
            models.CheckConstraint(condition=Q(channels__len__gte=1), name="reminders_campaign_has_channel"),
            models.CheckConstraint(
                condition=~Q(state__in=(CampaignState.DONE, CampaignState.STOPPED)) | Q(ended_at__isnull=False),
                name="reminders_campaign_ended",
            ),
        )

    def __str__(self) -> str:
        return self.title
