"""`/healthz`: this process answers. `/readyz`: what it needs is there. Asked every few seconds by load balancers.

The realtime tier answers them too, so that a balancer takes one of its replicas out before its sockets close.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from core.logging import get_logger
from lms.draining import is_draining
from lms.expand import needed_by_replicas
from lms.metrics import KIND, metrics_of_realtime, metrics_page

log = get_logger(__name__)
SECONDS = 2  # for each step of a check: a probe that hangs tells nobody anything
Parts = dict[str, str]


class HealthMiddleware:
    """Answers before the host check and the redirect to HTTPS: a probe knows neither the name nor the certificate."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return healthz(request)
        if request.path == "/readyz":
            return readyz(request)
        if request.path == "/metrics":
            return metrics_page(request)
        return self.get_response(request)


def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


def readyz(_request: HttpRequest) -> HttpResponse:
    """Says which part failed, never why: the reason stands in the log, where no stranger reads it."""
    status, body = _readiness()
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _readiness() -> tuple[int, dict[str, str]]:
    """A process that is about to stop says so at once: it asks nobody."""
    if is_draining():
        return 503, {"status": "draining"}
    parts = _shared_check()
    ready = all(state == "ok" for state in parts.values())
    return 200 if ready else 503, {"status": "ready" if ready else "not ready", **parts}


async def probe(
    scope: dict[str, Any], _receive: Callable[[], Awaitable[Any]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """The HTTP of the realtime tier (ASGI): the two probes, its metrics, and 404 for everything else."""
    status, content, kind = 404, b"", b"text/plain"
    if scope["path"] == "/healthz":
        status, content = 200, b"ok\n"
    elif scope["path"] == "/readyz":
        status, body = await asyncio.to_thread(_readiness)
        content, kind = json.dumps(body).encode(), b"application/json"
    elif scope["path"] == "/metrics" and (found := await asyncio.to_thread(metrics_of_realtime, scope)) is not None:
        status, content, kind = 200, found, KIND.encode()
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


class _Latest:
    """The newest check of this process. One runs at a time, and who waited for it takes its answer.

    Without that a stranger who asks a hundred times at once would hold a hundred connections to PostgreSQL.
    """

    lock = threading.Lock()
    started = 0.0
    parts: Parts = {}


def _shared_check() -> Parts:
    asked = time.monotonic()
    with _Latest.lock:
        if _Latest.started < asked:
            _Latest.started = time.monotonic()
            _Latest.parts = _check()
        return _Latest.parts


def _check() -> Parts:
    applied, postgresql = _postgresql()
    return {"postgresql": postgresql, "redis": _redis(), "migrations": _migrations(applied)}


def _postgresql() -> tuple[set[tuple[str, str]] | None, str]:
    """A connection of its own, not one of the pool: a busy pool makes a slow site, not an absent database."""
    parameters = connection.get_connection_params()
    parameters |= {"connect_timeout": SECONDS}
    try:
        with psycopg.connect(**parameters) as direct:
            # Not among the connection's options: PgBouncer, which shares connections, takes none.
            direct.execute(f"SET LOCAL statement_timeout = {SECONDS * 1000}")
            table = direct.execute("SELECT to_regclass('django_migrations')").fetchone()
            rows = direct.execute("SELECT app, name FROM django_migrations").fetchall() if table and table[0] else []
    except psycopg.Error as error:
        log.warning("PostgreSQL is not ready", reason=str(error))
        return None, "failed"
    return {(row[0], row[1]) for row in rows}, "ok"


@cache
def _redis_client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)


def _redis() -> str:
    try:
        _redis_client().ping()
    except redis.RedisError as error:
        log.warning("Redis is not ready", reason=str(error))
        return "failed"
    return "ok"


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    return frozenset((one.app_label, one.name) for one in needed_by_replicas())


def _migrations(applied: set[tuple[str, str]] | None) -> str:
    if applied is None:
        return "unknown"
    missing = _migrations_on_disk() - applied
    if missing:
        log.warning("migrations are not applied", missing=sorted(".".join(key) for key in missing))
        return f"{len(missing)} not applied"
    return "ok"
