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


class Outlook(TextChoices):
    """What can be said about the day of the certificate; only READY has one."""

    READY = "ready", _("A day can be said")
    FINISHED = "finished", _("Finished")
    ENDED = "ended", _("The programme has ended")
    BEGINS_LATER = "begins_later", _("The programme begins later")
    OUT_OF_REACH = "out_of_reach", _("Something that counts has closed")
    NOT_ANNOUNCED = "not_announced", _("Not everything has a date yet")
    NOTHING_TO_WATCH = "nothing_to_watch", _("Only tests and feedback are left")
    NO_PACE = "no_pace", _("Nothing was watched for four weeks")
    TOO_LATE = "too_late", _("Not before the programme closes, at this pace")
    FAR = "far", _("More than two years away, at this pace")


class DataCheck(TextChoices):
    """What may be wrong in the data of a programme."""

    NO_COUNTRY = "no_country", _("Doctors without a country")
    NO_SPECIALTY = "no_specialty", _("Doctors without a specialty")
    ZONE_NOT_CONFIRMED = "zone_not_confirmed", _("Doctors who have not confirmed their time zone")
    SAME_NUMBER = "same_number", _("Doctors who share a registration number with another one")
    COMPLETED_UNSEEN = "completed_unseen", _("Doctors who completed it without being at any lecture")
    NO_CERTIFICATE = "no_certificate", _("Doctors who completed it and have no certificate")
    NO_RECORDING = "no_recording", _("Webinars over for two days without a recording")
    NO_CONTENT = "no_content", _("Lectures with neither a video nor a date")


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
    """What a statement for a learning record store says; `domain.statements.shapes` has the identifiers."""

    INITIALIZED = "initialized", _("Opened")
    PAUSED = "paused", _("Watched")
    TERMINATED = "terminated", _("Ended")
    COMPLETED = "completed", _("Completed")
    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")
    SCORED = "scored", _("Tested")
    SATISFIED = "satisfied", _("Met what was asked")
    EARNED = "earned", _("Earned")
    VOIDED = "voided", _("Took back")


class StatementState(TextChoices):
    """`REFUSED`: the store understood it and does not want it. `GIVEN_UP`: it never got through."""

    WAITING = "waiting", _("Waits")
    SENT = "sent", _("Sent")
    REFUSED = "refused", _("Refused")
    GIVEN_UP = "given_up", _("Given up")


DEAD_STATEMENTS = frozenset({StatementState.REFUSED, StatementState.GIVEN_UP})
