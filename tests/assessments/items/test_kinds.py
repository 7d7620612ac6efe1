"""What is particular to a kind: worked examples that a person can check."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.enums import Outcome
from assessments.items import type_of
from assessments.items.base import AnswerError, ItemError, Json, Mark
from assessments.items.essay import cut
from assessments.items.hotspot.areas import holds
from assessments.items.numeric.reading import canonical, readings
from assessments.items.short import fold
from tests.assessments.items.samples import DRAFTS, options


def cleaned(kind: str, shown: Json | None = None, key: Json | None = None) -> tuple[Json, Json]:
    first, second = DRAFTS[kind]
    return type_of(kind).clean(shown={**first, **(shown or {})}, key={**second, **(key or {})})


def mark(kind: str, raw: Json, shown: Json | None = None, key: Json | None = None) -> Mark:
    asked, right = cleaned(kind, shown, key)
    value = type_of(kind).clean_answer(shown=asked, raw=raw)
    assert value is not None
    return type_of(kind).mark(shown=asked, key=right, value=value)


class TestMultiple:
    @pytest.mark.parametrize(
        ("rule", "chosen", "share"),
        [
            ("all", "ac", "1"),
            ("all", "a", "0"),
            ("all", "abc", "0"),
            ("partial", "a", "0.5"),
            ("partial", "abd", "0.5"),
            ("minus", "ab", "0"),
            ("minus", "acd", "0.5"),
            ("minus", "bd", "0"),
            ("each", "ac", "1"),
            ("each", "a", "0.8"),
            ("each", "bde", "0"),
        ],
    )
    def test_five_options_of_which_a_and_c_are_right(self, rule: str, chosen: str, share: str) -> None:
        assert mark("multiple", {"choices": list(chosen)}, key={"rule": rule}).share == Decimal(share)

    def test_a_third_is_kept_to_six_places(self) -> None:
        given_mark = mark("multiple", {"choices": ["a"]}, key={"right": ["a", "b", "c"]})
        assert (given_mark.share, given_mark.outcome) == (Decimal("0.333333"), Outcome.PARTLY)

    def test_more_than_may_be_chosen_is_refused_in_words(self) -> None:
        with pytest.raises(AnswerError, match="at most 3"):
            mark("multiple", {"choices": list("abcd")})

    @pytest.mark.parametrize(
        ("shown", "key", "field"),
        [
            ({"most": None}, {}, "most"),
            ({"most": 1}, {}, "most"),
            ({}, {"right": []}, "right"),
            ({}, {"right": ["z"]}, "right"),
            ({}, {"rule": "fair"}, "rule"),
            ({"options": options("a")}, {}, "options"),
            ({"images": ["1"]}, {}, "images"),
        ],
    )
    def test_mistakes_of_an_author(self, shown: Json, key: Json, field: str) -> None:
        with pytest.raises(ItemError) as refused:
            cleaned("multiple", shown, key)
        assert refused.value.field == field


class TestMatching:
    @pytest.mark.parametrize(
        ("choices", "share"),
        [
            ({"1": ["c"], "2": ["a", "f"]}, "1"),
            ({"1": ["c"]}, "0.5"),
            ({"1": ["a"], "2": ["b", "c"]}, "0.25"),
            ({"2": ["b"]}, "0.25"),
            ({"2": ["c", "d"]}, "0"),
        ],
    )
    def test_one_of_one_and_two_of_three(self, choices: Json, share: str) -> None:
        assert mark("matching", {"choices": choices}).share == Decimal(share)

    def test_no_more_may_be_chosen_than_are_right(self) -> None:
        stems = [{"id": "1", "text": "A woman", "most": 2}]
        with pytest.raises(ItemError) as refused:
            cleaned("matching", {"stems": stems}, {"right": {"1": ["c"]}})
        assert refused.value.field == "stems"


class TestOrdering:
    @pytest.mark.parametrize(
        ("order", "exact", "pairs", "places"),
        [
            ("cadb", "1", "1", "1"),
            ("adbc", "0", "0.666667", "0"),
            ("cabd", "0", "0.333333", "0.5"),
            ("bdac", "0", "0", "0"),
        ],
    )
    def test_four_entries(self, order: str, exact: str, pairs: str, places: str) -> None:
        """Right is c, a, d, b."""
        for rule, share in (("exact", exact), ("pairs", pairs), ("places", places)):
            shown, key = cleaned("ordering", key={"rule": rule})
            names = dict(zip("cadb", key["right"], strict=True))
            value = {"places": {names[one]: place for place, one in enumerate(order, 1)}}
            assert type_of("ordering").mark(shown=shown, key=key, value=value).share == Decimal(share)

    def test_reasons_go_with_their_entries(self) -> None:
        shown, key = cleaned("ordering")
        first = type_of("ordering").rows(shown=shown, key=key, value=None)[0]
        assert (first.label, first.rationale) == ("Option C", "SECRET c")

    def test_two_entries_alike_cannot_be_told_apart(self) -> None:
        with pytest.raises(ItemError) as refused:
            cleaned("ordering", {"entries": [{"id": name, "text": "Same"} for name in "abcd"]})
        assert refused.value.field == "entries"


class TestNumeric:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("5", ["5"]),
            ("5.20", ["5.20"]),
            ("5,2", ["5.2"]),
            (",5", ["0.5"]),
            ("-0,5", ["-0.5"]),
            ("−3", ["-3"]),
            ("+3", ["3"]),
            ("007", ["7"]),
            ("1 234", ["1234"]),
            ("1\u202f234\u202f567,8", ["1234567.8"]),
            ("1'234.5", ["1234.5"]),
            ("1’234", ["1234"]),
            ("1,234.5", ["1234.5"]),
            ("1.234,5", ["1234.5"]),
            ("1,234,567", ["1234567"]),
            ("1.234.567", ["1234567"]),
            ("1,234", ["1.234", "1234"]),
            ("1.234", ["1.234", "1234"]),
            ("0,123", ["0.123"]),
            ("1234,567", ["1234.567"]),
            ("٣٫٥", ["3.5"]),
            ("१२", ["12"]),
            ("2e3", ["2000"]),
            ("1,5E-3", ["0.0015"]),
            ("-0", ["0"]),
        ],
    )
    def test_numbers_as_they_are_written(self, typed: str, meant: list[str]) -> None:
        found = canonical(typed)
        assert found is not None
        assert [str(one) for one in readings(found)] == meant

    @pytest.mark.parametrize(
        "typed", ["", ".", "-", "five", "1,23,4", "1.234.5", "1,234,5", "1 23", "5 6", "0x10", "1e99", "NaN", "9" * 41]
    )
    def test_what_is_no_number(self, typed: str) -> None:
        assert canonical(typed) is None

    @settings(max_examples=200)
    @given(typed=st.text("0123456789.,- '\u202f٣eE+", max_size=14))
    def test_a_number_reads_the_same_again(self, typed: str) -> None:
        found = canonical(typed)
        if found is not None:
            assert canonical(found) == found

    @given(value=st.decimals(-(10**9), 10**9, places=2))
    def test_every_way_of_writing_a_number_is_that_number(self, value: Decimal) -> None:
        english = f"{value:,.2f}"
        german = english.translate(str.maketrans(",.", ".,"))
        for text in (english, german, english.replace(",", " "), english.replace(",", "'"), f"{value:.2f}"):
            found = canonical(text)
            assert found is not None
            assert readings(found) == [value], text

    @pytest.mark.parametrize(
        ("number", "unit", "share"),
        [
            ("7919.5", "mg", "1"),
            ("7.9195", "g", "1"),
            ("7,92", "g", "1"),
            ("7920", "mg", "1"),
            ("7920.01", "mg", "0.5"),
            ("8.3", "g", "0.5"),
            ("8.4", "g", "0"),
            ("7919.5 MG", "", "1"),
            ("7919.5mg", "", "1"),
            ("7919.5", "IU", "0"),
            ("7919.5", "", "0"),
            ("7,919.5", "mg", "1"),
            ("7,920", "mg", "1"),
            ("7920", "g", "0"),
        ],
    )
    def test_tolerance_and_units(self, number: str, unit: str, share: str) -> None:
        """7919.5 mg give or take 0.5 for all, or 5 % for half; a unit is needed."""
        assert mark("numeric", {"number": number, "unit": unit}).share == Decimal(share)

    def test_where_no_unit_is_needed_none_is_the_first_one(self) -> None:
        assert mark("numeric", {"number": "7919.5"}, {"needs_unit": False}).share == 1

    def test_nothing_is_rounded(self) -> None:
        key = {"answers": [{"right": "0.1", "tolerance": "0.2"}], "factors": {"mg": "1"}}
        assert mark("numeric", {"number": "0.3", "unit": "mg"}, key=key).share == 1
        assert mark("numeric", {"number": "0.30000000000000000001", "unit": "mg"}, key=key).share == 0

    @pytest.mark.parametrize("raw", [{"number": "5 stones"}, {"number": "5 g", "unit": "mg"}, {"number": "about 5"}])
    def test_what_cannot_be_read_is_told(self, raw: Any) -> None:
        with pytest.raises(AnswerError) as refused:
            mark("numeric", raw)
        assert str(refused.value)

    def test_the_two_letters_micro_are_one(self) -> None:
        shown = {"units": ["\u00b5g"], "needs_unit": True}
        key = {"answers": [{"right": "5"}], "factors": {"\u00b5g": "1"}}
        assert mark("numeric", {"number": "5 \u03bcg"}, shown, key).share == 1


class TestShort:
    @pytest.mark.parametrize(
        ("typed", "accepted", "fits"),
        [
            ("OÖCYTE  pick up", "oocyte pick-up", True),
            ("naive", "naïve", True),
            ("Ovarian hyper-stimulation", "ovarian*stimulation", True),
            ("hyperstimulation", "*stimulation", True),
            ("stimulations", "*stimulation", False),
            ("a*b", "a\\*b", True),
            ("axb", "a\\*b", False),
            ("(a+)+", "(a+)+", True),
            ("aba", "ab*ba", False),
            ("a b c d", "a*c*d", True),
            ("a c b d", "a*b*c*d", False),
        ],
    )
    def test_patterns(self, typed: str, accepted: str, fits: bool) -> None:
        key = {"accepted": [{"text": accepted}], "sure": None, "unsure": None}
        assert (mark("short", {"text": typed}, key=key).share == 1) == fits

    def test_nothing_is_made_alike_that_the_author_wants_told_apart(self) -> None:
        key = {"accepted": [{"text": "pH"}], "folds": [], "sure": None, "unsure": None}
        assert [mark("short", {"text": text}, key=key).share for text in ("pH", "PH", "pH.")] == [1, 0, 0]
        assert fold(" Straße, É ", ["case", "accents", "spaces", "punctuation"]) == "strasse e"

    @pytest.mark.parametrize(
        ("typed", "outcome", "share"),
        [
            ("folliculometry", Outcome.RIGHT, "1"),
            ("follicolometry", Outcome.WAITING, "1"),
            ("folliculometri", Outcome.RIGHT, "1"),
            ("puncture", Outcome.WRONG, "0"),
            ("scan of it", Outcome.PARTLY, "0.5"),
        ],
    )
    def test_what_is_like_it_is_right_or_for_a_person_or_wrong(self, typed: str, outcome: str, share: str) -> None:
        accepted = [{"text": "folliculometry"}, {"text": "scan*", "share": "0.5"}]
        found = mark("short", {"text": typed}, key={"accepted": accepted, "sure": "0.75", "unsure": "0.4"})
        assert (found.outcome, found.share) == (outcome, Decimal(share))
        assert ("folliculometry" in found.note) == (outcome == Outcome.WAITING)

    def test_an_answer_known_to_be_wrong_waits_for_nobody(self) -> None:
        accepted = [{"text": "folliculometry"}, {"text": "follicolometry", "share": "0"}]
        found = mark("short", {"text": "follicolometry"}, key={"accepted": accepted, "sure": "0.75", "unsure": "0.4"})
        assert found.outcome == Outcome.WRONG

    def test_many_stars_take_no_time(self) -> None:
        key = {"accepted": [{"text": "*a" * 20 + "*b"}], "sure": None, "unsure": None}
        assert mark("short", {"text": "a" * 300}, key=key).share == 0


class TestEssay:
    def test_it_always_waits_and_says_what_is_special(self) -> None:
        found = mark("essay", {"text": "one two three four five six seven eight nine"})
        assert (found.outcome, found.share) == (Outcome.WAITING, None)
        assert found.note == "9 words. What came after 8 is left out."
        assert mark("essay", {"text": "two words"}).note == "2 words. At least 3 were asked for."

    def test_who_marks_sees_the_words_that_count(self) -> None:
        shown, _key = cleaned("essay")
        value = {"text": "one  two\nthree four five six seven eight nine"}
        assert type_of("essay").describe(shown=shown, value=value) == "one  two\nthree four five six seven eight […]"
        assert cut("one two", 2) == "one two"

    def test_lines_are_kept(self) -> None:
        shown, _key = cleaned("essay")
        assert type_of("essay").clean_answer(shown=shown, raw={"text": " a\r\n\r\nb\x00 "}) == {"text": "a\n\nb"}


class TestHotspot:
    @pytest.mark.parametrize(
        ("points", "rule", "share"),
        [
            ([[10, 10], [400, 300]], "all", "1"),
            ([[10, 10]], "all", "0"),
            ([[10, 10]], "partial", "0.5"),
            ([[10, 10], [60, 100]], "partial", "0.5"),
            ([[10, 10], [799, 10]], "minus", "0"),
            ([[700, 500]], "minus", "0.5"),
        ],
    )
    def test_two_points_for_three_areas(self, points: list[list[int]], rule: str, share: str) -> None:
        assert mark("hotspot", {"points": points}, key={"rule": rule}).share == Decimal(share)

    def test_an_edge_belongs_to_its_area(self) -> None:
        _shown, key = cleaned("hotspot")
        rect, circle, poly = key["areas"]
        assert rect["at"] == [0, 0, 200, 150]
        assert circle["at"] == [400, 300, 160]
        edges = {(200, 150): rect, (560, 300): circle, (400, 140): circle, (600, 450): poly, (700, 450): poly}
        assert all(holds(area, point) for point, area in edges.items())
        outside = {(201, 150): rect, (561, 300): circle, (599, 450): poly, (700, 449): poly, (514, 414): circle}
        assert not any(holds(area, point) for point, area in outside.items())

    @given(across=st.integers(0, 100), down=st.integers(0, 100))
    def test_a_polygon_holds_what_its_rectangle_holds(self, across: int, down: int) -> None:
        rect: Json = {"shape": "rect", "at": [20, 30, 70, 80]}
        poly: Json = {"shape": "poly", "at": [20, 30, 70, 30, 70, 80, 20, 80]}
        turned: Json = {"shape": "poly", "at": [20, 80, 70, 80, 70, 30, 20, 30]}
        point = (across, down)
        assert holds(rect, point) == holds(poly, point) == holds(turned, point)

    def test_a_polygon_may_have_a_dent(self) -> None:
        dented: Json = {"shape": "poly", "at": [0, 0, 100, 0, 100, 100, 50, 50, 0, 100]}
        assert [holds(dented, point) for point in [(50, 40), (50, 90), (10, 80), (90, 80), (50, 50)]] == [
            True,
            False,
            True,
            True,
            True,
        ]

    @pytest.mark.parametrize(
        ("shown", "key", "field"),
        [
            ({"image": "7"}, {}, "image"),
            ({"size": [800]}, {}, "size"),
            ({"grid": [1, 6]}, {}, "grid"),
            ({}, {"areas": []}, "areas"),
            ({}, {"areas": [{"shape": "rect", "at": ["0", "0", "0.01", "0.01"]}]}, "areas"),
            ({}, {"areas": [{"shape": "rect", "at": ["0", "0", "2", "2"]}]}, "areas"),
            ({}, {"areas": [{"shape": "circle", "at": ["0", "0"]}]}, "areas"),
            ({"points": 4}, {"rule": "partial"}, "points"),
        ],
    )
    def test_mistakes_of_an_author(self, shown: Json, key: Json, field: str) -> None:
        with pytest.raises(ItemError) as refused:
            cleaned("hotspot", shown, key)
        assert refused.value.field == field

    def test_it_is_told_in_names_of_cells(self) -> None:
        shown, _key = cleaned("hotspot")
        assert type_of("hotspot").describe(shown=shown, value={"points": [[0, 0], [799, 599]]}) == "Field A1, Field H6"


def test_a_vignette_asks_nothing() -> None:
    vignette = type_of("vignette")
    shown, key = cleaned("vignette")
    assert vignette.orderable(shown) == []
    assert vignette.clean_answer(shown=shown, raw=None) is None
    assert vignette.mark(shown=shown, key=key, value={}).outcome == Outcome.BLANK
    with pytest.raises(AnswerError):
        vignette.clean_answer(shown=shown, raw={"text": "x"})
