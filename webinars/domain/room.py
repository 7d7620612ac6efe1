"""The log of a room: every event is a row with the next number, committed before anybody hears of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from webinars.domain.events import check_payload
from webinars.enums import Audience, EventKind
from webinars.models import RoomEvent
from webinars.realtime.doorbell import room_doorbell

# The counter's row is locked until the caller's transaction ends: numbers become visible in their order, so a reader
# that has seen number 7 can never miss a 6 that commits later. Post late in a transaction, and keep it short.
_NEXT = """
INSERT INTO webinars_room AS r (webinar_id, last_number, first_kept) VALUES (%s, 1, 1)
ON CONFLICT (webinar_id) DO UPDATE SET last_number = r.last_number + 1
RETURNING last_number
"""


def overwrite_events(*, webinar_id: int, kind: EventKind, about: int, payload: Mapping[str, Any]) -> None:
    """Part of the caller's transaction: words about a question that are taken back are replayed to nobody."""
    RoomEvent.objects.filter(webinar_id=webinar_id, kind=kind, payload__id=about).update(payload=dict(payload))


def post_event(
    *,
    webinar_id: int,
    kind: EventKind,
    audience: Audience,
    payload: Mapping[str, Any],
    person_id: int | None = None,
    now: datetime,
) -> RoomEvent:
    """Part of the caller's transaction; the bell rings after its commit. `person_id` exactly for Audience.PERSON.

    The payload's keys are those of `events.SCHEMAS`.
    """
    check_payload(kind=kind, audience=audience, payload=payload)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [webinar_id])
            (number,) = cursor.fetchone()
        event = RoomEvent.objects.create(
            webinar_id=webinar_id,
            number=number,
            kind=kind,
            audience=audience,
            person_id=person_id,
            payload=dict(payload),
            at=now,
        )
        transaction.on_commit(lambda: room_doorbell.ring(webinar_id))
    return event
