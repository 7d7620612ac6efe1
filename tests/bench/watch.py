"""`script/bench watch`: what a beat costs, how many a machine takes, what the pages cost. Under three minutes."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from tests.bench.stage import stage

SOCKETS = 1_000
BEATS_PER_S = 4_500.0  # offered; the promise is 4,000 acknowledged
SMALL, LARGE = 2, 20  # lectures a course


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench watch", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): the rates will be too low.")
    with stage() as running:
        from tests.bench.commits import measure_commits
        from tests.bench.pages import measure_pages
        from tests.bench.people import make_audience
        from tests.bench.sockets import measure_naive, measure_sockets

        audience = make_audience(SOCKETS)
        say("Group commit …")
        commits = measure_commits(audience, seconds=4.0)
        say("A thousand WebSockets …")
        load = measure_sockets(running, audience, beats_per_s=BEATS_PER_S, duration=15.0)
        say("The naive endpoint …")
        naive = measure_naive(running, audience, duration=8.0)
        say("Pages …")
        small, large = measure_pages(SMALL), measure_pages(LARGE)
    figures: dict[str, Any] = {
        "group_commit_ratio": round(commits.ratio, 1),
        "group_commit_rows_per_s": round(commits.rows_per_s[1_000]),
        "one_by_one_rows_per_s": round(commits.one_by_one),
        "acked_beats_per_s": round(load.result["acked_beats_per_s"]),
        "ack_p99_ms": round(load.result["p99_ms"], 1),
        "cpu_us_per_beat": round(load.cpu_us, 1),
        "cpu_us_per_beat_server": round(load.server_us, 1),
        "cpu_us_per_beat_postgresql": round(load.postgres_us, 1),
        "naive_beats_per_s": round(naive.result["acked_beats_per_s"]),
        "naive_cpu_us_per_beat": round(naive.cpu_us, 1),
        "unacknowledged": load.result["lost"],
        "load_before": round(busy, 2),
    }
    for name in small:
        figures[f"{name}_queries"] = large[name].queries
        figures[f"{name}_cpu_ms"] = round(large[name].cpu_ms, 1)
    say("")
    for line in table(commits.rows_per_s, load.result, figures, small, large):
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 0


def table(
    rows_per_s: dict[int, float], load: dict[str, Any], figures: dict[str, Any], small: Any, large: Any
) -> list[str]:
    cpu = f"(server {figures['cpu_us_per_beat_server']}, PostgreSQL {figures['cpu_us_per_beat_postgresql']})"
    lines = ["Durable beat rows a second", f"  update_or_create, one by one {figures['one_by_one_rows_per_s']:>12,}"]
    lines += [f"  group commit of {size:>5,}        {rate:>12,.0f}" for size, rate in rows_per_s.items()]
    lines += [
        f"  ratio at 1,000               {figures['group_commit_ratio']:>12} ×",
        "",
        f"{SOCKETS:,} WebSockets, end to end, fsync on",
        f"  beats acknowledged a second  {figures['acked_beats_per_s']:>12,}",
        f"  acknowledgement p50 / p99    {load['p50_ms']:>8.0f} / {load['p99_ms']:.0f} ms",
        f"  CPU a beat                   {figures['cpu_us_per_beat']:>12} µs  {cpu}",
        f"  sent but never acknowledged  {figures['unacknowledged']:>12}",
        "",
        "One upsert per request, Django REST framework under gunicorn",
        f"  beats a second               {figures['naive_beats_per_s']:>12,}",
        f"  CPU a beat                   {figures['naive_cpu_us_per_beat']:>12} µs",
        "",
        f"Pages                queries at {SMALL * 10} / {LARGE * 10} lectures      CPU ms",
    ]
    for name, page in small.items():
        grown = large[name]
        lines.append(f"  {name:<18} {page.queries:>12} / {grown.queries:<12} {page.cpu_ms:>10.1f} / {grown.cpu_ms:.1f}")
    return lines


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
