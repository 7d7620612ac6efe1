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
