"""`manage.py xapi status|make|send|retry`: what a learning record store is told."""

import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from analytics.domain.statements import making, outbox, sending
from analytics.domain.statements.status import status
from core.clock import asked_now


class Command(BaseCommand):
    help = (
        "status: what waits, what was sent, what the store did not want and why. make: looks at everything that "
        "happened, as is done every night. send: what is due, now. retry: what was refused or given up, once more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("status", "make", "send", "retry"))
        parser.add_argument("--id", type=UUID, action="append", help="retry: of one statement; more than once")
        parser.add_argument("--all", action="store_true", help="retry: every one that was refused or given up")

    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        if what == "status":
            self._status()
            return
        if not making.is_on():
            raise CommandError("XAPI_URL names no store: docs/xapi.md.")
        now = asked_now()
        if what == "make":
            self.stdout.write(f"{making.make_all(now=now, whole=True):,} new.")
        elif what == "send":
            self._send()
        elif not (options["all"] or options["id"]):
            raise CommandError("Say what to retry: --id, or --all.")
        else:
            which = Q() if options["all"] else Q(pk__in=options["id"])
            self.stdout.write(f"{outbox.retry(which=which, now=now):,} wait again.")

    def _send(self) -> None:
        done = sending.send_due(clock=asked_now)
        self.stdout.write(f"{done.sent:,} sent, {done.refused:,} refused, {done.later:,} later.")
        if done.problem:
            raise CommandError(f"The store is in trouble: {done.problem}")

    def _status(self) -> None:
        found = status(now=asked_now())
        if not making.is_on():
            self.stdout.write("Off: XAPI_URL names no store.")
        for name in ("due", "later", "in_hand", "sent", "refused", "given_up"):
            self.stdout.write(f"{name.replace('_', ' '):10}{getattr(found, name):>12,}")
        through = f"{found.made_through:%Y-%m-%d %H:%M:%S} UTC" if found.made_through else "–"
        self.stdout.write(f"{'made to':10}{through:>12}")
        if found.paused_until:
            self.stdout.write(f"paused until {found.paused_until:%H:%M:%S} UTC: {found.problem}")
        for source in found.stuck:
            since = f" since {source.made_through:%Y-%m-%d %H:%M} UTC" if source.made_through else ""
            self.stdout.write(f"not made: {source.name}{since}: {source.problem}")
        for one in found.dead:
            self.stdout.write(f"{one.state}: {one.pk} {one.verb} {one.ended_at:%Y-%m-%d %H:%M} {one.error}")
        if found.refused or found.given_up or found.stuck:
            sys.exit(1)
