"""`manage.py import_items <programme> <bank> <file>`"""

import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.timezone import now

from assessments.domain.bank_files import ImportReport, import_bank
from assessments.domain.formats import FORMATS, FormatError, guess
from assessments.domain.formats.base import MOST_BYTES
from assessments.models import Bank
from courses.models import Programme

SHOWN = 500
BAR = 30


class Command(BaseCommand):
    help = (
        "Read questions from a file into a question bank, which is made if there is none of that title. Questions are "
        "known by their names; the same file again changes nothing, and nothing is deleted. Exit code 1: some were bad."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("programme", help="the programme's short name in addresses")
        parser.add_argument("bank", help="the bank's title")
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=sorted(FORMATS), help="where the file does not tell it by itself")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")

    def handle(self, *_: Any, **options: Any) -> None:
        programme = Programme.objects.filter(slug=options["programme"]).first()
        if programme is None:
            known = ", ".join(Programme.objects.values_list("slug", flat=True)[:20]) or "none"
            raise CommandError(f"No programme is called {options['programme']!r}. There is: {known}")
        data = _content(options["file"])
        form = FORMATS[options["format"]] if options["format"] else guess(options["file"].name, data)
        try:
            reading = form.read(data)
        except FormatError as error:
            raise CommandError(f"{options['file']} ({form.title}): {error} Nothing was changed.") from error
        with transaction.atomic() if options["dry_run"] else nullcontext():
            bank, is_new = Bank.objects.get_or_create(programme=programme, title=options["bank"])
            report = import_bank(
                bank=bank, reading=reading, actor=None, now=now(), dry_run=options["dry_run"], progress=self._progress
            )
            if options["dry_run"]:
                transaction.set_rollback(True)
        self._say(report, title=form.title, is_new=is_new, dry_run=options["dry_run"])

    def _progress(self, done: int, total: int) -> None:
        """A bar for people only: a log file full of them helps nobody."""
        if self.stderr.isatty():
            filled = BAR * done // total
            end = "\n" if done == total else ""
            self.stderr.write(f"\r[{'█' * filled}{'·' * (BAR - filled)}] {done:,} of {total:,}", ending=end)
            self.stderr.flush()

    def _say(self, report: ImportReport, *, title: str, is_new: bool, dry_run: bool) -> None:
        for note in report.notes[:SHOWN]:
            self.stdout.write(f"note: {note}")
        for error in report.errors[:SHOWN]:
            self.stderr.write(self.style.ERROR(f"left out: {error}"))
        if len(report.errors) > SHOWN:
            self.stderr.write(f"… and {len(report.errors) - SHOWN:,} more.")
        figures = (
            f"{title}, {report.total:,} questions: {len(report.created):,} new, {len(report.changed):,} changed, "
            f"{len(report.unchanged):,} the same, {len(report.errors):,} left out."
        )
        bank = " A new bank." if is_new else ""
        self.stdout.write(f"Dry run, nothing was changed. {figures}{bank}" if dry_run else f"{figures}{bank}")
        if report.errors:
            sys.exit(1)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
