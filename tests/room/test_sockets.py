"""The WebSocket, end to end over a real server: who gets in, what is answered, who is sent away."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest
from django.utils.timezone import now
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.room.tier import ORIGIN, PATIENCE, RunningTier, page, running_tier
from tests.webinars.watching import coverage_of, make_enrolment, make_webinar, open_player
from webinars.domain.watching import start_play_session
from webinars.models import PlaySession, WatchRecord

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tier() -> Iterator[RunningTier]:
    with running_tier() as running:
        yield running


@pytest.fixture
def session() -> PlaySession:
    """The player is open for ten minutes by the real clock."""
    return open_now()


def open_now(enrolment: Enrolment | None = None) -> PlaySession:
    session = open_player(enrolment=enrolment)
    session.started_at = now() - timedelta(minutes=10)
    session.save()
    session.device.last_seen_at = session.device.created_at = now()
    session.device.save()
    return session


def until_closed(connection: Any) -> tuple[list[Any], int | None]:
    """The last frames and the close code."""
    frames: list[Any] = []
    try:
        while True:
            frames.append(json.loads(connection.recv(timeout=PATIENCE)))
    except ConnectionClosed as closed:
        return frames, closed.rcvd.code if closed.rcvd else None


def closing(connection: Any) -> tuple[list[str], int | None]:
    """The reasons of the last frames and the close code."""
    frames, code = until_closed(connection)
    return [frame.get("reason", "") for frame in frames], code


def test_a_beat_is_acknowledged_once_it_is_in_the_database(tier: RunningTier, session: PlaySession) -> None:
    with page(tier, session) as browser:
        welcome = browser.hello(session.pk)
        assert welcome == {
            "t": "welcome",
            "session": str(session.pk),
            "phase": "on_demand",
            "position": 0.0,
            "seen": 0,
            "required": 540,
        }
        browser.beat(12, (0, 30.4), position=30.4)
        assert browser.hear() == {"t": "ack", "n": [12], "seen": 30, "done": False}
        assert coverage_of(session) == ((0, 30),)
    with page(tier, session) as again:
        assert again.hello(session.pk) | {"t": ""} == welcome | {"t": "", "position": 30.4, "seen": 30}


def test_acks_of_one_batch_come_in_one_frame_and_reach_the_threshold(tier: RunningTier, session: PlaySession) -> None:
    with page(tier, session) as browser:
        browser.hello(session.pk)
        for n in range(6):
            browser.beat(n, (n * 100, n * 100 + 95))
        heard: list[Any] = []
        while sum(len(frame["n"]) for frame in heard) < 6:
            heard.append(browser.hear())
        assert {frame["t"] for frame in heard} == {"ack"}
        assert sorted(n for frame in heard for n in frame["n"]) == list(range(6))
        assert (heard[-1]["seen"], heard[-1]["done"]) == (570, True)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", f"{ORIGIN}.evil.example", "https://127.0.0.1:8000", "http://127.0.0.1:8001"],
)
def test_sec_16_a_missing_or_foreign_origin_is_refused(
    tier: RunningTier, session: PlaySession, origin: str | None
) -> None:
    with pytest.raises(InvalidStatus) as refused, page(tier, session, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_sec_16_two_origins_are_one_too_many(tier: RunningTier, session: PlaySession) -> None:
    url = f"ws://127.0.0.1:{tier.port}/ws/webinars/{session.webinar_id}/"
    headers = [("Cookie", f"sessionid={session.device.session_key}"), ("Origin", ORIGIN), ("Origin", ORIGIN)]
    with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=headers):
        pass
    assert refused.value.response.status_code in {400, 403}


@pytest.mark.parametrize("cookie", ["", "unknown", "x" * 5000])
def test_without_a_signed_in_device_the_socket_says_so(tier: RunningTier, session: PlaySession, cookie: str) -> None:
    with page(tier, session, cookie=cookie) as browser:
        assert closing(browser.connection) == (["signed_out"], 4401)


def test_an_ended_device_opens_no_socket(tier: RunningTier, session: PlaySession) -> None:
    end_device(device=session.device, reason=DeviceEnd.REVOKED, now=now())
    with page(tier, session) as browser:
        assert closing(browser.connection) == (["signed_out"], 4401)


def test_sec_17_a_foreign_or_absent_webinar_is_refused(tier: RunningTier, session: PlaySession) -> None:
    foreign = make_webinar(make_enrolment())
    for number in (foreign.pk, 999_999_999, 999_999_999_999_999_999):
        with page(tier, session, path=f"/ws/webinars/{number}/") as browser:
            assert closing(browser.connection) == (["not_enrolled"], 4403)


@pytest.mark.parametrize("path", ["/ws/", "/ws/webinars/", "/ws/webinars/abc/", "/ws/webinars/1/x/", "/"])
def test_other_addresses_open_no_socket(tier: RunningTier, session: PlaySession, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused, page(tier, session, path=path):
        pass
    assert refused.value.response.status_code == 403


def test_http_is_not_served_here(tier: RunningTier) -> None:
    with pytest.raises(Exception, match="404"):
        urlopen(f"http://127.0.0.1:{tier.port}/ws/webinars/1/", timeout=PATIENCE)


def test_sec_17_a_session_must_be_ones_own(tier: RunningTier, session: PlaySession) -> None:
    foreign = open_now()
    mine_elsewhere = open_now(session.enrolment)
    with page(tier, session) as browser:
        for other in (foreign.pk, mine_elsewhere.pk, uuid4()):
            answer = browser.hello(other)
            assert (answer["t"], answer["n"], answer["reason"]) == ("refused", [], "unknown_session")
        browser.beat(1, (0, 5))
        assert browser.hear()["reason"] == "unknown_session"
        assert browser.hello(session.pk)["t"] == "welcome"
    assert not WatchRecord.objects.exists()


def test_hello_to_an_ended_session_is_refused(tier: RunningTier, session: PlaySession) -> None:
    PlaySession.objects.update(ended_at=now())
    with page(tier, session) as browser:
        assert browser.hello(session.pk)["reason"] == "session_ended"


MALFORMED: list[str | bytes] = [
    "",
    "{",
    "null",
    "12",
    "[]",
    '"beat"',
    "{}",
    '{"t":"other"}',
    '{"t":["beat"]}',
    '{"t":"hello"}',
    '{"t":"hello","session":7}',
    '{"t":"hello","session":"7"}',
    '{"t":"beat"}',
    '{"t":"beat","n":"1","s":[],"p":0}',
    "[" * 5000,
    "\x00",
    b"\x00\xff",
    b'{"t":"hello"}',
]


def test_malformed_frames_are_refused_and_the_socket_stays(tier: RunningTier, session: PlaySession) -> None:
    with page(tier, session) as browser:
        for text in MALFORMED:
            browser.say(text)
            answer = browser.hear()
            assert (answer["t"], answer["n"], answer["reason"]) == ("refused", [], "malformed"), text
        assert browser.hello(session.pk)["t"] == "welcome"


def test_beats_are_refused_one_by_one_with_a_reason_in_words(tier: RunningTier, session: PlaySession) -> None:
    with page(tier, session) as browser:
        browser.hello(session.pk)
        browser.say({"t": "beat", "n": 1, "s": [[5, 0]], "p": 0})
        first = browser.hear()
        assert (first["n"], first["reason"]) == ([1], "malformed")
        browser.beat(2, (0, 10_000))
        browser.beat(3, (0, 10))
        answers = {frame["t"]: frame for frame in (browser.hear(), browser.hear())}
        assert answers["ack"] == {"t": "ack", "n": [3], "seen": 10, "done": False}
        assert (answers["refused"]["n"], answers["refused"]["reason"]) == ([2], "outside_media")
        assert re.search(r"\w+ \w+", answers["refused"]["detail"])


def test_sec_17_a_frame_over_64_kb_closes_the_socket(tier: RunningTier, session: PlaySession) -> None:
    with page(tier, session) as browser:
        browser.hello(session.pk)
        browser.say('{"t":"beat","n":1,"p":0,"s":[' + "[0,1]," * 11_000 + "[0,1]]}")
        assert closing(browser.connection)[1] == 1009
    assert not WatchRecord.objects.exists()


def test_sec_17_a_flood_closes_the_socket_after_acknowledging(
    tier: RunningTier, session: PlaySession, settings: Any
) -> None:
    """So many a minute after a burst; what was accepted is answered first, so a player behind still advances."""
    settings.SOCKET_MESSAGE_BURST = 50
    settings.SOCKET_MESSAGES_PER_MINUTE = 1  # none is added while this machine takes its time
    with page(tier, session) as browser:
        browser.hello(session.pk)
        for n in range(60):
            browser.beat(n, (n, n + 1))
        frames, code = until_closed(browser.connection)
        acked = {n for frame in frames for n in frame["n"]}
        assert code == 4429
        assert acked == set(range(49))
        assert coverage_of(session) == ((0, 49),)


@pytest.mark.site
def test_sec_17_an_ended_device_is_sent_away_within_five_seconds(tier: RunningTier, session: PlaySession) -> None:
    neighbour = open_now()
    with page(tier, session) as browser, page(tier, neighbour) as other:
        browser.hello(session.pk)
        other.hello(neighbour.pk)
        end_device(device=session.device, reason=DeviceEnd.REPLACED, now=now())
        assert browser.hear(5) == {"t": "bye", "reason": "device_ended"}
        assert closing(browser.connection) == ([], 4401)
        other.beat(1, (0, 5))
        assert other.hear()["t"] == "ack"


@pytest.mark.usefixtures("often")
def test_signing_out_elsewhere_is_told_apart(tier: RunningTier, session: PlaySession) -> None:
    with page(tier, session) as browser:
        browser.hello(session.pk)
        end_device(device=session.device, reason=DeviceEnd.SIGNED_OUT, now=now())
        assert browser.hear() == {"t": "bye", "reason": "signed_out"}


@pytest.mark.site
def test_sec_17_a_suspended_enrolment_closes_the_socket_within_five_seconds(
    tier: RunningTier, session: PlaySession
) -> None:
    with page(tier, session) as browser:
        browser.hello(session.pk)
        Enrolment.objects.filter(user=session.user_id).update(status=EnrolmentStatus.SUSPENDED)
        assert browser.hear(5) == {"t": "bye", "reason": "not_enrolled"}
        assert closing(browser.connection) == ([], 4403)


def test_a_second_hello_changes_the_session(tier: RunningTier, session: PlaySession) -> None:
    second = start_play_session(webinar=session.webinar, user=session.user, device=session.device, now=now())
    with page(tier, session) as browser:
        browser.hello(session.pk)
        browser.beat(1, (0, 5))
        browser.say({"t": "hello", "session": str(second.pk)})
        assert browser.hear()["t"] == "ack"  # of the first session, before the second is welcomed
        assert browser.hear()["session"] == str(second.pk)
        browser.beat(1, (5, 9))
        assert browser.hear() == {"t": "ack", "n": [1], "seen": 9, "done": False}


def test_a_stopping_server_acknowledges_then_sends_everybody_away(session: PlaySession) -> None:
    with running_tier() as tier, page(tier, session) as browser:
        browser.hello(session.pk)
        browser.beat(1, (0, 5))
        tier.stop()
        frames = [browser.hear(), browser.hear()]
        assert frames[-1] == {"t": "bye", "reason": "restarting"}
        assert frames[0]["t"] in {"ack", "retry"}
        assert (frames[0]["t"] == "ack") == (coverage_of(session) == ((0, 5),))
        assert closing(browser.connection) == ([], 1012)
