"""The queue at the door on the desk: who waits, one tap for each, and what can be taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import AuditEvent, User
from tests.desk.test_desk_pages import address, moderator, overview
from tests.factories.accounts import UserFactory
from tests.room.rooms import Scene, make_scene
from tests.signing_in import signed_in
from tests.stage.doors import ask, open_door
from webinars.domain.desk_door import SHOWN, waiting_at_door
from webinars.domain.desk_overview import activity
from webinars.enums import SpotState
from webinars.models import SpotRequest, SpotWindow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def wait(window: SpotWindow, name: str = "One", **given: str) -> SpotRequest:
    return ask(window, email=f"{name.lower()}@clinic.example", last_name=name, registration_number=name, **given)


def decide(browser: Client, scene: Scene, request: SpotRequest, move: str) -> Any:
    return browser.post(address(scene, f"door/{request.pk}/{move}/"), REMOTE_ADDR="198.51.100.7")


def test_all_doors_of_the_webinar_are_one_queue_and_those_of_others_are_not_in_it(scene: Scene) -> None:
    first, second = open_door(scene.webinar), open_door(scene.webinar, capacity=5)
    wait(second, "One")
    wait(first, "Two")
    wait(open_door(), "Elsewhere")
    browser = signed_in(moderator(scene))

    waiting = overview(browser, scene)["waiting"]

    assert [one["name"] for one in waiting["results"]] == ["Asha One", "Asha Two"]
    assert (waiting["pending"], waiting["approved"], waiting["capacity"]) == (2, 0, 15)
    assert browser.get(address(scene, "door/")).json() == waiting


def test_why_to_look_twice_is_said_in_words(scene: Scene) -> None:
    UserFactory.create(title="", first_name="Asha", last_name="Twice", country="IN")
    window = open_door(scene.webinar)
    wait(window, "Twice")
    wait(window, "Once")

    found = [one["duplicate"] for one in waiting_at_door(webinar=scene.webinar)["results"]]

    assert found == ["Same name and country as Asha Twice.", ""]


def test_one_tap_lets_in_and_the_answer_is_who_waits_now(scene: Scene) -> None:
    window, user = open_door(scene.webinar), moderator(scene)
    one, two = wait(window, "One"), wait(window, "Two")

    answer = decide(signed_in(user), scene, one, "approve")

    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["results"]] == [two.pk]
    assert (answer.json()["pending"], answer.json()["approved"]) == (1, 1)
    assert User.objects.filter(email="one@clinic.example").exists()
    event = AuditEvent.objects.get(action="spot.approved")
    assert (event.actor, event.address) == (user, "198.51.100.7")


def test_who_was_turned_away_by_mistake_waits_again(scene: Scene) -> None:
    window, browser = open_door(scene.webinar), signed_in(moderator(scene))
    one = wait(window)

    assert decide(browser, scene, one, "deny").json()["results"] == []
    answer = decide(browser, scene, one, "put-back")
    assert [row["id"] for row in answer.json()["results"]] == [one.pk]
    assert decide(browser, scene, one, "approve").status_code == 200

    done = [row["did"] for row in activity(webinar=scene.webinar)]
    assert done == ["spot.approved", "spot.put_back", "spot.denied"]
    addresses = AuditEvent.objects.filter(action__in=done).values_list("address", flat=True)
    assert set(addresses) == {"198.51.100.7"}


@pytest.mark.parametrize("move", ["deny", "put-back"])
def test_who_was_let_in_is_in(scene: Scene, move: str) -> None:
    window, browser = open_door(scene.webinar), signed_in(moderator(scene))
    one = wait(window)
    decide(browser, scene, one, "approve")

    answer = decide(browser, scene, one, move)

    assert (answer.status_code, answer.json()) == (409, {"detail": "Somebody has decided on this request already."})


def test_a_full_door_says_so(scene: Scene) -> None:
    window, browser = open_door(scene.webinar, capacity=1), signed_in(moderator(scene))
    one, two = wait(window, "One"), wait(window, "Two")
    decide(browser, scene, one, "approve")

    answer = decide(browser, scene, two, "approve")

    assert (answer.status_code, answer.json()["detail"]) == (409, "All places at the door are taken.")


def test_nobody_else_decides(scene: Scene) -> None:
    one = wait(open_door(scene.webinar))
    elsewhere, here = make_scene(), signed_in(moderator(scene))

    assert decide(signed_in(moderator(elsewhere)), scene, one, "approve").status_code == 404
    assert decide(signed_in(moderator(elsewhere)), elsewhere, one, "approve").status_code == 404
    assert decide(signed_in(scene.doctor().user), scene, one, "approve").status_code == 302
    assert decide(here, scene, one, "explode").status_code == 404
    assert here.get(address(scene, f"door/{one.pk}/approve/")).status_code == 405
    one.refresh_from_db()
    assert one.state == SpotState.PENDING


def test_a_long_queue_costs_no_more_than_a_short_one(scene: Scene, django_assert_num_queries: Any) -> None:
    window = open_door(scene.webinar, capacity=1000)
    waiting: dict[str, Any] = {}
    for count in (1, SHOWN + 5):
        while SpotRequest.objects.filter(window=window).count() < count:
            wait(window, f"N{SpotRequest.objects.count()}", address=f"192.0.2.{count}")
        with django_assert_num_queries(3):
            waiting = waiting_at_door(webinar=scene.webinar)
    assert (waiting["pending"], len(waiting["results"])) == (SHOWN + 5, SHOWN)
