"""Old events go, and whoever would have needed them is told to load the page again."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings as django_settings
from django.utils.timezone import now

from tests.room.rooms import Scene, make_scene
from tests.room.tier import room_page, running_tier
from webinars.domain import polling, room_state
from webinars.domain.polling import PolledRooms, TooOldError
from webinars.domain.room_sweep import remove_old_events
from webinars.models import Room, RoomEvent
from webinars.realtime.ring import Event
from webinars.tasks import remove_old_events as task

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = timedelta(days=django_settings.LIVE_EVENT_DAYS)
MINUTE = timedelta(minutes=1)


def make_over(*, ago: timedelta, events: int = 3) -> Scene:
    """Ended so long ago, a minute after the last event."""
    scene = make_scene()
    for _ in range(events):
        scene.post()
    scene.webinar.live_at, scene.webinar.ended_at = now() - ago - 60 * MINUTE, now() - ago
    scene.webinar.save()
    RoomEvent.objects.filter(webinar=scene.webinar).update(at=now() - ago - MINUTE)
    return scene


def kept(scene: Scene) -> tuple[int, int, list[int]]:
    room = Room.objects.get(pk=scene.webinar.pk)
    numbers = RoomEvent.objects.filter(webinar=scene.webinar).order_by("number").values_list("number", flat=True)
    return room.first_kept, room.last_number, list(numbers)


def test_only_rooms_that_are_over_long_enough_lose_events() -> None:
    old, recent, going_on = make_over(ago=DAYS + MINUTE), make_over(ago=DAYS - MINUTE), make_scene()
    going_on.post()
    RoomEvent.objects.filter(webinar=going_on.webinar).update(at=now() - 2 * DAYS)

    assert remove_old_events(now=now()) == 3
    assert kept(old) == (4, 3, [])
    assert kept(recent) == (1, 3, [1, 2, 3])
    assert kept(going_on) == (1, 1, [1])
    assert remove_old_events(now=now()) == 0


def test_a_late_follow_up_stays_and_numbers_go_on() -> None:
    scene = make_over(ago=DAYS + MINUTE)
    scene.post()

    assert task() == 3
    assert kept(scene) == (4, 4, [4])
    assert scene.post().number == 5
    assert kept(scene) == (4, 5, [4, 5])


def test_who_is_behind_loads_the_page_again_by_socket_and_by_polling() -> None:
    scene = make_over(ago=DAYS + MINUTE)
    doctor, last = scene.doctor(), scene.post().number
    remove_old_events(now=now())

    def poll(since: int) -> str:
        return PolledRooms().poll(session_key=doctor.session_key, webinar_id=scene.webinar.pk, since=since, now=now())

    with pytest.raises(TooOldError):
        poll(2)
    assert f'"number":{last}' in poll(3)
    with running_tier() as tier, room_page(tier, doctor, scene.webinar) as browser:
        browser.say({"t": "room", "since": 2})
        assert browser.answer()["t"] == "reload"
        browser.enter(3)
        assert [event["number"] for event in browser.events(1)] == [last]


@pytest.mark.parametrize("is_socket", [True, False])
def test_a_room_that_opens_while_the_sweep_removes_its_events_knows_that_they_are_gone(
    monkeypatch: pytest.MonkeyPatch, is_socket: bool
) -> None:
    """The sweep comes in exactly between reading the state of the room and reading its events."""
    scene = make_over(ago=DAYS + MINUTE)
    doctor, last = scene.doctor(), scene.post().number
    read = room_state.read_events

    def sweep_and_read(wanted: Sequence[tuple[int, int]]) -> list[Event]:
        remove_old_events(now=now())
        return read(wanted)

    monkeypatch.setattr(room_state if is_socket else polling, "read_events", sweep_and_read)
    if is_socket:
        with running_tier() as tier, room_page(tier, doctor, scene.webinar) as browser:
            browser.say({"t": "room", "since": 1})
            assert browser.answer()["t"] == "reload"
            browser.enter(3)
            assert [event["number"] for event in browser.events(1)] == [last]
        return
    rooms = PolledRooms()
    poll = partial(rooms.poll, session_key=doctor.session_key, webinar_id=scene.webinar.pk, now=now())
    with pytest.raises(TooOldError):
        poll(since=1)
    assert f'"number":{last}' in poll(since=3)


@pytest.mark.parametrize("value", ["0", "3651", "long"])
def test_the_setting_has_bounds(value: str) -> None:
    script = "import lms.settings"
    given = {**os.environ, "LIVE_EVENT_DAYS": value}
    ran = subprocess.run([sys.executable, "-c", script], env=given, capture_output=True, text=True, check=False)
    assert (ran.returncode, "LIVE_EVENT_DAYS must be" in ran.stderr) == (1, True)
