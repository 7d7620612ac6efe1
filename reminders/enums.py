"""Choices of messages: what they are about, which way they go, and what became of them."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    """What a message is about. Each but a campaign and a test is a journey that a programme switches on."""

    INVITATION = "invitation", _("Invitation")
    INVITATION_NUDGE = "invitation_nudge", _("Invitation, first nudge")
    INVITATION_LAST = "invitation_last", _("Invitation, last nudge")
    REGISTERED = "registered", _("Registration confirmed")
    WEEK_BEFORE = "week_before", _("A week before")
    DAY_BEFORE = "day_before", _("A day before")
    HOUR_BEFORE = "hour_before", _("An hour before")
    SOON = "soon", _("Ten minutes before")
    LIVE = "live", _("We are live")
    MOVED = "moved", _("The webinar was moved")
    CANCELLED = "cancelled", _("The webinar is cancelled")
    RECORDING_READY = "recording_ready", _("Missed it: the recording is ready")
    LEFT_EARLY = "left_early", _("You left early: go on where you stopped")
    EVALUATION = "evaluation", _("Feedback asked for")
    COURSE_COMPLETED = "course_completed", _("Course completed")
    WEEKLY_PROGRESS = "weekly_progress", _("Progress of the week")
    CERTIFICATE_READY = "certificate_ready", _("Certificate ready")
    PROGRAMME_CLOSING = "programme_closing", _("The programme closes soon")
    CAMPAIGN = "campaign", _("Campaign")
    TEST = "test", _("Test")


class Channel(TextChoices):
    EMAIL = "email", _("E-mail")
    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")
    INBOX = "inbox", _("Messages on this site")
    PUSH = "push", _("Notices in the browser")


class DeliveryState(TextChoices):
    """planned → claimed → sending → sent | failed | unknown. A planned one may end as skipped instead.

    `claimed`: a worker has it, and nothing has left yet, so it may be given back. `sending`: from here on nobody but
    the provider knows; what stops here is `unknown` and is asked about, never sent again blindly.
    """

    PLANNED = "planned", _("Planned")
    CLAIMED = "claimed", _("About to be sent")
    SENDING = "sending", _("Being handed over")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Not known whether sent")
    SKIPPED = "skipped", _("Not sent, for a reason")


class SkipReason(TextChoices):
    """Why a planned message made no sense any more when its time came."""

    CANCELLED = "cancelled", _("The webinar was cancelled")
    MOVED = "moved", _("The webinar was moved")
    DONE = "done", _("The doctor has done it already")
    GONE = "gone", _("It does not hold for the doctor any more")
    SWITCHED_OFF = "switched_off", _("The journey was switched off")
    NO_WAY = "no_way", _("This site does not send by this channel")
    NOT_ENROLLED = "not_enrolled", _("The doctor has no place any more")
    OPTED_OUT = "opted_out", _("The doctor does not want this channel")
    SUPPRESSED = "suppressed", _("The address does not take messages")
    NO_ADDRESS = "no_address", _("No address for this channel")
    NO_TEMPLATE = "no_template", _("No template for this channel")
    TOO_LATE = "too_late", _("Its time had passed")
    CAPPED = "capped", _("Enough messages for now")
    STOPPED = "stopped", _("Stopped by the office")
    SPONSOR = "sponsor", _("Its words name a sponsor")
    NOT_NEEDED = "not_needed", _("An earlier channel reached the doctor")


class ConsentSource(TextChoices):
    """Who said so, and how."""

    DEFAULT = "default", _("With the invitation")
    PROFILE = "profile", _("On the profile page")
    UNSUBSCRIBE = "unsubscribe", _("By the link in a message")
    STOP = "stop", _("By answering STOP")
    START = "start", _("By answering START")
    COMPLAINT = "complaint", _("Marked as unwanted at the mail provider")
    OFFICE = "office", _("By the office")


class SuppressionReason(TextChoices):
    HARD_BOUNCE = "hard_bounce", _("The address does not exist")
    COMPLAINT = "complaint", _("Marked as unwanted")
    STOP = "stop", _("Answered STOP")
    INVALID = "invalid", _("Refused as no valid address")


class Step(TextChoices):
    """The last step that a doctor took on the way from the invitation to the certificate."""

    INVITED = "invited", _("Invited, never signed in")
    JOINED = "joined", _("Signed in, was at no lecture yet")
    ATTENDED = "attended", _("Was at a lecture, has not completed the programme")
    COMPLETED = "completed", _("Completed the programme, has no certificate")


class PhoneCodeEnd(TextChoices):
    """What became of a code that was to prove a number. One that is merely too old has no ending until the next."""

    PROVED = "proved", _("The number is confirmed")
    REPLACED = "replaced", _("Another code was asked for")
    TRIES = "tries", _("Too many wrong codes")
    FAILED = "failed", _("It could not be sent")
    LEFT = "left", _("Given up")


class Outcome(TextChoices):
    """What a provider tells later about a message."""

    ACCEPTED = "accepted", _("Accepted")
    DELIVERED = "delivered", _("Delivered")
    BOUNCED = "bounced", _("Bounced")
    FAILED = "failed", _("Failed")
    READ = "read", _("Opened")
    CLICKED = "clicked", _("Link followed")
    COMPLAINED = "complained", _("Marked as unwanted")
    STOPPED = "stopped", _("Answered STOP")
    STARTED = "started", _("Answered START")


class CampaignState(TextChoices):
    """draft → scheduled → running → done; scheduled and running may be stopped."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    RUNNING = "running", _("Being sent")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")
