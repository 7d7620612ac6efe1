"""Alerts, dashboards and runbooks speak of metrics that exist, in queries that parse."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from django.conf import settings
from prometheus_client import ProcessCollector

from core import metrics
from operations.domain import gauges

ROOT = Path(settings.BASE_DIR)
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARDS = sorted((ROOT / "deploy/grafana").glob("*.json"))
OF_PROMETHEUS = {"up"}
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


def existing() -> set[str]:
    """Every series that the code can show, by its type's endings; collected from the code itself."""
    families = [*metrics.INSTRUMENTS.collect(), *gauges.Site().collect(), *ProcessCollector(registry=None).collect()]
    return {family.name + ending for family in families for ending in ENDINGS.get(family.type, ("",))} | OF_PROMETHEUS


def selectors(query: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def queries() -> Iterator[tuple[str, str]]:
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]


def test_every_query_parses_and_asks_for_what_the_code_shows(db: None) -> None:
    there = existing()
    asked = {(where, one.name or "") for where, query in queries() for one in selectors(query)}

    assert len(asked) > 50
    assert {(where, name) for where, name in asked if name not in there} == set()


def test_every_metric_is_looked_at_somewhere(db: None) -> None:
    asked = {(one.name or "").removesuffix("_bucket") for _, query in queries() for one in selectors(query)}
    ours = {family.name for family in [*metrics.INSTRUMENTS.collect(), *gauges.Site().collect()]}
    ours = {name for name in ours if name.startswith("lms_")}

    assert {name for name in ours if name not in asked and f"{name}_total" not in asked} == set()


def test_a_name_that_nothing_shows_would_be_found(db: None) -> None:
    [one] = selectors("sum(rate(lms_requests_totals[5m])) > 1")

    assert one.name not in existing()
    with pytest.raises(ValueError, match=r".+"):
        promql_parser.parse("sum(rate(lms_requests_total[5m])")


def test_every_alert_is_complete_and_has_its_runbook() -> None:
    names = [rule["alert"] for rule in ALERTS]
    books = {path.stem: path.read_text() for path in (ROOT / "docs/runbooks").glob("*.md")}

    assert len(set(names)) == len(names) > 15
    of_cloudwatch = {
        name
        for path in (ROOT / "deploy/terraform").glob("*.tf")
        for name in re.findall(r'\brunbook += "(\w+)"', path.read_text())
    }
    assert set(books) == {*names, *of_cloudwatch}
    for name, text in books.items():
        assert text.startswith(f"# {name}\n")
        assert text.index("## Look") < text.index("## Do")
    for rule in ALERTS:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_one_that_grafana_takes(path: Path) -> None:
    board = json.loads(path.read_text())
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]

    assert board["uid"] == path.stem
    assert [one["name"] for one in board["templating"]["list"]] == ["source"]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel["datasource"]["uid"] == "${source}" and panel["targets"] for panel in board["panels"])
