"""Nobody is sent to do what does not count any more."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from certification.authorities import pack
from certification.authorities.base import Terms
from certification.authorities.deadlines import in_time
from tests.certification.authorities.worked import DAY, enduring, live, recorded, terms

ENDED, SETTLED = DAY, DAY + timedelta(weeks=8)
TIMES: dict[str, Any] = {"ends_on": ENDED, "done_by": SETTLED}
ACCME = pack("accme", version="2022")
UNTESTED: dict[str, Any] = {"best_percent": None}


@pytest.mark.parametrize(
    ("given", "evidence", "today", "missing"),
    [
        (enduring(**TIMES), recorded(60, **UNTESTED), ENDED, ("pass",)),
        (enduring(**TIMES), recorded(60, **UNTESTED), ENDED + timedelta(1), ()),
        (enduring(**TIMES), recorded(0), ENDED, ("watch",)),
        (enduring(**TIMES), recorded(0), ENDED + timedelta(1), ()),
        (enduring(**TIMES), recorded(60, is_evaluated=False), SETTLED, ("evaluate",)),
        (enduring(**TIMES), recorded(60, is_evaluated=False), SETTLED + timedelta(1), ()),
        (terms(**TIMES), live(60, is_evaluated=False), SETTLED, ("evaluate",)),
        (terms(**TIMES), live(60, is_evaluated=False), SETTLED + timedelta(1), ()),
        (enduring(ends_on=None), recorded(60, **UNTESTED), date(2060, 1, 1), ("pass",)),
    ],
)
def test_until_the_last_day_it_is_asked_for(given: Terms, evidence: Any, today: date, missing: tuple[str, ...]) -> None:
    decision = in_time(ACCME.evaluate(evidence, given), given, today=today)
    assert decision.missing == missing
    assert (decision.credit, decision.is_granted) == (0, False)
    is_over = not missing
    assert (decision.reasons[-1].code == "too_late") == is_over
    assert ("waiting" in [one.code for one in decision.steps]) == (decision.waiting > 0)


def test_what_was_earned_in_time_stays() -> None:
    given = enduring(**TIMES)
    decision = ACCME.evaluate(recorded(60, tested_on=ENDED, evaluated_on=SETTLED), given)
    assert decision.credit == Decimal(1)
    assert in_time(decision, given, today=date(2060, 1, 1)) == decision


def test_the_day_that_counts() -> None:
    """Of a live activity the event's; of a recording that of its test, where it came later."""
    later = DAY + timedelta(days=3)
    given = replace(enduring(), parameters={})
    assert ACCME.day_of(recorded(60, tested_on=later), given) == later
    assert ACCME.day_of(recorded(60, tested_on=DAY - timedelta(days=3)), given) == DAY
    assert ACCME.day_of(recorded(60), given) == DAY
    assert ACCME.day_of(recorded(60, took_part_on=None, tested_on=later), given) is None
    assert ACCME.day_of(live(60, tested_on=later), terms(parameters={"needs_test": True})) == DAY
    india = pack("india", version="2024")
    assert india.day_of(recorded(60, tested_on=later), given) == DAY
    assert india.day_of(recorded(60, tested_on=later), replace(given, parameters={"needs_test": True})) == later
