"""All rooms of one process: one subscription, one query for what is new, each event written once for all sockets."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from core.metrics import EVENTS_DELIVERED
from webinars.enums import EventKind
from webinars.realtime import frames
from webinars.realtime.frames import Close
from webinars.realtime.ring import KEPT, MOST_BEHIND, Event, Reader, Ring, visible
from webinars.realtime.sockets import Outbox, Parcel
from webinars.rules import Part

logger = logging.getLogger(__name__)
BREATH_SECONDS = 0.02  # between two rounds: events that come together go out together
STATE_SECONDS = 1.0  # for which all who join are told the same
TURN = 200  # sockets that are served before others get the event loop
# Those whom no event concerns in person: what they hear is put together once.
NOBODY = (
    *(Reader(part, 0, reads) for part in Part for reads in (True, False)),
    Reader(Part.ATTENDEE, 0, reads=False, has_place=False),
)


class Snapshot(Protocol):
    """The room at one moment, the same for everybody in it."""

    @property
    def number(self) -> int: ...

    @property
    def first_kept(self) -> int: ...


State = TypeVar("State", bound=Snapshot)
# The rooms' events behind these numbers, in order; a full answer may end early and is asked for again.
ReadEvents = Callable[[Sequence[tuple[int, int]]], Awaitable[Sequence[Event]]]


@dataclass(slots=True, eq=False)
class Member:
    """One socket in a room. It has heard everything it may hear up to `heard`, and hears on while it is `live`."""

    webinar_id: int
    reader: Reader
    country: str
    box: Outbox
    heard: int = 0
    live: bool = False


class Room(Generic[State]):
    def __init__(self, webinar_id: int) -> None:
        self.webinar_id = webinar_id
        self.members: set[Member] = set()
        self.ring: Ring | None = None
        self.people = 0
        self.state: State | None = None
        self.state_read_at = 0.0
        self.reading = asyncio.Lock()


class Hub(Generic[State]):
    """Delivers in order, completely and once to each live member; see `join` for how a socket becomes live."""

    def __init__(
        self,
        *,
        read_state: Callable[[int], Awaitable[State]],
        read_events: ReadEvents,
        check_rights: Callable[[], Awaitable[None]] | None = None,
        look_seconds: float = 1.0,
    ) -> None:
        self._read_state = read_state
        self._read_events = read_events
        self._check_rights = check_rights
        self._look = look_seconds
        self._looked_at = 0.0
        self.rooms: dict[int, Room[State]] = {}
        self._rung: set[int] = set()
        self._bell = asyncio.Event()
        self._round_lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="hub")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ring(self, webinar_id: int) -> None:
        if webinar_id in self.rooms:
            self._rung.add(webinar_id)
            self._bell.set()

    # Coming and going

    async def join(self, member: Member, since: int, greet: Callable[[State, int, int], str]) -> None:
        """Says the greeting (of state, number and people), what was missed since `since`, and everything from then on.

        Between the last page of the replay and becoming live there is no `await`, so no event falls in between.
        Called again for the same socket it replays again.
        """
        room = self.rooms.setdefault(member.webinar_id, Room(member.webinar_id))
        room.members.add(member)
        member.live = False
        state, ring = await self._open(room)
        if since > ring.last:  # it came from a process that had heard more
            await self._round([room])
        missed = visible(ring.after(since), member.reader)
        if not ring.reaches(since) or len(missed) > MOST_BEHIND:
            member.box.push(frames.RELOAD)
            return
        member.box.push(greet(state, ring.last, max(room.people, 1)))
        member.heard = since
        while events := ring.page(member.heard):
            seen = visible(events, member.reader)
            member.heard = events[-1].number
            if seen:
                member.box.push_all(Parcel([event.text for event in seen]))
            if member.heard < ring.last:
                if not await member.box.drained():
                    return
                if not ring.reaches(member.heard):
                    member.box.close_with(int(Close.TRY_LATER))
                    return
        member.live = True

    def leave(self, member: Member) -> None:
        member.live = False
        room = self.rooms.get(member.webinar_id)
        if room is not None:
            room.members.discard(member)
            if not room.members:
                del self.rooms[member.webinar_id]

    async def _open(self, room: Room[State]) -> tuple[State, Ring]:
        """One state for all who join within a second, unless something has happened since it was read."""
        async with room.reading:
            state, ring, now = room.state, room.ring, time.monotonic()
            if state is None or now - room.state_read_at > STATE_SECONDS or (ring and state.number < ring.last):
                state = room.state = await self._read_state(room.webinar_id)
                room.state_read_at = now
            if ring is None:
                ring = Ring(max(state.first_kept - 1, state.number - KEPT))
                while ring.extend(await self._read_events([(room.webinar_id, ring.last)])):
                    pass  # one answer does not hold them all
                # The sweep may have been faster than the reading: how far back it reaches is known only afterwards.
                state = room.state = await self._read_state(room.webinar_id)
                ring.forget(state.first_kept - 1)
                room.ring = ring
            return state, ring

    # News

    async def _run(self) -> None:
        """Every bell is followed by a look, and every second without one as well: Redis may be away, or forgetful."""
        while True:
            try:
                async with asyncio.timeout(max(0.0, self._looked_at + self._look - time.monotonic())):
                    await self._bell.wait()
            except TimeoutError:
                self._looked_at = time.monotonic()
                self._rung.update(self.rooms)
            self._bell.clear()
            rung, self._rung = self._rung, set()
            try:
                await self._round([room for one in rung if (room := self.rooms.get(one))])
            except Exception:  # nothing is lost: the next look asks for the same numbers
                logger.exception("Could not look for events")
                await asyncio.sleep(self._look)
            await asyncio.sleep(BREATH_SECONDS)

    async def _round(self, rooms: Iterable[Room[State]]) -> None:
        """One at a time: two would deliver to the same members."""
        async with self._round_lock:
            asked = {room.webinar_id: (room, room.ring) for room in rooms if room.ring is not None}
            if not asked:
                return
            found: dict[int, list[Event]] = {}
            for event in await self._read_events([(one, ring.last) for one, (_, ring) in asked.items()]):
                found.setdefault(event.webinar_id, []).append(event)
            if self._check_rights and any(one.kind == EventKind.LANES for events in found.values() for one in events):
                await self._check_rights()  # what was said after it is for those who may hear it now
            for webinar_id, events in found.items():
                room, ring = asked[webinar_id]
                if new := ring.extend(events):
                    self.ring(webinar_id)  # there may be more than one answer holds
                    await self._deliver(room, new)

    async def _deliver(self, room: Room[State], events: Sequence[Event]) -> None:
        """Everybody of one part hears the same bytes, except those whom one of the events concerns."""
        last = events[-1].number
        persons = {event.person_id for event in events}
        common = {(one.part, one.reads, one.has_place): _parcel(events, one) for one in NOBODY}
        told = 0
        for count, member in enumerate(tuple(room.members), start=1):
            if member.live and member.heard < last:
                member.heard = last
                reader = member.reader
                if reader.user_id in persons:
                    parcel = _parcel(events, reader)
                else:
                    parcel = common[reader.part, reader.reads, reader.has_place]
                if parcel is not None:
                    member.box.push_all(parcel)
                    told += len(parcel.texts)
            if count % TURN == 0:
                await asyncio.sleep(0)
        EVENTS_DELIVERED.inc(told)

    # Presence

    def present(self) -> dict[int, dict[int, str]]:
        """Who is in which room: people, not sockets; with their countries. Who has no place is not in it."""
        return {
            webinar_id: {one.reader.user_id: one.country for one in room.members if one.reader.has_place}
            for webinar_id, room in self.rooms.items()
        }

    async def tell_people(self, counts: Mapping[int, int]) -> None:
        """Everybody in these rooms hears how many they are, and the number of the last event that was for them."""
        for webinar_id, people in counts.items():
            room = self.rooms.get(webinar_id)
            if room is None or room.ring is None:
                continue
            room.people = people
            await self._tell(room, room.ring, people)

    @staticmethod
    async def _tell(room: Room[State], ring: Ring, people: int) -> None:
        common = {
            (one.part, one.reads, one.has_place): Parcel([frames.presence(people, ring.last_for(one))])
            for one in NOBODY
        }
        for count, member in enumerate(tuple(room.members), start=1):
            if member.live:
                reader = member.reader
                member.box.push_all(common[reader.part, reader.reads, reader.has_place])
            if count % TURN == 0:
                await asyncio.sleep(0)


def _parcel(events: Iterable[Event], reader: Reader) -> Parcel | None:
    seen = visible(events, reader)
    return Parcel([event.text for event in seen]) if seen else None
