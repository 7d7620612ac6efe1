"""What moderators did: in the audit trail for ever, and on the other desks at once."""

from datetime import datetime
from typing import Any

from django.db import models
from django.http import HttpRequest

from accounts.domain import audit
from accounts.models import User
from webinars.domain.room import post_event
from webinars.enums import Audience, EventKind
from webinars.models import RoomEvent

MOST_SHOWN = 100
LONGEST_WHAT = 80


def log(
    did: str,
    *,
    webinar_id: int,
    actor: User | None,
    what: str,
    subject: models.Model,
    details: dict[str, Any] | None = None,
    request: HttpRequest | None = None,
    now: datetime,
) -> None:
    """Part of the caller's transaction. `did` is a code such as `question.forwarded`: every desk has its own language.

    `what` is shown to moderators only; the audit trail gets numbers, not what people wrote.
    """
    facts = {"webinar": webinar_id, **(details or {})}
    audit.record(did, actor=actor, subject=subject, request=request, details=facts, now=now)
    payload = {"by": actor.get_full_name() if actor else "", "did": did, "what": what[:LONGEST_WHAT]}
    post_event(webinar_id=webinar_id, kind=EventKind.DESK, audience=Audience.MODERATORS, payload=payload, now=now)


def latest(*, webinar_id: int) -> list[dict[str, Any]]:
    """The newest first, as far as the room's events are kept."""
    events = RoomEvent.objects.filter(webinar_id=webinar_id, kind=EventKind.DESK).order_by("-number")[:MOST_SHOWN]
    return [{"number": event.number, "at": event.at, **event.payload} for event in events]
