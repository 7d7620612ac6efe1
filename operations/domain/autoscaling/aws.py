"""Application Auto Scaling, ECS and CloudWatch. Every call can be made again; nothing here is remembered by us."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from operations.domain.autoscaling.plan import Limits, Step
from operations.domain.autoscaling.tiers import AutoscaleError, Tier

PREFIX = "rounds-calendar-"  # actions of other names are not ours
DIMENSION = "ecs:service:DesiredCount"
MOST_ACTIONS = 150  # AWS takes 200 for a service; those further away follow when the first have passed
NAMESPACE, METRIC = "Rounds", "CapacityMissing"
# Throttling is usual where many things scale: standard mode waits longer each time, 20 seconds at most.
CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between AWS and the plan, put right."""

    tier: str
    what: str  # "limits", "added", "changed" or "removed"
    action: str  # its name; empty for limits that hold now
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.tier}: {self.what} {self.action or 'now'}: {self.before or '–'} → {self.after or '–'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    tier: str
    service: str
    wanted: int
    running: int

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.running)


def client(service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # one function for three services
        region_name=settings.AWS_REGION,
        endpoint_url=settings.AWS_ENDPOINT_URL or None,
        config=CONFIG,
    )


@contextmanager
def _explained(done: Sequence[Change] = ()) -> Iterator[None]:
    """Says how far it came: the same command again does the rest."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise AutoscaleError(f"AWS refused after {len(done)} changes; run it again for the rest. {error}") from error


def apply_steps(steps: Sequence[Step], tiers: Sequence[Tier], *, cluster: str) -> list[Change]:
    """Limits that hold from now on are set at once: a one-time action of the past never runs.

    What is wanted is put before what is not wanted is removed: broken off in between
    there is too much, never too little.
    """
    changes: list[Change] = []
    scaling = client("application-autoscaling")
    for tier in tiers:
        with _explained(changes):
            for change in _apply_tier(scaling, tier, steps, cluster=cluster):
                changes.append(change)  # noqa: PERF402  # what was done before a refusal is counted
    return changes


def _apply_tier(scaling: Any, tier: Tier, steps: Sequence[Step], *, cluster: str) -> Iterator[Change]:
    where = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/{tier.service}",
        "ScalableDimension": DIMENSION,
    }
    yield from _set_limits(scaling, tier, where, steps[0].limits[tier.name])
    wanted = _wanted(steps, tier)
    there = _existing(scaling, where)
    for name, (schedule, limits) in wanted.items():
        old = there.get(name)
        if old == (schedule, limits):
            continue
        action = {"MinCapacity": limits.low, "MaxCapacity": limits.high}
        scaling.put_scheduled_action(
            **where, ScheduledActionName=name, Schedule=schedule, Timezone="UTC", ScalableTargetAction=action
        )
        what, before = ("changed", _words(old[1])) if old else ("added", "")
        yield Change(tier=tier.name, what=what, action=name, before=before, after=_words(limits))
    for name in sorted(there.keys() - wanted.keys()):
        try:
            scaling.delete_scheduled_action(**where, ScheduledActionName=name)
        except scaling.exceptions.ObjectNotFoundException:
            continue  # somebody else, or its time, was faster
        yield Change(tier=tier.name, what="removed", action=name, before=_words(there[name][1]), after="")


def _set_limits(scaling: Any, tier: Tier, where: Mapping[str, str], wanted: Limits) -> Iterator[Change]:
    found = scaling.describe_scalable_targets(
        ServiceNamespace=where["ServiceNamespace"],
        ResourceIds=[where["ResourceId"]],
        ScalableDimension=DIMENSION,
    )["ScalableTargets"]
    if not found:
        raise AutoscaleError(f"{where['ResourceId']} is no scalable target: deploy it with its scaling policy first")
    present = Limits(low=found[0]["MinCapacity"], high=found[0]["MaxCapacity"])
    if present != wanted:
        scaling.register_scalable_target(**where, MinCapacity=wanted.low, MaxCapacity=wanted.high)
        yield Change(tier=tier.name, what="limits", action="", before=_words(present), after=_words(wanted))


def _wanted(steps: Sequence[Step], tier: Tier) -> dict[str, tuple[str, Limits]]:
    """Of this tier alone: steps at which only others change are left out."""
    found: dict[str, tuple[str, Limits]] = {}
    last = steps[0].limits[tier.name]
    for step in steps[1:]:
        limits = step.limits[tier.name]
        if limits != last and len(found) < MOST_ACTIONS:
            found[action_name(step.at)] = (_schedule(step.at), limits)
        last = limits
    return found


def action_name(at: datetime) -> str:
    return f"{PREFIX}{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _schedule(at: datetime) -> str:
    return f"at({at.astimezone(UTC):%Y-%m-%dT%H:%M:%S})"


def _existing(scaling: Any, where: Mapping[str, str]) -> dict[str, tuple[str, Limits]]:
    pages = scaling.get_paginator("describe_scheduled_actions").paginate(**where)
    return {
        row["ScheduledActionName"]: (
            row["Schedule"],
            Limits(
                low=row["ScalableTargetAction"].get("MinCapacity", 0),
                high=row["ScalableTargetAction"].get("MaxCapacity", 0),
            ),
        )
        for page in pages
        for row in page["ScheduledActions"]
        if row["ScheduledActionName"].startswith(PREFIX)
    }


def _words(limits: Limits) -> str:
    return f"{limits.low} to {limits.high}"


def compare_running(wanted: Mapping[str, Limits], tiers: Sequence[Tier], *, cluster: str) -> list[Shortage]:
    """Every tier, with what runs and is well; a service that is not there runs nothing.

    Not ECS's own count: that has tasks which are still starting, and those that hang.
    """
    ecs = client("ecs")
    with _explained():
        found = ecs.describe_services(cluster=cluster, services=[tier.service for tier in tiers])["services"]
        names = [row["serviceName"] for row in found if row["status"] == "ACTIVE"]
        running = {name: _healthy(ecs, cluster=cluster, service=name) for name in names}
    return [
        Shortage(
            tier=tier.name,
            service=tier.service,
            wanted=wanted[tier.name].low,
            running=running.get(tier.service, 0),
        )
        for tier in tiers
    ]


def _healthy(ecs: Any, *, cluster: str, service: str) -> int:
    """By the health check that the task's definition names; one without any is never counted."""
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, serviceName=service, desiredStatus="RUNNING")
    return sum(
        task.get("healthStatus") == "HEALTHY"
        for page in pages
        if page["taskArns"]
        for task in ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]
    )


def report_missing(found: Sequence[Shortage], *, cluster: str, now: datetime) -> None:
    """Zeros too: an alarm must be able to tell "nothing is missing" from "nobody looked".

    By cluster: staging in the same account would else answer for production.
    """
    data = [
        {
            "MetricName": METRIC,
            "Dimensions": [{"Name": "Cluster", "Value": cluster}, {"Name": "Tier", "Value": one.tier}],
            "Timestamp": now,
            "Value": one.missing,
            "Unit": "Count",
        }
        for one in found
    ]
    with _explained():
        client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
