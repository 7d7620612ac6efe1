"""What a plan costs a month, line by line. The elastic tiers are paid from 45 minutes before to 30 minutes after."""

from collections.abc import Mapping, Sequence
from typing import Any

from operations.domain.capacity.inputs import ELASTIC, SHAPES, Audience
from operations.domain.capacity.load import ladder_kbits
from operations.domain.capacity.sizing import LARGE_IOPS, Plan

MONTH_HOURS = 730.0
BEFORE_MINUTES, AFTER_MINUTES = 45.0, 30.0
SOCKETS_A_LCU = 3_000.0
CONNECTIONS_A_LCU = 25.0
GB_A_LCU_HOUR = 1.0
BOUNCER_VCPUS, BOUNCER_GIB = 1.0, 2.0


def surge_hours(audience: Audience) -> float:
    """In a month, while the elastic tiers run at the plan's size; a month has no more hours than it has."""
    one = (BEFORE_MINUTES + audience.webinar_minutes + AFTER_MINUTES) / 60
    return min(MONTH_HOURS, one * audience.webinars_a_month)


def monthly_usd(plan: Plan, prices: Mapping[str, Any], *, follows_calendar: bool = True) -> dict[str, float]:
    """By line. `follows_calendar=False`: the tiers run at the peak's size all month."""
    webinars, load = plan.audience.webinars_a_month, plan.load
    hours = surge_hours(plan.audience) if follows_calendar else MONTH_HOURS
    nodes = 2 * plan.shards  # Multi-AZ: a standby for each
    copies = plan.replica_count * plan.shards
    storage = plan.database_storage_gib * prices["database_storage_usd_per_gib_month"]
    extra_iops = max(0, plan.iops - LARGE_IOPS) * prices["database_iops_usd_per_month"]
    recorded = ladder_kbits() / 8e6 * plan.audience.webinar_minutes * 60 * webinars * 12
    return {
        "web, realtime, worker": sum(_elastic(name, plan, prices, hours) for name in ELASTIC),
        "other processes": MONTH_HOURS
        * (
            sum(count * _task(name, prices) for name, count in plan.replicas.items() if name not in ELASTIC)
            + plan.bouncers * _fargate(BOUNCER_VCPUS, BOUNCER_GIB, prices)
        ),
        "database": MONTH_HOURS * plan.database.usd_per_hour * (nodes + copies),
        "database storage": storage * (2 + plan.replica_count) + extra_iops * (nodes + copies),
        "Redis": MONTH_HOURS * plan.cache.usd_per_hour * 2 * plan.cache_shards,
        "load balancer": MONTH_HOURS * prices["balancer_usd_per_hour"]
        + surge_hours(plan.audience) * _lcus(plan) * prices["balancer_usd_per_lcu_hour"],
        "video by the CDN": tiered(load.media_gb_a_webinar * webinars, prices["cdn_usd_per_gb"])
        + load.cdn_requests_a_webinar * webinars / 1e6 * prices["cdn_usd_per_million_requests"],
        "pages": load.pages_gb_a_webinar * webinars * prices["egress_usd_per_gb"],
        "recordings of a year": recorded * prices["storage_usd_per_gb_month"],
        "mail": plan.audience.doctors * plan.audience.sign_in_share * webinars / 1000 * prices["mail_usd_per_thousand"],
    }


def tiered(amount: float, tiers: Sequence[Sequence[float | None]]) -> float:
    """Each step of the list is for so much; the last has no end."""
    total, left = 0.0, amount
    for size, price in tiers:
        part = left if size is None else min(left, size)
        total += part * float(price or 0)
        left -= part
    return total


def _elastic(name: str, plan: Plan, prices: Mapping[str, Any], hours: float) -> float:
    standing = SHAPES[name].standing
    more = max(0, plan.replicas[name] - standing)
    return _task(name, prices) * (standing * MONTH_HOURS + more * hours)


def _task(name: str, prices: Mapping[str, Any]) -> float:
    return _fargate(SHAPES[name].vcpus, SHAPES[name].memory_gib, prices)


def _fargate(vcpus: float, memory_gib: float, prices: Mapping[str, Any]) -> float:
    return float(vcpus * prices["fargate_usd_per_vcpu_hour"] + memory_gib * prices["fargate_usd_per_gib_hour"])


def _lcus(plan: Plan) -> float:
    load = plan.load
    gb_an_hour = load.pages_gb_a_webinar / (plan.audience.webinar_minutes / 60)
    return max(load.sockets / SOCKETS_A_LCU, load.arrivals / CONNECTIONS_A_LCU, gb_an_hour / GB_A_LCU_HOUR)
