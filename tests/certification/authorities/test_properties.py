"""What holds for every pack, whatever was done."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certification.authorities import AUTHORITIES
from certification.authorities.base import ENDURING, LIVE, Evidence, Granted, Reason, RulePack, Step, Terms
from certification.authorities.council_table import EARLIER
from certification.authorities.parameters import CHOICE, FLAG, Parameter
from certification.authorities.words import words_of

PACKS = [one for authority in AUTHORITIES.values() for one in authority.versions]
some = settings(max_examples=60, deadline=None)
packs = pytest.mark.parametrize("pack", PACKS, ids=lambda one: f"{one.authority} {one.version}")

days = st.dates(date(2000, 1, 1), date(2060, 12, 31))
maybe_days = st.none() | days
councils = st.sampled_from(["", "atlantis", *EARLIER])
percents = st.decimals(0, 100, places=2, allow_nan=False)
credit_numbers = st.decimals(0, 40, places=2, allow_nan=False)


def setting(parameter: Parameter) -> st.SearchStrategy[Any]:
    if parameter.kind == FLAG:
        return st.booleans()
    if parameter.kind == CHOICE:
        return st.sampled_from([value for value, _label in parameter.choices])
    return st.integers(parameter.least, parameter.most)


# Made once: to make them anew takes an example longer than to draw from them.
SETTINGS = {(pack.authority, pack.version): {one.name: setting(one) for one in pack.parameters} for pack in PACKS}
flags, formats, codes = st.booleans(), st.sampled_from([LIVE, ENDURING]), st.sampled_from(["", "A/1"])
minutes_of_it, days_from = st.integers(0, 600), st.integers(-2000, 400)
credit_of_one, percents_or_none = st.decimals(0, 10, places=2, allow_nan=False), st.none() | percents
events, events_of_one = st.sampled_from(["", "congress"]), st.sampled_from(["", "congress", "course"])
registrations = st.text(max_size=5)


@st.composite
def something_granted(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """So many days from another day."""
    return draw(days_from) if draw(flags) else 0, {
        "credit": draw(credit_of_one),
        "is_online": draw(flags),
        "format": draw(formats),
        "event": draw(events_of_one),
    }


one_granted = something_granted()
up_to_six = st.lists(one_granted, max_size=6)


def granted(near: date, found: tuple[int, dict[str, Any]]) -> Granted:
    return Granted(on=near + timedelta(days=found[0]), **found[1])


@st.composite
def worlds(draw: st.DrawFn, pack: RulePack) -> tuple[Evidence, Terms]:
    """Most of them with a chance to be granted."""
    is_good = draw(flags)
    kind = draw(formats)
    on = draw(days)
    council = draw(councils)
    minutes = draw(minutes_of_it)
    parameters: Mapping[str, Any] = {name: draw(one) for name, one in SETTINGS[pack.authority, pack.version].items()}
    terms = Terms(
        credits=draw(credit_numbers),
        minutes=minutes,
        format=kind,
        approval_code=draw(codes),
        council=council,
        starts_on=None if is_good else draw(maybe_days),
        ends_on=None if is_good else draw(maybe_days),
        released_on=None if is_good else draw(maybe_days),
        reviewed_on=None if is_good else draw(maybe_days),
        parameters=draw(st.sampled_from([{}, parameters])),
    )
    evidence = Evidence(
        format=kind if is_good else draw(formats),
        watched_seconds=draw(st.integers(0, minutes * 70)),
        media_seconds=draw(st.integers(0, minutes * 70)),
        took_part_on=on if is_good else draw(maybe_days),
        best_percent=Decimal(100) if is_good else draw(percents_or_none),
        has_assessment=is_good or draw(flags),
        is_evaluated=is_good or draw(flags),
        has_acknowledged=is_good or draw(flags),
        other_format_credit=Decimal(0) if is_good else draw(credit_numbers),
        council=council if is_good else draw(councils),
        registration_number="1" if is_good else draw(registrations),
        granted=[granted(on, one) for one in draw(up_to_six)],
        event=draw(events),
        is_online=draw(flags),
        cycle_from=draw(maybe_days),
    )
    return evidence, terms


@packs
@some
@given(data=st.data())
def test_credit_is_a_multiple_of_the_step_and_never_above_what_was_designated(
    pack: RulePack, data: st.DataObject
) -> None:
    evidence, terms = data.draw(worlds(pack))
    decision = pack.evaluate(evidence, terms)
    for number in (decision.credit, decision.waiting):
        assert isinstance(number, Decimal)
        assert 0 <= number <= terms.credits
        assert number % pack.step == 0
    assert not (decision.credit and decision.waiting)


@packs
@some
@given(data=st.data())
def test_more_watching_is_never_worth_less(pack: RulePack, data: st.DataObject) -> None:
    evidence, terms = data.draw(worlds(pack))
    more = replace(evidence, watched_seconds=evidence.watched_seconds + data.draw(st.integers(0, 4000)))
    before, after = pack.evaluate(evidence, terms), pack.evaluate(more, terms)
    assert before.credit <= after.credit
    assert before.waiting <= after.waiting
    assert before.is_granted <= after.is_granted


@packs
@some
@given(data=st.data(), seed=st.integers())
def test_the_order_of_what_was_granted_does_not_matter_and_twice_is_the_same(
    pack: RulePack, data: st.DataObject, seed: int
) -> None:
    evidence, terms = data.draw(worlds(pack))
    shuffled = list(evidence.granted)
    random.Random(seed).shuffle(shuffled)
    assert pack.evaluate(replace(evidence, granted=shuffled), terms) == pack.evaluate(evidence, terms)


@packs
@some
@given(data=st.data())
def test_more_granted_before_never_brings_more_now(pack: RulePack, data: st.DataObject) -> None:
    evidence, terms = data.draw(worlds(pack))
    more = replace(
        evidence,
        granted=[*evidence.granted, granted(evidence.took_part_on or date(2026, 1, 1), data.draw(one_granted))],
    )
    assert pack.evaluate(more, terms).credit <= pack.evaluate(evidence, terms).credit


@packs
@some
@given(data=st.data())
def test_what_is_less_than_all_has_a_reason_and_every_line_has_words(pack: RulePack, data: st.DataObject) -> None:
    evidence, terms = data.draw(worlds(pack))
    decision = pack.evaluate(evidence, terms)
    lines: list[Step | Reason] = [*decision.steps, *decision.reasons]
    assert all(words_of(one) for one in lines)
    assert decision.is_granted == (not decision.missing and not _refused(decision.reasons) and _counts(pack, decision))
    assert decision.is_granted or decision.reasons
    assert set(decision.missing) <= {"watch", "pass", "evaluate", "acknowledge", "number"}


@packs
@some
@given(data=st.data())
def test_problems_are_found_for_any_terms_and_a_test_makes_none(pack: RulePack, data: st.DataObject) -> None:
    _evidence, terms = data.draw(worlds(pack))
    on = data.draw(days)
    without = pack.problems(terms, has_assessment=False, on=on)
    found = pack.problems(terms, has_assessment=True, on=on)
    assert all(words_of(one) for one in without)
    assert len({one.code for one in without}) == len(without)
    assert [one for one in without if one in found] == list(found)
    assert {one.code for one in without if one not in found} <= {
        "enduring_without_assessment",
        "test_without_assessment",
    }


REFUSALS = {
    "other_activity",
    "before_start",
    "after_end",
    "other_format",
    "review_too_old",
    "no_assessment",
    "no_council",
    "nothing_designated",
    "other_council",
    "online_not_taken",
}


def _refused(reasons: Any) -> bool:
    return any(one.code in REFUSALS for one in reasons)


def _counts(pack: RulePack, decision: Any) -> bool:
    return pack.authority == "attendance" or decision.credit > 0
