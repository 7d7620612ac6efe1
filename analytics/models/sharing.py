"""What may leave the house and what moved out of the database."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from courses.models import Programme


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
    webinars = ArrayField(
        models.BigIntegerField(),
        null=True,
        help_text=_("Which have a row in it. Empty: not known."),
    )

    class Meta:
        verbose_name = _("file in cold storage")
        verbose_name_plural = _("files in cold storage")
        constraints = (models.UniqueConstraint(fields=("table", "month"), name="analytics_cold_once"),)

    def __str__(self) -> str:
        return f"{self.table}/{self.month:%Y-%m}"
