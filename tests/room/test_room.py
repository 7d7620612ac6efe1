"""Posted events reach every socket that may hear them: in order, once, after a gap as well."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now
from websockets.exceptions import InvalidStatus

from accounts.models import Device
from core.metrics import SOCKETS_REFUSED
from core.processes import wait_until
from courses.models import RoleGrant
from tests.bench.players import client_frame
from tests.factories.courses import EnrolmentFactory
from tests.room.rooms import Scene, make_scene
from tests.room.test_sockets import closing, until_closed
from tests.room.tier import ORIGIN, PATIENCE, RunningTier, room_page, running_tier
from webinars.consumers import MOST_STRANGERS, WatchSockets
from webinars.domain.presence import People, people_in, report
from webinars.enums import Audience, Restriction
from webinars.models import PersonRestriction

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tier() -> Iterator[RunningTier]:
    with running_tier() as running:
        yield running


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def test_a_posted_event_reaches_two_sockets_and_is_replayed_to_a_third(tier: RunningTier, scene: Scene) -> None:
    scene.post("before")
    one, two, three = scene.doctor(), scene.doctor(), scene.doctor()
    with room_page(tier, one, scene.webinar) as first, room_page(tier, two, scene.webinar) as second:
        assert first.enter()["number"] == second.enter()["number"] == 1
        assert first.events(1) == second.events(1)
        posted = scene.post("now")
        heard = first.events(1)
        assert heard == second.events(1)
        assert heard == [
            {
                "t": "event",
                "number": 2,
                "kind": "announcement",
                "at": posted.at.isoformat(),
                "data": {"id": 1, "text": "now"},
            }
        ]
        with room_page(tier, three, scene.webinar) as third:
            assert third.enter(1)["number"] == 2
            assert third.events(1) == heard


@pytest.mark.site
def test_a_removed_person_is_sent_away_within_five_seconds_and_let_in_no_more(tier: RunningTier, scene: Scene) -> None:
    doctor, neighbour = scene.doctor(), scene.doctor()
    with room_page(tier, doctor, scene.webinar) as browser, room_page(tier, neighbour, scene.webinar) as other:
        browser.enter()
        other.enter()
        started = time.monotonic()
        PersonRestriction.objects.create(webinar=scene.webinar, user=doctor.user, kind=Restriction.REMOVED, at=now())
        frames, code = until_closed(browser.connection)
        assert time.monotonic() - started < 5
        assert [frame for frame in frames if frame["t"] != "presence"] == [{"t": "bye", "reason": "removed"}]
        assert code == 4403
        with room_page(tier, doctor, scene.webinar) as again:
            assert closing(again.connection) == (["removed"], 4403)
        scene.post("goes on")
        assert other.events(1)[0]["data"]["text"] == "goes on"
    PersonRestriction.objects.update(lifted_at=now())
    with room_page(tier, doctor, scene.webinar) as browser:
        assert browser.enter()["number"] == 1


@pytest.mark.usefixtures("often")
def test_a_moderator_no_more_comes_back_as_an_attendee(tier: RunningTier, scene: Scene) -> None:
    moderator = scene.moderator()
    EnrolmentFactory.create(user=moderator.user, programme=scene.programme)
    with room_page(tier, moderator, scene.webinar) as browser:
        assert browser.enter()["part"] == "moderator"
        RoleGrant.objects.filter(user=moderator.user).delete()
        frames, code = until_closed(browser.connection)
        assert ({frame["t"] for frame in frames} - {"presence"}, code) == (set(), 1013)
    scene.post(audience=Audience.MODERATORS)
    last = scene.post().number
    with room_page(tier, moderator, scene.webinar) as browser:
        assert browser.enter()["part"] == "attendee"
        assert [event["number"] for event in browser.events(1)] == [last]


@pytest.mark.site
def test_the_room_says_how_many_people_are_in_it_within_ten_seconds(tier: RunningTier, scene: Scene) -> None:
    """Two windows of one person are one; a person of another process is one more."""
    report({scene.webinar.pk: {10**6: "DE"}}, process="another", now=now() + timedelta(seconds=8))
    doctor, moderator = scene.doctor(), scene.moderator()
    with (
        room_page(tier, doctor, scene.webinar) as first,
        room_page(tier, doctor, scene.webinar) as second,
        room_page(tier, moderator, scene.webinar) as third,
    ):
        for browser in (first, second, third):
            browser.enter()
        for browser in (first, second, third):
            while (frame := browser.hear()) != {"t": "presence", "people": 3, "number": 0}:
                assert frame["t"] == "presence"
        assert people_in(scene.webinar.pk, now=now()) == People(3, {"IN": 2, "DE": 1})
    assert wait_until(lambda: people_in(scene.webinar.pk, now=now()).number <= 1, seconds=10)


def test_two_processes_bring_each_other_s_events(scene: Scene) -> None:
    doctor = scene.doctor()
    with (
        running_tier() as one,
        running_tier() as two,
        room_page(one, doctor, scene.webinar) as first,
        room_page(two, doctor, scene.webinar) as second,
    ):
        first.enter()
        second.enter()
        for n in range(30):
            scene.post(str(n))
        assert first.events(30) == second.events(30)


def test_too_many_of_one_address_at_the_door_are_refused(scene: Scene) -> None:
    """The others get in: the limit is of the address. Those who are in do not count."""
    sockets = WatchSockets()
    with running_tier(sockets) as tier:
        devices = [scene.doctor() for _ in range(3)]
        with room_page(tier, devices[0], scene.webinar) as first:
            first.enter()
            for _ in range(MOST_STRANGERS):
                assert sockets.tier.strangers.enter("127.0.0.1")
            with pytest.raises(InvalidStatus) as refused, room_page(tier, devices[1], scene.webinar):
                pass
            assert refused.value.response.status_code == 403
            sockets.tier.strangers.leave("127.0.0.1")
            with room_page(tier, devices[1], scene.webinar) as second:
                assert second.enter()["number"] == 0
            scene.post()
            assert len(first.events(1)) == 1


def test_a_full_process_says_so_before_the_handshake_and_takes_the_next_when_one_has_left(
    scene: Scene, settings: Any
) -> None:
    settings.SOCKET_LIMIT = 1
    sockets = WatchSockets()
    with running_tier(sockets) as tier:
        with room_page(tier, scene.doctor(), scene.webinar) as first:
            first.enter()
            before = SOCKETS_REFUSED._value.get()
            with pytest.raises(InvalidStatus) as refused, room_page(tier, scene.doctor(), scene.webinar):
                pass
            assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (503, "5")
            assert SOCKETS_REFUSED._value.get() == before + 1
        assert wait_until(lambda: sockets.open == 0, seconds=60)
        with room_page(tier, scene.doctor(), scene.webinar) as second:
            assert second.enter()["number"] == 0


@pytest.mark.usefixtures("often")
def test_a_stopping_process_says_goodbye_and_counts_nobody_on(scene: Scene) -> None:
    with running_tier() as tier, room_page(tier, scene.doctor(), scene.webinar) as browser:
        browser.enter()
        while browser.hear()["t"] != "presence":
            pass
        assert people_in(scene.webinar.pk, now=now()).number == 1
        tier.stop()
        assert closing(browser.connection)[1] == 1012
    assert people_in(scene.webinar.pk, now=now()).number == 0


def test_a_browser_that_takes_nothing_is_let_go_and_the_others_wait_for_nothing(scene: Scene) -> None:
    """It stops reading; what the kernel holds for it fills up, then what the transport holds, then it is closed."""
    sockets = WatchSockets()
    sleepy, awake = scene.doctor(), scene.doctor()
    with running_tier(sockets) as tier, room_page(tier, awake, scene.webinar) as browser:
        browser.enter()
        with socket.create_connection(("127.0.0.1", tier.port)) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.sendall(handshake(scene, sleepy))
            assert b" 101 " in line.recv(100)
            line.sendall(client_frame(b'{"t":"room","since":0}'))
            room = sockets.tier.hub.rooms[scene.webinar.pk]
            assert wait_until(lambda: [one.live for one in room.members] == [True, True], seconds=PATIENCE)
            long, posted = "x" * 200_000, 0
            while len(sockets.tier.registry) == 2:
                scene.post(long)
                posted += 1
                assert len(browser.events(1)[0]["data"]["text"]) == len(long)
                assert posted < 200, "nobody was let go"
        scene.post("and on")
        assert browser.events(1)[0]["data"]["text"] == "and on"
    assert posted > 1


def handshake(scene: Scene, device: Device) -> bytes:
    return (
        f"GET /ws/webinars/{scene.webinar.pk}/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {'A' * 22}==\r\nSec-WebSocket-Version: 13\r\nOrigin: {ORIGIN}\r\n"
        f"Cookie: sessionid={device.session_key}\r\n\r\n"
    ).encode()
