"""The numbers of a webinar while it is live, in a real browser; and the sheet of paper."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, eventually
from tests.e2e.looking import darken, lighten
from tests.e2e.test_reports import enter

pytestmark = pytest.mark.browser
UPPER_PART = FloatRect(x=0, y=0, width=1280, height=1760)


def _number(page: Page, label: str) -> str:
    return page.locator(".kpi", has_text=label).first.locator("b").inner_text()


def test_the_numbers_follow_while_it_is_live_and_stand_still_when_it_is_over(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    live = site.world["reports"]["live"]
    page = enter(open_browser, site).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "x-fragment" in request.headers else None)
    page.clock.install()
    page.goto(f"{site.url}/presenting/{live}/")
    page.evaluate("window.isTheSamePage = true")
    chip = page.locator("[data-live-chip]")
    expect(chip).to_be_visible()
    assert _number(page, "Watched live") == "2"

    def shows(number: str, chips: int) -> bool:
        """After ten seconds of the page's clock; the server keeps its numbers for ten of its own."""
        page.clock.fast_forward(10_000)
        return _number(page, "Watched live") == number and chip.count() == chips

    site.run("tests.e2e.numbers_live_world", "arrive", str(live))
    eventually(lambda: shows("3", 1))
    assert page.evaluate("window.isTheSamePage")

    site.run("tests.e2e.numbers_live_world", "end", str(live))
    eventually(lambda: shows("3", 0))
    assert page.evaluate("window.isTheSamePage")
    number = len(asked)
    for _ in range(6):
        page.clock.fast_forward(10_000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.fast_forward(2_000)
    assert page.evaluate("fetch('/healthz').then((response) => response.ok)")  # whatever was asked before is on its way
    assert len(asked) == number
    assert complaints.unexpected == []


def test_the_sheet_opens_from_the_page(open_browser: OpenBrowser, site: Site, complaints: Complaints) -> None:
    page = enter(open_browser, site).new_page()
    page.goto(f"{site.url}/presenting/{site.world['reports']['webinar']}/")
    link = page.get_by_role("link", name="One page as PDF")
    answer = page.request.get(site.url + str(link.get_attribute("href")))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.body().startswith(b"%PDF-")
    assert complaints.unexpected == []


def test_pictures_for_the_documentation(open_browser: OpenBrowser, site: Site) -> None:
    """`LOOK=docs/images` keeps them."""
    page = enter(open_browser, site).new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{site.url}/presenting/{site.world['reports']['webinar']}/")
    for scheme, change in (("light", lighten), ("dark", darken)):
        change(page)
        expect(page.locator("#numbers figure svg[role=img]").first).to_be_visible()
        if folder := os.environ.get("LOOK"):
            page.screenshot(path=str(Path(folder) / f"presenting-{scheme}.png"), full_page=True, clip=UPPER_PART)
