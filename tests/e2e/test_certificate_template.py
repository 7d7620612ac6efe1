"""A certificate's template in the office: the picture follows what is typed, signatures move; also without a script."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PROGRAMME = "Endometriosis: from guideline to practice"


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
    lighten(page)


def drawn(page: Page, *, other_than: str | None = None) -> str:
    """The picture, once it is another one than before."""
    picture = page.locator("[data-picture] img:not(.is-old)")
    if other_than is not None:
        expect(picture).not_to_have_attribute("src", other_than)
    expect(picture).to_be_visible()
    found = picture.get_attribute("src")
    assert found is not None
    return found


def names(page: Page) -> list[str]:
    rows = page.locator("[data-row]:visible")
    return [rows.nth(at).get_by_label("Name").input_value() for at in range(rows.count())]


def test_the_picture_follows_what_is_typed_and_signatures_move(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    page = open_browser("office").new_page()
    page.goto(f"{site.url}/admin/certification/certificatetemplate/add/")
    page.get_by_label("Programme").select_option(label=PROGRAMME)
    first = drawn(page)
    page.get_by_label("Heading").fill("Diploma of attendance")
    second = drawn(page, other_than=first)
    page.get_by_label("Colour").fill("#ffffee")
    expect(page.get_by_text("This colour is too light to read on white paper.")).to_be_visible()
    expect(page.locator("[data-picture] img.is-old")).to_be_visible()
    look(page, "template-wrong")
    page.get_by_label("Colour").fill("#0b5d66")
    drawn(page)
    for name in ("Prof. Ada First", "Dr. Bea Second"):
        page.get_by_role("button", name="Add a signature").click()
        page.locator("[data-row]:visible").last.get_by_label("Name").fill(name)
    assert names(page) == ["Prof. Ada First", "Dr. Bea Second"]
    page.get_by_role("button", name="Move up").last.focus()
    page.keyboard.press("Enter")
    assert names(page) == ["Dr. Bea Second", "Prof. Ada First"]
    drawn(page, other_than=second)
    look(page, "template-form")
    page.get_by_role("button", name="Remove", exact=True).first.click()
    assert names(page) == ["Prof. Ada First"]
    drawn(page, other_than=second)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Certificates issued from now on look like this.")).to_be_visible()
    rows = site.rows(
        "SELECT signatories FROM certification_certificatetemplate WHERE heading = %s", "Diploma of attendance"
    )
    assert rows == [([{"name": "Prof. Ada First", "role": ""}],)]
    site.rows("DELETE FROM certification_certificatetemplate WHERE heading = %s RETURNING id", "Diploma of attendance")


def test_without_a_script_a_button_shows_it_and_numbers_order_it(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("office", java_script_enabled=False).new_page()
    page.goto(f"{site.url}/admin/certification/certificatetemplate/add/")
    page.get_by_label("Programme").select_option(label=PROGRAMME)
    rows = page.locator("[data-row]")
    assert rows.count() == 4
    for at, name in enumerate(("Second", "First")):
        rows.nth(at).get_by_label("Name").fill(name)
        rows.nth(at).get_by_label("Place").fill(str(2 - at))
    page.get_by_role("button", name="Show how it looks").click()
    expect(page.locator("[data-picture] img")).to_be_visible()
    assert page.locator("[data-row]").first.get_by_label("Place").input_value() == "2"


def test_a_used_one_is_shown_and_the_next_version_is_one_click_away(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("office").new_page()
    ((used,),) = site.rows(
        "SELECT t.id FROM certification_certificatetemplate t JOIN courses_programme p ON p.id = t.programme_id"
        " WHERE t.used_at IS NOT NULL AND p.title = %s",
        PROGRAMME,
    )
    page.goto(f"{site.url}/admin/certification/certificatetemplate/{used}/change/")
    expect(page.locator("img.ct-picture")).to_be_visible()
    look(page, "template-fixed")
    page.get_by_role("link", name="Make version 2 from it").click()
    expect(page.get_by_label("Programme")).to_be_visible()
    drawn(page)
    assert names(page) == ["Prof. Maria Lindqvist"]
