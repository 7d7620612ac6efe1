"""What is told to a learning record store: the outbox, how far it has got, and under which names people stand there."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.enums import DEAD_STATEMENTS, StatementState, StatementVerb
from courses.models import Programme


class Statement(models.Model):
    """One xAPI statement. Its id is made from the fact that it tells: the same fact again is the same statement.

    `source` names the row of the domain that it tells of, and `edition` what of it, where that may change. `body` is
    the statement as JSON without what says who: that is put in when it is sent, and nowhere kept with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    programme = models.ForeignKey(Programme, models.CASCADE, related_name="+")
    source = models.CharField(max_length=60, default="", db_default="")
    edition = models.CharField(max_length=60, default="", db_default="")
    verb = models.CharField(max_length=12, choices=StatementVerb)
    happened_at = models.DateTimeField()
    body: Any = models.JSONField()
    state = models.CharField(max_length=8, choices=StatementState, default=StatementState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True, help_text=_("When a statement was made that takes this one back."))
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
            models.Index(
                fields=("ended_at",),
                condition=Q(state__in=sorted(DEAD_STATEMENTS)),
                name="analytics_statement_dead",
            ),
            models.Index(fields=("source",), name="analytics_statement_source"),
        )

    def __str__(self) -> str:
        return f"{self.verb}/{self.pk}"


class Pseudonym(models.Model):
    """The name under which the store knows somebody: drawn by lot, so nobody finds out by calculating whose it is.

    With this row goes whatever ties what the store holds to a person.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    name = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        verbose_name = _("pseudonym")
        verbose_name_plural = _("pseudonyms")

    def __str__(self) -> str:
        return str(self.name)


class StatementFeed(models.Model):
    """How far statements were made, and until when a store that is in trouble is left alone. One row, and one for each
    source of facts that cannot be read to its end.
    """

    name = models.CharField(max_length=12, primary_key=True)
    made_through = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text=_("Calls in a row that the store did not take."))
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("feed of statements")
        verbose_name_plural = _("feeds of statements")

    def __str__(self) -> str:
        return self.name
