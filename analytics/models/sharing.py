"""What leaves the house and what moved out of the database."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from analytics.enums import StatementState, StatementVerb
from courses.models import Programme


class Statement(models.Model):
    """One xAPI statement for a learning record store: the outbox. Its id is made from what it says, so it is sent once.

    `body` is the statement as JSON, without what says who: that is put in when it is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    programme = models.ForeignKey(Programme, models.CASCADE, related_name="+")
    verb = models.CharField(max_length=12, choices=StatementVerb)
    happened_at = models.DateTimeField()
    body: Any = models.JSONField()
    state = models.CharField(max_length=8, choices=StatementState, default=StatementState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        constraints = (
            models.CheckConstraint(
                condition=Q(state=StatementState.WAITING, ended_at=None)
                | (~Q(state=StatementState.WAITING) & Q(ended_at__isnull=False)),
                name="analytics_statement_ended",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state=StatementState.WAITING), name="analytics_statement_due"),
        )

    def __str__(self) -> str:
        return f"{self.verb}/{self.pk}"


class SharingConsent(models.Model):
    """That a doctor lets a programme's sponsor see their name beside their figures. Never changed but to end it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    programme = models.ForeignKey(Programme, models.CASCADE, related_name="+")
    wording = models.CharField(_("words agreed to"), max_length=500)
    given_at = models.DateTimeField(_("given at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)

    class Meta:
        verbose_name = _("consent to sharing")
        verbose_name_plural = _("consents to sharing")
        constraints = (
            models.UniqueConstraint(
                fields=("programme", "user"), condition=Q(withdrawn_at=None), name="analytics_sharing_one_holds"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__gte=F("given_at")),
                name="analytics_sharing_withdrawn_later",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.programme_id}"


class ColdFile(models.Model):
    """A month of a table that lies in a Parquet file of the cold storage instead of in the database."""

    table = models.CharField(max_length=63)
    month = models.DateField(help_text=_("Its first day."))
    key = models.CharField(max_length=300)
    rows = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    moved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("file in cold storage")
        verbose_name_plural = _("files in cold storage")
        constraints = (models.UniqueConstraint(fields=("table", "month"), name="analytics_cold_once"),)

    def __str__(self) -> str:
        return f"{self.table}/{self.month:%Y-%m}"
