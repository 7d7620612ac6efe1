"""What the look at pages finds, on pages of its own: a text that stands as a good one did is not measured again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import looking
from tests.e2e.looking import DARK_RULES, darken, violations

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><head><title>Page</title><style>
    body {{ color: #000; background: #fff; }}
    nav {{ background: #eee; }}
    a {{ color: inherit; }}
    .box {{ background: #fff; padding: 4px; position: relative; width: 300px; }}
    @media (prefers-color-scheme: dark) {{
        body {{ color: #fff; background: #000; }}
        nav, .box {{ background: #222; }}
    }}
    .large {{ font-size: 30px; color: #888; }}
    .inner {{ position: relative; z-index: 1; }}
    {style}
</style></head><body>
    <nav aria-label="Pages"><ul><li><a href="/a">One of them</a></li><li><a href="/b">Another one</a></li></ul></nav>
    <main><h1>A page</h1><p>Words of a paragraph</p><p class="other">Words of another one</p>
    <p class="large">Large words</p>
    <div class="box"><p class="inner">Words in a box</p></div>{more}</main>
</body></html>"""
# A style or words more, and what must be found in the light and in the dark.
SPOILED = {
    "paler text": (".other { color: #aaa !important }", "", "Words of another one"),
    "smaller text": (".large { font-size: 15px }", "", "Large words"),
    "a box of another colour": (".box { background: #333 }", "", "Words in a box"),
    "the page around": ("main { background: #444 }", "", "A page"),
    "see-through": ("main { opacity: .3 }", "", "A page"),
    "see-through inside": (".inner { opacity: .3 }", "", "Words in a box"),
    "something laid under it": (
        ".under { position: absolute; inset: 0; background: #666 }",
        "<script>document.querySelector('.box').insertAdjacentHTML('afterbegin', '<i class=under></i>')</script>",
        "Words in a box",
    ),
    "drawn up over something dark": (
        ".pulled { background: #666; height: 90px } .pulled + p { margin-top: -60px }",
        "<div class=pulled></div><p>Words drawn up</p>",
        "Words drawn up",
    ),
    "words inside a good text": (
        "i { background: #555; color: #333 }", "<p>Good words <i>and pale</i></p>", "and pale"
    ),
    "a form": ("input { color: #bbb; background: #eee }", "<label>Name <input value=Anna></label>", "<input"),
}  # fmt: skip


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def show(page: Page, style: str = "", more: str = "") -> None:
    page.emulate_media(color_scheme="light")
    page.set_content(PAGE.format(style=style, more=more))


def test_a_good_page_is_good_and_then_known(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "GOOD", known := dict[str, None]())
    show(page)
    assert violations(page) == []
    light = list(known)
    assert len(light) == 5  # both links as one, the heading, both paragraphs as one, the large one, the one in the box
    show(page, more="<p>More words</p>")
    assert violations(page) == []
    assert list(known) == light
    darken(page)
    assert violations(page, *DARK_RULES) == []
    assert len(known) == 2 * len(light)


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_pale_is_found_after_good_pages(page: Page, name: str) -> None:
    style, more, words = SPOILED[name]
    show(page)
    assert violations(page) == []
    show(page, style, more)
    (found,) = violations(page)
    assert found.startswith("color-contrast: ")
    assert words in found
    assert violations(page) == [found]  # what is not good is never known


def test_what_is_pale_in_the_dark_alone_is_found(page: Page) -> None:
    show(page, "@media (prefers-color-scheme: dark) { .other { color: #555 } }")
    assert violations(page) == []
    darken(page)
    (found,) = violations(page, *DARK_RULES)
    assert "Words of another one" in found


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("visibility: hidden", ""),
        ("display: none", ""),
        ("opacity: 0", ""),
        ("height: 0; overflow: hidden", "height: 0"),
        ("position: absolute; left: -999px", "position: absolute; left: 0"),
    ],
)
def test_a_text_that_nobody_saw_is_not_known_as_good(page: Page, hidden: str, shown: str) -> None:
    pale = "<div style='{}'><p class=pale>Pale words</p></div>"
    show(page, ".pale { color: #ccc }", pale.format(hidden))
    assert violations(page) == []
    show(page, ".pale { color: #ccc }", pale.format(shown))
    (found,) = violations(page)
    assert "Pale words" in found


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ("<input>", "label"),
        ("<a href=/c></a>", "link-name"),
        ("<ul><b>No item</b></ul>", "list"),
        ("<p role=nothing>Words of a paragraph</p>", "aria-roles"),
        ("<p aria-hidden=perhaps>Words of a paragraph</p>", "aria-valid-attr-value"),
        ("<p>Words around <a href=/d style='color: #222; text-decoration: none'>a link</a></p>", "link-in-text-block"),
    ],
)
def test_what_has_no_colour_is_asked_of_every_page(page: Page, more: str, rule: str) -> None:
    show(page)
    assert violations(page) == []
    show(page, more=more)
    assert [found.split(":")[0] for found in violations(page)] == [rule]
