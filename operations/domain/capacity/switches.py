"""From how many doctors on each larger step becomes necessary, by the same arithmetic as the plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from operations.domain.capacity.inputs import Assumptions, Audience, Costs
from operations.domain.capacity.sizing import Plan, plan_for

MOST = 100_000_000


@dataclass(frozen=True, slots=True)
class Switch:
    name: str
    doctors: int | None  # None: not below a hundred million
    why: str


def switches(audience: Audience, costs: Costs, given: Assumptions, prices: Mapping[str, Any]) -> list[Switch]:
    def at(doctors: int) -> Plan:
        return plan_for(replace(audience, doctors=doctors), costs, given, prices)

    def first(is_needed: Callable[[Plan], bool]) -> int | None:
        return first_true(lambda doctors: is_needed(at(doctors)), MOST)

    return [
        Switch("PgBouncer", first(lambda plan: plan.bouncers > 0), "the pools open more than the database bears"),
        Switch(
            "partitioning",
            first(lambda plan: plan.load.rows_a_year > given.partition_rows),
            f"a year's rows pass {given.partition_rows:,.0f}",
        ),
        Switch("Redis Cluster", first(lambda plan: plan.cache_shards > 1), "more operations than one shard serves"),
        Switch(
            "read replica",
            first(lambda plan: plan.replica_count > 0 or plan.shards > 1),
            "reading and writing pass the largest database",
        ),
        Switch(
            "Citus, by person",
            first(lambda plan: plan.shards > 1),
            "writing alone passes the largest database or its volume",
        ),
    ]


def first_true(holds: Callable[[int], bool], most: int) -> int | None:
    """The least number for which it holds, by steps of a twentieth and then by halving.

    Not by halving alone: a larger database bears more connections, so a need may go away again further up.
    """
    low = high = 0
    while not holds(high):
        if high >= most:
            return None
        low, high = high, min(most, max(high + 1, high * 21 // 20))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
