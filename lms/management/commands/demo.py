"""Loads the demonstration, and tells who can sign in."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lms.demo import people
from lms.demo.load import Loaded, counted, is_empty, is_loaded, load

CURRENT = "manage.py demo --codes"


class Command(BaseCommand):
    help = "Loads a programme that looks like a real one into an empty development database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--into-existing", action="store_true", help="also beside programmes that are there")
        parser.add_argument("--no-sign-ins", action="store_true", help="only keep them in a file, for the next start")
        parser.add_argument("--codes", action="store_true", help="only print the current codes of the staff accounts")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demonstration has public accounts. It is not for production.")
        if options["codes"]:
            self.print_codes()
            return
        if is_loaded():
            self.stdout.write("The demonstration is there already.")
            if self.path.exists():
                self.stdout.write(self.path.read_text(encoding="utf-8"))
            return
        if not is_empty() and not options["into_existing"]:
            raise CommandError("There are programmes in this database. --into-existing loads the demonstration anyway.")
        text = sign_ins(load(now=timezone.now()))
        keep(self.path, text)
        self.stdout.write(", ".join(f"{number} {name}" for name, number in counted().items()) + ".")
        self.stdout.write("The lectures are being prepared by the worker; the admin shows how far it is.")
        if not options["no_sign_ins"]:
            self.stdout.write(text)

    @property
    def path(self) -> Path:
        return Path(settings.VAR_DIR) / "demo-sign-ins.txt"

    def print_codes(self) -> None:
        now = timezone.now()
        for user in people.staff_of():
            self.stdout.write(f"{user.email}  {people.current_code(user, now=now)}")


def sign_ins(loaded: Loaded) -> str:
    """Everything a visitor needs, on one screen. The password is random for each installation."""
    staff = {user.email: people.secret_of(user) for user in people.staff_of()}
    doctor, invited = people.DOCTORS[0], next(one for one in people.DOCTORS if one.is_invited)
    rows = [
        ("Doctor, half way", doctor.email, ""),
        ("Doctor, all watched", people.DOCTORS[1].email, ""),
        ("Doctor, other programme", people.OTHER_DOCTOR.email, ""),
        *((str(one.role).capitalize(), one.email, staff.get(one.email, "")) for one in people.STAFF),
    ]
    mail = f" (sent mail: {settings.SITE_URL}/dev/mail/)" if settings.SHOW_SENT_MAIL else ""
    lines = [f"{who:<24} {email:<32} {'TOTP ' + secret if secret else ''}".rstrip() for who, email, secret in rows]
    return "\n".join(
        [
            f"Sign in at {settings.SITE_URL}/sign-in/ by e-mail link{mail}",
            f"or with the password  {loaded.password}  for every account:",
            "",
            *lines,
            "",
            f"The admin asks staff for a code: put the TOTP secret into an authenticator app, or run {CURRENT}",
            f"{invited.title} {invited.name} has only just been invited. The one-tap link, good for one use:",
            f"{settings.SITE_URL}{loaded.invitation_path}",
            "",
        ]
    )


def keep(path: Path, text: str) -> None:
    """For this user's eyes: it is printed again at every start of the development server."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
