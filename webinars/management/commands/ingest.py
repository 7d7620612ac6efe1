"""`manage.py ingest`: the front door for publishers. Runs until SIGTERM."""

import asyncio
import contextlib
import shutil
import signal
import socket
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from core.logging import get_logger
from media.domain.tools import ffmpeg_path
from webinars.domain.studio import DatabaseStudio
from webinars.ingest.door import Door
from webinars.ingest.publication import Settings

log = get_logger("webinars.ingest")
SWEEP_SECONDS = 2.0
LEFT_SECONDS = 3600


class Command(BaseCommand):
    help = "Takes streams of presenters (RTMP) and makes them watchable."
    requires_system_checks = ()  # a tier that serves no pages need not read them all to start

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.RTMP_HOST)
        parser.add_argument("--port", type=int, default=settings.RTMP_PORT)
        parser.add_argument("--socket", type=int, action="append", default=[], help="a bound socket, by its number")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(serve(host=options["host"], port=options["port"], sockets=options["socket"]))
        except OSError as error:
            raise CommandError(f"Cannot listen: {error}") from error


def ingest_settings() -> Settings:
    return Settings(
        ffmpeg=ffmpeg_path(),
        folder=settings.LIVE_WORK_DIR,
        cores=settings.LIVE_CPU_CORES,
        most_kbits=settings.LIVE_MAX_KBITS,
    )


def clear_leftovers(folder: Path) -> None:
    """Of sessions whose process was killed. Running ones write every second."""
    for path in folder.glob("session-*"):
        with contextlib.suppress(FileNotFoundError):  # its process took it away just now
            newest = max((one.stat().st_mtime for one in path.iterdir()), default=path.stat().st_mtime)
            if newest < time.time() - LEFT_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


async def serve(*, host: str, port: int, sockets: list[int]) -> None:
    clear_leftovers(Path(settings.LIVE_WORK_DIR))
    studio = DatabaseStudio()
    door = Door(studio, ingest_settings())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if sockets:
        servers = [await asyncio.start_server(door, sock=socket.socket(fileno=number)) for number in sockets]
    else:
        servers = [await asyncio.start_server(door, host, port)]
    for server in servers:
        for one in server.sockets:
            log.info("ingest.listening", port=one.getsockname()[1])
    sweeper = asyncio.create_task(sweep_for_ever(studio))
    await stop.wait()
    for server in servers:
        server.close()
    await door.stop()
    sweeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sweeper
    studio.close()


async def sweep_for_ever(studio: DatabaseStudio) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            await studio.sweep()
        except (DatabaseError, OSError) as error:
            log.warning("ingest.sweep_waits", error=str(error))
