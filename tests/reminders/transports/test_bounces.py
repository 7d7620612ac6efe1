"""Messages that come back by mail: a report of the mail server, and what it may say about whom."""

import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from reminders.domain import consent
from reminders.domain.bounces import Taken, take_report
from reminders.domain.sending import send_some
from reminders.enums import Channel, DeliveryState
from reminders.models import Delivery, ProviderEvent, Suppression
from reminders.transports.mail_parts import message_id
from reminders.transports.reports import read
from tests.reminders.factories import NOW, DeliveryFactory
from tests.reminders.outbox.test_sending import due
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import mail_server

pytestmark = pytest.mark.django_db
TO = "meera@example.org"
HEADERS = "Received: from learn.example.org\r\nMessage-ID: {number}\r\nTo: {to}\r\nSubject: We are live\r\n"


def report(
    headers: str,
    *,
    to: str = TO,
    action: str = "failed",
    status: str = "5.1.1",
    kind: str = "message/rfc822",
    more: str = "",
) -> bytes:
    """As Postfix writes it (RFC 3464). `more` fields stand before the others."""
    block = f"{more}Final-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\n"
    return (
        "From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\r\nTo: messages@learn.example.org\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B/mx"\r\n\r\n'
        "--B/mx\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        "This is the mail system at host mx.example.org. I'm sorry.\r\n\r\n"
        "--B/mx\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.org\r\nArrival-Date: Tue, 12 Jan 2027 12:00:00 +0000 (UTC)\r\n\r\n"
        f"{block}\r\n"
        f"--B/mx\r\nContent-Type: {kind}\r\n\r\n{headers}\r\nMessage-ID: <of-the-text@example.org>\r\n"
        "--B/mx--\r\n"
    ).encode()


def sent(**values: Any) -> Delivery:
    shown: dict[str, Any] = {
        "state": DeliveryState.SENT,
        "transport": "smtp",
        "address_digest": consent.address_digest(Channel.EMAIL, TO),
    }
    return DeliveryFactory.create(**(shown | values))


def about(one: Delivery, **more: str) -> bytes:
    return report(HEADERS.format(number=message_id(one.key), to=TO), **more)


def suppressed() -> list[tuple[str, bytes]]:
    return [(row.reason, bytes(row.address_digest)) for row in Suppression.objects.filter(lifted_at=None)]


def test_what_a_mail_server_took_and_sends_back_is_written_down(configure: Configure, settings: Settings) -> None:
    """The report has the headers of what left here, as they left."""
    found = due()
    with mail_server() as box:
        configure(MESSAGES_EMAIL="smtp", MESSAGES_FROM="Rounds <messages@learn.example.org>")
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        send_some(channel=Channel.EMAIL, clock=lambda: NOW)
    ((to, raw),) = box.messages
    headers = raw.partition(b"\r\n\r\n")[0].decode() + "\r\n"

    assert take_report(report(headers, to=to), now=NOW) is Taken.WRITTEN

    one = Delivery.objects.get()
    assert (one.state, one.bounced_at, one.error) == (DeliveryState.SENT, NOW, "bounced: 5.1.1")
    assert suppressed() == [("hard_bounce", consent.address_digest(Channel.EMAIL, found.doctors[0].email))]
    assert take_report(report(headers, to=to), now=NOW) is Taken.NO_NEWS
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize(
    ("status", "is_hard"), [("5.1.1", True), ("5.1.10", True), ("5.2.2", False), ("5.7.1", False), ("4.4.7", False)]
)
def test_only_a_mailbox_that_is_none_is_left_alone(kind: str, status: str, is_hard: bool) -> None:
    one = sent()

    assert take_report(about(one, kind=kind, status=status), now=NOW) is Taken.WRITTEN

    one.refresh_from_db()
    assert (one.bounced_at, one.error) == (NOW, f"bounced: {status}")
    assert bool(suppressed()) is is_hard


def test_that_nobody_knew_whether_it_left_is_known_then() -> None:
    one = sent(state=DeliveryState.UNKNOWN)

    take_report(about(one), now=NOW)

    one.refresh_from_db()
    assert (one.state, one.bounced_at) == (DeliveryState.SENT, NOW)


def test_a_mailbox_behind_the_doctors_own_says_nothing_about_theirs() -> None:
    """Forwarded to another one, which is gone."""
    one = sent()

    take_report(about(one, to="other@elsewhere.example"), now=NOW)

    one.refresh_from_db()
    assert (one.bounced_at, suppressed()) == (NOW, [])


def test_the_address_as_it_was_written_counts_where_the_server_knows_it() -> None:
    one = sent()

    take_report(
        about(one, to="uid4711@mailstore.example", more=f"Original-Recipient: rfc822;{TO.upper()}\r\n"), now=NOW
    )

    assert suppressed() == [("hard_bounce", bytes(one.address_digest or b""))]


@pytest.mark.parametrize(("action", "taken"), [("delayed", Taken.NO_NEWS), ("relayed", Taken.NO_NEWS)])
def test_what_is_only_late_has_not_ended(action: str, taken: Taken) -> None:
    one = sent()

    assert take_report(about(one, action=action, status="4.4.1"), now=NOW) is taken

    one.refresh_from_db()
    assert (one.bounced_at, one.delivered_at) == (None, None)


def test_one_that_arrived_is_told_too() -> None:
    one = sent()

    take_report(about(one, action="delivered", status="2.0.0"), now=NOW)

    one.refresh_from_db()
    assert (one.bounced_at, one.delivered_at) == (None, NOW)


def test_sec_27_a_report_counts_for_no_message_that_it_does_not_name() -> None:
    """Nor for one of another provider, which would have told by itself."""
    mine, other, theirs = sent(), sent(), sent(transport="ses")
    forged = report(HEADERS.format(number="<00000000000000000000000000000000@learn.example.org>", to=TO))

    assert take_report(forged, now=NOW) is Taken.UNKNOWN
    assert take_report(about(theirs), now=NOW) is Taken.UNKNOWN
    assert take_report(about(mine), now=NOW) is Taken.WRITTEN

    assert list(Delivery.objects.exclude(bounced_at=None)) == [mine]
    assert other.pk != mine.pk


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"From: meera@example.org\r\nSubject: Thank you\r\n\r\nI will come.",
        b"Content-Type: multipart/report; boundary=B\r\n\r\n",
        b"Content-Type: multipart/report; boundary=B\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n--B--",
        report("Subject: nothing more\r\n"),
        report(HEADERS.format(number="<no-number@example.org>", to=TO)),
        report(HEADERS.format(number="<CA+x@mail.gmail.com>", to=TO)).replace(b"multipart/report", b"multipart/mixed"),
    ],
)
def test_what_is_no_report_of_ours_changes_nothing(raw: bytes) -> None:
    sent()

    assert read(raw) is None
    assert take_report(raw, now=NOW) is Taken.NO_REPORT
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"action": ""},
        {"action": "failed " * 2_000},
        {"status": "no"},
        {"to": "x" * 5_000},
        {"more": "Diagnostic-Code: smtp; 550 \xe9\xff\r\n"},
        {"more": "\r\nAction: failed\r\n\r\n" * 50},
    ],
)
def test_a_strange_report_ends_nothing_and_suppresses_nobody(change: dict[str, str]) -> None:
    one = sent(address_digest=consent.address_digest(Channel.EMAIL, "else@example.org"))

    assert take_report(about(one, **change), now=NOW) in {Taken.WRITTEN, Taken.NO_NEWS}
    assert suppressed() == []


def fed(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    call_command("outbox", "bounce", stdout=said)
    return said.getvalue()


def test_the_command_reads_what_the_mailbox_hands_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what it makes nothing of ends well: else the mail server would send an error to whoever wrote."""
    one = sent()

    assert fed(about(one), monkeypatch) == "Written down.\n"
    assert fed(b"Subject: hello\r\n\r\n", monkeypatch) == "No report about a message of ours.\n"

    one.refresh_from_db()
    assert one.bounced_at is not None


def test_while_the_database_is_away_it_is_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one = sent()

    def away(*_: Any) -> None:
        raise OperationalError("the connection is closed")

    with connection.execute_wrapper(away), pytest.raises(CommandError) as refused:
        fed(about(one), monkeypatch)

    assert refused.value.returncode == 75  # EX_TEMPFAIL
