"""Notices of the browser. Nobody reaches a push service from here: its answer is played, the rest is a browser's."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site
from tests.e2e.looking import take, violations

pytestmark = pytest.mark.browser
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
BYTES = "(text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (s) => s.charCodeAt(0)).buffer"
SERVICE_ANSWERS = f"""PushManager.prototype.subscribe = async (asked) => {{
    if (!asked.userVisibleOnly || asked.applicationServerKey.length !== 65) throw new Error("not as it is asked");
    const keys = {json.dumps(KEYS)};
    const endpoint = "https://fcm.googleapis.com/fcm/send/of-a-test";
    return {{ endpoint, getKey: (name) => ({BYTES})(keys[name]) }};
}}"""
SERVICE_IS_SILENT = """PushManager.prototype.subscribe = () => new Promise(() => {});
const inTime = window.setTimeout;
window.setTimeout = (work, ms, ...more) => inTime(work, ms === 30000 ? 300 : ms, ...more);"""


@pytest.fixture
def allowed(open_browser: OpenBrowser, site: Site) -> BrowserContext:
    context = open_browser("wordless")
    context.grant_permissions(["notifications"], origin=site.url)
    return context


def turn_on(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/account/messages/")
    page.get_by_role("button", name="Turn on in this browser").click()


def subscriptions(site: Site) -> list[tuple[Any, ...]]:
    doctor = int(site.world["doctors"]["wordless"]["id"])
    return site.rows("SELECT endpoint, p256dh, auth FROM reminders_pushsubscription WHERE user_id = %s", doctor)


def test_a_browser_that_is_refused_by_its_service_says_so(
    allowed: BrowserContext, site: Site, complaints: Complaints
) -> None:
    complaints.allow("Push API in incognito mode", "push service", "Registration failed")
    page = allowed.new_page()
    turn_on(page, site)
    expect(page.get_by_text("This browser could not reach its own service for notices.")).to_be_visible()
    assert violations(page) == []
    take(page, "notices-unreachable")
    assert subscriptions(site) == []


def test_so_does_one_that_waits_in_vain(allowed: BrowserContext, site: Site) -> None:
    """As the whole Chromium does without a way out: it asks for ever."""
    allowed.add_init_script(SERVICE_IS_SILENT)
    page = allowed.new_page()
    turn_on(page, site)
    expect(page.get_by_text("This browser could not reach its own service for notices.")).to_be_visible()
    expect(page.get_by_role("button", name="Turn on in this browser")).not_to_have_attribute("aria-disabled", "true")


def test_a_browser_that_is_not_allowed_to_says_so(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("wordless").new_page()
    turn_on(page, site)
    expect(page.get_by_text("This browser does not allow notices from this site.")).to_be_visible()


def test_what_the_service_gives_reaches_the_site(allowed: BrowserContext, site: Site) -> None:
    allowed.add_init_script(SERVICE_ANSWERS)
    page = allowed.new_page()
    turn_on(page, site)
    expect(page.get_by_text("Notices are on in this browser.")).to_be_visible()
    assert subscriptions(site) == [("https://fcm.googleapis.com/fcm/send/of-a-test", KEYS["p256dh"], KEYS["auth"])]
