"""What a template may name, and what becomes of it."""

import pytest

from reminders.enums import Kind
from reminders.rendering.placeholders import (
    PLACE,
    allowed,
    check,
    check_names,
    fill,
    named_in,
    paragraphs,
    samples,
    told,
)


@pytest.mark.parametrize("kind", Kind)
def test_every_name_is_offered_once_with_an_example(kind: Kind) -> None:
    names = list(allowed(kind))
    assert len(names) == len(set(names))
    assert all(PLACE.fullmatch("{{ " + name + " }}") for name in names)
    assert all(samples(kind).values())


def test_a_name_of_another_kind_is_unknown_and_says_on_which_line() -> None:
    found = check("Good day\n{{ doctor.name }}\n{{ watch.left_at }}", Kind.LIVE)
    assert [(one.line, one.found) for one in found] == [(3, "watch.left_at")]


def test_a_slip_of_the_pen_is_answered_with_what_was_meant() -> None:
    (problem,) = check("Dear {{ doctor.nam }}", Kind.LIVE)
    assert problem.told == "Line 1: there is no “doctor.nam” in this message. Is it “doctor.name”?"


@pytest.mark.parametrize(
    "text",
    [
        "{{ doctor.name",
        "{{ doctor.name | upper }}",
        "{{ doctor.name|safe }}",
        "{{ doctor.__class__ }}",
        "{{ doctor.name.upper() }}",
        "{{ Doctor.Name }}",
        "{{}}",
        "{% if doctor %}x{% endif %}",
        "{% load i18n %}",
        "{# remark #}",
        "{doctor.name}",
        "a }} b",
        "{{ settings['SECRET_KEY'] }}",
    ],
)
def test_sec_25_nothing_but_a_plain_name_is_a_placeholder(text: str) -> None:
    assert check(text, Kind.LIVE) != []
    assert check(f"good\n{text}", Kind.LIVE)[0].line == 2


@pytest.mark.parametrize("text", ["https://example.org/x", "see www.example.org", "mailto:a@b.org", "javascript://%0a"])
def test_sec_25_links_have_no_place_in_words(text: str) -> None:
    assert [one.line for one in check(text, Kind.LIVE)] == [1]


def test_words_with_braces_percent_and_full_stops_are_words() -> None:
    assert check("90 % of 2.5 mg, e.g. {a 3} – 100%. Write to the office.", Kind.LIVE) == []


def test_numbered_places_name_what_is_allowed() -> None:
    assert check_names(["doctor.name", "webinar.title"], Kind.LIVE) == []
    assert [one.found for one in check_names(["doctor.name", "watch.to_go", 7], Kind.LIVE)] == ["watch.to_go", "7"]


def test_many_problems_are_told_in_few_lines() -> None:
    found = check("\n".join(["{{ a }}"] * 8), Kind.LIVE)
    assert len(told(found)) == 6
    assert told(found)[-1] == "And 3 more."
    assert len(told(found[:5])) == 5


def test_sec_25_a_value_is_never_looked_through_for_places() -> None:
    values = {"doctor.name": "{{ programme.title }}", "programme.title": "secret"}
    assert fill("Dear {{ doctor.name }}", values) == "Dear {{ programme.title }}"
    assert paragraphs("Dear {{ doctor.name }}", values) == [["Dear {{ programme.title }}"]]


def test_a_line_of_which_nothing_is_known_is_left_out() -> None:
    who = "{{ webinar.presenters }}"
    text = f"{{{{ webinar.title }}}}\nWith {who}\nat {{{{ webinar.date }}}}\n\nOnly {who}\n\nBye"
    values = {"webinar.title": "T", "webinar.presenters": "", "webinar.date": "D"}
    assert paragraphs(text, values) == [["T", "at D"], ["Bye"]]


def test_line_ends_of_every_system_are_line_ends() -> None:
    assert paragraphs("a\r\nb\rc\n\n\n\r\nd", {}) == [["a", "b", "c"], ["d"]]


def test_words_and_values_are_written_apart() -> None:
    found = paragraphs(
        "<b>{{ doctor.name }}</b>", {"doctor.name": "x"}, words=lambda text: f"[{text}]", value=str.upper
    )
    assert found == [["[<b>]X[</b>]"]]


def test_a_subject_is_one_line() -> None:
    assert fill("a\n{{ doctor.name }}\r\nb", {"doctor.name": "x"}) == "a x b"
    assert fill("to {{ webinar.title }}", {}) == "to"


def test_names_in_order_of_their_first_appearance() -> None:
    assert named_in("{{ b }} {{a}} {{ b }}") == ["b", "a"]
