"""People whose credit is shown or written down."""

from collections.abc import Iterable
from datetime import date, datetime

from accounts.domain.mail import zone_of
from accounts.models import User


def hold_people(user_ids: Iterable[int]) -> dict[int, User]:
    """As they are now, and until the transaction ends: whoever erases one of them or closes an account waits, or came
    first and is seen here. One query.

    In order of ids, so that batches wait in a row; after the lock of a chain, never before it.
    """
    people = User.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(user_ids))
    return {one.pk: one for one in people.order_by("pk")}


def today_of(user: User, *, now: datetime) -> date:
    """On the doctor's own wall: in which of a council's years it is."""
    return now.astimezone(zone_of(user)).date()
