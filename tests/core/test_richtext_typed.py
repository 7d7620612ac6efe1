"""Typed texts and their HTML: what a form shows is what somebody would have typed, and comes back as the same."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.richtext import as_typed, clean_html, from_typed, is_same_text


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("One line", "One line"),
        ("Two\r\nlines ", "Two<br>lines"),
        ("One\n\n\nTwo\nlines", "<p>One</p><p>Two<br>lines</p>"),
        ("Choose:\n\n- LH\n- FSH", "<p>Choose:</p><ul><li>LH</li><li>FSH</li></ul>"),
        ("1. first\n2. second", "<ol><li>first</li><li>second</li></ol>"),
        ("1. trimester", "1. trimester"),
        ("BP < 90 & falling, p > 0.05", "BP &lt; 90 &amp; falling, p &gt; 0.05"),
        ("H<sub>2</sub>O <b>now</b>", "H<sub>2</sub>O <strong>now</strong>"),
        ("<table><tr><td>x</td></tr></table>", "<table><tbody><tr><td>x</td></tr></tbody></table>"),
        ("a<script>alert(1)</script>\n\n<img src=x onerror=y>b", "<p>a</p><p>b</p>"),
        (" \n ", ""),
    ],
)
def test_what_becomes_of_a_typed_text(typed: str, html: str) -> None:
    assert from_typed(typed) == html


@pytest.mark.parametrize(
    ("html", "typed"),
    [
        ("<p>Which?</p>", "Which?"),
        ("<p>One &lt; two</p><ul><li>a</li><li>b</li></ul>", "One < two\n\n- a\n- b"),
        ("&lt;b&gt; is a tag", "&lt;b> is a tag"),
        ("<ul><li>a<ul><li>deep</li></ul></li></ul>", "<ul><li>a<ul><li>deep</li></ul></li></ul>"),
    ],
)
def test_how_somebody_would_have_typed_it(html: str, typed: str) -> None:
    assert as_typed(html) == typed
    assert is_same_text(from_typed(typed), html)


PIECES = st.lists(
    st.sampled_from([
        "word", " ", "\n", "\n\n", "- ", "1. ", "<p>", "</p>", "<ul>", "<li>", "</li>", "</ul>", "<br>", "<strong>",
        "</strong>",
        "<sub>2</sub>", "&lt;", "&amp;", "&gt;", "&nbsp;", "<", ">", "&", "<table>", "<td>", "&amp;lt;", "é", "؟",
    ]),
    max_size=14,
)  # fmt: skip


@given(PIECES)
def test_whatever_html_there_is_survives_a_form(pieces: list[str]) -> None:
    html = clean_html("".join(pieces))
    assume(clean_html(html) == html)  # HTML that is broken enough takes the parser two rounds
    assert is_same_text(from_typed(as_typed(html)), html)


@given(PIECES)
def test_what_was_typed_stays_the_same_from_the_second_time_on(pieces: list[str]) -> None:
    once = from_typed("".join(pieces))
    assume(clean_html(once) == once)
    assert is_same_text(from_typed(as_typed(once)), once)
