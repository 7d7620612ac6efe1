"""From a clock in front of the camera to the newest segment that a viewer can fetch, through the built-in ingest.

The clock is drawn into every frame in the moment it is filmed. When the viewers' playlist names a new segment, its last
frame tells how old the newest picture is. What a player adds to it is measured in `viewer.py`.
"""

import asyncio
import contextlib
import math
import re
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils.timezone import now

from media.domain.tools import ffmpeg_path
from tests.bench.camera import clock_frame, publisher_command
from tests.factories.accounts import UserFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.recording.camera import BITS, RATE, number_of
from webinars.domain.stream_keys import make_key
from webinars.domain.studio import DatabaseStudio
from webinars.ingest.door import Door
from webinars.ingest.publication import Settings
from webinars.models import Broadcast, Webinar

ROUNDS = 2**BITS
SEGMENTS = 8
PATIENCE = 90.0


@dataclass(frozen=True)
class Glass:
    """Seconds. `segment_age` is the age of the newest picture in the moment it can be fetched."""

    segment_age_s: float
    first_picture_s: float


def measure_glass(folder: Path) -> Glass:
    presenter = UserFactory.create()
    webinar = LiveWebinarFactory.create(presenters=[presenter])
    _, raw = make_key(webinar=webinar, presenter=presenter, now=now())
    return asyncio.run(_measure(webinar, raw, folder))


async def _measure(webinar: Webinar, raw: str, folder: Path) -> Glass:
    studio = DatabaseStudio()
    door = Door(
        studio,
        Settings(
            ffmpeg=ffmpeg_path(), folder=folder, cores=settings.LIVE_CPU_CORES, most_kbits=settings.LIVE_MAX_KBITS
        ),
    )
    server = await asyncio.start_server(door, "127.0.0.1", 0)
    url = f"rtmp://127.0.0.1:{server.sockets[0].getsockname()[1]}/live/{raw}"
    began = time.time()
    publisher = await asyncio.create_subprocess_exec(*publisher_command(url), stdin=asyncio.subprocess.PIPE)
    filming = asyncio.create_task(_film(publisher))
    try:
        async with asyncio.timeout(PATIENCE):
            return await _watch(webinar, began)
    finally:
        filming.cancel()
        with contextlib.suppress(ProcessLookupError):
            publisher.kill()
        await asyncio.gather(filming, publisher.wait(), return_exceptions=True)
        server.close()
        await door.stop()
        studio.close()


async def _film(publisher: asyncio.subprocess.Process) -> None:
    line = publisher.stdin
    if line is None:
        raise RuntimeError("The publisher has no input")
    due = time.time()
    while True:
        line.write(clock_frame(time.time()))
        await line.drain()
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.time()))


async def _watch(webinar: Webinar, began: float) -> Glass:
    """Looks at the playlist as often as no player would, so that its polling is no part of the delay."""
    known: set[str] = set()
    ages: list[float] = []
    first = 0.0
    while len(ages) < SEGMENTS:
        await asyncio.sleep(0.05)
        folder = await sync_to_async(_folder)(webinar)
        playlist = await asyncio.to_thread(_playlist, folder) if folder else None
        if folder is None or playlist is None:
            continue
        seen = time.time()
        for name in re.findall(r"^[^#\n]+\.ts$", playlist, re.MULTILINE):
            if name not in known:
                known.add(name)
                first = first or seen - began
                ages.append(await asyncio.to_thread(_age, folder / name, seen))
    return Glass(statistics.median(ages), first)


def _folder(webinar: Webinar) -> Path | None:
    broadcast = Broadcast.objects.filter(webinar=webinar).first()
    return Path(settings.MEDIA_ROOT) / "videos" / str(broadcast.key) / "live" if broadcast else None


def _playlist(folder: Path) -> str | None:
    """Of the best picture there is."""
    try:
        master = (folder / "master.m3u8").read_text()
        streams = re.findall(r"BANDWIDTH=(\d+)[^\n]*RESOLUTION[^\n]*\n([^#\n]+)", master)
        return (folder / max(streams, key=lambda stream: int(stream[0]))[1]).read_text()
    except FileNotFoundError:
        return None


def _age(path: Path, seen: float) -> float:
    """Of the last frame, and one frame more for how long it took to film."""
    import av

    number = -1
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            number = number_of(frame)
    age: float = (math.floor(seen * RATE) - number) % ROUNDS / RATE
    return age


def figures(folder: Path) -> dict[str, Any]:
    glass = measure_glass(folder)
    return {
        "segment_age_s": round(glass.segment_age_s, 2),
        "first_segment_s": round(glass.first_picture_s, 1),
    }
