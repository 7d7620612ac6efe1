"""What must be true before the site starts: tables, static files and, where wanted, a demonstration."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from reminders.domain.builtin_words import renew


class Command(BaseCommand):
    help = (
        "Migrates, writes the words of messages, collects static files and loads the demonstration, each only where "
        "something is to be done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demonstration into an empty database")

    def handle(self, *args: Any, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Migrating the database …")
            call_command("migrate", interactive=False, verbosity=0)
        renew()  # the words of messages that come with the product
        if not settings.DEBUG:
            self.collect_static()
        if options["demo"] and not apps.get_model("courses", "Programme").objects.exists():
            self.load_demo()

    def collect_static(self) -> None:
        """Skipped while the sources are the same: compressing the admin's files takes seconds."""
        stamp = Path(settings.STATIC_ROOT) / ".collected"
        wanted = _fingerprint()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        self.stdout.write("Collecting static files …")
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(wanted)

    def load_demo(self) -> None:
        if "demo" not in get_commands():
            self.stderr.write("There is no `demo` command; the database stays empty.")
            return
        self.stdout.write("Loading the demonstration …")
        call_command("demo", "--no-sign-ins")  # the start that follows prints them with its own address


def _fingerprint() -> str:
    """Of names, sizes and times: reading every file would cost more than the comparison saves."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
