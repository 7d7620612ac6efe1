"""Machines follow the calendar of webinars; docs/scaling.md explains how."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from operations.domain.autoscaling.plan import table
from operations.domain.autoscaling.tiers import AutoscaleError


class Command(BaseCommand):
    help = "Shows the plan, puts it into AWS, or checks that what it wants is running (exit code 1 when it is not)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("plan", "apply", "check"))
        parser.add_argument("--days", type=int, default=14, help="how far ahead plan and apply look")

    def handle(self, *args: Any, **options: Any) -> None:
        horizon = timedelta(days=options["days"])
        try:
            {"plan": self.show_plan, "apply": self.apply, "check": self.compare}[options["what"]](horizon)
        except AutoscaleError as error:
            raise CommandError(str(error)) from error

    def show_plan(self, horizon: timedelta) -> None:
        from operations.domain.autoscaling.tending import look_ahead, too_many_connections  # boto3 takes 0.3 s

        found = look_ahead(now=now(), horizon=horizon)
        for line in table(found.steps, found.tiers):
            self.stdout.write(line)
        if words := too_many_connections(found.steps):
            self.stderr.write(words)

    def apply(self, horizon: timedelta) -> None:
        from operations.domain.autoscaling.tending import apply_calendar

        changes = apply_calendar(now=now(), horizon=horizon)
        for change in changes:
            self.stdout.write(str(change))
        self.stdout.write(f"{len(changes)} changes." if changes else "Nothing to change.")

    def compare(self, _horizon: timedelta) -> None:
        from operations.domain.autoscaling.tending import check_capacity

        found = check_capacity(now=now())
        for one in found:
            verdict = f"{one.missing} MISSING" if one.missing else "ok"
            self.stdout.write(
                f"{one.tier} ({one.service}): {one.running} of {one.wanted} are running and healthy: {verdict}"
            )
        if any(one.missing for one in found):
            sys.exit(1)
