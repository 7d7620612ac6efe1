"""`manage.py backup`: dump the database beside a signed manifest; the newest stay, older ones go."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from operations.domain.backups.errors import BackupError
from operations.domain.backups.making import make_backup
from operations.domain.backups.manifest import read_manifest
from operations.domain.backups.programs import parameters_of_site
from operations.domain.backups.stores import Store, store_at


class Command(BaseCommand):
    help = "Back the database up into a directory or an S3 prefix. Media files are listed, not copied."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", default=settings.BACKUP_URL, help="directory or s3://bucket/prefix (BACKUP_URL)")
        parser.add_argument("--keep", type=int, default=settings.BACKUP_KEEP, help="newest backups to keep")
        parser.add_argument("--list", action="store_true", help="only say which backups there are")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            store = store_at(options["to"])
            if options["list"]:
                self._list(store)
                return
            made = make_backup(source=parameters_of_site(), store=store, keep=options["keep"], now=timezone.now())
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(made.rows.values())
        self.stdout.write(f"{made.name}: {made.bytes:,} bytes, {rows:,} rows, in {made.seconds:.1f} s, at {store}")
        self.stdout.write(f"{len(made.media)} places of media are listed in its manifest, not copied.")

    def _list(self, store: Store) -> None:
        for name in store.names():
            one = read_manifest(store.read_manifest(name), trusted=True)
            self.stdout.write(f"{name}  {one.bytes:>15,} bytes  {sum(one.rows.values()):>12,} rows")
