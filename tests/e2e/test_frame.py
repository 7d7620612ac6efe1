"""What every page does in a browser beyond its HTML: time zone question, menu, keyboard, small screens, no script."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenBrowser, Site, until

pytestmark = pytest.mark.browser
BANNER = "[data-zone-banner]"


def open_home(open_browser: OpenBrowser, site: Site, **options: object) -> Page:
    page = open_browser("frame", **options).new_page()
    page.goto(site.url)
    page.wait_for_load_state("load")
    return page


def test_a_device_in_another_zone_asks_once_and_remembers_to_keep(open_browser: OpenBrowser, site: Site) -> None:
    page = open_home(open_browser, site, timezone_id="Africa/Nairobi")
    page.locator(BANNER).wait_for()
    assert "Your device is set to East Africa Time, but" in page.locator(BANNER).inner_text()
    page.locator("[data-zone-keep]").click()
    assert not page.locator(BANNER).is_visible()
    page.reload()
    until(page, "() => document.readyState === 'complete'")
    assert not page.locator(BANNER).is_visible()
    assert "Times are shown for UTC." in page.locator("footer").inner_text()


def test_the_zone_of_the_device_is_taken_over_with_one_tap(open_browser: OpenBrowser, site: Site) -> None:
    page = open_home(open_browser, site, timezone_id="Asia/Calcutta")
    assert "Your device is set to India Standard Time, but" in page.locator(BANNER).inner_text()
    page.locator(BANNER).get_by_role("button").first.click()
    page.locator("footer", has_text="Times are shown for Kolkata, UTC+5:30.").wait_for()
    assert not page.locator(BANNER).is_visible()
    row = site.rows("SELECT timezone FROM accounts_user WHERE id = %s", int(site.world["doctors"]["frame"]["id"]))
    assert row == [("Asia/Kolkata",)]

    # The same zone by its old name, which is what Chromium reports.
    same = open_home(open_browser, site, timezone_id="Asia/Calcutta")
    until(same, "() => document.readyState === 'complete'")
    assert not same.locator(BANNER).is_visible()

    # Back to the zone that the other tests of this page expect.
    back = open_home(open_browser, site, timezone_id="Etc/UTC")
    back.locator(BANNER).get_by_role("button").first.click()
    back.locator("footer", has_text="Times are shown for UTC.").wait_for()


def test_menu_opens_by_keyboard_and_closes_on_escape_and_outside(open_browser: OpenBrowser, site: Site) -> None:
    page = open_home(open_browser, site)
    menu, summary = page.locator("details[data-menu]"), page.locator("details[data-menu] > summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert menu.get_attribute("open") is not None
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert summary.evaluate("element => element === document.activeElement")
    summary.click()
    page.locator("h1").click()
    assert menu.get_attribute("open") is None


def test_the_first_tab_stop_skips_to_the_content(open_browser: OpenBrowser, site: Site) -> None:
    page = open_home(open_browser, site)
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    assert skip.evaluate("element => element === document.activeElement")
    box = skip.bounding_box()
    assert box
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_screen_and_everything_is_large_enough_to_touch(
    open_browser: OpenBrowser, site: Site, width: int
) -> None:
    page = open_browser("frame", viewport={"width": width, "height": 800}).new_page()
    for path in ("/", "/programmes/", f"/programmes/{site.world['programme']}/"):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        small = page.evaluate(
            """() => [...document.querySelectorAll(".button, nav a, summary, .courses > li")]
                .filter((element) => element.offsetParent && element.getBoundingClientRect().height < 48)
                .map((element) => element.outerHTML.slice(0, 80))"""
        )
        assert small == [], path


def test_without_script_the_menu_the_courses_and_the_way_on_still_work(open_browser: OpenBrowser, site: Site) -> None:
    page = open_home(open_browser, site, java_script_enabled=False)
    assert not page.locator(BANNER).is_visible()
    page.locator("details[data-menu] > summary").click()
    assert page.get_by_role("link", name="My devices").is_visible()
    page.goto(f"{site.url}/programmes/{site.world['programme']}/")
    last = page.locator(".course-list > li").last
    last.locator("summary").click()
    assert last.get_by_text("Cryopreservation").is_visible()
    page.locator("a.button").first.click()
    expect(page).to_have_url(re.compile("/webinars/"))
