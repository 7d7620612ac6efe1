"""`manage.py evidence <activity>` and `manage.py evidence check <file>`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from certification.domain.pack_file import Flaw, NoPackError, check_pack
from certification.domain.packing import make_pack, record_pack
from certification.models import Activity

BAR = 30
WORDS = {
    "missing": "is missing",
    "extra": "was added: the manifest does not name it",
    "twice": "stands in the file more than once",
    "size": "has another length than when the pack was made",
    "content": "differs from what it was when the pack was made",
    "unreadable": "cannot be read",
    "sums": "does not say the same as the manifest",
}


class Command(BaseCommand):
    help = (
        "Writes all the evidence of an activity into a ZIP file for an auditor; the export is recorded. "
        "With the word check and a file: looks a pack over and says which file differs; exit code 1 if any does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("activity", help="the activity's number, as in the address of its page; or: check")
        parser.add_argument("file", nargs="?", type=Path, help="with check: the pack to look over")
        parser.add_argument("--to", type=Path, help="where to write; without it evidence-<number>.zip in this folder")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["activity"] == "check":
            if options["file"] is None:
                raise CommandError("Say which file: manage.py evidence check <file.zip>")
            self._check(options["file"])
            return
        if not options["activity"].isdecimal():
            raise CommandError("Give the number of an activity, or the word check and a file.")
        activity = Activity.objects.filter(pk=int(options["activity"])).first()
        if activity is None:
            raise CommandError(f"There is no activity {options['activity']}.")
        path: Path = options["to"] or Path(f"evidence-{activity.pk}.zip")
        self._write(activity, path)

    def _write(self, activity: Activity, path: Path) -> None:
        """Beside its place first: who finds the file finds all of it."""
        beside = path.with_name(f".{path.name}.part")
        record_pack(activity=activity, form="by command", actor=None, now=now())
        try:
            with beside.open("w+b") as file:
                make_pack(activity=activity, to=file, progress=self._progress if self.stderr.isatty() else None)
            beside.chmod(0o600)
            beside.replace(path)
        except OSError as refused:
            raise CommandError(f"{path} could not be written: {refused.strerror}") from None
        finally:
            beside.unlink(missing_ok=True)
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes")

    def _progress(self, done: int, total: int) -> None:
        filled = BAR * done // max(1, total)
        self.stderr.write(f"\r[{'█' * filled}{'·' * (BAR - filled)}] {done:,} of {total:,}", ending="")
        if done >= total:
            self.stderr.write("")
        self.stderr.flush()

    def _check(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                manifest, flaws = check_pack(file)
        except OSError as refused:
            raise CommandError(f"{path} could not be read: {refused.strerror}") from None
        except NoPackError as refused:
            raise CommandError(str(refused)) from None
        for flaw in flaws:
            self.stdout.write(self.style.ERROR(words_of(flaw)))
        if flaws:
            raise SystemExit(1)
        chain = manifest.get("chain")
        at = f" Ledger: {chain['length']:,} lines, head {chain['head']}" if chain else ""
        self.stdout.write(f"{len(manifest['files']):,} files are as they were when the pack was made.{at}")


def words_of(flaw: Flaw) -> str:
    return f"{flaw.name!r} {WORDS[flaw.what]}."
