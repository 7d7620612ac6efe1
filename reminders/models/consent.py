"""What a person wants and can receive: choices with their history, addresses that take nothing, browsers that do."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Device
from reminders.enums import Channel, ConsentSource, SuppressionReason


class ChannelChoice(models.Model):
    """What holds today for a person and a channel; `ConsentRecord` says how it came about. Without a row: e-mail and
    messages on the site are on, everything else is off.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="channel_choices")
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    is_on = models.BooleanField(_("wanted"))
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("channel choice")
        verbose_name_plural = _("channel choices")
        constraints = (models.UniqueConstraint(fields=("user", "channel"), name="reminders_choice_once"),)

    def __str__(self) -> str:
        return f"{self.user_id}/{self.channel}"


class ConsentRecord(models.Model):
    """That somebody said yes or no to a channel: never changed. `wording` is the sentence that was agreed to."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="consent_records")
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    is_on = models.BooleanField(_("wanted"))
    source = models.CharField(_("how"), max_length=12, choices=ConsentSource)
    wording = models.CharField(_("words agreed to"), max_length=500, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("user", "channel", "-at"), name="reminders_consent_person"),)

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {_('yes') if self.is_on else _('no')}"


class Suppression(models.Model):
    """An address that takes no messages, as a keyed digest of its canonical form (`domain.addresses`). It outlives the
    person's account. `keyed_with`: which key; empty for one of before there were any.
    """

    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    address_digest = models.BinaryField(max_length=32)
    reason = models.CharField(_("why"), max_length=12, choices=SuppressionReason)
    since = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("lifted by"),
    )
    lifted_why = models.CharField(_("why lifted"), max_length=200, blank=True, default="", db_default="")
    keyed_with = models.CharField(max_length=8, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = (
            models.UniqueConstraint(
                fields=("channel", "address_digest"),
                condition=models.Q(lifted_at=None),
                name="reminders_suppressed_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_reason_display()}"


class PushSubscription(models.Model):
    """A browser that takes notices (RFC 8030). Its keys are the browser's, for encrypting to it.

    It ends with the device that was signed in when it was added; without one (rows of before) it gets nothing.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="push_subscriptions")
    endpoint = models.URLField(max_length=1_000)
    endpoint_digest = models.BinaryField(max_length=32, unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=40)
    device = models.CharField(max_length=120, blank=True)
    signed_in = models.ForeignKey(Device, models.CASCADE, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("browser for notices")
        verbose_name_plural = _("browsers for notices")
        indexes = (models.Index(fields=("user",), condition=models.Q(ended_at=None), name="reminders_push_person"),)

    def __str__(self) -> str:
        return f"{self.user_id}/{self.device}"
