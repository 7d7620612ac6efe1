"""The same events by polling, for few queries, and with the same rights."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import Device
from courses.models import Enrolment, RoleGrant
from tests.room.rooms import Scene, make_scene
from tests.signing_in import signed_in
from webinars.domain import polling
from webinars.domain.polling import NotInError, PolledRooms, RemovedError, TooOldError
from webinars.domain.presence import People, people_in, report
from webinars.enums import Audience, Restriction
from webinars.models import PersonRestriction, Room, RoomEvent
from webinars.realtime.ring import MOST_BEHIND

pytestmark = pytest.mark.django_db
TIMES = ("LOOK_SECONDS", "RIGHTS_SECONDS", "STATE_SECONDS", "REPORT_SECONDS")


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept from one poll to the next: what a second or two would bring."""
    for name in TIMES:
        monkeypatch.setattr(polling, name, 0.0)


def numbers(answer: dict[str, Any]) -> list[int]:
    return [event["number"] for event in answer["events"]]


def poll(rooms: PolledRooms, device: Device, scene: Scene, since: int) -> dict[str, Any]:
    import json

    text = rooms.poll(session_key=device.session_key, webinar_id=scene.webinar.pk, since=since, now=now())
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_api_answers_with_the_room_and_what_was_missed(scene: Scene) -> None:
    doctor = scene.doctor()
    first = scene.post("one")
    browser = signed_in(doctor.user)
    answer = browser.get(f"/api/v1/webinars/{scene.webinar.pk}/events/", {"since": 0})
    assert answer.status_code == 200
    body = answer.json()
    assert body["events"] == [
        {
            "t": "event",
            "number": 1,
            "kind": "announcement",
            "at": first.at.isoformat(),
            "data": {"id": 1, "text": "one"},
        }
    ]
    assert {name: body[name] for name in ("number", "state", "part", "people", "may")} == {
        "number": 1,
        "state": "live",
        "part": "attendee",
        "people": 1,
        "may": {"ask": True, "read": True, "vote": True},
    }
    assert polling.AGAIN_SECONDS[0] <= body["again"] <= polling.AGAIN_SECONDS[1]
    assert browser.get(f"/api/v1/webinars/{scene.webinar.pk}/events/", {"since": "x"}).status_code == 400
    assert browser.get(f"/api/v1/webinars/{scene.webinar.pk}/events/", {"since": 9}).status_code == 410


@pytest.mark.usefixtures("at_once")
def test_each_audience_polls_its_own_events_and_nothing_else(scene: Scene) -> None:
    """Whatever is posted for others moves the number on and says nothing."""
    doctor, other, presenter, moderator = scene.doctor(), scene.doctor(), scene.presenter(), scene.moderator()
    scene.post(audience=Audience.ALL)
    scene.post(audience=Audience.PRESENTERS)
    scene.post(audience=Audience.MODERATORS)
    scene.post(audience=Audience.PERSON, person=doctor.user)
    rooms = PolledRooms()
    found = {one: poll(rooms, one, scene, 0) for one in (doctor, other, presenter, moderator)}
    assert [numbers(found[one]) for one in (doctor, other, presenter, moderator)] == [[1, 4], [1], [1, 2], [1, 2, 3]]
    assert {answer["number"] for answer in found.values()} == {4}
    assert [found[one]["part"] for one in (doctor, presenter, moderator)] == ["attendee", "presenter", "moderator"]


def test_thousands_of_polls_within_a_second_cost_nothing_more_than_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TIMES:  # however long this machine takes for them
        monkeypatch.setattr(polling, name, 600.0)
    rooms = PolledRooms()
    devices = [scene.doctor() for _ in range(3)]
    for device in devices:
        poll(rooms, device, scene, 0)
    with CaptureQueriesContext(connection) as captured:
        for _ in range(300):
            for device in devices:
                poll(rooms, device, scene, 0)
    assert len(captured) == 0


def test_who_has_heard_more_from_another_process_is_not_sent_away(scene: Scene) -> None:
    doctor, rooms = scene.doctor(), PolledRooms()
    assert poll(rooms, doctor, scene, 0)["number"] == 0
    scene.post()
    assert poll(rooms, doctor, scene, 1)["number"] == 1
    with pytest.raises(TooOldError):
        poll(rooms, doctor, scene, 2)


def test_too_far_behind_is_told_to_load_the_page_again(scene: Scene) -> None:
    doctor, rooms = scene.doctor(), PolledRooms()
    moment = now()
    RoomEvent.objects.bulk_create(
        RoomEvent(webinar=scene.webinar, number=n, kind="lanes", audience="all", at=moment)
        for n in range(1, MOST_BEHIND + 11)
    )
    Room.objects.create(webinar=scene.webinar, last_number=MOST_BEHIND + 10)
    assert len(poll(rooms, doctor, scene, 10)["events"]) == MOST_BEHIND
    with pytest.raises(TooOldError):
        poll(rooms, doctor, scene, 9)
    Room.objects.update(first_kept=500)
    with pytest.raises(TooOldError):
        poll(PolledRooms(), doctor, scene, 498)
    assert numbers(poll(PolledRooms(), doctor, scene, 499))[0] == 500


def remove(scene: Scene, device: Device) -> None:
    PersonRestriction.objects.create(webinar=scene.webinar, user=device.user, kind=Restriction.REMOVED, at=now())


def withdraw(scene: Scene, device: Device) -> None:
    Enrolment.objects.filter(user=device.user).update(status="suspended")


def sign_out(scene: Scene, device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(ended_at=now(), ended_reason="revoked")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("lose", "error"), [(remove, RemovedError), (withdraw, NotInError), (sign_out, NotInError)])
def test_who_loses_the_right_gets_no_answer(
    scene: Scene, lose: Callable[[Scene, Device], None], error: type[Exception]
) -> None:
    doctor, neighbour, rooms = scene.doctor(), scene.doctor(), PolledRooms()
    poll(rooms, doctor, scene, 0)
    lose(scene, doctor)
    scene.post()
    with pytest.raises(error):
        poll(rooms, doctor, scene, 0)
    assert numbers(poll(rooms, neighbour, scene, 0)) == [1]


@pytest.mark.usefixtures("at_once")
def test_a_moderator_no_more_is_an_attendee_with_the_next_poll(scene: Scene) -> None:
    moderator, rooms = scene.moderator(), PolledRooms()
    scene.post(audience=Audience.MODERATORS)
    assert numbers(poll(rooms, moderator, scene, 0)) == [1]
    scene.doctor()  # nobody special
    Enrolment.objects.create(user=moderator.user, programme=scene.programme, status="active", enrolled_at=now())
    RoleGrant.objects.filter(user=moderator.user).delete()
    again = poll(rooms, moderator, scene, 0)
    assert (again["part"], numbers(again)) == ("attendee", [])


def test_strangers_open_no_room(scene: Scene) -> None:
    rooms, stranger = PolledRooms(), scene.stranger()
    for webinar_id in (scene.webinar.pk, 10**12):
        with pytest.raises(NotInError):
            rooms.poll(session_key=stranger.session_key, webinar_id=webinar_id, since=0, now=now())
    assert rooms._rooms == {}


@pytest.mark.usefixtures("at_once")
def test_a_changed_date_changes_the_state_without_an_event(scene: Scene) -> None:
    doctor, rooms = scene.doctor(), PolledRooms()
    assert poll(rooms, doctor, scene, 0)["state"] == "live"
    scene.webinar.ended_at = now() + timedelta(seconds=1)
    scene.webinar.save()
    assert poll(rooms, doctor, scene, 0)["state"] == "ended"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("at_once")
def test_polls_of_two_processes_while_events_are_posted_miss_and_double_nothing() -> None:
    """Each poller is answered by one process, then by the other, which may know less."""
    scene = make_scene()
    doctors = [scene.doctor() for _ in range(4)]
    processes = [PolledRooms(), PolledRooms()]
    heard: dict[int, list[int]] = {doctor.user_id: [] for doctor in doctors}
    posted: list[RoomEvent] = []
    failures: list[BaseException] = []

    def work(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            connection.close()

    def post_many() -> None:
        for n in range(60):
            person = doctors[n % 4].user if n % 3 == 0 else None
            posted.append(scene.post(audience=Audience.PERSON if person else Audience.ALL, person=person))
        posted.append(scene.post("the last"))

    def follow(doctor: Device) -> None:
        since, turn = 0, 0
        while not failures and not (heard[doctor.user_id] and heard[doctor.user_id][-1] == 61):
            answer = poll(processes[turn % 2], doctor, scene, since)
            heard[doctor.user_id] += numbers(answer)
            since, turn = answer["number"], turn + 1

    tasks: list[Callable[[], None]] = [post_many, *(lambda one=doctor: follow(one) for doctor in doctors)]
    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert failures == []
    for doctor in doctors:
        mine = [event.number for event in posted if event.person_id in {None, doctor.user_id}]
        assert heard[doctor.user_id] == mine


@pytest.mark.usefixtures("at_once")
def test_who_polls_is_counted_and_counted_no_more_when_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, rooms = scene.doctor(), scene.doctor(country="DE"), PolledRooms()
    for device in (one, two):
        poll(rooms, device, scene, 0)
    answer = poll(rooms, one, scene, 0)
    assert people_in(scene.webinar.pk, now=now()) == People(2, {"IN": 1, "DE": 1})
    assert answer["people"] == 2
    report({scene.webinar.pk: {10**6: "FR"}}, process="another", now=now())
    assert poll(rooms, one, scene, 0)["people"] == 3
    monkeypatch.setattr(polling, "GONE_SECONDS", 0.0)
    poll(rooms, one, scene, 0)
    poll(rooms, one, scene, 0)
    assert people_in(scene.webinar.pk, now=now()).countries == {"FR": 1}


def test_where_many_poll_each_is_asked_to_come_less_often(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms, doctors = PolledRooms(), [scene.doctor() for _ in range(4)]
    monkeypatch.setattr(polling, "COMFORTABLE", 2)
    low, high = polling.AGAIN_SECONDS
    found = [poll(rooms, doctor, scene, 0)["again"] for doctor in doctors]
    assert low <= found[0] <= high
    assert low * 2 <= found[3] <= high * 2
    monkeypatch.setattr(polling, "COMFORTABLE", 0.1)
    assert poll(rooms, doctors[0], scene, 0)["again"] <= high * polling.MOST_STRETCH
