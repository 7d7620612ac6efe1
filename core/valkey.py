"""Valkey for what a page can do without: with little patience, and left alone for a while when it is away."""

import os
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.logging import get_logger

log = get_logger("valkey")
PATIENCE_SECONDS = 0.25  # somebody's page waits for it
SILENT_SECONDS = 5.0
Found = TypeVar("Found")


class QuickValkey:
    """Asks once: the library's own three tries take four seconds. `client` is for tests."""

    def __init__(self, client: "redis.Redis | None" = None) -> None:
        self._given = client
        self._silent_until = 0.0

    def ask(self, question: Callable[["redis.Redis"], Found]) -> Found | None:
        """None: it does not answer, or did not a moment ago."""
        if time.monotonic() < self._silent_until:
            return None
        try:
            return question(self._given or _client_of(os.getpid()))
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            log.warning("Valkey does not answer; it is left alone for a while", reason=str(error))
            return None

    @property
    def is_away(self) -> bool:
        return time.monotonic() < self._silent_until


@cache
def _client_of(_process: int) -> "redis.Redis":
    """By process: a connection does not survive a fork."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
