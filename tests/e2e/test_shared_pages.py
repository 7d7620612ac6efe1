"""A sponsor reads figures; a doctor lets them read a name, and takes it back: in a browser, without scripts too."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import LAPTOP, Complaints, OpenBrowser, Site, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def look(page: Page, name: str) -> None:
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
    lighten(page)


def test_a_sponsor_reads_figures_and_a_doctor_decides_about_the_name(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    people = site.world["reports"]["shared"]["people"]
    pages = {}
    for name in ("sponsor", "doctor"):
        context = open_browser(java_script_enabled=name == "sponsor")
        context.add_cookies([{"name": "sessionid", "value": people[name], "url": site.url, "httpOnly": True}])
        pages[name] = context.new_page()
    sponsor, doctor = pages["sponsor"], pages["doctor"]

    sponsor.goto(f"{site.url}/shared/")
    look(sponsor, "shared-list")
    sponsor.get_by_role("link", name="Fertility, with a sponsor").click()
    expect(sponsor.get_by_role("heading", level=1)).to_have_text("Fertility, with a sponsor")
    names = sponsor.get_by_role("region", name="Doctors who agreed to be named").get_by_role("listitem")
    expect(names).to_have_count(6)
    look(sponsor, "shared")

    doctor.goto(f"{site.url}/account/data/")
    doctor.get_by_role("link", name="Your name for sponsors").click()
    doctor.get_by_role("button", name="Do not show my name any more").click()
    expect(doctor.get_by_text("Ended. Your name is shown to nobody any more.")).to_be_visible()
    sponsor.reload()
    expect(names).to_have_count(5)
    doctor.get_by_role("button", name="I agree").click()
    expect(doctor.get_by_text("Saved. You can end this here at any time.")).to_be_visible()
    sponsor.reload()
    expect(names).to_have_count(5)  # with the next day of figures
    assert complaints.unexpected == []
