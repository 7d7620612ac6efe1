"""Messages on the site: read, and what reading them tells about the delivery."""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from reminders.models import Delivery, InboxItem
from reminders.rules import messages_for

UNREAD = "unread_messages"


def unread() -> Coalesce:
    """How many the person of a device has not read yet: asked along by the query that finds the device, for every page
    shows it (`accounts.domain.devices.ask_along`). The partial index holds nothing but unread ones.
    """
    mine = InboxItem.objects.filter(user=OuterRef("user"), read_at=None).order_by().values("user")
    return Coalesce(Subquery(mine.annotate(number=Count("pk")).values("number")), Value(0), output_field=IntegerField())


def page_of(user: User) -> QuerySet[InboxItem]:
    return messages_for(user).select_related("delivery__programme").order_by("-made_at", "-pk")


@transaction.atomic
def open_message(*, item: InboxItem, now: datetime) -> str:
    """Reads it and follows its button. Returns the page it leads to; empty where it leads nowhere."""
    _read(InboxItem.objects.filter(pk=item.pk), now=now)
    if item.path:
        Delivery.objects.filter(pk=item.delivery_id, followed_at=None).update(followed_at=now)
    return item.path


@transaction.atomic
def read_all(*, user: User, until: int, now: datetime) -> int:
    """Those up to the newest that was shown: what came in since then stays new. Returns how many were."""
    return _read(messages_for(user).filter(pk__lte=until), now=now)


def _read(items: QuerySet[InboxItem], *, now: datetime) -> int:
    """The first reading counts."""
    fresh = list(items.filter(read_at=None).select_for_update(of=("self",)).values_list("pk", "delivery_id"))
    if not fresh:
        return 0
    InboxItem.objects.filter(pk__in=[pk for pk, _ in fresh]).update(read_at=now)
    Delivery.objects.filter(pk__in=[delivery for _, delivery in fresh], read_at=None).update(read_at=now)
    return len(fresh)
