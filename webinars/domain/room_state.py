"""What a room is at one moment, and its events as they go to the sockets. Read once for everybody in a process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import translation

from core.prepared import Prepared
from webinars.domain.lanes import LaneRules, NoPlaceError, Window, lane_rules, window_of
from webinars.domain.schedule import schedule_of
from webinars.domain.viewers import Viewer
from webinars.models import Room, Webinar
from webinars.realtime import frames
from webinars.realtime.ring import Event

MOST_EVENTS = 2_000  # of one answer

_EVENTS = """
SELECT e.webinar_id, e.number, e.audience, e.person_id, e.kind, e.at, e.payload::text,
    CASE WHEN e.kind IN ('published', 'forwarded') THEN (e.payload->>'id')::int8 END,
    e.kind IN ('published', 'forwarded')
        AND ((e.payload->>'removed')::bool OR coalesce((e.payload->>'reworded')::bool, false))
FROM unnest(%s::int8[], %s::int8[]) AS v (webinar_id, after)
JOIN webinars_roomevent e ON e.webinar_id = v.webinar_id AND e.number > v.after
ORDER BY e.webinar_id, e.number
LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class RoomState:
    """`shared` are the members of the frame that are the same for everybody: `"state":…,"schedule":…`."""

    number: int
    first_kept: int
    shared: str
    lanes: LaneRules
    window: Window

    def members_for(self, viewer: Viewer, *, number: int, people: int, now: datetime) -> str:
        """What the frame `room_state` and the answer to a poll say of the room."""
        lanes = self.lanes.lanes(
            part=viewer.part, user_id=viewer.user_id, window=self.window, has_place=viewer.has_place
        )
        return frames.room_members(
            number=number,
            shared=self.shared,
            now=now.isoformat(),
            people=people,
            part=viewer.part,
            may=lanes.may(),
            register="" if viewer.has_place else _register_first(viewer.language),
        )


def _register_first(language: str) -> str:
    with translation.override(language):
        return str(NoPlaceError.message)


_last_number = Prepared[int](lambda webinar: Room.objects.filter(pk=webinar).values_list("last_number", flat=True))


def last_number(webinar_id: int) -> int:
    return _last_number.first(webinar=webinar_id) or 0


def read_state(webinar_id: int, *, now: datetime) -> RoomState:
    """The number is read first: everything else is then at least as new as it. Raises Webinar.DoesNotExist."""
    room = Room.objects.filter(pk=webinar_id).values_list("last_number", "first_kept").first()
    number, first_kept = room or (0, 1)
    webinar = Webinar.objects.select_related("video").get(pk=webinar_id)
    schedule = schedule_of(webinar, now=now)
    dates = ("doors_open_at", "starts_at", "planned_end_at", "live_at", "ended_at")
    shared = {
        "state": schedule.state.value,
        "schedule": {name: at.isoformat() if (at := getattr(schedule, name)) else None for name in dates},
    }
    return RoomState(
        number=number,
        first_kept=first_kept,
        shared=frames.members(shared),
        lanes=lane_rules(webinar_id),
        window=window_of(webinar, now=now),
    )


def read_events(wanted: Sequence[tuple[int, int]]) -> list[Event]:
    """Of several rooms at once, each behind a number, in order; at most MOST_EVENTS, so there may be more."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [[one for one, _ in wanted], [after for _, after in wanted], MOST_EVENTS])
        rows = cursor.fetchall()
    return [
        Event(
            webinar_id,
            number,
            kind,
            audience,
            person_id,
            frames.event(number, kind, at.isoformat(), data),
            about,
            about if replaces else None,
        )
        for webinar_id, number, audience, person_id, kind, at, data, about, replaces in rows
    ]
