"""A message sent to whoever writes it, to see it where it will be read. It goes the way of all others."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from courses.models import Programme
from reminders import tasks
from reminders.domain import consent
from reminders.domain.examples import example
from reminders.domain.values import Values
from reminders.enums import Channel, Kind
from reminders.models import Delivery, MessageTemplate

LASTS = timedelta(minutes=15)
ABOUT = "template"


class TestError(ValueError):
    """Nothing will be sent; the text is for whoever asked."""

    __test__ = False  # pytest would take it for a class of tests


@transaction.atomic
def send_test(
    *,
    template: MessageTemplate,
    programme: Programme,
    doctor: User | None,
    actor: User,
    request: HttpRequest | None = None,
    now: datetime,
) -> Delivery:
    """To the author's own address, in words for `doctor` or an invented one. Its link signs in nobody.

    Raises TestError where the author has no address for the channel.
    """
    channel = Channel(template.channel)
    if channel not in {Channel.INBOX, Channel.PUSH} and not consent.address_of(actor, channel):
        raise TestError(_("Your own account has no phone number. Add it on your account page, then try again."))
    one = Delivery.objects.create(
        programme=programme,
        user=actor,
        kind=Kind.TEST,
        subject=f"{ABOUT}/{template.pk}/{doctor.pk if doctor else 0}",
        slot=uuid4().hex,
        channel=channel,
        due_at=now,
        expires_at=now + LASTS,
        template=template,
    )
    details = {"channel": channel, "kind": template.kind, "as": doctor.pk if doctor else None}
    transaction.on_commit(tasks.drain.delay, robust=True)
    audit.record("message_template.tested", actor=actor, subject=template, request=request, details=details, now=now)
    return one


def tested_values(deliveries: Sequence[Delivery], *, now: datetime) -> dict[int, Values]:
    """By the delivery. A few at a time, so each may ask for itself. A doctor who is gone is an invented one."""
    found: dict[int, Values] = {}
    for one in deliveries:
        if one.template is None:
            continue
        _about, _slash, doctor = one.subject.rpartition("/")
        user = User.objects.filter(pk=int(doctor)).first() if doctor.isdecimal() else None
        found[one.pk] = example(one.template.kind, user=user, programme=one.programme, now=now)
    return found
