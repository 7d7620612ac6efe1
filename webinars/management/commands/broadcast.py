"""`manage.py broadcast <webinar> <file>`: publishes a file in real time over RTMP, as a presenter's program would."""

import subprocess
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media.domain.tools import ffmpeg_path
from webinars.ingest.rtmp import server_address
from webinars.management.commands.stream_key import new_key
from webinars.models import Webinar

PICTURE = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", "1500k", "-g", "60"]
SOUND = ["-c:a", "aac", "-ar", "44100", "-ac", "2", "-b:a", "128k"]


class Command(BaseCommand):
    help = "Publishes a video file to a live webinar, for rehearsals, demonstrations and tests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("webinar", type=int)
        parser.add_argument("file", type=Path)
        parser.add_argument("--key", default="", help="a stream key; without one a new one is made")
        parser.add_argument("--presenter", default="", help="e-mail address of whom the new key is for")
        parser.add_argument("--server", default="", help="another address than that of the settings")
        parser.add_argument("--minutes", type=float, default=0, help="stop after so long")
        parser.add_argument("--loop", action="store_true", help="begin again at the end of the file")
        parser.add_argument("--drop-at", type=float, default=0, help="cut the line after so many seconds …")
        parser.add_argument("--drop-for", type=float, default=8, help="… for so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        raw = options["key"] or new_key(webinar_id=options["webinar"], email=self._presenter(options))
        url = f"{(options['server'] or server_address()).rstrip('/')}/{raw}"
        seconds, drop_at = options["minutes"] * 60, options["drop_at"]
        if not drop_at:
            self._publish(url, path, seconds=seconds, **_ways(options))
            return
        self.stdout.write(f"On air; the line is cut after {drop_at:g} s.")
        self._publish(url, path, seconds=0, cut_after=drop_at, **_ways(options))
        self.stdout.write(f"Off for {options['drop_for']:g} s.")
        time.sleep(options["drop_for"])
        start = drop_at + options["drop_for"]
        self.stdout.write("On air again.")
        self._publish(url, path, seconds=max(0.0, seconds - start), start=start, **_ways(options))

    def _presenter(self, options: dict[str, Any]) -> str:
        if options["presenter"]:
            return str(options["presenter"])
        webinar = Webinar.objects.filter(pk=options["webinar"]).first()
        first = webinar.presenters.order_by("pk").first() if webinar else None
        if first is None:
            raise CommandError("Name the presenter with --presenter, or give a stream key with --key.")
        return str(first.email)

    def _publish(
        self, url: str, path: Path, *, seconds: float, loops: bool, start: float = 0, cut_after: float = 0
    ) -> None:
        """A kill is what a broken line looks like. `ps` shows the key while it runs, as for any presenter's program."""
        command = [ffmpeg_path(), "-hide_banner", "-nostdin", "-loglevel", "fatal", "-re"]
        command += ["-stream_loop", "-1"] if loops else []
        command += ["-ss", str(start)] if start else []
        command += ["-i", str(path), *(["-t", str(seconds)] if seconds else []), *PICTURE, *SOUND, "-f", "flv", url]
        with subprocess.Popen(command) as process:
            try:
                process.wait(cut_after or None)
            except subprocess.TimeoutExpired:
                process.kill()
                return
            except KeyboardInterrupt:
                process.terminate()
                raise
        if process.returncode:
            raise CommandError("The stream was refused or cut off; the presenter's page says why.")


def _ways(options: dict[str, Any]) -> dict[str, Any]:
    return {"loops": options["loop"]}
