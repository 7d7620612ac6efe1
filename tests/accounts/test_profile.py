"""What people change about themselves, and nothing else."""

from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.timezone import now

from accounts.domain import people
from accounts.domain.time_zones import RENAMED_ZONES
from accounts.models import User
from tests.factories.accounts import UserFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db

PAGE = "/account/"
FORM = {
    "title": "Prof",
    "first_name": "Meera",
    "last_name": "Nair-Iyer",
    "specialty": "Reproductive medicine",
    "country": "IN",
    "timezone": "Asia/Kolkata",
    "language": "en",
    "phone": "+91 98765 43210",
    "medical_council": "NMC",
    "registration_number": "12-345",
}


def test_a_person_changes_the_profile(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(timezone_confirmed_at=None)

    response = signed_in(doctor).post(PAGE, FORM)

    assert response["Location"] == PAGE
    doctor.refresh_from_db()
    assert doctor.get_full_name() == "Prof Meera Nair-Iyer"
    assert str(doctor.phone) == "+919876543210"
    assert doctor.timezone_confirmed_at is not None


def test_sec_20_privileged_fields_are_not_looked_at(doctor: User) -> None:
    before = {
        name: getattr(doctor, name) for name in ("email", "is_staff", "is_superuser", "is_active", "password", "pk")
    }

    signed_in(doctor).post(
        PAGE,
        FORM
        | {
            "email": "x@example.org",
            "is_staff": "on",
            "is_superuser": "1",
            "is_active": "",
            "id": "1",
            "password": "x",
        },
    )

    doctor.refresh_from_db()
    assert doctor.last_name == "Nair-Iyer"
    assert {name: getattr(doctor, name) for name in before} == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("timezone", ""),
        ("country", "XX"),
        ("phone", "12"),
        ("phone", "98765 43210"),
        ("title", "D" * 31),
        ("first_name", "M" * 101),
        ("last_name", "a\x00b"),
    ],
)
def test_bad_input_is_told_at_the_field_and_changes_nothing(doctor: User, field: str, value: str) -> None:
    response = signed_in(doctor).post(PAGE, FORM | {field: value})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    doctor.refresh_from_db()
    assert doctor.title == "Dr"


def test_sec_22_a_name_is_text_on_every_page(doctor: User) -> None:
    nasty = "<script>alert(1)</script>"
    browser = signed_in(doctor)
    browser.post(PAGE, FORM | {"first_name": nasty, "medical_council": '"><img src=x onerror=alert(2)>'})

    for path in (PAGE, "/account/devices/", "/account/second-step/"):
        page = browser.get(path).content.decode()
        assert nasty not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;" in browser.get(PAGE).content.decode()


def test_the_banner_sets_and_confirms_the_zone(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(timezone_confirmed_at=None, timezone="UTC")
    browser = signed_in(doctor)

    response = browser.post("/account/time-zone/", {"timezone": "Asia/Calcutta", "next": "/account/devices/"})

    assert response["Location"] == "/account/devices/"
    doctor.refresh_from_db()
    assert (doctor.timezone, doctor.timezone_confirmed_at is not None) == ("Asia/Kolkata", True)


def test_the_zone_taken_from_the_browser_is_asked_about_once_also_without_javascript(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(timezone_confirmed_at=None)
    browser = signed_in(doctor)
    page = browser.get("/account/devices/").content.decode()
    assert "Is that right for you?" in page
    assert '<input type="hidden" name="timezone" value="Asia/Kolkata">' in page

    browser.post("/account/time-zone/", {"timezone": "Asia/Kolkata", "next": "/account/devices/"})

    assert "Is that right for you?" not in browser.get("/account/devices/").content.decode()


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "a" * 5000, "\x00"])
def test_a_zone_that_is_none_changes_nothing(doctor: User, zone: str) -> None:
    response = signed_in(doctor).post("/account/time-zone/", {"timezone": zone, "next": "//evil.example"})

    assert response["Location"] == PAGE
    doctor.refresh_from_db()
    assert doctor.timezone == "Asia/Kolkata"


def test_the_zone_of_the_browser_is_taken_until_the_person_confirms_one() -> None:
    person = UserFactory.create(timezone="UTC", timezone_confirmed_at=None)

    assert people.adopt_timezone(user=person, timezone="Europe/Kiev")
    assert not people.adopt_timezone(user=person, timezone="Mars/Olympus")
    people.confirm_timezone(user=person, timezone="America/Lima", now=now())
    assert not people.adopt_timezone(user=person, timezone="Europe/Berlin")

    person.refresh_from_db()
    assert person.timezone == "America/Lima"


@pytest.mark.parametrize(("old", "new"), RENAMED_ZONES.items())
def test_a_renamed_zone_keeps_its_clock(old: str, new: str) -> None:
    """Whatever the list says, nobody's hour may change by it."""
    zones = resources.files("tzdata") / "zoneinfo"

    assert zones.joinpath(*old.split("/")).read_bytes() == zones.joinpath(*new.split("/")).read_bytes()
    assert people.check_timezone(old) == people.check_timezone(new) == new


def test_the_list_of_renamed_zones_is_in_one_place() -> None:
    scripts = "".join(path.read_text() for path in (Path(settings.BASE_DIR) / "static/js").rglob("*.js"))

    assert "timeZone" in scripts
    assert [zone for zone in (*RENAMED_ZONES, *RENAMED_ZONES.values()) if "/" in zone and zone in scripts] == []


def test_the_form_keeps_a_stored_language_that_is_known_no_longer(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(language="tlh")

    response = signed_in(doctor).post(PAGE, {name: value for name, value in FORM.items() if name != "language"})

    assert response.status_code == 302
    doctor.refresh_from_db()
    assert (doctor.last_name, doctor.language) == ("Nair-Iyer", "tlh")


def test_times_are_shown_in_the_zone_of_the_person(doctor: User) -> None:
    browser = signed_in(doctor)

    assert "Kolkata, UTC+5:30" in browser.get("/account/devices/").content.decode()
    people.confirm_timezone(user=doctor, timezone="America/Lima", now=now())
    assert "Lima, UTC−5" in browser.get("/account/devices/").content.decode()


def test_a_zone_the_machine_does_not_know_shows_utc(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(timezone="Mars/Olympus")

    page = signed_in(doctor).get(PAGE)

    assert page.status_code == 200


def test_the_domain_checks_for_every_surface(doctor: User) -> None:
    with pytest.raises(ValidationError):
        people.update_profile(user=doctor, values={"timezone": "Mars/Olympus"}, now=now())
    with pytest.raises(ValidationError):
        people.update_profile(user=doctor, values={"language": "tlh"}, now=now())
    doctor.refresh_from_db()
    people.update_profile(user=doctor, values={"email": "x@example.org", "is_staff": True, "title": "Prof"}, now=now())

    doctor.refresh_from_db()
    assert (doctor.email, doctor.is_staff, doctor.title) == ("meera.nair@example.org", False, "Prof")


def test_old_sign_in_requests_are_swept(client: Client, doctor: User) -> None:
    client.post("/sign-in/", {"email": doctor.email})

    people.tidy_up(now=now() + timedelta(days=6))
    assert doctor.sign_in_requests.count() == 1
    people.tidy_up(now=now() + timedelta(days=8))
    assert doctor.sign_in_requests.count() == 0
