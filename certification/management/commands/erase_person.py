"""`manage.py erase_person <e-mail>`: who somebody was, goes; what the law of credit wants, stays and is named."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certification.domain.erasure import Erasure, ErasureError, erase, look, person_of
from core.clock import asked_now


class Command(BaseCommand):
    help = (
        "Erases a person: name, addresses, numbers, devices and sign-ins. Certificates' facts within their years and "
        "the ledger stay; each is named with the day until which. Cannot be undone, so look first with --dry-run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person's e-mail address")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be erased and kept")

    def handle(self, *_: Any, **options: Any) -> None:
        now = asked_now()
        try:
            person = person_of(options["email"])
            done = look(user=person, now=now) if options["dry_run"] else erase(user=person, now=now)
        except ErasureError as refused:
            raise CommandError(str(refused)) from None
        self._tell(done, is_done=not options["dry_run"])

    def _tell(self, done: Erasure, *, is_done: bool) -> None:
        self.stdout.write(f"Person {done.person}: {'erased' if is_done else 'would be erased'}")
        self.stdout.write("  name, e-mail, phone, country, specialty, council and registration number")
        for what, number in done.erased.items():
            if number:
                self.stdout.write(f"  {what}: {number:,}")
        self.stdout.write("Kept:" if done.kept else "Nothing is kept.")
        for one in done.kept:
            self.stdout.write(f"  {one.what}, {one.how_long}: {one.why}")
        if not is_done:
            self.stdout.write("Nothing was changed.")
