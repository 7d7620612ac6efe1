"""What the measurement says of its figures; that they are within their limits shows the measurement itself."""

import pytest

from tests.bench.certification import AT_MOST, LIMITS, ROWS, beyond, scaled, table

GOOD = {name: limit for name, (_how, limit) in LIMITS.items()}
WANTED = {"evaluate_100k_s", "queries_per_1000", "pdf_per_min_per_core", "verify_cpu_ms", "ledger_100k_s"}


def test_every_figure_that_was_promised_has_a_limit_and_a_row() -> None:
    rows = {name for part in ROWS.values() for name, _words in part}
    assert WANTED <= set(LIMITS) <= rows


@pytest.mark.parametrize("name", LIMITS)
def test_exactly_the_limit_is_within_and_a_little_more_is_beyond(name: str) -> None:
    how, limit = LIMITS[name]
    worse = limit + 0.1 if how == AT_MOST else limit - 0.1
    assert beyond(GOOD) == []
    assert beyond({**GOOD, name: worse}) == [f"BEYOND ITS LIMIT: {name} is {worse}, {how} {limit:,} was wanted"]


def test_what_was_not_measured_is_neither_shown_nor_judged() -> None:
    figures = {"certificates": 50, **{name: 1 for name, _words in ROWS["certificates"][1:]}}
    assert beyond({"load_before": 0.1}) == []
    assert table(figures)[0] == "50 certificates issued, and their files made"
    assert "           1  ms of CPU for a verification page, PostgreSQL's included   (at most 10)" in table(figures)
    assert len(table(figures)) == len(ROWS["certificates"])
    assert (scaled(10_000, 1.0), scaled(10_000, 0.01), scaled(10_000, 0.001)) == (10_000, 100, 50)
