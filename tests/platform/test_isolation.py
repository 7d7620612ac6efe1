"""Parallel test processes do not meet in Valkey: one flushes its database before each test of signing in."""

import os
from typing import Any

from django.conf import settings
from django_redis import get_redis_connection


def test_each_worker_has_a_database_of_its_own() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    assert settings.REDIS_URL.endswith(f"/{number}")
    assert settings.CELERY_BROKER_URL == settings.REDIS_URL
    client: Any = get_redis_connection("default")
    assert client.client_info()["db"] == number
