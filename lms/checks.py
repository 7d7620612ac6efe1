"""System checks of the whole: `manage.py check`, and with `--deploy` before a release."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  # Django's own names
from django.db import connection

OLDEST_POSTGRES = 150_000


@register(Tags.database)
def postgresql_is_recent(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Multirange aggregates need PostgreSQL 15. Runs before `migrate` and with `check --database default`."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        (version,) = cursor.fetchone()
    if version < OLDEST_POSTGRES:
        return [Error(f"PostgreSQL 15 or newer is needed, this is {version}.", id="lms.E001")]
    return []


@register(Tags.security, deploy=True)
def proxies_are_counted(**_: Any) -> list[CheckMessage]:
    """Behind a balancer with TRUSTED_PROXIES=0 all callers share its address, and one limit."""
    if settings.PRODUCTION and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "TRUSTED_PROXIES is 0: behind a load balancer every caller would have the balancer's address.",
                hint="Set TRUSTED_PROXIES to the number of proxies that append to X-Forwarded-For.",
                id="lms.W001",
            )
        ]
    return []
