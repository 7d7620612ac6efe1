"""`manage.py rollup [--rebuild] [--webinar N]`: brings the tables of figures up to date, or makes them anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.domain.rollups.refreshing import refresh_all
from core.clock import asked_now
from webinars.models import Webinar

BAR = 30


class Command(BaseCommand):
    help = (
        "Adds up what people did, as beat has it done every minute, for the figures of reports. --rebuild makes all "
        "rows anew from watch records, visits and playback reports; readers see the old ones until a webinar is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="make every row anew, not only what changed")
        parser.add_argument("--webinar", type=int, help="only this one, by its number")

    def handle(self, *_: Any, **options: Any) -> None:
        number: int | None = options["webinar"]
        if number is not None and not Webinar.objects.filter(pk=number).exists():
            raise CommandError(f"There is no webinar {number}.")
        done = refresh_all(
            now=asked_now(),
            whole=options["rebuild"],
            webinars=None if number is None else [number],
            progress=self._progress if self.stderr.isatty() else None,
        )
        self.stdout.write(f"{done.webinars:,} webinars looked at, {done.rows:,} rows made")
        if done.busy:
            self.stdout.write(f"{done.busy:,} left alone: another process is at them")
        if done.failed:
            raise CommandError(f"{done.failed:,} failed: see the log")

    def _progress(self, done: int, total: int) -> None:
        bar = "█" * (BAR * done // total)
        self.stderr.write(f"\r{bar:<{BAR}} {done:,} of {total:,}", ending="\n" if done == total else "")
        self.stderr.flush()
