"""`script/bench analytics`: the presenter's page, doctors at risk, the retention curve, catching up with an
hour, files.

Data: `tests/bench/analytics_world.py`. Server times are of one request through Django's test client, in this process;
the curve and the rollup are the statements themselves. A file is made by `manage.py export`, a process of its own that
tells its greatest memory; growth is against the same file of about 130,000 rows. `--scale 0.01` tries it with few
doctors and no limits.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.certification import AT_MOST, say
from tests.bench.evidence import Ran, run_command
from tests.bench.stage import stage

DOCTORS, WEBINARS, VIEWERS, CROWD = 15_000, 10, 10_000, 1_000_000
ROUNDS = 5
LIMITS: dict[str, tuple[str, float]] = {
    "presenter_cold_ms": (AT_MOST, 500),
    "presenter_warm_ms": (AT_MOST, 100),
    "retention_10k_ms": (AT_MOST, 150),
    "export_growth_mb": (AT_MOST, 20),
}
ROWS = (
    ("doctors", "doctors"),
    ("records", "watch records of three ranges each"),
    ("presenter_cold_ms", "ms of a presenter's page that nobody has looked at"),
    ("presenter_warm_ms", "ms of the same page again"),
    ("lectures_ms", "ms of all their lectures together that nobody has looked at"),
    ("risk_ms", "ms to count whom a campaign to all doctors at risk would reach"),
    ("risk_page_ms", "ms to count doctors at risk by their reasons, and to list the first"),
    ("retention_10k_ms", "ms of the curve of 10,000 viewers"),
    ("retention_1m_ms", "ms of the curve of 1,000,000 viewers"),
    ("retention_growth", "times the time for 100 times the viewers"),
    ("rollup_s", "s to add up an hour of 10,000 viewers"),
    ("rollup_again_s", "s to find that nothing is new"),
    ("export_1m_s", "s for a file of 1,000,000 rows, CSV"),
    ("export_1m_xlsx_s", "s for the same as XLSX"),
    ("export_1m_peak_mb", "MB of memory at most meanwhile, the program itself included"),
    ("export_growth_mb", "MB more than for 130,000 rows"),
)


def measure(*, scale: float) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.utils.timezone import now

    from analytics.domain.rollups.refreshing import refresh_all
    from tests.bench.analytics_world import fill
    from tests.signing_in import signed_in
    from webinars.models import WatchRecord

    doctors = max(40, int(DOCTORS * scale))
    viewers = max(20, int(VIEWERS * scale))
    world = fill(doctors=doctors, webinars=WEBINARS, viewers=viewers, crowd=max(100, int(CROWD * scale)))
    refresh_all(now=now(), webinars=[webinar.pk for webinar in world.webinars])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum has done by the time somebody looks
    browser: Client = signed_in(world.presenter)
    lectures = _milliseconds(partial(_page, browser, "/presenting/"))
    browser.get(f"/presenting/{world.one.pk}/")  # templates are made once for a process, not for a reader
    cold, warm = [], []
    for webinar in world.webinars[:ROUNDS]:
        page = partial(_page, browser, f"/presenting/{webinar.pk}/")
        cold.append(_milliseconds(page))
        warm.append(_milliseconds(page))
    return {
        "doctors": doctors,
        "records": WatchRecord.objects.count(),
        "presenter_cold_ms": round(median(cold), 1),
        "presenter_warm_ms": round(median(warm), 1),
        "lectures_ms": round(lectures, 1),
        **_risks(world),
        **_curves(world),
        **_rollup(world),
        **_files(world),
    }


def _page(browser: Any, address: str) -> None:
    response = browser.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address}: {response.status_code}")


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1_000


def _risks(world: Any) -> dict[str, Any]:
    """Near the end of the programme and with everybody heard of lately or never: then no reason is settled early."""
    from analytics.domain.operating.risk import at_risk, risks_of
    from reminders.domain.audiences import ANY_RISK, number_of, whoever_is_at_risk
    from tests.bench.analytics_world import BEGAN

    programme, now = world.one.lesson.course.programme, BEGAN + timedelta(days=20)
    programme.closes_at = now + timedelta(days=10)

    def count() -> None:
        if not number_of(whoever_is_at_risk(ANY_RISK), programme=programme, now=now):
            raise RuntimeError("Nobody is at risk")

    def page() -> None:
        risks_of(programme, now=now)
        at_risk(programme, reason=None, offset=0, limit=50, now=now)

    return {
        "risk_ms": round(median(_milliseconds(count) for _ in range(ROUNDS)), 1),
        "risk_page_ms": round(median(_milliseconds(page) for _ in range(ROUNDS)), 1),
    }


def _curves(world: Any) -> dict[str, Any]:
    few, many = _curve(world.one, ROUNDS), _curve(world.largest, 3)
    return {
        "retention_10k_ms": round(few, 1),
        "retention_1m_ms": round(many, 1),
        "retention_growth": round(many / few, 1),
    }


def _curve(webinar: Any, rounds: int) -> float:
    from analytics.domain.axis import axis_of
    from analytics.domain.retention import retention_of

    def draw() -> None:
        found = retention_of(axis_of(webinar), webinar_id=webinar.pk, programme_id=webinar.lesson.course.programme_id)
        if not found.everybody.peak:
            raise RuntimeError("Nobody is in the curve")

    return median(_milliseconds(draw) for _ in range(rounds))


def _rollup(world: Any) -> dict[str, Any]:
    """Everything else is added up by now, as it is when a webinar is live."""
    from django.utils.timezone import now

    from analytics.domain.rollups.refreshing import refresh_all

    seconds = _milliseconds(lambda: refresh_all(now=now(), webinars=[world.one.pk])) / 1_000
    again = _milliseconds(lambda: refresh_all(now=now(), webinars=[world.one.pk])) / 1_000
    return {"rollup_s": round(seconds, 2), "rollup_again_s": round(again, 2)}


def _files(world: Any) -> dict[str, Any]:
    """Rows of doctors and lectures: of the programme of ten lectures, and of the one that a million came to."""
    with tempfile.TemporaryDirectory(prefix="lms-bench-export-") as name:
        few, many = (
            [_file(webinar.lesson.course.programme.slug, Path(name) / f"table.{form}") for form in ("csv", "xlsx")]
            for webinar in (world.one, world.largest)
        )
    return {
        "export_1m_s": round(many[0].seconds, 1),
        "export_1m_xlsx_s": round(many[1].seconds, 1),
        "export_1m_peak_mb": round(max(ran.peak_mb for ran in many)),
        "export_growth_mb": round(max(large.peak_mb - small.peak_mb for large, small in zip(many, few, strict=True))),
    }


def _file(programme: str, path: Path) -> Ran:
    return run_command("export", "watching", "--programme", programme, "--output", path, "--force")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench analytics", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--scale", type=float, default=1.0, help="of the people; limits count for all of them only")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): everything will take longer.")
    with stage():
        figures = measure(scale=options.scale)
    figures |= {"load_before": round(busy, 2), "scale": options.scale}
    too_far = [
        f"BEYOND ITS LIMIT: {name} is {figures[name]}, {how} {limit:,} was wanted"
        for name, (how, limit) in LIMITS.items()
        if options.scale >= 1 and figures[name] > limit
    ]
    for line in [*(f"  {figures[name]:>10,}  {words}" for name, words in ROWS), "", *too_far]:
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 1 if too_far else 0


if __name__ == "__main__":
    sys.exit(main())
