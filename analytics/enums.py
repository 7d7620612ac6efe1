from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    """Where a learner stands with a course or a lesson. `LOCKED` waits for other work, `LATER` for a date."""

    COMPLETED = "completed", _("Completed")
    UNDER_WAY = "under_way", _("Under way")
    NOT_STARTED = "not_started", _("Not started")
    LATER = "later", _("Opens later")
    LOCKED = "locked", _("Locked")
    CLOSED = "closed", _("Closed")


class Standing(TextChoices):
    """Where a learner stands with a programme."""

    COMPLETED = "completed", _("Completed")
    RUNNING = "running", _("Running")
    LATER = "later", _("Opens later")
    ENDED = "ended", _("Ended")


class Step(TextChoices):
    """The one thing to do next in a programme."""

    CONTINUE = "continue", _("Continue watching")
    START = "start", _("Start the next course")
    WAIT = "wait", _("Wait for the next course to open")
    NOTHING_OPEN = "nothing_open", _("Nothing is open")
    FINISHED = "finished", _("Finished")
    BEGINS_LATER = "begins_later", _("The programme begins later")
    ENDED = "ended", _("The programme has ended")


class DeviceKind(TextChoices):
    """What plays, as far as its browser says."""

    PHONE = "phone", _("Phone")
    TABLET = "tablet", _("Tablet")
    COMPUTER = "computer", _("Computer")
    TV = "tv", _("Television")
    OTHER = "other", _("Other device")


class NetworkKind(TextChoices):
    """The line, as the browser names it: the kind where it tells that, otherwise how fast it seems."""

    WIRED = "wired", _("Cable")
    WIFI = "wifi", _("Wi-Fi")
    FOURTH = "4g", _("Fast (4G or better)")
    THIRD = "3g", _("Medium (3G)")
    SECOND = "2g", _("Slow (2G)")
    SLOW_SECOND = "slow-2g", _("Very slow")
    UNKNOWN = "unknown", _("Not known")


class PlaybackError(TextChoices):
    """What went wrong last in a player; `NONE` where nothing did."""

    NONE = "", _("None")
    NETWORK = "network", _("The line broke off")
    REFUSED = "refused", _("Access was refused")
    BROKEN = "broken", _("The picture could not be played")


class StatementVerb(TextChoices):
    """What a statement for a learning record store says; the last part of its identifier."""

    INITIALIZED = "initialized", _("Opened")
    PLAYED = "played", _("Played")
    PAUSED = "paused", _("Paused")
    SEEKED = "seeked", _("Jumped")
    TERMINATED = "terminated", _("Left")
    COMPLETED = "completed", _("Completed")
    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")
    SATISFIED = "satisfied", _("Earned")


class StatementState(TextChoices):
    """`REFUSED` is final: the store understood it and does not want it."""

    WAITING = "waiting", _("Waits")
    SENT = "sent", _("Sent")
    REFUSED = "refused", _("Refused")
