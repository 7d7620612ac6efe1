"""What a programme sends by itself, when, in which words, and within which limits."""

from datetime import time
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from courses.models import Programme
from reminders.enums import Channel, Kind


class TemplateSet(models.Model):
    """The words of all journeys, in all languages and channels. Those of the product are there from the start."""

    title = models.CharField(_("title"), max_length=120, unique=True)
    is_builtin = models.BooleanField(_("comes with the product"), default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("template set")
        verbose_name_plural = _("template sets")
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title


class MessageTemplate(models.Model):
    """Words for one kind, channel and language. Fixed once something was sent with it: a change makes the next version.

    `body` is text with `{{ placeholder }}`s and blank lines between paragraphs; there is no other language in it.
    WhatsApp sends only what was approved there: its name, and which placeholders fill its numbered places, in order.
    """

    template_set = models.ForeignKey(TemplateSet, models.CASCADE, related_name="templates")
    kind = models.CharField(_("message"), max_length=20, choices=Kind)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    language = models.CharField(_("language"), max_length=12)
    version = models.PositiveSmallIntegerField(default=1, editable=False)
    is_current = models.BooleanField(default=True, editable=False)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    preheader = models.CharField(_("line shown beside the subject"), max_length=200, blank=True)
    body = models.TextField(_("text"), max_length=8_000, blank=True)
    button = models.CharField(_("words on the button"), max_length=60, blank=True)
    approved_name = models.CharField(_("approved template"), max_length=120, blank=True)
    approved_places: Any = models.JSONField(_("placeholders in order"), default=list, blank=True)
    used_at = models.DateTimeField(_("first used at"), null=True, editable=False)

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ("template_set", "kind", "channel", "language", "-version")
        constraints = (
            models.UniqueConstraint(
                fields=("template_set", "kind", "channel", "language", "version"), name="reminders_template_version"
            ),
            models.UniqueConstraint(
                fields=("template_set", "kind", "channel", "language"),
                condition=Q(is_current=True),
                name="reminders_template_one_current",
            ),
            models.CheckConstraint(
                condition=Q(channel=Channel.WHATSAPP, approved_name__gt="") | ~Q(channel=Channel.WHATSAPP),
                name="reminders_template_whatsapp_approved",
                violation_error_message=_("WhatsApp sends only templates that were approved there: give its name."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_channel_display()} · {self.language}"


class MessagePolicy(models.Model):
    """How a programme writes to its doctors. Without a row nothing is sent."""

    programme = models.OneToOneField(Programme, models.CASCADE, related_name="message_policy")
    template_set = models.ForeignKey(TemplateSet, models.PROTECT, related_name="policies")
    is_on = models.BooleanField(_("messages are sent"), default=False)
    sender_name = models.CharField(_("sender's name"), max_length=80, blank=True)
    reply_to = models.EmailField(_("answers go to"), blank=True)
    quiet_from = models.TimeField(_("quiet from"), default=time(21))
    quiet_until = models.TimeField(_("quiet until"), default=time(8))
    may_name_sponsors = models.BooleanField(
        _("messages say who supports the programme"), default=False, db_default=False,
        help_text=_(
            "Off: no message names a sponsor. On: e-mails and messages on the site say it in a line of its own."
        ),
    )  # fmt: skip
    sponsors = models.TextField(
        _("who supports the programme"), max_length=1_000, blank=True, default="", db_default="",
        help_text=_("A name a line. The words of messages may not name them, whether the box above is ticked or not."),
    )  # fmt: skip
    most_a_day = models.PositiveSmallIntegerField(
        _("messages a day at most"), default=3, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    most_a_week = models.PositiveSmallIntegerField(
        _("messages a week at most"), default=8, validators=[MinValueValidator(1), MaxValueValidator(70)]
    )

    class Meta:
        verbose_name = _("messages of a programme")
        verbose_name_plural = _("messages of programmes")
        constraints = (
            models.CheckConstraint(condition=Q(most_a_day__gte=1, most_a_week__gte=1), name="reminders_policy_caps"),
        )

    def __str__(self) -> str:
        return str(self.programme)


class Journey(models.Model):
    """One kind of message of a programme: whether, when and which way.

    `offset_minutes` is from the event the kind is about, negative before it. `local_time`: at that hour of the doctor's
    own day instead of to the minute. `channels` in order: the next is tried when the one before did not reach the
    doctor within `fallback_minutes`; without these only the first that can be used is taken.
    """

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="journeys")
    kind = models.CharField(_("message"), max_length=20, choices=Kind)
    is_on = models.BooleanField(_("on"), default=True)
    offset_minutes = models.IntegerField(_("minutes from the event"), default=0)
    local_time = models.TimeField(_("at this hour of the doctor's day"), null=True, blank=True)
    channels = ArrayField(models.CharField(max_length=8, choices=Channel), verbose_name=_("channels, in order"))
    fallback_minutes = models.PositiveIntegerField(_("minutes until the next channel"), null=True, blank=True)
    is_urgent = models.BooleanField(_("may break quiet hours and limits"), default=False)

    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        ordering = ("programme", "kind")
        constraints = (
            models.UniqueConstraint(fields=("programme", "kind"), name="reminders_journey_once"),
            models.CheckConstraint(condition=Q(channels__len__gte=1), name="reminders_journey_has_channel"),
            models.CheckConstraint(
                condition=Q(fallback_minutes=None) | Q(fallback_minutes__gte=1), name="reminders_journey_fallback"
            ),
        )

    def __str__(self) -> str:
        return f"{self.programme} · {self.get_kind_display()}"
