"""Plans as a table for people (Markdown, which a terminal shows well too) and as JSON for machines."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from operations.domain.capacity.inputs import ELASTIC, SHAPES, Assumptions, Costs, read_provenance
from operations.domain.capacity.load import mean_kbits
from operations.domain.capacity.money import monthly_usd
from operations.domain.capacity.sizing import Plan
from operations.domain.capacity.switches import Switch


def tables(plans: Sequence[Plan], found: Sequence[Switch], prices: Mapping[str, Any]) -> list[str]:
    """Lines: machines, money, what fills first, and the switch points."""
    lines = markdown(["Doctors at once", *(f"{plan.audience.doctors:,}" for plan in plans)], _machines(plans))
    lines += ["", *markdown([f"USD a month ({prices['region']})", *("" for _ in plans)], _money(plans, prices))]
    lines += ["", *markdown(["Fills first", *("" for _ in plans)], _parts(plans))]
    rows = [[one.name, _from(one.doctors), one.why] for one in found]
    return [*lines, "", *markdown(["Becomes necessary", "from doctors", "because"], rows)]


def _machines(plans: Sequence[Plan]) -> list[list[str]]:
    loads = [plan.load for plan in plans]
    rows = [[name, *(f"{plan.replicas[name]:,}" for plan in plans)] for name in SHAPES]
    rows += [
        ["database", *(_named(plan.database.name, plan.shards) for plan in plans)],
        ["read replicas", *(str(plan.replica_count * plan.shards) for plan in plans)],
        ["database storage, GiB", *(f"{plan.database_storage_gib:,}" for plan in plans)],
        ["database IOPS", *(f"{plan.iops * plan.shards:,}" for plan in plans)],
        ["connections of the pools", *(f"{plan.pool_connections:,}" for plan in plans)],
        ["… that the database bears", *(f"{plan.connection_limit:,}" for plan in plans)],
        ["PgBouncers", *(str(plan.bouncers) for plan in plans)],
        ["… connections behind them", *(f"{plan.server_connections:,}" if plan.bouncers else "–" for plan in plans)],
        ["Redis", *(_named(plan.cache.name, plan.cache_shards) for plan in plans)],
        ["HTTP requests a second", *(f"{one.api_requests + one.page_requests:,.0f}" for one in loads)],
        ["… that renew live grants", *(f"{one.renewals:,.0f}" for one in loads)],
        ["beats a second", *(f"{one.beats:,.0f}" for one in loads)],
        ["deliveries a second", *(f"{one.deliveries:,.0f}" for one in loads)],
        ["CDN, Gbit/s", *(f"{one.media_gbit:,.1f}" for one in loads)],
        ["CDN, GB a webinar", *(f"{one.media_gb_a_webinar:,.0f}" for one in loads)],
        ["pages, GB a webinar", *(f"{one.pages_gb_a_webinar:,.0f}" for one in loads)],
    ]
    return rows


def _money(plans: Sequence[Plan], prices: Mapping[str, Any]) -> list[list[str]]:
    lines = [monthly_usd(plan, prices) for plan in plans]
    always = [sum(monthly_usd(plan, prices, follows_calendar=False).values()) for plan in plans]
    rows = [[name, *(f"{one[name]:,.0f}" for one in lines)] for name in lines[0]]
    rows.append(["**together**", *(f"**{sum(one.values()):,.0f}**" for one in lines)])
    rows.append(["without the calendar", *(f"{total:,.0f}" for total in always)])
    return rows


def _parts(plans: Sequence[Plan]) -> list[list[str]]:
    """Each part at the planned peak, of what was planned; the fullest is marked."""
    rows = []
    for index, part in enumerate(plans[0].parts):
        cells = []
        for plan in plans:
            here = plan.parts[index]
            mark = "**" if here == plan.saturated_first else ""
            cells.append(f"{mark}{here.share:.0%}{mark}")
        rows.append([part.name, *cells])
    rows.append(["room above the peak", *(_more(plan.saturated_first.headroom) for plan in plans)])
    return rows


def _from(doctors: int | None) -> str:
    """0: the standing replicas need it already."""
    return "never" if doctors is None else f"{doctors:,}" if doctors else "the first"


def _more(headroom: float) -> str:
    return "–" if math.isinf(headroom) else f"{headroom:+.0%}"


def _named(name: str, count: int) -> str:
    return f"{count} × {name}" if count > 1 else name


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    widths = [max(3, width) for width in widths]

    def line(cells: Sequence[str]) -> str:
        pads = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return f"| {' | '.join(pads)} |"

    marks = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [line(head), f"| {' | '.join(marks)} |", *(line(row) for row in rows)]


def as_data(
    plans: Sequence[Plan], found: Sequence[Switch], prices: Mapping[str, Any], costs: Costs, given: Assumptions
) -> dict[str, Any]:
    """Nothing rounded; units stand in the names."""
    return {
        "measured": {**read_provenance(), **asdict(costs)},
        "assumptions": asdict(given),
        "prices": {name: prices[name] for name in ("region", "entered_on", "source", "currency")},
        "mean_kbits_a_viewer": mean_kbits(given),
        "plans": [_plan(plan, prices) for plan in plans],
        "switches": [asdict(one) for one in found],
    }


def _plan(plan: Plan, prices: Mapping[str, Any]) -> dict[str, Any]:
    data = asdict(plan)
    data["parts"] = [{**asdict(part), "share": part.share} for part in plan.parts]
    lines = monthly_usd(plan, prices)
    return {
        **data,
        "elastic": {name: plan.replicas[name] for name in ELASTIC},
        "saturated_first": plan.saturated_first.name,
        "monthly_usd": lines,
        "monthly_usd_together": sum(lines.values()),
    }
