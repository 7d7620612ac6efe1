"""Ctrl-C while a lecture is being transcoded: the site does not wait for the encoder, and the job starts again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from core.processes import wait_until
from lms.embedded import Embedded
from tests.media.tools import run_ffmpeg_tool
from tests.migrated import copy_migrated_cluster
from tests.platform.test_server import Server, crowding, project, server
from tests.ports import free_port
from tests.processes import called, command_lines

__all__ = ["project"]
pytestmark = [pytest.mark.site, pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]
STOP_SECONDS = 8.0
PATIENCE = 120.0


@pytest.fixture(scope="module")
def long_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Minutes of encoding, made in a second: noise, which no encoder is quick with, and the same again and again."""
    folder = tmp_path_factory.mktemp("sources")
    once, path = folder / "once.mp4", folder / "long.mp4"
    picture = "testsrc2=s=1280x720:r=25:d=2,noise=alls=60:allf=t"
    run_ffmpeg_tool("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", once)
    run_ffmpeg_tool("-stream_loop", "9", "-i", once, "-c", "copy", path)
    return path


class Job:
    """The one video of the site, as its database knows it."""

    def __init__(self, project: Path) -> None:
        state = Embedded.adopt(project / "var").state
        assert state, "the site runs"
        self.url = state.urls.database_url

    def row(self) -> dict[str, Any]:
        query = "SELECT row_to_json(media_video) FROM media_video"
        with psycopg.connect(self.url) as connection:
            found = connection.execute(query).fetchone()
        return dict(found[0]) if found else {}

    def is_encoding(self) -> bool:
        return self.row().get("stage") == "picture"


def encoders(running: Server) -> list[psutil.Process]:
    return called("ffmpeg", running.family())


def seconds_to_stop(running: Server) -> float:
    """Until every process of the site is gone."""
    began = time.monotonic()
    running.end(signal.SIGINT)
    assert running.process.returncode == 0
    return (time.monotonic() - began) / crowding()


def freeze_transcoder(running: Server) -> None:
    """Only a kill ends a stopped process: worse than any busy one."""
    children = psutil.Process(running.process.pid).children()
    masters = [one for one in children if "transcoder@" in " ".join(command_lines([one]))]
    assert len(masters) == 1
    masters[0].suspend()


def test_a_busy_transcoder_does_not_hold_up_the_end_and_its_job_starts_again(project: Path, long_source: Path) -> None:
    port = str(free_port())
    (project / "var").mkdir()
    copy_migrated_cluster(project / "var")
    with server(project, PORT=port) as first:
        first.ready()
        add_video(project, long_source)
        job = Job(project)
        assert wait_until(job.is_encoding, seconds=PATIENCE), first.output
        assert wait_until(lambda: bool(encoders(first)), seconds=PATIENCE)
        before = job.row()
        assert seconds_to_stop(first) < STOP_SECONDS, first.output

    with server(project, PORT=port) as second:
        second.ready()
        job = Job(project)  # the database has another socket now
        assert wait_until(job.is_encoding, seconds=PATIENCE), job.row()
        after = job.row()
        assert (after["id"], after["status"]) == (before["id"], "transcoding")
        assert after["worker"] != before["worker"]
        assert after["attempts"] == 1, "being stopped was no attempt"
        assert wait_until(lambda: bool(encoders(second)), seconds=PATIENCE)
        freeze_transcoder(second)
        assert seconds_to_stop(second) < STOP_SECONDS, second.output
        assert "transcoder does not stop in 3 s; it is killed." in second.output


def add_video(project: Path, source: Path) -> None:
    """As an operator with a file on the server's disk."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-W", "ignore", "manage.py", "add_video", str(source)]
    added = subprocess.run(
        command, cwd=project, env=kept, check=False, capture_output=True, text=True, timeout=PATIENCE
    )
    assert added.returncode == 0, added.stderr
