"""The caller's own account and devices."""

from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Device, User
from tests.factories.accounts import UserFactory
from tests.signing_in import device_of, signed_in

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"
DEVICES = "/api/v1/devices/"


@pytest.fixture
def doctor() -> User:
    return UserFactory.create(email="meera@example.org", first_name="Meera", last_name="Nair")


@pytest.fixture
def browser(doctor: User) -> Client:
    return signed_in(doctor)


def patch(browser: Client, body: object) -> tuple[int, dict[str, object]]:
    response = browser.patch(ME, body, content_type="application/json")
    return response.status_code, response.json()


class TestMe:
    def test_says_who_is_signed_in_and_nothing_of_the_password(self, browser: Client, doctor: User) -> None:
        body = browser.get(ME).json()

        assert body["email"] == "meera@example.org"
        assert body["name"] == "Dr Meera Nair"
        assert body["country"] == "IN"
        assert set(body) == {
            "id", "email", "name", "title", "first_name", "last_name", "specialty", "country", "timezone",
            "timezone_confirmed_at", "language", "phone", "medical_council", "registration_number", "is_staff",
            "created_at",
        }  # fmt: skip

    def test_sec_21_it_brings_the_token_that_a_change_needs(self, doctor: User) -> None:
        browser = signed_in(doctor, enforce_csrf_checks=True)
        assert browser.patch(ME, {"specialty": "Fertility"}, content_type="application/json").status_code == 403

        browser.get(ME)
        token = {"X-CSRFToken": browser.cookies["csrftoken"].value}
        response = browser.patch(ME, {"specialty": "Fertility"}, content_type="application/json", headers=token)

        assert response.status_code == 200

    def test_changes_the_named_fields_only(self, browser: Client, doctor: User) -> None:
        status, body = patch(browser, {"specialty": "Fertility", "timezone": "Europe/Lisbon", "phone": "+351912345678"})

        doctor.refresh_from_db()
        assert status == 200
        assert (doctor.specialty, doctor.timezone, str(doctor.phone)) == ("Fertility", "Europe/Lisbon", "+351912345678")
        assert (doctor.first_name, doctor.last_name) == ("Meera", "Nair")
        assert body["phone"] == "+351912345678"

    @pytest.mark.parametrize("stored", [{"timezone": "Mars/Olympus"}, {"language": "tlh"}])
    def test_a_stored_value_that_is_known_no_longer_stands_in_nobodys_way(
        self, browser: Client, doctor: User, stored: dict[str, str]
    ) -> None:
        User.objects.filter(pk=doctor.pk).update(**stored)

        status, body = patch(browser, {"phone": "+351912345678"})

        assert status == 200
        assert body["phone"] == "+351912345678"
        assert stored.items() <= body.items()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "other@example.org"),
            ("is_staff", True),
            ("is_superuser", True),
            ("is_active", False),
            ("id", 1),
            ("password", "x"),
            ("groups", [1]),
            ("role_grants", [1]),
            ("timezone_confirmed_at", None),
            ("no_such_field", "x"),
            ("csrfmiddlewaretoken ", "x"),
        ],
    )
    def test_sec_20_refuses_privileged_and_unknown_fields_and_changes_nothing(
        self, browser: Client, doctor: User, field: str, value: object
    ) -> None:
        before = User.objects.filter(pk=doctor.pk).values().get()

        status, body = patch(browser, {"specialty": "Fertility", field: value})

        assert status == 400
        assert body["errors"] == [
            {"pointer": f"#/{field}", "code": "unknown", "detail": "This field is unknown or may not be changed."}
        ]
        assert User.objects.filter(pk=doctor.pk).values().get() == before

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("timezone", "Mars/Olympus"),
            ("timezone", "../../etc/passwd"),
            ("timezone", None),
            ("language", "tlh"),
            ("country", "XX"),
            ("country", 7),
            ("phone", "12"),
            ("first_name", "x" * 101),
            ("first_name", "nul\x00"),
            ("first_name", "\ud800"),
            ("first_name", ["a"]),
            ("first_name", {"a": 1}),
            ("first_name", True),
        ],
    )
    def test_a_bad_value_is_named_by_its_field(self, browser: Client, field: str, value: object) -> None:
        status, body = patch(browser, {field: value})

        assert status == 400
        assert [error["pointer"] for error in body["errors"]] == [f"#/{field}"]  # type: ignore[attr-defined]

    def test_a_name_that_is_markup_stays_text(self, browser: Client) -> None:
        status, body = patch(browser, {"first_name": "<script>alert(1)</script>"})

        assert status in {200, 400}
        assert status == 400 or body["first_name"] == "<script>alert(1)</script>"


class TestDevices:
    def test_lists_exactly_the_open_ones_of_the_caller(self, browser: Client, doctor: User) -> None:
        other = device_of(signed_in(doctor))
        signed_in(UserFactory.create())
        ended = device_of(signed_in(doctor))
        Device.objects.filter(pk=ended.pk).update(ended_at=ended.created_at, ended_reason="signed_out")

        rows = browser.get(DEVICES).json()["results"]

        assert [(row["id"], row["is_current"]) for row in rows] == [
            (str(other.pk), False),
            (str(device_of(browser).pk), True),
        ]

    def test_signs_another_one_out(self, browser: Client, doctor: User) -> None:
        other = signed_in(doctor)

        response = browser.delete(f"{DEVICES}{device_of(other).pk}/")

        assert response.status_code == 204
        assert other.get(ME).status_code == 401
        assert browser.get(ME).status_code == 200

    def test_sec_19_somebody_elses_device_is_as_absent_and_stays(self, browser: Client) -> None:
        stranger = signed_in(UserFactory.create())

        foreign = browser.delete(f"{DEVICES}{device_of(stranger).pk}/")
        absent = browser.delete(f"{DEVICES}{uuid4()}/")

        assert foreign.status_code == absent.status_code == 404
        assert foreign.json()["detail"] == absent.json()["detail"]
        assert stranger.get(ME).status_code == 200

    def test_signs_all_others_out(self, browser: Client, doctor: User) -> None:
        others = [signed_in(doctor), signed_in(doctor)]
        stranger = signed_in(UserFactory.create())

        response = browser.post(f"{DEVICES}sign-out-others/")

        assert (response.status_code, response.json()) == (200, {"ended": 2})
        assert [other.get(ME).status_code for other in others] == [401, 401]
        assert browser.get(ME).status_code == stranger.get(ME).status_code == 200

    @pytest.mark.parametrize("rows", [1, 3])
    def test_costs_the_same_for_one_and_three(
        self, browser: Client, doctor: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(rows - 1):
            signed_in(doctor)
        browser.get(DEVICES)

        with django_assert_num_queries(2):  # the person with the device, and the list
            response = browser.get(DEVICES)

        assert len(response.json()["results"]) == rows
