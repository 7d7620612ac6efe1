"""The second step: forced for staff, asked after every first step, each code good once."""

import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

import core.limits
from accounts.domain import invitations, people
from accounts.enums import Role, SignInMethod
from accounts.models import AuditEvent, User
from tests.accounts.helpers import code_in, deliver, link_in
from tests.factories.accounts import UserFactory
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import device_of, signed_in

pytestmark = pytest.mark.django_db

STEP = "/account/second-step/authenticate/"
PASSWORD = "five quiet herons waded"


def protect(user: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code_of(secret: str, *, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


@pytest.fixture
def moderator(db: None) -> User:
    user: User = RoleGrantFactory.create(user=UserFactory.create(email="mod@example.org"), role=Role.MODERATOR).user
    return user


@pytest.mark.parametrize("path", ["/admin/", "/admin/courses/programme/", "/admin/nothing/here/", "/admin/jsi18n/"])
def test_sec_07_no_admin_page_before_a_second_step_is_enrolled(moderator: User, path: str) -> None:
    browser = signed_in(moderator, second_step=False)

    response = browser.get(path)

    assert (response.status_code, response["Location"]) == (302, reverse("mfa_activate_totp"))
    assert "protect your account with a second step" in browser.get(response["Location"]).content.decode()


@pytest.mark.django_db(transaction=True)
def test_sec_07_enrolling_opens_the_admin_in_the_same_session() -> None:
    moderator = RoleGrantFactory.create(role=Role.MODERATOR).user
    browser = signed_in(moderator, second_step=False)
    page = browser.get(reverse("mfa_activate_totp"))

    response = browser.post(reverse("mfa_activate_totp"), {"code": code_of(page.context["form"].secret)}, follow=True)

    assert response.request["PATH_INFO"] == reverse("mfa_view_recovery_codes")
    assert len(response.context["unused_codes"]) == 10
    assert browser.get("/admin/").status_code == 200
    assert list(
        AuditEvent.objects.filter(action="second_step.added")
        .values_list("details__type", flat=True)
        .order_by("details__type")
    ) == [
        "recovery_codes",
        "totp",
    ]


def test_sec_07_an_enrolled_person_on_an_older_session_must_pass_it(moderator: User) -> None:
    browser = signed_in(moderator, second_step=False)
    secret = protect(moderator)

    response = browser.get("/admin/")
    assert response["Location"] == "/account/second-step/reauthenticate/?next=%2Fadmin%2F"
    browser.post(response["Location"], {"code": code_of(secret), "next": "/admin/"})

    assert browser.get("/admin/").status_code == 200
    assert device_of(browser).mfa_at is not None


@pytest.mark.parametrize("way", ["invitation", "link", "code", "password"])
def test_sec_07_every_first_step_is_followed_by_the_second(client: Client, moderator: User, way: str) -> None:
    secret = protect(moderator)
    moderator.set_password(PASSWORD)
    moderator.save()
    if way == "invitation":
        _, token = invitations.invite(user=moderator, created_by=None, now=now(), next_path="/admin/")
        response = client.post(reverse("accounts:invitation", args=[token]))
    elif way == "password":
        given = {"email": moderator.email, "password": PASSWORD, "next": "/admin/"}
        response = client.post("/sign-in/password/", given)
    else:
        client.post("/sign-in/", {"email": moderator.email, "next": "/admin/"})
        (message,) = deliver()
        response = client.post(
            *([link_in(message)] if way == "link" else ["/sign-in/code/", {"code": code_in(message)}])
        )

    assert (response.status_code, response["Location"]) == (302, STEP)
    assert "_auth_user_id" not in client.session
    assert client.get("/account/").status_code == 302

    done = client.post(STEP, {"code": code_of(secret)})

    assert done["Location"] == "/admin/"
    assert device_of(client).method == SignInMethod(way)
    assert client.get("/admin/").status_code == 200


def test_sec_07_a_code_opens_once_also_when_redis_forgot(moderator: User) -> None:
    secret = protect(moderator)
    code = code_of(secret)
    first, second = Client(), Client()
    for browser in (first, second):
        _, token = invitations.invite(user=moderator, created_by=None, now=now())
        browser.post(reverse("accounts:invitation", args=[token]))
    first.post(STEP, {"code": code})
    assert "_auth_user_id" in first.session
    for key in get_redis_connection("default").scan_iter("*allauth.mfa.totp.used*"):
        get_redis_connection("default").delete(key)

    response = second.post(STEP, {"code": code})

    assert "used already" in response.content.decode()
    assert "_auth_user_id" not in second.session


def test_sec_33_staff_get_in_while_redis_is_away(
    client: Client, moderator: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.limits, "_breaker", core.limits._Breaker(0.0))
    secret = protect(moderator)
    _, token = invitations.invite(user=moderator, created_by=None, now=now(), next_path="/admin/")
    options = {"SOCKET_CONNECT_TIMEOUT": 0.2, "IGNORE_EXCEPTIONS": True}
    backend = "django_redis.cache.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0", "OPTIONS": options}}
    client.post(reverse("accounts:invitation", args=[token]))
    code = code_of(secret)

    assert client.post(STEP, {"code": code})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    with pytest.raises(RedisError):
        get_redis_connection("default").ping()


def test_sec_07_guesses_of_the_second_step_are_limited(client: Client, moderator: User) -> None:
    secret = protect(moderator)
    _, token = invitations.invite(user=moderator, created_by=None, now=now())
    client.post(reverse("accounts:invitation", args=[token]))
    right = code_of(secret)
    for number in range(5):
        client.post(STEP, {"code": f"{(int(right) + 1000 + number) % 10**6:06}"})

    response = client.post(STEP, {"code": right})

    assert "Too many wrong codes" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert AuditEvent.objects.filter(action="second_step.refused", actor=moderator).count() == 5


def test_a_recovery_code_opens_once(moderator: User) -> None:
    protect(moderator)
    code = RecoveryCodes.activate(moderator).get_unused_codes()[0]
    signed: list[bool] = []
    for _ in range(2):
        browser = Client()
        _, token = invitations.invite(user=moderator, created_by=None, now=now())
        browser.post(reverse("accounts:invitation", args=[token]))
        browser.post(STEP, {"code": code})
        signed.append("_auth_user_id" in browser.session)

    assert signed == [True, False]


def test_a_second_step_started_long_ago_is_forgotten(client: Client, moderator: User) -> None:
    secret = protect(moderator)
    _, token = invitations.invite(user=moderator, created_by=None, now=now())
    client.post(reverse("accounts:invitation", args=[token]))
    session = client.session
    session["account_login"]["initiated_at"] -= timedelta(minutes=16).total_seconds()
    session.save()

    assert client.post(STEP, {"code": code_of(secret)})["Location"] == "/sign-in/"


def test_secrets_of_second_steps_are_not_readable_in_the_database(moderator: User) -> None:
    secret = protect(moderator)
    RecoveryCodes.activate(moderator)

    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        stored = " ".join(row[0] for row in cursor.fetchall())

    assert secret not in stored
    authenticator = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert authenticator.wrap().validate_code(code_of(secret))


def test_turning_the_app_off_closes_the_admin_again(moderator: User) -> None:
    secret = protect(moderator)
    browser = signed_in(moderator)
    browser.post("/account/second-step/reauthenticate/", {"code": code_of(secret)})

    browser.post(reverse("mfa_deactivate_totp"))

    assert not Authenticator.objects.exists()
    assert browser.get("/admin/")["Location"] == reverse("mfa_activate_totp")


def test_changing_second_steps_asks_who_it_is_first(moderator: User) -> None:
    protect(moderator)
    browser = signed_in(moderator)

    for page in (reverse("mfa_deactivate_totp"), reverse("mfa_add_webauthn"), reverse("mfa_generate_recovery_codes")):
        for response in (browser.get(page), browser.post(page)):
            assert response.status_code == 302
            assert response["Location"].startswith("/account/second-step/reauthenticate/")
    assert Authenticator.objects.count() == 1


def test_staff_can_be_helped_when_the_phone_is_lost(moderator: User) -> None:
    protect(moderator)
    browser = signed_in(moderator)
    operator = UserFactory.create()

    people.reset_second_step(user=moderator, actor=operator, now=now())

    assert browser.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert AuditEvent.objects.get(action="second_step.reset").actor == operator


def test_sec_01_there_is_no_page_to_sign_up_or_to_reset_a_password(client: Client) -> None:
    closed = [
        "signup/", "login/", "email/", "password/reset/", "password/change/", "password/set/", "confirm-email/",
        "inactive/", "login/code/", "second-step/webauthn/signup/", "second-step/trust/",
    ]  # fmt: skip

    assert [client.get(f"/account/{path}").status_code for path in closed] == [404] * len(closed)
    assert client.post("/account/signup/", {"email": "new@example.org"}).status_code == 404
    assert not User.objects.exists()


def test_the_admins_own_password_form_is_not_there(client: Client, moderator: User) -> None:
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    response = client.post("/admin/login/?next=/admin/", {"username": moderator.email, "password": "x"})
    assert response["Location"] == "/sign-in/?next=%2Fadmin%2F"
    assert signed_in(UserFactory.create()).get("/admin/login/").status_code == 403
    assert signed_in(moderator).get("/admin/login/")["Location"] == "/admin/"
    assert signed_in(moderator).get("/admin/password_change/")["Location"] == "/account/password/"
