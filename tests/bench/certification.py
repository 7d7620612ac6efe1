"""`script/bench certification`: credit of ten thousand doctors in ten courses, certificates, ledgers, verification.

Each part is a module of its own and says its figures in a dictionary; `PARTS` puts them together and `LIMITS` says how
far each may go: beyond one of them the exit code is 1. `--scale 0.01` tries it with few rows and no limits.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
AT_MOST, AT_LEAST = "at most", "at least"
LIMITS: dict[str, tuple[str, float]] = {
    "evaluate_100k_s": (AT_MOST, 120),
    "queries_per_1000": (AT_MOST, 10),
    "pdf_per_min_per_core": (AT_LEAST, 300),
    "issue_10k_files_s": (AT_MOST, 2_000),
    "verify_cpu_ms": (AT_MOST, 10),
    "ledger_100k_s": (AT_MOST, 30),
    "evidence_growth_mb": (AT_MOST, 60),
    "evidence_check_growth_mb": (AT_MOST, 60),
    "credit_list_growth_mb": (AT_MOST, 60),
}


def evaluating(scale: float) -> dict[str, Any]:
    from tests.bench.stage import stage

    with stage():
        from tests.bench.evaluating import PEOPLE, measure_evaluating

        return measure_evaluating(people=scaled(PEOPLE, scale))


def evidence(scale: float) -> dict[str, Any]:
    from tests.bench.stage import stage

    with stage() as running:
        from tests.bench.evidence import PEOPLE, measure_evidence

        return measure_evidence(running.directory, people=scaled(PEOPLE, scale))


def certificates(scale: float) -> dict[str, Any]:
    from tests.bench.stage import stage

    with stage() as running:
        from tests.bench.certificates import ISSUED, LINES, measure_certificates

        return measure_certificates(running, issued=scaled(ISSUED, scale), lines=scaled(LINES, scale))


def scaled(number: int, scale: float) -> int:
    return max(50, int(number * scale))


# By name: what is said before, and the work. Further parts add a line here and theirs to `table`.
PARTS: dict[str, tuple[str, Callable[[float], dict[str, Any]]]] = {
    "evaluating": ("Ten thousand doctors in ten courses …", evaluating),
    "evidence": ("The evidence of ten thousand doctors …", evidence),
    "certificates": (
        "Ten thousand certificates with their files, a ledger of a hundred thousand lines …",
        certificates,
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench certification", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--only", choices=sorted(PARTS), help="one part of it")
    parser.add_argument("--scale", type=float, default=1.0, help="of the rows; limits count for all of them only")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): everything will take longer.")
    if options.only is None:
        figures = _each_alone(options.scale)
    else:
        words, measure = PARTS[options.only]
        say(words)
        figures = measure(options.scale)
    figures |= {"load_before": round(busy, 2), "scale": options.scale}
    say("")
    too_far = beyond(figures) if options.scale >= 1 else []
    for line in [*table(figures), "", *too_far]:
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 1 if too_far else 0


def _each_alone(scale: float) -> dict[str, Any]:
    """A process for each part: a stage is for one, because Django keeps to the database it began with."""
    figures: dict[str, Any] = {}
    for name in PARTS:
        command = [sys.executable, "-m", "tests.bench.certification", "--only", name, "--scale", str(scale), "--json"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if not done.stdout.strip():
            raise SystemExit(f"The part {name} gave no figures; the lines above say why.")
        figures |= json.loads(done.stdout.splitlines()[-1])
    return figures


def beyond(figures: dict[str, Any]) -> list[str]:
    """In words, what is not within its limit."""
    return [
        f"BEYOND ITS LIMIT: {name} is {figures[name]}, {how} {limit:,} was wanted"
        for name, (how, limit) in LIMITS.items()
        if name in figures and (figures[name] > limit if how == AT_MOST else figures[name] < limit)
    ]


def table(figures: dict[str, Any]) -> list[str]:
    """With the limit beside each figure that has one."""
    lines = []
    for part, rows in ROWS.items():
        if part in figures:
            lines.append(f"{figures[part]:,} {rows[0][1]}")
            lines += [_row(figures, name, words) for name, words in rows[1:]]
    return lines


def _row(figures: dict[str, Any], name: str, words: str) -> str:
    limit = f"   ({LIMITS[name][0]} {LIMITS[name][1]:,})" if name in LIMITS else ""
    return f"  {figures[name]:>10,}  {words}{limit}"


# By the figure that says that a part was measured.
ROWS: dict[str, tuple[tuple[str, str], ...]] = {
    "evaluations": (
        ("evaluations", "evaluations"),
        ("evaluations_granted", "of them credit"),
        ("evaluate_100k_s", "s for a hundred thousand, in one process"),
        ("queries_per_1000", "queries for a thousand doctors"),
        ("grant_10k_s", "s for ten thousand claims granted and sealed"),
    ),
    "evidence_people": (
        ("evidence_people", "doctors in one evidence pack"),
        ("evidence_10k_s", "s to write it"),
        ("evidence_mb", "MB"),
        ("evidence_check_10k_s", "s to calculate all of it again"),
        ("evidence_growth_mb", "MB of memory more than for nobody"),
        ("evidence_check_growth_mb", "MB more to calculate it again"),
        ("credit_list_growth_mb", "MB more for a list of credit"),
    ),
    "certificates": (
        ("certificates", "certificates issued, and their files made"),
        ("issue_10k_s", "s to issue ten thousand"),
        ("issue_10k_files_s", "s with their files, by a process for each core"),
        ("pdf_per_min_per_core", "files a minute and core: read, rendered, sealed, stored"),
        ("verify_cpu_ms", "ms of CPU for a verification page, PostgreSQL's included"),
        ("verify_database_cpu_ms", "ms of that PostgreSQL's"),
        ("ledger_100k_s", "s to look over a hundred thousand lines"),
    ),
}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
