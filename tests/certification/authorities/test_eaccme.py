"""ECMECs: worked cases, each with the source of the number."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from certification.authorities import pack, pack_of
from certification.authorities.base import ENDURING
from tests.certification.authorities.worked import DAY, OURS, Case, enduring, had, live, recorded, terms

HALVES = "UEMS 2023.07 (EAPM 2024): 0.5 ECMEC for 30 minutes; one hour is one"
ACTUAL = "UEMS 2023.07, criterion 22: actual participation, once the feedback form is completed"
EIGHT = "EADV guidance: the UEMS limits ECMECs to 8 for a full day"
SIX = "UEMS, accreditation process: at most 6 for a day"
HOURS = "ESPD 2017: one credit for each 60 minutes"
SEPARATE = "EACCME: a recording is no live event, and is accredited as e-learning material"
TESTED = "UEMS 2011/20: e-learning material needs a self-assessment component"
GRACE = {"grace_minutes": 5}
NEXT = DAY + timedelta(days=1)

CASES = [
    Case("all of an hour", HALVES, live(60), terms(), "1"),
    Case("half an hour exactly", HALVES, live(30), terms(), "0.5", ["part"]),
    Case("a second less", HALVES, live(1799 / 60), terms(), "0", ["too_short"], ["watch"]),
    Case("47 of 60 minutes", HALVES, live(47), terms(), "0.5", ["part"]),
    Case("59 of 60 minutes", HALVES, live(59), terms(), "0.5", ["part"]),
    Case("59 with five minutes of grace", OURS, live(59), terms(), "1", parameters=GRACE),
    Case("54 with five minutes of grace", OURS, live(54), terms(), "0.5", ["part"], parameters=GRACE),
    Case("55 with five minutes of grace", OURS, live(55), terms(), "1", parameters=GRACE),
    Case("an hour and a half", HALVES, live(90), terms("1.5", 90), "1.5"),
    Case("longer than accredited", ACTUAL, live(120), terms("1.5", 90), "1.5"),
    Case("a 55-minute programme designated for 1", OURS, live(55), terms("1", 55), "1"),
    Case(
        "without the feedback form",
        ACTUAL,
        live(60, is_evaluated=False),
        terms(),
        "0",
        ["not_evaluated"],
        ["evaluate"],
        "1",
    ),
    Case("nothing watched", ACTUAL, live(0), terms(), "0", ["not_watched"], ["watch"]),
    Case(
        "disclosures not seen",
        "the provider's setting",
        live(60, has_acknowledged=False),
        terms(),
        "0",
        ["not_acknowledged"],
        ["acknowledge"],
        "1",
    ),
    Case("eight on a day", EIGHT, live(480), terms("8", 480), "8"),
    Case("nine hours on a day", EIGHT, live(540), terms("9", 540), "8", ["cap_day"]),
    Case("seven and a half before, the same day", EIGHT, live(60, granted=[had("7.5")]), terms(), "0.5", ["cap_day"]),
    Case("the day is full", EIGHT, live(60, granted=[had("8")]), terms(), "0", ["cap_day"]),
    Case("less than a step is left", EIGHT, live(60, granted=[had("7.75")]), terms(), "0", ["cap_day"]),
    Case("the day before was full", EIGHT, live(60, granted=[had("8", DAY - timedelta(days=1))]), terms(), "1"),
    Case("the next day is full", EIGHT, live(60, granted=[had("8", NEXT)]), terms(), "1"),
    Case("recordings do not fill a day", EIGHT, live(60, granted=[had("8", format=ENDURING)]), terms(), "1"),
    Case("nor has a recording a day's limit", EIGHT, recorded(60, granted=[had("8")]), enduring(), "1"),
    Case("a recording with its test", TESTED, recorded(60), enduring(), "1"),
    Case(
        "its test after the end",
        TESTED,
        recorded(60, tested_on=date(2026, 3, 15)),
        enduring(ends_on=DAY),
        "0",
        ["tested_late"],
    ),
    Case("half of the recording", HALVES, recorded(30), enduring(), "0.5", ["part"]),
    Case(
        "its test failed",
        TESTED,
        recorded(60, best_percent=Decimal(50)),
        enduring(),
        "0",
        ["not_passed"],
        ["pass"],
        "1",
    ),
    Case("its test passed then", TESTED, recorded(60, best_percent=Decimal(90)), enduring(), "1"),
    Case("a recording without a test", TESTED, recorded(60, has_assessment=False), enduring(), "0", ["no_assessment"]),
    Case("the recording under the live accreditation", SEPARATE, recorded(60), terms(), "0", ["other_activity"]),
    Case(
        "both formats of one webinar",
        "no double claim for a live activity and its recording",
        recorded(60, other_format_credit=Decimal("0.5")),
        enduring(),
        "0",
        ["other_format"],
    ),
    Case("before 2024: 47 minutes", HOURS, live(47), terms(), "0", ["too_short"], ["watch"], version="2016"),
    Case("before 2024: 110 minutes", HOURS, live(110), terms("2", 120), "1", ["part"], version="2016"),
    Case("before 2024: nine hours", EIGHT, live(540), terms("9", 540), "8", ["cap_day"], version="2016"),
    Case("before 2017: seven hours", SIX, live(420), terms("7", 420), "6", ["cap_day"], version="2012"),
    Case("before 2017: six hours", SIX, live(360), terms("6", 360), "6", version="2012"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_worked_case(case: Case) -> None:
    assert case.source
    case.check("eaccme", "2023")


def test_the_grace_is_in_the_minutes_that_are_still_needed() -> None:
    decision = pack("eaccme", version="2023").evaluate(live(40), replace(terms(), parameters=GRACE))

    assert [dict(one.values) for one in decision.reasons] == [{"minutes": 55, "credit": "1"}]


def test_the_sentence_is_the_authoritys() -> None:
    said = pack("eaccme", version="2023").statement(
        terms("17"), provider="EAPM", title="EAPM 2024", place="Lausanne, Switzerland", days="12/06/2024 – 15/06/2024"
    )

    assert said == (
        "The EAPM 2024, Lausanne, Switzerland, 12/06/2024 – 15/06/2024 has been accredited by the European "
        "Accreditation Council for Continuing Medical Education (EACCME®) with 17 European CME credits (ECMEC®s). "
        "Each medical specialist should claim only those hours of credit that he/she actually spent in the "
        "educational activity."
    )


def test_the_day_of_taking_part_chooses_the_version() -> None:
    days = {date(2016, 12, 31): "2012", date(2017, 1, 1): "2016", date(2023, 12, 31): "2016", date(2024, 1, 1): "2023"}

    assert {day: pack_of("eaccme", on=day).version for day in days} == days
