"""`manage.py evidence <activity>` and `manage.py evidence check <file>`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from certification.domain.pack_check import recheck
from certification.domain.pack_file import NoPackError
from certification.domain.pack_reading import Recheck
from certification.domain.pack_site import compare_with_site
from certification.domain.packing import make_pack, record_pack
from certification.models import Activity

BAR = 30
TOLD = 20


class Command(BaseCommand):
    help = (
        "Writes all the evidence of an activity into a ZIP file for an auditor; the export is recorded. "
        "With the word check and a file: calculates everything in a pack again (files, seals of the ledger, decisions "
        "by their rules, signatures, badges, PDFs) and says what differs first; exit code 1 if anything does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("activity", help="the activity's number, as in the address of its page; or: check")
        parser.add_argument("file", nargs="?", type=Path, help="with check: the pack to look over")
        parser.add_argument("--to", type=Path, help="where to write; without it evidence-<number>.zip in this folder")
        parser.add_argument("--pdfs", action="store_true", help="with the certificates' files, some 50 kB each")
        parser.add_argument("--site", action="store_true", help="with check: compare with this site's ledger and files")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["activity"] == "check":
            if options["file"] is None:
                raise CommandError("Say which file: manage.py evidence check <file.zip>")
            self._check(options["file"], with_site=options["site"])
            return
        if not options["activity"].isdecimal():
            raise CommandError("Give the number of an activity, or the word check and a file.")
        activity = Activity.objects.filter(pk=int(options["activity"])).first()
        if activity is None:
            raise CommandError(f"There is no activity {options['activity']}.")
        path: Path = options["to"] or Path(f"evidence-{activity.pk}.zip")
        self._write(activity, path, has_pdfs=options["pdfs"])

    def _write(self, activity: Activity, path: Path, *, has_pdfs: bool) -> None:
        """Beside its place first: who finds the file finds all of it."""
        beside = path.with_name(f".{path.name}.part")
        form = "by command, with PDFs" if has_pdfs else "by command"
        record_pack(activity=activity, form=form, actor=None, now=now())
        try:
            with beside.open("w+b") as file:
                progress = self._progress if self.stderr.isatty() else None
                make_pack(activity=activity, to=file, has_pdfs=has_pdfs, progress=progress)
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

    def _check(self, path: Path, *, with_site: bool) -> None:
        try:
            with path.open("rb") as file:
                found = recheck(file)
                if with_site:
                    compare_with_site(found)
        except OSError as refused:
            raise CommandError(f"{path} could not be read: {refused.strerror}") from None
        except NoPackError as refused:
            raise CommandError(str(refused)) from None
        self._tell(found)
        if found.total:
            raise SystemExit(1)

    def _tell(self, found: Recheck) -> None:
        """What was done, then what could not be, then what differs."""
        for words, number in found.done.items():
            self.stdout.write(f"{number:>9,}  {words}")
        for words, number in found.notes.items():
            if number:
                self.stdout.write(f"{number:>9,}  {words}")
        for one in found.differences[:TOLD]:
            self.stdout.write(self.style.ERROR(f"DIFFERS  {one.file!r}, {_plain(one.where)}: {_plain(one.what)}."))
        if found.total:
            shown = min(TOLD, len(found.differences))
            more = f", of which the first {shown} stand above" if found.total > shown else ""
            self.stdout.write(self.style.ERROR(f"{found.total:,} differences{more}."))
            return
        chain = found.manifest.get("chain")
        at = f" Ledger: {chain['length']:,} lines, head {chain['head']}" if chain else ""
        self.stdout.write(f"Nothing differs: the pack is as it was made.{at}")


def _plain(text: str) -> str:
    """A pack may come from anybody: nothing of it moves the terminal's cursor."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
