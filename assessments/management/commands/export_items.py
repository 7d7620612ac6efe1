"""`manage.py export_items <programme> <bank> <file>`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from assessments.domain.bank_files import export_bank
from assessments.domain.formats import FORMATS
from assessments.models import Bank

SHOWN = 500


class Command(BaseCommand):
    help = (
        "Write the questions of a bank to a file, retired ones left out, and say what the format cannot carry. "
        "The file has the right answers in it; the export is audited."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("programme", help="the programme's short name in addresses")
        parser.add_argument("bank", help="the bank's title")
        parser.add_argument("file", type=Path, help="is overwritten")
        parser.add_argument("--format", choices=sorted(FORMATS), default="qti", help="qti carries the most")

    def handle(self, *_: Any, **options: Any) -> None:
        bank = Bank.objects.filter(programme__slug=options["programme"], title=options["bank"]).first()
        if bank is None:
            here = Bank.objects.filter(programme__slug=options["programme"]).values_list("title", flat=True)[:20]
            known = ", ".join(here) or "none"
            raise CommandError(f"This programme has no bank called {options['bank']!r}. There is: {known}")
        form = FORMATS[options["format"]]
        writing = export_bank(bank=bank, form=form, actor=None, now=now())
        try:
            options["file"].write_bytes(writing.data)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        for loss in writing.losses[:SHOWN]:
            self.stderr.write(f"{loss}")
        if len(writing.losses) > SHOWN:
            self.stderr.write(f"… and {len(writing.losses) - SHOWN:,} more.")
        self.stdout.write(f"{form.title}: {options['file']}, {len(writing.losses):,} remarks on what it cannot carry.")
