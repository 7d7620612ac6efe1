"""How many machines, how much money, and what fills first; docs/scaling.md explains the arithmetic."""

import json
from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.domain.capacity.inputs import (
    PRICES,
    Assumptions,
    Audience,
    InputError,
    read_costs,
    read_prices,
    read_provenance,
)
from operations.domain.capacity.report import as_data, tables
from operations.domain.capacity.sizing import plan_for
from operations.domain.capacity.switches import switches

DOCTORS = (1_000, 10_000, 60_000, 1_000_000)


class Command(BaseCommand):
    help = "Works out replicas, database, Redis, connections, traffic and monthly cost for an audience."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--doctors", type=int, nargs="+", default=list(DOCTORS), help="at once; several are columns"
        )
        for field in fields(Audience):
            if field.name != "doctors":
                kind = int if field.type is int else float
                parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
        parser.add_argument(
            "--vcpu-per-core", type=float, default=1.0, help="vCPUs that do the work of a measured core"
        )
        parser.add_argument("--measured", type=Path, nargs="+", default=[], help="output of script/bench … --json")
        parser.add_argument("--prices", type=Path, default=PRICES, help="another price list")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        names = [field.name for field in fields(Audience) if field.name != "doctors"]
        chosen = {name: options[name] for name in names}
        given = Assumptions(vcpu_per_core=options["vcpu_per_core"])
        try:
            costs, prices = read_costs(options["measured"]), read_prices(options["prices"])
            audiences = [Audience(doctors=doctors, **chosen) for doctors in options["doctors"]]
        except (InputError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        plans = [plan_for(audience, costs, given, prices) for audience in audiences]
        found = switches(audiences[0], costs, given, prices)
        if options["json"]:
            self.stdout.write(json.dumps(as_data(plans, found, prices, costs, given), indent=1))
            return
        for line in tables(plans, found, prices):
            self.stdout.write(line)
        origin = read_provenance()
        self.stdout.write(
            f"\nMeasured at {origin['commit']} ({origin['measured_at']}); prices of {prices['entered_on']}: "
            f"{prices['source']}"
        )
