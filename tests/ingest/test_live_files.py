"""The files of a broadcast on a disk and in a bucket: the same, and never a part of one."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.utils.timezone import now
from moto import mock_aws

from media.storages import media_storage
from media.storages.live import LiveFile, replace_files
from tests.factories.accounts import UserFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.ingest.stage import uris
from webinars.domain.broadcasts import open_publish_session
from webinars.domain.live_files import close_playlists, keep_segment, renditions_of
from webinars.domain.schedule import end_webinar
from webinars.domain.stream_keys import make_key
from webinars.ingest.playlists import WINDOW, Format
from webinars.ingest.studio import SessionOver, Stored
from webinars.models import PublishSession, Segment

pytestmark = pytest.mark.django_db
FORMATS = {"240p5": Format(426, 240, 5, "avc1.4d400b,mp4a.40.2"), "audio": Format(0, 0, 0, "mp4a.40.2")}


@pytest.fixture
def at() -> datetime:
    return now().replace(microsecond=0)


@pytest.fixture
def raw(at: datetime) -> str:
    presenter = UserFactory.create()
    webinar = LiveWebinarFactory.create(presenters=[presenter], starts_at=at)
    return make_key(webinar=webinar, presenter=presenter, now=at)[1]


def stored(folder: Path, index: int, at: datetime) -> Stored:
    files = {}
    for name in FORMATS:
        path = folder / f"{name}-{index}.ts"
        path.write_bytes(f"{name} {index}".encode() * 100)
        files[name] = (path, 2.0)
    return Stored(index, at, 2.0, files, FORMATS if index == 0 else {})


def keep(session: PublishSession, folder: Path, count: int, at: datetime) -> None:
    for index in range(count):
        moment = at + timedelta(seconds=2 * index)
        keep_segment(session_id=session.pk, segment=stored(folder, index, moment), now=moment)


def test_a_window_and_the_whole_and_an_end(raw: str, at: datetime, media_root: Path, tmp_path: Path) -> None:
    session = open_publish_session(raw_key=raw, front="listen", now=at)
    keep(session, tmp_path, 32, at)
    live = media_root / "videos" / str(session.broadcast.key) / "live"
    window = (live / "240p5.m3u8").read_text()

    assert uris(window) == [f"240p5/{number}.ts" for number in range(32 - WINDOW, 32)]
    assert "#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n" in window
    assert len(uris((live / "240p5-full.m3u8").read_text())) == 32
    assert renditions_of(session.broadcast) == ("240p5", "audio")

    second = open_publish_session(raw_key=raw, front="listen", now=at + timedelta(seconds=70))
    keep(second, tmp_path, 31, at + timedelta(seconds=70))
    later = (live / "audio.m3u8").read_text()
    assert uris(later)[0] == "audio/33.ts"
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in later
    assert "#EXT-X-DISCONTINUITY\n" not in later
    assert not list(live.rglob(".*"))

    end_webinar(webinar_id=session.broadcast.webinar_id, actor=None, now=at + timedelta(minutes=3))
    known: set[int] = set()
    assert close_playlists(now=at + timedelta(minutes=3, seconds=1), known=known) == [session.broadcast_id]
    assert close_playlists(now=at + timedelta(minutes=3, seconds=2), known=known) == []
    for name in ("240p5", "240p5-full", "audio", "audio-full"):
        assert (live / f"{name}.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
    assert len(uris((live / "audio-full.m3u8").read_text())) == 63


def test_a_second_try_after_a_commit_adds_nothing(raw: str, at: datetime, media_root: Path, tmp_path: Path) -> None:
    session = open_publish_session(raw_key=raw, front="listen", now=at)
    for _ in range(2):
        keep(session, tmp_path, 2, at)

    assert list(Segment.objects.values_list("number", "program_start")) == [(0, 0.0), (1, 2.0)]


def test_who_lost_the_air_writes_nothing(raw: str, at: datetime, media_root: Path, tmp_path: Path) -> None:
    old = open_publish_session(raw_key=raw, front="listen", now=at)
    open_publish_session(raw_key=raw, front="listen", now=at)

    with pytest.raises(SessionOver):
        keep(old, tmp_path, 1, at)
    assert not list(media_root.rglob("*.ts"))
    assert not Segment.objects.exists()


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {"bucket_name": "live", "region_name": "eu-central-1"},
        },
    }


def test_a_bucket_that_takes_nothing_is_tried_again_like_a_full_disk(bucket: None) -> None:
    """The door waits on an OSError and tries again; anything else would end the stream."""
    with mock_aws(), pytest.raises(OSError, match=r"videos/k/live/a\.m3u8"):
        replace_files(media_storage(), [LiveFile("videos/k/live/a.m3u8", b"#EXTM3U")])


def test_a_bucket_gets_the_same_with_what_caches_may_do(bucket: None) -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        client.create_bucket(Bucket="live", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        files = [LiveFile(f"videos/k/live/240p5/{number}.ts", b"G" * number) for number in range(9)]
        for content in (b"#EXTM3U one", b"#EXTM3U two"):
            replace_files(media_storage(), [*files, LiveFile("videos/k/live/240p5.m3u8", content)])
        playlist = client.get_object(Bucket="live", Key="videos/k/live/240p5.m3u8")
        segment = client.get_object(Bucket="live", Key="videos/k/live/240p5/8.ts")

        assert playlist["Body"].read() == b"#EXTM3U two"
        assert (playlist["ContentType"], playlist["CacheControl"]) == (
            "application/vnd.apple.mpegurl",
            "public, max-age=1",
        )
        assert (segment["ContentType"], segment["ContentLength"]) == ("video/mp2t", 8)
        assert "immutable" in segment["CacheControl"]
