"""AWS IVS plays for whom it is told to, for a minute at a time, and stops when it is told to."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from celery.signals import after_task_publish
from cryptography.hazmat.primitives import serialization
from django.core import serializers
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now
from joserfc import jwt
from joserfc.jwk import ECKey
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd, Role
from accounts.models import User
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.recording.ivs_world import ARN, PLAYBACK_KEY, PLAYBACK_PEM, IvsApi, ivs_api
from tests.signing_in import device_of, signed_in
from tests.webinars.on_air import make_live
from tests.webinars.watching import make_enrolment, make_webinar
from webinars.domain.ivs_viewers import CLOCKS_DIFFER, KEPT, cut_off, forget_viewers
from webinars.domain.registrations import cancel_registration, register
from webinars.domain.restrictions import let_back, remove
from webinars.enums import IngestKind
from webinars.ingest.ivs import channel_name
from webinars.models import Broadcast, IvsViewer, Webinar

pytestmark = pytest.mark.django_db
PUBLIC = ECKey.import_key(
    PLAYBACK_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)
CLAIMS = {
    "aws:channel-arn",
    "aws:access-control-allow-origin",
    "aws:viewer-id",
    "aws:viewer-session-version",
    "aws:single-use-uuid",
    "exp",
}


@pytest.fixture
def enrolment() -> Enrolment:
    return make_enrolment()


@pytest.fixture
def webinar(enrolment: Enrolment, settings: Any) -> Webinar:
    settings.LIVE_IVS_PLAYBACK_PRIVATE_KEY = PLAYBACK_PEM.replace("\n", "\\n")  # as variables often carry it
    settings.SITE_URL = "https://learn.example.org:8443/"
    settings.AWS_ENDPOINT_URL = ""
    cache.clear()
    made = make_webinar(enrolment)
    return make_live(epoch=now() - timedelta(minutes=10), webinar=made, ingest=IngestKind.IVS)


@pytest.fixture
def api(webinar: Webinar, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[IvsApi]]:
    with ivs_api(channel_name(webinar)) as (address, handler):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_ENDPOINT_URL_IVS", address)
        yield handler


@pytest.fixture
def browser(enrolment: Enrolment, api: type[IvsApi]) -> Client:
    return signed_in(enrolment.user)


def opened(browser: Client, webinar: Webinar, **body: Any) -> Any:
    return browser.post(f"/api/v1/webinars/{webinar.pk}/play-sessions/", body, content_type="application/json")


def token_of(answer: Any) -> str:
    address = urlsplit(answer.json()["live"])
    assert address._replace(query="").geturl() == "https://a.live-video.net/b.m3u8"
    (token,) = parse_qs(address.query)["token"]
    return token


def claims_of(answer: Any) -> dict[str, Any]:
    """Read by another library than wrote them; a wrong signature or algorithm raises."""
    return dict(jwt.decode(token_of(answer), PUBLIC, algorithms=["ES384"]).claims)


def revoked(api: type[IvsApi]) -> list[tuple[str, int]]:
    assert {one["channelArn"] for one in api.revoked} <= {ARN}
    return [(one["viewerId"], one["viewerSessionVersionsLessThanOrEqualTo"]) for one in api.revoked]


class TestTokens:
    def test_sec_12_a_token_is_one_viewers_for_a_minute_on_this_site(self, browser: Client, webinar: Webinar) -> None:
        before = now()
        answer = opened(browser, webinar)
        claims = claims_of(answer)

        assert set(claims) == CLAIMS
        assert (claims["aws:channel-arn"], claims["aws:access-control-allow-origin"]) == (
            ARN,
            "https://learn.example.org:8443",
        )
        viewer = IvsViewer.objects.get()
        assert (claims["aws:viewer-id"], viewer.device) == (str(viewer.pk), device_of(browser))
        assert before.timestamp() + 50 < claims["exp"] <= now().timestamp() + 62
        epoch = Broadcast.objects.get().epoch
        assert epoch is not None
        opened_at = epoch + timedelta(milliseconds=claims["aws:viewer-session-version"])
        assert before - timedelta(milliseconds=1) <= opened_at <= now()
        assert answer["Cache-Control"] == "private, no-store"

    def test_renewing_gives_another_token_for_the_same_viewer(self, browser: Client, webinar: Webinar) -> None:
        first = opened(browser, webinar)
        again = opened(browser, webinar, session=first.json()["session"])
        one, two = claims_of(first), claims_of(again)

        assert again.json()["session"] == first.json()["session"]
        assert one["aws:viewer-id"] == two["aws:viewer-id"]
        assert one["aws:single-use-uuid"] != two["aws:single-use-uuid"]
        assert one["aws:viewer-session-version"] < two["aws:viewer-session-version"]

    def test_sec_12_viewers_are_told_apart_and_nothing_of_the_person_is_said(
        self, browser: Client, webinar: Webinar, enrolment: Enrolment
    ) -> None:
        other = signed_in(EnrolmentFactory.create(programme=enrolment.programme).user)
        ids = [claims_of(opened(one, webinar))["aws:viewer-id"] for one in (browser, other, signed_in(enrolment.user))]

        assert len(set(ids)) == 3  # the same person's second device is another one
        assert all(UUID(one).version == 4 for one in ids)

    def test_sec_35_no_token_is_in_the_page_the_log_or_the_database(
        self, browser: Client, webinar: Webinar, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            token = token_of(opened(browser, webinar))
            page = browser.get(f"/webinars/{webinar.pk}/").content.decode()
            said = browser.get(f"/api/v1/webinars/{webinar.pk}/playback/").json()
            cut_off(now=now())
        rows = serializers.serialize("json", [*IvsViewer.objects.all(), *Broadcast.objects.all()])

        assert "https://a.live-video.net/b.m3u8" in page
        for text in (page, json.dumps(said), caplog.text, rows):
            assert "token=" not in text
            assert token.partition(".")[2] not in text
            assert "PRIVATE KEY" not in text

    def test_the_page_leaves_loading_to_the_play_session(self, browser: Client, webinar: Webinar) -> None:
        page = browser.get(f"/webinars/{webinar.pk}/")

        assert page.context["found"].stage == "live"
        assert page.context["player"]["grant_seconds"] == 0
        assert 'crossorigin="anonymous"' in page.content.decode()
        assert "<source" not in page.content.decode()


def _removed(webinar: Webinar, user: User) -> None:
    remove(webinar=webinar, user=user, actor=UserFactory.create(), now=now())


def _suspended(webinar: Webinar, user: User) -> None:
    Enrolment.objects.filter(user=user).update(status=EnrolmentStatus.SUSPENDED)


def _disabled(webinar: Webinar, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _without_a_place(webinar: Webinar, user: User) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(needs_registration=True)


def _signed_out(webinar: Webinar, user: User) -> None:
    end_device(device=user.devices.get(), reason=DeviceEnd.REVOKED, now=now())


ENDS: tuple[Callable[[Webinar, User], None], ...] = (_removed, _suspended, _disabled, _without_a_place, _signed_out)


@pytest.mark.parametrize("end", ENDS)
def test_sec_11_who_may_stay_no_longer_is_cut_off_and_gets_no_token(
    browser: Client, webinar: Webinar, enrolment: Enrolment, api: type[IvsApi], end: Callable[[Webinar, User], None]
) -> None:
    claims = claims_of(opened(browser, webinar))
    assert cut_off(now=now()) == 0
    end(webinar, enrolment.user)

    answer = opened(browser, webinar)
    assert answer.status_code in {401, 403, 404, 409}
    assert "token" not in answer.content.decode()
    assert cut_off(now=now()) == 1
    ((viewer, version),) = revoked(api)
    assert (viewer, version > claims["aws:viewer-session-version"]) == (claims["aws:viewer-id"], True)
    assert cut_off(now=now()) == 0
    assert len(api.revoked) == 1


class TestCuttingOff:
    def test_sec_11_only_the_device_that_was_ended(
        self, browser: Client, webinar: Webinar, enrolment: Enrolment, api: type[IvsApi]
    ) -> None:
        other = signed_in(enrolment.user)
        ids = [claims_of(opened(one, webinar))["aws:viewer-id"] for one in (browser, other)]
        end_device(device=device_of(browser), reason=DeviceEnd.REVOKED, now=now())

        assert cut_off(now=now()) == 1
        assert [viewer for viewer, _ in revoked(api)] == ids[:1]

    def test_sec_11_who_lost_the_role(self, webinar: Webinar, enrolment: Enrolment, api: type[IvsApi]) -> None:
        grant = RoleGrantFactory.create(role=Role.MODERATOR, programme=enrolment.programme)
        claims = claims_of(opened(signed_in(grant.user), webinar))
        assert cut_off(now=now()) == 0
        grant.delete()

        assert cut_off(now=now()) == 1
        assert revoked(api)[0][0] == claims["aws:viewer-id"]

    def test_sec_11_a_deleted_device_is_cut_off(self, browser: Client, webinar: Webinar, api: type[IvsApi]) -> None:
        claims = claims_of(opened(browser, webinar))
        device_of(browser).delete()

        assert cut_off(now=now()) == 1
        assert revoked(api)[0][0] == claims["aws:viewer-id"]

    def test_sec_11_removing_rings_when_it_is_committed(
        self,
        browser: Client,
        webinar: Webinar,
        enrolment: Enrolment,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        rung: list[str] = []

        def hear(sender: str = "", **_: Any) -> None:
            rung.append(sender)

        after_task_publish.connect(hear)
        with django_capture_on_commit_callbacks() as callbacks:
            _removed(webinar, enrolment.user)
        assert rung == []
        for callback in callbacks:
            callback()
        assert "webinars.cut_off_ivs" in rung

    def test_sec_11_what_aws_did_not_take_is_tried_again(
        self, browser: Client, webinar: Webinar, enrolment: Enrolment, api: type[IvsApi]
    ) -> None:
        """First it does not answer, then it refuses this one; what is revoked stays the same."""
        claims = claims_of(opened(browser, webinar))
        _removed(webinar, enrolment.user)
        at = now()
        api.is_down = True
        assert cut_off(now=at) == 0
        assert IvsViewer.objects.get().told_at is None
        api.is_down, api.refusing = False, {claims["aws:viewer-id"]}
        assert cut_off(now=at + timedelta(seconds=3)) == 0
        api.refusing = set()
        later = at + timedelta(seconds=6)
        assert cut_off(now=later) == 1

        viewer, epoch = IvsViewer.objects.get(), Broadcast.objects.get().epoch
        assert (viewer.withdrawn_at, viewer.told_at) == (at, later)
        assert epoch is not None
        assert revoked(api) == [(str(viewer.pk), (at + CLOCKS_DIFFER - epoch) // timedelta(milliseconds=1))] * 2

    def test_who_is_let_back_plays_again_and_can_be_cut_off_again(
        self, browser: Client, webinar: Webinar, enrolment: Enrolment, api: type[IvsApi]
    ) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(needs_registration=True)
        register(webinar=webinar, user=enrolment.user, now=now())
        opened(browser, webinar)
        at = now() - timedelta(minutes=1)
        _removed(webinar, enrolment.user)
        assert cut_off(now=at) == 1
        let_back(webinar=webinar, user=enrolment.user, actor=UserFactory.create(), now=now())
        claims = claims_of(opened(browser, webinar))

        ((_, version),) = revoked(api)
        assert claims["aws:viewer-session-version"] > version
        assert cut_off(now=now()) == 0
        cancel_registration(webinar=webinar, user=enrolment.user, now=now())
        assert cut_off(now=now()) == 1
        assert revoked(api)[1][1] > claims["aws:viewer-session-version"]

    def test_many_at_once_in_calls_of_twenty(self, webinar: Webinar, enrolment: Enrolment, api: type[IvsApi]) -> None:
        at = now()
        viewers = [IvsViewer(webinar=webinar, device=None, made_at=at) for _ in range(45)]
        IvsViewer.objects.bulk_create(viewers)

        assert cut_off(now=at) == 45
        assert {viewer for viewer, _ in revoked(api)} == {str(one.pk) for one in viewers}
        assert api.asked == 2 + 3  # where the channel is, once; then twenty, twenty and five

    def test_what_is_over_is_left_alone_and_forgotten(
        self, browser: Client, webinar: Webinar, enrolment: Enrolment, api: type[IvsApi]
    ) -> None:
        opened(browser, webinar)
        ended = now()
        Webinar.objects.filter(pk=webinar.pk).update(ended_at=ended)
        _suspended(webinar, enrolment.user)

        assert cut_off(now=ended) == 0
        assert forget_viewers(now=ended + KEPT) == 0
        assert forget_viewers(now=ended + KEPT + timedelta(seconds=1)) == 1


def test_version_is_no_time_of_day(browser: Client, webinar: Webinar) -> None:
    """AWS takes a whole number of 31 bits: milliseconds since 1970 would be none."""
    Broadcast.objects.update(epoch=now() - timedelta(hours=48))
    assert claims_of(opened(browser, webinar))["aws:viewer-session-version"] < 2**31
