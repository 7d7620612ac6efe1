"""E-mails as they reach the reader: through a real SMTP server, in their language, on one header line."""

import email.policy
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core import mail
from django.test import Client
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from accounts import tasks
from accounts.domain import invitations, sign_in
from accounts.domain.mail import build
from accounts.enums import InvitationState
from accounts.models import Invitation, SignInRequest, User
from lms.dev_mail import sent_mails
from tests.accounts.helpers import deliver, link_in
from tests.factories.accounts import UserFactory
from tests.ports import free_port

pytestmark = pytest.mark.django_db


class Mailbox:
    """A mail server that keeps what it got and refuses whom it is told to refuse."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.unknown: set[str] = set()
        self.unwanted: set[str] = set()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        parsed = message_from_bytes(bytes(envelope.original_content or b""), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        if self.unwanted & set(envelope.rcpt_tos):
            return "552 mailbox full"
        self.messages.append(parsed)
        return "250 OK"


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    yield box
    controller.stop()


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content())


def test_a_sign_in_mail_goes_through_smtp_and_its_link_works(mailbox: Mailbox, client: Client, doctor: User) -> None:
    client.post("/sign-in/", {"email": doctor.email})

    tasks.sweep()

    (message,) = mailbox.messages
    assert message["To"] == doctor.email
    assert message["Subject"].startswith("Your sign-in code: ")
    text, html = text_of(message, "plain"), text_of(message, "html")
    code = str(message["Subject"]).rpartition(" ")[2]
    link = next(word for word in text.split() if "/sign-in/link/" in word)
    assert link in html
    assert code in text
    assert code in html
    assert client.post(link.partition("8000")[2]).status_code == 302
    assert client.session["_auth_user_id"] == str(doctor.pk)


def test_one_refused_mailbox_does_not_stop_the_others(mailbox: Mailbox) -> None:
    people = UserFactory.create_batch(4)
    mailbox.unknown, mailbox.unwanted = {people[1].email}, {people[2].email}
    invitations.queue_invitations(user_ids=[person.pk for person in people], created_by=None, now=now())

    tasks.sweep()

    assert sorted(message["To"] for message in mailbox.messages) == sorted(
        person.email for person in (people[0], people[3])
    )
    unsent = Invitation.objects.filter(sent_at=None)
    assert sorted(unsent.values_list("user", "failures")) == sorted((person.pk, 1) for person in people[1:3])


def test_while_the_mail_server_is_away_nothing_is_lost(settings: Settings, doctor: User) -> None:
    """Nothing listens on the port. What could not be sent is free for a later sweep, and no failure is counted."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now())
    request = sign_in.request_sign_in(email=doctor.email, address="192.0.2.1", now=now())

    tasks.sweep()

    assert Invitation.objects.get().failures == 0
    assert SignInRequest.objects.get().sent_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert sign_in.send_request(request_id=request.pk, now=now())
    later = now() + invitations.RETRY_AFTER
    assert invitations.send_queued(now=later) == 1
    assert [message.to for message in mail.outbox] == [[doctor.email]] * 2
    assert Invitation.objects.get().state(later) == InvitationState.SENT


def test_sec_25_a_name_with_line_breaks_makes_no_header(doctor: User) -> None:
    occasion = "Fertility\r\nBcc: everybody@example.org\r\n\r\nBuy now"
    invitation, _token = invitations.invite(user=doctor, created_by=None, now=now(), occasion=occasion)

    message = build("invitation", user=doctor, context={"invitation": invitation, "link": "x", "expires_at": now()})

    assert message.subject == "Your invitation: Fertility Bcc: everybody@example.org Buy now"
    sent = message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert sent["Bcc"] is None
    assert sent["To"] == doctor.email


def test_sec_22_names_are_text_in_the_html_part_and_untouched_in_the_text_part(doctor: User) -> None:
    doctor.last_name = "<b>O'Neill & Sons</b>"
    invitation, _token = invitations.invite(user=doctor, created_by=None, now=now(), occasion="<i>Rounds & more</i>")

    message = build("invitation", user=doctor, context={"invitation": invitation, "link": "x", "expires_at": now()})

    html = str(message.alternatives[0][0])
    assert "<b>O" not in html
    assert "<i>Rounds" not in html
    assert "&lt;b&gt;O" in html
    assert "<b>O'Neill & Sons</b>" in str(message.body)


def test_dates_in_an_invitation_are_of_the_readers_zone(doctor: User) -> None:
    doctor.timezone = "Pacific/Kiritimati"
    invitation, _token = invitations.invite(user=doctor, created_by=None, now=now())
    at = now().replace(year=2026, month=12, day=31, hour=12, minute=0)

    message = build("invitation", user=doctor, context={"invitation": invitation, "link": "x", "expires_at": at})

    assert "1 January 2027" in str(message.body)


def test_an_unknown_zone_in_the_database_is_no_reason_to_send_nothing(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(timezone="Mars/Olympus")
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now())

    assert len(deliver()) == 1


def test_sent_mail_is_shown_with_links_that_work(client: Client, doctor: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "lms.dev_mail.FolderBackend"
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now(), occasion="<b>Rounds</b>")
    tasks.sweep()
    (sent,) = [one for one in sent_mails() if one.to == doctor.email]

    page = client.get("/dev/mail/").content.decode()
    html = client.get(f"/dev/mail/{sent.name}/html/")

    assert "Your invitation: &lt;b&gt;Rounds&lt;/b&gt;" in page
    link = next(one for one in sent.links if "/invitation/" in one)
    assert f'href="{link}"' in page
    assert "Dear Dr Meera Nair" in html.content.decode()
    assert "script-src 'none'" in html["Content-Security-Policy"]
    assert client.post(link.partition("8000")[2]).status_code == 302


@pytest.mark.parametrize("name", ["..%2F..%2Fsettings", "20261121T120000000000-" + "0" * 32, "x"])
def test_the_page_of_sent_mail_opens_no_other_file(client: Client, name: str) -> None:
    assert client.get(f"/dev/mail/{name}/html/").status_code == 404


def test_without_the_setting_there_is_no_such_page(client: Client, settings: Settings) -> None:
    settings.SHOW_SENT_MAIL = False

    assert client.get("/dev/mail/").status_code == 404
    assert client.get(f"/dev/mail/20261121T120000000000-{'0' * 32}/html/").status_code == 404


def test_an_old_link_of_a_mail_sent_twice_is_replaced_not_doubled(doctor: User) -> None:
    """A worker died after the server took the mail and before it said so: the second mail's link is the good one."""
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now())
    (first,) = deliver()
    Invitation.objects.update(sent_at=None)
    invitations.send_queued(now=now() + invitations.CLAIM_LASTS)
    second = mail.outbox[-1]

    assert Client().get(link_in(first)).status_code == 410
    assert Client().get(link_in(second)).status_code == 200
