"""Role × message × way: what each part may say to the socket, and what each audience hears by each way, exactly."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import Device
from tests.room.rooms import Scene, make_scene
from tests.room.test_sockets import closing
from tests.room.tier import ORIGIN, Page, RunningTier, room_page, running_tier
from webinars.domain import polling
from webinars.domain.events import SCHEMAS
from webinars.domain.lane_access import set_lane_access
from webinars.domain.polling import NotInError, PolledRooms, RemovedError
from webinars.domain.room import post_event
from webinars.enums import Audience, EventKind, Lane, LaneAccessLevel, Restriction
from webinars.models import PersonRestriction
from webinars.rules import Part

pytestmark = pytest.mark.django_db(transaction=True)
INSIDE = ("doctor", "colleague", "presenter", "moderator")
OUTSIDE = {"removed": ("removed", 4403), "stranger": ("not_enrolled", 4403), "anonymous": ("signed_out", 4401)}
# What is posted, in this order, and who hears it.
POSTED: list[tuple[Audience, str]] = [
    (Audience.ALL, ""),
    (Audience.PRESENTERS, ""),
    (Audience.MODERATORS, ""),
    (Audience.PERSON, "doctor"),
    (Audience.PERSON, "colleague"),
    (Audience.PERSON, "presenter"),
    (Audience.PERSON, "moderator"),
]
HEARD = {
    "doctor": [1, 4],
    "colleague": [1, 5],
    "presenter": [1, 2, 6],
    "moderator": [1, 2, 3, 7],
}


@pytest.fixture
def tier() -> Iterator[RunningTier]:
    with running_tier() as running:
        yield running


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.fixture
def people(scene: Scene) -> dict[str, Device | None]:
    removed = scene.doctor()
    PersonRestriction.objects.create(webinar=scene.webinar, user=removed.user, kind=Restriction.REMOVED, at=now())
    return {
        "doctor": scene.doctor(),
        "colleague": scene.doctor(),
        "presenter": scene.presenter(),
        "moderator": scene.moderator(),
        "removed": removed,
        "stranger": scene.stranger(),
        "anonymous": None,
    }


def post_all(scene: Scene, people: dict[str, Device | None]) -> None:
    for audience, name in POSTED:
        device = people[name] if name else None
        scene.post(name, audience=audience, person=device.user if device else None)


# Published questions: for which part, or for whom, that lane is closed or opened; and who of INSIDE hears them then.
NONE, READ = LaneAccessLevel.NONE, LaneAccessLevel.READ
LANE_CASES: dict[str, tuple[dict[str, LaneAccessLevel], set[str]]] = {
    "as usual": ({}, set(INSIDE)),
    "closed to doctors": ({"attendee": NONE}, {"presenter", "moderator"}),
    "closed to doctors but one": ({"attendee": NONE, "doctor": READ}, {"doctor", "presenter", "moderator"}),
    "closed to one": ({"doctor": NONE}, {"colleague", "presenter", "moderator"}),
    "closed to one while open to all": ({"attendee": READ, "doctor": NONE}, {"colleague", "presenter", "moderator"}),
    "closed to presenters": ({"presenters": NONE}, {"doctor", "colleague", "moderator"}),
    "closed to presenters but one": ({"presenters": NONE, "presenter": READ}, set(INSIDE)),
    "closed to all but moderators": ({"attendee": NONE, "presenters": NONE}, {"moderator"}),
}


def set_lanes(scene: Scene, people: dict[str, Device | None], levels: dict[str, LaneAccessLevel]) -> None:
    parts = {"attendee": Part.ATTENDEE, "presenters": Part.PRESENTER}
    for name, level in levels.items():
        device = people.get(name)
        set_lane_access(
            webinar=scene.webinar,
            lane=Lane.PUBLISHED,
            level=level,
            part=parts.get(name),
            user=device.user if device else None,
            actor=None,
            now=now(),
        )


def publish(scene: Scene) -> int:
    payload = dict.fromkeys(SCHEMAS[EventKind.PUBLISHED][Audience.ALL])
    with transaction.atomic():
        event = post_event(
            webinar_id=scene.webinar.pk,
            kind=EventKind.PUBLISHED,
            audience=Audience.ALL,
            payload=payload,
            now=now(),
        )
    return event.number


def hears(events: list[dict[str, Any]]) -> list[int]:
    return [event["number"] for event in events if event["kind"] == "published"]


def poll_events(rooms: PolledRooms, scene: Scene, device: Device | None, since: int = 0) -> list[dict[str, Any]]:
    assert device is not None
    answer = rooms.poll(session_key=device.session_key, webinar_id=scene.webinar.pk, since=since, now=now())
    found: list[dict[str, Any]] = json.loads(answer)["events"]
    return found


@pytest.mark.parametrize("case", LANE_CASES)
def test_published_questions_reach_exactly_those_to_whom_the_lane_is_open(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane changes while everybody is connected, and nobody has to connect again for it."""
    monkeypatch.setattr(polling, "LOOK_SECONDS", -1.0)
    levels, readers = LANE_CASES[case]
    rooms = PolledRooms()
    with contextlib.ExitStack() as stack:
        pages = {name: stack.enter_context(room_page(tier, people[name], scene.webinar)) for name in INSIDE}
        for name, browser in pages.items():
            browser.enter()
            poll_events(rooms, scene, people[name])
        set_lanes(scene, people, levels)
        number = publish(scene)
        marker = scene.post().number
        ways = {"live": {name: hears(hear_until(browser, marker)) for name, browser in pages.items()}}
        states = {name: browser.enter(0) for name, browser in pages.items()}
        ways["replayed"] = {name: hears(hear_until(browser, marker)) for name, browser in pages.items()}
        ways["polled"] = {name: hears(poll_events(rooms, scene, people[name])) for name in INSIDE}
        ways["polled afresh"] = {name: hears(poll_events(PolledRooms(), scene, people[name])) for name in INSIDE}
    expected = {name: [number] if name in readers else [] for name in INSIDE}
    assert ways == dict.fromkeys(ways, expected)
    assert {name for name, state in states.items() if state["may"]["read"]} == readers


def test_a_lane_that_is_closed_and_opened_again_is_followed_by_every_open_page(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LOOK_SECONDS", -1.0)
    rooms, heard, polled, numbers, since = PolledRooms(), [], [], [], 0
    with room_page(tier, people["doctor"], scene.webinar) as browser:
        browser.enter()
        for level in (READ, NONE, READ):
            set_lanes(scene, people, {"attendee": level})
            numbers.append(publish(scene))
            marker = scene.post().number
            heard += hears(hear_until(browser, marker))
            polled += hears(poll_events(rooms, scene, people["doctor"], since))
            since = marker
    assert heard == polled == [numbers[0], numbers[2]]


def hear_until(browser: Page, marker: int) -> list[dict[str, Any]]:
    """All events up to the one that everybody hears."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["number"] != marker:
        found += browser.events(1)
    return found


def test_nothing_for_another_audience_arrives_live_by_replay_or_by_polling(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None]
) -> None:
    with contextlib.ExitStack() as stack:
        pages = {name: stack.enter_context(room_page(tier, people[name], scene.webinar)) for name in INSIDE}
        states = {name: browser.enter() for name, browser in pages.items()}
        post_all(scene, people)
        marker = scene.post("the last, for all").number
        live = {name: hear_until(browser, marker) for name, browser in pages.items()}
        for browser in pages.values():
            browser.enter(0)
        replayed = {name: hear_until(browser, marker) for name, browser in pages.items()}
    rooms = PolledRooms()
    polled = {
        name: json.loads(rooms.poll(session_key=device.session_key, webinar_id=scene.webinar.pk, since=0, now=now()))[
            "events"
        ]
        for name in INSIDE
        if (device := people[name])
    }
    assert {name: state["part"] for name, state in states.items()} == {
        "doctor": "attendee",
        "colleague": "attendee",
        "presenter": "presenter",
        "moderator": "moderator",
    }
    expected = {name: [*numbers, marker] for name, numbers in HEARD.items()}
    for way in (live, replayed, polled):
        assert {name: [event["number"] for event in events] for name, events in way.items()} == expected
    assert live == replayed == polled


@pytest.mark.parametrize("name", OUTSIDE)
def test_who_is_outside_hears_only_why(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], name: str
) -> None:
    post_all(scene, people)
    reason, code = OUTSIDE[name]
    with room_page(tier, people[name], scene.webinar) as browser:
        with contextlib.suppress(ConnectionClosed):
            browser.say({"t": "room", "since": 0})
        assert closing(browser.connection) == ([reason], code)
    device = people[name]
    if device is not None:
        with pytest.raises(RemovedError if name == "removed" else NotInError):
            PolledRooms().poll(session_key=device.session_key, webinar_id=scene.webinar.pk, since=0, now=now())


FRAMES: dict[str, tuple[Any, list[str]]] = {
    "room": ({"t": "room", "since": 0}, ["room_state", "event"]),
    "room without a number": ({"t": "room"}, ["refused"]),
    "room since a text": ({"t": "room", "since": "0"}, ["refused"]),
    "room since true": ({"t": "room", "since": True}, ["refused"]),
    "room since a fraction": ({"t": "room", "since": 0.5}, ["refused"]),
    "room since below zero": ({"t": "room", "since": -1}, ["refused"]),
    "room since beyond": ({"t": "room", "since": 2**63}, ["refused"]),
    "room since the future": ({"t": "room", "since": 2**62}, ["reload"]),
    "hello of nobody": ({"t": "hello", "session": "b6f8b6a2-0000-4000-8000-000000000000"}, ["refused"]),
    "beat without hello": ({"t": "beat", "n": 1, "s": [[0, 1]], "p": 1}, ["refused"]),
    "a frame of the server": ({"t": "event", "number": 1, "kind": "state", "data": {}}, ["refused"]),
    "presence": ({"t": "presence", "people": 9}, ["refused"]),
    "bye": ({"t": "bye", "reason": "removed"}, ["refused"]),
    "unknown": ({"t": "question", "text": "?"}, ["refused"]),
}


@pytest.mark.parametrize("name", INSIDE)
def test_every_part_gets_the_same_answer_to_every_frame(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], name: str
) -> None:
    """Writing goes over HTTP: no frame of a client changes anything in a room, whoever sends it."""
    scene.post()
    with room_page(tier, people[name], scene.webinar) as browser:
        for what, (frame, kinds) in FRAMES.items():
            browser.say(frame)
            answers: list[str] = []
            while len(answers) < len(kinds):
                answers.append(browser.answer()["t"])
            assert answers == kinds, what
    assert scene.webinar.events.count() == 1


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", f"{ORIGIN}.evil.example"])
def test_sec_16_a_room_opens_to_our_own_pages_only(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], origin: str | None
) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        room_page(tier, people["moderator"], scene.webinar, origin=origin),
    ):
        pass
    assert refused.value.response.status_code == 403


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FRAME = st.fixed_dictionaries(
    {"t": st.sampled_from(["room", "hello", "beat", "event"]) | JSON},
    optional={"since": JSON, "session": JSON, "n": JSON, "s": JSON, "p": JSON},
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=FRAME.map(json.dumps) | st.text() | st.binary(max_size=200))
def test_no_frame_breaks_the_conversation(tier: RunningTier, crazy: Page, said: str | bytes) -> None:
    """Every frame has an answer, and the room still opens after it."""
    crazy.say(said)
    answer = crazy.answer()
    assert answer["t"] in {"refused", "room_state", "reload"}
    assert crazy.enter()["t"] == "room_state"


@pytest.fixture
def crazy(tier: RunningTier, scene: Scene, people: dict[str, Device | None], settings: Any) -> Iterator[Page]:
    settings.SOCKET_MESSAGE_BURST = 10_000
    with room_page(tier, people["doctor"], scene.webinar) as browser:
        yield browser


def test_sec_17_a_flood_of_room_frames_closes_the_socket(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], settings: Any
) -> None:
    settings.SOCKET_MESSAGE_BURST = 10
    settings.SOCKET_MESSAGES_PER_MINUTE = 1  # none is added while this machine takes its time
    with room_page(tier, people["doctor"], scene.webinar) as browser:
        for _ in range(12):
            browser.say({"t": "room", "since": 0})
        frames, code = [], None
        try:
            while True:
                frames.append(browser.hear()["t"])
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
    assert (frames.count("room_state"), code) == (10, 4429)


def test_sec_17_a_frame_over_64_kb_closes_the_socket_of_a_room(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None]
) -> None:
    with room_page(tier, people["doctor"], scene.webinar) as browser:
        browser.enter()
        browser.say('{"t":"room","since":0,"x":"' + "x" * 66_000 + '"}')
        assert closing(browser.connection)[1] == 1009
