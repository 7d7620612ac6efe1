"""`manage.py issue_certificates`"""

import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.utils.timezone import now

from certification.domain.files import make_missing, without_file
from certification.domain.issuing import IssuingError, count_due, issue_due, issuing_programmes
from certification.domain.keys import NoKeyError
from courses.models import Programme

BAR = 30


class Command(BaseCommand):
    help = (
        "Issue every certificate whose rules hold, of the programmes that have a certificate template. Again issues "
        "only what is due since; stopped at any moment, it goes on where it was. Workers make the files. "
        "Exit code 1: some could not be issued, and why."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--programme", help="the programme's short name in addresses; without it all of them")
        parser.add_argument("--dry-run", action="store_true", help="say how many are due and issue none")
        parser.add_argument("--limit", type=int, help="issue at most so many")
        parser.add_argument(
            "--files",
            action="store_true",
            help="make the files here as well, beside the workers; several may run at once",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        left, refused = options["limit"], Counter[str]()
        if left is not None and left < 1:
            raise CommandError("--limit needs a number above 0")
        for programme in self._programmes(options["programme"]):
            if options["dry_run"]:
                self.stdout.write(f"{programme.slug}: {count_due(programme):,} are due.")
            elif left is None or left > 0:
                issued, why = self._issue(programme, left)
                left = None if left is None else left - issued
                refused += why
        if options["files"] and not options["dry_run"]:
            self._make_files()
        for reason, number in refused.most_common():
            self.stderr.write(self.style.ERROR(f"{number:,} could not be issued: {reason}"))
        if refused:
            raise SystemExit(1)

    def _issue(self, programme: Programme, limit: int | None) -> tuple[int, Counter[str]]:
        began = time.monotonic()
        bar = _Bar(self.stderr, count_due(programme) if self.stderr.isatty() else 0)
        try:
            done = issue_due(programme=programme, now=now(), limit=limit, progress=bar.go_on)
        except (IssuingError, NoKeyError) as error:
            raise CommandError(f"{programme.slug}: {error}") from error
        seconds = time.monotonic() - began
        self.stdout.write(f"{programme.slug}: {done.new:,} issued in {seconds:.1f} s.")
        return done.new, done.refused

    def _make_files(self) -> None:
        began = time.monotonic()
        bar = _Bar(self.stderr, without_file().count() if self.stderr.isatty() else 0)
        made = make_missing(now=now(), progress=bar.go_on)
        self.stdout.write(f"{made:,} files made in {time.monotonic() - began:.1f} s.")

    def _programmes(self, slug: str | None) -> list[Programme]:
        issuing = issuing_programmes()
        if slug is None:
            return list(issuing)
        found = list(issuing.filter(slug=slug))
        if not found:
            known = ", ".join(issuing.values_list("slug", flat=True)[:20]) or "none"
            raise CommandError(f"No programme {slug!r} has a certificate template. Those that have: {known}")
        return found


class _Bar:
    """For people only: a log file full of them helps nobody."""

    def __init__(self, out: OutputWrapper, total: int) -> None:
        self.out, self.total, self.done = out, total, 0

    def go_on(self, number: int) -> None:
        self.done += number
        if self.total:
            filled = min(BAR, BAR * self.done // self.total)
            end = "\n" if self.done >= self.total else ""
            bar = "█" * filled + "·" * (BAR - filled)
            self.out.write(f"\r[{bar}] {self.done:,} of {self.total:,}", ending=end)
            self.out.flush()
