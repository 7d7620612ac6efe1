"""Passkeys with a real Chromium and its virtual authenticator: added, used to sign in, used as the second step."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.timezone import now
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.domain import invitations
from accounts.enums import SignInMethod
from accounts.models import Device, User
from tests.factories.accounts import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Answer = TypeVar("Answer")
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def doctor(transactional_db: None) -> User:
    user: User = UserFactory.create(email="meera.nair@example.org")
    return user


@pytest.fixture
def tokens(doctor: User) -> list[str]:
    """Made before the browser starts: its event loop and the database do not go together in one thread."""
    _, token = invitations.invite(user=doctor, created_by=None, now=now())
    return [token]


@pytest.fixture
def context(tokens: list[str]) -> Iterator[BrowserContext]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_context(locale="en-GB")
        browser.close()


def aside(work: Callable[[], Answer]) -> Answer:
    """Runs it in a thread without Playwright's event loop, where Django may ask the database."""

    def run() -> Answer:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=60)


def methods(doctor: User) -> list[str]:
    return list(Device.objects.filter(user=doctor).order_by("created_at").values_list("method", flat=True))


def new_invitation(doctor: User) -> str:
    _, token = invitations.invite(user=doctor, created_by=None, now=now())
    return reverse("accounts:invitation", args=[token])


def with_passkey(context: BrowserContext) -> Page:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return page


def test_a_passkey_is_added_signs_in_and_is_the_second_step(
    live_server: LiveServer, doctor: User, tokens: list[str], context: BrowserContext
) -> None:
    page = with_passkey(context)
    page.goto(live_server.url + reverse("accounts:invitation", args=[tokens[0]]))
    page.get_by_role("button", name="Start now").click()
    page.goto(live_server.url + reverse("mfa_add_webauthn"))
    expect(page.get_by_label("Name of this passkey")).to_have_value("Chrome on Linux")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

    page.goto(live_server.url + reverse("mfa_list_webauthn"))
    expect(page.get_by_text("Chrome on Linux")).to_be_visible()
    page.locator(".menu > summary").click()
    page.locator(".menu-panel").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.locator(".menu > summary")).to_be_visible()
    assert aside(lambda: methods(doctor)) == [SignInMethod.INVITATION, SignInMethod.PASSKEY]

    page.context.clear_cookies()
    page.goto(live_server.url + aside(lambda: new_invitation(doctor)))
    page.get_by_role("button", name="Start now").click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.locator(".menu > summary")).to_be_visible()

    assert aside(lambda: methods(doctor)) == [SignInMethod.INVITATION, SignInMethod.PASSKEY, SignInMethod.INVITATION]
    assert aside(lambda: Device.objects.order_by("created_at").last().mfa_at is not None)  # type: ignore[union-attr]


def test_without_a_passkey_the_page_says_so_and_stays_usable(
    live_server: LiveServer, tokens: list[str], context: BrowserContext
) -> None:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | {"isUserVerified": False}})
    page.goto(live_server.url + "/sign-in/")
    page.get_by_role("button", name="Use a passkey instead").click()

    expect(page.get_by_text("The passkey was not used.")).to_be_visible()
    page.get_by_label("Your e-mail address").fill("meera.nair@example.org")
    page.get_by_role("button", name="Send me a sign-in e-mail").click()
    expect(page.get_by_role("heading", name="Look in your mailbox")).to_be_visible()
