"""Fifteen thousand sockets at once in one process: memory of each, and how long an event takes to the last.

Past the balancer, which needs two open files for each of them: a machine may give a process no more than 20,000.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

from operations.domain.crowd.plan import Member
from tests.bench.listening import PER_PROCESS, Crowd, crowd
from tests.bench.surge_stage import Stage

EVENTS = 5
SPARE_FILES = 1_000
SETTLE_SECONDS = 5.0


def measure_sockets(site: Stage, *, webinar: int, people: Sequence[Member], sockets: int) -> dict[str, Any]:
    """Each process of listeners has an address of its own: one address has only some 28,000 ports to one server."""
    viewers = [{"path": f"/ws/webinars/{webinar}/", "cookie": one.session_key} for one in people[: sockets + 50]]
    since = site.run("tests.bench.surge_world", "number", str(webinar))["number"]
    port = site.state.ports["realtime.1"]
    with crowd(port, viewers[:50], since, origin=site.url, first_address=200) as few:
        few.hear(few.children[0])
        before = site.memory("realtime")
        began = time.perf_counter()
        with crowd(port, viewers[50:], since, origin=site.url) as many:
            opened = [many.hear(child) for child in many.children]
            accepted = time.perf_counter() - began
            time.sleep(SETTLE_SECONDS)
            grown = site.memory("realtime") - before
            site.run("tests.bench.surge_world", "announce", str(webinar), str(EVENTS))
            count = len(viewers) - 50
            sizes = [min(PER_PROCESS, count - start) for start in range(0, count, PER_PROCESS)]
            heard = [
                answer
                for child, size in zip(many.children, sizes, strict=True)
                for answer in Crowd([child]).tell(size * EVENTS)
            ]
    assert len(opened) == len(heard)
    latest = _slowest(heard, sizes)
    return {
        "sockets": sum(one["open"] for one in heard),
        "sockets_closed": sum(one["closed"] for one in heard),
        "accept_s": round(accepted, 1),
        "kb_per_socket": round(grown / 1024 / count, 1),
        "event_to_all_s": round(statistics.median(latest), 2),
        "event_to_all_worst_s": round(max(latest), 2),
        "events_missing": count * EVENTS - sum(len(one["latencies"]) for one in heard),
    }


def _slowest(heard: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[float]:
    """Of each event the time until the last socket had it: events come in order, each to all of a process."""
    found = []
    for event in range(EVENTS):
        parts = [one["latencies"][event * size : (event + 1) * size] for one, size in zip(heard, sizes, strict=True)]
        found.append(max(latency for part in parts for latency in part))
    return found
