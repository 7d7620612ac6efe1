"""Why a line of the ledger was written, in somebody's own words: beside the line, where they can be forgotten."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from certification.models.ledger import LedgerEntry


class ReasonText(models.Model):
    """The line has SHA-256 of `salt` and `text` (`domain.chain.reason_digest`), so it proves these words.

    Fixed like evidence: triggers refuse every change, and it leaves with the years of its authority. The salt goes with
    it: nobody can try out then which words they were.
    """

    entry = models.OneToOneField(LedgerEntry, models.PROTECT, related_name="reason_text")
    text = models.CharField(_("reason"), max_length=500)
    salt = models.BinaryField(max_length=16)

    class Meta:
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")

    def __str__(self) -> str:
        return str(self.entry_id)
