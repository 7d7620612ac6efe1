"""What players tell of themselves: who may, how often, and how much of it is believed."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import Settings

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd
from analytics.api.reports_serializers import MOST_NUMBER, MOST_REPORTS
from analytics.domain.playback import Report
from analytics.domain.user_agents import device_of as kind_of
from analytics.enums import DeviceKind, NetworkKind, PlaybackError
from analytics.models import PlaybackReport
from analytics.rules import SESSION_DAYS
from courses.models import Enrolment
from tests.analytics.reports import IPHONE, open_again, row, tell, told
from tests.factories.accounts import UserFactory
from tests.signing_in import device_of, signed_in
from tests.webinars.watching import NOON, make_enrolment, make_webinar, open_player
from webinars.enums import Phase
from webinars.models import PlaySession, WatchRecord, Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def enrolment() -> Enrolment:
    made = make_enrolment()
    made.user.country = "IN"
    made.user.save()
    return made


@pytest.fixture
def webinar(enrolment: Enrolment) -> Webinar:
    return make_webinar(enrolment)


@pytest.fixture
def browser(enrolment: Enrolment) -> Client:
    return signed_in(enrolment.user)


def open_in(browser: Client, webinar: Webinar) -> PlaySession:
    """Since ten minutes."""
    created = browser.post(f"/api/v1/webinars/{webinar.pk}/play-sessions/", {}, content_type="application/json")
    session = PlaySession.objects.get(pk=created.json()["session"])
    session.started_at = now() - timedelta(minutes=10)
    session.save()
    return session


@pytest.fixture
def session(browser: Client, webinar: Webinar) -> PlaySession:
    return open_in(browser, webinar)


def address(webinar: Webinar) -> str:
    return f"/api/v1/webinars/{webinar.pk}/playback-reports/"


def post(browser: Client, session: PlaySession, *rows: dict[str, Any], **headers: str) -> Any:
    body = {"session": str(session.pk), "reports": list(rows)}
    return browser.post(address(session.webinar), body, content_type="application/json", headers=headers)


class TestTelling:
    def test_a_report_is_kept_with_who_it_is_about_left_out(self, browser: Client, session: PlaySession) -> None:
        fields = {"start_ms": 812, "stall_ms": 1_500, "stalls": 2, "kbits": 60_000, "errors": 1}
        given = row(1, **fields, error_kind="network", network="3g", replayed=[[10, 40], [30, 50]])

        response = post(browser, session, given, **{"User-Agent": IPHONE})

        assert (response.status_code, response.json()) == (200, {"taken": [1]})
        kept = told(session)
        assert {name: getattr(kept, name) for name in fields} == fields
        assert (kept.play_ms, kept.error_kind, kept.network) == (60_000, "network", "3g")
        assert kept.replayed == ((10, 50),)
        assert (kept.country, kept.device) == ("IN", "phone")
        assert (kept.webinar_id, kept.phase) == (session.webinar_id, "on_demand")
        assert kept.session_started_at == session.started_at
        assert "user" not in {field.name for field in PlaybackReport._meta.get_fields()}
        assert not WatchRecord.objects.exists()

    def test_the_same_one_again_changes_nothing_whatever_it_says(self, browser: Client, session: PlaySession) -> None:
        post(browser, session, row(1), row(2, play_ms=5_000))
        again = post(browser, session, row(2, play_ms=9_999), row(1, errors=7), row(3))

        assert again.json() == {"taken": [1, 2, 3]}
        kept = PlaybackReport.objects.order_by("number").values_list("number", "play_ms", "errors")
        assert list(kept) == [(1, 60_000, 0), (2, 5_000, 0), (3, 60_000, 0)]

    def test_twice_in_one_request_counts_once(self, browser: Client, session: PlaySession) -> None:
        assert post(browser, session, row(1), row(1)).json() == {"taken": [1]}
        assert PlaybackReport.objects.count() == 1

    def test_a_beacon_sends_a_form_with_the_token_in_the_body(self, enrolment: Enrolment, webinar: Webinar) -> None:
        browser = signed_in(enrolment.user, enforce_csrf_checks=True)
        secret = browser.get(f"/webinars/{webinar.pk}/").cookies["csrftoken"].value
        opened = browser.post(
            f"/api/v1/webinars/{webinar.pk}/play-sessions/",
            {},
            content_type="application/json",
            headers={"X-CSRFToken": secret},
        )
        payload = json.dumps({"session": opened.json()["session"], "reports": [row(1)]})

        def beacon(**fields: str) -> Any:
            kind = "application/x-www-form-urlencoded;charset=UTF-8"
            return browser.post(address(webinar), urlencode(fields), content_type=kind)

        assert beacon(payload=payload).status_code == 403
        assert not PlaybackReport.objects.exists()
        assert beacon(payload=payload, csrfmiddlewaretoken=secret).status_code == 200
        assert PlaybackReport.objects.count() == 1
        for broken in ("", "{", "NaN", "[" * 10_000, '{"session": 1}'):
            assert beacon(payload=broken, csrfmiddlewaretoken=secret).status_code == 400

    @pytest.mark.parametrize("number", [1, 3])
    def test_takes_one_query_for_the_door_one_for_what_was_told_and_one_for_all_reports(
        self, browser: Client, session: PlaySession, number: int
    ) -> None:
        post(browser, session, row(9))  # what a first request of a browser asks besides

        with CaptureQueriesContext(connection) as queries:
            post(browser, session, *[row(one) for one in range(1, number + 1)])

        own = [one["sql"] for one in queries if "playsession" in one["sql"] or "playbackreport" in one["sql"]]
        assert len(own) == 3


class TestRubbish:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"number": 0},
            {"number": MOST_NUMBER + 1},
            {"number": "x"},
            {"play_ms": -1},
            {"play_ms": 10**12},
            {"play_ms": 1.5e300},
            {"stalls": None},
            {"start_ms": 10**9},
            {"network": "carrier pigeon"},
            {"error_kind": "x" * 40},
            {"replayed": [[1]]},
            {"replayed": [[9, 1]]},
            {"replayed": [[-5, 1]]},
            {"replayed": [[0, 10**9]]},
            {"replayed": [[0, 1]] * 51},
            {"replayed": "all"},
            {"user": 1},
        ],
        ids=str,
    )
    def test_is_refused_as_a_whole(self, browser: Client, session: PlaySession, wrong: dict[str, Any]) -> None:
        response = post(browser, session, row(1), row(2) | wrong)

        assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
        assert not PlaybackReport.objects.exists()

    @pytest.mark.parametrize("reports", [None, [], {}, [1], [row(n) for n in range(1, MOST_REPORTS + 2)]], ids=str)
    def test_of_another_shape_is_refused(self, browser: Client, session: PlaySession, reports: Any) -> None:
        body = {"session": str(session.pk), "reports": reports}
        assert browser.post(address(session.webinar), body, content_type="application/json").status_code == 400

    def test_a_body_that_is_too_large_is_not_read(self, browser: Client, session: PlaySession) -> None:
        assert post(browser, session, row(1, error_kind="x" * 70_000)).status_code == 413

    def test_more_than_a_player_tells_is_slowed_down(
        self, browser: Client, session: PlaySession, settings: Settings
    ) -> None:
        settings.API_RATES = {**settings.API_RATES, "reports": ((2, 60),)}

        statuses = [post(browser, session, row(number)).status_code for number in (1, 2, 3)]

        assert statuses == [200, 200, 429]
        assert browser.get(f"/api/v1/webinars/{session.webinar_id}/playback/").status_code == 200


class TestDoor:
    def test_only_ones_own_open_session_on_this_device_and_of_this_webinar(
        self, browser: Client, session: PlaySession, webinar: Webinar, enrolment: Enrolment
    ) -> None:
        other = make_webinar(enrolment)
        colleague = signed_in(UserFactory.create())
        elsewhere = signed_in(enrolment.user)
        ended = open_again(session)
        PlaySession.objects.filter(pk=ended.pk).update(ended_at=now())
        old = open_again(session, started_at=now() - timedelta(days=SESSION_DAYS, seconds=1))

        def status(asker: Client, where: Webinar, which: object) -> int:
            body = {"session": str(which), "reports": [row(1)]}
            return asker.post(address(where), body, content_type="application/json").status_code

        assert status(browser, webinar, uuid4()) == 404
        assert status(browser, other, session.pk) == 404
        assert status(colleague, webinar, session.pk) == 404
        assert status(elsewhere, webinar, session.pk) == 404
        assert status(browser, webinar, ended.pk) == 404
        assert status(browser, webinar, old.pk) == 404
        assert status(Client(), webinar, session.pk) == 401
        assert not PlaybackReport.objects.exists()
        assert status(browser, webinar, session.pk) == 200

    def test_a_device_that_was_signed_out_tells_nothing_more(self, browser: Client, session: PlaySession) -> None:
        end_device(device=device_of(browser), reason=DeviceEnd.REVOKED, now=now())

        assert post(browser, session, row(1)).status_code == 401
        assert not PlaybackReport.objects.exists()


class TestWithinReason:
    """A player of ten minutes' lecture, opened at noon."""

    def test_nobody_has_played_for_longer_than_the_player_was_open(self) -> None:
        session = open_player()

        tell(session, Report(1, play_ms=3_600_000, stall_ms=3_600_000, kbits=10**12, stalls=9_999), after=30)

        kept = told(session)
        assert (kept.play_ms, kept.stall_ms) == (60_000, 0)
        assert kept.kbits == 6_000_000
        assert kept.stalls == 601

    def test_nor_have_all_its_reports_together(self) -> None:
        session, other = open_player(), open_player()
        tell(other, Report(1, play_ms=300_000))

        tell(session, Report(1, play_ms=40_000, stall_ms=10_000), after=60)
        tell(session, Report(2, play_ms=30_000, stall_ms=30_000), Report(3, play_ms=50_000), after=60)
        tell(session, Report(2, play_ms=300_000), Report(4, play_ms=40_000), after=90)

        told = PlaybackReport.objects.filter(session=session).order_by("number")
        assert list(told.values_list("number", "play_ms", "stall_ms")) == [
            (1, 40_000, 10_000),
            (2, 30_000, 10_000),
            (3, 0, 0),
            (4, 30_000, 0),
        ]

    def test_a_player_that_fails_waits_before_it_tries_again(self) -> None:
        session = open_player()

        for number in (1, 2, 3):
            tell(session, Report(number, errors=25, error_kind=PlaybackError.NETWORK), after=30)

        told = PlaybackReport.objects.order_by("number").values_list("errors", "error_kind")
        assert list(told) == [(25, "network"), (25, "network"), (10, "network")]

    def test_what_was_played_again_lies_in_the_lecture(self) -> None:
        session = open_player()

        tell(session, Report(1, play_ms=200_000, replayed=((500, 900),)))

        assert told(session).replayed == ((500, 600),)

    def test_more_played_again_than_can_have_played_is_none(self) -> None:
        session = open_player()

        tell(session, Report(1, play_ms=10_000, replayed=((0, 31),)), Report(2, play_ms=10_000, replayed=((0, 30),)))

        assert list(PlaybackReport.objects.order_by("number").values_list("replayed", flat=True)) == [(), ((0, 30),)]

    def test_a_kind_of_error_without_an_error_is_none(self) -> None:
        session = open_player()

        tell(session, Report(1, play_ms=1, error_kind=PlaybackError.BROKEN))

        assert (told(session).errors, told(session).error_kind) == (0, "")

    def test_of_a_recording_that_was_cut_it_is_in_seconds_of_the_uncut_one(self) -> None:
        """As coverage is: minutes two to four were cut out, so second 130 of what is shown is 250 of all."""
        session = open_player()
        PlaySession.objects.filter(pk=session.pk).update(
            shown=((0, 120), (240, 600)), carried=(), media_seconds=480, required_seconds=400
        )
        session.refresh_from_db()

        tell(session, Report(1, play_ms=100_000, replayed=((110, 130),)))

        assert told(session).replayed == ((110, 120), (240, 250))

    def test_live_it_ends_where_the_broadcast_has_got_to(self) -> None:
        session = open_player()
        PlaySession.objects.filter(pk=session.pk).update(
            phase=Phase.LIVE, epoch=NOON - timedelta(seconds=100), media_seconds=86_400
        )
        session.refresh_from_db()

        tell(session, Report(1, play_ms=240_000, replayed=((300, 4_000),)), after=300)
        assert told(session).replayed == ((300, 430),)


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (IPHONE, DeviceKind.PHONE),
        (
            "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
            DeviceKind.PHONE,
        ),
        ("Mozilla/5.0 (Linux; Android 12; SM-X200) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", DeviceKind.TABLET),
        ("Mozilla/5.0 (iPad; CPU OS 15_0 like Mac OS X) AppleWebKit/605.1.15", DeviceKind.TABLET),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", DeviceKind.COMPUTER),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.4 Safari/605.1.15", DeviceKind.COMPUTER),
        ("Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/79.0 Safari/537.36", DeviceKind.TV),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 TV Safari/537.36", DeviceKind.TV),
        ("", DeviceKind.OTHER),
        ("curl/8.5", DeviceKind.OTHER),
    ],
)
def test_the_kind_of_device_is_read_from_the_browsers_name(agent: str, kind: DeviceKind) -> None:
    assert kind_of(agent) is kind


def test_every_network_fits_its_column() -> None:
    longest = PlaybackReport._meta.get_field("network").max_length
    assert max(len(kind.value) for kind in NetworkKind) == longest
