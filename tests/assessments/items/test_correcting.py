"""The form of a key: what is left alone stays as it is, and what is changed is all that changes."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.items import type_of
from assessments.items.base import ItemError
from assessments.items.correcting import KeyField, correcting_of, explaining_fields, read_key
from tests.assessments.items.samples import DRAFTS, Json
from tests.assessments.items.strategies import KINDS, items


def form_of(kind: str, shown: Json, key: Json) -> dict[str, list[str]]:
    """As a browser sends the form that nobody has touched."""
    correcting = correcting_of(kind)
    assert correcting
    fields = [*correcting.fields(shown=shown, key=key), *explaining_fields(correcting, shown=shown, key=key)]
    assert len({field.name for field in fields}) == len(fields)
    return {field.name: _sent(field) for field in fields}


def _sent(field: KeyField) -> list[str]:
    if field.shape == "several":
        return list(field.value)
    assert field.shape != "one" or field.value in dict(field.choices)
    return [field.value]


def corrected(kind: str, shown: Json, key: Json, data: Mapping[str, Any]) -> Json:
    correcting = correcting_of(kind)
    assert correcting
    wanted = read_key(correcting, shown=shown, key=key, data=data)
    same, cleaned = type_of(kind).clean(shown=shown, key=wanted)
    assert same == shown
    return cleaned


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_who_touches_nothing_changes_nothing(kind: str, data: st.DataObject) -> None:
    shown, key = data.draw(items(kind))
    assert corrected(kind, shown, key, form_of(kind, shown, key)) == key


CHANGES: dict[str, tuple[dict[str, list[str]], dict[str, Any]]] = {
    "single": ({"right": ["c"], "why-b": ["No longer"]}, {"right": "c", "rationales": {"b": "No longer"}}),
    "multiple": ({"right": ["e", "a"], "rule": ["minus"]}, {"right": ["a", "e"], "rule": "minus"}),
    "true_false": ({"right": ["false"]}, {"right": False}),
    "matching": ({"right-1": ["d", "e"]}, {"right": {"1": ["d", "e"], "2": ["a", "b", "f"]}}),
    "numeric": (
        {"right": ["7919.5 ±1\n 7920 ±5% =0.25 "], "factor-1": [""]},
        {
            "answers": [
                {"right": "7919.5", "tolerance": "1", "by": "absolute", "share": "1"},
                {"right": "7920", "tolerance": "5", "by": "percent", "share": "0.25"},
            ],
            "factors": {"mg": "1"},
        },
    ),
    "short": (
        {"right": ["oocyte | pick-up\naspiration =0.5"], "folds": ["case"], "sure": ["0,9"], "unsure": [""]},
        {
            "accepted": [{"text": "oocyte | pick-up", "share": "1"}, {"text": "aspiration", "share": "0.5"}],
            "folds": ["case"],
            "sure": "0.9",
            "unsure": None,
        },
    ),
    "essay": (
        {"points-a": ["2,5"]},
        {
            "rubric": [
                {"id": "a", "text": "SECRET names the dose", "points": "2.5"},
                {"id": "b", "text": "SECRET is brief", "points": "1"},
            ]
        },
    ),
    "hotspot": (
        {"right": ["rect 0, 0, 400, 300"], "rule": ["all"]},
        {"areas": [{"id": "1", "shape": "rect", "at": [0, 0, 400, 300]}], "rule": "all"},
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_is_changed_is_all_that_changes(kind: str) -> None:
    shown, key = type_of(kind).clean(shown=DRAFTS[kind][0], key=DRAFTS[kind][1])
    data, changes = CHANGES[kind]
    expected = {**key, **changes}
    assert corrected(kind, shown, key, form_of(kind, shown, key) | data) == expected


def test_places_are_swapped() -> None:
    shown, key = type_of("ordering").clean(shown=DRAFTS["ordering"][0], key=DRAFTS["ordering"][1])
    one, two, *others = key["right"]
    form = form_of("ordering", shown, key) | {f"place-{one}": ["2"], f"place-{two}": ["1"]}
    assert corrected("ordering", shown, key, form)["right"] == [two, one, *others]
    with pytest.raises(ItemError, match="each place from 1 to 4 once"):
        corrected("ordering", shown, key, form | {f"place-{two}": ["2"]})


BROKEN: list[dict[str, list[str]]] = [{"right": one} for one in ([""], ["nonsense"], [], ["rect 1"], ["1 | 2"])]


@pytest.mark.parametrize("kind", [one for one in KINDS if one not in {"essay", "ordering", "matching", "short"}])
@pytest.mark.parametrize("data", BROKEN)
def test_nonsense_is_refused_in_words(kind: str, data: dict[str, list[str]]) -> None:
    shown, key = type_of(kind).clean(shown=DRAFTS[kind][0], key=DRAFTS[kind][1])
    with pytest.raises(ItemError):
        corrected(kind, shown, key, form_of(kind, shown, key) | data)


def test_a_story_has_no_key() -> None:
    assert correcting_of("vignette") is None
