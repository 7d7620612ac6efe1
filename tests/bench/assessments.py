"""`script/bench assessments`: a thousand doctors in one exam, and the ranking and figures of a hundred thousand."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

PAPERS = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench assessments", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--only", choices=("exam", "figures"), help="one half of it")
    parser.add_argument("--papers", type=int, default=PAPERS, help="for the ranking and the figures")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): everything will take longer.")
    figures: dict[str, Any] = {}
    if options.only != "figures":
        from tests.bench.exam import measure_exam

        say("A thousand doctors in one exam …")
        figures |= measure_exam()
    if options.only != "exam":
        figures |= _papers(options.papers)
    figures["load_before"] = round(busy, 2)
    say("")
    for line in table(figures):
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 0


def _papers(count: int) -> dict[str, Any]:
    from tests.bench.stage import stage

    with stage():
        from tests.bench.figures import measure_figures

        say(f"{count:,} papers, their ranking and their figures …")
        return measure_figures(count)


def table(figures: dict[str, Any]) -> list[str]:
    lines = []
    if "start_p95_ms" in figures:
        lines += [
            f"a thousand starts in ten seconds: 95 of 100 within {figures['start_p95_ms']:,} ms",
            f"  saves: 95 of 100 within {figures['save_p95_ms']:,} ms",
            f"  in a hurry {figures['saves_per_s']:,} a second, {figures['cpu_ms_per_save']} ms of CPU each",
            f"  errors {figures['errors']}, acknowledged answers lost {figures['lost']}",
        ]
    if "papers" in figures:
        lines += [
            f"{figures['papers']:,} papers of {figures['items_a_paper']} questions",
            f"  ranked in {figures['rank_first_s']:.2f} s, again in {figures['rank_again_s']:.2f} s",
            f"  a place read in {figures['place_median_ms']:.2f} ms, 95 of 100 in {figures['place_ms']:.2f} ms",
            f"  figures of all questions in {figures['item_analysis_100k_s']:.1f} s",
            f"  with {figures['item_analysis_peak_mb']:,} MB at most, {figures['item_analysis_base_mb']:,} before",
        ]
    return lines


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
