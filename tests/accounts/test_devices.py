"""Signed-in browsers: how many, how long, and what ends them."""

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from accounts.domain import devices, people
from accounts.domain.user_agents import describe
from accounts.enums import DeviceEnd, SignInMethod
from accounts.middleware import DeviceMiddleware
from accounts.models import AuditEvent, Device, User
from accounts.signals import devices_ended
from tests.accounts.helpers import NOW
from tests.factories.accounts import UserFactory
from tests.signing_in import device_of, signed_in

pytestmark = pytest.mark.django_db

PAGE = "/account/devices/"


def lands_on_sign_in(browser: Client) -> str:
    """Follows the browser's next request and returns the page it ends on."""
    response = browser.get(PAGE, follow=True)
    assert response.redirect_chain == [(f"/sign-in/?next={PAGE}", 302)]
    return response.content.decode()


def test_sec_10_a_fourth_device_ends_the_oldest(doctor: User) -> None:
    browsers = [signed_in(doctor) for _ in range(settings.DEVICE_LIMIT)]
    oldest = device_of(browsers[0])

    browsers.append(signed_in(doctor))

    assert Device.objects.open().count() == settings.DEVICE_LIMIT == 3
    oldest.refresh_from_db()
    assert oldest.ended_reason == DeviceEnd.REPLACED
    assert not Session.objects.filter(session_key=oldest.session_key).exists()
    assert "You signed in on a newer device" in lands_on_sign_in(browsers[0])
    assert [browser.get(PAGE).status_code for browser in browsers[1:]] == [200, 200, 200]


def test_the_explanation_is_given_once_and_the_person_comes_back(doctor: User) -> None:
    browser = signed_in(doctor)
    devices.end_all_devices(user=doctor, reason=DeviceEnd.REPLACED, now=now())

    assert "newer device" in lands_on_sign_in(browser)
    browser.force_login(doctor)

    assert browser.get(PAGE).status_code == 200
    browser.post("/sign-out/")
    assert "newer device" not in browser.get("/sign-in/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_sec_10_sign_ins_in_the_same_moment_keep_the_limit() -> None:
    doctor = UserFactory.create()
    barrier = threading.Barrier(6)

    def enter(number: int) -> None:
        barrier.wait(timeout=60)
        try:
            devices.open_device(
                request_session_key=f"session-{number}",
                user=doctor,
                user_agent="",
                address=None,
                method=SignInMethod.LINK,
                now=now(),
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert Device.objects.count() == 6
    assert Device.objects.open().count() == settings.DEVICE_LIMIT


def test_sec_10_the_database_decides_whatever_redis_still_knows(doctor: User) -> None:
    """A session that survived in the cache opens nothing once the device row is ended."""
    browser = signed_in(doctor)
    key = browser.session.session_key
    kept = cache.get(f"django.contrib.sessions.cached_db{key}")
    assert kept is not None
    devices.end_device(device=device_of(browser), reason=DeviceEnd.REVOKED, now=now())
    cache.set(f"django.contrib.sessions.cached_db{key}", kept)

    assert "signed out from another of your devices" in lands_on_sign_in(browser)


def test_sec_11_signing_out_ends_the_device_and_its_session(doctor: User) -> None:
    browser = signed_in(doctor)
    device = device_of(browser)

    response = browser.post(reverse("accounts:sign_out"))

    assert response["Location"] == "/sign-in/"
    device.refresh_from_db()
    assert device.ended_reason == DeviceEnd.SIGNED_OUT
    assert not Session.objects.filter(session_key=device.session_key).exists()
    assert browser.get(PAGE).status_code == 302


def test_sec_11_a_disabled_person_is_out_at_once(doctor: User) -> None:
    browsers = [signed_in(doctor), signed_in(doctor)]
    keys = [browser.session.session_key for browser in browsers]

    people.disable(user=doctor, actor=UserFactory.create(), now=now())

    assert [devices.device_of_session(key) for key in keys] == [None, None]
    assert "Your access has ended" in lands_on_sign_in(browsers[0])
    assert browsers[1].get("/api/v1/me/").status_code == 401


def test_sec_11_even_a_row_forgotten_open_is_closed_to_a_disabled_person(doctor: User) -> None:
    browser = signed_in(doctor)
    User.objects.filter(pk=doctor.pk).update(is_active=False)

    assert browser.get(PAGE).status_code == 302
    assert devices.device_of_session(browser.session.session_key) is None


def test_sec_11_a_new_password_ends_the_other_devices_and_keeps_this_one(doctor: User) -> None:
    other, browser = signed_in(doctor), signed_in(doctor)

    response = browser.post("/account/password/", {"password": "five quiet herons waded"})

    assert response.status_code == 302
    assert browser.get(PAGE).status_code == 200
    assert device_of(browser).ended_at is None
    assert "Your password was changed" in lands_on_sign_in(other)


def test_sec_11_receivers_learn_after_the_commit(doctor: User, django_capture_on_commit_callbacks: object) -> None:
    browser = signed_in(doctor)
    device = device_of(browser)
    heard: list[tuple[list[object], str]] = []

    def listen(*, device_ids: list[object], reason: str, **_: object) -> None:
        heard.append((device_ids, reason))

    devices_ended.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        devices.end_device(device=device, reason=DeviceEnd.REVOKED, now=now())
        devices.end_device(device=device, reason=DeviceEnd.REVOKED, now=now())
        assert heard == []
    devices_ended.disconnect(listen)

    assert heard == [([device.pk], DeviceEnd.REVOKED)]


@pytest.mark.parametrize(
    ("created", "seen", "staff", "expired"),
    [
        (timedelta(days=1), timedelta(hours=1), False, False),
        (timedelta(days=31), timedelta(minutes=1), False, True),
        (timedelta(days=20), timedelta(days=15), False, True),
        (timedelta(days=1), timedelta(hours=13), True, True),
        (timedelta(days=1), timedelta(hours=13), False, False),
    ],
    ids=["fresh", "signed in too long ago", "unused too long", "staff unused too long", "a doctor may"],
)
def test_sec_09_devices_expire(doctor: User, created: timedelta, seen: timedelta, staff: bool, expired: bool) -> None:
    browser = signed_in(doctor)
    User.objects.filter(pk=doctor.pk).update(is_staff=staff)
    at = now()
    Device.objects.update(created_at=at - created, last_seen_at=at - seen)

    response = browser.get(PAGE)

    assert (response.status_code == 302) is expired
    assert (Device.objects.get().ended_reason == DeviceEnd.EXPIRED) is expired
    if expired:
        assert "You were away for a while" in lands_on_sign_in(browser)


def test_expired_devices_make_room_before_living_ones(doctor: User) -> None:
    browsers = [signed_in(doctor) for _ in range(3)]
    newest = device_of(browsers[2])
    Device.objects.filter(pk=newest.pk).update(last_seen_at=now() - timedelta(days=60))

    signed_in(doctor)

    assert browsers[0].get(PAGE).status_code == 200
    assert set(Device.objects.exclude(ended_at=None).values_list("pk", "ended_reason")) == {
        (newest.pk, DeviceEnd.EXPIRED)
    }


def test_my_devices_shows_mine_only_and_ends_one(doctor: User) -> None:
    stranger = UserFactory.create()
    theirs = device_of(signed_in(stranger, HTTP_X_TEST="1"))
    other, browser = signed_in(doctor), signed_in(doctor)
    target = device_of(other)

    page = browser.get(PAGE)
    assert {device.pk for device in page.context["devices"]} == {target.pk, device_of(browser).pk}
    assert page.content.decode().count("This device") == 1
    assert browser.post(reverse("accounts:end_device", args=[theirs.pk])).status_code == 404
    assert browser.get(reverse("accounts:end_device", args=[target.pk])).status_code == 405
    assert browser.post(reverse("accounts:end_device", args=[target.pk]))["Location"] == PAGE

    assert set(Device.objects.open().values_list("pk", flat=True)) == {theirs.pk, device_of(browser).pk}
    assert "This device was signed out" in lands_on_sign_in(other)
    assert AuditEvent.objects.filter(action="device.revoked", actor=doctor).count() == 1


def test_all_other_devices_can_be_ended_together(doctor: User) -> None:
    signed_in(doctor)
    signed_in(doctor)
    browser = signed_in(doctor)

    browser.post(reverse("accounts:end_other_devices"))

    assert Device.objects.open().get() == device_of(browser)


def test_who_and_which_device_cost_one_query(doctor: User) -> None:
    browser = signed_in(doctor)

    with CaptureQueriesContext(connection) as captured:
        browser.get("/account/password/")

    about_me = [query["sql"] for query in captured.captured_queries if "accounts_user" in query["sql"]]
    assert len(about_me) == 1
    assert "accounts_device" in about_me[0]


def test_being_seen_is_written_once_in_five_minutes(doctor: User) -> None:
    device = device_of(signed_in(doctor))
    at = device.last_seen_at

    devices.mark_seen(device=device, now=at + timedelta(minutes=4))
    assert Device.objects.get().last_seen_at == at
    devices.mark_seen(device=device, now=at + timedelta(minutes=6))
    assert Device.objects.get().last_seen_at == at + timedelta(minutes=6)


@pytest.mark.parametrize("key", ['"aaaaaaaaaaaa\\000"', '"\\000"', "x" * 3000, "'; DROP TABLE x", "é" * 8])
def test_a_cookie_nobody_gave_is_no_session_and_no_error(client: Client, key: str) -> None:
    assert client.get("/sign-in/", HTTP_COOKIE=f"sessionid={key}").status_code == 200
    assert client.get(PAGE, HTTP_COOKIE=f"sessionid={key}")["Location"] == f"/sign-in/?next={PAGE}"
    assert devices.device_of_session("a\x00") is None


def test_a_rotated_secret_key_signs_nobody_out(doctor: User, settings: Settings) -> None:
    browser = signed_in(doctor)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-of-the-site-since-today"

    assert browser.get(PAGE).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert browser.get(PAGE).status_code == 200


def test_tidying_ends_what_expired(doctor: User) -> None:
    browser = signed_in(doctor)
    Device.objects.update(last_seen_at=now() - timedelta(days=40))

    people.tidy_up(now=now())

    assert Device.objects.get().ended_reason == DeviceEnd.EXPIRED
    assert browser.get(PAGE).status_code == 302


def test_tidying_begins_with_what_was_unused_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_DEVICES_A_TIME", 1)
    for days in (1, 40, 2):
        signed_in(UserFactory.create())
        Device.objects.filter(last_seen_at__gt=now() - timedelta(hours=1)).update(
            last_seen_at=now() - timedelta(days=days)
        )

    people.tidy_up(now=now())

    assert [device.ended_reason for device in Device.objects.order_by("last_seen_at")] == [DeviceEnd.EXPIRED, "", ""]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit Chrome/120.0 Safari/537.36", "Chrome on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 13) SamsungBrowser/23.0 Chrome/115.0", "Samsung Internet on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Gecko/20100101 Firefox/121.0", "Firefox on Mac"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/538.1 Version/5.0 TV Safari/538.1", "Safari on TV"),
        ("curl/8.0", "Unknown device"),
        ("", "Unknown device"),
        ("<script>" * 1000, "Unknown device"),
    ],
)  # fmt: skip
def test_devices_have_names_people_recognise(agent: str, name: str) -> None:
    assert describe(agent) == name


def test_an_endless_user_agent_is_cut(doctor: User) -> None:
    device = devices.open_device(
        request_session_key="k", user=doctor, user_agent="A" * 9000, address=None, method=SignInMethod.CODE, now=NOW
    )

    assert len(device.user_agent) == 400


def test_sec_09_signing_in_over_another_persons_session_ends_it_and_gets_its_own(doctor: User) -> None:
    """Django flushes the session then, and the new one has no key before the response unless it is asked for."""
    other = UserFactory.create()
    before = signed_in(doctor)
    old_device = device_of(before)

    def sign_in(request: HttpRequest) -> HttpResponse:
        login(request, other, backend=settings.AUTHENTICATION_BACKENDS[0])
        return HttpResponse()

    request = RequestFactory().get("/")
    request.COOKIES = {settings.SESSION_COOKIE_NAME: before.cookies[settings.SESSION_COOKIE_NAME].value}
    response = SessionMiddleware(AuthenticationMiddleware(DeviceMiddleware(sign_in)))(request)
    assert isinstance(response, HttpResponseBase)

    after = Client()
    after.cookies.update(response.cookies)
    assert after.get(PAGE).context["user"] == other
    assert Device.objects.open().get() == device_of(after)
    old_device.refresh_from_db()
    assert old_device.ended_reason == DeviceEnd.SIGNED_OUT
    assert AuditEvent.objects.get(action="sign_out").actor == doctor
    lands_on_sign_in(before)


def test_two_people_in_one_browser_one_over_the_other_never_share_an_empty_key() -> None:
    browser = Client()
    for person in UserFactory.create_batch(4):
        browser.force_login(person)
        assert device_of(browser).user == person
