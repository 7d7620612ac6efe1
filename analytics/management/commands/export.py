"""`manage.py export <dataset> --webinar N | --programme <slug> --format … --output <file>`: a table as a file."""

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from analytics.domain.exporting.catalogue import DATASETS
from analytics.domain.exporting.datasets import Dataset, Scope, Source
from analytics.domain.exporting.files import FORMS, record_export, write_export
from core.clock import asked_now
from core.exports import TooManyRowsError
from courses.models import Programme
from webinars.models import Webinar

READABLE_BY_OWNER = 0o600


class Command(BaseCommand):
    help = (
        "Writes a dataset as a file, row by row, under its name only when it is whole. The export is recorded. "
        f"Datasets: {', '.join(DATASETS)}; docs/numbers.md defines their columns."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", choices=DATASETS, metavar="dataset", help=", ".join(DATASETS))
        about = parser.add_mutually_exclusive_group(required=True)
        about.add_argument("--webinar", type=int, help="the webinar's number, as in its address")
        about.add_argument("--programme", help="the programme's short name, as in its address")
        parser.add_argument("--format", choices=FORMS, help="without it: as the file's name ends")
        parser.add_argument("--output", type=Path, required=True, help="the file")
        parser.add_argument("--force", action="store_true", help="replace a file that is there already")

    def handle(self, *_: Any, **options: Any) -> None:
        dataset = DATASETS[options["dataset"]]
        source = _source(dataset, webinar=options["webinar"], slug=options["programme"])
        path: Path = options["output"]
        form = options["format"] or path.suffix.removeprefix(".")
        if form not in FORMS:
            raise CommandError(f"Say --format: {', '.join(FORMS)}.")
        if path.is_dir() or not path.parent.is_dir():
            raise CommandError(f"There is no folder {path.parent}." if not path.is_dir() else f"{path} is a folder.")
        if path.exists() and not options["force"]:
            raise CommandError(f"{path} is there already; --force replaces it.")
        moment = asked_now()
        record_export(dataset=dataset, source=source, form=f"{form} by command", actor=None, now=moment)
        rows = self._write(dataset, source, form=form, path=path, force=options["force"], now=moment)
        self.stdout.write(f"{path}: {rows:,} rows")

    def _write(self, dataset: Dataset, source: Source, *, form: str, path: Path, force: bool, now: Any) -> int:
        """Beside its place first, so that a file of this name is never half of one. For its owner alone to read."""
        counted = [0]

        def progress(rows: int) -> None:
            counted[0] = rows
            if self.stderr.isatty():
                self.stderr.write(f"\r{rows:,} rows", ending="")

        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
                made = Path(file.name)
                try:
                    write_export(dataset, source, form=form, to=file, now=now, progress=progress)
                    file.flush()
                    os.fsync(file.fileno())
                    _put(made, path, force=force)
                finally:
                    made.unlink(missing_ok=True)
        except FileExistsError as error:
            raise CommandError(f"{path} is there already; --force replaces it.") from error
        except (OSError, TooManyRowsError) as error:
            raise CommandError(f"{path} was not written: {error}") from error
        except DatabaseError as error:
            raise CommandError(f"{path} was not written: the database broke off ({error}).") from error
        finally:
            if self.stderr.isatty():
                self.stderr.write("")
        return counted[0]


def _put(made: Path, path: Path, *, force: bool) -> None:
    """A link refuses a name that somebody took meanwhile."""
    made.chmod(READABLE_BY_OWNER)
    if force:
        made.replace(path)
    else:
        os.link(made, path)


def _source(dataset: Dataset, *, webinar: int | None, slug: str | None) -> Source:
    if dataset.scope == Scope.WEBINAR:
        if webinar is None:
            raise CommandError(f"“{dataset.key}” is about a webinar: say --webinar <number>.")
        found = Webinar.objects.select_related("lesson__course__programme", "video").filter(pk=webinar).first()
        if found is None:
            raise CommandError(f"There is no webinar {webinar}.")
        return Source(found.lesson.course.programme, found, sees_all=True)
    if slug is None:
        raise CommandError(f"“{dataset.key}” is about a programme: say --programme <short name>.")
    programme = Programme.objects.filter(slug=slug).first()
    if programme is None:
        raise CommandError(f"There is no programme “{slug}”.")
    return Source(programme, sees_all=True)
