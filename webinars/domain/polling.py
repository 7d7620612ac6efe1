"""The live room for those whom no WebSocket reaches: the same events, from one memory per process for all who poll.

A process asks the database about once a second for each room that is polled, whatever the number of people: for what is
new, and for all pollers at once whether they may stay.
"""

import random
import threading
import time
from datetime import datetime

from webinars.domain import presence
from webinars.domain.room_state import last_number, read_events, read_state
from webinars.domain.viewers import Knock, Viewer, admit, revoked
from webinars.enums import EventKind
from webinars.realtime import frames
from webinars.realtime.frames import Bye
from webinars.realtime.ring import KEPT, MOST_BEHIND, Ring, visible

LOOK_SECONDS = 1.0
STATE_SECONDS = 5.0  # without an event; dates pass by themselves
RIGHTS_SECONDS = 2.5
REPORT_SECONDS = 3.0
AGAIN_SECONDS = (3.0, 5.0)
COMFORTABLE = 300  # people who poll one room of one process; more are asked to come less often,
MOST_STRETCH = 5.0  # up to so many times
GONE_SECONDS = 6.0  # without a poll
IDLE_SECONDS = 60.0


class PollError(Exception):
    """No answer for this person; the subclasses say why."""


class NotInError(PollError):
    """Not signed in any more, not enrolled, or no such webinar: as if it did not exist."""


class RemovedError(PollError):
    pass


class TooOldError(PollError):
    """More was missed than is remembered: the page has to be loaded again."""


class PolledRoom:
    """One room in one process. Its threads answer from what is known while one of them looks for what is new."""

    def __init__(self, webinar_id: int, *, now: datetime) -> None:
        clock = time.monotonic()
        self.webinar_id = webinar_id
        self.state = read_state(webinar_id, now=now)
        self.ring = Ring(max(self.state.first_kept - 1, self.state.number - KEPT))
        while self.ring.extend(read_events([(webinar_id, self.ring.last)])):
            pass  # one answer does not hold them all
        # The sweep may have been faster than the reading: how far back it reaches is known only afterwards.
        self.state = read_state(webinar_id, now=now)
        self.ring.forget(self.state.first_kept - 1)
        self.people = 1
        self.polled_at = self._state_at = self._looked_at = self._rights_at = clock
        self._reported_at = 0.0
        self._pollers: dict[str, tuple[Viewer, float]] = {}  # by session: who, and when they polled last
        self._lock = threading.Lock()

    def poll(self, viewer: Viewer | None, knock: Knock, *, since: int, now: datetime) -> str:
        clock = self.polled_at = time.monotonic()
        if clock - self._rights_at > RIGHTS_SECONDS or since > self.ring.last:
            with self._lock:  # what is this old must not be used; or another process has heard more
                self._refresh(now=now)
        elif clock - self._looked_at > LOOK_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._refresh(now=now)
            finally:
                self._lock.release()
        known = self._pollers.get(knock.session_key)
        viewer = viewer or (known[0] if known else let_in(knock, now=now))
        self._pollers[knock.session_key] = viewer, clock
        return self._answer(viewer, since=since, now=now)

    def _refresh(self, *, now: datetime) -> None:
        clock = time.monotonic()
        if last_number(self.webinar_id) > self.ring.last:
            while new := read_events([(self.webinar_id, self.ring.last)]):
                if any(event.kind == EventKind.LANES for event in new):
                    self._check_rights(clock)  # before anybody is told what was said after it
                self.ring.extend(new)
                self._state_at = 0.0
        if clock - self._state_at > STATE_SECONDS:
            self.state, self._state_at = read_state(self.webinar_id, now=now), clock
        if clock - self._rights_at > RIGHTS_SECONDS / 2:
            self._check_rights(clock)
        if clock - self._reported_at > REPORT_SECONDS:
            people = {one.user_id: one.country for one, _ in list(self._pollers.values()) if one.has_place}
            totals = presence.report({self.webinar_id: people}, process=presence.process_name(), now=now)
            self.people, self._reported_at = totals.get(self.webinar_id, 0), clock
        self._looked_at = clock

    def _check_rights(self, clock: float) -> None:
        """Whoever is dropped here is looked up again with the next poll, and told why."""
        present = list(self._pollers.items())
        lost = revoked([viewer for _, (viewer, _) in present])
        for session_key, (viewer, polled_at) in present:
            verdict = lost.get(viewer, viewer)
            if not isinstance(verdict, Viewer) or clock - polled_at > GONE_SECONDS * self._stretch():
                self._pollers.pop(session_key, None)
            elif verdict is not viewer:
                self._pollers[session_key] = verdict, polled_at
        self._rights_at = clock

    def _stretch(self) -> float:
        return min(MOST_STRETCH, max(1.0, len(self._pollers) / COMFORTABLE))

    def _answer(self, viewer: Viewer, *, since: int, now: datetime) -> str:
        """The number is read before the events: nothing up to it can be missing among them."""
        number = self.ring.last
        events = self.ring.after(since)
        seen = visible(events, viewer.reader)
        if not self.ring.reaches(since) or len(seen) > MOST_BEHIND:
            raise TooOldError
        members = self.state.members_for(
            viewer,
            number=max([number, *(event.number for event in events[-1:])]),
            people=max(self.people, 1),
            now=now,
        )
        again = random.uniform(*AGAIN_SECONDS) * self._stretch()  # noqa: S311  # spreading load, not a secret
        return frames.polled(members, [event.text for event in seen], again)


class PolledRooms:
    """Of one process. Only who may enter opens a room, so strangers cost no memory."""

    def __init__(self) -> None:
        self._rooms: dict[int, PolledRoom] = {}
        self._lock = threading.Lock()

    def poll(self, *, session_key: str, webinar_id: int, since: int, now: datetime) -> str:
        """The answer as JSON text. Raises a PollError."""
        knock = Knock(session_key, webinar_id)
        room, viewer = self._rooms.get(webinar_id), None
        if room is None:
            viewer = let_in(knock, now=now)
            room = self._open(webinar_id, now=now)
        return room.poll(viewer, knock, since=since, now=now)

    def _open(self, webinar_id: int, *, now: datetime) -> PolledRoom:
        with self._lock:
            idle = time.monotonic() - IDLE_SECONDS
            self._rooms = {key: room for key, room in self._rooms.items() if room.polled_at > idle}
            room = self._rooms.get(webinar_id)
            if room is None:
                room = self._rooms[webinar_id] = PolledRoom(webinar_id, now=now)
            return room


def let_in(knock: Knock, *, now: datetime) -> Viewer:
    [found] = admit([knock], now=now)
    if isinstance(found, Viewer):
        return found
    raise RemovedError if found is Bye.REMOVED else NotInError


polled_rooms = PolledRooms()
