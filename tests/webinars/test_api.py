"""Playback, play sessions and beats over HTTP."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils.timezone import now

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from media.enums import VideoStatus
from tests.factories.media import VideoFactory
from tests.factories.webinars import WatchRecordFactory
from tests.signing_in import device_of, signed_in
from tests.webinars.watching import coverage_of, make_enrolment, make_webinar
from webinars.api.serializers import MOST_BEATS
from webinars.models import PlaySession, WatchRecord, Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def enrolment() -> Enrolment:
    return make_enrolment()


@pytest.fixture
def webinar(enrolment: Enrolment) -> Webinar:
    return make_webinar(enrolment)


@pytest.fixture
def browser(enrolment: Enrolment) -> Client:
    return signed_in(enrolment.user)


@pytest.fixture
def session(browser: Client, webinar: Webinar) -> PlaySession:
    """Open since ten minutes."""
    created = browser.post(address(webinar, "play-sessions"), {}, content_type="application/json")
    session = PlaySession.objects.get(pk=created.json()["session"])
    session.started_at = now() - timedelta(minutes=10)
    session.save()
    return session


def address(webinar: Webinar, what: str) -> str:
    return f"/api/v1/webinars/{webinar.pk}/{what}/"


def post_beats(browser: Client, session: PlaySession, *beats: Any) -> Any:
    body = {"session": str(session.pk), "beats": list(beats)}
    return browser.post(address(session.webinar, "beats"), body, content_type="application/json")


def one(number: int, start: float, end: float) -> dict[str, Any]:
    return {"n": number, "s": [[start, end]], "p": end}


def test_opening_the_player_begins_a_session_and_grants_the_files(browser: Client, webinar: Webinar) -> None:
    WatchRecordFactory.create(user=device_of(browser).user, webinar=webinar, coverage=((0, 100),))
    response = browser.post(address(webinar, "play-sessions"), {}, content_type="application/json")
    assert response.status_code == 201
    body = response.json()
    session = PlaySession.objects.get()
    assert (session.media_seconds, session.required_seconds) == (600, 540)
    assert session.device == device_of(browser)
    assert {name: body[name] for name in ("session", "phase", "position", "seen", "required")} == {
        "session": str(session.pk),
        "phase": "on_demand",
        "position": 100.0,
        "seen": 100,
        "required": 540,
    }
    assert webinar.video is not None
    cookie = response.cookies[f"media_{webinar.video.key}"]
    assert str(webinar.video.key) in cookie["path"]


def test_renewing_keeps_the_session_and_renews_the_grant(browser: Client, session: PlaySession) -> None:
    response = browser.post(
        address(session.webinar, "play-sessions"), {"session": str(session.pk)}, content_type="application/json"
    )
    assert (response.status_code, response.json()["session"]) == (200, str(session.pk))
    assert any(name.startswith("media_") for name in response.cookies)
    assert PlaySession.objects.count() == 1


def test_a_session_that_ended_or_is_anothers_is_replaced_by_a_new_one(
    browser: Client, session: PlaySession, webinar: Webinar
) -> None:
    PlaySession.objects.update(ended_at=now())
    for given in (session.pk, uuid4()):
        response = browser.post(
            address(webinar, "play-sessions"), {"session": str(given)}, content_type="application/json"
        )
        assert response.status_code == 201
        assert response.json()["session"] not in {str(session.pk), str(given)}
    assert PlaySession.objects.count() == 3


def test_playback_tells_sources_and_what_was_watched(browser: Client, webinar: Webinar) -> None:
    WatchRecordFactory.create(
        user=device_of(browser).user, webinar=webinar, coverage=((0, 60), (90, 120)), position_seconds=119.5
    )
    body = browser.get(address(webinar, "playback")).json()
    assert set(body["sources"]) == {"hls", "mp4", "audio", "poster", "sprite", "captions"}
    assert {name: body[name] for name in body if name != "sources"} == {
        "phase": "on_demand",
        "epoch": None,
        "position": 119.5,
        "coverage": [[0, 60], [90, 120]],
        "duration": 600.0,
        "seen": 90,
        "required": 540,
        "chapters": [],
    }


def test_beats_are_acknowledged_and_refused_one_by_one(browser: Client, session: PlaySession) -> None:
    response = post_beats(browser, session, one(1, 0, 30), one(2, 0, 99_999), {"n": 3, "s": [[9, 1]], "p": 0}, "x")
    assert response.status_code == 200
    body = response.json()
    assert (body["acked"], body["seen"], body["done"]) == ([1], 30, False)
    assert [(beat["n"], beat["reason"]) for beat in body["refused"]] == [
        (3, "malformed"),
        (None, "malformed"),
        (2, "outside_media"),
    ]
    assert all(beat["detail"] for beat in body["refused"])
    assert coverage_of(session) == ((0, 30),)


def test_reaching_the_threshold_is_told(browser: Client, session: PlaySession) -> None:
    assert post_beats(browser, session, one(1, 0, 540)).json()["done"] is True
    assert post_beats(browser, session, "x").json() | {"refused": []} == {
        "acked": [],
        "refused": [],
        "seen": 540,
        "done": True,
    }


def test_a_beacon_sends_a_form_with_the_token_in_the_body(enrolment: Enrolment, webinar: Webinar) -> None:
    browser = signed_in(enrolment.user, enforce_csrf_checks=True)
    token = browser.get("/").cookies.get("csrftoken")
    secret = token.value if token else browser.get(f"/webinars/{webinar.pk}/").cookies["csrftoken"].value
    opened = browser.post(
        address(webinar, "play-sessions"), {}, content_type="application/json", headers={"X-CSRFToken": secret}
    )
    payload = json.dumps({"session": opened.json()["session"], "beats": [one(1, 0, 5)]})

    def beacon(**fields: str) -> Any:
        return browser.post(
            address(webinar, "beats"), urlencode(fields), content_type="application/x-www-form-urlencoded;charset=UTF-8"
        )

    assert beacon(payload=payload).status_code == 403
    assert beacon(payload=payload, csrfmiddlewaretoken="x" * 64).status_code == 403
    assert not WatchRecord.objects.exists()
    answer = beacon(payload=payload, csrfmiddlewaretoken=secret)
    assert (answer.status_code, answer.json()["acked"]) == (200, [1])
    for broken in ("", "{", "NaN", "[" * 10_000, '{"session": 1}'):
        response = beacon(payload=broken, csrfmiddlewaretoken=secret)
        assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"session": "x", "beats": []},
        {"beats": []},
        {"session": str(uuid4())},
        {"session": str(uuid4()), "beats": {}},
        {"session": str(uuid4()), "beats": [0] * (MOST_BEATS + 1)},
        {"session": str(uuid4()), "beats": [], "user": 1},
    ],
)
def test_a_malformed_request_is_a_problem_document(browser: Client, webinar: Webinar, body: Any) -> None:
    response = browser.post(address(webinar, "beats"), body, content_type="application/json")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def test_a_request_over_the_size_limit_is_refused(browser: Client, session: PlaySession) -> None:
    beats = [{"n": n, "s": [[0, 1]] * 50, "p": 0} for n in range(MOST_BEATS)]
    large = post_beats(browser, session, *({**beat, "x": "y" * 400} for beat in beats))
    assert large.status_code == 413
    assert not WatchRecord.objects.exists()


def test_the_sessions_of_others_are_unknown(browser: Client, session: PlaySession) -> None:
    stranger = make_enrolment()
    foreign = signed_in(stranger.user).post(
        address(make_webinar(stranger), "play-sessions"), {}, content_type="application/json"
    )
    session.pk = foreign.json()["session"]
    answer = post_beats(browser, session, one(1, 0, 5)).json()
    assert (answer["acked"], [beat["reason"] for beat in answer["refused"]]) == ([], ["unknown_session"])
    assert not WatchRecord.objects.exists()


def call_everything(browser: Client, webinar: Webinar) -> list[HttpResponse]:
    body: dict[str, Any] = {"session": str(uuid4()), "beats": []}
    calls: list[Callable[[], Any]] = [
        lambda: browser.get(address(webinar, "playback")),
        lambda: browser.post(address(webinar, "play-sessions"), {}, content_type="application/json"),
        lambda: browser.post(address(webinar, "beats"), body, content_type="application/json"),
    ]
    return [call() for call in calls]


def test_a_foreign_webinar_is_as_absent_as_one_that_never_was(browser: Client) -> None:
    foreign = make_webinar(make_enrolment())
    assert [response.status_code for response in call_everything(browser, foreign)] == [404] * 3
    foreign.pk = 999_999
    assert [response.status_code for response in call_everything(browser, foreign)] == [404] * 3


def test_the_signed_out_get_401(webinar: Webinar) -> None:
    assert [response.status_code for response in call_everything(Client(), webinar)] == [401] * 3


def test_an_ended_device_is_signed_out(browser: Client, webinar: Webinar) -> None:
    end_device(device=device_of(browser), reason=DeviceEnd.REPLACED, now=now())
    assert [response.status_code for response in call_everything(browser, webinar)] == [401] * 3


def test_a_suspended_doctor_finds_nothing(browser: Client, webinar: Webinar, enrolment: Enrolment) -> None:
    enrolment.status = EnrolmentStatus.SUSPENDED
    enrolment.save()
    assert [response.status_code for response in call_everything(browser, webinar)] == [404] * 3


def test_what_is_not_ready_or_not_open_says_so_in_words(browser: Client, webinar: Webinar) -> None:
    lesson = webinar.lesson
    lesson.opens_at = now() + timedelta(days=1)
    lesson.save()
    responses = call_everything(browser, webinar)[:2]
    assert [response.status_code for response in responses] == [409, 409]
    lesson.opens_at = None
    lesson.save()
    webinar.video = VideoFactory.create(status=VideoStatus.EMPTY)
    webinar.save()
    responses = call_everything(browser, webinar)[:2]
    assert [response.status_code for response in responses] == [409, 409]
    assert not PlaySession.objects.exists()
