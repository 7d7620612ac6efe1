"""What holds for the marks of every kind, whatever the question and the answer."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assessments.enums import Outcome
from assessments.items import type_of
from assessments.items.base import AnswerError, Json, Mark
from tests.assessments.items.strategies import CLOSED, KINDS, answers, items

few = settings(max_examples=30)


def mark(kind: str, item: tuple[Json, Json], value: Json, wrong_share: str = "0") -> Mark:
    return type_of(kind).mark(shown=item[0], key=item[1], value=value, wrong_share=Decimal(wrong_share))


def share_of(kind: str, item: tuple[Json, Json], value: Json | None) -> Decimal:
    """Of no answer: 0."""
    share = mark(kind, item, value).share if value else Decimal(0)
    assert share is not None
    return share


@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_a_mark_lies_between_its_bounds_and_is_an_exact_decimal(kind: str, data: st.DataObject) -> None:
    item = data.draw(items(kind))
    value = data.draw(answers(kind, item[0]))
    assume(value is not None)
    assert value is not None
    given_mark = mark(kind, item, value, data.draw(st.sampled_from(["0", "0.333", "1"])))
    if given_mark.outcome == Outcome.WAITING:
        assert kind in ("short", "essay")
        assert given_mark.note
        assert given_mark.share is None or 0 <= given_mark.share <= 1
        return
    assert isinstance(given_mark.share, Decimal)
    assert (-1 if kind in ("single", "true_false") else 0) <= given_mark.share <= 1
    assert given_mark.share == given_mark.share.quantize(Decimal("0.000001"))
    outcomes = {Decimal(1): Outcome.RIGHT}
    expected = outcomes.get(given_mark.share, Outcome.PARTLY if given_mark.share > 0 else Outcome.WRONG)
    assert given_mark.outcome == expected


@pytest.mark.parametrize("kind", ["single", "true_false"])
@few
@given(data=st.data())
def test_a_wrong_choice_of_one_costs_what_the_test_says(kind: str, data: st.DataObject) -> None:
    item = data.draw(items(kind))
    value = data.draw(answers(kind, item[0]))
    assert value is not None
    is_right = value["choice"] == item[1]["right"]
    assert mark(kind, item, value, "0.25").share == (1 if is_right else Decimal("-0.25"))


@pytest.mark.parametrize("kind", CLOSED)
@few
@given(data=st.data())
def test_the_right_answer_has_full_marks(kind: str, data: st.DataObject) -> None:
    shown, key = data.draw(items(kind))
    raw: Json
    if kind == "matching":
        raw = {"choices": {one["id"]: key["right"][one["id"]][: one["most"]] for one in shown["stems"]}}
    elif kind == "ordering":
        raw = {"places": {name: place for place, name in enumerate(key["right"], 1)}}
    elif kind == "multiple":
        raw = {"choices": key["right"]}
    elif kind == "hotspot":
        assume(shown["points"] == 1)
        cell = next(one for one in type_of(kind).categories(shown=shown, key=key) if one.is_right).name
        raw = {"points": [[(ord(cell[0]) - ord("A")) * 10 + 5, (int(cell[1:]) - 1) * 10 + 5]]}
    else:
        raw = {"choice": key["right"]}
    value = type_of(kind).clean_answer(shown=shown, raw=raw)
    assert share_of(kind, (shown, key), value) == 1


def with_one_more_right(kind: str, item: tuple[Json, Json], value: Json | None, data: st.DataObject) -> Any:
    """The same answer and one right thing more, or one wrong thing put right."""
    shown, key = item
    if kind == "multiple":
        return {"choices": [*(value or {"choices": []})["choices"], data.draw(st.sampled_from(key["right"]))]}
    if kind == "matching":
        stem = data.draw(st.sampled_from(shown["stems"]))["id"]
        choices = dict((value or {"choices": {}})["choices"])
        choices[stem] = [*choices.get(stem, []), data.draw(st.sampled_from(key["right"][stem]))]
        return {"choices": choices}
    if kind == "ordering":
        place = data.draw(st.integers(1, len(key["right"])))
        return {"places": {**(value or {"places": {}})["places"], key["right"][place - 1]: place}}
    middles = [one.name for one in type_of(kind).categories(shown=shown, key=key) if one.is_right]
    cell = data.draw(st.sampled_from(middles))
    point = [(ord(cell[0]) - ord("A")) * 10 + 5, (int(cell[1:]) - 1) * 10 + 5]
    return {"points": [*(value or {"points": []})["points"], point]}


@pytest.mark.parametrize("kind", ["multiple", "matching", "ordering", "hotspot"])
@settings(max_examples=50)
@given(data=st.data())
def test_more_that_is_right_never_gives_less(kind: str, data: st.DataObject) -> None:
    item = data.draw(items(kind))
    assume(item[1].get("rule") != "pairs")  # a piece that is moved alone to its own place leaves its neighbours
    value = data.draw(answers(kind, item[0]))
    try:
        more = type_of(kind).clean_answer(shown=item[0], raw=with_one_more_right(kind, item, value, data))
    except AnswerError:
        assume(False)  # no more may be chosen
    if kind == "hotspot" and value is not None and more is not None:
        assume(all(point in more["points"] for point in value["points"]))  # of two in one cell one is left
    assert share_of(kind, item, more) >= share_of(kind, item, value)


@few
@given(data=st.data())
def test_a_neighbour_more_never_gives_less(data: st.DataObject) -> None:
    """Of the right order from its beginning: the longer a doctor's piece of it, the more it is worth."""
    shown, key = data.draw(items("ordering"))
    shares = []
    for length in range(1, len(key["right"]) + 1):
        places = {name: place for place, name in enumerate(key["right"][:length], 1)}
        shares.append(share_of("ordering", (shown, {**key, "rule": "pairs"}), {"places": places}))
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)


@pytest.mark.parametrize("kind", CLOSED)
@few
@given(data=st.data())
def test_no_order_of_options_or_choices_matters(kind: str, data: st.DataObject) -> None:
    shown, key = data.draw(items(kind))
    value = data.draw(answers(kind, shown))
    assume(value is not None)
    assert value is not None
    other_shown, other_key = dict(shown), dict(key)
    for name in ("options", "stems", "entries"):
        if name in shown:
            other_shown[name] = data.draw(st.permutations(shown[name]))
    for name in ("right", "areas"):
        if isinstance(key.get(name), list) and kind != "ordering":
            other_key[name] = data.draw(st.permutations(key[name]))
    other_shown, other_key = type_of(kind).clean(shown=other_shown, key=other_key)
    raw: Json = {}
    for name, chosen in value.items():
        raw[name] = data.draw(st.permutations(chosen)) if isinstance(chosen, list) else chosen
        if kind == "matching":
            raw[name] = {stem: data.draw(st.permutations(options)) for stem, options in chosen.items()}
    again = type_of(kind).clean_answer(shown=other_shown, raw=raw)
    assert again is not None
    assert mark(kind, (other_shown, other_key), again) == mark(kind, (shown, key), value)
    assert sorted(type_of(kind).chosen(shown=other_shown, value=again)) == sorted(
        type_of(kind).chosen(shown=shown, value=value)
    )


@pytest.mark.parametrize("kind", CLOSED)
@few
@given(data=st.data())
def test_what_was_chosen_is_among_the_categories_and_right_where_the_mark_says_so(
    kind: str, data: st.DataObject
) -> None:
    shown, key = data.draw(items(kind))
    value = data.draw(answers(kind, shown))
    assume(value is not None)
    assert value is not None
    categories = {one.name: one for one in type_of(kind).categories(shown=shown, key=key)}
    chosen = type_of(kind).chosen(shown=shown, value=value)
    assert chosen
    assert set(chosen) <= categories.keys()
    if kind in ("single", "true_false"):
        assert categories[chosen[0]].is_right == (share_of(kind, (shown, key), value) == 1)
    assert type_of(kind).describe(shown=shown, value=value)
    rows = type_of(kind).rows(shown=shown, key=key, value=value)
    assert any(row.right for row in rows)
    assert not any(row.chosen for row in type_of(kind).rows(shown=shown, key=key, value=None))
