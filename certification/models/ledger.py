"""The ledger of a programme: what was granted, corrected and revoked, each line sealed with the one before."""

import re
import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from certification.enums import CREDIT_ENTRIES, AuthorityKey, EntryKind
from certification.models.activity import Accreditation
from courses.models import Lesson, Programme

REASON_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Chain(models.Model):
    """Where a programme's ledger stands. Its row is the lock under which anything is granted or issued."""

    programme = models.OneToOneField(Programme, models.PROTECT, primary_key=True, related_name="chain")
    public_id = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text=_("Names the chain where its head is published.")
    )
    length = models.PositiveIntegerField(default=0)
    head = models.BinaryField(max_length=32)
    last_serial = models.PositiveIntegerField(default=0, help_text=_("Of the newest certificate."))
    newest_at: datetime | None = None  # no column: of the newest line, read under the lock (`domain.chain.lock_chain`)

    class Meta:
        verbose_name = _("chain")
        verbose_name_plural = _("chains")

    def __str__(self) -> str:
        return str(self.public_id)


class ClaimQuerySet(models.QuerySet["Claim"]):
    def of_webinar(self, lesson_id: int) -> Self:
        """Also of its copies: the id is that of the one they are copies of."""
        origin = Coalesce(F("copy_of_id"), F("lesson_id"), output_field=models.BigIntegerField())
        return self.alias(origin=origin).filter(origin=lesson_id)


class Claim(models.Model):
    """Credit of one authority for one webinar, in one format: who has it for the event has it not for the recording.

    Nor for a copy of the webinar: `copy_of` is what the activity was stated to be the same as when it was granted.
    A row is only ever added. How much it is worth today says the newest line of the ledger about it.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="claims")
    accreditation = models.ForeignKey(Accreditation, models.PROTECT, related_name="claims")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="+")
    authority = models.CharField(max_length=12, choices=AuthorityKey)
    council = models.CharField(max_length=40, blank=True)
    copy_of = models.ForeignKey(Lesson, models.PROTECT, null=True, db_index=False, related_name="+")
    took_part_on = models.DateField()
    made_at = models.DateTimeField()

    objects: ClassVar = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = (
            models.UniqueConstraint(fields=("user", "lesson", "authority", "council"), name="certification_claim_once"),
            models.UniqueConstraint(
                F("user"),
                Coalesce("copy_of", "lesson"),
                F("authority"),
                F("council"),
                name="certification_claim_once_of_copies",
            ),
        )
        indexes = (models.Index(fields=("accreditation", "user"), name="certification_claim_person"),)

    def __str__(self) -> str:
        """Without its person, and without a query."""
        return f"{self.get_authority_display()} · {self.took_part_on}"


class ClaimEvidence(models.Model):
    """Why a line of the ledger says what it says: what was known, how it was counted. Leaves after its retention."""

    entry = models.OneToOneField("certification.LedgerEntry", models.PROTECT, related_name="evidence")
    evidence: Any = models.JSONField()
    decision: Any = models.JSONField()

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")

    def __str__(self) -> str:
        return str(self.entry_id)


class LedgerEntry(models.Model):
    """One line. Append-only: triggers refuse every change, and a line that does not follow on the one before.

    `hash` is SHA-256 over the hash of the line before and this line's content (`domain.chain`). `details` holds text,
    whole numbers and truth only, so that its canonical form is the same for ever; no names: who a person was is kept
    where it can be forgotten. So are somebody's words: `reason` is their digest, and they are a `ReasonText`. Older
    lines, and those that the purge writes, have the words themselves.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="ledger")
    number = models.PositiveIntegerField()
    kind = models.CharField(_("what"), max_length=22, choices=EntryKind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("doctor"))
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="entries")
    certificate = models.ForeignKey("certification.Certificate", models.PROTECT, null=True, related_name="entries")
    credits = models.DecimalField(_("credits"), max_digits=6, decimal_places=2, null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    details: Any = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    entered_at = models.DateTimeField(_("at"))
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("line of the ledger")
        verbose_name_plural = _("ledger")
        ordering = ("programme", "number")
        constraints = (
            models.UniqueConstraint(fields=("programme", "number"), name="certification_entry_number"),
            models.UniqueConstraint(fields=("programme", "previous"), name="certification_entry_one_after_another"),
            models.UniqueConstraint(
                fields=("claim",),
                condition=Q(kind=EntryKind.CREDIT_GRANTED),
                name="certification_granted_once",
            ),
            models.UniqueConstraint(
                fields=("certificate",),
                condition=Q(kind__in=[EntryKind.CERTIFICATE_ISSUED, EntryKind.CERTIFICATE_REISSUED]),
                name="certification_issued_once",
            ),
            models.UniqueConstraint(
                fields=("certificate",),
                condition=Q(kind=EntryKind.CERTIFICATE_REVOKED),
                name="certification_revoked_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=sorted(CREDIT_ENTRIES), claim__isnull=False, credits__gte=0, certificate=None)
                | (~Q(kind__in=sorted(CREDIT_ENTRIES)) & Q(claim=None, credits=None, certificate__isnull=False)),
                name="certification_entry_about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[EntryKind.CREDIT_GRANTED, EntryKind.CERTIFICATE_ISSUED]) | ~Q(reason=""),
                name="certification_entry_reason",
                violation_error_message=_("Say why: an auditor will ask."),
            ),
        )
        indexes = (models.Index(fields=("user", "programme"), name="certification_entry_person"),)

    def __str__(self) -> str:
        return _("Line %(number)s of %(programme)s") % {"number": self.number, "programme": self.programme}

    @property
    def is_reason_apart(self) -> bool:
        return REASON_DIGEST.fullmatch(self.reason) is not None

    @property
    def why(self) -> str:
        """The reason in words; empty once they were removed. A query where `reason_text` was not selected."""
        if not self.is_reason_apart:
            return self.reason
        kept = getattr(self, "reason_text", None)
        return kept.text if kept is not None else ""


class PublishedHead(models.Model):
    """The head of a chain as it was told to the world on a day. A line that is missing below it was deleted."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    published_on = models.DateField()
    length = models.PositiveIntegerField()
    hash = models.BinaryField(max_length=32)
    published_at = models.DateTimeField()
    stored_as = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("published head")
        verbose_name_plural = _("published heads")
        ordering = ("-published_on",)
        constraints = (
            models.UniqueConstraint(fields=("programme", "published_on"), name="certification_head_once_a_day"),
        )

    def __str__(self) -> str:
        return f"{self.programme_id}/{self.published_on}"
