"""The outbox: one row for one message to one person by one channel, from the plan to what became of it."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from courses.models import Programme
from reminders.enums import Channel, DeliveryState, Kind, Outcome, SkipReason
from reminders.models.campaign import Campaign
from reminders.models.journey import MessageTemplate

ENDED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.SKIPPED)
LEASED = (DeliveryState.CLAIMED, DeliveryState.SENDING)


class Delivery(models.Model):
    """Planned once: what it is about, for whom, by which channel and for which slot is unique, whoever plans.

    `subject` names the thing ("webinar/12", "course/3", "certificate/9"); `slot` what makes a second message about the
    same thing another one: the webinar's begin, the week. `key` is what providers are told, so that what they say can
    be matched; a link's token is kept as SHA-256 only and made in the moment of sending.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="deliveries")
    kind = models.CharField(_("message"), max_length=20, choices=Kind)
    subject = models.CharField(_("about"), max_length=60)
    slot = models.CharField(max_length=40, blank=True)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, related_name="deliveries")
    fallback_of = models.OneToOneField("self", models.PROTECT, null=True, related_name="fallback")
    is_urgent = models.BooleanField(default=False)
    due_at = models.DateTimeField(_("due at"))
    expires_at = models.DateTimeField(_("of no use after"))

    state = models.CharField(_("state"), max_length=8, choices=DeliveryState, default=DeliveryState.PLANNED)
    skip_reason = models.CharField(_("why not"), max_length=14, choices=SkipReason, blank=True)
    claim = models.UUIDField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    lost_claim = models.UUIDField(null=True, editable=False)  # of the worker that was thought dead while handing over
    ask_at = models.DateTimeField(null=True, editable=False)  # of an unknown one: when the provider is asked again
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    error = models.CharField(_("last error"), max_length=300, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    template = models.ForeignKey(MessageTemplate, models.PROTECT, null=True, related_name="deliveries")
    address_digest = models.BinaryField(max_length=32, null=True)
    transport = models.CharField(_("sent by"), max_length=20, blank=True)
    provider_id = models.CharField(_("number at the provider"), max_length=200, blank=True)
    segments = models.PositiveSmallIntegerField(_("parts"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    bounced_at = models.DateTimeField(_("bounced at"), null=True)
    read_at = models.DateTimeField(_("opened at"), null=True)
    followed_at = models.DateTimeField(_("link followed at"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-due_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "subject", "user", "channel", "slot"), name="reminders_delivery_once"
            ),
            models.UniqueConstraint(
                fields=("transport", "provider_id"), condition=~Q(provider_id=""), name="reminders_delivery_provider_id"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("due_at")), name="reminders_delivery_expires_later"),
            models.CheckConstraint(
                condition=Q(state__in=LEASED, claim__isnull=False, claimed_at__isnull=False)
                | (~Q(state__in=LEASED) & Q(claim=None)),
                name="reminders_delivery_claim",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False) | (~Q(state__in=ENDED) & Q(ended_at=None)),
                name="reminders_delivery_ended",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.SKIPPED) & ~Q(skip_reason="")
                | ~Q(state=DeliveryState.SKIPPED) & Q(skip_reason=""),
                name="reminders_delivery_skipped_why",
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at", "id"), condition=Q(state=DeliveryState.PLANNED), name="reminders_delivery_due"
            ),
            models.Index(fields=("claimed_at",), condition=Q(state__in=LEASED), name="reminders_delivery_leased"),
            models.Index(fields=("ended_at",), condition=Q(ended_at__isnull=False), name="reminders_delivery_ended_at"),
            models.Index(fields=("user", "due_at"), name="reminders_delivery_person"),
            models.Index(fields=("subject", "kind", "user"), name="reminders_delivery_about"),
        )

    def __str__(self) -> str:
        return f"{self.kind}/{self.subject}/{self.user_id}/{self.channel}"


class InboxItem(models.Model):
    """A message as it stands on the site's own page of messages. `label`: who supports the programme, shown apart."""

    delivery = models.OneToOneField(Delivery, models.CASCADE, related_name="inbox_item")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="inbox_items")
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), max_length=8_000)
    button = models.CharField(max_length=60, blank=True)
    path = models.CharField(max_length=200, blank=True)
    label = models.CharField(max_length=300, blank=True, default="", db_default="")
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("message on the site")
        verbose_name_plural = _("messages on the site")
        ordering = ("-made_at", "-pk")
        indexes = (
            models.Index(fields=("user", "-made_at"), name="reminders_inbox_person"),
            models.Index(fields=("user",), condition=Q(read_at=None), name="reminders_inbox_unread"),
        )

    def __str__(self) -> str:
        return self.subject


class ProviderEvent(models.Model):
    """What a provider told us, once: `event_id` is the provider's own, or the digest of what it said."""

    transport = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    delivery = models.ForeignKey(Delivery, models.CASCADE, null=True, related_name="events")
    outcome = models.CharField(max_length=10, choices=Outcome)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    details: Any = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("provider's event")
        verbose_name_plural = _("provider's events")
        constraints = (models.UniqueConstraint(fields=("transport", "event_id"), name="reminders_event_once"),)
        indexes = (models.Index(fields=("received_at",), name="reminders_event_received"),)

    def __str__(self) -> str:
        return f"{self.transport}/{self.event_id}"
