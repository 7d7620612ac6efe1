"""The three things one can do: see the plan, put it into AWS, and ask whether what it wants is running."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from operations.domain.autoscaling import aws
from operations.domain.autoscaling.calendar import HORIZON, Event, coming_events
from operations.domain.autoscaling.plan import (
    ALARM_BEFORE,
    Step,
    limits_at,
    most_connections,
    replicas_by_model,
    steps_of,
)
from operations.domain.autoscaling.tiers import AutoscaleError, Tier, read_tiers
from operations.domain.capacity.inputs import Assumptions, read_costs

RESERVED = 50  # of PostgreSQL's connections, for migrations, probes and people


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    tiers: tuple[Tier, ...]
    events: list[Event]
    steps: list[Step]


def look_ahead(*, now: datetime, horizon: timedelta = HORIZON) -> Outlook:
    """Asks the database only."""
    tiers = read_tiers(settings.AUTOSCALE_SERVICES)
    events = coming_events(now=now, horizon=horizon)
    replicas = replicas_by_model(read_costs(), Assumptions())
    return Outlook(tiers=tiers, events=events, steps=steps_of(events, tiers, replicas, now=now))


def too_many_connections(steps: Sequence[Step]) -> str:
    """In words; empty when PgBouncer, or without it PostgreSQL, takes what the services may open.

    AUTOSCALE_CONNECTIONS tells of PgBouncer: this command itself goes past it in the tasks of operations.
    """
    wanted = most_connections(steps)
    if settings.AUTOSCALE_CONNECTIONS:
        if wanted <= settings.AUTOSCALE_CONNECTIONS:
            return ""
        return (
            f"At their upper limits the services may open {wanted:,} connections, and PgBouncer takes "
            f"{settings.AUTOSCALE_CONNECTIONS:,}: start more of it."
        )
    if settings.DATABASES["default"].get("DISABLE_SERVER_SIDE_CURSORS"):  # DATABASE_TRANSACTION_POOLER
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int")
        (allowed,) = cursor.fetchone()
    if wanted <= allowed - RESERVED:
        return ""
    return (
        f"At their upper limits the services may open {wanted:,} connections, and PostgreSQL takes {allowed:,}: "
        "put PgBouncer between, or take a larger max_connections."
    )


def apply_calendar(*, now: datetime, horizon: timedelta = HORIZON) -> list[aws.Change]:
    cluster = _cluster()
    found = look_ahead(now=now, horizon=horizon)
    return aws.apply_steps(found.steps, found.tiers, cluster=cluster)


def check_capacity(*, now: datetime) -> list[aws.Shortage]:
    """Every tier with what is wanted now: from 30 minutes before a start, when it has had a quarter of an hour to come.

    Away from webinars the standing minimum is wanted.
    """
    cluster = _cluster()
    tiers = read_tiers(settings.AUTOSCALE_SERVICES)
    replicas = replicas_by_model(read_costs(), Assumptions())
    events: Sequence[Event] = coming_events(now=now, horizon=timedelta(days=1))
    _, wanted = limits_at(now, events, tiers, replicas, before=ALARM_BEFORE, after=timedelta(0))
    return aws.compare_running(wanted, tiers, cluster=cluster)


def _cluster() -> str:
    if not settings.AUTOSCALE_CLUSTER:
        raise AutoscaleError("AUTOSCALE_CLUSTER is not set: it names the ECS cluster that is to follow the calendar")
    return str(settings.AUTOSCALE_CLUSTER)
