"""A room full of sockets: what it costs to come in, to be there and to hear, and how long an event takes."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import psutil
from asgiref.sync import async_to_sync
from django.db import transaction
from django.utils.timezone import now

from tests.bench.listening import PER_PROCESS, Crowd, crowd
from tests.bench.people import Audience, make_login
from tests.bench.sockets import ORIGIN, Load, run_plan
from tests.bench.stage import HOST, Stage, cpu_seconds, realtime, server
from tests.ports import free_port
from webinars.domain.room import post_event
from webinars.domain.room_state import last_number
from webinars.enums import Audience as For
from webinars.enums import EventKind
from webinars.models import Webinar

Server = AbstractContextManager[psutil.Process]
PAUSE_SECONDS = 0.4  # between two events
POLLERS = 1_000  # people, each with less than the 60 polls a minute that the throttle allows


@dataclass
class Figures:
    sockets: int
    accept_s: float
    join_server_ms: float
    join_postgres_ms: float
    kb_per_socket: float
    delivery_us: float
    latencies_ms: list[float] = field(repr=False)
    missing: int
    closed: int

    def latency_ms(self, share: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def go_live(webinar: Webinar) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=now(), live_at=now())


def post(webinar: Webinar, text: str) -> None:
    with transaction.atomic():
        post_event(
            webinar_id=webinar.pk,
            kind=EventKind.ANNOUNCEMENT,
            audience=For.ALL,
            payload={"id": 1, "text": text},
            now=now(),
        )


def send_to_group(webinar: Webinar, text: str) -> None:
    """The same event as the hub's, without its row."""
    from tests.bench.channels_app import group_of, make_layer

    event = {
        "t": "event",
        "number": 1,
        "kind": "announcement",
        "at": now().isoformat(),
        "data": {"id": 1, "text": text},
    }
    message = {"type": "room.event", "event": event, "audience": For.ALL.value, "person": None}

    async def send() -> None:
        layer = make_layer()
        await layer.group_send(group_of(webinar.pk), message)
        await layer.close_pools()

    async_to_sync(send)()


def channels_server(port: int) -> Server:
    return server(
        [sys.executable, "-m", "tests.bench.channels_app"], port=port, environment={"REALTIME_BIND": f"{HOST}:{port}"}
    )


def measure_room(
    stage: Stage,
    audience: Audience,
    *,
    sockets: int,
    events: int,
    start: Callable[[int], Server] = realtime,
    publish: Callable[[Webinar, str], None] = post,
) -> Figures:
    """The first fifty sockets warm the server up: imports, pools and caches are no cost of a socket."""
    port, webinar = free_port(), audience.webinar
    viewers = audience.viewers()[: sockets + 50]
    since = last_number(webinar.pk)
    postgres = psutil.Process(stage.postgres)
    with start(port) as process, crowd(port, viewers[:50], since, origin=ORIGIN, first_address=200) as few:
        few.hear(few.children[0])
        memory, cpu, database = process.memory_info().rss, cpu_seconds(process), cpu_seconds(postgres)
        began = time.perf_counter()
        with crowd(port, viewers[50:], since, origin=ORIGIN) as many:
            for child in many.children:
                many.hear(child)
            accepted = time.perf_counter() - began
            joined, queried = cpu_seconds(process) - cpu, cpu_seconds(postgres) - database
            grown = process.memory_info().rss - memory
            cpu = cpu_seconds(process)
            for _ in range(events):
                publish(webinar, str(time.time()))
                time.sleep(PAUSE_SECONDS)
            sizes = [min(PER_PROCESS, sockets - index * PER_PROCESS) for index in range(len(many.children))]
            heard = [
                one
                for child, size in zip(many.children, sizes, strict=True)
                for one in Crowd([child]).tell(size * events)
            ]
            spent = cpu_seconds(process) - cpu
    latencies = [1000 * latency for one in heard for latency in one["latencies"]]
    return Figures(
        sockets=sockets,
        accept_s=accepted,
        join_server_ms=1000 * joined / sockets,
        join_postgres_ms=1000 * queried / sockets,
        kb_per_socket=grown / 1024 / sockets,
        delivery_us=1e6 * spent / max(1, len(latencies)),
        latencies_ms=latencies,
        missing=sockets * events - len(latencies),
        closed=sum(one["closed"] for one in heard),
    )


def measure_polling(stage: Stage, audience: Audience, *, connections: int, duration: float) -> Load:
    """The web tier as it is deployed, throttles and sessions included."""
    port, people = free_port(), audience.sessions[:POLLERS]
    for session in people:
        make_login(session.user, session.device.session_key)
    plan = {
        "host": HOST,
        "port": port,
        "path": f"/api/v1/webinars/{audience.webinar.pk}/events/?since={last_number(audience.webinar.pk)}",
        "viewers": audience.viewers()[:POLLERS],
        "connections": connections,
        "warm_up": 2.0,
        "duration": duration,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn_web.py", "lms.wsgi"]
    with server(command, port=port, environment={"WEB_BIND": f"{HOST}:{port}", "LOG_LEVEL": "ERROR"}) as process:
        return run_plan("tests.bench.pollers", plan, process, psutil.Process(stage.postgres))


def measure_replay(audience: Audience, *, events: int, times: int) -> float:
    """Milliseconds from asking for the room to the last of the missed events; the median."""
    from websockets.sync.client import connect
    from websockets.typing import Origin

    port, webinar, viewer = free_port(), audience.webinar, audience.viewers()[0]
    for _ in range(events):
        post(webinar, str(time.time()))
    last = last_number(webinar.pk)
    took = []
    with (
        realtime(port),
        connect(
            f"ws://{HOST}:{port}{viewer['path']}",
            origin=Origin(ORIGIN),
            additional_headers={"Cookie": f"sessionid={viewer['cookie']}"},
            compression=None,
        ) as line,
    ):
        for _ in range(times):
            began = time.perf_counter()
            line.send(json.dumps({"t": "room", "since": last - events}))
            while f'"number":{last},"kind"' not in str(line.recv(timeout=30)):
                pass
            took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)
