"""The real process, killed; and the stream key, looked for wherever it must not be."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from core.processes import spawn, wait_until
from media.domain.tools import ffmpeg_path
from tests.factories.accounts import UserFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.ingest.stage import AAC, H264, PICTURE, uris
from tests.processes import called, command_lines, environments, family, living
from webinars.domain.stream_keys import make_key
from webinars.models import Broadcast, PublishSession, Segment, StreamNotice

pytestmark = [pytest.mark.site, pytest.mark.faults, pytest.mark.django_db(transaction=True)]
PATIENCE = 60.0
ROOT = Path(__file__).resolve().parents[2]


class Ingest:
    """`manage.py ingest` on a port of its own, with this test's database and storage."""

    def __init__(self, folder: Path, media_root: Path) -> None:
        self.log = folder / "ingest.log"
        url = re.sub(r"(://[^/]*)/[^?]*", rf"\1/{connection.settings_dict['NAME']}", os.environ["DATABASE_URL"])
        self.environment = os.environ | {
            "DATABASE_URL": url,
            "MEDIA_ROOT": str(media_root),
            "LIVE_WORK_DIR": str(folder / "live-work"),
            "LIVE_CPU_CORES": "1",
            "LOG_LEVEL": "DEBUG",
        }
        self.port = 0
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        """Port 0 the first time: the log says which one it became."""
        self.log.write_bytes(b"" if not self.log.exists() else self.log.read_bytes())
        seen = len(self.log.read_text())
        with self.log.open("ab") as output:
            command = [sys.executable, "manage.py", "ingest", "--host=127.0.0.1", f"--port={self.port}"]
            self.process = spawn(command, environment=self.environment, directory=ROOT, output=output)
        pattern = re.compile(r"ingest\.listening.*?port\W+(\d+)")
        plain = re.compile(r"\x1b\[[0-9;]*m")
        assert wait_until(lambda: bool(pattern.search(plain.sub("", self.log.read_text()[seen:]))), seconds=PATIENCE)
        found = pattern.search(plain.sub("", self.log.read_text()[seen:]))
        assert found
        self.port = int(found[1])
        return self.process

    def family(self) -> list[psutil.Process]:
        return family(self.process.pid)

    def publish(self, raw_key: str) -> "subprocess.Popen[bytes]":
        sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
        command = [ffmpeg_path(), "-nostdin", "-loglevel", "fatal", "-re", "-f", "lavfi", "-i", PICTURE, *sound]
        return spawn([*command, *H264, *AAC, "-f", "flv", f"rtmp://127.0.0.1:{self.port}/live/{raw_key}"])

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)


@pytest.fixture
def ingest(media_root: Path, tmp_path: Path) -> Iterator[Ingest]:
    running = Ingest(tmp_path, media_root)
    try:
        yield running
    finally:
        running.end()


@contextlib.contextmanager
def publisher(ingest: Ingest, raw: str) -> "Iterator[subprocess.Popen[bytes]]":
    process = ingest.publish(raw)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def count(session: int) -> int:
    return Segment.objects.filter(publish_session__number=session).count()


def check_broadcast(media_root: Path) -> list[dict[str, Any]]:
    """No hole, no overlap, every file there and every playlist in agreement with the rows."""
    broadcast = Broadcast.objects.get()
    rows: list[Any] = list(
        Segment.objects.order_by("number").values(
            "number", "program_start", "seconds", "renditions", "publish_session__number"
        )
    )
    assert [row["number"] for row in rows] == list(range(len(rows)))
    for one, two in pairwise(rows):
        assert two["program_start"] >= one["program_start"] + one["seconds"] - 1e-6
    live = media_root / "videos" / str(broadcast.key) / "live"
    for row in rows:
        for name, (_, size) in row["renditions"].items():
            assert (live / name / f"{row['number']}.ts").stat().st_size == size
    assert uris((live / "240p5-full.m3u8").read_text()) == [f"240p5/{row['number']}.ts" for row in rows]
    return rows


def test_kill_9_loses_the_unfinished_only_and_the_key_is_nowhere(
    ingest: Ingest, media_root: Path, tmp_path: Path
) -> None:
    presenter = UserFactory.create()
    webinar = LiveWebinarFactory.create(presenters=[presenter])
    _, raw = make_key(webinar=webinar, presenter=presenter, now=timezone.now())
    with publisher(ingest, raw) as first:
        assert wait_until(lambda: count(1) >= 2, seconds=PATIENCE), ingest.log.read_text()
        programs = ingest.family()
        assert called("ffmpeg", programs)
        seen = "\n".join([*command_lines(programs), *environments(programs)])
        assert raw not in seen
        assert raw not in "\n".join(map(str, [*media_root.rglob("*"), *tmp_path.rglob("*")]))
        ingest.process.send_signal(signal.SIGKILL)
        assert wait_until(lambda: not living(programs), seconds=PATIENCE)
        ingest.process.wait()
        assert first.wait(PATIENCE) != 0
    ingest.start()

    with publisher(ingest, raw):
        assert wait_until(lambda: count(2) >= 2, seconds=PATIENCE), ingest.log.read_text()
    assert wait_until(lambda: not PublishSession.objects.filter(ended_at=None).exists(), seconds=PATIENCE)
    rows = check_broadcast(media_root)
    sessions = list(PublishSession.objects.order_by("number").values_list("number", "ended_because"))
    assert sessions == [(1, "interrupted"), (2, "interrupted")]
    stored = count(1)
    assert [row["publish_session__number"] for row in rows] == [1] * stored + [2] * (len(rows) - stored)
    assert rows[stored]["program_start"] > rows[stored - 1]["program_start"] + rows[stored - 1]["seconds"]
    ingest.end()
    secret = raw.partition("-")[2]
    assert secret not in ingest.log.read_text()
    assert secret not in str(list(StreamNotice.objects.values())) + str(list(PublishSession.objects.values()))


def test_nobody_comes_back_and_the_sweep_of_a_new_process_ends_the_session(ingest: Ingest) -> None:
    presenter = UserFactory.create()
    webinar = LiveWebinarFactory.create(presenters=[presenter])
    _, raw = make_key(webinar=webinar, presenter=presenter, now=timezone.now())
    with publisher(ingest, raw):
        assert wait_until(PublishSession.objects.exists, seconds=PATIENCE)
        ingest.process.send_signal(signal.SIGKILL)
        ingest.process.wait()
    ingest.start()

    assert wait_until(lambda: not PublishSession.objects.filter(ended_at=None).exists(), seconds=PATIENCE)
    assert PublishSession.objects.get().ended_because == "interrupted"
    assert list(StreamNotice.objects.values_list("problem", flat=True)) == ["interrupted"]
