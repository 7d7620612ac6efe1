"""From the request to the doctor who reads it: a presenter states, an editor reviews and opens, a doctor goes on."""

import email
import email.policy
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import LAPTOP, Complaints, OpenBrowser, Site, eventually, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def enter(open_browser: OpenBrowser, site: Site, who: str, **options: object) -> BrowserContext:
    context = open_browser(**options)
    value = site.world["disclosures"]["people"][who]
    context.add_cookies([{"name": "sessionid", "value": value, "url": site.url, "httpOnly": True}])
    return context


def look(page: Page, name: str) -> None:
    """At three widths, by axe in light and dark."""
    lighten(page)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        until(page, FITS)
        take(page, name, widths=[width])
    assert (name, violations(page)) == (name, [])
    darken(page)
    assert (name, violations(page, *DARK_RULES)) == (name, [])
    take(page, name, schemes=["dark"], widths=[1440])
    page.set_viewport_size(LAPTOP)  # type: ignore[arg-type]


def link_to(site: Site, address: str) -> str:
    """Of the newest request to this address; empty while none came."""
    for path in sorted(site.mail.glob("*.eml"), reverse=True):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        part = message.get_body(("plain",))
        found = re.search(r"https?://\S+/disclosures/\S+", part.get_content()) if part else None
        if address in str(message["To"]) and found:
            return found.group(0)
    return ""


def press(page: Page, name: str, then: str) -> None:
    """A button of the page, and the one of the dialog that it opens."""
    page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first.click()
    page.locator("[role=dialog], dialog, #modal").get_by_role("button", name=then).last.click()


def test_a_statement_from_the_request_to_the_doctor(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    complaints.allow("status of 422", "status of 404")
    world = site.world["disclosures"]
    activity = f"{site.url}/admin/certification/activity/{world['activity']}/change/"
    lecture = f"{site.url}/webinars/{world['webinar']}/"
    office = enter(open_browser, site, "credit-office").new_page()
    doctor = enter(open_browser, site, "credit-doctor", java_script_enabled=False).new_page()
    doctor.goto(lecture)
    assert doctor.url == lecture  # nothing is accredited yet

    office.goto(activity)
    expect(office.get_by_text("has not stated anything yet")).to_be_visible()
    look(office, "activity-not-ready")
    office.get_by_role("link", name="Authorities", exact=True).click()
    expect(office.get_by_label("Part of a quarter")).to_be_visible()
    look(office, "activity-authorities")
    office.get_by_role("link", name="People", exact=True).click()
    expect(office.get_by_role("link", name="Nothing stated yet")).to_be_visible()
    look(office, "activity-people")
    press(office, "Open this activity", "Open it")
    expect(office.get_by_text("It cannot open yet:")).to_be_visible()
    press(office, "Ask for missing disclosures", "Send the e-mails")
    expect(office.get_by_text("1 e-mail is on its way.")).to_be_visible()

    states(open_browser, site, eventually(lambda: link_to(site, world["presenter"])))

    office.goto(f"{site.url}/admin/certification/discloser/{world['discloser']}/change/")
    expect(office.get_by_text("Acme Pharma")).to_be_visible()
    look(office, "discloser-to-review")
    office.get_by_role("link", name="Review what was stated").or_(
        office.get_by_role("button", name="Review what was stated")
    ).first.click()
    office.get_by_label("Relevant, and mitigated").check()
    office.get_by_label("What was done").fill("Two colleagues without relationships reviewed the slides.")
    office.get_by_role("button", name="Keep the review").click()
    expect(office.get_by_text("The review was kept.")).to_be_visible()
    office.goto(activity)
    expect(office.get_by_text("Nothing is missing: it can open.")).to_be_visible()
    press(office, "Open this activity", "Open it")
    expect(office.get_by_text("It is open.")).to_be_visible()
    look(office, "activity-open")

    reads(open_browser, site, doctor, lecture)


def states(open_browser: OpenBrowser, site: Site, link: str) -> None:
    """Without an account; looked at with a script (axe needs one), signed without."""
    looking = open_browser().new_page()
    looking.goto(link)
    look(looking, "disclosure-form")
    looking.get_by_role("radio", name="Yes").check()
    expect(looking.get_by_role("group", name="Company 1")).to_be_visible()
    look(looking, "disclosure-form-yes")
    looking.get_by_role("button", name="Sign and send").click()
    expect(looking.get_by_text("Nothing was kept yet.")).to_be_visible()
    look(looking, "disclosure-form-wrong")
    looking.goto(f"{site.url}/disclosures/nobodys/")
    look(looking, "disclosure-unknown")

    page = open_browser(java_script_enabled=False).new_page()
    page.goto(link)
    expect(page.get_by_role("group", name="Company 1")).to_be_visible()
    page.get_by_role("radio", name="Yes").check()
    page.get_by_role("button", name="More rows").click()
    row = page.get_by_role("group", name="Company 2")
    row.get_by_label("Company").fill("Acme Pharma")
    row.get_by_label("What kind of relationship").select_option("speaking")
    page.get_by_label("Your full name, as your signature").fill("Ana Ribeiro")
    page.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_role("heading", name="Thank you. That is all.")).to_be_visible()
    expect(page.get_by_text("Acme Pharma")).to_be_visible()
    looking.goto(page.url)
    look(looking, "disclosure-thanks")


def reads(open_browser: OpenBrowser, site: Site, doctor: Page, lecture: str) -> None:
    looking = enter(open_browser, site, "credit-doctor").new_page()
    looking.goto(lecture)
    expect(looking.get_by_role("heading", name="AMH: reserve and reality")).to_be_visible()
    look(looking, "disclosure-sheet")
    assert site.rows("SELECT count(*) FROM certification_acknowledgement") == [(0,)]

    doctor.goto(lecture)
    assert "/disclosures/" in doctor.url
    expect(doctor.get_by_text("Two colleagues without relationships")).to_be_visible()
    doctor.get_by_role("button", name="I have read this: go on").click()
    expect(doctor).to_have_url(lecture)
    assert site.rows("SELECT count(*) FROM certification_acknowledgement") == [(1,)]
    doctor.goto(lecture)
    assert doctor.url == lecture

    presenter = enter(open_browser, site, "credit-presenter").new_page()
    presenter.goto(lecture)
    assert presenter.url == lecture  # who presents is not stopped
