"""Traces (OpenTelemetry) and faults (Sentry), each only where its variable is set.

Nothing leaves the machine otherwise, and the libraries are not even imported: they would slow every start.
"""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from core.logging import HIDDEN, hide_secrets

EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(r"(?<![\w.-])\+?\d[\d ()/-]{7,}\d(?![\w.-])")
ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
# What describes the program and not a person. Everything else of an event is left out.
KEPT = frozenset(
    {"event_id", "timestamp", "level", "platform", "logger", "transaction", "release", "environment", "sdk", "type"}
    | {"exception", "logentry", "modules", "tags", "fingerprint", "request"}
)


def start() -> None:
    """Called once per process, before requests come."""
    if settings.SENTRY_DSN:
        _start_sentry()
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _start_traces()


def _start_sentry() -> None:
    import sentry_sdk
    from sentry_sdk.integrations.celery import CeleryIntegration
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.DJANGO_ENV,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            DjangoIntegration(middleware_spans=False, signals_spans=False),
            CeleryIntegration(propagate_traces=False),
            LoggingIntegration(level=None, event_level=None),
        ],
        send_default_pii=False,
        include_local_variables=False,  # they hold names, addresses and tokens
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        server_name="",
        before_send=lambda event, _hint: scrub(event),
    )


def scrub(event: Any) -> Any:
    """Only what describes the program, without e-mail addresses, phone numbers, addresses, tokens and secrets.

    A fault's own message stays, because it is what mends it; what looks like a person or a secret in it does not.
    """
    kept = {key: value for key, value in event.items() if key in KEPT}
    if "request" in kept:
        kept["request"] = {"method": kept["request"].get("method")}
    found: Any = _clean(hide_secrets(None, "", kept))
    return found


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        for pattern in (EMAIL, PHONE, ADDRESS):
            value = pattern.sub(HIDDEN, value)
        return value
    if isinstance(value, dict):
        return {key: item if key in {"timestamp", "event_id"} else _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def _start_traces() -> None:
    """Sampling and batching by the variables of OpenTelemetry itself (OTEL_TRACES_SAMPLER and its like)."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": settings.OTEL_SERVICE_NAME}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


class TraceMiddleware:
    """A span for every request and for every statement in it; by route and without values: neither names a person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        from django.core.exceptions import MiddlewareNotUsed

        if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            raise MiddlewareNotUsed
        from opentelemetry import trace

        self.get_response = get_response
        self.tracer = trace.get_tracer("lms")
        self.kinds = trace.SpanKind

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        from django.db import connection
        from opentelemetry.propagate import extract

        parent = extract({"traceparent": request.headers.get("traceparent", "")})
        with self.tracer.start_as_current_span("request", context=parent, kind=self.kinds.SERVER) as span:
            with connection.execute_wrapper(self._statement):
                response = self.get_response(request)
            match = request.resolver_match
            route = (match.view_name or match.route) if match else "none"
            span.update_name(f"{request.method} {route}")
            span.set_attribute("http.request.method", request.method or "")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", response.status_code)
            span.set_attribute("lms.request_id", request.META.get("HTTP_X_REQUEST_ID", ""))
            return response

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        with self.tracer.start_as_current_span("statement", kind=self.kinds.CLIENT) as span:
            span.set_attribute("db.system", "postgresql")
            span.set_attribute("db.query.text", sql[:500])
            return execute(sql, params, many, context)
