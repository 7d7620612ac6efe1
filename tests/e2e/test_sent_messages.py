"""The page of development that shows what every channel would have got."""

from uuid import UUID

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import expect

from reminders.enums import Channel
from reminders.transports.base import Accepted, Outgoing, browsers
from reminders.transports.folder import Folder
from tests.e2e.conftest import PHONE, OpenBrowser, Site
from tests.e2e.looking import take, violations

pytestmark = pytest.mark.browser
LINK = "https://learn.example.org/m/abcdefghijklmnopqrstuvwxyz0123456789/"
NUMBER = "+919876543210"
MESSAGES = {
    Channel.EMAIL: Outgoing(
        key=UUID(int=1),
        address="meera.nair@example.org",
        subject="We are live: ovarian reserve, what the numbers mean and what they do not",
        text=f"Dear Dr Nair,\n\nwe are live: {LINK}\n",
        html=f'<p>Dear Dr Nair,</p><p><a href="{LINK}">we are live</a></p>',
    ),
    Channel.SMS: Outgoing(key=UUID(int=2), address=NUMBER, text=f"Dr Nair, we are live: {LINK}"),
    Channel.WHATSAPP: Outgoing(
        key=UUID(int=3), address=NUMBER, template="we_are_live", places=("Dr Nair", "Ovarian reserve"), url=LINK
    ),
    Channel.PUSH: Outgoing(
        key=UUID(int=4),
        address=browsers([("https://fcm.googleapis.com/fcm/send/x", "p", "a")]),
        subject="We are live",
        text="Ovarian reserve",
        url=LINK,
    ),
}


def test_messages_of_every_channel_can_be_read_and_followed(open_browser: OpenBrowser, site: Site) -> None:
    with override_settings(EMAIL_FILE_PATH=site.mail):
        sent = [Folder(channel, settings.MESSAGES).send([one]) for channel, one in MESSAGES.items()]
    assert sent == [[Accepted(one.key.hex)] for one in MESSAGES.values()]

    page = open_browser().new_page()
    page.goto(f"{site.url}/dev/mail/")

    expect(page.get_by_role("heading", name="Sent messages")).to_be_visible()
    for words in ("We are live: ovarian reserve", "we_are_live", NUMBER, "fcm.googleapis.com"):
        expect(page.get_by_text(words).first).to_be_visible()
    assert page.get_by_role("link", name="Open the link").count() >= len(MESSAGES)
    assert violations(page) == []
    take(page, "sent-messages", schemes=("light", "dark"))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
