"""A presenter looks at the numbers of a lecture: on a phone and at a desk, in light and dark, without scripts too."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import LAPTOP, Complaints, OpenBrowser, Site, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def enter(open_browser: OpenBrowser, site: Site, **options: object) -> BrowserContext:
    context = open_browser(**options)
    value = site.world["reports"]["people"]["presenter"]
    context.add_cookies([{"name": "sessionid", "value": value, "url": site.url, "httpOnly": True}])
    return context


def test_a_presenter_reads_the_numbers_of_a_lecture(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    world = site.world["reports"]
    plain = enter(open_browser, site, java_script_enabled=False).new_page()
    plain.goto(f"{site.url}/presenting/")
    plain.get_by_role("link", name="Endometriosis: what the evidence says").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Endometriosis: what the evidence says")
    expect(plain.get_by_text("Watched live", exact=True)).to_be_visible()
    expect(plain.get_by_role("img", name="Who was watching, minute by minute").first).to_be_visible()

    page = enter(open_browser, site).new_page()
    for name, path in (("lectures", "/presenting/"), ("lecture", f"/presenting/{world['webinar']}/")):
        page.goto(site.url + path)
        lighten(page)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            until(page, FITS)
            take(page, f"numbers-{name}", widths=[width])
        assert (name, violations(page)) == (name, [])
        darken(page)
        assert (name, violations(page, *DARK_RULES)) == (name, [])
        take(page, f"numbers-{name}", schemes=["dark"])
        page.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    assert complaints.unexpected == []
