import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Device
from webinars.models.webinar import Webinar


class IvsViewer(models.Model):
    """A device that was let play a webinar at AWS IVS. Its id is all that AWS learns about who watches.

    The picture comes from AWS by addresses that outlive our tokens, so this is what has to be revoked there. It stays
    when the device is deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="+", db_index=False)
    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(
        null=True, help_text=_("What was let in up to then is to be cut off; empty while the person may watch.")
    )
    told_at = models.DateTimeField(null=True, help_text=_("When AWS had taken it."))

    class Meta:
        verbose_name = _("viewer at AWS IVS")
        verbose_name_plural = _("viewers at AWS IVS")
        constraints = (
            models.UniqueConstraint(fields=("webinar", "device"), name="webinars_ivs_viewer_once"),
            models.CheckConstraint(
                condition=models.Q(told_at=None) | models.Q(withdrawn_at__isnull=False),
                name="webinars_ivs_told_what_was_withdrawn",
            ),
        )

    def __str__(self) -> str:
        return str(self.id)
