"""`script/bench reminders`: planning for 15,000 doctors and 20 journeys, and a burst of 15,000 "we are live" by SMTP.

Planned at once: every kind of message that is planned, in twenty journeys that all are due at this moment. The burst
goes the way of production: a bell in Redis every few seconds, a Celery worker with a process for each core that claims,
checks, words and hands over, to a mail server on this machine that writes down what it was given. Others go after it at
the rate that is usual for SMTP. `--scale 0.01` tries it with few doctors and no limits.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.certification import AT_MOST, say
from tests.bench.stage import HOST, ROOT, stage
from tests.ports import free_port

DOCTORS, JOURNEYS, BATCH = 15_000, 20, 200
BELL_SECONDS = 10.0  # as the scheduler rings
PATIENCE_SECONDS = 900.0
AT_USUAL_RATE = 2_000
LIMITS: dict[str, tuple[str, float]] = {
    "plan_s": (AT_MOST, 120),
    "plan_again_s": (AT_MOST, 30),
    "drain_15000_s": (AT_MOST, 180),
    "duplicates": (AT_MOST, 0),
    "lost": (AT_MOST, 0),
}
ROWS = (
    ("doctors", "doctors"),
    ("journeys", "journeys with something to say"),
    ("planned", "messages planned"),
    ("plan_s", "s to plan them"),
    ("slowest_plan_s", "s of it for the slowest kind"),
    ("plan_again_s", "s to find that nothing is new, as every minute does"),
    ("slowest_check_ms", "ms to look once more at 200 messages of the slowest kind before they leave"),
    ("drained", "messages of a burst"),
    ("drain_15000_s", "s for 15,000 of them, from the bell to accepted by a mail server here"),
    ("workers", "processes of the worker"),
    ("per_worker_per_s", "messages a second and process"),
    ("usual_rate_per_s", "messages a second at the usual rate of SMTP"),
    ("duplicates", "messages that the mail server has twice"),
    ("lost", "messages that ended nowhere, or were sent and are not there"),
)


def measure(directory: Path, *, doctors: int) -> dict[str, Any]:
    from django.utils.timezone import now

    from tests.bench.reminders_world import fill

    moment = now()
    world = fill(doctors, now=moment)
    figures = _plan(moment)
    figures |= _check(moment)
    figures |= _drain(directory, world.live)
    return {"doctors": doctors, **figures}


def _plan(now: datetime) -> dict[str, Any]:
    """All kinds, in the time of the slowest one as well. Raises where a journey had nothing to say."""
    from django.db import connection

    from reminders.domain.planning import plan
    from reminders.domain.planning.which import planned_kinds

    spent: dict[str, float] = defaultdict(float)

    def stopwatch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if isinstance(params, dict) and "kind" in params:
                spent[str(params["kind"])] += time.perf_counter() - began

    began = time.perf_counter()
    with connection.execute_wrapper(stopwatch):
        found = plan(now=now)
    seconds = time.perf_counter() - began
    silent = set(planned_kinds()) - {one.kind for one in found}
    if silent or len(found) != JOURNEYS:
        raise RuntimeError(f"{len(found)} of {JOURNEYS} journeys had something to say, not: {sorted(silent)}")
    began = time.perf_counter()
    if again := sum(one.number for one in plan(now=now + timedelta(seconds=1))):
        raise RuntimeError(f"{again:,} were planned a second time")
    slowest = max(spent, key=lambda kind: spent[kind])
    return {
        "journeys": len(found),
        "planned": sum(one.number for one in found),
        "plan_s": round(seconds, 2),
        "slowest_plan_s": round(spent[slowest], 2),
        "slowest_plan": slowest,
        "plan_again_s": round(time.perf_counter() - began, 2),
    }


def _check(now: datetime) -> dict[str, Any]:
    """What a handful costs in the moment of sending, for each kind. All of them must still make sense."""
    from reminders.domain.checking import check
    from reminders.enums import Channel
    from reminders.models import Delivery

    spent: dict[str, float] = {}
    for kind in Delivery.objects.order_by().values_list("kind", flat=True).distinct():
        rows = Delivery.objects.filter(kind=kind, due_at__lte=now).select_related(
            "user", "programme__message_policy", "campaign", "fallback_of"
        )
        handful = list(rows.order_by("pk")[:BATCH])
        began = time.perf_counter()
        verdict = check(handful, channel=Channel.EMAIL, now=now)
        spent[kind] = time.perf_counter() - began
        if verdict.skip or verdict.later or not verdict.go:
            raise RuntimeError(f"{kind}: {Counter(verdict.skip.values())}, {len(verdict.later)} later")
    slowest = max(spent, key=lambda kind: spent[kind])
    return {"slowest_check_ms": round(spent[slowest] * 1_000, 1), "slowest_check": slowest}


def _drain(directory: Path, live: str) -> dict[str, Any]:
    """Of one webinar's "we are live"; all others wait meanwhile, as they would. Then some of them at the usual rate."""
    from django.utils.timezone import now

    from reminders.models import Delivery

    burst = Delivery.objects.filter(subject=live, kind="live")
    waiting = Delivery.objects.exclude(pk__in=burst.values("pk"))
    waiting.update(due_at=now() + timedelta(hours=2), expires_at=now() + timedelta(hours=3))
    some = list(waiting.filter(kind="course_completed").values_list("pk", flat=True)[:AT_USUAL_RATE])
    few = Delivery.objects.filter(pk__in=some)
    port, kept = free_port(), directory / "mail"
    with _mail_server(port, kept):
        with _worker(port, MESSAGES_EMAIL_RATE="10000"):
            seconds = _ring_until_sent(burst)
        few.update(due_at=now())
        with _worker(port):
            slowly = _ring_until_sent(few)
    number, workers = burst.count(), _processes()
    return {
        "drained": number,
        "drain_15000_s": round(seconds * DOCTORS / max(1, number), 1),
        "workers": workers,
        "per_worker_per_s": round(number / seconds / workers),
        "usual_rate_per_s": round(few.count() / slowly),
        **_counted(burst | few, kept),
    }


def _counted(rows: Any, kept: Path) -> dict[str, Any]:
    from reminders.enums import DeliveryState

    taken = Counter(kept.read_text().split())
    ended = Counter(rows.values_list("state", flat=True))
    sent = {one.hex for one in rows.filter(state=DeliveryState.SENT).values_list("key", flat=True)}
    over = {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.SKIPPED}
    return {
        "duplicates": sum(times - 1 for times in taken.values()),
        "lost": sum(times for state, times in ended.items() if state not in over) + len(sent - set(taken)),
        "sent": ended[DeliveryState.SENT],
    }


def _ring_until_sent(rows: Any) -> float:
    """Seconds. The bell is the scheduler's own task, rung as often as there."""
    from reminders.enums import DeliveryState
    from reminders.tasks import drain

    under_way = rows.filter(state__in=(DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING))
    began = rung = time.perf_counter()
    drain.delay()
    while under_way.exists():
        time.sleep(0.1)
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise RuntimeError(f"{under_way.count():,} have not left: {Counter(rows.values_list('state', flat=True))}")
        if time.perf_counter() - rung > BELL_SECONDS:
            rung = time.perf_counter()
            drain.delay()
    return time.perf_counter() - began


def _processes() -> int:
    return os.cpu_count() or 1


@contextmanager
def _worker(port: int, **environment: str) -> Iterator[None]:
    """As production starts it, of the queues in which bells of messages are rung."""
    from lms.celery import app

    rung = ("reminders.drain", "reminders.send")
    queues = {app.conf.task_routes.get(name, {}).get("queue", app.conf.task_default_queue) for name in rung}
    process = subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "lms", "worker", "--queues", ",".join(sorted(queues)),
            "--concurrency", str(_processes()), "--loglevel", "WARNING", "--without-mingle", "--without-gossip",
        ],
        cwd=ROOT,
        env={
            **os.environ, "EMAIL_HOST": HOST, "EMAIL_PORT": str(port), "MESSAGES_EMAIL": "smtp", **environment
        },
        stdout=subprocess.DEVNULL,  # its banner
    )  # fmt: skip
    try:
        ends = time.monotonic() + 60
        while not app.control.ping(timeout=0.5):
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("The worker did not start")
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _mail_server(port: int, kept: Path) -> Iterator[None]:
    """A process of its own, so that it costs the workers nothing but the core that it runs on."""
    kept.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.mail_sink", str(port), str(kept)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        if process.stdout is None or process.stdout.readline().strip() != b"ready":
            raise RuntimeError("The mail server did not start")
        yield
    finally:
        process.terminate()
        process.wait(20)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench reminders", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--scale", type=float, default=1.0, help="of the doctors; limits count for all of them only")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): everything will take longer.")
    with tempfile.TemporaryDirectory(prefix="lms-mail-") as name, stage():
        figures = measure(Path(name), doctors=max(20, int(DOCTORS * options.scale)))
    figures |= {"load_before": round(busy, 2), "scale": options.scale}
    too_far = [
        f"BEYOND ITS LIMIT: {name} is {figures[name]}, {how} {limit:,} was wanted"
        for name, (how, limit) in LIMITS.items()
        if options.scale >= 1 and figures[name] > limit
    ]
    for line in [*(f"  {figures[name]:>10,}  {words}" for name, words in ROWS), "", *too_far]:
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 1 if too_far else 0


if __name__ == "__main__":
    sys.exit(main())
