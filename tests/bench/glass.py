"""From a clock in front of the camera to the picture a viewer gets, through the built-in ingest as it runs.

The clock is drawn into every frame in the moment it is filmed. When the viewers' playlist names a new segment, its last
frame tells how old the newest picture is; hls.js plays three target durations behind the playlist's end.
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
SYNC_DURATIONS = 3  # hls.js: liveSyncDurationCount
PATIENCE = 90.0


@dataclass(frozen=True)
class Glass:
    """Seconds. `edge` is the age of the newest picture in the moment it can be fetched."""

    edge_s: float
    behind_s: float
    first_picture_s: float

    @property
    def to_glass_s(self) -> float:
        return self.edge_s + self.behind_s


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
    publisher = await _publish(url)
    filming = asyncio.create_task(_film(publisher))
    try:
        return await asyncio.wait_for(_watch(webinar, began), PATIENCE)
    finally:
        filming.cancel()
        with contextlib.suppress(ProcessLookupError):
            publisher.kill()
        await asyncio.gather(filming, publisher.wait(), return_exceptions=True)
        server.close()
        await door.stop()
        studio.close()


async def _publish(url: str) -> asyncio.subprocess.Process:
    """As OBS would: H.264 with a key frame every two seconds, AAC."""
    command = [ffmpeg_path(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{BITS}x9", "-r", str(RATE)]
    command += ["-i", "-", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
    command += ["-vf", "scale=640:360:flags=neighbor,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-tune", "zerolatency", "-g", str(2 * RATE), "-c:a", "aac", "-b:a", "64k", "-f", "flv", url]
    return await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)


async def _film(publisher: asyncio.subprocess.Process) -> None:
    line = publisher.stdin
    if line is None:
        raise RuntimeError("The publisher has no input")
    due = time.time()
    while True:
        number = int(time.time() * RATE) % ROUNDS
        line.write(bytes(215 if number >> bit & 1 else 35 for bit in range(BITS)) * 9)
        await line.drain()
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.time()))


async def _watch(webinar: Webinar, began: float) -> Glass:
    """Looks at the playlist as often as no player would, so that its polling is no part of the delay."""
    known: set[str] = set()
    ages: list[float] = []
    first = 0.0
    target = 0
    while len(ages) < SEGMENTS:
        await asyncio.sleep(0.05)
        folder = await sync_to_async(_folder)(webinar)
        playlist = await asyncio.to_thread(_playlist, folder) if folder else None
        if folder is None or playlist is None:
            continue
        seen = time.time()
        target = int(re.findall(r"#EXT-X-TARGETDURATION:(\d+)", playlist)[0])
        for name in re.findall(r"^[^#\n]+\.ts$", playlist, re.MULTILINE):
            if name not in known:
                known.add(name)
                first = first or seen - began
                ages.append(await asyncio.to_thread(_age, folder / name, seen))
    return Glass(statistics.median(ages), float(SYNC_DURATIONS * target), first)


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
        "glass_to_glass_s": round(glass.to_glass_s, 1),
        "live_edge_age_s": round(glass.edge_s, 2),
        "first_segment_s": round(glass.first_picture_s, 1),
    }
