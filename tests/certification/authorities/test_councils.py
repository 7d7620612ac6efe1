"""Credit hours of Indian councils: worked cases, each with the source of the number."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from certification.authorities import pack, pack_of, requirement
from certification.authorities.council_table import EARLIER, NOW, Council
from certification.authorities.cycles import day_in
from tests.certification.authorities.worked import DAY, Case, enduring, had, live, recorded, terms

EVENT = "Maharashtra, guidelines for CME: no more than 4 for one event of any length"
ONLINE = "Maharashtra, notice: at most 6 online in five years"
YEAR = "Karnataka, notice of 2011: no more than 6 a year"
KARNATAKA_ONLINE = "Karnataka, online CME: 8 credit hours"
ENDED = "Karnataka Act No 41 of 2024"
NOT_ONLINE = "survey of the councils' websites: online CME not taken"
ATTENDED = "MCI regulations 1.2.3: participation; the share is the pack's default, 75 %"
SET = "the provider's setting"
NUMBER = "the certificate names the council number"
SHARE = {"counting": "share", "least_percent": "0"}
MH: Mapping[str, Any] = {"council": "maharashtra"}
KA: Mapping[str, Any] = {"council": "karnataka"}
TN: Mapping[str, Any] = {"council": "tamil_nadu"}
OPEN: Mapping[str, Any] = {"ends_on": None}

CASES = [
    Case("attended", ATTENDED, live(60, **TN), terms("2", **TN), "2"),
    Case("45 of 60 minutes: 75 % exactly", ATTENDED, live(45, **TN), terms("2", **TN), "2"),
    Case("a second less", ATTENDED, live(2699 / 60, **TN), terms("2", **TN), "0", ["below_share"], ["watch"]),
    Case("nothing", ATTENDED, live(0, **TN), terms("2", **TN), "0", ["not_watched"], ["watch"]),
    Case("nothing designated", EVENT, live(60, **TN), terms("0", **TN), "0", ["nothing_designated"]),
    Case("by the share: half", SET, live(30, **TN), terms("2", **TN), "1", ["part"], parameters=SHARE),
    Case("by the share: 47 of 60", SET, live(47, **TN), terms("2", **TN), "1.5", ["part"], parameters=SHARE),
    Case("by the share: all", SET, live(60, **TN), terms("2", **TN), "2", parameters=SHARE),
    Case("by the share: 14", SET, live(14, **TN), terms("2", **TN), "0", ["too_short"], ["watch"], parameters=SHARE),
    Case(
        "no council number",
        NUMBER,
        live(60, registration_number=" ", **TN),
        terms("2", **TN),
        "0",
        ["no_number"],
        ["number"],
        "2",
    ),
    Case("a doctor of another council", EVENT, live(60, **TN), terms("2", **MH), "0", ["other_council"]),
    Case("an unknown council", EVENT, live(60), terms("2", council="atlantis"), "0", ["no_council"]),
    Case("no council at all", EVENT, live(60), terms("2"), "0", ["no_council"]),
    Case("the accreditation's council is enough", EVENT, live(60), terms("2", **MH), "2"),
    Case("5 designated, 4 for an event", EVENT, live(60, **MH), terms("5", **MH), "4", ["cap_event"]),
    Case(
        "three had for the same event",
        EVENT,
        live(60, event="congress", granted=[had("3", event="congress")], **MH),
        terms("2", **MH),
        "1",
        ["cap_event"],
    ),
    Case(
        "three had for another event",
        EVENT,
        live(60, event="congress", granted=[had("3", event="course")], **MH),
        terms("2", **MH),
        "2",
    ),
    Case(
        "five online in this cycle",
        ONLINE,
        live(60, granted=[had("4", date(2025, 4, 1)), had("1", date(2025, 12, 1))], **MH),
        terms("2", **MH),
        "1",
        ["cap_online"],
    ),
    Case(
        "in the hall does not fill the online cap",
        ONLINE,
        live(60, granted=[had("5", date(2025, 4, 1), is_online=False)], **MH),
        terms("2", **MH),
        "2",
    ),
    Case(
        "the cycle before ended on 31 March 2025",
        ONLINE,
        live(60, granted=[had("6", date(2025, 3, 31))], **MH),
        terms("2", **MH),
        "2",
    ),
    Case(
        "a cycle of one's own, from 2 June 2024",
        ONLINE,
        live(60, granted=[had("6", date(2025, 3, 31))], cycle_from=date(2024, 6, 2), **MH),
        terms("2", **MH),
        "0",
        ["cap_online"],
    ),
    Case(
        "six had this year",
        YEAR,
        live(
            60, granted=[had("5", date(2024, 1, 1)), had("1", date(2024, 12, 31))], took_part_on=date(2024, 5, 1), **KA
        ),
        terms("2", **OPEN, starts_on=date(2024, 1, 1), council="karnataka"),
        "0",
        ["cap_year"],
        version="2002",
    ),
    Case(
        "six had last year",
        YEAR,
        live(60, granted=[had("6", date(2023, 12, 31))], took_part_on=date(2024, 1, 1), **KA),
        terms("2", **OPEN, starts_on=date(2024, 1, 1), council="karnataka"),
        "2",
        version="2002",
    ),
    Case(
        "watched last year, which was full, and passed this year",
        YEAR,
        recorded(
            60,
            granted=[had("6", date(2023, 12, 30))],
            took_part_on=date(2023, 12, 31),
            tested_on=date(2024, 1, 1),
            **KA,
        ),
        enduring("2", **OPEN, starts_on=date(2023, 1, 1), council="karnataka"),
        "2",
        parameters={"needs_test": True},
        version="2002",
    ),
    Case(
        "a test that nobody asks for moves nothing to another year",
        YEAR,
        recorded(
            60,
            granted=[had("6", date(2023, 12, 30))],
            took_part_on=date(2023, 12, 31),
            tested_on=date(2024, 1, 1),
            **KA,
        ),
        enduring("2", **OPEN, starts_on=date(2023, 1, 1), council="karnataka"),
        "0",
        ["cap_year"],
        version="2002",
    ),
    Case(
        "seven online in the years before",
        KARNATAKA_ONLINE,
        live(60, granted=[had("4", date(2021, 5, 1)), had("3", date(2022, 5, 1))], took_part_on=date(2024, 1, 1), **KA),
        terms("2", **OPEN, starts_on=date(2024, 1, 1), council="karnataka"),
        "1",
        ["cap_online"],
        version="2002",
    ),
    Case("no caps any more since 2024", ENDED, live(60, granted=[had("30")], **KA), terms("2", **KA), "2"),
    Case(
        "Kerala takes nothing online",
        NOT_ONLINE,
        live(60, council="kerala"),
        terms("2", council="kerala"),
        "0",
        ["online_not_taken"],
    ),
    Case(
        "in the hall it would",
        NOT_ONLINE,
        live(60, council="kerala", is_online=False),
        terms("2", council="kerala"),
        "2",
    ),
    Case("the recording", ATTENDED, recorded(60, **TN), enduring("2", **TN), "2"),
    Case(
        "live and recording",
        "no double claim for a live activity and its recording",
        recorded(60, other_format_credit=Decimal(2), **TN),
        enduring("2", **TN),
        "0",
        ["other_format"],
    ),
    Case(
        "a test is asked for, and failed",
        SET,
        recorded(60, best_percent=Decimal(40), **TN),
        enduring("2", **TN),
        "0",
        ["not_passed"],
        ["pass"],
        "2",
        parameters={"needs_test": True},
    ),
    Case("passed then", SET, recorded(60, **TN), enduring("2", **TN), "2", parameters={"needs_test": True}),
    Case(
        "an evaluation is asked for",
        SET,
        live(60, is_evaluated=False, **TN),
        terms("2", **TN),
        "0",
        ["not_evaluated"],
        ["evaluate"],
        "2",
        parameters={"needs_evaluation": True},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_worked_case(case: Case) -> None:
    assert case.source
    case.check("india", "2024")


# Of every version and council what its row says: a rule that is added to the table is tried at its boundary by itself.
ROWS = [
    pytest.param(version, row, id=f"{row.key} {version}")
    for version, table in (("2002", EARLIER), ("2024", NOW))
    for row in table.values()
]


def boundary(version: str, row: Council, *, had_: Decimal, designated: str = "1", **more: Any) -> tuple[Decimal, str]:
    """What somebody who has so much already gets of an hour, and by which cap."""
    on = date(2024, 5, 2) if version == "2002" else DAY
    facts = {"council": row.key, "took_part_on": on, "event": "today", "is_online": row.takes_online}
    granted = (
        [had(str(had_), on, event=more.pop("event", "another"), is_online=more.pop("online", True))] if had_ else []
    )
    evidence = live(60, **{**facts, "granted": granted, **more})
    given = terms(designated, council=row.key, starts_on=date(2024, 1, 1), ends_on=None)
    decision = pack("india", version=version).evaluate(evidence, given)
    return decision.credit, " ".join(one.code for one in decision.reasons)


@pytest.mark.parametrize(("version", "row"), ROWS)
class TestEveryCouncil:
    def test_credit_of_an_hour_and_whether_online_is_taken(self, version: str, row: Council) -> None:
        assert boundary(version, row, had_=Decimal(0)) == (1, "")
        online = boundary(version, row, had_=Decimal(0), is_online=True)
        assert online == ((1, "") if row.takes_online else (0, "online_not_taken"))

    def test_caps_to_the_half_hour(self, version: str, row: Council) -> None:
        """A credit fits exactly, then half of it, then none; and other things do not count."""
        rules: tuple[tuple[str, Decimal | None, dict[str, Any], dict[str, Any] | None], ...] = (
            ("cap_event", row.most_per_event, {"event": "today", "online": False}, {"event": "another"}),
            ("cap_year", row.most_per_year, {"online": False}, None),
            ("cap_online", row.most_online, {}, {"online": False}),
        )
        for name, most, matters, other in rules:
            if most is None:
                continue
            narrower = [one for one in (row.most_per_year, row.most_online) if one is not None and name == "cap_online"]
            if narrower and min(narrower) < most:
                continue  # the year is full before the cycle's online credit is: a worked case has it
            left = {
                had_: boundary(version, row, had_=had_, **matters) for had_ in (most - 1, most - Decimal("0.5"), most)
            }
            assert left == {most - 1: (1, ""), most - Decimal("0.5"): (Decimal("0.5"), name), most: (0, name)}
            if other is not None and row.most_per_year is None:
                assert boundary(version, row, had_=most, **{**matters, **other}) == (1, "")

    def test_without_caps_nothing_is_cut(self, version: str, row: Council) -> None:
        if row.most_per_event is row.most_per_year is row.most_online is None:
            assert boundary(version, row, had_=Decimal(100), event="today", designated="8") == (8, "")

    def test_the_cycle_goes_from_its_first_to_its_last_day(self, version: str, row: Council) -> None:
        """Across new year's eve and leap days, to the day: five years, of everybody or of one's own registration."""
        rules = pack("india", version=version)
        on = rules.effective_from.replace(year=2024)
        for since in (None, date(2020, 2, 29)):
            wanted = rules.requirement(on=on, council=row.key, since=since)
            assert wanted is not None
            assert wanted.first <= on <= wanted.last
            after = rules.requirement(on=wanted.last + timedelta(days=1), council=row.key, since=since)
            assert after is not None
            assert after.first == wanted.last + timedelta(days=1)
            assert wanted.credits == row.required


def test_new_years_night_is_another_year_in_kolkata_than_in_london() -> None:
    """An activity of Karnataka at 19:00 UTC on 31 December 2023, for a doctor who has six hours of 2023."""
    at = datetime.fromisoformat("2023-12-31T19:00+00:00")
    given = terms("2", **OPEN, starts_on=date(2023, 1, 1), council="karnataka")
    credit = {
        zone: pack("india", version="2002")
        .evaluate(live(60, granted=[had("6", date(2023, 6, 1))], took_part_on=day_in(at, zone), **KA), given)
        .credit
        for zone in ("Asia/Kolkata", "Europe/London")
    }

    assert credit == {"Asia/Kolkata": Decimal(2), "Europe/London": Decimal(0)}


@pytest.mark.parametrize("council", [*EARLIER.values(), *NOW.values()], ids=lambda one: one.key)
def test_every_row_names_its_source_and_says_that_a_person_must_check(council: Council) -> None:
    assert all(one.title and one.says and one.url.startswith("http") for one in council.sources)
    assert council.sources
    assert "check" in council.to_check[0].lower()


class TestRequirement:
    def test_of_maharashtra_from_april(self) -> None:
        wanted = requirement("india", on=DAY, council="maharashtra")

        assert wanted is not None
        assert (wanted.credits, wanted.credits_per_year, wanted.most_online) == (30, 6, 6)
        assert (wanted.first, wanted.last) == (date(2025, 4, 1), date(2030, 3, 31))

    def test_from_the_registration_of_the_person(self) -> None:
        wanted = requirement("india", on=DAY, council="maharashtra", since=date(2016, 2, 29))

        assert wanted is not None
        assert (wanted.first, wanted.last) == (date(2026, 2, 28), date(2031, 2, 27))

    def test_tamil_nadu_has_the_same_block_for_everybody(self) -> None:
        wanted = requirement("india", on=date(2022, 5, 31), council="tamil_nadu", since=date(2016, 2, 29))

        assert wanted is not None
        assert (wanted.credits, wanted.first, wanted.last) == (30, date(2017, 6, 1), date(2022, 5, 31))

    def test_karnataka_wants_nothing_since_the_act(self) -> None:
        before = requirement("india", on=date(2024, 8, 15), council="karnataka")
        after = requirement("india", on=date(2024, 8, 16), council="karnataka")

        assert before is not None
        assert after is not None
        assert (before.credits, after.credits) == (Decimal(30), None)

    def test_numbers_of_the_sources(self) -> None:
        wanted = {key: requirement("india", on=DAY, council=key) for key in NOW}

        assert {key: one.credits for key, one in wanted.items() if one} == {
            "maharashtra": 30,
            "karnataka": None,
            "gujarat": 150,
            "tamil_nadu": 30,
            "punjab": 50,
            "rajasthan": 30,
            "manipur": 30,
            "kerala": 30,
            "west_bengal": 30,
            "delhi": None,
        }

    @pytest.mark.parametrize("key", ["accme", "eaccme", "attendance"])
    def test_others_want_no_number_themselves(self, key: str) -> None:
        assert requirement(key, on=DAY) is None

    def test_an_unknown_council_has_none(self) -> None:
        assert requirement("india", on=DAY, council="atlantis") is None


def test_the_statement_names_council_and_code() -> None:
    said = pack_of("india", on=DAY).statement(terms("2", **MH), provider="The Clinic", title="Asthma")

    assert said == (
        "Asthma is accredited by the Maharashtra Medical Council with 2 credit hours (approval CODE/2026/17)."
    )
