"""The built-in door in this process, and ffmpeg as the presenter's program."""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone

from accounts.models import User
from media.domain.tools import ffmpeg_path
from tests.factories.accounts import UserFactory
from tests.factories.webinars import LiveWebinarFactory
from webinars.domain.stream_keys import make_key
from webinars.domain.studio import DatabaseStudio
from webinars.ingest.door import Door
from webinars.ingest.publication import Settings
from webinars.models import Broadcast, PublishSession, StreamNotice, Webinar

PATIENCE = 60.0
PICTURE = "testsrc2=s=320x180:r=10"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "20")
AAC = ("-c:a", "aac", "-b:a", "32k")


class Stage:
    def __init__(self, media_root: Path, folder: Path) -> None:
        self.media_root = media_root
        self.studio = DatabaseStudio()
        self.door = Door(
            self.studio, Settings(ffmpeg=ffmpeg_path(), folder=folder / "live-work", cores=1, most_kbits=3000)
        )
        self.publishers: list[asyncio.subprocess.Process] = []
        self.port = 0

    async def open(self) -> None:
        self.server = await asyncio.start_server(self.door, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        for publisher in self.publishers:
            with contextlib.suppress(ProcessLookupError):
                publisher.kill()
            await publisher.wait()
        self.server.close()
        await self.door.stop()
        self.studio.close()

    def url(self, raw_key: str) -> str:
        return f"rtmp://127.0.0.1:{self.port}/live/{raw_key}"

    async def publish(
        self,
        raw_key: str,
        *options: str,
        seconds: float = 60,
        picture: tuple[str, ...] = H264,
        sound: tuple[str, ...] = AAC,
    ) -> asyncio.subprocess.Process:
        """In real time. `sound=()`: none."""
        command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", PICTURE]
        command += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"] if sound else []
        command += ["-t", str(seconds), *picture, *sound, *options, "-f", "flv", self.url(raw_key)]
        publisher = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        self.publishers.append(publisher)
        return publisher

    async def segments(self, webinar: Webinar, count: int) -> list[Any]:
        """Waits until there are so many, of all broadcasts of the webinar."""
        found: list[Any] = []

        async def enough() -> bool:
            nonlocal found
            found = await segments_of(webinar)
            return len(found) >= count

        await until(enough)
        return found

    async def playlist(self, broadcast: Broadcast, name: str) -> str:
        return (self.media_root / "videos" / str(broadcast.key) / "live" / name).read_text()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> float:
    begun = time.monotonic()
    while not await condition():
        assert time.monotonic() - begun < seconds, "waited too long"
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


@database_sync_to_async
def segments_of(webinar: Webinar) -> list[Any]:
    from webinars.models import Segment

    rows = Segment.objects.filter(broadcast__webinar=webinar).order_by("number")
    return list(rows.values("number", "program_start", "seconds", "renditions", "publish_session__number"))


@database_sync_to_async
def make_webinar(**changes: Any) -> tuple[Webinar, User, str]:
    """A webinar with open doors, its presenter, and the presenter's key."""
    presenter = UserFactory.create()
    webinar = LiveWebinarFactory.create(presenters=[presenter], **changes)
    _, raw = make_key(webinar=webinar, presenter=presenter, now=timezone.now())
    return webinar, presenter, raw


@database_sync_to_async
def key_for(webinar: Webinar, presenter: User) -> str:
    return make_key(webinar=webinar, presenter=presenter, now=timezone.now())[1]


@database_sync_to_async
def broadcast_of(webinar: Webinar) -> Broadcast:
    return Broadcast.objects.get(webinar=webinar)


@database_sync_to_async
def sessions_of(webinar: Webinar) -> list[tuple[int, str, bool]]:
    """(number, why it ended, whether it is on)."""
    rows = PublishSession.objects.filter(broadcast__webinar=webinar).order_by("broadcast", "number")
    return [(one.number, one.ended_because, one.ended_at is None) for one in rows]


@database_sync_to_async
def notices_of(webinar: Webinar) -> list[str]:
    return list(StreamNotice.objects.filter(webinar=webinar).order_by("at", "pk").values_list("problem", flat=True))


@database_sync_to_async
def fresh(webinar: Webinar) -> Webinar:
    return Webinar.objects.get(pk=webinar.pk)


def uris(playlist: str) -> list[str]:
    return re.findall(r"^[^#\n]+\.ts$", playlist, re.MULTILINE)
