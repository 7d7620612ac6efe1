"""Names that outlive their account, because the authority asks who had credit."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from certification.models.ledger import Claim


class KeptName(models.Model):
    """Whose claim it is, of a person who was erased before there was a certificate to say so.

    Fixed like evidence: triggers refuse every change, and it leaves with the years of its authority.
    """

    claim = models.OneToOneField(Claim, models.PROTECT, related_name="kept_name")
    name = models.CharField(_("name"), max_length=254)
    council = models.CharField(_("medical council"), max_length=120, blank=True)
    registration_number = models.CharField(_("registration number"), max_length=60, blank=True)
    kept_at = models.DateTimeField()

    class Meta:
        verbose_name = _("kept name")
        verbose_name_plural = _("kept names")

    def __str__(self) -> str:
        return self.name
