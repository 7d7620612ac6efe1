"""A doctor sees what is ready, takes a part of it, and reads how it was counted."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenBrowser, Site
from tests.e2e.looking import DARK_RULES, darken, lighten, take, violations

pytestmark = pytest.mark.browser


def look(page: Page, name: str) -> None:
    lighten(page)
    assert violations(page) == []
    take(page, name)
    take(page, name, schemes=("dark",), widths=(1440,))
    darken(page)
    assert violations(page, *DARK_RULES) == []
    lighten(page)


def test_what_is_ready_is_taken_and_explained(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("credits").new_page()
    page.goto(f"{site.url}/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Credits").click()
    expect(page.get_by_role("heading", name="Your credits")).to_be_visible()
    look(page, "credits")
    ready = page.get_by_role("listitem").filter(has_text="Trigger and luteal phase support")
    ready.get_by_label("How much you take").select_option(label="0.5")
    ready.get_by_role("button", name="Take the credit").click()
    expect(page.get_by_text("It is yours, and stands in your record.")).to_be_visible()
    expect(page.get_by_text("You watched 47 of 60 minutes live.")).to_be_visible()
    expect(page.get_by_text("You took 0.5 of the 0.75 that were there.")).to_be_visible()
    look(page, "credit-granted")
    assert site.rows(
        "SELECT e.credits::text FROM certification_ledgerentry e JOIN certification_claim c ON c.id = e.claim_id"
        " WHERE e.user_id = %s AND c.accreditation_id = %s",
        int(site.world["doctors"]["credits"]["id"]),
        site.world["credits"]["ready"],
    ) == [("0.50",)]

    page.get_by_role("link", name="Your credits").click()
    granted = page.get_by_role("listitem").filter(has_text="AMA PRA Category 1").filter(has_text="Individualised")
    granted.get_by_role("link").click()
    expect(page.get_by_text("The last quarter was an organisational part.")).to_be_visible()
    look(page, "credit-corrected")


def test_what_is_missing_leads_on(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("credits", "phone").new_page()
    page.goto(f"{site.url}/credits/")
    missing = page.get_by_role("listitem").filter(has_text="Ovarian hyperstimulation")
    expect(missing.get_by_text("The evaluation is still to be filled in.")).to_be_visible()
    missing.get_by_role("link", name="Give feedback").click()
    expect(page).to_have_url(f"{site.url}/evaluations/{evaluation_of(site, 'Ovarian hyperstimulation%')}/")


def evaluation_of(site: Site, title: str) -> int:
    ((found,),) = site.rows(
        "SELECT DISTINCT e.id FROM assessments_evaluation e"
        " JOIN certification_activity a ON a.evaluation_id = e.lesson_id WHERE a.title LIKE %s",
        title,
    )
    return int(found)


def test_the_record_is_saved_as_a_table(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("axe").new_page()
    page.goto(f"{site.url}/credits/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save all as a table (CSV)").click()
    assert download.value.suggested_filename == "credits.csv"
    assert len(download.value.path().read_text().splitlines()) >= 5
