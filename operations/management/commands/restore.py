"""`manage.py restore`: a backup into a database, compared row by row before it takes the database's name."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from operations.domain.backups.ending import terminated_in_order
from operations.domain.backups.errors import BackupError, NotABackupError
from operations.domain.backups.restoring import parameters_of_url, restore_backup
from operations.domain.backups.stores import DUMP, MANIFEST, Folder, Store, store_at


class Command(BaseCommand):
    help = "Restore a backup into a database. Nothing is changed until everything was compared with the manifest."
    requires_system_checks: list[str] = []  # the site's own database may be the one that is lost

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", help="its name, 'latest', or the path of its .dump or .json file")
        parser.add_argument("--into", required=True, help="postgresql://user:password@host:port/name")
        parser.add_argument("--from", dest="place", default=settings.BACKUP_URL, help="where backups are (BACKUP_URL)")
        parser.add_argument("--replace", action="store_true", help="set a database that is not empty aside")
        parser.add_argument("--unsigned", action="store_true", help="take one made under another SECRET_KEY")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            store, name = _find(options["backup"], options["place"])
            with terminated_in_order():
                done = restore_backup(
                    store=store,
                    name=name,
                    into=parameters_of_url(options["into"]),
                    replace=options["replace"],
                    trusted=options["unsigned"],
                    now=timezone.now(),
                )
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows, checked = sum(done.manifest.rows.values()), len(done.manifest.checksums)
        self.stdout.write(f"{name} of {done.manifest.made_at} is restored: {rows:,} rows as they were,")
        self.stdout.write(f"the rows of {checked} tables of what people were told compared one by one.")
        if done.kept_as:
            self.stdout.write(f"What was there before is the database {done.kept_as} now; drop it when all is well.")
        if done.missing_migrations:
            self.stdout.write(f"{len(done.missing_migrations)} migrations are newer than it: run manage.py migrate.")


def _find(given: str, place: str) -> tuple[Store, str]:
    if given.endswith((DUMP, MANIFEST)):
        path = Path(given).expanduser().resolve()
        return Folder(path.parent), path.stem
    store = store_at(place)
    names = store.names()
    if given == "latest" and names:
        return store, names[-1]
    if given not in names:
        raise NotABackupError(f"There is no backup {given} at {store}; there are {len(names)}.")
    return store, given
