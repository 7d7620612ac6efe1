"""`manage.py purge_records`: what may go after its time, goes."""

from argparse import ArgumentParser
from collections import Counter
from datetime import UTC, date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certification.domain.retention import FutureError, Plan, plan, purge
from core.clock import asked_now

ROW = "{:<37} {:>5}  {:>9}  {:>9}  {}"


class Command(BaseCommand):
    help = (
        "Removes evidence, acknowledgements, PDFs, what is printed on certificates, reasons and what presenters "
        "disclosed when the years that their authorities want are over. Never a line of the ledger. Says in a table "
        "what goes and what stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument(
            "--until", type=date.fromisoformat, metavar="YYYY-MM-DD", help="what was due on that day; without it: today"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        now = asked_now()
        until = options["until"] or now.astimezone(UTC).date()
        try:
            planned = plan(until=until, now=now)
        except FutureError as refused:
            raise CommandError(str(refused)) from None
        self._tell(planned)
        if options["dry_run"]:
            self.stdout.write("Nothing was removed.")
            return
        removed: Counter[str] = Counter()
        for kind, number in purge(until=until, now=now):
            removed[kind] += number
            if self.stderr.isatty():
                self.stderr.write(f"\r{kind}: {removed[kind]:,} removed", ending="")
        for name, total in removed.items():
            self.stdout.write(f"{name}: {total:,} removed")
        if not removed:
            self.stdout.write("Nothing was due.")

    def _tell(self, planned: Plan) -> None:
        self.stdout.write(f"Due on {planned.until:%Y-%m-%d}:")
        self.stdout.write(ROW.format("", "years", "goes", "stays", "why it stays"))
        for line in planned.lines:
            why = "something that is kept rests on it" if line.stays else ""
            if line.next_on:
                why = f"kept {line.years} years; the first may go on {line.next_on:%Y-%m-%d}"
            self.stdout.write(ROW.format(line.kind, line.years, f"{line.goes:,}", f"{line.stays:,}", why))
        for name, number in planned.for_ever.items():
            why = "for ever: each is sealed with the one before, and names nobody"
            self.stdout.write(ROW.format(name, "–", "0", f"{number:,}", why))
