"""Where doctors register: who has not done so gets nothing of the room, by any way, until it is over."""

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import Device, User
from tests.room.rooms import Scene, make_scene
from tests.room.test_room_matrix import FRAMES, hear_until, post_all
from tests.room.test_sockets import closing
from tests.room.tier import RunningTier, room_page, running_tier
from tests.signing_in import signed_in
from webinars.domain import polling
from webinars.domain.lanes import lanes_of
from webinars.domain.polling import PolledRooms
from webinars.domain.registrations import cancel_registration, has_place, register
from webinars.domain.schedule import announce_state
from webinars.domain.viewers import Knock, Viewer, admit
from webinars.models import Poll, Question, Webinar
from webinars.rules import Part, part_of

pytestmark = pytest.mark.django_db(transaction=True)
REGISTER = "Please register for this webinar first: its page has the button."
NOTHING = {"ask": False, "read": False, "vote": False}
STATES: dict[str, dict[str, timedelta | None]] = {
    "doors_open": {"starts_at": timedelta(minutes=5), "live_at": None},
    "live": {},
}


@pytest.fixture
def tier() -> Iterator[RunningTier]:
    with running_tier() as running:
        yield running


@pytest.fixture
def scene() -> Scene:
    scene = make_scene()
    change(scene.webinar, needs_registration=True)
    return scene


@pytest.fixture
def people(scene: Scene) -> dict[str, Device | None]:
    """The colleague is registered; nobody else has to be."""
    colleague = scene.doctor()
    register(webinar=scene.webinar, user=colleague.user, now=now())
    return {
        "doctor": scene.doctor(),
        "colleague": colleague,
        "presenter": scene.presenter(),
        "moderator": scene.moderator(),
    }


def change(webinar: Webinar, **values: Any) -> None:
    given = {name: now() + value if isinstance(value, timedelta) else value for name, value in values.items()}
    Webinar.objects.filter(pk=webinar.pk).update(**given)
    webinar.refresh_from_db()


def poll(rooms: PolledRooms, scene: Scene, device: Device | None, since: int = 0) -> dict[str, Any]:
    assert device is not None
    answer = rooms.poll(session_key=device.session_key, webinar_id=scene.webinar.pk, since=since, now=now())
    found: dict[str, Any] = json.loads(answer)
    return found


def tell_state(scene: Scene) -> int:
    announce_state(scene.webinar, now=now())
    return scene.webinar.events.order_by("-number")[0].number


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["number"] for event in events]


@pytest.mark.parametrize("state", STATES)
def test_without_a_place_only_the_state_comes_live_by_replay_and_by_polling(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], state: str
) -> None:
    change(scene.webinar, **STATES[state])
    with contextlib.ExitStack() as stack:
        pages = {name: stack.enter_context(room_page(tier, device, scene.webinar)) for name, device in people.items()}
        states = {name: browser.enter() for name, browser in pages.items()}
        post_all(scene, people)
        marker = tell_state(scene)
        heard = {"live": {name: numbers(hear_until(browser, marker)) for name, browser in pages.items()}}
        for browser in pages.values():
            browser.enter(0)
        heard["replayed"] = {name: numbers(hear_until(browser, marker)) for name, browser in pages.items()}
    answers = {name: poll(PolledRooms(), scene, device) for name, device in people.items()}
    heard["polled"] = {name: numbers(answer["events"]) for name, answer in answers.items()}
    expected = {
        "doctor": [marker],
        "colleague": [1, 5, marker],
        "presenter": [1, 2, 6, marker],
        "moderator": [1, 2, 3, 7, marker],
    }
    assert heard == dict.fromkeys(heard, expected)
    for found in (states, answers):
        assert {name: one["register"] for name, one in found.items()} == dict.fromkeys(people, "") | {
            "doctor": REGISTER
        }
        assert {name: one["state"] for name, one in found.items()} == dict.fromkeys(people, state)
        assert (found["doctor"]["may"], found["colleague"]["may"]["ask"]) == (NOTHING, True)


def test_who_has_no_place_gets_the_same_answers_to_every_frame_but_no_events(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None]
) -> None:
    scene.post()
    with room_page(tier, people["doctor"], scene.webinar) as browser:
        for what, (frame, kinds) in FRAMES.items():
            browser.say(frame)
            expected = [kind for kind in kinds if kind != "event"]
            assert [browser.answer()["t"] for _ in expected] == expected, what


def test_who_has_no_place_is_not_counted_among_the_people(
    scene: Scene, people: dict[str, Device | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "REPORT_SECONDS", -1.0)
    monkeypatch.setattr(polling, "LOOK_SECONDS", -1.0)
    rooms = PolledRooms()
    for name in ("doctor", "colleague", "presenter"):
        poll(rooms, scene, people[name])
    assert poll(rooms, scene, people["doctor"])["people"] == 2


@pytest.mark.usefixtures("often")
def test_taking_and_giving_back_a_place_is_followed_by_an_open_page(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket is closed to come back: then it has what was said before it was registered, too."""
    for name in ("RIGHTS_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(polling, name, -1.0)
    rooms, device, said = PolledRooms(), people["doctor"], scene.post().number
    assert device is not None
    steps = [(None, []), (register, [said]), (cancel_registration, [])]
    for index, (do, expected) in enumerate(steps):
        if do is not None:
            do(webinar=scene.webinar, user=device.user, now=now())
        with room_page(tier, device, scene.webinar) as browser:
            assert bool(browser.enter()["register"]) is not bool(expected)
            assert numbers(browser.events(len(expected))) == expected
            assert numbers(poll(rooms, scene, device)["events"]) == expected
            if index < len(steps) - 1:
                steps[index + 1][0](webinar=scene.webinar, user=device.user, now=now())  # type: ignore[misc]
                assert closing(browser.connection)[1] == 1013


@pytest.mark.usefixtures("often")
def test_once_it_is_over_everybody_reads_as_before(
    tier: RunningTier, scene: Scene, people: dict[str, Device | None]
) -> None:
    said = scene.post().number
    with room_page(tier, people["doctor"], scene.webinar) as browser:
        browser.enter()
        change(scene.webinar, ended_at=timedelta())
        assert closing(browser.connection)[1] == 1013
    with room_page(tier, people["doctor"], scene.webinar) as browser:
        assert browser.enter()["register"] == ""
        assert numbers(browser.events(1)) == [said]
    assert numbers(poll(PolledRooms(), scene, people["doctor"])["events"]) == [said]


CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "read questions": ("get", "questions/", {}),
    "ask": ("post", "questions/", {"text": "May I?"}),
    "vote": ("post", "questions/{question}/votes/", {}),
    "take a vote back": ("delete", "questions/{question}/votes/", {}),
    "write": ("post", "questions/{question}/messages/", {"text": "Well?"}),
    "read polls": ("get", "polls/", {}),
    "vote in a poll": ("put", "polls/{poll}/vote/", {"choices": [1]}),
}


def call(browser: Client, scene: Scene, name: str) -> tuple[int, str]:
    method, path, body = CALLS[name]
    question, poll = Question.objects.first(), Poll.objects.first()
    path = path.format(question=question.pk if question else 0, poll=poll.pk if poll else 0)
    given = body | {"client_key": str(uuid4())} if "text" in body else body
    response = getattr(browser, method)(
        f"/api/v1/webinars/{scene.webinar.pk}/{path}", given or None, **({} if method == "get" else JSON)
    )
    return response.status_code, response.json().get("detail", "") if response.content else ""


JSON: dict[str, Any] = {"content_type": "application/json"}


@pytest.mark.parametrize("name", CALLS)
def test_the_api_says_to_register_first(scene: Scene, people: dict[str, Device | None], name: str) -> None:
    doctor, colleague = people["doctor"], people["colleague"]
    assert doctor is not None
    assert colleague is not None
    asked = {"asked_at": now(), "published_at": now(), "client_key": uuid4(), "text": "Why?", "phase": "live"}
    Question.objects.create(webinar=scene.webinar, author=doctor.user, state="published", **asked)
    Poll.objects.create(webinar=scene.webinar, question="Yes?", state="open", opened_at=now()).options.create(
        position=1, text="Yes"
    )
    browser = signed_in(doctor.user)
    assert call(browser, scene, name) == (403, REGISTER)
    register(webinar=scene.webinar, user=doctor.user, now=now())
    status, _ = call(browser, scene, name)
    assert status in {200, 201, 204}


def test_the_forms_of_the_page_say_it_too_and_the_page_follows_the_room(
    scene: Scene, people: dict[str, Device | None]
) -> None:
    doctor = people["doctor"]
    assert doctor is not None
    scene.post("A secret of the room")
    browser = signed_in(doctor.user)
    address = f"/webinars/{scene.webinar.pk}/"
    page = browser.post(f"{address}questions/", {"text": "?", "key": uuid4()}, follow=True).content.decode()
    assert REGISTER in page
    assert "Please register to come in." in page
    assert "A secret of the room" not in page
    assert '"has_place": false' in page
    assert '"number": 1' in page
    page = browser.post(f"{address}registration/", {"do": "register"}, follow=True).content.decode()
    assert "A secret of the room" in page or 'id="room"' in page
    assert '"has_place": true' in page
    assert not Question.objects.exists()


@pytest.mark.parametrize("part", Part)
def test_one_query_for_many_says_what_the_domain_says_for_one(scene: Scene, part: Part) -> None:
    """In every combination of the dates and the setting, with and without a place that was given back."""
    make = {Part.ATTENDEE: scene.doctor, Part.PRESENTER: scene.presenter, Part.MODERATOR: scene.moderator}[part]
    registered, given_back, never = make(), make(), make()
    for device in (registered, given_back):
        register(webinar=scene.webinar, user=device.user, now=now())
    cancel_registration(webinar=scene.webinar, user=given_back.user, now=now())
    devices = (registered, given_back, never)
    seen = set()
    dates: list[dict[str, Any]] = [
        {"starts_at": None, "live_at": None, "ended_at": None},
        {"starts_at": now(), "live_at": None},
        {"live_at": now()},
        {"live_at": now(), "ended_at": now()},
    ]
    for needs, given in product((True, False), dates):
        change(scene.webinar, needs_registration=needs, **{"starts_at": now()} | {"ended_at": None} | given)
        found = admit([Knock(one.session_key, scene.webinar.pk) for one in devices], now=now())
        places = [one.has_place for one in found if isinstance(one, Viewer)]
        assert places == [has_place(webinar=scene.webinar, user=one.user) for one in devices]
        assert places == [lanes_at(scene.webinar, one.user, now=now()) for one in devices]
        seen.add(tuple(places))
    assert seen == ({(True, True, True), (True, False, False)} if part is Part.ATTENDEE else {(True, True, True)})


def lanes_at(webinar: Webinar, user: User, *, now: datetime) -> bool:
    return lanes_of(webinar=webinar, user=user, part=part_of(user, webinar), now=now).has_place
