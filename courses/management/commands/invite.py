"""`manage.py invite <programme> <csv>`"""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from accounts.domain.people_table import MOST_BYTES, Problem, UnreadableTableError
from courses.domain.invitations import ImportReport, import_people
from courses.models import Programme

SHOWN = 200
BAR = 30


class Command(BaseCommand):
    help = (
        "Invite doctors to a programme from a CSV file: accounts, enrolments and invitations, all or nothing. "
        "Running it again changes nothing. Columns: email (needed), title, first name, last name, specialty, country, "
        "time zone, language, phone, medical council, registration number, cohort."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("programme", help="the programme's short name in addresses")
        parser.add_argument("csv", type=Path, help="UTF-8, UTF-16 or Windows text; comma, semicolon or tab")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument("--skip-bad", action="store_true", help="take the good rows although some are bad")
        parser.add_argument("--hold", action="store_true", help="do not send the invitations yet")

    def handle(self, *_: Any, **options: Any) -> None:
        programme = Programme.objects.filter(slug=options["programme"]).first()
        if programme is None:
            known = ", ".join(Programme.objects.values_list("slug", flat=True)[:20]) or "none"
            raise CommandError(f"No programme is called {options['programme']!r}. There is: {known}")
        started = time.monotonic()
        try:
            report = import_people(
                programme=programme,
                content=self._content(options["csv"]),
                actor=None,
                now=now(),
                dry_run=options["dry_run"],
                skip_bad=options["skip_bad"],
                send=not options["hold"],
                progress=self._progress,
            )
        except UnreadableTableError as error:
            raise CommandError(f"{options['csv']}: {error} Nothing was changed.") from error
        self._say(report, dry_run=options["dry_run"], seconds=time.monotonic() - started)

    def _content(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(MOST_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error

    def _progress(self, done: int, total: int) -> None:
        """A bar for people only: a log file full of them helps nobody."""
        if self.stderr.isatty():
            filled = BAR * done // total
            end = "\n" if done == total else ""
            self.stderr.write(f"\r[{'█' * filled}{'·' * (BAR - filled)}] {done:,} of {total:,}", ending=end)
            self.stderr.flush()

    def _say(self, report: ImportReport, *, dry_run: bool, seconds: float) -> None:
        for note in report.notes[:SHOWN]:
            self.stdout.write(self._row(note))
        for problem in report.problems[:SHOWN]:
            self.stderr.write(self.style.ERROR(self._row(problem)))
        if len(report.problems) > SHOWN:
            self.stderr.write(f"… and {len(report.problems) - SHOWN:,} more problems.")
        bad = len({problem.line for problem in report.problems})
        figures = (
            f"{report.rows:,} rows, {bad:,} bad. New people {report.created:,}, gaps filled for {report.completed:,}, "
            f"enrolled {report.enrolled:,}, enrolled before {report.already_enrolled:,}, "
            f"invitations {report.invited:,}. {seconds:.1f} s."
        )
        if dry_run:
            self.stdout.write(f"Dry run, nothing was changed: {figures}")
        elif report.written:
            self.stdout.write(self.style.SUCCESS(f"Done: {figures}"))
        else:
            raise CommandError(
                f"Nothing was changed: {report.rows:,} rows, {bad:,} bad. "
                "Correct them, or take the good ones with --skip-bad."
            )

    def _row(self, problem: Problem) -> str:
        place = f"line {problem.line:,}" + (f", {problem.column}" if problem.column else "")
        return f"{place}: {problem.message}"
