"""`manage.py ledger verify|publish`"""

import json
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from certification.domain.chain import Head, Verified, verify_all
from certification.domain.comparing import compared, programmes_with_traces
from certification.domain.publishing import heads_in, heads_in_bucket, publish_heads, words_of
from certification.models import Chain, LedgerEntry
from courses.models import Programme

BAR = 30


class Command(BaseCommand):
    help = (
        "verify: go through the ledgers line by line and name the first broken one; exit code 1 if there is any. "
        "publish: tell the world today's heads (page, log, bucket), once a day however often it is called."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="look the ledgers over")
        verify.add_argument("--programme", help="the programme's short name in addresses; without it all of them")
        verify.add_argument("--json", action="store_true", help="for machines")
        verify.add_argument(
            "--kept",
            type=Path,
            nargs="+",
            default=[],
            metavar="FILE",
            help="also by the heads in logs (JSON) or copies",
        )
        verify.add_argument("--bucket", action="store_true", help="also by the copies in LEDGER_BUCKET")
        actions.add_parser("publish", help="publish today's heads")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["action"] == "publish":
            for head in publish_heads(now=now()):
                chain = head.programme.chain
                where = f", {head.stored_as}" if head.stored_as else ""
                self.stdout.write(f"{chain.public_id}: {head.length:,} lines, {bytes(head.hash).hex()}{where}")
            return
        began = time.monotonic()
        slugs = self._slugs(options["programme"])
        kept, lost = self._kept(options["kept"], with_bucket=options["bucket"])
        total = LedgerEntry.objects.filter(programme__in=slugs).count()
        bar = _Bar(self, total)
        found = [compared(one) for one in verify_all(programme_ids=slugs, kept=kept, progress=bar.go_on)]
        bar.end()
        seconds = time.monotonic() - began
        if options["json"]:
            self.stdout.write(json.dumps(_as_data(found, slugs, lost, seconds)))
        else:
            self._tell(found, slugs, lost, seconds)
        if lost or any(one.flaw for one in found):
            raise SystemExit(1)

    def _kept(self, paths: list[Path], *, with_bucket: bool) -> tuple[dict[int, list[Head]], list[str]]:
        """By programme; and the chains of which heads were kept and that are not here any more."""
        heads = list(_heads_of(paths))
        if paths and not heads:
            raise CommandError("No head stands in these files: give logs in JSON, or copies of the bucket.")
        if with_bucket:
            heads += _bucket_heads()
        programmes = {str(chain): pk for chain, pk in Chain.objects.values_list("public_id", "programme")}
        found: dict[int, list[Head]] = defaultdict(list)
        lost = set()
        for head in heads:
            if head.chain in programmes:
                found[programmes[head.chain]].append(head)
            else:
                lost.add(head.chain)
        return found, sorted(lost)

    def _slugs(self, slug: str | None) -> dict[int, str]:
        """Slugs by id, of programmes that have a ledger or ever had one."""
        programmes = Programme.objects.order_by("slug")
        if slug is None:
            return dict(programmes_with_traces().order_by("slug").values_list("pk", "slug"))
        found = dict(programmes.filter(slug=slug).values_list("pk", "slug"))
        if not found:
            known = ", ".join(programmes.values_list("slug", flat=True)[:20]) or "none"
            raise CommandError(f"No programme is called {slug!r}. There is: {known}")
        return found

    def _tell(self, found: list[Verified], slugs: dict[int, str], lost: list[str], seconds: float) -> None:
        for one in found:
            if one.flaw is None:
                self.stdout.write(f"{slugs[one.programme_id]}: {one.length:,} lines hold, head {one.head.hex()}")
            else:
                told = f"{slugs[one.programme_id]}: BROKEN: {words_of(one.flaw)}. {one.length:,} lines before it hold."
                self.stdout.write(self.style.ERROR(told))
        for chain in lost:
            self.stdout.write(self.style.ERROR(f"BROKEN: heads of the chain {chain} were kept, and it is not here."))
        self.stdout.write(f"{len(found):,} ledgers looked over in {seconds:.1f} s.")


def _heads_of(paths: list[Path]) -> Iterator[Head]:
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from heads_in(file)
        except OSError as refused:
            raise CommandError(f"{path} could not be read: {refused.strerror}") from None


def _bucket_heads() -> list[Head]:
    if not settings.LEDGER_BUCKET:
        raise CommandError("LEDGER_BUCKET is not set: there is no bucket to ask.")
    try:
        return list(heads_in_bucket())
    except Exception as refused:
        raise CommandError(f"The bucket could not be read: {refused}") from refused


def _as_data(found: list[Verified], slugs: dict[int, str], lost: list[str], seconds: float) -> dict[str, Any]:
    ledgers = [
        {
            "programme": slugs[one.programme_id],
            "length": one.length,
            "head": one.head.hex(),
            "flaw": None if one.flaw is None else {
                "line": one.flaw.number, "what": one.flaw.what, "words": words_of(one.flaw),
            },
        }
        for one in found
    ]  # fmt: skip
    holds = not lost and all(one.flaw is None for one in found)
    return {"ledgers": ledgers, "lost": lost, "holds": holds, "seconds": round(seconds, 3)}


class _Bar:
    """For people only: a log file full of them helps nobody."""

    def __init__(self, command: BaseCommand, total: int) -> None:
        self.out, self.total, self.done = command.stderr, total, 0
        self.is_shown = total > 0 and self.out.isatty()

    def go_on(self, lines: int) -> None:
        self.done += lines
        if self.is_shown:
            filled = min(BAR, BAR * self.done // self.total)
            self.out.write(f"\r[{'█' * filled}{'·' * (BAR - filled)}] {self.done:,} of {self.total:,}", ending="")
            self.out.flush()

    def end(self) -> None:
        if self.is_shown:
            self.out.write("\n", ending="")
