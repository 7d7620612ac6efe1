"""How often one may try, and whose address counts."""

from datetime import timedelta

import pytest
from django.test import Client, RequestFactory
from django.utils.timezone import now
from pytest_django.fixtures import Settings

import core.limits
from accounts.domain import limits, sign_in
from accounts.models import LimitCounter, SignInRequest, User
from core.http import client_address
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

START = "/sign-in/"


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is really refused: nothing listens on this port."""
    from redis import Redis

    dead = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    monkeypatch.setattr(core.limits, "get_redis_connection", lambda _alias: dead)
    monkeypatch.setattr(core.limits, "_breaker", core.limits._Breaker(0.0))


def ask(email: str, *, address: str = "192.0.2.1") -> int:
    return Client(REMOTE_ADDR=address).post(START, {"email": email}).status_code


def test_sec_05_one_account_gets_five_mails_in_ten_minutes(doctor: User) -> None:
    answers = [ask(doctor.email, address=f"192.0.2.{number}") for number in range(7)]

    assert answers == [302] * 5 + [429] * 2
    assert SignInRequest.objects.count() == 5


def test_sec_05_the_refusal_is_the_same_for_unknown_addresses_and_says_when(doctor: User) -> None:
    pages = []
    for email in (doctor.email, "nobody@example.org"):
        for _ in range(5):
            ask(email)
        response = Client().post(START, {"email": email})
        assert 0 < int(response["Retry-After"]) <= 600
        lines = [line for line in response.content.decode().splitlines() if "csrf" not in line]
        pages.append("\n".join(lines).replace(email, "…"))

    assert pages[0] == pages[1]
    assert "Please wait 10 minutes" in pages[0]


def test_sec_05_case_and_spaces_make_no_other_account(doctor: User) -> None:
    spellings = [doctor.email, doctor.email.upper(), f" {doctor.email}", doctor.email.title(), doctor.email]
    assert [ask(spelling) for spelling in spellings] == [302] * 5

    assert ask(doctor.email) == 429


def test_five_hundred_doctors_behind_one_hospital_address_all_get_their_mail() -> None:
    people = UserFactory.create_batch(500)

    for person in people:
        sign_in.request_sign_in(email=person.email, address="198.51.100.7", now=now())

    assert SignInRequest.objects.exclude(user=None).count() == 500


def test_sec_05_a_machine_that_guesses_is_stopped_by_its_address(doctor: User) -> None:
    for _ in range(limits.FAILURES_PER_ADDRESS.most):
        sign_in.note_failure(address="203.0.113.9")

    with pytest.raises(sign_in.TooManyError):
        sign_in.begin_password_attempt(email="a@example.org", address="203.0.113.9")
    with pytest.raises(sign_in.TooManyError):
        sign_in.use_code(request_id=1, code="123456", address="203.0.113.9", now=now())
    sign_in.begin_password_attempt(email="a@example.org", address="203.0.113.10")


def test_sec_05_the_site_as_a_whole_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAILS_IN_ALL", limits.Limit("mails-all", 3))
    answers = [ask(f"{number}@example.org", address=f"192.0.2.{number}") for number in range(4)]

    assert answers == [302, 302, 302, 429]


def test_sec_05_a_spoofed_forwarded_address_changes_nothing(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 2
    request = RequestFactory().get(
        "/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 7.7.7.7, 203.0.113.5, 10.0.0.2"
    )

    assert client_address(request) == "203.0.113.5"


@pytest.mark.parametrize("forwarded", ["", "6.6.6.6", "nonsense, 10.0.0.2", "'; DROP TABLE x; --, 10.0.0.2"])
def test_sec_05_a_missing_or_broken_entry_fails_towards_the_proxy(settings: Settings, forwarded: str) -> None:
    settings.TRUSTED_PROXIES = 2
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert client_address(request) == "10.0.0.1"


def test_sec_05_without_proxies_the_header_is_not_read(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 0
    for number in range(limits.MAILS_PER_ACCOUNT.most):
        Client(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=f"6.6.6.{number}").post(
            START, {"email": f"{number}@b.org"}
        )

    assert set(SignInRequest.objects.values_list("address", flat=True)) == {"192.0.2.1"}


def test_sec_33_the_limits_hold_without_redis(doctor: User, without_redis: None) -> None:
    answers = [ask(doctor.email) for _ in range(7)]

    assert answers == [302] * 5 + [429] * 2
    assert LimitCounter.objects.get(key__contains="mails-account").hits == 7


def test_sec_33_the_window_opens_again_without_redis(doctor: User, without_redis: None) -> None:
    for _ in range(6):
        ask(doctor.email)
    LimitCounter.objects.update(ends_at=now() - timedelta(seconds=1))

    assert ask(doctor.email) == 302


def test_sec_05_wrong_passwords_are_limited_for_the_account_from_wherever(doctor: User) -> None:
    doctor.set_password("five quiet herons waded")
    doctor.save()
    path = "/sign-in/password/"
    guess = {"email": doctor.email, "password": "wrong wrong wrong"}
    answers = [Client(REMOTE_ADDR=f"192.0.2.{n}").post(path, guess).status_code for n in range(12)]

    assert answers == [200] * 10 + [429] * 2
    right = Client().post(path, {"email": doctor.email, "password": "five quiet herons waded"})
    assert right.status_code == 429
    assert ask(doctor.email) == 302  # the way by e-mail stays open to the person


def test_a_right_password_starts_the_count_anew(doctor: User) -> None:
    doctor.set_password("five quiet herons waded")
    doctor.save()
    path = "/sign-in/password/"
    for _ in range(3):
        for _ in range(8):
            Client().post(path, {"email": doctor.email, "password": "wrong wrong wrong"})
        right = Client().post(path, {"email": doctor.email, "password": "five quiet herons waded"})
        assert right.status_code == 302
