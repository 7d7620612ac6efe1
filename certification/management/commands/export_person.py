"""`manage.py export_person <e-mail>`: a person's own data, for that person."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certification.domain.erasure import ErasureError, person_of, write_own_data
from core.clock import asked_now


class Command(BaseCommand):
    help = "Writes a person's own data as a ZIP of JSON, readable by its owner alone. The export is recorded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person's e-mail address")
        parser.add_argument("--to", type=Path, help="where to write; without it person-<number>.zip in this folder")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            person = person_of(options["email"])
        except ErasureError as refused:
            raise CommandError(str(refused)) from None
        path: Path = options["to"] or Path(f"person-{person.pk}.zip")
        try:
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            with path.open("w+b") as file:
                write_own_data(user=person, to=file, now=asked_now())
        except OSError as refused:
            raise CommandError(f"{path} could not be written: {refused.strerror}") from None
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes")
