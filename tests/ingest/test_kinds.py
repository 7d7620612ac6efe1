"""The ways a picture comes in: what the presenter is shown, and AWS IVS as far as moto plays it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.factories.webinars import LiveWebinarFactory
from tests.recording.ivs_world import PLAYBACK_PEM
from webinars.enums import IngestKind
from webinars.ingest import KINDS, ingest_for
from webinars.ingest.base import IngestError
from webinars.ingest.ivs import IvsIngest, channel_name
from webinars.models import Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar() -> Webinar:
    return LiveWebinarFactory.create()


@pytest.fixture(autouse=True)
def playback_key(settings: Any) -> None:
    settings.LIVE_IVS_PLAYBACK_PRIVATE_KEY = PLAYBACK_PEM


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("ivs", region_name="eu-central-1")


def test_every_kind_has_its_strategy() -> None:
    assert set(KINDS) == set(IngestKind)


def test_the_built_in_one_shows_the_server_and_no_key(webinar: Webinar, settings: Any) -> None:
    settings.SITE_URL, settings.RTMP_URL, settings.RTMP_PORT = "https://learn.example.org", "", 1935
    kind = ingest_for(IngestKind.RTMP)
    setup = kind.setup(webinar)

    assert (setup.server, setup.key, setup.has_own_keys) == ("rtmp://learn.example.org/live", "", True)
    settings.RTMP_PORT = 19350
    assert kind.setup(webinar).server == "rtmp://learn.example.org:19350/live"
    settings.RTMP_URL = "rtmps://live.example.org/live"
    assert kind.setup(webinar).server == "rtmps://live.example.org/live"
    assert not kind.state(webinar).is_live
    assert kind.has_segments


def test_a_meeting_elsewhere_is_a_link() -> None:
    webinar = LiveWebinarFactory.create(ingest=IngestKind.EXTERNAL, external_url="https://zoom.example/j/1")
    kind = ingest_for(webinar.ingest)

    assert kind.playback_url(webinar) == kind.setup(webinar).link == "https://zoom.example/j/1"
    assert not kind.state(webinar).is_known
    assert not kind.has_segments


def test_ivs_makes_one_channel_a_webinar_and_finds_it_again(webinar: Webinar, aws: Any) -> None:
    other = LiveWebinarFactory.create()
    url = IvsIngest().playback_url(webinar)

    assert url.startswith("https://")
    assert IvsIngest().playback_url(webinar) == url
    IvsIngest().playback_url(other)
    channels = aws.list_channels()["channels"]
    assert sorted(one["name"] for one in channels) == sorted([channel_name(webinar), channel_name(other)])
    assert [one["authorized"] for one in channels] == [True, True]


def test_sec_12_an_ivs_channel_that_is_open_to_everybody_is_closed(webinar: Webinar, aws: Any) -> None:
    """Made by an older version, or opened by hand."""
    arn = aws.create_channel(name=channel_name(webinar))["channel"]["arn"]
    assert not aws.get_channel(arn=arn)["channel"]["authorized"]
    assert IvsIngest().place(webinar).arn == arn
    assert aws.get_channel(arn=arn)["channel"]["authorized"]


class FakeIvs(BaseHTTPRequestHandler):
    """What moto does not play: stream keys and the state of a stream. Speaks the service's own protocol."""

    live = False
    authorized = True
    stopped = 0
    made: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        status, answer = self.answer(self.path.strip("/"), asked)
        body = json.dumps(answer).encode()
        self.send_response(status)
        if status >= 400:
            self.send_header("x-amzn-ErrorType", answer["name"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        kind = type(self)
        arn = "arn:aws:ivs:eu-central-1:123456789012:channel/abc"
        channel = {
            "arn": arn,
            "ingestEndpoint": "abc.global-contribute.example",
            "playbackUrl": "https://play.example/a",
            "authorized": kind.authorized,
        }
        if operation == "UpdateChannel" and kind.live:
            return 409, {"name": "ConflictException", "exceptionMessage": "the channel is live"}
        if operation == "CreateChannel":
            kind.made.append(asked)
        if operation in {"GetStream", "StopStream"} and not kind.live:
            return 404, {"name": "ChannelNotBroadcasting", "exceptionMessage": "not on air"}
        kind.stopped += operation == "StopStream"
        answers: dict[str, dict[str, Any]] = {
            "ListChannels": {"channels": [{"arn": arn, "name": asked.get("filterByName")}] if kind.made else []},
            "CreateChannel": {"channel": channel},
            "GetChannel": {"channel": channel},
            "ListStreamKeys": {"streamKeys": [{"arn": f"{arn}/key", "channelArn": arn}]},
            "GetStreamKey": {"streamKey": {"arn": f"{arn}/key", "value": "sk_secret", "channelArn": arn}},
            "GetStream": {"stream": {"state": "LIVE", "health": "HEALTHY", "viewerCount": 12}},
            "StopStream": {},
        }
        return 200, answers[operation]

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def fake(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeIvs]]:
    handler = type("Handler", (FakeIvs,), {"made": [], "live": False, "stopped": 0})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


def test_ivs_shows_its_server_and_key_and_records(webinar: Webinar, fake: type[FakeIvs], settings: Any) -> None:
    settings.LIVE_IVS_RECORDING_ARN = "arn:aws:ivs:eu-central-1:123456789012:recording-configuration/r"
    setup = IvsIngest().setup(webinar)

    assert (setup.server, setup.key) == ("rtmps://abc.global-contribute.example:443/app/", "sk_secret")
    (made,) = fake.made
    assert made["recordingConfigurationArn"] == settings.LIVE_IVS_RECORDING_ARN
    assert made["name"] == channel_name(webinar)
    assert made["authorized"] is True


def test_sec_12_an_open_ivs_channel_on_air_plays_for_nobody(webinar: Webinar, fake: type[FakeIvs]) -> None:
    """AWS changes no channel that is live; whoever has the address could watch."""
    fake.live, fake.authorized = True, False
    for asked in (IvsIngest().setup, IvsIngest().playback_url):
        with pytest.raises(IngestError, match="open to everybody"):
            asked(webinar)


def test_ivs_without_a_key_for_its_viewers_is_not_used(webinar: Webinar, fake: type[FakeIvs], settings: Any) -> None:
    settings.LIVE_IVS_PLAYBACK_PRIVATE_KEY = ""
    for asked in (IvsIngest().setup, IvsIngest().playback_url):
        with pytest.raises(IngestError, match="LIVE_IVS_PLAYBACK_PRIVATE_KEY"):
            asked(webinar)
    assert fake.made == []


def test_ivs_says_whether_it_is_on_air_and_is_stopped(webinar: Webinar, fake: type[FakeIvs]) -> None:
    kind = IvsIngest()
    assert not kind.state(webinar).is_live
    kind.end(webinar)
    fake.live = True

    state = kind.state(webinar)
    assert (state.is_live, state.figures) == (True, {"health": "HEALTHY", "viewers": 12})
    kind.end(webinar)
    assert fake.stopped == 1


def test_ivs_that_does_not_answer_is_said(webinar: Webinar, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(IngestError, match="IVS"):
        IvsIngest().playback_url(webinar)
