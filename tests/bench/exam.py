"""The first half of `script/bench assessments`: a thousand doctors who start the same exam within ten seconds."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.domain.crowd.measure import CrowdReport, merged
from tests.bench.exam_world import ITEMS
from tests.bench.stage import ROOT
from tests.bench.surge_stage import GENERATOR, Clocks, Stage, stage

PEOPLE, GATHER_SECONDS, START_SECONDS = 1_000, 30.0, 10.0
PAUSE_SECONDS = 12.0  # between two answers of one doctor, on average: an exam gives a minute or more
HURRIED, HURRY_ITEMS = 60, ITEMS  # as fast as they can, one after the other: what the machine bears
GENERATORS = 2
WARM = 20


@dataclass(frozen=True)
class Sitting:
    report: CrowdReport
    checked: dict[str, Any]
    cpu: dict[str, float]  # seconds, by part of the site


def measure_exam() -> dict[str, Any]:
    """Keys as in `script/bench assessments --json`."""
    with stage() as site:
        world = site.run("tests.bench.exam_world", "make", str(PEOPLE + WARM + HURRIED))
        members = world["members"]
        _sit(
            site, world["quiz"], members[:WARM], gather=1.0, start=1.0, pause=0.05, seed=1
        )  # imports, pools and caches
        many, few = members[WARM : WARM + PEOPLE], members[WARM + PEOPLE :]
        exam = _sit(site, world["quiz"], many, gather=GATHER_SECONDS, start=START_SECONDS, pause=PAUSE_SECONDS, seed=2)
        hurry = _sit(site, world["quiz"], few, gather=2.0, start=0.5, pause=0.0, seed=3)
    saves = exam.report.operation("save")
    fast = hurry.report.operation("save")
    site_cpu = sum(seconds for name, seconds in hurry.cpu.items() if name != GENERATOR)
    return {
        "start_p95_ms": round(exam.report.operation("start").latency.quantile(0.95) * 1000),
        "first_page_p95_ms": round(exam.report.operation("front").latency.quantile(0.95) * 1000),
        "save_p95_ms": round(saves.latency.quantile(0.95) * 1000),
        "saves_per_s": round(fast.ok / hurry.report.seconds),
        "cpu_ms_per_save": round(site_cpu / fast.ok * 1000, 1),
        "errors": exam.report.errors + hurry.report.errors,
        "lost": exam.checked["lost"] + hurry.checked["lost"],
        "attempts": exam.checked["attempts"],
        "attempts_left_open": hurry.checked["open"],
        "acked": saves.ok + fast.ok,
    }


def _sit(
    site: Stage, quiz: int, members: list[dict[str, Any]], *, gather: float, start: float, pause: float, seed: int
) -> Sitting:
    clocks = Clocks(site)
    groups = []
    for number in range(GENERATORS):
        journal = site.directory / f"acknowledged-{seed}-{number}"
        plan = {
            "url": site.url,
            "quiz": quiz,
            "members": members[number::GENERATORS],
            "items": ITEMS,
            "gather_seconds": gather,
            "start_seconds": start,
            "pause_seconds": pause,
            "seed": seed * 10 + number,
            "journal": str(journal),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sitters"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        process.stdin.write(json.dumps(plan) + "\n")
        process.stdin.close()
        groups.append((process, journal))
    reports, lines = [], ""
    for process, journal in groups:
        assert process.stdout
        reports.append(CrowdReport.from_dict(json.loads(process.stdout.read().splitlines()[-1])))
        process.wait()
        lines += journal.read_text()
    cpu, _ = clocks.read()
    everything = Path(site.directory / f"acknowledged-{seed}")
    everything.write_text(lines)
    checked = site.run("tests.bench.exam_world", "check", str(quiz), str(everything))
    return Sitting(merged(reports), checked, cpu)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure_exam(), indent=1) + "\n")
