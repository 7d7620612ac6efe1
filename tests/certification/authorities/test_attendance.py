"""Attendance: worked cases. The source of each number is the programme's own setting, 80 % where it set nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from certification.authorities import pack
from certification.authorities.base import Evidence, Terms
from tests.certification.authorities.worked import DAY, enduring, live, recorded, terms

SHARE = "the pack's default: 80 % of the minutes"
SET = "the programme's own setting"
ONCE = "no double claim for a live activity and its recording"

CASES: list[tuple[str, str, Evidence, Terms, dict[str, object], bool, list[str]]] = [
    ("all of it", SHARE, live(60), terms("0"), {}, True, []),
    ("48 of 60 minutes: 80 % exactly", SHARE, live(48), terms("0"), {}, True, []),
    ("a second less", SHARE, live(2879 / 60), terms("0"), {}, False, ["below_share"]),
    ("47 of 60", SHARE, live(47), terms("0"), {}, False, ["below_share"]),
    ("nothing", SHARE, live(0), terms("0"), {}, False, ["not_watched"]),
    ("never taken part", SHARE, live(60, took_part_on=None), terms("0"), {}, False, ["not_watched"]),
    ("longer than planned", SHARE, live(75), terms("0"), {}, True, []),
    ("half is enough here", SET, live(30), terms("0"), {"least_percent": "50"}, True, []),
    ("a minute less than half", SET, live(29), terms("0"), {"least_percent": "50"}, False, ["below_share"]),
    ("being there is enough", SET, live(1), terms("0"), {"least_percent": "0"}, True, []),
    ("a third, in decimals", SET, live(20), terms("0"), {"least_percent": "33.33"}, True, []),
    ("the recording counts as well", SHARE, recorded(48), enduring("0"), {}, True, []),
    ("80 % of a film of 45 minutes", SHARE, recorded(36, media_seconds=2700), enduring("0"), {}, True, []),
    ("35 of its 45", SHARE, recorded(35, media_seconds=2700), enduring("0"), {}, False, ["below_share"]),
    ("no evaluation asked for", SHARE, live(60, is_evaluated=False), terms("0"), {}, True, []),
    (
        "the evaluation is missing",
        SET,
        live(60, is_evaluated=False),
        terms("0"),
        {"needs_evaluation": True},
        False,
        ["not_evaluated"],
    ),
    (
        "the test failed",
        SET,
        recorded(60, best_percent=Decimal(60)),
        enduring("0"),
        {"needs_test": True},
        False,
        ["not_passed"],
    ),
    (
        "the test passed then",
        SET,
        recorded(60, best_percent=Decimal(75)),
        enduring("0"),
        {"needs_test": True},
        True,
        [],
    ),
    (
        "already there live",
        ONCE,
        recorded(60, other_format_credit=Decimal(1)),
        enduring("0"),
        {},
        False,
        ["other_format"],
    ),
    ("after the end", SET, live(60), terms("0", ends_on=DAY.replace(day=13)), {}, False, ["after_end"]),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_worked_case(case: tuple[str, str, Evidence, Terms, dict[str, object], bool, list[str]]) -> None:
    name, source, evidence, given, parameters, granted, reasons = case
    assert name
    assert source
    decision = pack("attendance", version="1").evaluate(evidence, replace(given, parameters=parameters))

    assert (decision.is_granted, [one.code for one in decision.reasons]) == (granted, reasons)
    assert decision.credit == 0
    assert decision.steps[-1].code == ("attended" if granted else "not_attended")
    refused = {"other_format", "after_end"} & set(reasons)
    assert bool(decision.missing) == (not granted and not refused)
