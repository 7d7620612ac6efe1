"""Sentences and figures under charts, in the reader's language and zone."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation

from analytics.rendering.data import Bar, Bin, FunnelStep, Series, Stack
from analytics.templatetags import chart_words as words

CLOCK, COUNT = words.axis("clock"), words.number


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0%"),
        (0.001, "0.1%"), (0.00001, "0.1%"), (0.01, "1%"), (0.474, "47%"), (0.9951, "99.5%"), (0.99999, "99.9%"),
        (1, "100%"), (1.2, "120%"),
    ],
)  # fmt: skip
def test_something_is_never_nothing_and_less_than_all_never_all(share: float, shown: str) -> None:
    assert words.percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (8214, "8,214"), (4.5, "4.5"), (2.0, "2"), (1234.567, "1,234.57"), (0.001, "0")]
)
def test_figures_have_no_more_places_than_they_need(value: float, shown: str) -> None:
    assert words.number(value) == shown


def test_curves_are_told_by_their_highest_lowest_and_sharpest_drop() -> None:
    live = Series("Live", [(0, 100), (60, 96), (120, 71), (180, 80)])
    assert words.say_curve([live], CLOCK, [COUNT]) == (
        "Highest at 0:00 (100), lowest at 2:00 (71). The sharpest drop is from 1:00 to 2:00: 96, then 71."
    )
    later = Series("Later", [(0, 5), (60, 9)])
    assert words.say_curve([live, later], CLOCK, [COUNT, words.percent]).endswith(
        "96, then 71. Later: Highest at 1:00 (900%), lowest at 0:00 (500%)."
    )
    assert words.say_curve([Series("a", [(30, 7)])], CLOCK, [COUNT]) == "7 at 0:30."
    assert words.say_curve([Series("a", [(0, 7), (9, 7)])], CLOCK, [COUNT]) == "7 all the time."
    assert words.say_curve([Series("a", [])], CLOCK, [COUNT]) == ""
    three = [Series(name, [(0, value)]) for name, value in (("a", 4), ("b", 9), ("c", 2))]
    assert words.say_curve(three, CLOCK, [COUNT] * 3) == "Highest: b at 0:00 (9). Lowest: c at 0:00 (2)."
    assert words.say_curve([Series("a", []), Series("b", []), Series("c", [])], CLOCK, [COUNT] * 3) == ""


def test_bars_and_parts_are_told_by_most_and_least() -> None:
    assert words.say_bars([Bar("India", 60), Bar("Kenya", 15), Bar("Malta", None)], COUNT, 100) == (
        "Most: India, 60 (60%). Least: Kenya, 15."
    )
    assert words.say_bars([Bar("India", 60)], COUNT) == "India: 60."
    assert words.say_bars([Bar("India", 6), Bar("Kenya", 6)], COUNT) == "All are the same: 6."
    assert words.say_bars([Bar("Malta", None)], COUNT) == "There are too few people to show numbers."
    assert words.say_bars([], COUNT) == ""
    assert words.say_parts([Bar("Live", 3), Bar("Later", 1), Bar("Both", None)]) == "Live 75%, Later 25%."
    assert words.say_parts([]) == ""


def test_answers_bins_weeks_maps_and_funnels_are_told() -> None:
    stacks = [Stack("Pace", (1, 0, 0, 0, 1)), Stack("Content", (0, 0, 0, 0, 2)), Stack("Hidden", None)]
    assert words.say_stacks(stacks) == "Highest on average: Content, 5.0. Lowest: Pace, 3.0."
    assert words.say_stacks(stacks[:1]) == "3.0 on average."
    assert words.say_stacks(stacks[2:]) == ""
    bins = [Bin(0, 10, 3), Bin(10, 20, 4), Bin(20, 30, 2)]
    assert words.say_bins(bins, COUNT) == "Most lie between 10 and 20: 4 of 9. Half of all lie below 20."
    assert words.say_bins([], COUNT) == ""
    assert words.say_heat({(1, 19): 7, (2, 19): 7, (0, 3): None}) == "Busiest on Tuesday from 19:00 to 20:00: 7."
    assert words.say_heat({(6, 23): 1}) == "Busiest on Sunday from 23:00 to 00:00: 1."
    assert words.say_heat({(0, 3): None}) == "There are too few people to show numbers."
    assert words.say_heat({(0, 3): 0}) == ""
    assert words.say_map({"IN": 6, "DE": 3, "": 1, "MT": None, "FR": 0}) == "3 countries. Most: India, 6 (60%)."
    assert words.say_map({"MT": None}) == "1 country."
    assert words.say_map({"": 4}) == ""
    steps = [FunnelStep("Invited", 100), FunnelStep("Joined", 60), FunnelStep("Certified", 55)]
    assert words.say_funnel(steps) == "Certified: 55% of Invited. Most were lost between Invited and Joined: 40 (40%)."
    assert words.say_funnel(steps[:1]) == ""
    assert words.say_funnel([FunnelStep("Invited", None), *steps]) == ""


def test_a_title_of_another_direction_is_kept_together() -> None:
    bars = [Bar("الخصوبة", 2), Bar("Pace", 1)]
    assert words.say_bars(bars, COUNT) == "Most: \u2068الخصوبة\u2069, 2. Least: Pace, 1."
    with translation.override("ar"):
        assert "\u2068Pace\u2069" in words.say_bars(bars, COUNT)
        assert "\u2068الخصوبة" not in words.say_bars(bars, COUNT)


def test_times_stand_in_the_readers_zone() -> None:
    at = datetime(2026, 11, 24, 18, 45, tzinfo=UTC).timestamp()
    with timezone.override("Asia/Kolkata"):
        assert (words.wall_time(at), words.wall_day(at)) == ("00:15", "25 Nov")
        assert words.axis("time", near=at).offset == 5.5 * 3600
    with timezone.override("America/New_York"):
        assert (words.wall_time(at), words.wall_day(at)) == ("13:45", "24 Nov")
    assert words.axis("clock").offset == 0


def test_the_week_begins_as_the_language_has_it() -> None:
    firsts = {}
    for language in ("en", "de", "ar"):
        with translation.override(language):
            made = words.words()
            firsts[language] = (made.first_weekday, made.is_rtl)
            assert len(made.weekdays) == 7
    assert firsts == {"en": (6, False), "de": (0, False), "ar": (6, True)}
    assert words.words().weekdays[0] == "Sun"
