"""Places in a webinar: one each, and never one too many."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from accounts.models import AuditEvent
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from webinars.domain.registrations import (
    NoPlacesLeftError,
    RegistrationClosedError,
    cancel_registration,
    places_of,
    register,
)
from webinars.models import Registration, Webinar

STARTS = datetime.fromisoformat("2030-05-02T13:00:00+00:00")
BEFORE = STARTS - timedelta(days=1)


def scheduled(**given: Any) -> Webinar:
    webinar: Webinar = WebinarFactory.create(**{"video": None, "starts_at": STARTS, "needs_registration": True} | given)
    return webinar


@pytest.mark.django_db
class TestPlaces:
    def test_a_place_is_taken_once(self) -> None:
        webinar, doctor = scheduled(capacity=5), UserFactory.create()

        first = register(webinar=webinar, user=doctor, now=BEFORE)
        second = register(webinar=webinar, user=doctor, now=BEFORE + timedelta(hours=1))

        assert (first.pk, second.registered_at) == (second.pk, BEFORE)
        assert places_of(webinar=webinar, user=doctor, now=BEFORE).left == 4

    def test_when_all_are_taken_it_says_so_in_plain_words(self) -> None:
        webinar = scheduled(capacity=1)
        register(webinar=webinar, user=UserFactory.create(), now=BEFORE)

        with pytest.raises(NoPlacesLeftError) as refused:
            register(webinar=webinar, user=UserFactory.create(), now=BEFORE)

        assert "All places are taken" in str(refused.value.message)

    def test_a_place_that_is_given_back_can_be_taken_again(self) -> None:
        webinar, first, second = scheduled(capacity=1), UserFactory.create(), UserFactory.create()
        register(webinar=webinar, user=first, now=BEFORE)

        assert cancel_registration(webinar=webinar, user=first, now=BEFORE) is True
        assert cancel_registration(webinar=webinar, user=first, now=BEFORE) is False
        register(webinar=webinar, user=second, now=BEFORE)

        with pytest.raises(NoPlacesLeftError):
            register(webinar=webinar, user=first, now=BEFORE)

    def test_whom_a_moderator_lets_in_needs_no_free_place(self) -> None:
        webinar = scheduled(capacity=1)
        register(webinar=webinar, user=UserFactory.create(), now=BEFORE)

        register(webinar=webinar, user=UserFactory.create(), is_let_in=True, now=BEFORE)

        assert places_of(webinar=webinar, user=UserFactory.create(), now=BEFORE).left == 0

    @pytest.mark.parametrize("state", ["recorded", "cancelled", "ended"])
    def test_nobody_registers_for_what_is_over(self, state: str) -> None:
        states: dict[str, dict[str, Any]] = {
            "recorded": {"starts_at": None},
            "cancelled": {"cancelled_at": BEFORE},
            "ended": {"live_at": STARTS, "ended_at": STARTS + timedelta(hours=1)},
        }

        with pytest.raises(RegistrationClosedError):
            register(webinar=scheduled(**states[state]), user=UserFactory.create(), now=STARTS + timedelta(hours=2))

    def test_taking_and_giving_back_is_recorded(self) -> None:
        webinar, doctor = scheduled(), UserFactory.create()
        register(webinar=webinar, user=doctor, now=BEFORE)
        cancel_registration(webinar=webinar, user=doctor, now=BEFORE)

        actions = list(AuditEvent.objects.filter(actor=doctor).order_by("pk").values_list("action", flat=True))

        assert actions == ["webinar.registered", "webinar.registration_cancelled"]


@pytest.mark.django_db
class TestOverHttp:
    def test_a_doctor_registers_looks_and_gives_back(self) -> None:
        webinar = scheduled(starts_at=now() + timedelta(days=1), capacity=2)
        doctor = UserFactory.create()
        EnrolmentFactory.create(user=doctor, programme=webinar.lesson.course.programme)
        browser, address = signed_in(doctor), f"/api/v1/webinars/{webinar.pk}/registration/"

        assert browser.get(address).json() | {"registered_at": None} == {
            "needs_registration": True, "is_open": True, "capacity": 2, "left": 2, "registered_at": None,
        }  # fmt: skip
        assert browser.post(address).json()["left"] == 1
        assert browser.delete(address).json() | {"is_open": True} == {
            "needs_registration": True, "is_open": True, "capacity": 2, "left": 2, "registered_at": None,
        }  # fmt: skip

    def test_a_full_webinar_is_a_conflict_and_a_foreign_one_is_absent(self) -> None:
        webinar = scheduled(starts_at=now() + timedelta(days=1), capacity=1)
        doctor = UserFactory.create()
        EnrolmentFactory.create(user=doctor, programme=webinar.lesson.course.programme)
        register(webinar=webinar, user=UserFactory.create(), now=now())
        address = f"/api/v1/webinars/{webinar.pk}/registration/"

        refused = signed_in(doctor).post(address)

        assert (refused.status_code, "All places are taken" in refused.json()["detail"]) == (409, True)
        assert signed_in(UserFactory.create()).post(address).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_hundred_doctors_race_for_ten_places() -> None:
    webinar = scheduled(capacity=10)
    doctors = UserFactory.create_batch(100)
    start, outcomes = threading.Barrier(100), []

    def try_one(doctor: Any) -> None:
        try:
            start.wait(30)
            register(webinar=webinar, user=doctor, now=BEFORE)
            outcomes.append("in")
        except NoPlacesLeftError:
            outcomes.append("full")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_one, args=(doctor,)) for doctor in doctors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (outcomes.count("in"), outcomes.count("full")) == (10, 90)
    assert Registration.objects.filter(webinar=webinar, cancelled_at=None).count() == 10
