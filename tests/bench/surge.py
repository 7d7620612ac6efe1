"""`script/bench surge`: how steep a surge this machine bears, how many sockets, and what an hour of a doctor costs.

The whole site as a replica set on one machine (`script/cluster`), and a crowd of virtual doctors beside it
(`operations.domain.crowd`). `--minutes` shortens the arrivals at the same rate; 10 is the surge of the case study.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from operations.domain.capacity.inputs import Assumptions, read_prices
from operations.domain.crowd.measure import CrowdReport, Progress
from operations.domain.crowd.plan import Behaviour, CrowdPlan, Member
from operations.domain.crowd.run import run_crowd
from operations.domain.crowd.verify import Verdict, verify
from tests.bench.listening import allow_many_files
from tests.bench.surge_sockets import measure_sockets
from tests.bench.surge_stage import GENERATOR, Clocks, Stage, saturated_by, stage

STEPS = (0.25, 0.5, 1.0, 2.0, 4.0)
FINEST = 0.2  # bisection ends where two multiples differ by less than so much of the lower one
MOST_TRIES = 6
PAGE_SECONDS, JOIN_SECONDS = 1.0, 3.0
GENERATORS = 2
STAY_SECONDS = 15.0
WATCHERS, WATCH_SECONDS = 800, 60.0
PEOPLE = 15_050  # fifty of them warm the sockets up
SOCKETS = 15_000
GIB_A_VCPU = 2.0


@dataclass
class Step:
    """One surge, and whether it held."""

    multiple: float
    report: CrowdReport
    verdict: Verdict
    cores: dict[str, float]  # in the busiest ten seconds

    @property
    def page_p95(self) -> float:
        return self.report.operation("page").latency.quantile(0.95)

    @property
    def join_p95(self) -> float:
        return self.report.operation("join").latency.quantile(0.95)

    @property
    def lost(self) -> int:
        return self.verdict.lost_acks + self.verdict.lost_questions + self.verdict.lost_votes

    @property
    def holds(self) -> bool:
        """Whoever was asked to wait has come in later: that is in the time of their join."""
        in_time = self.page_p95 <= PAGE_SECONDS and self.join_p95 <= JOIN_SECONDS
        everybody = self.report.operation("join").ok >= self.report.arrived
        return in_time and everybody and not self.report.errors and not self.lost

    def figures(self) -> dict[str, Any]:
        return {
            "multiple": self.multiple,
            "arrived": self.report.arrived,
            "joined": self.report.joined,
            "page_p95_ms": round(self.page_p95 * 1000),
            "join_p95_ms": round(self.join_p95 * 1000),
            "errors": self.report.errors,
            "shed": self.report.shed,
            "acked_beats": self.verdict.acked_beats,
            "lost_acks": self.lost,
            "generator_late_s": round(self.report.late_seconds, 2),
            "cores": {name: round(value, 2) for name, value in self.cores.items() if value >= 0.01},
        }


class Surge:
    def __init__(self, site: Stage, minutes: float) -> None:
        self.site, self.minutes = site, minutes
        world = site.run("tests.bench.surge_world", "make", str(PEOPLE))
        self.webinar: int = world["webinar"]
        self.people = [Member(**one) for one in world["members"]]
        self._next: Iterator[Member] = cycle(self.people)

    def plan(self, doctors: int, **given: Any) -> CrowdPlan:
        audience = list(islice(self._next, doctors))
        return CrowdPlan(base_url=self.site.url, webinar_id=self.webinar, audience=audience, **given)

    def step(self, multiple: float, *, minutes: float | None = None) -> Step:
        minutes = minutes or self.minutes
        plan = self.plan(
            round(1_000 * multiple * minutes), minutes=minutes, multiple=multiple, stay_seconds=STAY_SECONDS
        )
        clocks, readings = Clocks(self.site), list[tuple[dict[str, float], float]]()

        def watch(progress: Progress) -> None:
            if progress.elapsed >= 10 * (len(readings) + 1):
                readings.append(clocks.read())

        with tempfile.TemporaryDirectory(prefix="lms-crowd-") as folder:
            report = run_crowd(plan, processes=GENERATORS, on_progress=watch, log_folder=Path(folder))
            verdict = verify(report.journals, dsn=self.site.dsn, webinar_id=self.webinar)
        busiest, passed = max(readings, key=lambda one: sum(one[0].values()) / one[1])
        step = Step(multiple, report, verdict, {name: spent / passed for name, spent in busiest.items()})
        say(line_of(step))
        for failure in [*verdict.examples[:5], *report.failures[:5]]:
            say(f"    {failure}")
        return step

    def climb(self) -> tuple[Step | None, Step | None]:
        """The highest that held, and the lowest that did not."""
        held: Step | None = None
        failed: Step | None = None
        left = MOST_TRIES
        for multiple in STEPS:
            left -= 1
            step = self.step(multiple)
            if not step.holds:
                failed = step
                break
            held = step
        else:
            return held, None
        for _ in range(left):
            if held is None or failed.multiple - held.multiple <= FINEST * held.multiple:
                break
            step = self.step(round((held.multiple + failed.multiple) / 2, 2))
            held, failed = (step, failed) if step.holds else (held, step)
        return held, failed

    def cost_of_watching(self) -> float:
        """CPU seconds of the site for 1,000 doctors who watch for an hour, everything they do meanwhile included."""
        arrive = 0.5 if WATCHERS <= 500 else WATCHERS / 1_000 / 0.5
        plan = self.plan(WATCHERS, minutes=arrive, multiple=0.5, stay_seconds=WATCH_SECONDS + 15, behaviour=Behaviour())
        clocks = Clocks(self.site)
        begin, end = plan.minutes * 60 + 8, plan.seconds - 4
        marks: list[tuple[dict[str, float], float]] = []

        def watch(progress: Progress) -> None:
            if (progress.elapsed >= begin and not marks) or (progress.elapsed >= end and len(marks) == 1):
                marks.append(clocks.read())

        run_crowd(plan, processes=GENERATORS, on_progress=watch)
        spent, passed = marks[1]
        site = sum(value for name, value in spent.items() if name != GENERATOR)
        parts = ", ".join(f"{name} {value / passed:.2f}" for name, value in spent.items() if value / passed >= 0.01)
        say(f"Watching: {WATCHERS:,} doctors take {site / passed:.2f} cores ({parts})")
        return site / passed * 3600 * 1_000 / WATCHERS


def line_of(step: Step) -> str:
    one = step.figures()
    used = ", ".join(f"{name} {cores:.2f}" for name, cores in one["cores"].items())
    return (
        f"{step.multiple:>5g} ×: {'holds' if step.holds else 'does not hold'}; {one['arrived']:,} came, "
        f"{one['joined']:,} joined; page p95 {one['page_p95_ms']} ms, join p95 {one['join_p95_ms']} ms, "
        f"{one['errors']} errors, {one['shed']} shed, {one['lost_acks']} of {one['acked_beats']:,} acks lost; {used}"
    )


def price_of(cpu_seconds: float) -> float:
    """Dollars for so much CPU in Fargate's tasks, used as far as `manage.py capacity` plans, 2 GiB to each vCPU."""
    given, prices = Assumptions(), read_prices()
    vcpu_hours = cpu_seconds / 3600 * given.vcpu_per_core / given.usable
    a_vcpu_hour = prices["fargate_usd_per_vcpu_hour"] + GIB_A_VCPU * prices["fargate_usd_per_gib_hour"]
    return float(vcpu_hours * a_vcpu_hour)


def measure(site: Stage, minutes: float) -> dict[str, Any]:
    say(f"{PEOPLE:,} doctors and their webinar …")
    surge = Surge(site, minutes)
    surge.step(0.1, minutes=0.2)  # imports, pools and caches are no cost of a doctor
    held, failed = surge.climb()
    shown = held or failed
    assert shown is not None
    full = failed or shown
    figures: dict[str, Any] = {
        "surge_multiple": held.multiple if held else 0.0,
        "page_p95_ms": shown.figures()["page_p95_ms"],
        "join_p95_ms": shown.figures()["join_p95_ms"],
        "errors": shown.report.errors,
        "lost_acks": shown.lost,
        "saturated_by": saturated_by(full.cores, late_seconds=full.report.late_seconds),
        "held": held.figures() if held else None,
        "beyond": failed.figures() if failed else None,
    }
    say("Watching …")
    cpu_seconds = surge.cost_of_watching()
    figures["cpu_s_per_1000_doctor_hours"] = round(cpu_seconds)
    figures["usd_per_1000_doctor_hours"] = round(price_of(cpu_seconds), 3)
    say(f"{SOCKETS:,} sockets …")
    return figures | measure_sockets(site, webinar=surge.webinar, people=surge.people, sockets=SOCKETS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench surge", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="of arrivals, at the same rate")
    options = parser.parse_args(arguments)
    if not 0.2 <= options.minutes <= 10:
        parser.error("--minutes must be between 0.2 and 10")
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.3:
        say(f"Other work uses this machine ({busy:.1f} processes a core): it will bear less than it could.")
    allow_many_files()
    with stage() as site:
        figures = measure(site, options.minutes)
    figures |= {"minutes": options.minutes, "load_before": round(busy, 2)}
    say("")
    for name, value in figures.items():
        if not isinstance(value, dict):
            say(f"{name:<30}{value}")
    if options.json:
        say(json.dumps(figures))
    return 0


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
