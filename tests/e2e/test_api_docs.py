"""The API's page draws itself under the strict policy, and calls the API as whoever is signed in."""

import pytest
from playwright.sync_api import expect

from tests.api.openapi import document
from tests.e2e.conftest import OpenBrowser, Site

pytestmark = pytest.mark.browser


def test_sec_34_the_page_works_without_inline_code_and_changes_with_the_token(
    site: Site, open_browser: OpenBrowser
) -> None:
    """A quiet console is checked at the end of every browser: a blocked style or script would stand there."""
    page = open_browser("units").new_page()
    page.goto(f"{site.url}/api/v1/docs/")

    expect(page.locator(".opblock")).to_have_count(sum(len(operations) for operations in document()["paths"].values()))
    patch = page.locator(".opblock-patch", has_text="/api/v1/me/")
    patch.locator("button.opblock-summary-control").click()
    patch.get_by_role("button", name="Try it out").click()
    patch.locator("textarea").fill('{"specialty": "Andrology"}')
    patch.get_by_role("button", name="Execute").click()

    expect(patch.locator(".live-responses-table tr.response .response-col_status").first).to_contain_text("200")
    assert site.rows("SELECT count(*) FROM accounts_user WHERE specialty = 'Andrology'") == [(1,)]
