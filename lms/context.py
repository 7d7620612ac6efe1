from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from operations.domain.status import announced
from reminders.domain.inbox import UNREAD


def playback_reports() -> str:
    """Where a player says how well it plays; it puts its webinar in. Called by the template that shows a player."""
    return reverse("api:webinar-playback-reports", args=[0]).replace("/0/", "/{webinar}/")


def site(request: HttpRequest) -> dict[str, Any]:
    """What every template may name without its view passing it."""
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SHOW_SENT_MAIL": settings.SHOW_SENT_MAIL,
        "announced": lambda: announced(now=timezone.now()),  # called by the templates that show it
        "playback_reports": playback_reports,
        "unread_messages": getattr(getattr(request, "device", None), UNREAD, 0),
    }
