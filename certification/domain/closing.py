"""Activities close by themselves when their time is over: nobody has to think of it."""

from datetime import datetime

from certification.domain.activities import IsNotOpenError, close_activity
from certification.domain.terms import SETTLING
from certification.models import Activity


def close_settled(*, now: datetime) -> int:
    """Returns how many. Each is a transaction of its own, so this may be stopped and run again at any moment."""
    closed = 0
    for activity in Activity.objects.open().filter(ends_at__lte=now - SETTLING).order_by("pk"):
        try:
            close_activity(activity=activity, actor=None, now=now)
        except IsNotOpenError:
            continue
        closed += 1
    return closed
