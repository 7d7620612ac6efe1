"""The HTML that authors write, wherever it came from."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.richtext import TAGS, clean_html, plain_text

PIECES = st.sampled_from([
    "<b>", "</b>", "<p>", "</p>", "<script>", "</script>", "<scr", "ipt>", "<img src=x onerror=alert(1)>",
    "<svg/onload=x>",
    "<a href='javascript:x'>", "</a>", "<style>", "</style>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&amp;lt;",
    "&#60;",
    "<table>", "<td>", "<math>", "<mtext>", "<template>", "<br>", "<i>", "text", "a < b", "\x00", "'\"", "</",
    "<p onclick=x>",
    "<iframe srcdoc='<script>x</script>'>", "<noscript>", "<textarea>", "</title>", "<ul><li>", "5 &gt; 3",
])  # fmt: skip
TAG = re.compile(r"</?([a-z]+)>")


@settings(max_examples=200)
@given(html=st.lists(PIECES, max_size=12).map("".join))
def test_sec_22_only_bare_tags_of_the_subset_are_left(html: str) -> None:
    cleaned = clean_html(html)
    assert set(TAG.findall(cleaned)) <= TAGS
    assert "<" not in TAG.sub("", cleaned)
    assert clean_html(cleaned) == cleaned


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("a &lt; b<br>c", "a < b c"),
        ("<ul><li>x</li><li>y</li></ul>", "x y"),
        ("<strong>5</strong>&nbsp;mg", "5 mg"),
    ],
)
def test_its_words_in_one_line(html: str, words: str) -> None:
    assert plain_text(html) == words
