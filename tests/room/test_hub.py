"""The hub by itself: order, completeness, one query for all rooms, nobody held up. Events come from a list."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from webinars.enums import Audience
from webinars.realtime.census import Census
from webinars.realtime.frames import RELOAD, on_the_wire
from webinars.realtime.hub import Hub, Member
from webinars.realtime.ring import KEPT, MOST_BEHIND, PAGE_CHARACTERS, SPARE, Event, Reader, Ring
from webinars.realtime.sockets import MOST_UNSENT_BYTES, Outbox
from webinars.rules import Part


@dataclass(frozen=True)
class State:
    number: int
    first_kept: int = 1


@dataclass
class Log:
    """What PostgreSQL would have; `asked` are the queries."""

    events: list[Event] = field(default_factory=list)
    first_kept: int = 1
    most: int = 10_000
    asked: list[list[tuple[int, int]]] = field(default_factory=list)
    states: int = 0
    broken: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def post(self, room: int = 1, audience: Audience = Audience.ALL, person: int | None = None) -> int:
        number = 1 + max((event.number for event in self.events if event.webinar_id == room), default=0)
        self.events.append(Event(room, number, "desk", audience, person, str(number)))
        return number

    async def read_state(self, room: int) -> State:
        self.states += 1
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("no database")
        return State(max((event.number for event in self.events if event.webinar_id == room), default=0))

    async def read_events(self, wanted: Sequence[tuple[int, int]]) -> list[Event]:
        self.asked.append(list(wanted))
        await self.gate.wait()
        if self.broken:
            raise OSError("no database")
        found = [
            event
            for room, after in sorted(wanted)
            for event in self.events
            if event.webinar_id == room and event.number > after
        ]
        return found[: self.most]


class Wire:
    """A socket's transport: what was said, and how much the browser has not taken."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.said = b""
        self.unsent = 0
        self.code: int | None = None

    def say(self, data: bytes) -> int:
        if self.code is not None:
            return -1
        self.said += data
        return self.unsent

    def end(self, code: int) -> None:
        self.code = code

    def texts(self) -> list[str]:
        found, rest = [], self.said
        while rest:
            size, head = rest[1], 2
            if size == 126:
                size, head = int.from_bytes(rest[2:4], "big"), 4
            found.append(rest[head : head + size].decode())
            rest = rest[head + size :]
        return found


async def no_sending(_message: Any) -> None:
    raise AssertionError("a line is used")


def make_member(part: Part = Part.ATTENDEE, user_id: int = 7, room: int = 1) -> tuple[Member, Wire]:
    wire = Wire()
    return Member(room, Reader(part, user_id), "IN", Outbox(no_sending, wire)), wire


def greeting(state: State, number: int, people: int) -> str:
    return f"room {number}"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(45):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest_asyncio.fixture
async def hub(log: Log) -> AsyncIterator[Hub[State]]:
    """It looks by itself so seldom that only the bell moves it."""
    hub: Hub[State] = Hub(read_state=log.read_state, read_events=log.read_events, look_seconds=3600)
    hub._looked_at = asyncio.get_running_loop().time()
    hub.start()
    yield hub
    await hub.stop()


async def test_replay_and_live_follow_each_other_without_gap_or_repetition(hub: Hub[State], log: Log) -> None:
    for _ in range(250):
        log.post()
    member, wire = make_member()
    await hub.join(member, 20, greeting)
    log.post()
    log.post()
    hub.ring(1)
    await until(lambda: len(wire.texts()) > 231)
    assert wire.texts() == ["room 250", *(str(n) for n in range(21, 253))]


async def test_events_that_are_posted_while_somebody_comes_in_are_heard_once(hub: Hub[State], log: Log) -> None:
    """The first member keeps the room open; the joiner's replay is held up in the middle."""
    for _ in range(250):
        log.post()
    first, first_wire = make_member()
    await hub.join(first, 250, greeting)
    joiner, wire = make_member()
    wire.writable.clear()
    joining = asyncio.create_task(hub.join(joiner, 0, greeting))
    await until(lambda: len(wire.texts()) == 101)
    log.post()
    hub.ring(1)
    await until(lambda: "251" in first_wire.texts())
    assert "251" not in wire.texts()
    wire.writable.set()
    await joining
    log.post()
    hub.ring(1)
    await until(lambda: "252" in wire.texts())
    assert wire.texts()[1:] == [str(n) for n in range(1, 253)]
    assert first_wire.texts()[1:] == ["251", "252"]


async def test_one_query_serves_all_rooms_and_everybody_in_them(hub: Hub[State], log: Log) -> None:
    members = [make_member(user_id=n, room=room) for room in (1, 2, 3) for n in range(4)]
    for member, _ in members:
        await hub.join(member, 0, greeting)
    log.asked.clear()
    log.gate.clear()
    log.post(room=1)
    hub.ring(1)
    await until(lambda: len(log.asked) == 1)  # under way: what rings now is asked for together
    log.post(room=2)
    log.post(room=3)
    for room in (2, 3, 2, 9):
        hub.ring(room)
    log.gate.set()
    await until(lambda: all("1" in wire.texts() for _, wire in members))
    assert sorted(log.asked[1]) == [(1, 1), (2, 0), (3, 0)]


async def test_who_joins_within_a_second_shares_one_state_until_something_happens(
    hub: Hub[State], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webinars.realtime.hub.STATE_SECONDS", 600.0)  # however long this machine takes for them
    await asyncio.gather(*(hub.join(make_member(user_id=n)[0], 0, greeting) for n in range(50)))
    assert (log.states, len(log.asked)) == (2, 1)  # the room's first: before its events are read, and after
    log.post()
    hub.ring(1)
    await until(lambda: hub.rooms[1].ring is not None and hub.rooms[1].ring.last == 1)
    await hub.join(make_member()[0], 0, greeting)
    assert log.states == 3


@pytest.mark.parametrize("left", [2, 0])
async def test_a_sweep_while_the_room_opens_makes_it_reach_less_far(log: Log, left: int) -> None:
    """The events go between the reading of the state and that of the events."""
    for _ in range(5):
        log.post()

    async def sweep_and_read(wanted: Sequence[tuple[int, int]]) -> list[Event]:
        log.events, log.first_kept = [event for event in log.events if event.number > 5 - left], 6 - left
        return await log.read_events(wanted)

    async def read_state(room: int) -> State:
        return State(number=5, first_kept=log.first_kept)

    hub: Hub[State] = Hub(read_state=read_state, read_events=sweep_and_read)
    (behind, told), (in_time, heard) = make_member(user_id=1), make_member(user_id=2)
    await hub.join(behind, 1, greeting)
    await hub.join(in_time, 5 - left, greeting)
    assert told.texts() == [RELOAD]
    assert heard.texts() == ["room 5", *(str(number) for number in range(6 - left, 6))]


async def test_each_audience_hears_its_own(hub: Hub[State], log: Log) -> None:
    people = {
        name: make_member(part, user_id)
        for name, part, user_id in [
            ("doctor", Part.ATTENDEE, 1),
            ("other", Part.ATTENDEE, 2),
            ("presenter", Part.PRESENTER, 3),
            ("moderator", Part.MODERATOR, 4),
        ]
    }
    for audience, person in [
        (Audience.ALL, None),
        (Audience.PRESENTERS, None),
        (Audience.MODERATORS, None),
        (Audience.PERSON, 1),
        (Audience.PERSON, 4),
    ]:
        log.post(audience=audience, person=person)
    expected = {"doctor": ["1", "4"], "other": ["1"], "presenter": ["1", "2"], "moderator": ["1", "2", "3", "5"]}
    for member, _ in people.values():
        await hub.join(member, 0, greeting)
    assert {name: wire.texts()[1:] for name, (_, wire) in people.items()} == expected
    live = {name: make_member(member.reader.part, member.reader.user_id) for name, (member, _) in people.items()}
    for member, _ in live.values():
        await hub.join(member, 5, greeting)
    for event in tuple(log.events):
        log.post(audience=Audience(event.audience), person=event.person_id)
    hub.ring(1)
    await until(lambda: hub.rooms[1].ring is not None and hub.rooms[1].ring.last == 10)
    await until(lambda: all(member.heard == 10 for member, _ in live.values()))
    assert {name: [int(text) - 5 for text in wire.texts()[1:]] for name, (_, wire) in live.items()} == {
        name: list(map(int, numbers)) for name, numbers in expected.items()
    }


async def test_too_far_behind_and_numbers_of_no_room_are_sent_to_reload(hub: Hub[State], log: Log) -> None:
    for _ in range(MOST_BEHIND + 1):
        log.post()
    for since in (0, MOST_BEHIND + 2, 10**15):
        member, wire = make_member()
        await hub.join(member, since, greeting)
        assert wire.texts() == ['{"t":"reload"}']
        assert not member.live
    member, wire = make_member()
    await hub.join(member, 1, greeting)
    assert len(wire.texts()) == 1 + MOST_BEHIND


async def test_who_comes_from_a_process_that_had_heard_more_is_served(hub: Hub[State], log: Log) -> None:
    await hub.join(make_member()[0], 0, greeting)
    log.post()
    member, wire = make_member()
    await hub.join(member, 1, greeting)
    assert (wire.texts(), member.live) == (["room 1"], True)


async def test_a_socket_that_takes_nothing_is_let_go_and_the_others_hear_on(hub: Hub[State], log: Log) -> None:
    (slow, slow_wire), (quick, quick_wire) = make_member(), make_member()
    for member in (slow, quick):
        await hub.join(member, 0, greeting)
    slow_wire.unsent = MOST_UNSENT_BYTES + 1
    for _ in range(3):
        log.post()
        hub.ring(1)
        await until(lambda: quick.heard == len(log.events))
    assert (slow_wire.code, slow_wire.texts()[1:]) == (1013, ["1"])
    assert quick_wire.texts()[1:] == ["1", "2", "3"]
    back, wire = make_member()
    await hub.join(back, 1, greeting)
    assert wire.texts()[1:] == ["2", "3"]


async def test_a_replay_that_nobody_takes_ends(hub: Hub[State], log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webinars.realtime.sockets.SLOW_SECONDS", 0.01)
    for _ in range(250):
        log.post()
    member, wire = make_member()
    wire.writable.clear()
    await hub.join(member, 0, greeting)
    assert (wire.code, member.live) == (1013, False)


async def test_an_answer_that_holds_not_all_is_asked_for_again(hub: Hub[State], log: Log) -> None:
    member, wire = make_member()
    await hub.join(member, 0, greeting)
    log.most = 10
    for _ in range(35):
        log.post()
    hub.ring(1)
    await until(lambda: member.heard == 35)
    assert wire.texts()[1:] == [str(n) for n in range(1, 36)]


async def test_the_hub_looks_by_itself_and_an_outage_of_the_database_loses_nothing(log: Log) -> None:
    """Nobody rings here."""
    hub: Hub[State] = Hub(read_state=log.read_state, read_events=log.read_events, look_seconds=0.01)
    hub.start()
    member, wire = make_member()
    await hub.join(member, 0, greeting)
    log.post()
    await until(lambda: member.heard == 1)
    log.broken = True
    asked = len(log.asked)
    await until(lambda: len(log.asked) > asked + 1)
    log.post()
    log.broken = False
    await until(lambda: member.heard == 2)
    await hub.stop()
    assert wire.texts()[1:] == ["1", "2"]


async def test_an_emptied_room_is_forgotten(hub: Hub[State], log: Log) -> None:
    member, _ = make_member()
    await hub.join(member, 0, greeting)
    hub.leave(member)
    hub.leave(member)
    assert hub.rooms == {}


async def test_people_are_counted_once_and_told_when_their_number_changes(hub: Hub[State], log: Log) -> None:
    reports: list[dict[int, dict[int, str]]] = []

    async def report(present: Any) -> dict[int, int]:
        reports.append({room: dict(people) for room, people in present.items()})
        return {room: len(people) + 100 for room, people in present.items()}

    census = Census(hub, report)
    log.post(audience=Audience.MODERATORS)
    first, wire = make_member(user_id=1)
    second, _ = make_member(user_id=1)
    moderator, desk = make_member(Part.MODERATOR, user_id=2)
    for member in (first, second, moderator):
        await hub.join(member, 1, greeting)
    for _ in range(3):
        await census._count()
    assert reports[0] == {1: {1: "IN", 2: "IN"}}
    assert wire.texts()[1:] == ['{"t":"presence","people":102,"number":0}']
    assert desk.texts()[1:] == ['{"t":"presence","people":102,"number":1}']
    for member in (first, second, moderator):
        hub.leave(member)
    await census._count()
    await census._count()
    assert reports[-1] == {1: {}}
    assert len(reports) == 4  # an empty room is reported once


def test_a_ring_forgets_the_oldest_and_knows_it() -> None:
    ring = Ring(0)
    for start in range(1, KEPT + SPARE + 102, 100):
        ring.extend([Event(1, n, "desk", "all", None, "") for n in range(start, start + 100)])
        assert ring.last == start + 99
        assert [ring.after(ring.before, 1)[0].number, ring.after(ring.last)] == [ring.before + 1, []]
    assert ring.before == SPARE + 100
    assert [ring.reaches(one) for one in (ring.before - 1, ring.before, ring.last, ring.last + 1)] == [
        False,
        True,
        True,
        False,
    ]
    assert ring.extend([Event(1, 5, "desk", "all", None, "")]) == []


async def test_what_others_hear_does_not_make_anybody_reload(hub: Hub[State], log: Log) -> None:
    log.most = 700
    log.post()
    for _ in range(MOST_BEHIND + 500):
        log.post(audience=Audience.MODERATORS)
    last = log.post()
    member, wire = make_member()
    await hub.join(member, 0, greeting)
    assert wire.texts()[1:] == ["1", str(last)]
    moderator, wire = make_member(Part.MODERATOR)
    await hub.join(moderator, 0, greeting)
    assert wire.texts() == ['{"t":"reload"}']


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_are_those_of_the_websocket_standard(size: int) -> None:
    from websockets.frames import Frame, Opcode

    text = "x" * size
    assert on_the_wire(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def test_the_memory_keeps_nothing_that_was_taken_back() -> None:
    ring = Ring(0)
    ring.extend(
        [Event(1, 1, "published", "all", None, "secret", about=7), Event(1, 2, "published", "all", None, "b", 8)]
    )
    ring.extend([Event(1, 3, "forwarded", "presenters", None, "for presenters", about=7)])
    ring.extend([Event(1, 4, "published", "all", None, "gone", about=7, withdraws=7)])
    ring.extend([Event(1, 5, "published", "all", None, "again", about=7)])

    assert [(event.number, event.text) for event in ring.after(0)] == [
        (2, "b"), (3, "for presenters"), (4, "gone"), (5, "again"),
    ]  # fmt: skip
    assert (ring.before, ring.last) == (0, 5)
    assert [event.number for event in ring.after(3)] == [4, 5]


def test_long_events_are_replayed_in_smaller_pages() -> None:
    """Else a gap of a hundred long questions would look like a stalled browser, again and again."""
    ring = Ring(0)
    ring.extend([Event(1, n, "desk", "all", None, "x" * 30_000) for n in range(1, 10)])
    assert [event.number for event in ring.page(0)] == [1, 2]
    ring.extend([Event(1, n, "desk", "all", None, "x" * 300_000) for n in range(10, 12)])
    assert [event.number for event in ring.page(9)] == [10]
    assert PAGE_CHARACTERS + 30_000 < MOST_UNSENT_BYTES
