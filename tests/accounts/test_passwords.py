"""Passwords are possible, never needed, and never able to take the site down."""

import threading

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.test import Client
from pytest_django.fixtures import Settings

import core.hashing
from accounts.models import AuditEvent, User
from core.hashing import BoundedArgon2PasswordHasher, HashPoolBusyError
from tests.factories.accounts import UserFactory
from tests.signing_in import device_of, signed_in

pytestmark = pytest.mark.django_db

PATH = "/sign-in/password/"
GOOD = "five quiet herons waded"


@pytest.fixture
def argon2(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["core.hashing.BoundedArgon2PasswordHasher"]


def test_a_password_signs_in(client: Client) -> None:
    doctor = UserFactory.create(email="a@example.org", password=GOOD)

    response = client.post(PATH, {"email": " A@Example.org ", "password": GOOD, "next": "/account/"})

    assert response["Location"] == "/account/"
    assert client.session["_auth_user_id"] == str(doctor.pk)
    assert device_of(client).method == "password"


def test_sec_04_every_wrong_pair_gets_the_same_page() -> None:
    UserFactory.create(email="known@example.org", password=GOOD)
    UserFactory.create(email="disabled@example.org", password=GOOD, is_active=False)
    UserFactory.create(email="none@example.org")
    pages = set()
    for email, password in [
        ("known@example.org", "wrong wrong wrong"),
        ("unknown@example.org", GOOD),
        ("disabled@example.org", GOOD),
        ("none@example.org", ""),
        ("none@example.org", "!"),
    ]:
        response = Client().post(PATH, {"email": email, "password": password or "x"})
        lines = [line for line in response.content.decode().splitlines() if "csrfmiddlewaretoken" not in line]
        pages.add((response.status_code, "\n".join(lines).replace(email, "…")))

    assert len(pages) == 1
    assert AuditEvent.objects.filter(action="sign_in.refused").count() == 5


def test_sec_04_unknown_and_known_cost_one_hash_each(argon2: None, monkeypatch: pytest.MonkeyPatch) -> None:
    UserFactory.create(email="known@example.org", password=GOOD)
    UserFactory.create(email="none@example.org")
    counted: list[str] = []
    for name in ("encode", "verify"):
        original = getattr(BoundedArgon2PasswordHasher, name)

        def count(self: object, *args: str, _original: object = original, _name: str = name) -> object:
            counted.append(_name)
            return _original(self, *args)  # type: ignore[operator]

        monkeypatch.setattr(BoundedArgon2PasswordHasher, name, count)
    costs = []
    for email in ("known@example.org", "unknown@example.org", "none@example.org"):
        counted.clear()
        Client().post(PATH, {"email": email, "password": "wrong wrong wrong"})
        costs.append(len(counted))

    assert costs == [1, 1, 1]


def test_sec_06_argon2id_is_what_is_stored(argon2: None) -> None:
    stored = make_password(GOOD)

    assert stored.startswith("argon2$argon2id$")
    assert isinstance(identify_hasher(stored), BoundedArgon2PasswordHasher)


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("short", False),
        ("ninechars", False),
        ("password12", False),
        ("1234567890", False),
        ("nair@example.org", False),
        (GOOD, True),
        ("ẞülkäß für Ärzte", True),
        ("x y " * 32, True),
        ("x y " * 33, False),
        (" leading and trailing ", True),
    ],
)
def test_sec_06_what_makes_a_password(doctor: User, password: str, accepted: bool) -> None:
    browser = signed_in(doctor)

    response = browser.post("/account/password/", {"password": password})

    assert (response.status_code == 302) is accepted
    doctor.refresh_from_db()
    assert doctor.check_password(password) is accepted


def test_a_password_is_changed_only_by_who_proves_to_be_the_person(doctor: User) -> None:
    doctor.set_password(GOOD)
    doctor.save()
    browser = signed_in(doctor)

    for response in (
        browser.get("/account/password/"),
        browser.post("/account/password/", {"password": "a new good one"}),
    ):
        assert response["Location"] == "/account/reauthenticate/?next=%2Faccount%2Fpassword%2F"
    assert "a new good one" not in str(dict(browser.session))
    browser.post("/account/reauthenticate/", {"password": "wrong", "next": "/account/password/"})
    assert browser.get("/account/password/").status_code == 302

    response = browser.post("/account/reauthenticate/", {"password": GOOD, "next": "/account/password/"})

    assert response["Location"] == "/account/password/"
    assert browser.get("/account/password/").status_code == 200


def test_a_full_hash_pool_answers_503_and_everything_else_goes_on(
    client: Client, doctor: User, argon2: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.hashing, "WAIT_SECONDS", 0.01)
    pool = threading.BoundedSemaphore(1)
    monkeypatch.setattr(core.hashing, "_slots", pool)
    pool.acquire()

    busy = client.post(PATH, {"email": doctor.email, "password": GOOD})
    by_mail = client.post("/sign-in/", {"email": doctor.email})
    pool.release()
    free = client.post(PATH, {"email": doctor.email, "password": GOOD})

    assert (busy.status_code, busy["Retry-After"]) == (503, "5")
    assert "busy for a moment" in busy.content.decode()
    assert by_mail.status_code == 302
    assert free.status_code == 200


def test_the_pool_gives_every_slot_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.hashing, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(core.hashing, "_slots", threading.BoundedSemaphore(1))
    hasher = BoundedArgon2PasswordHasher()
    encoded = hasher.encode(GOOD, "saltsaltsalt")
    for _ in range(3):
        assert hasher.verify(GOOD, encoded)
    with core.hashing._slot(), pytest.raises(HashPoolBusyError):
        hasher.verify(GOOD, encoded)
    assert hasher.verify(GOOD, encoded)
