"""`/healthz`: this process answers. `/readyz`: what it needs is there. Asked every few seconds by load balancers."""

import threading
import time
from collections.abc import Callable
from functools import cache

import psycopg
import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from core.logging import get_logger

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
        return self.get_response(request)


def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


def readyz(_request: HttpRequest) -> HttpResponse:
    """Says which part failed, never why: the reason stands in the log, where no stranger reads it."""
    parts = _shared_check()
    ready = all(state == "ok" for state in parts.values())
    body = {"status": "ready" if ready else "not ready", **parts}
    return JsonResponse(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


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
    parameters |= {"connect_timeout": SECONDS, "options": f"-c statement_timeout={SECONDS * 1000}"}
    try:
        with psycopg.connect(**parameters) as direct:
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
    return frozenset(MigrationLoader(None).graph.nodes)


def _migrations(applied: set[tuple[str, str]] | None) -> str:
    if applied is None:
        return "unknown"
    missing = _migrations_on_disk() - applied
    if missing:
        log.warning("migrations are not applied", missing=sorted(".".join(key) for key in missing))
        return f"{len(missing)} not applied"
    return "ok"
