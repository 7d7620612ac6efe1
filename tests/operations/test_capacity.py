"""The arithmetic of capacity: worked examples, what must hold for every audience, and the document's tables."""

import json
import math
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given, strategies

from operations.domain.capacity.inputs import (
    ELASTIC,
    SHAPES,
    VIEWERS,
    Assumptions,
    Audience,
    InputError,
    Shape,
    read_costs,
    read_prices,
)
from operations.domain.capacity.load import load_of, mean_kbits
from operations.domain.capacity.money import MONTH_HOURS, monthly_usd, surge_hours, tiered
from operations.domain.capacity.sizing import connection_limit, elastic_replicas, machines, plan_for
from operations.domain.capacity.switches import first_true, switches

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "scaling.md"
COSTS, GUESSES, PRICES = read_costs(), Assumptions(), read_prices()

audiences = strategies.builds(
    Audience,
    doctors=strategies.integers(0, 5_000_000),
    arrival_minutes=strategies.floats(1, 120),
    webinar_minutes=strategies.floats(5, 720),
    webinars_a_month=strategies.integers(0, 400),
    polling_share=strategies.floats(0, 1),
    vote_share=strategies.floats(0, 1),
)


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("capacity", *arguments, stdout=out)
    return out.getvalue()


def test_the_document_has_the_tables_of_the_command() -> None:
    made = said().rsplit("\n\nMeasured", 1)[0].strip()
    found = re.search(r"<!-- manage.py capacity -->\n(.*?)\n<!-- end -->", DOCUMENT.read_text(), re.DOTALL)

    assert found is not None
    assert found[1].strip() == made, "put the output of `manage.py capacity` between the marks"


def test_ten_thousand_by_hand() -> None:
    """Every figure worked out from the formulae of docs/scaling.md, not by the code."""
    load = load_of(Audience(doctors=10_000), COSTS, GUESSES)

    assert load.arrivals == pytest.approx(25)
    assert load.page_requests == pytest.approx(50)
    assert load.renewals == pytest.approx(10_000 / 36)
    votes, questions, sign_ins = 10_000 * 0.6 / 30, 10_000 * 0.2 / 3600, 25 * 0.2 * 4
    assert load.api_requests == pytest.approx(75 + 10_000 / 36 + 500 / 4 + 500 / 10 + votes + questions + sign_ins)
    assert load.beats == pytest.approx(950)
    assert load.deliveries == pytest.approx(9_500 * (1 / 3 + 0.1))
    pages_ms = COSTS.home_cpu_ms + COSTS.watch_cpu_ms
    assert load.web_cores == pytest.approx((25 * pages_ms + load.api_requests * COSTS.poll_cpu_ms) / 1000)
    assert load.media_gb_a_webinar == pytest.approx(10_000 * mean_kbits(GUESSES) * 3600 / 8 / 1e6)
    web = math.ceil(load.web_cores / (2 * 0.6)) + 1
    sockets = max(3, math.ceil(9_500 / (2 * COSTS.sockets * 0.6)) + 1)
    assert elastic_replicas(Audience(doctors=10_000), COSTS, GUESSES) == {"web": web, "realtime": sockets, "worker": 2}


@given(audience=audiences, more=strategies.integers(0, 1_000_000))
def test_more_doctors_never_need_less(audience: Audience, more: int) -> None:
    one = plan_for(audience, COSTS, GUESSES, PRICES)
    two = plan_for(replace(audience, doctors=audience.doctors + more), COSTS, GUESSES, PRICES)

    assert all(one.replicas[name] <= two.replicas[name] for name in SHAPES)
    assert one.pool_connections <= two.pool_connections
    assert one.shards <= two.shards
    assert one.cache_shards <= two.cache_shards
    assert one.database_storage_gib <= two.database_storage_gib
    assert one.load.media_gb_a_webinar <= two.load.media_gb_a_webinar
    first, second = monthly_usd(one, PRICES), monthly_usd(two, PRICES)
    assert first["web, realtime, worker"] <= second["web, realtime, worker"]
    assert first["video by the CDN"] <= second["video by the CDN"] + 1e-6


@given(audience=audiences)
def test_every_plan_stands(audience: Audience) -> None:
    plan = plan_for(audience, COSTS, GUESSES, PRICES)
    lines = monthly_usd(plan, PRICES)
    always = monthly_usd(plan, PRICES, follows_calendar=False)

    assert all(plan.replicas[name] >= SHAPES[name].standing >= 1 for name in SHAPES)
    assert plan.saturated_first.share <= 1
    assert all(part.most > 0 for part in plan.parts)
    assert all(value >= 0 for value in lines.values())
    assert sum(lines.values()) <= sum(always.values()) + 1e-6
    assert plan.server_connections <= max(plan.pool_connections, plan.connection_limit)


def test_the_lines_of_the_bill_are_what_the_plan_names() -> None:
    plan = plan_for(Audience(doctors=60_000), COSTS, GUESSES, PRICES)
    lines = monthly_usd(plan, PRICES)

    assert lines["database"] == pytest.approx(plan.database.usd_per_hour * 2 * MONTH_HOURS)
    assert surge_hours(plan.audience) == pytest.approx(8 * 2.25)
    hours = {
        name: SHAPES[name].standing * MONTH_HOURS + (plan.replicas[name] - SHAPES[name].standing) * 18
        for name in ELASTIC
    }
    price = {name: SHAPES[name].vcpus * 0.04048 + SHAPES[name].memory_gib * 0.004445 for name in ELASTIC}
    assert lines["web, realtime, worker"] == pytest.approx(sum(hours[name] * price[name] for name in ELASTIC))


def test_steps_of_a_price_are_paid_one_after_the_other() -> None:
    steps: list[list[float | None]] = [[10, 3.0], [20, 2.0], [None, 1.0]]

    assert [tiered(amount, steps) for amount in (0, 10, 15, 30, 35)] == [0, 30, 40, 70, 75]


def test_each_switch_is_the_first_audience_that_needs_it() -> None:
    found = {one.name: one.doctors for one in switches(Audience(doctors=1), COSTS, GUESSES, PRICES)}
    needs: dict[str, Any] = {
        "PgBouncer": lambda plan: plan.bouncers > 0,
        "Redis Cluster": lambda plan: plan.cache_shards > 1,
        "Citus, by person": lambda plan: plan.shards > 1,
    }

    for name, is_needed in needs.items():
        doctors = found[name]
        assert doctors is not None
        assert is_needed(plan_for(Audience(doctors=doctors), COSTS, GUESSES, PRICES)), name
        below = plan_for(Audience(doctors=max(0, doctors - 1)), COSTS, GUESSES, PRICES)
        assert doctors == 0 or not is_needed(below), name
    assert first_true(lambda number: number >= 12_345, 1_000_000) == 12_345
    assert first_true(lambda _number: False, 1_000) is None


def test_connections_are_bound_by_memory_cores_and_rds() -> None:
    sizes = {size.name: size for size in machines(PRICES["database"])}

    assert connection_limit(sizes["db.r6g.large"], GUESSES) == 64
    assert connection_limit(sizes["db.r6g.large"], replace(GUESSES, connections_a_vcpu=1_000)) == 163
    assert connection_limit(sizes["db.r6g.16xlarge"], replace(GUESSES, connections_a_vcpu=1_000)) == 5_000


def test_a_volume_is_one_that_rds_makes() -> None:
    """gp3 for PostgreSQL: 3,000 IOPS below 400 GiB and never more, from there on 12,000 without extra pay to 64,000."""
    plans = [plan_for(Audience(doctors=doctors), COSTS, GUESSES, PRICES) for doctors in (1_000, 60_000, 1_000_000)]

    assert [(plan.database_storage_gib, plan.iops) for plan in plans] == [(100, 3_000), (400, 12_000), (400, 62_000)]
    paid = [monthly_usd(plan, PRICES)["database storage"] for plan in plans]
    assert paid == pytest.approx([100 * 0.115 * 2, 400 * 0.115 * 2, 400 * 0.115 * 4 + 50_000 * 0.02 * 4])


def test_a_replica_is_the_task_that_is_deployed() -> None:
    text = (Path(settings.BASE_DIR) / "deploy" / "terraform" / "production.tfvars").read_text()
    found = {}
    for name, body in re.findall(r"^  (\w+) += \{ (cpu = .*?) \}$", text, re.MULTILINE):
        one = {key: int(value) for key, value in re.findall(r"(\w+) = (\d+)", body)}
        pools = one["processes"] * one["pool"]
        found[name] = Shape(one["cpu"] / 1024, one["memory"] / 1024, one["processes"], pools, one["minimum"])

    assert found == dict(SHAPES)


def test_everybody_watches_some_quality() -> None:
    assert sum(VIEWERS.values()) == pytest.approx(1)


def test_benches_replace_figures(tmp_path: Path) -> None:
    other = tmp_path / "live.log"
    other.write_text('A table\n{"poll_cpu_ms": 20.5, "unknown": 1}\n')
    data = json.loads(said("--doctors", "10000", "--measured", str(other), "--json"))

    assert data["measured"]["poll_cpu_ms"] == 20.5
    assert data["measured"]["home_cpu_ms"] == COSTS.home_cpu_ms
    [plan] = data["plans"]
    assert plan["elastic"]["web"] > elastic_replicas(Audience(doctors=10_000), COSTS, GUESSES)["web"]
    assert plan["monthly_usd_together"] == pytest.approx(sum(plan["monthly_usd"].values()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--doctors", "-1"), "doctors must not be negative"),
        (("--arrival-minutes", "0"), "arrival_minutes must be above 0"),
        (("--polling-share", "1.5"), "polling_share must be between 0 and 1"),
        (("--measured", "/nowhere/watch.json"), "no line of JSON"),
    ],
)
def test_what_nothing_can_be_worked_out_from_is_refused(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said(*arguments)


def test_a_figure_that_is_no_number_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "watch.json"
    broken.write_text('{"home_cpu_ms": 0}')

    with pytest.raises(InputError, match="home_cpu_ms"):
        read_costs([broken])
