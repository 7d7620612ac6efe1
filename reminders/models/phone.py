"""Codes that prove whose a telephone is. The proof itself stands with the person (`User.phone_proved_at`)."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from reminders.enums import Channel, PhoneCodeEnd

GOOD_FOR = timedelta(minutes=10)
MOST_TRIES = 5


class PhoneCode(models.Model):
    """Six digits on their way to a number, and what their person wants once it is proved (`channels`).

    Open until it has an ending; a person has one open at most. The code is made in the moment of sending and only its
    hash is kept, as long as it can open anything. The number becomes the person's with the proof, not before.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="phone_codes")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=16)  # E.164
    via = models.CharField(max_length=8, choices=Channel)
    channels = ArrayField(models.CharField(max_length=8, choices=Channel), default=list)
    code_hash = models.BinaryField(max_length=32, null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=8, choices=PhoneCodeEnd, blank=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("code for a phone number")
        verbose_name_plural = _("codes for phone numbers")
        indexes = (
            models.Index(fields=("asked_at",), name="reminders_phonecode_asked"),
            models.Index(
                fields=("asked_at",), condition=Q(ended_at=None, code_hash=None), name="reminders_phonecode_wait"
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("user",), condition=Q(ended_at=None), name="reminders_phonecode_one_open"),
            models.CheckConstraint(
                condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="reminders_phonecode_number"
            ),
            models.CheckConstraint(
                condition=Q(via__in=(Channel.SMS, Channel.WHATSAPP)), name="reminders_phonecode_via"
            ),
            models.CheckConstraint(condition=Q(tries__lte=MOST_TRIES), name="reminders_phonecode_tries"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("asked_at")) & Q(expires_at__lte=F("asked_at") + GOOD_FOR),
                name="reminders_phonecode_short_lived",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="") | (Q(ended_at__isnull=False, code_hash=None) & ~Q(ending="")),
                name="reminders_phonecode_ended_opens_nothing",
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(code_hash__isnull=False) | Q(ended_at__isnull=False),
                name="reminders_phonecode_sent_has_hash",
            ),
            models.CheckConstraint(
                condition=Q(told_at=None) | Q(ending=PhoneCodeEnd.PROVED), name="reminders_phonecode_told_of_proof"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.via}/{self.asked_at:%Y-%m-%d %H:%M}"
