"""The page of a webinar in each of its states, as the server writes it: what it says, costs, and whom it lets in."""

import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from courses.models import Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.signing_in import signed_in
from tests.webinars.on_air import add_segments, make_live, publish
from tests.webinars.watching import make_enrolment, make_webinar
from webinars.domain.questions import ask
from webinars.enums import IngestKind, PollState, QuestionState, Restriction
from webinars.models import (
    Broadcast,
    Chapter,
    PersonRestriction,
    Pin,
    Poll,
    PollOption,
    Question,
    Registration,
    Visit,
    WatchRecord,
    Webinar,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def enrolment() -> Enrolment:
    return make_enrolment()


@pytest.fixture
def doctor(enrolment: Enrolment) -> User:
    return enrolment.user


@pytest.fixture
def webinar(enrolment: Enrolment) -> Webinar:
    """Live for ten minutes."""
    return make_live(epoch=now() - timedelta(minutes=10), webinar=make_webinar(enrolment))


@pytest.fixture
def browser(doctor: User) -> Client:
    return signed_in(doctor)


def change(webinar: Webinar, **values: Any) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(**values)
    webinar.refresh_from_db()


def schedule(webinar: Webinar, starts_in: timedelta, **values: Any) -> None:
    Broadcast.objects.all().delete()
    change(webinar, starts_at=now() + starts_in, live_at=None, **values)


def read(browser: Client, webinar: Webinar) -> str:
    response = browser.get(f"/webinars/{webinar.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def words(page: str) -> str:
    return " ".join(re.sub(r"<template.*?</template>|<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def settings_of(page: str, name: str) -> dict[str, Any]:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found, name
    settings: dict[str, Any] = json.loads(found[1])
    return settings


def fill(webinar: Webinar, count: int) -> None:
    """A room in which something has happened."""
    for number in range(count):
        asker = UserFactory.create()
        question = ask(webinar=webinar, author=asker, text=f"Question {number}?", client_key=uuid4(), now=now())
        Question.objects.filter(pk=question.pk).update(state=QuestionState.PUBLISHED, published_at=now(), votes=number)
        Pin.objects.create(webinar=webinar, title=f"Link {number}", url="https://example.org/", created_at=now())


def make_poll(webinar: Webinar, **values: Any) -> Poll:
    given = {"question": "Operate first?", "state": PollState.OPEN, "opened_at": now()} | values
    poll: Poll = Poll.objects.create(webinar=webinar, **given)
    for position, text in enumerate(("Yes", "No"), 1):
        PollOption.objects.create(poll=poll, position=position, text=text)
    return poll


def test_before_the_doors_open_it_tells_when_and_takes_registrations(browser: Client, webinar: Webinar) -> None:
    schedule(webinar, timedelta(days=2), capacity=2, needs_registration=True)
    page = read(browser, webinar)
    assert "2 of 2 places are left" in words(page)
    assert "Add to my calendar" in page
    assert "We will write to you before it begins" in page
    assert f'data-countdown="{webinar.starts_at.isoformat()}"' in page or "data-countdown=" in page  # type: ignore[union-attr]
    assert 'id="room"' not in page
    assert settings_of(page, "page-config")["state"] == "scheduled"
    answer = browser.post(f"/webinars/{webinar.pk}/registration/", {"do": "register"}, follow=True)
    assert "You are registered" in words(answer.content.decode())
    assert Registration.objects.filter(webinar=webinar, cancelled_at=None).count() == 1
    answer = browser.post(f"/webinars/{webinar.pk}/registration/", {"do": "cancel"}, follow=True)
    assert "Your place was given back." in words(answer.content.decode())
    assert Registration.objects.filter(webinar=webinar, cancelled_at=None).count() == 0


def test_when_all_places_are_taken_it_says_so(browser: Client, webinar: Webinar) -> None:
    schedule(webinar, timedelta(days=2), capacity=1, needs_registration=True)
    Registration.objects.create(webinar=webinar, user=UserFactory.create(), registered_at=now())
    page = words(read(browser, webinar))
    assert "The only place is taken" in page
    assert "If somebody gives one back, you can register here." in page
    answer = browser.post(f"/webinars/{webinar.pk}/registration/", {"do": "register"}, follow=True)
    assert "All places are taken." in words(answer.content.decode())


def test_behind_open_doors_one_waits_in_the_room(browser: Client, webinar: Webinar) -> None:
    schedule(webinar, timedelta(minutes=5))
    page = read(browser, webinar)
    assert "You are in the right place." in page
    assert 'id="check"' in page
    assert 'id="room"' in page
    assert settings_of(page, "room-config")["may"] == {"ask": True, "read": True, "vote": True, "muted": False}
    assert f'<meta http-equiv="refresh" content="20; url=/webinars/{webinar.pk}/">' in page
    assert "player-config" not in page


def test_live_it_opens_the_picture_for_a_minute(browser: Client, webinar: Webinar, doctor: User) -> None:
    WatchRecord.objects.create(
        user=doctor, webinar=webinar, phase="live", coverage=((0, 60),), seen_seconds=60, required_seconds=86400,
        position_seconds=61.5, first_beat_at=now(), last_beat_at=now(),
    )  # fmt: skip
    broadcast = Broadcast.objects.get()
    page = read(browser, webinar)
    config = settings_of(page, "player-config")
    assert (config["phase"], config["position"], config["coverage"]) == ("live", 61.5, [[0, 60]])
    assert datetime.fromisoformat(config["epoch"]) == broadcast.epoch
    assert config["sources"]["hls"] == f"/media/videos/{broadcast.key}/live/master.m3u8"
    assert config["grant_seconds"] == 60
    assert f"media_{broadcast.key}" in browser.cookies
    assert 'http-equiv="refresh"' not in page
    assert "1 min watched live" in words(page)
    strip = browser.get(f"/webinars/{webinar.pk}/keep-alive/?stage=live")
    assert "The webinar is live." in strip.content.decode()
    assert f"media_{broadcast.key}" in strip.cookies
    change(webinar, ended_at=now())
    strip = browser.get(f"/webinars/{webinar.pk}/keep-alive/?stage=live")
    assert f'<a href="/webinars/{webinar.pk}/" target="_top">' in strip.content.decode()
    assert not strip.cookies


def test_live_without_a_place_one_registers_first(browser: Client, webinar: Webinar, doctor: User) -> None:
    change(webinar, needs_registration=True)
    page = read(browser, webinar)
    assert "Please register to come in." in page
    assert "player-config" not in page
    assert not [name for name in browser.cookies if name.startswith("media_")]
    Registration.objects.create(webinar=webinar, user=doctor, registered_at=now())
    assert "player-config" in read(browser, webinar)


def test_who_was_removed_is_told_and_gets_nothing(browser: Client, webinar: Webinar, doctor: User) -> None:
    PersonRestriction.objects.create(webinar=webinar, user=doctor, kind=Restriction.REMOVED, at=now())
    fill(webinar, 1)
    page = read(browser, webinar)
    assert "A moderator has removed you from this live webinar" in words(page)
    assert "player-config" not in page
    assert "Question 0?" not in page
    assert not [name for name in browser.cookies if name.startswith("media_")]
    assert browser.post(f"/webinars/{webinar.pk}/questions/", {"text": "?", "key": uuid4()}).status_code == 403
    assert browser.post(f"/webinars/{webinar.pk}/meeting/").status_code == 403


def test_ended_it_says_what_was_watched_and_what_comes(browser: Client, webinar: Webinar, doctor: User) -> None:
    change(webinar, ended_at=now())
    Broadcast.objects.update(program_seconds=3600)
    WatchRecord.objects.create(
        user=doctor, webinar=webinar, phase="live", coverage=((0, 1440),), seen_seconds=1440, required_seconds=86400,
        position_seconds=1440, first_beat_at=now(), last_beat_at=now(),
    )  # fmt: skip
    page = words(read(browser, webinar))
    assert "24 min watched live" in page
    assert "The recording is being prepared." in page
    assert "You can ask until" in page


def test_the_recording_has_chapters_and_answers_at_their_places(
    browser: Client, webinar: Webinar, doctor: User
) -> None:
    broadcast = Broadcast.objects.get()
    add_segments(broadcast, [(0.0, 30)], seconds=10.0)
    question = ask(webinar=webinar, author=doctor, text="Which cut-off?", client_key=uuid4(), now=now())
    Question.objects.filter(pk=question.pk).update(
        state=QuestionState.PUBLISHED, published_at=now(), is_answered_live=True, answered_seconds=200.0
    )
    Chapter.objects.create(webinar=webinar, at_seconds=120.0, title="Surgery")
    publish(webinar, spans=[(0.0, 300.0, 0.0)], cuts=((60, 80),), at=now())
    page = read(browser, webinar)
    assert 'data-seconds="180.0"' in page
    assert re.search(r'data-seconds="100.0"><span class="num soft">1:40</span> <span dir="auto">Surgery<', page)
    assert settings_of(page, "player-config")["phase"] == "on_demand"
    assert settings_of(page, "room-config")["published"][0]["recording_seconds"] == 180.0


def test_cancelled_it_gives_the_reason(browser: Client, webinar: Webinar) -> None:
    from webinars.domain.schedule import cancel_webinar

    schedule(webinar, timedelta(days=1))
    cancel_webinar(webinar_id=webinar.pk, reason="The speaker is ill.", actor=None, now=now())
    page = read(browser, webinar)
    assert "The speaker is ill." in words(page)
    assert "If there is a new date, we will write to you" in words(page)
    assert settings_of(page, "page-config")["follows"] is False


def test_a_meeting_elsewhere_is_one_button_and_counts_while_the_page_is_open(
    browser: Client, webinar: Webinar, doctor: User
) -> None:
    Broadcast.objects.all().delete()
    address = "https://meet.example.org/abc?pwd=1&x=2"
    change(webinar, ingest=IngestKind.EXTERNAL, external_url=address)
    page = read(browser, webinar)
    assert "Go to the meeting" in page
    assert "meet.example.org" not in page
    keep = f"/webinars/{webinar.pk}/meeting/keep/"
    assert browser.post(keep).status_code == 404
    answer = browser.post(f"/webinars/{webinar.pk}/meeting/")
    assert 'content="1; url=https://meet.example.org/abc?pwd=1&amp;x=2"' in answer.content.decode()
    visit = Visit.objects.get(user=doctor)
    assert browser.post(keep).status_code == 204
    assert browser.get(f"/webinars/{webinar.pk}/keep-alive/").status_code == 200
    assert Visit.objects.get().seen_at > visit.seen_at
    assert browser.post(f"/webinars/{webinar.pk}/meeting/leave/").status_code == 302
    assert Visit.objects.get().left_at is not None


def test_without_javascript_questions_votes_and_polls_are_plain_forms(
    browser: Client, webinar: Webinar, doctor: User
) -> None:
    fill(webinar, 1)
    poll = make_poll(webinar)
    base, key = f"/webinars/{webinar.pk}/", str(uuid4())
    for _ in range(2):
        answer = browser.post(f"{base}questions/", {"text": "Mine?", "anonymous": "1", "key": key}, follow=True)
        assert "Your question was sent to the moderators." in words(answer.content.decode())
    mine = Question.objects.get(author=doctor)
    assert (mine.text, mine.is_anonymous) == ("Mine?", True)
    browser.post(f"{base}questions/{mine.pk}/messages/", {"text": "One more thing", "key": str(uuid4())})
    other = Question.objects.exclude(author=doctor).get()
    browser.post(f"{base}questions/{other.pk}/vote/", {"do": "vote"})
    browser.post(f"{base}polls/{poll.pk}/vote/", {"choice": "2"})
    page = words(read(browser, webinar))
    assert "With the moderators Mine?" in page
    assert "You One more thing" in page
    other.refresh_from_db()
    assert other.votes == 1
    assert [vote.choices for vote in poll.votes.all()] == [[2]]
    for choice in ("7", "--5", "x"):
        answer = browser.post(f"{base}polls/{poll.pk}/vote/", {"choice": choice}, follow=True)
        assert 'role="alert"' in answer.content.decode()
    assert [vote.choices for vote in poll.votes.all()] == [[2]]
    assert browser.post(f"{base}questions/", {"text": "Mine?", "key": "no key"}).status_code == 404


def test_muted_and_closed_are_said_in_plain_words(browser: Client, webinar: Webinar, doctor: User) -> None:
    PersonRestriction.objects.create(webinar=webinar, user=doctor, kind=Restriction.MUTED, at=now())
    page = read(browser, webinar)
    assert '<p class="alert warning small" data-part="muted">' in page
    assert re.search(r'data-part="ask" hidden>', page)
    answer = browser.post(f"/webinars/{webinar.pk}/questions/", {"text": "?", "key": uuid4()}, follow=True)
    assert "A moderator has muted you in this webinar." in words(answer.content.decode())


def test_sec_22_what_people_wrote_is_only_text(browser: Client, webinar: Webinar, doctor: User) -> None:
    nasty = "</script><img src=x onerror=alert(1)>"
    question = ask(webinar=webinar, author=doctor, text=nasty, client_key=uuid4(), now=now())
    Question.objects.filter(pk=question.pk).update(
        state=QuestionState.PUBLISHED, published_at=now(), answer_text=nasty, edited_text=nasty
    )
    Pin.objects.create(webinar=webinar, title=nasty, url="https://example.org/", created_at=now())
    make_poll(webinar, question=nasty)
    page = read(browser, webinar)
    assert "<img src=x" not in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page


STATES: dict[str, tuple[dict[str, Any], int]] = {
    "scheduled": ({"live_at": None, "starts_at": timedelta(days=1)}, 11),
    "doors open": ({"live_at": None, "starts_at": timedelta(minutes=5)}, 21),
    "live": ({}, 20),
    "ended": ({"ended_at": timedelta()}, 18),
    "cancelled": ({"live_at": None, "cancelled_at": timedelta()}, 9),
}


@pytest.mark.parametrize("state", STATES)
def test_the_cost_does_not_grow_with_what_happens_in_the_room(
    browser: Client, webinar: Webinar, doctor: User, state: str
) -> None:
    fill(webinar, 1)
    ask(webinar=webinar, author=doctor, text="Mine?", client_key=uuid4(), now=now())
    values, expected = STATES[state]
    change(webinar, **{name: now() + at if isinstance(at, timedelta) else at for name, at in values.items()})
    read(browser, webinar)
    counts, told = [], []
    for more in (0, 3):
        if more and state in {"doors open", "live", "ended"}:
            fill(webinar, more)
        EnrolmentFactory.create(programme=webinar.lesson.course.programme)
        with CaptureQueriesContext(connection) as queries:
            read(browser, webinar)
        counts.append(len(queries))
        told = [query["sql"][:120] for query in queries]
    assert counts == [expected, expected], told
