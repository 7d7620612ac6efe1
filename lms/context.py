from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from operations.domain.status import announced
from reminders.domain.inbox import UNREAD


def site(request: HttpRequest) -> dict[str, Any]:
    """What every template may name without its view passing it."""
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SHOW_SENT_MAIL": settings.SHOW_SENT_MAIL,
        "announced": lambda: announced(now=timezone.now()),  # called by the templates that show it
        "unread_messages": getattr(getattr(request, "device", None), UNREAD, 0),
    }
