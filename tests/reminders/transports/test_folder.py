"""The transport of development: messages of every channel on one page, and no provider."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from lms.dev_mail import sent_mails
from reminders.enums import Channel
from reminders.transports import transport_for
from reminders.transports.base import Accepted, Outgoing, Refused, browsers
from tests.reminders.transports.conftest import Configure

pytestmark = pytest.mark.django_db
ADDRESSES = {
    Channel.EMAIL: "d@example.org",
    Channel.SMS: "+919876543210",
    Channel.WHATSAPP: "+919876543210",
    Channel.PUSH: browsers([("https://fcm.googleapis.com/fcm/send/5ec2e7", "p", "a")]),
}
LINK = "https://learn.example.org/sign-in/link/abcdefghijklmnopqrstuvwxyz/"


@pytest.fixture(autouse=True)
def _in_a_folder(settings: Settings, configure: Configure, tmp_path: Path) -> None:
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    configure(**{f"MESSAGES_{channel.upper()}": "folder" for channel in ADDRESSES})


def send(channel: Channel, number: int) -> Outgoing:
    one = Outgoing(
        key=UUID(int=number),
        address=ADDRESSES[channel],
        subject="" if channel in {Channel.SMS, Channel.WHATSAPP} else f"<i>Live</i> {number}",
        text="" if channel == Channel.WHATSAPP else f"<b>Dr Nair</b>: {LINK}",
        html=f'<p>Dr Nair: <a href="{LINK}">live</a></p>' if channel == Channel.EMAIL else "",
        template="we_are_live" if channel == Channel.WHATSAPP else "",
        places=("Dr Nair",) if channel == Channel.WHATSAPP else (),
        url=LINK if channel in {Channel.WHATSAPP, Channel.PUSH} else "",
    )
    transport = transport_for(channel)
    assert transport is not None
    assert transport.send([one]) == [Accepted(one.key.hex)]
    return one


def test_messages_of_every_channel_are_shown_with_links_that_work(client: Client) -> None:
    for number, channel in enumerate(ADDRESSES, 1):
        send(channel, number)

    page = client.get("/dev/mail/").content.decode()

    shown = sent_mails()
    assert [one.channel for one in shown] == list(reversed(ADDRESSES))
    assert [one.links for one in shown] == [[LINK]] * 4
    assert page.count(f'href="{LINK}"') >= 4
    assert "&lt;b&gt;Dr Nair&lt;/b&gt;" in page
    assert "<b>Dr Nair</b>" not in page
    assert "we_are_live" in page
    assert "5ec2e7" not in page
    assert "fcm.googleapis.com" in page


def test_a_message_is_found_by_its_key() -> None:
    one = send(Channel.SMS, 1)
    transport = transport_for(Channel.SMS)
    assert transport is not None
    at = datetime(2027, 1, 12, tzinfo=UTC)

    assert transport.look_up(one.key, "", at) == Accepted(one.key.hex)
    assert transport.look_up(UUID(int=2), "", at) == Refused("there is no such file", is_temporary=True)


def test_nobody_else_reads_the_folder(settings: Settings) -> None:
    send(Channel.SMS, 1)

    assert Path(settings.EMAIL_FILE_PATH).stat().st_mode & 0o077 == 0


def test_without_the_setting_there_is_no_such_page(client: Client, settings: Settings) -> None:
    send(Channel.SMS, 1)
    settings.SHOW_SENT_MAIL = False

    assert client.get("/dev/mail/").status_code == 404


def test_an_address_that_is_none_is_refused() -> None:
    transport = transport_for(Channel.EMAIL)
    assert transport is not None

    assert transport.send([Outgoing(key=UUID(int=1), address="nobody")]) == [Refused("no valid address", is_hard=True)]
