"""What is counted and timed, for Prometheus. Every app may use these; `lms.metrics` shows them under `/metrics`.

With PROMETHEUS_MULTIPROC_DIR set (several processes behind one address) the values lie in files of that directory, and
whichever process is asked adds all of them up. The library reads the variable when it is imported.
"""

import os
import re
import time
from pathlib import Path

import psutil
from django.db import connections
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
POOL_EVERY_SECONDS = 1.0
_OF_PROCESS = re.compile(r"_(\d+)\.db$")
_directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")

INSTRUMENTS = CollectorRegistry()
REQUESTS = Counter("lms_requests", "Answered HTTP requests", ("route", "method", "status"), registry=INSTRUMENTS)
REQUEST_SECONDS = Histogram(
    "lms_request_seconds",
    "Time from the request to the head of its answer",
    ("route", "method"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=INSTRUMENTS,
)
REQUESTS_IN_PROGRESS = Gauge(
    "lms_requests_in_progress", "HTTP requests being answered", multiprocess_mode="livesum", registry=INSTRUMENTS
)
QUEUE_SECONDS = Histogram(
    "lms_queue_seconds",
    "Time for which a request waited for a thread",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=INSTRUMENTS,
)
SHED = Counter(
    "lms_requests_shed", "Requests answered with 503 because too much was asked", ("kind",), registry=INSTRUMENTS
)
SOCKETS = Gauge("lms_sockets", "Open WebSockets", multiprocess_mode="livesum", registry=INSTRUMENTS)
SOCKETS_REFUSED = Counter("lms_sockets_refused", "WebSockets refused by a full process", registry=INSTRUMENTS)
BEATS_RECEIVED = Counter("lms_beats_received", "Beats that went to the database", registry=INSTRUMENTS)
BEATS_ACKED = Counter("lms_beats_acked", "Beats that are committed", registry=INSTRUMENTS)
BEATS_REFUSED = Counter("lms_beats_refused", "Beats that the database refused", registry=INSTRUMENTS)
BEATS_RETURNED = Counter("lms_beats_returned", "Beats to be sent again: not committed", registry=INSTRUMENTS)
COMMIT_SECONDS = Histogram(
    "lms_commit_seconds",
    "Time of the statement that commits a batch of beats",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=INSTRUMENTS,
)
ACK_SECONDS = Histogram(
    "lms_ack_seconds",
    "Time from the oldest beat of a batch to its acknowledgement",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30),
    registry=INSTRUMENTS,
)
EVENTS_DELIVERED = Counter("lms_room_events_delivered", "Room events times their receivers", registry=INSTRUMENTS)
POOL_SIZE = Gauge("lms_pool_connections", "Connections in the pool", multiprocess_mode="livesum", registry=INSTRUMENTS)
POOL_FREE = Gauge("lms_pool_free", "Connections that nobody uses", multiprocess_mode="livesum", registry=INSTRUMENTS)
POOL_WAITING = Gauge(
    "lms_pool_waiting", "Threads that wait for a connection", multiprocess_mode="livesum", registry=INSTRUMENTS
)
if not _directory:
    ProcessCollector(registry=INSTRUMENTS)  # of several it would show whichever was asked


class _Pool:
    looked_at = 0.0


def begin_request() -> None:
    REQUESTS_IN_PROGRESS.inc()


def end_request(request: HttpRequest, status: int, seconds: float) -> None:
    """By route, never by path: a path holds ids and tokens, and every new one would be a series for ever."""
    REQUESTS_IN_PROGRESS.dec()
    match = request.resolver_match
    route = (match.view_name or match.route) if match else "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(route, method, str(status)).inc()
    REQUEST_SECONDS.labels(route, method).observe(seconds)
    sample_pool()


def sample_pool() -> None:
    """At most once a second: another process is asked for the numbers of this one, which only this one knows."""
    now = time.monotonic()
    if now - _Pool.looked_at < POOL_EVERY_SECONDS:
        return
    _Pool.looked_at = now
    pools = getattr(connections["default"], "_connection_pools", {})  # the public property would open one
    if (pool := pools.get("default")) is not None:
        numbers = pool.get_stats()
        POOL_SIZE.set(numbers.get("pool_size", 0))
        POOL_FREE.set(numbers.get("pool_available", 0))
        POOL_WAITING.set(numbers.get("requests_waiting", 0))


def render() -> bytes:
    if not _directory:
        return generate_latest(INSTRUMENTS)
    _forget_dead(Path(_directory))
    together = CollectorRegistry()
    MultiProcessCollector(together, path=_directory)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def _forget_dead(directory: Path) -> None:
    """What was killed counts for no present number any more; what it had counted stays."""
    for path in directory.glob("gauge_live*.db"):
        found = _OF_PROCESS.search(path.name)
        if found and not psutil.pid_exists(int(found[1])):
            mark_process_dead(int(found[1]), path=str(directory))  # type: ignore[no-untyped-call]
