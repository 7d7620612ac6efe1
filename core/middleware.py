"""Request ids and one log line per request."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

from core import metrics
from core.http import client_address
from core.logging import get_logger

log = get_logger("request")
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
QUIET = frozenset({"/healthz", "/readyz"})


class RequestIdMiddleware:
    """Every answer carries X-Request-ID; a caller's own id is kept when it is harmless to write into a log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.META["HTTP_X_REQUEST_ID"] = request_id
        structlog.contextvars.clear_contextvars()  # the thread served somebody else before
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        metrics.begin_request()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        metrics.end_request(request, response.status_code, seconds)
        response["X-Request-ID"] = request_id
        if request.path not in QUIET:
            _log(request, response.status_code, seconds)
        return response


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    """The path without its query, which may hold what a person typed. Never touches the session for the user's id."""
    match = request.resolver_match
    user = request.__dict__.get("_cached_user")
    log.log(
        40 if status >= 500 else 20,
        "request",
        method=request.method,
        path=request.path,
        route=match.view_name if match else None,
        status=status,
        ms=round(seconds * 1000, 1),
        user=getattr(user, "pk", None),
        address=client_address(request),
    )
