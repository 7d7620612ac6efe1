"""`manage.py coldstore move|status|verify`: old months of raw rows in Parquet files instead of in the database."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.domain.cold import moving
from analytics.models import ColdFile
from core.clock import asked_now

TROUBLE = ("busy", "changed", "damaged", "attached again")


class Command(BaseCommand):
    help = (
        "move: whole months of playback reports go to the private storage and leave the database, without anything by "
        "which a person could be found. status: what lies there. verify: reads every file back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("move", "status", "verify"))
        parser.add_argument(
            "--older-than", type=int, default=12, metavar="MONTHS", help="move: so many whole months stay (12)"
        )
        parser.add_argument("--dry-run", action="store_true", help="move: say what would be moved, and move nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "move":
            self._move(options["older_than"], dry_run=options["dry_run"])
        elif options["what"] == "verify":
            self._verify()
        else:
            for one in ColdFile.objects.order_by("table", "month"):
                self.stdout.write(f"{one.month:%Y-%m} {one.rows:>12,}  {one.moved_at:%Y-%m-%d}  {one.key}")

    def _move(self, months: int, *, dry_run: bool) -> None:
        if months < moving.LEAST_MONTHS:
            raise CommandError(f"{moving.LEAST_MONTHS} months at least stay in the database.")
        troubled = number = 0
        for one in moving.move(older_than=months, now=asked_now(), dry_run=dry_run):
            self.stdout.write(f"{one.month:%Y-%m} {one.rows:>12,}  {one.outcome}  {one.key}".rstrip())
            number += 1
            troubled += one.outcome.startswith(TROUBLE)
        if not number:
            self.stdout.write("Nothing is old enough.")
        if troubled:
            raise CommandError(f"{troubled} not moved; nothing is lost: try again later.")

    def _verify(self) -> None:
        wrong = 0
        for cold, problem in moving.verify():
            self.stdout.write(f"{cold.month:%Y-%m} {problem or 'good'}")
            wrong += bool(problem)
        if wrong:
            raise CommandError(f"{wrong} of the files cannot be read: docs/figures.md says what to do.")
