"""A webinar's life in a doctor's calendar, as its mail server took it: one entry, each change a higher number."""

import email.policy
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest
import vobject
from pytest_django.fixtures import Settings

from reminders.domain.builtin_words import built_in_set
from reminders.domain.running import drain, plan_all
from reminders.enums import Kind
from reminders.models import MessagePolicy
from tests.reminders.factories import NOW, JourneyFactory, scene
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import MailServer, mail_server
from webinars.models import Registration, Webinar

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def minute_of(box: MailServer, *, now: datetime) -> list[tuple[str, Any]]:
    """The scheduler's and the worker's: subjects and calendar files that arrived in it."""
    before = len(box.messages)
    plan_all(now=now)
    drain(clock=lambda: now)
    return [(str(got["subject"]), _file_of(got)) for got in map(_parsed, box.messages[before:])]


def _parsed(message: tuple[str, bytes]) -> Any:
    return message_from_bytes(message[1], policy=email.policy.default)


def _file_of(message: Any) -> Any:
    """Of the two copies (beside the text for programs that show an invitation, attached for the others) the first."""
    files = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    methods = {part.get_param("method") for part in files}
    contents = {part.get_payload(decode=True) for part in files}
    assert len(contents) == 1
    calendar = vobject.readOne(contents.pop().decode())
    calendar.validate(raiseException=True)
    assert methods == {calendar.method.value}
    return calendar


def test_registered_moved_and_cancelled_are_one_entry_with_rising_numbers(
    configure: Configure, settings: Settings
) -> None:
    """The place is taken seconds after the webinar was made, before anybody has looked at its date."""
    made = scene(starts_at=NOW + 5 * DAY)
    MessagePolicy.objects.update(template_set=built_in_set())
    for kind in (Kind.REGISTERED, Kind.MOVED, Kind.CANCELLED):
        JourneyFactory.create(programme=made.programme, kind=kind, offset_minutes=0)
    Registration.objects.create(webinar=made.webinar, user=made.doctors[0], registered_at=NOW - timedelta(seconds=20))
    arrived = []
    with mail_server() as box:
        configure(MESSAGES_EMAIL="smtp", MESSAGES_FROM="Rounds <messages@learn.example.org>")
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        arrived += minute_of(box, now=NOW)
        Webinar.objects.update(starts_at=NOW + 6 * DAY)
        arrived += minute_of(box, now=NOW + HOUR)
        Webinar.objects.update(starts_at=NOW + 7 * DAY)
        arrived += minute_of(box, now=NOW + 2 * HOUR)
        Webinar.objects.update(cancelled_at=NOW)
        arrived += minute_of(box, now=NOW + 3 * HOUR)
        arrived += minute_of(box, now=NOW + 4 * HOUR)

    entries = [calendar.vevent for _subject, calendar in arrived]
    assert [(calendar.method.value, int(calendar.vevent.sequence.value)) for _subject, calendar in arrived] == [
        ("REQUEST", 0), ("REQUEST", 1), ("REQUEST", 2), ("CANCEL", 3)
    ]  # fmt: skip
    (uid,) = {entry.uid.value for entry in entries}
    assert uid.startswith(f"webinar-{made.webinar.pk}@")
    assert len({entry.organizer.value for entry in entries}) == 1
    assert [entry.dtstart.value for entry in entries] == [NOW + days * DAY for days in (5, 6, 7, 7)]
    assert [subject.partition(":")[0] for subject, _calendar in arrived][-1] == "Cancelled"
