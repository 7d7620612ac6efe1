"""Charts where they are seen: nothing covers anything or leaves its card, axe is content, the script reads values."""

import mimetypes
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Route

from tests.analytics.rendering import specimen
from tests.e2e.looking import BOTH, DARK_RULES, darken, lighten, take, violations

pytestmark = pytest.mark.browser
STATIC = Path(settings.BASE_DIR) / "static"
ORIGIN = "https://charts.test"
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'"
LABELS = ".chart-tick, .chart-label, .chart-pin-number, .chart-parts text"
BOXES = """(selector) => [...document.querySelectorAll(".chart-svg, .chart-parts")].flatMap((svg) => {
    const card = svg.closest(".card").getBoundingClientRect();
    const boxes = [...svg.querySelectorAll(selector)].filter((one) => one.getClientRects().length)
        .map((one) => ({text: one.textContent, box: one.getBoundingClientRect()})).filter(({box}) => box.width);
    const name = svg.closest(".chart").id;
    const found = boxes.filter(({box}) => box.left < card.left || box.right > card.right || box.top < card.top)
        .map(({text}) => `${name}: "${text}" leaves the card`);
    boxes.forEach((one, n) => boxes.slice(n + 1).forEach((other) => {
        const a = one.box, b = other.box;
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 0.5 && high > 2) found.push(`${name}: "${one.text}" on "${other.text}"`);
    }));
    return found;
})"""


def answer(language: str, route: Route) -> None:
    name = route.request.url.removeprefix(f"{ORIGIN}/")
    if not name:
        route.fulfill(
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": POLICY},
            body=specimen.page(language).encode("utf-8"),
        )
        return
    path = STATIC / name
    if path.is_file():
        route.fulfill(content_type=mimetypes.guess_type(name)[0] or "text/plain", body=path.read_bytes())
    else:
        route.fulfill(status=404, body="")


def opened(chromium: Browser, language: str) -> Iterator[Page]:
    context = chromium.new_context(reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    context.route(f"{ORIGIN}/**", lambda route: answer(language, route))
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{ORIGIN}/")
    page.evaluate("document.fonts.ready.then(() => true)")
    yield page
    context.close()
    assert said == []


@pytest.fixture(scope="module")
def english(chromium: Browser) -> Iterator[Page]:
    yield from opened(chromium, "en")


@pytest.fixture(scope="module")
def arabic(chromium: Browser) -> Iterator[Page]:
    yield from opened(chromium, "ar")


@pytest.mark.parametrize("width", [320, 360, 599, 767, 768, 1024, 1440])
def test_no_label_covers_another_one_or_leaves_its_card(english: Page, arabic: Page, width: int) -> None:
    for page in (english, arabic):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".chart-tick").count() > 50
        assert page.evaluate(BOXES, LABELS) == []


# With reduced motion everything changes in a hundredth of a millisecond, but no sooner than in the next frame.
MOVE = """async (x) => {
    const [first, second] = document.querySelectorAll("#chart-many .for-wide .chart-tick");
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    second.removeAttribute("transform");
    await frame();
    const away = first.getBoundingClientRect().left - second.getBoundingClientRect().left;
    if (x !== null) second.setAttribute("transform", `translate(${x || away} 0)`);
    await frame();
}"""


def test_a_label_that_covers_another_one_would_be_seen(english: Page) -> None:
    english.set_viewport_size({"width": 1440, "height": 900})
    english.evaluate(MOVE, 0)
    assert english.evaluate(BOXES, LABELS) == ['chart-many: "0" on "50"']
    english.evaluate(MOVE, -2000)
    assert english.evaluate(BOXES, LABELS) == ['chart-many: "50" leaves the card']
    english.evaluate(MOVE, None)
    assert english.evaluate(BOXES, LABELS) == []


def test_paper_is_light_and_numbers_to_open_are_not_printed(english: Page) -> None:
    english.emulate_media(media="print", color_scheme="dark")
    ground = english.locator(".card").first.evaluate("(one) => getComputedStyle(one).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert not english.locator("#chart-bars .chart-data").is_visible()
    english.emulate_media(media="screen", color_scheme="light")
    assert english.locator("#chart-bars .chart-data").is_visible()


@pytest.mark.long
def test_axe_finds_nothing_in_light_and_dark(english: Page, arabic: Page) -> None:
    english.set_viewport_size({"width": 1440, "height": 900})
    lighten(english)
    assert violations(english) == []
    darken(english)
    assert violations(english, *DARK_RULES) == []
    lighten(english)
    take(english, "charts", schemes=BOTH)
    take(arabic, "charts-ar")


def test_values_are_read_by_keyboard_and_pointer(english: Page) -> None:
    english.set_viewport_size({"width": 1440, "height": 900})
    figure = english.locator("#chart-retention")
    reader, readout = figure.get_by_role("slider"), figure.locator(".chart-readout")
    assert english.get_by_role("slider").count() == 1, "only where the server has sent the values"
    reader.focus()
    english.keyboard.press("Home")
    assert readout.inner_text() == "0:00 · Live 100% · Recording 45%"
    english.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith("0:15 · ")
    assert reader.get_attribute("aria-valuetext") == readout.inner_text()
    english.keyboard.press("End")
    assert readout.inner_text().startswith("1:00:00 · ")
    english.evaluate("document.activeElement.blur()")
    assert readout.inner_text() == ""

    box = figure.locator(".chart-svg").bounding_box()
    assert box
    english.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    assert readout.inner_text().startswith("30:00 · ")
    assert figure.locator(".chart-cursor").get_attribute("x1") == "50%"
    english.mouse.move(0, 0)
    assert readout.inner_text() == ""


REPLACE = """() => {
    const old = document.querySelector("#chart-retention"), fresh = old.cloneNode(true);
    fresh.querySelectorAll(".chart-reader, .chart-readout, .chart-cursor").forEach((one) => one.remove());
    old.replaceWith(fresh);
}"""


def test_who_reads_a_chart_that_is_replaced_goes_on_reading(english: Page) -> None:
    english.locator("#chart-retention").get_by_role("slider").focus()
    english.keyboard.press("Home")
    english.keyboard.press("PageUp")
    before = english.locator("#chart-retention .chart-readout").inner_text()
    assert before.startswith("2:30 · ")
    english.evaluate(REPLACE)
    assert english.locator("#chart-retention .chart-readout").inner_text() == before
    english.keyboard.press("ArrowRight")
    assert english.locator("#chart-retention .chart-readout").inner_text().startswith("2:45 · ")
    english.evaluate("document.activeElement.blur()")
    english.evaluate(REPLACE)
    assert english.locator("#chart-retention .chart-readout").inner_text() == "", "nobody reads any more"
    assert english.evaluate("document.activeElement === document.body")


def test_a_chart_that_comes_later_is_read_as_well(english: Page) -> None:
    english.evaluate("""() => {
        const copy = document.querySelector("#chart-retention").cloneNode(true);
        copy.id = "later";
        copy.querySelectorAll(".chart-reader, .chart-readout, .chart-cursor").forEach((one) => one.remove());
        document.querySelector("main").append(copy);
    }""")
    reader = english.locator("#later").get_by_role("slider")
    reader.focus()
    english.keyboard.press("Home")
    assert english.locator("#later .chart-readout").inner_text() == "0:00 · Live 100% · Recording 45%"
    english.evaluate("document.querySelector('#later').remove()")
