"""Choices of activities, disclosures, the ledger and certificates."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Format(TextChoices):
    """A live activity and its recording are two activities: authorities accredit each for itself."""

    LIVE = "live", _("Live")
    ENDURING = "enduring", _("Recording")


class AuthorityKey(TextChoices):
    """Each is a file of `certification/authorities/`."""

    ACCME = "accme", _("AMA PRA Category 1 (ACCME)")
    EACCME = "eaccme", _("EACCME (UEMS)")
    INDIA = "india", _("State medical council (India)")
    ATTENDANCE = "attendance", _("Attendance, without credit")


class ActivityState(TextChoices):
    """draft → open → closed. Doctors see an open one; a closed one grants nothing new."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class ContributorRole(TextChoices):
    """Everybody who is in control of what is taught."""

    PRESENTER = "presenter", _("Presenter")
    MODERATOR = "moderator", _("Moderator")
    PLANNER = "planner", _("Planner")
    REVIEWER = "reviewer", _("Reviewer")


class ReviewDecision(TextChoices):
    NONE_RELEVANT = "none", _("No relevant relationship")
    MITIGATED = "mitigated", _("Relevant, and mitigated")
    EXCLUDED = "excluded", _("May not take part")


class EntryKind(TextChoices):
    """What a line of the ledger says."""

    CREDIT_GRANTED = "credit_granted", _("Credit granted")
    CREDIT_CORRECTED = "credit_corrected", _("Credit corrected")
    CREDIT_REVOKED = "credit_revoked", _("Credit revoked")
    CERTIFICATE_ISSUED = "certificate_issued", _("Certificate issued")
    CERTIFICATE_REISSUED = "certificate_reissued", _("Certificate issued anew")
    CERTIFICATE_REVOKED = "certificate_revoked", _("Certificate revoked")


CREDIT_ENTRIES = frozenset({EntryKind.CREDIT_GRANTED, EntryKind.CREDIT_CORRECTED, EntryKind.CREDIT_REVOKED})


class CertificateKind(TextChoices):
    ACTIVITY = "activity", _("For one activity")
    COURSE = "course", _("For a course")
    PROGRAMME = "programme", _("For the programme")


class CertificateState(TextChoices):
    """Worked out from the ledger and the signature; no column says it."""

    VALID = "valid", _("Valid")
    REPLACED = "replaced", _("Replaced")
    REVOKED = "revoked", _("Revoked")
    ALTERED = "altered", _("Altered")


class Paper(TextChoices):
    A4 = "a4", _("A4")
    LETTER = "letter", _("US Letter")
