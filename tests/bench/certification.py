"""`script/bench certification`: credit of ten thousand doctors in ten courses, certificates, ledgers, verification.

Each part is a module of its own and says its figures in a dictionary; `PARTS` puts them together.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any


def evaluating() -> dict[str, Any]:
    from tests.bench.stage import stage

    with stage():
        from tests.bench.evaluating import measure_evaluating

        return measure_evaluating()


# By name: what is said before, and the work. Further parts add a line here and theirs to `table`.
PARTS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "evaluating": ("Ten thousand doctors in ten courses …", evaluating),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench certification", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--only", choices=sorted(PARTS), help="one part of it")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): everything will take longer.")
    figures: dict[str, Any] = {}
    for name, (words, measure) in PARTS.items():
        if options.only in {None, name}:
            say(words)
            figures |= measure()
    figures["load_before"] = round(busy, 2)
    say("")
    for line in table(figures):
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 0


def table(figures: dict[str, Any]) -> list[str]:
    lines = []
    if "evaluate_100k_s" in figures:
        lines += [
            f"{figures['evaluations']:,} evaluations ({figures['evaluations_granted']:,} of them credit)",
            f"  a hundred thousand in {figures['evaluate_100k_s']:.1f} s of one core",
            f"  {figures['queries_per_1000']} queries for a thousand doctors",
            f"  ten thousand claims granted and sealed in {figures['grant_10k_s']:.1f} s",
        ]
    return lines


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
