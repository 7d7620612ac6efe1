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


class RelationshipKind(TextChoices):
    """Of a person with a company, as a statement names it. Codes are kept for ever: shown sheets hold them."""

    EMPLOYMENT = "employment", _("Employed by it")
    OWNERSHIP = "ownership", _("Owner, or holder of its shares or options")
    CONSULTING = "consulting", _("Consultant")
    ADVISORY = "advisory", _("Member of an advisory board")
    SPEAKING = "speaking", _("Paid to speak or teach")
    RESEARCH = "research", _("Paid for research (also where the institution is paid)")
    ROYALTIES = "royalties", _("Patent or royalties")
    OTHER = "other", _("Something else of value")


class DisclosureStanding(TextChoices):
    """Where a person's statement stands; worked out from the newest one and its newest review."""

    MISSING = "missing", _("Nothing stated yet")
    TO_REVIEW = "to_review", _("To be reviewed")
    FINE = "fine", _("Fine")
    OUT_OF_DATE = "out_of_date", _("Out of date")
    EXCLUDED = "excluded", _("May not take part")


class EntryKind(TextChoices):
    """What a line of the ledger says."""

    CREDIT_GRANTED = "credit_granted", _("Credit granted")
    CREDIT_CORRECTED = "credit_corrected", _("Credit corrected")
    CREDIT_REVOKED = "credit_revoked", _("Credit revoked")
    CERTIFICATE_ISSUED = "certificate_issued", _("Certificate issued")
    CERTIFICATE_REISSUED = "certificate_reissued", _("Certificate issued anew")
    CERTIFICATE_REVOKED = "certificate_revoked", _("Certificate revoked")
    CERTIFICATE_PURGED = "certificate_purged", _("Printed facts removed after their years")


CREDIT_ENTRIES = frozenset({EntryKind.CREDIT_GRANTED, EntryKind.CREDIT_CORRECTED, EntryKind.CREDIT_REVOKED})


class CertificateKind(TextChoices):
    ACTIVITY = "activity", _("For one activity")
    COURSE = "course", _("For a course")
    PROGRAMME = "programme", _("For the programme")


class CertificateState(TextChoices):
    """Worked out from the ledger and the signature; no column says it.

    `CORRECTED`: its credit is another one today. `UNKNOWN_KEY`: everything fits, but for the signature, which nobody
    can check: the key that made it is not in CERTIFICATE_KEYS.
    """

    VALID = "valid", _("Valid")
    CORRECTED = "corrected", _("Credit corrected afterwards")
    REPLACED = "replaced", _("Replaced")
    REVOKED = "revoked", _("Revoked")
    UNKNOWN_KEY = "unknown_key", _("Sealed by a key that this site does not know any more")
    ALTERED = "altered", _("Altered")


# Nothing of what these say is shown to anybody.
UNCONFIRMED = frozenset({CertificateState.UNKNOWN_KEY, CertificateState.ALTERED})


class Paper(TextChoices):
    A4 = "a4", _("A4")
    LETTER = "letter", _("US Letter")


class RiskReason(TextChoices):
    """Why a doctor may not reach the certificate: the first of these that holds."""

    NEVER_CAME = "never_came", _("Was invited and never signed in")
    NEVER_WATCHED = "never_watched", _("Signed in and has done nothing yet")
    STOPPED = "stopped", _("Began, and has done nothing for four weeks")
    BEHIND = "behind", _("The programme ends soon, and less than half is done")
