"""Lectures at a running `script/server`: those of its demonstration, and one whose preparation takes long."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from core.processes import wait_until
from media.ffmpeg.probe import probe
from tests.media.tools import run_ffmpeg_tool
from tests.platform.running import Server, rows
from tests.processes import called, command_lines

PATIENCE = 120.0
PREPARED_SECONDS = 400.0


def the_demonstrations_become_playable(project: Path, running: Server) -> None:
    """The real worker prepares them all."""
    lectures = rows(project, "SELECT count(*) FROM media_video")[0][0]
    assert lectures == rows(project, "SELECT count(DISTINCT video_id) FROM webinars_webinar")[0][0] > 5
    unready = "SELECT title, status, stage, error_message FROM media_video WHERE status <> 'ready'"
    assert wait_until(lambda: not rows(project, unready), seconds=PREPARED_SECONDS, every=0.5), (
        rows(project, unready),
        running.output,
    )
    found = published(project)
    assert len(found) == lectures
    for key, version, seconds in found:
        is_playable(project / "var" / "media" / "videos" / str(key) / version, seconds)


def published(project: Path) -> list[tuple[Any, ...]]:
    return rows(project, "SELECT key, published_version, duration_seconds FROM media_video ORDER BY key")


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


def make_long_source(folder: Path) -> Path:
    """Minutes of encoding, made in a second: noise, which no encoder is quick with, and the same again and again."""
    once, path = folder / "once.mp4", folder / "long.mp4"
    picture = "testsrc2=s=1280x720:r=25:d=2,noise=alls=60:allf=t"
    run_ffmpeg_tool("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", once)
    run_ffmpeg_tool("-stream_loop", "9", "-i", once, "-c", "copy", path)
    return path


class Job:
    """The preparation of a video that an operator adds, with a file on the server's disk."""

    def __init__(self, project: Path, source: Path) -> None:
        self.project = project
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        command = [sys.executable, "-W", "ignore", "manage.py", "add_video", str(source)]
        added = subprocess.run(
            command, cwd=project, env=kept, check=False, capture_output=True, text=True, timeout=PATIENCE
        )
        assert added.returncode == 0, added.stderr
        self.number = int(added.stdout.split()[0])

    def row(self) -> dict[str, Any]:
        ((found,),) = rows(self.project, "SELECT row_to_json(v) FROM media_video v WHERE id = %s", self.number)
        return dict(found)

    def until_encoding(self, running: Server) -> dict[str, Any]:
        """Its row, when the picture is being encoded by a process of this site."""
        assert wait_until(lambda: self.row()["stage"] == "picture", seconds=PATIENCE), (self.row(), running.output)
        assert wait_until(lambda: bool(called("ffmpeg", running.family())), seconds=PATIENCE)
        return self.row()


def freeze_transcoder(running: Server) -> None:
    """Only a kill ends a stopped process: worse than any busy one."""
    children = psutil.Process(running.process.pid).children()
    masters = [one for one in children if "transcoder@" in " ".join(command_lines([one]))]
    assert len(masters) == 1
    masters[0].suspend()
