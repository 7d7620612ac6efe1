"""`manage.py drill`: the mock drill before a webinar. docs/drill.md says what it does and how to read its report."""

import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from operations.domain.backups.errors import BackupError
from operations.domain.backups.restoring import parameters_of_url
from operations.domain.crowd.measure import Progress
from operations.domain.drill.conducting import Interrupt, Preview, Wishes, conduct, preview, site_source
from operations.domain.drill.copying import copy_database
from operations.domain.drill.errors import DrillError
from operations.domain.drill.faults import FAULTS
from operations.domain.drill.limits import Limits
from operations.domain.drill.place import clean, default_place, only_drill
from operations.domain.drill.record import Record
from operations.domain.drill.report import PAGE, folder_of, write_report

GO, NO_GO, NOT_RUN = 0, 1, 2
LINE_SECONDS = 10.0
SPOT, LINK = 3.0, 20.0  # percent of the audience
REPLICAS = {"web": 2, "realtime": 2, "worker": 1, "beat": 1}


class Command(BaseCommand):
    help = "Play a webinar's audience against an isolated copy of the data. Exit code 0: go, 1: no-go, 2: not run."

    requires_system_checks = ()  # the replicas run them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--webinar", type=int, metavar="ID", help="the number in the webinar's address")
        parser.add_argument("--multiple", type=int, default=1, help="1 to 4 times its audience (default: 1)")
        parser.add_argument("--minutes", type=float, default=10.0, help="in which doctors arrive (default: 10)")
        parser.add_argument("--within", type=float, default=10.0, help="minutes in which all would come (default: 10)")
        parser.add_argument("--stay", type=float, default=60.0, help="seconds that the last one stays (default: 60)")
        parser.add_argument("--synthetic", type=int, default=0, metavar="COUNT", help="invented doctors instead")
        parser.add_argument(
            "--spot", type=float, default=SPOT, metavar="PERCENT", help=f"come besides, to the door (default: {SPOT:g})"
        )
        parser.add_argument(
            "--sign-in", type=float, default=LINK, metavar="PERCENT", help=f"come by a link (default: {LINK:g})"
        )
        parser.add_argument(
            "--fault", action="append", default=[], metavar="NAME[@MINUTE]", help=f"one of {', '.join(FAULTS)}"
        )
        parser.add_argument("--seed", type=int, default=1, help="the same drill again (default: 1)")
        parser.add_argument(
            "--report", type=Path, default=Path(settings.VAR_DIR) / "drill" / "reports", metavar="FOLDER"
        )
        parser.add_argument("--processes", type=int, default=2, help="of the load generator (default: 2)")
        parser.add_argument("--port", type=int, default=0, help="of the copy's site; default: a free one")
        for tier, count in REPLICAS.items():
            parser.add_argument(f"--{tier}", type=int, default=count, metavar="N", help=f"replicas (default: {count})")
        for field in fields(Limits):
            kind = int if field.type is int else float
            name = f"--limit-{field.name.replace('_', '-')}"
            parser.add_argument(name, type=kind, default=field.default, help=f"default: {field.default:g}")
        parser.add_argument("--into", default="", metavar="URL", help="a staging site that runs on a copy (--copy-to)")
        parser.add_argument(
            "--environment", type=Path, metavar="FILE", help="NAME=value lines of that site's processes"
        )
        parser.add_argument(
            "--allow-host", action="append", default=[], metavar="HOST", help="that may be sent visitors"
        )
        parser.add_argument(
            "--copy-to", default="", metavar="URL", help="make the scrubbed copy in an empty database, no more"
        )
        parser.add_argument("--json", action="store_true", help="the record as JSON on standard output, nothing else")
        parser.add_argument("--yes", action="store_true", help="do not ask before it begins")
        parser.add_argument("--clean", action="store_true", help="remove what a drill that was killed has left")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.quiet = options["json"]
        self.every = 0.0 if options["verbosity"] > 1 else LINE_SECONDS
        self.line, self.next_line = "", 0.0
        try:
            code = self.clean() if options["clean"] else self.copy(options) if options["copy_to"] else self.run(options)
        except DrillError as error:
            self.say("")
            self.stderr.write(str(error))
            code = NOT_RUN
        except KeyboardInterrupt:
            self.stderr.write("\nEnded. The copy was removed; production was only read.")
            code = NOT_RUN
        sys.exit(code)

    def clean(self) -> int:
        place = default_place()
        with only_drill(place):
            self.say("The copy was removed." if clean(place) else "Nothing was left.")
        return GO

    def copy(self, options: dict[str, Any]) -> int:
        """For a staging site: what `--into` is played on."""
        try:
            into = parameters_of_url(options["copy_to"])
        except BackupError as error:
            raise DrillError(str(error)) from error
        done = copy_database(source=site_source(), into=into, now=timezone.now())
        self.say(f"{done.bytes / 2**20:,.0f} MiB of data copied and scrubbed in {done.seconds:g} s.")
        return GO

    def run(self, options: dict[str, Any]) -> int:
        if options["webinar"] is None:
            raise DrillError("Which webinar? --webinar ID, the number in its address.")
        now = timezone.now()
        wishes = _wishes(options, logs=folder_of(options["report"], now) / "logs")
        seen = preview(wishes)
        self.announce(wishes, seen)
        if not options["yes"] and not self.agreed():
            return NOT_RUN
        interrupt = Interrupt()
        kept = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            record = conduct(
                wishes,
                place=default_place(),
                interrupt=interrupt,
                say=self.say,
                on_progress=self.show,
                now=now,
            )
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)
        self.line = ""
        if options["json"]:
            self.stdout.write(record.to_json())
        folder = write_report(record, options["report"], limits=wishes.limits)
        self.conclude(record)
        self.say(f"The report: {folder / PAGE}")
        return NOT_RUN if record.unfinished else GO if record.goes else NO_GO

    def announce(self, wishes: Wishes, seen: Preview) -> None:
        self.say(
            f"“{seen.title}”: {seen.people:,} {seen.kind}, of whom {seen.doctors:,} come in {wishes.minutes:g} min."
        )
        if seen.at_door:
            self.say(f"  besides, {seen.at_door:,} without an account ask at the door")
        for one in seen.planned:
            self.say(f"  at {one.at / 60:.1f} min: {one.fault.words}")

    def agreed(self) -> bool:
        if not sys.stdin.isatty():
            raise DrillError("It would load this machine for that time. Where nobody can be asked, say --yes.")
        return input("It loads this machine for that time. Begin? [y/N] ").strip().lower() in {"y", "yes"}

    def say(self, text: str) -> None:
        if self.quiet:
            return
        if self.line:
            self.stdout.write("")
            self.line = ""
        if text:
            self.stdout.write(text)
            self.stdout.flush()

    def show(self, progress: Progress) -> None:
        """One line that changes; where that is no terminal, one every ten seconds, or each with --verbosity 2."""
        line = (
            f"{progress.elapsed:5.0f} s  {progress.arrived:,} came, {progress.watching:,} watch, "
            f"{progress.ok:,} answers, {progress.failed + progress.unknown:,} errors, "
            f"{progress.shed:,} turned away for a moment"
        )
        if self.quiet:
            return
        if self.stdout.isatty():
            self.stdout.write(f"\r{line:<{len(self.line)}}", ending="")
            self.stdout.flush()
            self.line = line
        elif progress.elapsed >= self.next_line:
            self.stdout.write(line)
            self.stdout.flush()
            self.next_line = progress.elapsed + self.every

    def conclude(self, record: Record) -> None:
        self.say("")
        for finding in record.findings:
            mark = "holds " if finding.holds else "BROKEN"
            measured = "–" if finding.measured is None else f"{finding.measured:,g}"
            figures = f"{measured} {finding.unit}".rstrip()
            self.say(f"  {mark}  {finding.name}: {figures} (limit {finding.limit:,g}) {finding.words}".rstrip())
        self.say(f"Saturated: {record.saturated_by}.")
        if record.unfinished:
            self.say(f"No verdict. {record.unfinished}")
        else:
            self.say("GO" if record.goes else "NO-GO")


def _wishes(options: dict[str, Any], *, logs: Path) -> Wishes:
    limits = Limits(**{field.name: options[f"limit_{field.name}"] for field in fields(Limits)})
    return Wishes(
        webinar_id=options["webinar"],
        synthetic=options["synthetic"],
        multiple=options["multiple"],
        minutes=options["minutes"],
        within=options["within"],
        spot_percent=options["spot"],
        link_percent=options["sign_in"],
        stay_seconds=options["stay"],
        seed=options["seed"],
        faults=tuple(options["fault"]),
        replicas={tier: options[tier] for tier in REPLICAS},
        port=options["port"],
        processes=options["processes"],
        limits=limits,
        into=options["into"],
        environment=options["environment"],
        allowed_hosts=tuple(options["allow_host"]),
        logs=logs,
    )
