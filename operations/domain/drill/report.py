"""The report of a drill as files: report.json for the next one, and a page for people that needs nothing else."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine

from operations.domain.drill.charts import HEIGHT, WIDTH, charts_of_doctors, charts_of_machine, clock, figure
from operations.domain.drill.comparison import Comparison, compare
from operations.domain.drill.limits import Limits
from operations.domain.drill.record import FILE, Finding, Record, name_of, newest_record

PAGE = "report.html"
HERE = Path(__file__).resolve().parent
MOST_COUNTRIES = 12


def folder_of(reports: Path, began: datetime) -> Path:
    return reports / f"{began:%Y%m%d-%H%M%S}"


def write_report(record: Record, reports: Path, *, limits: Limits) -> Path:
    """Into a folder of its own below `reports`, named after the time it began; readable by whoever ran the drill."""
    before = newest_record(reports)
    folder = folder_of(reports, datetime.fromisoformat(record.began_at))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    comparison = compare(before[1], record, name=before[0]) if before else None
    for name, text in ((FILE, record.to_json()), (PAGE, render(record, comparison, limits=limits))):
        temporary = folder / f".{name}"
        temporary.write_text(text)
        temporary.replace(folder / name)
    return folder


def render(record: Record, comparison: Comparison | None, *, limits: Limits) -> str:
    """Of files beside this module: the engine is its own, so the page is the same whatever the site is set up to."""
    template = Engine(dirs=[str(HERE)], autoescape=True).get_template("page.html")
    values = {**_values(record, comparison, limits), "style": (HERE / "page.css").read_text()}
    return template.render(Context(values))


def _values(record: Record, comparison: Comparison | None, limits: Limits) -> Mapping[str, Any]:
    most = max(record.countries.values(), default=1)
    countries = [(name, count, round(100 * count / most)) for name, count in record.countries.items()]
    return {
        "site_name": settings.SITE_NAME,
        "record": record,
        "verdict": "No verdict" if record.unfinished else "Go" if record.goes else "No-go",
        "mood": "open" if record.unfinished else "go" if record.goes else "no",
        "began": datetime.fromisoformat(record.began_at),
        "length": clock(record.seconds),
        "findings": [_shown(finding) for finding in record.findings],
        "broken": sum(not finding.holds for finding in record.findings),
        "comparison": comparison,
        "changes": [
            (change, _amount(change.before, change.unit), _amount(change.now, change.unit))
            for change in (comparison.changes if comparison else ())
        ],
        "operations": [(name_of(one.name), one) for one in record.operations],
        "doctors": charts_of_doctors(record, page_limit=limits.page_p95_ms, join_limit=limits.join_p95_ms),
        "machine": charts_of_machine(record),
        "width": WIDTH,
        "height": HEIGHT,
        "middle": HEIGHT // 2,
        "countries": countries[:MOST_COUNTRIES],
        "more_countries": max(0, len(countries) - MOST_COUNTRIES),
        "memory": f"{record.machine.get('memory', 0) / 2**30:,.0f} GiB",
        "host": os.uname().nodename,
        "faults": [(fault, clock(fault.at), fault.recovery) for fault in record.faults],
    }


def _shown(finding: Finding) -> dict[str, Any]:
    amount = _amount(finding.limit, finding.unit)
    limit = f"at least {amount}" if finding.at_least else f"at most {amount}" if finding.limit else "none allowed"
    return {
        "finding": finding,
        "bar": _bar(finding),
        "measured": _amount(finding.measured, finding.unit),
        "limit": limit,
    }


def _bar(finding: Finding) -> int:
    """How full the limit is, in percent; a limit of 0 is empty or broken."""
    if finding.measured is None:
        return 100
    if not finding.limit:
        return 100 if finding.measured else 0
    return min(100, round(100 * finding.measured / finding.limit))


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{figure(value) if value >= 10 else f'{value:g}'} {unit}".strip()
