"""Answers as they come in: from anybody, in any shape; and from the pages of each kind."""

import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.domain.sheet import Line
from assessments.enums import ItemKind
from assessments.items import type_of
from assessments.items.base import AnswerError, ItemError, Json
from tests.assessments.items.samples import DRAFTS
from tests.assessments.items.strategies import KINDS, NEAR, RAW, answers, drafts, items

pytestmark = pytest.mark.django_db  # the pages look for pictures


def cleaned(kind: str) -> tuple[Json, Json]:
    shown, key = DRAFTS[kind]
    return type_of(kind).clean(shown=shown, key=key)


def line_of(kind: str, shown: Json, value: Json | None, order: Sequence[str] = ()) -> Line:
    view = type_of(kind).view(shown=shown, order=order, value=value)
    return Line(
        position=2,
        section=0,
        points="1.00",
        kind=kind,
        stem="",
        story="",
        story_images=(),
        view=view,
        value=value,
        saved=0,
        is_flagged=False,
        is_open=True,
    )


class Fields(HTMLParser):
    """What a browser would send of a form: checked boxes, chosen options, texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.ids: list[str] = []
        self._select = self._area = ""
        self._text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "input" and (given["type"] == "text" or "checked" in given):
            self._add(given["name"], given.get("value", ""))
        elif tag == "select":
            self._select = given["name"]
            self.fields.setdefault(self._select, [""])
        elif tag == "option" and "selected" in given:
            self.fields[self._select] = [given["value"]]
        elif tag == "textarea":
            self._area, self._text = given["name"], []

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._add(self._area, "".join(self._text).removeprefix("\n").replace("\n", "\r\n"))
            self._area = ""

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def fields_of(kind: str, shown: Json, value: Json | None, order: Sequence[str] = ()) -> Mapping[str, Sequence[str]]:
    line = line_of(kind, shown, value, order)
    return Fields(render_to_string(line.template, {"line": line})).fields


def test_every_kind_is_there() -> None:
    assert [type_of(kind).kind for kind in ItemKind] == list(ItemKind)
    assert set(DRAFTS) == set(ItemKind)


@pytest.mark.parametrize("kind", [*KINDS, "vignette"])
@settings(max_examples=50)
@given(raw=RAW)
def test_any_json_is_an_answer_or_none_or_refused(kind: str, raw: Any) -> None:
    """And an answer is what the database can keep, and stays the same when it is read again."""
    shown, key = cleaned(kind)
    try:
        value = type_of(kind).clean_answer(shown=shown, raw=raw)
    except AnswerError:
        return
    if value is None:
        return
    text = json.dumps(value, allow_nan=False)
    assert "\\u0000" not in text
    text.encode()
    assert not any("\ud800" <= one <= "\udfff" for one in _texts(value))
    assert type_of(kind).clean_answer(shown=shown, raw=json.loads(text)) == value
    mark = type_of(kind).mark(shown=shown, key=key, value=value)
    assert mark.share is None or -1 <= mark.share <= 1
    type_of(kind).rows(shown=shown, key=key, value=value)
    type_of(kind).describe(shown=shown, value=value)


def _texts(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(_texts(one) for one in [*value, *value.values()])
    if isinstance(value, list):
        return "".join(_texts(one) for one in value)
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data())
def test_what_a_page_shows_as_chosen_comes_back_as_the_same_answer(kind: str, data: st.DataObject) -> None:
    shown, _key = data.draw(items(kind))
    value = data.draw(answers(kind, shown))
    order = data.draw(st.permutations(type_of(kind).orderable(shown)))
    raw = type_of(kind).read_form(shown=shown, data=fields_of(kind, shown, value, order))
    assert type_of(kind).clean_answer(shown=shown, raw=raw) == value


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_that_was_only_looked_at_is_no_answer(kind: str) -> None:
    shown, _key = cleaned(kind)
    for data in ({}, fields_of(kind, shown, None)):
        raw = type_of(kind).read_form(shown=shown, data=data)
        assert type_of(kind).clean_answer(shown=shown, raw=raw) is None


@pytest.mark.parametrize("kind", [*KINDS, "vignette"])
def test_a_page_names_its_things_after_its_place_and_each_once(kind: str) -> None:
    line = line_of(kind, cleaned(kind)[0], None)
    ids = Fields(render_to_string(line.template, {"line": line})).ids
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("q2-") for one in ids)


@pytest.mark.parametrize("kind", [*KINDS, "vignette"])
def test_sec_29_no_word_of_a_key_is_in_what_a_doctor_gets(kind: str) -> None:
    shown, key = cleaned(kind)
    assert "SECRET" in json.dumps(key)
    orders = [[], type_of(kind).orderable(shown)]
    for order in orders:
        line = line_of(kind, shown, None, order)
        told = json.dumps(line.view) + render_to_string(line.template, {"line": line})
        assert "SECRET" not in told
        assert "7919" not in told  # the right number
        assert not {"right", "answers", "factors", "accepted", "areas", "rubric", "rule"} & _names(line.view)


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_names(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_names(one) for one in value))
    return set()


@settings(max_examples=40)
@given(data=st.data())
def test_sec_29_entries_tell_nothing_of_their_right_order(data: st.DataObject) -> None:
    """Whatever the right order, what is shown of the same entries is the same."""
    shown, key = data.draw(drafts("ordering"))
    other = data.draw(st.permutations(key["right"]))
    one, _ = type_of("ordering").clean(shown=shown, key=key)
    moved = {"entries": data.draw(st.permutations(shown["entries"]))}
    two, _ = type_of("ordering").clean(shown=moved, key={**key, "right": other})
    assert one == two


@pytest.mark.parametrize("kind", [*KINDS, "vignette"])
def test_cleaning_again_changes_nothing(kind: str) -> None:
    shown, key = cleaned(kind)
    assert type_of(kind).clean(shown=shown, key=key) == (shown, key)
    assert json.loads(json.dumps([shown, key])) == [shown, key]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_cleaning_any_question_again_changes_nothing(kind: str, data: st.DataObject) -> None:
    shown, key = data.draw(items(kind))
    assert type_of(kind).clean(shown=shown, key=key) == (shown, key)


@pytest.mark.parametrize("kind", [*KINDS, "vignette"])
@settings(max_examples=40)
@given(data=st.data())
def test_an_authors_mistake_is_told_with_its_field_whatever_it_is(kind: str, data: st.DataObject) -> None:
    shown, key = (dict(one) for one in DRAFTS[kind])
    spoilt = data.draw(st.sampled_from([shown, key]))
    field = data.draw(st.sampled_from(sorted({*spoilt, "images", "rationale", "rationales", "references"})))
    spoilt[field] = data.draw(RAW | NEAR)
    try:
        again = type_of(kind).clean(shown=shown, key=key)
    except ItemError as error:
        told = (str(error), error.field)
        assert all(told), told
        return
    text = json.dumps(again, allow_nan=False)
    assert "\\u0000" not in text
    assert "\\ud800" not in text
    assert type_of(kind).clean(shown=again[0], key=again[1]) == again
