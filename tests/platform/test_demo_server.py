"""The first start of `script/server` with its demonstration: what a visitor is told, and lectures that play."""

import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.processes import wait_until
from lms.embedded import Embedded
from media.ffmpeg.probe import probe
from tests.platform.test_server import project, server
from tests.ports import free_port

__all__ = ["project"]
pytestmark = [pytest.mark.site, pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]
PREPARED_SECONDS = 400.0


def rows(project: Path, query: str) -> list[tuple[Any, ...]]:
    state = Embedded.adopt(project / "var").state
    assert state, "the site runs"
    with psycopg.connect(state.urls.database_url) as connection:
        return connection.execute(query).fetchall()


def test_the_demonstrations_lectures_become_playable_and_its_sign_ins_are_told_once(project: Path) -> None:
    """The real worker prepares them all; the lowest rungs of the ladder are enough to play and cost a third."""
    with server(project, PORT=str(free_port()), DEMO="1", MEDIA_LADDER_MAX_HEIGHT="240") as running:
        running.ready()
        for words in ("Sign in at http://localhost:", "or with the password", "The one-tap link, good for one use:"):
            assert running.output.count(words) == 1, running.output
        lectures = rows(project, "SELECT count(*) FROM media_video")[0][0]
        assert lectures == rows(project, "SELECT count(DISTINCT video_id) FROM webinars_webinar")[0][0] > 5
        unready = "SELECT title, status, stage, error_message FROM media_video WHERE status <> 'ready'"
        assert wait_until(lambda: not rows(project, unready), seconds=PREPARED_SECONDS, every=0.5), (
            rows(project, unready),
            running.output,
        )
        found = rows(project, "SELECT key, published_version, duration_seconds FROM media_video")
        assert len(found) == lectures
        for key, version, seconds in found:
            is_playable(project / "var" / "media" / "videos" / str(key) / version, seconds)
        running.end(signal.SIGINT)


def is_playable(folder: Path, seconds: float) -> None:
    """Every playlist that the master names exists, is complete, and has its segments; the MP4 is as long as said."""
    names = [line for line in (folder / "master.m3u8").read_text().splitlines() if line and not line.startswith("#")]
    assert len(names) >= 2
    for name in names:
        lines = (folder / name).read_text().splitlines()
        assert lines[-1] == "#EXT-X-ENDLIST"
        segments = [(folder / name).parent / line for line in lines if not line.startswith("#")]
        assert segments
        assert all(segment.stat().st_size > 0 for segment in segments)
    source = probe(folder / "video.mp4", max_seconds=3600, on_step=lambda: None)
    assert abs(source.duration_seconds - seconds) < 0.5
    assert (folder / "poster.jpg").read_bytes().startswith(b"\xff\xd8")
