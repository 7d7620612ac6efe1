import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.people import loose
from webinars.enums import SpotApproval, SpotState
from webinars.models.webinar import Webinar


def new_slug() -> str:
    return secrets.token_urlsafe(12)


class SpotWindow(models.Model):
    """When and for whom the door of a webinar is open to doctors who were not invited. `slug` is the event's link."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="spot_windows")
    slug = models.CharField(max_length=24, unique=True, default=new_slug, editable=False)
    opens_at = models.DateTimeField(_("opens at"))
    closes_at = models.DateTimeField(_("closes at"))
    capacity = models.PositiveIntegerField(_("places"))
    country_quota = models.JSONField(
        _("places by country"), default=dict, blank=True, help_text=_('For example {"IN": 200, "KE": 50}.')
    )
    email_domains = ArrayField(
        models.CharField(max_length=253), verbose_name=_("allowed e-mail domains"), default=list, blank=True
    )
    approval = models.CharField(_("who decides"), max_length=10, choices=SpotApproval, default=SpotApproval.MANUAL)
    approved_count = models.PositiveIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("spot registration")
        verbose_name_plural = _("spot registrations")
        constraints = (
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")),
                name="webinars_spot_window",
                violation_error_message=_("The door must close after it opens."),
            ),
            models.CheckConstraint(condition=Q(approved_count__lte=F("capacity")), name="webinars_spot_capacity"),
        )

    def __str__(self) -> str:
        """Not the slug: it is the key to the door, and stands in headings otherwise."""
        return str(self.webinar)


class SpotRequest(models.Model):
    """A doctor who asks to be let in. `ticket` is the digest of what their browser waits with."""

    window = models.ForeignKey(SpotWindow, models.PROTECT, related_name="requests")
    email = models.EmailField()
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    country = models.CharField(max_length=2)
    medical_council = models.CharField(max_length=120)
    registration_number = models.CharField(max_length=60)
    time_zone = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=12, blank=True, help_text=_("In which the page was read."))
    state = models.CharField(max_length=8, choices=SpotState, default=SpotState.PENDING)
    duplicate_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text=_("A person who may be the same."),
    )
    duplicate_reason = models.CharField(max_length=200, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="spot_requests")
    ticket = models.CharField(max_length=64, unique=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("request at the door")
        verbose_name_plural = _("requests at the door")
        ordering = ("window", "created_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("window", "email"), name="webinars_spot_request_once"),
            models.CheckConstraint(
                condition=Q(state=SpotState.PENDING, decided_at=None)
                | ~Q(state=SpotState.PENDING) & Q(decided_at__isnull=False),
                name="webinars_spot_decided_has_date",
            ),
        )
        indexes = (
            models.Index(fields=("window", "state", "created_at"), name="webinars_spot_queue"),
            models.Index("window", loose("registration_number"), name="webinars_spot_loose_number"),
            models.Index("window", Lower("last_name"), Lower("first_name"), name="webinars_spot_lower_name"),
        )

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"
