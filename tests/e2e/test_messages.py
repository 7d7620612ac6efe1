"""Messages in a browser: by keyboard, without scripts, and as people see the pages."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE, OpenBrowser, Site
from tests.e2e.looking import take, violations

pytestmark = pytest.mark.browser


def fits(page: Page) -> bool:
    before = page.viewport_size
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    width = page.evaluate("document.documentElement.scrollWidth")
    if before:
        page.set_viewport_size(before)
    return bool(width <= PHONE["width"])


def test_the_link_of_a_message_leads_in_and_to_ones_calendar(open_browser: OpenBrowser, site: Site) -> None:
    """With the keyboard alone: the button has the focus already."""
    page = open_browser().new_page()
    page.goto(f"{site.url}/m/{site.world['messages']['link']}/")
    take(page, "message-link")
    expect(page.get_by_role("button", name="Open")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/webinars/{site.world['messages']['announced']}/calendar/")
    expect(page.get_by_role("link", name="Google")).to_be_visible()
    assert violations(page) == []
    assert fits(page)
    take(page, "add-to-calendar", schemes=("light", "dark"))
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Another one (file)").click()
    assert waiting.value.suggested_filename == "webinar.ics"


def test_all_of_it_without_scripts(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/m/{site.world['messages']['link_without_script']}/")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Add to my calendar")).to_be_visible()
    page.get_by_role("link", name="Set that up").click()
    page.get_by_role("button", name="Make my address").click()
    expect(page.get_by_role("link", name="Open in my calendar")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Your calendar can no longer read from that address.")).to_be_visible()
    page.get_by_role("checkbox", name="E-mail").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="E-mail")).not_to_be_checked()
    page.goto(f"{site.url}/u/{site.world['messages']['unsubscribe']}/")
    page.get_by_role("button", name="Start them again").click()
    expect(page.get_by_role("heading", name="They go on")).to_be_visible()
    page.goto(f"{site.url}/u/{site.world['messages']['unsubscribe']}/")
    take(page, "unsubscribe")
    page.get_by_role("button", name="Stop them").click()
    expect(page.get_by_text("You get no more e-mails from us")).to_be_visible()
    take(page, "unsubscribed")


def test_new_messages_stand_at_the_envelope_until_they_are_read(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("axe").new_page()
    page.goto(f"{site.url}/account/messages/")
    take(page, "ways", schemes=("light", "dark"))
    page.get_by_role("link", name="Messages 1 new one").click()
    expect(page).to_have_url(f"{site.url}/messages/")
    take(page, "inbox", schemes=("light", "dark"))
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("All are marked as read.")).to_be_visible()
    expect(page.get_by_role("link", name="Messages", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Your certificate is ready").click()
    expect(page).to_have_url(f"{site.url}/credits/")
