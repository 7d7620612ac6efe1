from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Part(TextChoices):
    """What doctors know the site by; none of them knows a database."""

    WEBSITE = "website", _("Website")
    LIVE = "live", _("Live webinars")
    VIDEO = "video", _("Recordings and lectures")
    MESSAGES = "messages", _("E-mails and certificates")


class Severity(TextChoices):
    NOTICE = "notice", _("Only an announcement")
    SLOW = "slow", _("Slow, or some of it does not work")
    DOWN = "down", _("Does not work")


class Health(TextChoices):
    """From good to bad."""

    GOOD = "good", pgettext_lazy("state of a part of the site", "Works")
    UNKNOWN = "unknown", pgettext_lazy("state of a part of the site", "Not known")
    SLOW = "slow", pgettext_lazy("state of a part of the site", "Slow")
    DOWN = "down", pgettext_lazy("state of a part of the site", "Does not work")


class Reason(TextChoices):
    """What the site noticed by itself, as it is told to doctors."""

    SAVING = "saving", _("Pages cannot be opened or saved at the moment. What was saved before is safe.")
    LINE = "line", _("Very many doctors are coming in. Whoever is new waits in a short line; everybody gets in.")
    LATE = "late", _("The live picture is late at the moment.")
    UNSEEN = "unseen", _("It cannot be told at the moment. What is running goes on.")
    RECORDING = "recording", _("New recordings take longer than usual. Those that are there can be watched.")
    MAIL = "mail", _("E-mails and certificates come later than usual. None is lost.")
