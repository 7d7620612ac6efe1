"""In Arabic the page turns round, and the video's timeline does not."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE, OpenBrowser, Site, Watching, until

pytestmark = pytest.mark.browser

UNTURNED = "none"
TURNED = "matrix(-1, 0, 0, 1, 0, 0)"


def turns(page: Page, selector: str) -> set[str]:
    found: list[str] = page.locator(selector).evaluate_all("(all) => all.map((one) => getComputedStyle(one).transform)")
    return set(found)


def box_of(page: Page, selector: str) -> Any:
    box = page.locator(selector).first.bounding_box()
    assert box, selector
    return box


def test_pages_run_from_right_to_left_and_fit_a_phone(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("rtl", "phone").new_page()
    for address in ("/", "/programmes/fertility/", "/account/", f"/webinars/{site.world['webinars']['lecture']}/"):
        page.goto(f"{site.url}{address}")
        root = page.locator("html")
        assert (root.get_attribute("lang"), root.get_attribute("dir")) == ("ar", "rtl")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert box_of(page, ".brand")["x"] > box_of(page, "summary[aria-label] .avatar")["x"], "begins at the right"
    anonymous = open_browser("", "phone", locale="ar").new_page()
    anonymous.goto(f"{site.url}/sign-in/")
    assert anonymous.locator("html").get_attribute("dir") == "rtl"
    assert anonymous.locator("input[name=email]").evaluate("(one) => getComputedStyle(one).direction") == "ltr"


def test_bars_and_arrows_turn_and_what_plays_does_not(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("rtl").new_page()
    page.goto(f"{site.url}/")
    assert turns(page, ".courses .coverage") == {TURNED}
    assert turns(page, ".cover-play .icon, .button .icon:not(.flip)") == {UNTURNED}
    page.goto(f"{site.url}/programmes/fertility/")
    arrows = turns(page, ".course-list .flip")
    assert arrows
    assert UNTURNED not in arrows


def test_the_timeline_runs_from_left_to_right(open_browser: OpenBrowser, site: Site) -> None:
    watching = Watching(open_browser("rtl").new_page(), site).open()
    page = watching.page
    assert turns(page, ".coverage-seek .coverage") == {UNTURNED}
    watching.play()
    watching.seek(45)
    until(page, "() => Number(document.querySelector('[data-part=range]').value) >= 44")
    bar, cursor = box_of(page, "[data-part=coverage]"), box_of(page, "[data-part=coverage-cursor]")
    assert (cursor["x"] - bar["x"]) / bar["width"] == pytest.approx(watching.at / 60, abs=0.05)
    watching.pause()
    before = watching.at
    page.locator("[data-part=range]").press("ArrowLeft")
    watching.wait(f"v => v.currentTime < {before - 3}")
