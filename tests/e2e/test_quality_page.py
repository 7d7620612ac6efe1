"""An operator looks at how well it plays: on a phone and at a desk, in light and dark, without scripts too."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def enter(open_browser: OpenBrowser, site: Site, **options: object) -> BrowserContext:
    context = open_browser(**options)
    value = site.world["reports"]["people"]["moderator"]
    context.add_cookies([{"name": "sessionid", "value": value, "url": site.url, "httpOnly": True}])
    return context


def test_an_operator_reads_how_well_it_plays(open_browser: OpenBrowser, site: Site, complaints: Complaints) -> None:
    path = "/reports/counted/quality/"
    plain = enter(open_browser, site, java_script_enabled=False).new_page()
    plain.goto(f"{site.url}/reports/counted/")
    plain.get_by_role("link", name="How well it plays").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("How well it plays")
    expect(plain.get_by_role("figure", name="Waiting by country")).to_be_visible()
    plain.get_by_role("link", name="Endometriosis: what the evidence says · Live").click()
    expect(plain.locator("#t-lectures ~ div tbody tr")).to_have_count(1)
    plain.get_by_role("link", name="All lectures").click()
    expect(plain.locator("#t-lectures ~ div tbody tr")).to_have_count(2)

    page = enter(open_browser, site).new_page()
    page.goto(site.url + path)
    lighten(page)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        until(page, FITS)
    assert violations(page) == []
    darken(page)
    assert violations(page, *DARK_RULES) == []
    take(page, "numbers-quality", schemes=["light", "dark"])
    assert complaints.unexpected == []
