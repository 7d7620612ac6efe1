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


class IngestKind(TextChoices):
    """How the picture of a live webinar reaches us. Each is a file of `webinars/ingest/`."""

    RTMP = "rtmp", _("Built in (RTMP)")
    EXTERNAL = "external", _("A meeting elsewhere (link)")
    IVS = "ivs", _("AWS IVS")


class WebinarState(TextChoices):
    """Where a webinar stands; worked out from its dates by `webinars.domain.schedule`, never stored."""

    RECORDED = "recorded", _("Recorded lecture")
    SCHEDULED = "scheduled", _("Scheduled")
    DOORS_OPEN = "doors_open", _("Doors open")
    LIVE = "live", _("Live")
    ENDED = "ended", _("Ended")
    RECORDING_READY = "recording_ready", _("Recording ready")
    CANCELLED = "cancelled", _("Cancelled")


class RecordingPolicy(TextChoices):
    """When doctors may open the recording of a broadcast."""

    AUTOMATIC = "automatic", _("As soon as it is ready")
    ON_RELEASE = "on_release", _("When it is released")
    AT_DATE = "at_date", _("On a date")


class StreamProblem(TextChoices):
    """What is wrong with a stream, in words for the presenter. `what_to_do` says how to mend it."""

    WRONG_KEY = "wrong_key", _("The stream key is wrong or was withdrawn.")
    NOT_TIME_YET = "not_time_yet", _("This webinar does not take a stream now.")
    ALREADY_LIVE = "already_live", _("Somebody else is streaming to this webinar already.")
    TAKEN_OVER = "taken_over", _("Another presenter took over the stream.")
    WRONG_VIDEO = "wrong_video", _("The picture is not in H.264.")
    WRONG_SOUND = "wrong_sound", _("The sound is not in AAC.")
    NO_VIDEO = "no_video", _("There is no picture in the stream.")
    NO_SOUND = "no_sound", _("There is no sound in the stream.")
    BITRATE_TOO_HIGH = "bitrate_too_high", _("The stream sends more than the server takes.")
    BITRATE_LOW = "bitrate_low", _("Very little arrives: the picture may be poor.")
    KEYFRAMES_RARE = "keyframes_rare", _("Key frames come too seldom.")
    INTERRUPTED = "interrupted", _("The stream was interrupted.")
    PACKAGER_FAILED = "packager_failed", _("The server could not process the stream.")

    @property
    def what_to_do(self) -> str:
        return str(_STREAM_ADVICE[self])


_STREAM_ADVICE = {
    StreamProblem.WRONG_KEY: _("Copy the stream key from this page once more, or make a new one."),
    StreamProblem.NOT_TIME_YET: _("Switch on rehearsal to try your equipment, or start when the doors are open."),
    StreamProblem.ALREADY_LIVE: _("Ask them to stop, or choose “take over” on this page and start again."),
    StreamProblem.TAKEN_OVER: _("Nothing to do, unless it was a mistake: then make a new stream key and start again."),
    StreamProblem.WRONG_VIDEO: _("Choose H.264 (x264) as the video encoder in the settings of your program."),
    StreamProblem.WRONG_SOUND: _("Choose AAC as the audio encoder in the settings of your program."),
    StreamProblem.NO_VIDEO: _("Add your slides or your camera to the scene, then start streaming again."),
    StreamProblem.NO_SOUND: _("Choose a microphone in the audio settings, and check that it is not muted."),
    StreamProblem.BITRATE_TOO_HIGH: _("Lower the video bitrate in the output settings of your program."),
    StreamProblem.BITRATE_LOW: _("Use a cable instead of Wi-Fi, and close what else uses the line."),
    StreamProblem.KEYFRAMES_RARE: _("Set the keyframe interval to 2 seconds in the output settings."),
    StreamProblem.INTERRUPTED: _("Most programs connect again by themselves. If not, press “start streaming” again."),
    StreamProblem.PACKAGER_FAILED: _("Stop and start the stream. If it happens again, call the operator."),
}


class Audience(TextChoices):
    """Whom an event of the room is for. `rules.may_see` is the one place that decides."""

    ALL = "all", _("Everybody in the room")
    PRESENTERS = "presenters", _("Presenters and moderators")
    MODERATORS = "moderators", _("Moderators")
    PERSON = "person", _("One person")


class EventKind(TextChoices):
    """Kinds of room events. `docs/protocol.md` has the schema of each; tests hold the two together."""

    STATE = "state", _("The webinar's state changed")
    ANNOUNCEMENT = "announcement", _("Announcement")
    PINNED = "pinned", _("Pinned link")
    QUESTION = "question", _("A question changed, for moderators")
    FORWARDED = "forwarded", _("A forwarded question changed, for presenters")
    OWN_QUESTION = "own_question", _("A person's own question changed")
    MESSAGE = "message", _("A message about a question")
    PUBLISHED = "published", _("A published question changed")
    POLL = "poll", _("A poll changed")
    POLL_RESULTS = "poll_results", _("Results of a poll")
    CHECK = "check", _("A check was opened or closed")
    RESTRICTED = "restricted", _("A person was muted, removed or let back")
    SPOT_QUEUE = "spot_queue", _("The queue at the door changed")
    LANES = "lanes", _("Who may ask and read changed")
    DESK = "desk", _("Something a moderator did")


class Lane(TextChoices):
    ATTENDEE = "attendee", _("Doctor and moderator")
    PRESENTER = "presenter", _("Moderator and presenter")
    PUBLISHED = "published", _("Published for all")


class LaneAccessLevel(TextChoices):
    NONE = "none", _("Closed")
    READ = "read", _("May read")
    WRITE = "write", _("May read and write")


class Restriction(TextChoices):
    MUTED = "muted", _("Muted: may watch, may not write")
    REMOVED = "removed", _("Removed from the live webinar")


class QuestionState(TextChoices):
    """new → forwarded → answered → published; a moderator may publish at once, dismiss, or merge."""

    NEW = "new", _("New")
    FORWARDED = "forwarded", _("With the presenter")
    ANSWERED = "answered", _("Answered")
    PUBLISHED = "published", _("Published")
    DISMISSED = "dismissed", _("Put aside")
    MERGED = "merged", _("Merged into another")


class PollKind(TextChoices):
    SINGLE = "single", _("One answer")
    MULTIPLE = "multiple", _("Several answers")
    SCALE = "scale", _("Scale")
    WORDS = "words", _("Word cloud")


class PollState(TextChoices):
    DRAFT = "draft", _("Prepared")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class SpotApproval(TextChoices):
    MANUAL = "manual", _("A moderator decides")
    DOMAIN = "domain", _("Let in by itself who has a listed e-mail domain")
    EVERYBODY = "everybody", _("Let everybody in while there is room")


class SpotState(TextChoices):
    PENDING = "pending", _("Waiting")
    APPROVED = "approved", _("Let in")
    DENIED = "denied", _("Not let in")
