"""E-mail by SMTP, through a real connection to a server that fails at every step there is."""

import email.policy
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from reminders.enums import Channel
from reminders.transports import Transport, transport_for
from reminders.transports.base import Accepted, Attachment, BadCallbackError, Callback, Outgoing, Refused, Uncertain
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import MailServer, closed_port, mail_server

TO = "meera.nair@example.org"
INVITATION = Attachment(
    "webinar.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar; method=REQUEST; charset=utf-8"
)


@pytest.fixture
def box(configure: Configure, settings: Settings) -> Iterator[MailServer]:
    with mail_server() as box:
        configure(MESSAGES_EMAIL="smtp", MESSAGES_FROM="Rounds <messages@learn.example.org>")
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield box


@pytest.fixture
def smtp(box: MailServer) -> Transport:
    found = transport_for(Channel.EMAIL)
    assert found is not None
    return found


def outgoing(number: int = 1, **values: Any) -> Outgoing:
    shown: dict[str, Any] = {
        "key": UUID(int=number),
        "address": TO,
        "subject": "We are live",
        "text": "Dear Dr Nair,\n\nwe are live.\n",
        "html": "<p>Dear Dr Nair,</p><p>we are live.</p>",
    }
    return Outgoing(**(shown | values))


def parsed(box: MailServer, index: int = 0) -> EmailMessage:
    found = message_from_bytes(box.messages[index][1], policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_message_arrives_as_it_was_worded(smtp: Transport, box: MailServer) -> None:
    unsubscribe = f"<https://learn.example.org/u/{'t' * 120}/>"
    headers = {"List-Unsubscribe": unsubscribe, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    one = outgoing(
        subject="Wir sind live: Ovarialreserve – ärztliche Fortbildung für alle, die dabei sein wollen, heute um neun",
        text="Guten Tag, Frau Dr. Nair …\n.\n..zwei Punkte\n" + "x" * 1200 + "\n",
        sender_name="Société de fertilité",
        reply_to="office@example.org",
        headers=headers,
        attachments=(INVITATION,),
    )

    assert smtp.send([one]) == [Accepted()]

    got = parsed(box)
    assert got["Subject"] == one.subject
    assert got["From"] == "Société de fertilité <messages@learn.example.org>"
    assert (got["To"], got["Reply-To"]) == (TO, "office@example.org")
    assert {name: got[name] for name in headers} == headers
    assert got["Message-ID"] == f"<{one.key.hex}@learn.example.org>"
    assert got["Auto-Submitted"] == "auto-generated"
    text, html = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == one.text
    assert "we are live" in html.get_content()
    kinds = [part.get_content_type() for part in got.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/calendar", "text/calendar"]
    (attached,) = got.iter_attachments()
    assert (attached.get_filename(), attached.get_param("method")) == ("webinar.ics", "REQUEST")
    assert attached.get_payload(decode=True) == INVITATION.content


def test_no_relay_has_to_convert_anything(smtp: Transport, box: MailServer) -> None:
    """What a relay converts breaks the signature of the one before it."""
    smtp.send(
        [outgoing(text="Ärztin, 卵巣予備能", html="<p>Ärztin</p>", subject="卵巣予備能 " * 20, sender_name="学会")]
    )

    (_to, raw) = box.messages[0]
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.count(b"\r\n") == raw.count(b"\n")
    assert parsed(box)["Subject"] == ("卵巣予備能 " * 20).strip()


@pytest.mark.parametrize("field", ["subject", "sender_name", "reply_to"])
def test_sec_25_no_name_or_title_begins_another_header(smtp: Transport, box: MailServer, field: str) -> None:
    evil: Any = "Rounds\r\nBcc: everybody@example.org\n\nA text of its own"
    if field == "reply_to":
        evil = "office@example.org\r\nBcc: everybody@example.org"

    smtp.send([outgoing(**{field: evil})])

    for index in range(len(box.messages)):
        got = parsed(box, index)
        assert got["Bcc"] is None
        assert "A text of its own" not in str(got.get_body(("plain",)))
    assert [command for command in box.commands if command.startswith("RCPT")] in ([], [f"RCPT TO:<{TO}>"])


def test_an_address_cannot_be_two(smtp: Transport, box: MailServer) -> None:
    bad = ["a@example.org,b@example.org", "a@example.org>\r\nRCPT TO:<b@example.org", "nobody", "", "a b@example.org"]

    results = smtp.send([outgoing(number, address=address) for number, address in enumerate(bad)])

    assert results == [Refused("no valid address", is_hard=True)] * len(bad)
    assert box.messages == []


def test_a_chunk_takes_one_connection(smtp: Transport, box: MailServer) -> None:
    results = smtp.send([outgoing(number, address=f"d{number}@example.org") for number in range(30)])

    assert results == [Accepted()] * 30
    assert [to for to, _ in box.messages] == [f"d{number}@example.org" for number in range(30)]
    assert box.connections == 1


@pytest.mark.parametrize(
    ("reply", "is_temporary", "is_hard"),
    [
        ("550 5.1.1 no such user", False, True),
        ("550 No such mailbox", False, True),
        ("553 5.1.3 bad syntax", False, True),
        ("550 5.7.1 relaying denied", False, False),
        ("550 Relay access denied: unknown client", False, False),
        ("554 5.7.1 blocked by spam list, address unknown here", False, False),
        ("552 5.2.2 mailbox full", False, False),
        ("450 4.2.1 greylisted", True, False),
        ("452 too many recipients", True, False),
    ],
)
def test_a_refused_recipient_spoils_no_other_message(
    smtp: Transport, box: MailServer, reply: str, is_temporary: bool, is_hard: bool
) -> None:
    box.replies["RCPT", "bad@example.org"] = reply

    first, second = smtp.send([outgoing(1, address="bad@example.org"), outgoing(2)])

    assert isinstance(first, Refused)
    assert (first.is_temporary, first.is_hard) == (is_temporary, is_hard)
    assert second == Accepted()
    assert [to for to, _ in box.messages] == [TO]


def test_a_refused_text_says_nothing_about_the_address(smtp: Transport, box: MailServer) -> None:
    box.replies["END", "bad@example.org"] = "554 5.6.0 no such content: unknown"

    first, second = smtp.send([outgoing(1, address="bad@example.org"), outgoing(2)])

    assert first == Refused("refused by the mail server: 554 5.6.0")
    assert second == Accepted()


@pytest.mark.parametrize("how", ["stall", "hang up"])
def test_nobody_knows_what_became_of_it_after_the_last_dot(
    smtp: Transport, box: MailServer, configure: Configure, how: str
) -> None:
    box.after_dot = how
    configure(MESSAGES_TIMEOUT=1)

    (result,) = smtp.send([outgoing()])

    assert isinstance(result, Uncertain)
    assert len(box.messages) == 1


def test_before_the_last_dot_nothing_was_taken(smtp: Transport, box: MailServer) -> None:
    """RFC 5321, 4.2.5: without the end of the text there is no message."""
    box.in_data = "hang up"
    long = "a line\n" * 200_000

    (result,) = smtp.send([outgoing(text=long, html="")])

    assert isinstance(result, Refused)
    assert result.is_temporary
    assert box.messages == []


def test_a_server_that_hangs_up_is_called_again_and_then_left_alone(smtp: Transport, box: MailServer) -> None:
    box.replies["MAIL"] = "421 4.3.2 going down"

    results = smtp.send([outgoing(number) for number in range(10)])

    assert [isinstance(one, Refused) and one.is_temporary for one in results] == [True] * 10
    assert box.connections == 3


def test_after_an_uncertain_one_the_others_go_on_a_new_connection(smtp: Transport, box: MailServer) -> None:
    box.after_dot = "hang up"

    first, second = smtp.send([outgoing(1), outgoing(2)])

    assert isinstance(first, Uncertain)
    assert isinstance(second, Uncertain)
    assert (len(box.messages), box.connections) == (2, 2)


def test_where_nobody_listens_nothing_was_taken(smtp: Transport, settings: Settings) -> None:
    settings.EMAIL_PORT = closed_port()

    results = smtp.send([outgoing(1), outgoing(2)])

    assert [isinstance(one, Refused) and one.is_temporary for one in results] == [True, True]


def test_a_wrong_password_is_named_and_not_quoted(smtp: Transport, box: MailServer, settings: Settings) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "rounds", "5ec2e75ec2e7"
    box.replies["EHLO"] = "250-mail\r\n250 AUTH PLAIN LOGIN"
    box.replies["AUTH"] = "535 5.7.8 wrong"

    (result,) = smtp.send([outgoing()])
    problem = smtp.check()

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (True, False)
    assert "EMAIL_HOST_USER" in problem
    assert "5ec2e7" not in problem + result.why


def test_nobody_calls_back(smtp: Transport) -> None:
    from datetime import UTC, datetime

    with pytest.raises(BadCallbackError):
        smtp.read_callback(Callback("POST", "", {}, b""), now=datetime.now(UTC))
    assert (smtp.can_look_up, smtp.tells_delivery) == (False, False)
