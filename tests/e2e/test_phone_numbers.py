"""Confirming a number in a browser: by keyboard, without scripts, with wrong codes."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE, OpenBrowser, Site, eventually
from tests.e2e.looking import take, violations

pytestmark = pytest.mark.browser


def codes_to(site: Site, number: str) -> list[str]:
    """Oldest first."""
    found = [json.loads(path.read_text()) for path in sorted(site.mail.glob("2*.json"))]
    return [re.findall(r"\b\d{6}\b", one["text"])[0] for one in found if one["to"] == number]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def fits(page: Page) -> bool:
    before = page.viewport_size
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    width = page.evaluate("document.documentElement.scrollWidth")
    if before:
        page.set_viewport_size(before)
    return bool(width <= PHONE["width"])


def test_a_doctor_confirms_the_number_with_the_keyboard(open_browser: OpenBrowser, site: Site) -> None:
    number = "+919876500001"
    context = open_browser("numbers")
    page = context.new_page()
    page.goto(f"{site.url}/account/messages/")
    page.get_by_role("checkbox", name="SMS").focus()
    page.keyboard.press("Space")
    page.get_by_label("Mobile number").focus()
    page.keyboard.type("+91 98765 00001")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/account/messages/number/")
    field = page.get_by_label("Code from the message")
    expect(field).to_be_focused()
    assert violations(page) == []
    assert fits(page)
    take(page, "number-code", schemes=("light", "dark"))

    first = eventually(lambda: codes_to(site, number))[-1]
    page.keyboard.type(wrong(first))
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is not the code.")).to_be_visible()
    assert violations(page) == []
    take(page, "number-wrong")

    page.goto(f"{site.url}/account/messages/")
    expect(page.get_by_role("checkbox", name="SMS")).to_be_checked()
    assert violations(page) == []
    take(page, "number-waits", schemes=("light", "dark"))
    page.get_by_role("link", name="Type the code").click()
    page.get_by_role("button", name="Send a new code").click()
    expect(page.get_by_text("A new code is on its way.")).to_be_visible()
    second = eventually(lambda: codes_to(site, number)[1:])[-1]
    page.get_by_label("Code from the message").fill(f"{second[:3]} {second[3:]}")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your number is confirmed.")).to_be_visible()
    expect(page.get_by_text("This number is confirmed. A link in a message")).to_be_visible()
    assert violations(page) == []
    take(page, "number-confirmed", schemes=("light", "dark"))
    mail = eventually(lambda: [path for path in site.mail.glob("*.eml") if b"confirmed" in path.read_bytes()])
    assert number.encode() not in mail[0].read_bytes()

    sent = context.new_page()
    sent.goto(f"{site.url}/dev/mail/")
    expect(sent.get_by_text(f"{second} is your code for")).to_be_visible()


def test_all_of_it_without_scripts_and_five_wrong_codes(open_browser: OpenBrowser, site: Site) -> None:
    number = "+919876500002"
    page = open_browser("wordless", java_script_enabled=False).new_page()
    page.goto(f"{site.url}/account/messages/")
    page.get_by_role("checkbox", name="WhatsApp").check()
    page.get_by_label("Mobile number").fill(number)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It comes by WhatsApp")).to_be_visible()
    code = eventually(lambda: codes_to(site, number))[-1]
    for _ in range(5):
        page.get_by_label("Code from the message").fill(wrong(code))
        page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Those were five wrong codes")).to_be_visible()
    take(page, "number-spent")
    page.get_by_role("button", name="Send a new code").click()
    code = eventually(lambda: codes_to(site, number)[1:])[-1]
    page.get_by_label("Code from the message").fill(code)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your number is confirmed.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="WhatsApp")).to_be_checked()
