"""`manage.py package <name>`: run by nginx for every publisher it has let in. Not for people."""

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.logging import get_logger
from webinars.domain.studio import DatabaseStudio, find_named
from webinars.ingest.puller import pull
from webinars.ingest.studio import Opened
from webinars.management.commands.ingest import ingest_settings

log = get_logger("webinars.ingest")
DROP_SECONDS = 5


class Command(BaseCommand):
    help = "Packages one stream of nginx, by the name that it was given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="w<webinar>-<session>")

    def handle(self, *args: Any, **options: Any) -> None:
        opened = find_named(options["name"])
        if opened is None:
            drop(options["name"])
            raise CommandError("There is no such publish session.")
        try:
            asyncio.run(package(opened, options["name"]))
        finally:
            drop(options["name"])


async def package(opened: Opened, name: str) -> None:
    studio, stop = DatabaseStudio(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await pull(studio, opened, ingest_settings(), url=f"{settings.RTMP_PULL_URL}/{name}", stop=stop)
    finally:
        studio.close()


def drop(name: str) -> None:
    """Who is no longer packaged must not go on talking to nobody: the program connects again, or stops."""
    url = f"{settings.RTMP_CONTROL_URL}/drop/publisher?app=live&name={quote(name)}"
    try:
        with urlopen(url, timeout=DROP_SECONDS):  # noqa: S310 - of the operator's own configuration
            pass
    except (URLError, OSError) as error:
        log.warning("ingest.not_dropped", name=name, error=str(error))
