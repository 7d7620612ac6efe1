"""AMA PRA Category 1 Credit: worked cases, each with the source of the number."""

from datetime import date
from decimal import Decimal

import pytest

from certification.authorities import pack, pack_of
from tests.certification.authorities.worked import DAY, OURS, Case, enduring, live, recorded, terms

QUARTERS = "AMA PRA booklet, live activities: 60 minutes are 1; increments of 0.25; to the nearest quarter hour"
MOST = "AMA: credit within the designated maximum, commensurate with participation"
MINIMUM = "AMA PRA revision of 1 July 2011: an assessment with an established minimum"
REVIEW = "ACCME, enduring materials: no more than three years without a review; termination date"
SHOWN = "ACCME Standard 3: disclosed to learners before they engage"
DOWN = {"rounding": "down"}
SCALED = "AMA: enduring material is designated by the time to complete it; " + OURS

CASES = [
    Case("all of an hour", QUARTERS, live(60), terms(), "1"),
    Case("47 of 60 minutes", QUARTERS, live(47), terms(), "0.75", ["part"]),
    Case("52 minutes 29 seconds are nearer to three quarters", QUARTERS, live(3149 / 60), terms(), "0.75", ["part"]),
    Case("52 minutes 30 seconds are half a quarter more", QUARTERS, live(52.5), terms(), "1"),
    Case("53 minutes, rounded down", MOST, live(53), terms(), "0.75", ["part"], parameters=DOWN),
    Case("45 minutes exactly, rounded down", MOST, live(45), terms(), "0.75", ["part"], parameters=DOWN),
    Case("a second less, rounded down", MOST, live(2699 / 60), terms(), "0.5", ["part"], parameters=DOWN),
    Case("seven and a half minutes are a quarter", QUARTERS, live(7.5), terms(), "0.25", ["part"]),
    Case("less than that is nothing", QUARTERS, live(7), terms(), "0", ["too_short"], ["watch"]),
    Case("nothing watched", MOST, live(0), terms(), "0", ["not_watched"], ["watch"]),
    Case("longer than designated", MOST, live(90), terms(), "1"),
    Case("designated for less than the time", MOST, live(60), terms("0.75"), "0.75"),
    Case("most of that time", MOST, live(55), terms("0.75"), "0.75"),
    Case("57 minutes designated for 1, all of it", QUARTERS, live(57), terms("1", 57), "1"),
    Case("the same, rounded down: all of it is all", OURS, live(57), terms("1", 57), "1", parameters=DOWN),
    Case("a day of six hours and a half", QUARTERS, live(390), terms("6.5", 390), "6.5"),
    Case("four hours and 50 minutes of it", QUARTERS, live(290), terms("6.5", 390), "4.75", ["part"]),
    Case("nothing designated", MOST, live(60), terms("0"), "0", ["nothing_designated"]),
    Case("before 2022: 47 minutes", QUARTERS, live(47), terms(), "0.75", ["part"], version="2011"),
    Case("2 designated by mistake for an hour", QUARTERS, live(60), terms("2"), "1"),
    Case(
        "the evaluation is not done",
        "the provider's setting; ACCME wants every activity evaluated",
        live(47, is_evaluated=False),
        terms(),
        "0",
        ["not_evaluated", "part"],
        ["evaluate"],
        "0.75",
    ),
    Case(
        "the provider asks for none",
        "the provider's setting",
        live(60, is_evaluated=False),
        terms(),
        "1",
        parameters={"needs_evaluation": False},
    ),
    Case(
        "disclosures were not seen",
        SHOWN,
        live(60, has_acknowledged=False),
        terms(),
        "0",
        ["not_acknowledged"],
        ["acknowledge"],
        "1",
    ),
    Case("a live activity needs no test", MINIMUM, live(60, has_assessment=True), terms(), "1"),
    Case(
        "but may ask for one",
        "the provider's setting",
        live(60, has_assessment=True, best_percent=Decimal(60)),
        terms(),
        "0",
        ["not_passed"],
        ["pass"],
        "1",
        parameters={"needs_test": True},
    ),
    Case("a recording, seen and passed", MINIMUM, recorded(60), enduring(), "1"),
    Case(
        "the test not taken",
        MINIMUM,
        recorded(60, best_percent=None),
        enduring(),
        "0",
        ["no_test_taken"],
        ["pass"],
        "1",
    ),
    Case(
        "the test failed",
        MINIMUM,
        recorded(60, best_percent=Decimal("69.99")),
        enduring(),
        "0",
        ["not_passed"],
        ["pass"],
        "1",
    ),
    Case("exactly the minimum", MINIMUM, recorded(60, best_percent=Decimal(70)), enduring(), "1"),
    Case("failed first, passed then", MINIMUM, recorded(60, best_percent=Decimal(85)), enduring(), "1"),
    Case(
        "a stricter minimum",
        MINIMUM,
        recorded(60, best_percent=Decimal(79)),
        enduring(),
        "0",
        ["not_passed"],
        ["pass"],
        "1",
        parameters={"pass_percent": "80"},
    ),
    Case("no test at all", MINIMUM, recorded(60, has_assessment=False), enduring(), "0", ["no_assessment"]),
    Case("45 minutes of film for an hour", SCALED, recorded(45, media_seconds=2700), enduring(), "1"),
    Case("half of that film", SCALED, recorded(22.5, media_seconds=2700), enduring(), "0.5", ["part"]),
    Case("a film longer than its accredited hour", SCALED, recorded(60, media_seconds=4500), enduring(), "1"),
    Case(
        "three years after the release, to the day",
        REVIEW,
        recorded(60, took_part_on=date(2029, 1, 1)),
        enduring(ends_on=None),
        "1",
    ),
    Case(
        "a day later",
        REVIEW,
        recorded(60, took_part_on=date(2029, 1, 2)),
        enduring(ends_on=None),
        "0",
        ["review_too_old"],
    ),
    Case(
        "reviewed in between",
        REVIEW,
        recorded(60, took_part_on=date(2029, 1, 2)),
        enduring(ends_on=None, reviewed_on=date(2027, 6, 1)),
        "1",
    ),
    Case("on the last day", REVIEW, recorded(60), enduring(ends_on=DAY), "1"),
    Case("its test on the last day", REVIEW, recorded(60, tested_on=DAY), enduring(ends_on=DAY), "1"),
    Case(
        "its test a day after the termination",
        REVIEW,
        recorded(60, tested_on=date(2026, 3, 15)),
        enduring(ends_on=DAY),
        "0",
        ["tested_late"],
    ),
    Case(
        "reviewed less than three years before watching, and more before the test",
        REVIEW,
        recorded(60, took_part_on=date(2028, 12, 31), tested_on=date(2029, 1, 2)),
        enduring(ends_on=None),
        "0",
        ["review_too_old"],
    ),
    Case(
        "feedback on the last day on which it counts",
        OURS,
        live(60, evaluated_on=date(2026, 5, 9)),
        terms(ends_on=DAY, done_by=date(2026, 5, 9)),
        "1",
    ),
    Case(
        "the same day where it is the next one in UTC",
        OURS,
        live(60, evaluated_on=date(2026, 5, 10)),
        terms(ends_on=DAY, done_by=date(2026, 5, 9)),
        "1",
    ),
    Case(
        "feedback after it",
        OURS,
        live(60, evaluated_on=date(2026, 5, 11)),
        terms(ends_on=DAY, done_by=date(2026, 5, 9)),
        "0",
        ["evaluated_late"],
    ),
    Case(
        "the test of a live event, some days after it",
        "the provider's setting",
        live(60, has_assessment=True, best_percent=Decimal(80), tested_on=date(2026, 3, 20)),
        terms(ends_on=DAY, done_by=date(2026, 5, 9)),
        "1",
        parameters={"needs_test": True},
    ),
    Case(
        "and when everything is over",
        "the provider's setting",
        live(60, has_assessment=True, best_percent=Decimal(80), tested_on=date(2026, 5, 10)),
        terms(ends_on=DAY, done_by=date(2026, 5, 9)),
        "0",
        ["tested_late"],
        parameters={"needs_test": True},
    ),
    Case("after the termination date", REVIEW, recorded(60), enduring(ends_on=date(2026, 3, 13)), "0", ["after_end"]),
    Case(
        "before the accreditation",
        "AMA: activities cannot be designated retroactively",
        live(60),
        terms(starts_on=date(2026, 3, 15)),
        "0",
        ["before_start"],
    ),
    Case(
        "the recording after credit for the live activity",
        "no double claim for a live activity and its recording",
        recorded(60, other_format_credit=Decimal("0.25")),
        enduring(),
        "0",
        ["other_format"],
    ),
    Case(
        "the same content again, in another course",
        "AMA: credit once for an activity; " + OURS,
        live(60, copy_credit=Decimal("0.5")),
        terms(),
        "0",
        ["copy"],
    ),
    Case(
        "the evidence is of the other format",
        "ACCME: a live activity and its recording are two activities",
        recorded(60),
        terms(),
        "0",
        ["other_activity"],
    ),
    Case(
        "a least share that was not reached",
        "the provider's setting",
        live(47),
        terms(),
        "0",
        ["below_share"],
        ["watch"],
        parameters={"least_percent": "80"},
    ),
    Case(
        "the least share exactly",
        "the provider's setting",
        live(48),
        terms(),
        "0.75",
        ["part"],
        parameters={"least_percent": "80"},
    ),
    Case(
        "two things missing at once",
        MINIMUM,
        recorded(60, best_percent=None, is_evaluated=False),
        enduring(),
        "0",
        ["no_test_taken", "not_evaluated"],
        ["pass", "evaluate"],
        "1",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_worked_case(case: Case) -> None:
    assert case.source
    case.check("accme", "2022")


def test_the_doctor_claims_and_records_are_kept_for_six_years() -> None:
    now = pack_of("accme", on=DAY)

    assert (now.learner_claims, now.retention_years, now.step) == (True, 6, Decimal("0.25"))


def test_disclosures_go_back_two_years_since_2022_and_one_before() -> None:
    days = {date(2021, 12, 31): 12, date(2022, 1, 1): 24}

    assert {day: pack_of("accme", on=day).disclosure_months for day in days} == days


def test_the_statement_is_the_authoritys() -> None:
    said = pack("accme", version="2022").statement(terms("1.25", 75), provider="The Clinic", title="Asthma")

    assert said == (
        "The Clinic is accredited by the Accreditation Council for Continuing Medical Education (ACCME) to provide "
        "continuing medical education for physicians. The Clinic designates this live activity for a maximum of 1.25 "
        "AMA PRA Category 1 Credits™. Physicians should claim only the credit commensurate with the extent of their "
        "participation in the activity."
    )
