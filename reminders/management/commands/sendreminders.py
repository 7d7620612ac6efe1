"""Plans what is due and sends it, in this process. What the scheduler does every few seconds, once and at once."""

import sys
from argparse import ArgumentParser
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.clock import asked_now
from reminders.domain.campaigns import upcoming
from reminders.domain.running import drain, plan_all, recover, rehearse_all
from reminders.enums import Kind

SHOWN = 20


class Command(BaseCommand):
    help = "Plans messages that are due and sends them. --dry-run shows what would be planned, and writes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what is due, plan and send nothing")
        parser.add_argument(
            "--at",
            metavar="TIME",
            help="with --dry-run: as if it were then, e.g. 2027-01-12T09:00+01:00 (no zone: UTC)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["at"] and not options["dry_run"]:
            raise CommandError("--at goes with --dry-run: nothing is sent at another time than now.")
        if options["dry_run"]:
            self._show(_moment(options["at"]))
            return
        now = asked_now()
        recover(now=now)
        planned = plan_all(now=now)
        drained = drain(clock=asked_now)
        self.stdout.write(
            f"{planned} planned, {drained.sent} sent, {drained.taken - drained.sent} not sent or not known."
        )
        if drained.is_held_up:
            self.stdout.write("More is due: a provider takes no more just now. The worker goes on.")
            sys.exit(3)

    def _show(self, now: datetime) -> None:
        rehearsal = rehearse_all(now=now)
        found = rehearsal.messages
        for (kind, channel), number in sorted(Counter((one.kind, one.channel) for one in found).items()):
            self.stdout.write(f"{number:>8,}  {Kind(kind).label} · {channel}")
        for one in found[:SHOWN]:
            self.stdout.write(
                f"{one.due_at:%Y-%m-%d %H:%M:%S} UTC  {one.kind}  {one.subject}  person {one.user_id}  {one.channel}"
            )
        if len(found) > SHOWN:
            self.stdout.write(f"… and {len(found) - SHOWN:,} more.")
        for name in rehearsal.failed:
            self.stderr.write(f"Could not be worked out: {name}. The log says why.")
        self._show_campaigns(now)
        if rehearsal.failed:
            sys.exit(1)
        if not found:
            self.stdout.write("Nothing is to be planned.")

    def _show_campaigns(self, now: datetime) -> None:
        for one in upcoming(now=now):
            at = f"{one.first_at:%Y-%m-%d %H:%M} UTC" if one.first_at else "at no time"
            self.stdout.write(f"On the clock: campaign {one.campaign_id}, {at}, {one.doctors:,} doctors: {one.title}")
            for problem in one.problems:
                self.stdout.write(f"    would be stopped instead: {problem}")


def _moment(given: str | None) -> datetime:
    if not given:
        return asked_now()
    try:
        found = parse_datetime(given)
    except ValueError as error:
        raise CommandError(f"No such time: {given}") from error
    if found is None:
        raise CommandError(f"Not a time: {given}. Write 2027-01-12T09:00 or 2027-01-12T09:00+01:00.")
    return found if timezone.is_aware(found) else found.replace(tzinfo=timezone.get_fixed_timezone(0))
