"""How long messages are kept. What was said in them and where they went: a year. That they were sent, and when: as long
as the account, for it is also what keeps the same message from being sent a second time.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from reminders.domain import notices
from reminders.domain.addresses import rekey
from reminders.domain.phone_codes import KEPT as CODES_KEPT
from reminders.domain.told import forget_old
from reminders.models import Delivery, InboxItem, PhoneCode, PushSubscription

KEPT = timedelta(days=365)
ENDED_BROWSERS_KEPT = timedelta(days=30)
BATCH = 5_000


def tidy(*, now: datetime) -> int:
    """Daily. Returns how many rows were emptied or removed. Whatever is stopped in the middle goes on the next day."""
    rest = ~Q(provider_id="") | ~Q(error="") | Q(address_digest__isnull=False)
    done = 0
    for batch in _batches(Delivery.objects.filter(rest, ended_at__lt=now - KEPT)):
        done += Delivery.objects.filter(pk__in=batch).update(address_digest=None, provider_id="", error="")
    for batch in _batches(InboxItem.objects.filter(made_at__lt=now - KEPT)):
        done += InboxItem.objects.filter(pk__in=batch).delete()[0]
    for batch in _batches(PushSubscription.objects.filter(ended_at__lt=now - ENDED_BROWSERS_KEPT)):
        done += PushSubscription.objects.filter(pk__in=batch).delete()[0]
    for batch in _batches(PhoneCode.objects.filter(asked_at__lt=now - CODES_KEPT)):
        done += PhoneCode.objects.filter(pk__in=batch).delete()[0]
    return done + rekey(now=now) + notices.end_with_devices(now=now) + forget_old(now=now)


def _batches(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """Ids; each batch is gone from `rows` before the next is looked for."""
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield batch
