"""Opening the player while a webinar is on air: a session in program time, and a minute's grant for the broadcast."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from courses.models import Enrolment
from tests.signing_in import signed_in
from tests.webinars.on_air import make_live
from tests.webinars.watching import make_enrolment, make_webinar
from webinars.enums import IngestKind, Restriction
from webinars.models import Broadcast, PersonRestriction, PlaySession, Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def enrolment() -> Enrolment:
    return make_enrolment()


@pytest.fixture
def webinar(enrolment: Enrolment) -> Webinar:
    return make_live(epoch=now() - timedelta(minutes=10), webinar=make_webinar(enrolment))


@pytest.fixture
def browser(enrolment: Enrolment) -> Client:
    return signed_in(enrolment.user)


def post(browser: Client, webinar: Webinar, **body: Any) -> Any:
    return browser.post(f"/api/v1/webinars/{webinar.pk}/play-sessions/", body, content_type="application/json")


def test_it_names_the_broadcast_and_grants_it_for_a_minute(browser: Client, webinar: Webinar) -> None:
    broadcast = Broadcast.objects.get()
    answer = post(browser, webinar)
    assert answer.status_code == 201
    said = answer.json()
    session = PlaySession.objects.get()
    assert (said["session"], said["phase"], session.epoch) == (str(session.pk), "live", broadcast.epoch)
    assert said["live"] == f"/media/videos/{broadcast.key}/live/master.m3u8"
    assert said["live_audio"] == f"/media/videos/{broadcast.key}/live/audio.m3u8"
    cookie = answer.cookies[f"media_{broadcast.key}"]
    assert cookie["path"] == f"/media/videos/{broadcast.key}/"
    until = datetime.fromisoformat(said["grant_expires_at"])
    assert timedelta(seconds=50) < until - now() <= timedelta(seconds=60)
    renewed = post(browser, webinar, session=said["session"])
    assert (renewed.status_code, renewed.json()["session"]) == (200, said["session"])
    assert f"media_{broadcast.key}" in renewed.cookies


def test_playback_tells_the_live_source_and_the_epoch(browser: Client, webinar: Webinar) -> None:
    broadcast = Broadcast.objects.get()
    said = browser.get(f"/api/v1/webinars/{webinar.pk}/playback/").json()
    assert said["sources"]["hls"] == f"/media/videos/{broadcast.key}/live/master.m3u8"
    assert (said["phase"], said["duration"], said["coverage"]) == ("live", 0, [])
    assert datetime.fromisoformat(said["epoch"]) == broadcast.epoch


def test_who_was_removed_gets_no_grant_any_more(browser: Client, webinar: Webinar, enrolment: Enrolment) -> None:
    session = post(browser, webinar).json()["session"]
    PersonRestriction.objects.create(webinar=webinar, user=enrolment.user, kind=Restriction.REMOVED, at=now())
    for body in ({}, {"session": session}):
        answer = post(browser, webinar, **body)
        assert answer.status_code == 409
        assert not answer.cookies
    assert browser.get(f"/api/v1/webinars/{webinar.pk}/playback/").status_code == 409


def test_a_meeting_elsewhere_has_nothing_to_play(browser: Client, webinar: Webinar) -> None:
    Broadcast.objects.all().delete()
    Webinar.objects.update(ingest=IngestKind.EXTERNAL, external_url="https://meet.example.org/1")
    assert post(browser, webinar).status_code == 409
    assert browser.get(f"/api/v1/webinars/{webinar.pk}/playback/").status_code == 409
