"""Evidence packs that somebody asked for in the admin: asked, made by a worker, kept for some days."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from certification.models.activity import Activity


class EvidencePack(models.Model):
    """One order. `stored_as` is where the private storage has the ZIP; the audit trail says who took it."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="packs", verbose_name=_("activity"))
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(_("asked for at"))
    claimed_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(_("made at"), null=True)
    failed_at = models.DateTimeField(null=True)
    stored_as = models.CharField(max_length=300, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True)
    sha256 = models.BinaryField(max_length=32, null=True)

    class Meta:
        verbose_name = _("evidence pack")
        verbose_name_plural = _("evidence packs")
        ordering = ("-requested_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("activity",), condition=Q(made_at=None, failed_at=None), name="certification_pack_one_open"
            ),
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(size_bytes__isnull=False, sha256__isnull=False) & ~Q(stored_as=""),
                name="certification_pack_made_is_kept",
            ),
        )

    def __str__(self) -> str:
        return f"{self.activity} ({self.requested_at:%Y-%m-%d})"

    @property
    def is_open(self) -> bool:
        return self.made_at is None and self.failed_at is None

    @property
    def digest(self) -> str:
        """SHA-256 of the whole file, in hex."""
        return bytes(self.sha256).hex() if self.sha256 else ""
