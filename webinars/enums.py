from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Phase(TextChoices):
    """Which timeline a second belongs to. Authorities accredit the two as separate activities."""

    LIVE = "live", _("Live")
    ON_DEMAND = "on_demand", _("On demand")


class Refusal(TextChoices):
    """Why a beat was not credited; the value travels on the wire, the label is what the doctor reads."""

    UNKNOWN_SESSION = "unknown_session", _("This playback is not known. Please reload the page.")
    SESSION_ENDED = "session_ended", _("This playback has ended. Please reload the page.")
    OUTSIDE_MEDIA = "outside_media", _("That part is outside the recording.")
    TOO_FAST = "too_fast", _("Watching cannot go faster than time. Only the possible part was counted.")
    MALFORMED = "malformed", _("The player sent something unreadable. Please reload the page.")
    NOT_ENROLLED = "not_enrolled", _("You are not enrolled in this programme any more.")
