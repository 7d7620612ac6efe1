"""What waits in the outbox, what became of it; failed messages once more, and planned ones withdrawn."""

import os
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.db.models import Q

from core.clock import asked_now
from courses.models import Programme
from reminders.domain import outbox
from reminders.domain.bounces import take_report
from reminders.domain.outbox_status import status
from reminders.enums import Channel, Kind

MOST_BYTES = 2_000_000  # of a report; what follows is the message that came back
HEADINGS = ("due", "later", "in hand", "oldest", "sent", "failed", "unknown", "skipped")


class Command(BaseCommand):
    help = (
        "status: what waits and what became of it. retry: sends failed messages again. drop: withdraws planned ones. "
        "bounce: reads a mail server's report from its input, as the mailbox of MESSAGES_FROM hands it on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("status", "retry", "drop", "bounce"))
        parser.add_argument("--programme", metavar="SLUG")
        parser.add_argument("--channel", choices=[one.value for one in Channel])
        parser.add_argument("--kind", choices=[one.value for one in Kind])
        parser.add_argument("--id", type=int, action="append", help="of one delivery; may be given more than once")
        parser.add_argument("--hours", type=int, default=24, help="status: how far back it counts (24)")
        parser.add_argument("--all", action="store_true", help="drop, retry: without any of the choices above")
        parser.add_argument(
            "--with-unknown",
            action="store_true",
            help="retry: also those of which nobody knows whether they left. They may arrive a second time.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        if what == "status":
            self._status(options)
            return
        if what == "bounce":
            self._bounce()
            return
        if not options["all"] and not any(options[name] for name in ("programme", "channel", "kind", "id")):
            raise CommandError(f"Say what to {what}: --programme, --channel, --kind, --id, or --all.")
        now = asked_now()
        if what == "drop":
            number = outbox.drop(which=_which(options), now=now)
            self.stdout.write(f"{number:,} withdrawn.")
        else:
            number = outbox.retry(which=_which(options), with_unknown=options["with_unknown"], now=now)
            self.stdout.write(f"{number:,} planned again.")

    def _bounce(self) -> None:
        """Whatever it is, it was taken: of an error a mail server would tell whoever wrote. Only while the database is
        away it is asked to come again.
        """
        try:
            taken = take_report(sys.stdin.buffer.read(MOST_BYTES), now=asked_now())
        except OperationalError as problem:
            raise CommandError("The database was not reached.", returncode=os.EX_TEMPFAIL) from problem
        self.stdout.write(f"{taken.value.capitalize()}.")

    def _status(self, options: dict[str, Any]) -> None:
        found = status(which=_which(options), since=timedelta(hours=options["hours"]), now=asked_now())
        self.stdout.write(" " * 10 + "".join(f"{name:>9}" for name in HEADINGS))
        for one in found:
            oldest = f"{one.oldest_seconds:,.0f} s" if one.due else "–"
            self.stdout.write(
                f"{one.channel:10}{one.due:>9,}{one.later:>9,}{one.in_hand:>9,}{oldest:>9}"
                f"{one.sent:>9,}{one.failed:>9,}{one.unknown:>9,}{one.skipped:>9,}"
            )
        if not found:
            self.stdout.write("The outbox is empty.")
        if any(one.is_late for one in found):
            sys.exit(1)


def _which(options: dict[str, Any]) -> Q:
    which = Q()
    if options["programme"]:
        which &= Q(programme__in=Programme.objects.filter(slug=options["programme"]))
    if options["channel"]:
        which &= Q(channel=options["channel"])
    if options["kind"]:
        which &= Q(kind=options["kind"])
    if options["id"]:
        which &= Q(pk__in=options["id"])
    return which
