from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a person is in a programme. A doctor is an active enrolment; the others are role grants."""

    DOCTOR = "doctor", _("Doctor")
    PRESENTER = "presenter", _("Presenter")
    MODERATOR = "moderator", _("Moderator")
    OPERATOR = "operator", _("Operator")
    SPONSOR = "sponsor", _("Sponsor")
    AUDITOR = "auditor", _("Auditor")


STAFF_ROLES = frozenset({Role.MODERATOR, Role.OPERATOR})
# Who sees programmes and lectures without being enrolled; the others get figures and evidence, never the content.
CONTENT_ROLES = STAFF_ROLES | {Role.PRESENTER}
REPORT_ROLES = frozenset({Role.SPONSOR, Role.AUDITOR})


class DeviceEnd(TextChoices):
    """Why a device's session ended; the page it shows next depends on it."""

    SIGNED_OUT = "signed_out", _("Signed out")
    REPLACED = "replaced", _("A newer device took its place")
    REVOKED = "revoked", _("Signed out from another device")
    DISABLED = "disabled", _("Account disabled")
    PASSWORD = "password", _("Password changed")
    EXPIRED = "expired", _("Expired")


class SignInMethod(TextChoices):
    INVITATION = "invitation", _("Invitation")
    LINK = "link", _("One-tap link")
    CODE = "code", _("E-mailed code")
    PASSWORD = "password", _("Password")
    PASSKEY = "passkey", _("Passkey")


class InvitationState(TextChoices):
    """Where an invitation stands; worked out from its dates."""

    HELD = "held", _("Not sent yet")
    QUEUED = "queued", _("Waiting to be sent")
    SENT = "sent", _("Sent")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Withdrawn")


class ImportState(TextChoices):
    """Where an uploaded list of people stands. The first and the third wait for work to be done."""

    REHEARSING = "rehearsing", _("Being looked through")
    REHEARSED = "rehearsed", _("Waits for a decision")
    IMPORTING = "importing", _("Being written")
    DONE = "done", _("Written")
    FAILED = "failed", _("Could not be used")
