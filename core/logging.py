"""Structured logs: one JSON object a line in production, colours in development, never a secret in either."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
SECRET_KEYS = re.compile(
    r"pass(word|phrase)|secret|token|authorization|cookie|session_key|api_?key|\bcode\b", re.IGNORECASE
)
# Links that open something carry the secret in the path; a log reader must not be able to use them.
SECRET_PATHS = re.compile(r"(/(?:sign-in/link|invitation|disclosures|m|u|calendar)/)[^/\s?\"']+")
SECRET_PAIRS = re.compile(r"((?:token|password|secret|signature|code|key)=)[^&\s\"']+", re.IGNORECASE)
SECRET_URLS = re.compile(r"(\w+://[^/\s:@]*:)[^@\s/]+(?=@)")


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        event[key] = HIDDEN if SECRET_KEYS.search(key) and value else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        for pattern in (SECRET_PATHS, SECRET_PAIRS, SECRET_URLS):
            value = pattern.sub(rf"\1{HIDDEN}", value)
        return value
    if isinstance(value, MutableMapping):
        return hide_secrets(None, "", dict(value))
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure(*, json: bool, level: str) -> dict[str, Any]:
    """Set structlog up and return LOGGING for Django; gunicorn, uvicorn and Celery use the same dictionary."""
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": "core.logging.formatter", "json": json}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "structured", "stream": "ext://sys.stdout"}
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"level": level, "handlers": [], "propagate": True},
            # Its lines repeat what the request log says, and print paths with one-tap tokens.
            "django.server": {"handlers": [], "propagate": False},
            "django.request": {"level": "ERROR"},
            # Theirs of the finest level quote whole requests, with addresses and credentials.
            **{name: {"level": "INFO"} for name in ("urllib3", "botocore", "boto3", "py_vapid")},
            # A line for each tick and each arrival; celery.app.trace says what became of the task.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            "uvicorn.error": {"level": level, "handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }


def formatter(json: bool) -> structlog.stdlib.ProcessorFormatter:
    """Exceptions become text before secrets are hidden, because a traceback may quote one."""
    final: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    final.append(hide_secrets)
    final.append(
        structlog.processors.JSONRenderer(default=str)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=SHARED, processors=final)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
