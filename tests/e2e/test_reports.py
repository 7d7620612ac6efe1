"""Pages of numbers, of presenters and doctors: on a phone and at a desk, in light and dark, without scripts too."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import LAPTOP, Complaints, OpenBrowser, Site, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def enter(open_browser: OpenBrowser, site: Site, who: str = "presenter", **options: object) -> BrowserContext:
    context = open_browser(**options)
    value = site.world["reports"]["people"][who]
    context.add_cookies([{"name": "sessionid", "value": value, "url": site.url, "httpOnly": True}])
    return context


def test_a_presenter_reads_the_numbers_of_a_lecture(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    world = site.world["reports"]
    plain = enter(open_browser, site, java_script_enabled=False).new_page()
    plain.goto(f"{site.url}/presenting/")
    plain.locator(".lecture-line").get_by_role("link", name="Endometriosis: what the evidence says").click()
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


def test_a_doctor_reads_their_own_progress_and_compares_it_if_they_want(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    path = f"/progress/{site.world['reports']['progress']}/"
    page = enter(open_browser, site, "learner", java_script_enabled=False).new_page()
    page.goto(site.url)
    page.get_by_role("link", name="Your progress in numbers").click()
    expect(page).to_have_url(site.url + path)
    expect(page.get_by_text("At this pace your certificate is ready on")).to_be_visible()
    expect(page.locator(".tiles > li")).to_have_count(10)
    page.get_by_role("button", name="Show me the comparison").click()
    expect(page.get_by_text("Half of your 24 colleagues have completed 2 courses or more.")).to_be_visible()

    page = enter(open_browser, site, "learner").new_page()
    for name in ("compared", "alone"):
        page.goto(site.url + path)
        lighten(page)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            until(page, FITS)
        take(page, f"progress-{name}", schemes=["light", "dark"])
        assert (name, violations(page)) == (name, [])
        darken(page)
        assert (name, violations(page, *DARK_RULES)) == (name, [])
        if name == "compared":
            page.get_by_role("button", name="Do not compare any more").click()
            expect(page.get_by_role("button", name="Show me the comparison")).to_be_visible()
    assert complaints.unexpected == []


def test_a_moderator_reads_the_numbers_of_a_programme(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    page = enter(open_browser, site, "moderator").new_page()
    page.goto(f"{site.url}/reports/")
    page.get_by_role("link", name="Fertility, counted").click()
    page.get_by_role("link", name="Was invited and never signed in").click()
    expect(page.locator(".rows > li")).to_have_count(7)
    for name, path in (
        ("reports", "/reports/"),
        ("report", "/reports/counted/"),
        ("risks", "/reports/counted/at-risk/"),
    ):
        page.goto(site.url + path)
        lighten(page)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            until(page, FITS)
        take(page, f"operating-{name}", schemes=["light", "dark"])
        assert (name, violations(page)) == (name, [])
        darken(page)
        assert (name, violations(page, *DARK_RULES)) == (name, [])
    assert complaints.unexpected == []
