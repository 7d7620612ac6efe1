"""Takes a video from this machine's disk into the library, with a progress bar."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now
from django.utils.translation import gettext as _

from accounts.models import User
from media.domain.transcoding import transcode_video
from media.domain.videos import SourceRefused, store_source
from media.enums import VideoStatus

BAR = 30


class Command(BaseCommand):
    help = "Add a video file from disk. A worker prepares it; --now prepares it here and waits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--title", default="", help="default: the name of the file")
        parser.add_argument("--by", default="", help="e-mail address of the person it belongs to")
        parser.add_argument("--now", action="store_true", help="prepare it in this process, without a worker")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(_("There is no file %(path)s.") % {"path": path})
        owner = self._owner(options["by"])
        bar = ProgressBar(path.stat().st_size, self.stderr)
        try:
            video = store_source(
                path=path, title=options["title"], created_by=owner, now=now(), on_progress=bar.advance
            )
        except SourceRefused as error:
            raise CommandError(str(error)) from error
        bar.end()
        if options["now"] and video.status == VideoStatus.QUEUED:
            self.stderr.write(_("Preparing “%(title)s” …") % {"title": video.title})
            transcode_video(video_id=video.pk)
            video.refresh_from_db()
        if video.status == VideoStatus.FAILED:
            raise CommandError(f"{video.error_message} {video.what_to_do}")
        self.stdout.write(f"{video.pk} {video.key} {video.get_status_display()}")

    @staticmethod
    def _owner(email: str) -> User | None:
        if not email:
            return None
        owner = User.objects.filter(email=email.strip().lower()).first()
        if not owner:
            raise CommandError(_("There is no person with the address %(email)s.") % {"email": email})
        return owner


class ProgressBar:
    """Redrawn at most ten times a second; nothing where nobody watches."""

    def __init__(self, total: int, out: Any) -> None:
        self.total, self.done, self.out = max(1, total), 0, out
        self.drawn_at = 0.0
        self.shown = sys.stderr.isatty()

    def advance(self, size: int) -> None:
        self.done += size
        if self.shown and time.monotonic() - self.drawn_at > 0.1:
            self._draw()

    def end(self) -> None:
        if self.shown:
            self._draw()
            self.out.write("")

    def _draw(self) -> None:
        self.drawn_at = time.monotonic()
        share = min(1.0, self.done / self.total)
        filled = round(BAR * share)
        self.out.write(f"\r{'█' * filled}{'░' * (BAR - filled)} {share:4.0%}", ending="")
