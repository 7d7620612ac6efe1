"""What a mail server reports into the sender's mailbox becomes what a provider would have told by a callback.

A report is no proof: whoever was sent a message knows its number, and may write one. So it counts for the message
that it names, and for the address that this message went to; it can do no more than a doctor who marks it as unwanted.
"""

import hashlib
from datetime import datetime
from enum import Enum

from django.conf import settings

from reminders.domain.addresses import every_digest
from reminders.domain.told import take
from reminders.enums import Channel, Outcome
from reminders.models import Delivery
from reminders.transports.base import Told
from reminders.transports.reports import Report, Reported, read
from reminders.transports.smtp import NO_MAILBOX, Smtp

OUTCOMES = {"failed": Outcome.BOUNCED, "delivered": Outcome.DELIVERED}


class Taken(Enum):
    NO_REPORT = "no report about a message of ours"
    UNKNOWN = "about a message that is not known here"
    NO_NEWS = "nothing that was not known"
    WRITTEN = "written down"


def take_report(raw: bytes, *, now: datetime) -> Taken:
    """Told again it changes nothing. That a message is late (delayed) is no end of it."""
    report = read(raw)
    if report is None:
        return Taken.NO_REPORT
    one = Delivery.objects.filter(key=report.key, channel=Channel.EMAIL, transport=Smtp.name).first()
    if one is None:
        return Taken.UNKNOWN
    told = [_told(report, said, one, now) for said in report.about if said.action in OUTCOMES]
    new = take(Smtp(Channel.EMAIL, settings.MESSAGES), told, now=now)
    return Taken.WRITTEN if new else Taken.NO_NEWS


def _told(report: Report, said: Reported, one: Delivery, now: datetime) -> Told:
    """The address is wrong for good only where the server says so of the one it went to, and not of one behind it."""
    is_its_own = bytes(one.address_digest or b"") in every_digest(Channel.EMAIL, said.address)
    number = f"{report.key}/{said.address}/{said.action}/{said.status}"
    return Told(
        event_id=hashlib.sha256(number.encode()).hexdigest(),
        provider_id="",
        key=report.key,
        outcome=OUTCOMES[said.action],
        happened_at=now,
        is_hard=is_its_own and tuple(said.status.split(".")) in NO_MAILBOX,
        details={"status": said.status} if said.status else {},
    )
