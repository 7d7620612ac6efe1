"""What presenters are told about their stream. The same thing is said once a minute at most, and old notices go."""

from datetime import datetime, timedelta

from django.db import transaction

from webinars.enums import StreamProblem
from webinars.models import StreamNotice

AGAIN = timedelta(seconds=60)
KEPT = 50  # per webinar: wrong keys cost nobody anything
DETAIL_CHARACTERS = 200


@transaction.atomic
def note(*, webinar_id: int, problem: str, detail: str = "", now: datetime) -> StreamNotice | None:
    """None when it was said a moment ago. `detail` is a figure or a name; never a key."""
    notices = StreamNotice.objects.filter(webinar_id=webinar_id)
    if notices.filter(problem=problem, at__gt=now - AGAIN).exists():
        return None
    notice = StreamNotice.objects.create(
        webinar_id=webinar_id, problem=StreamProblem(problem), detail=detail[:DETAIL_CHARACTERS], at=now
    )
    old = notices.order_by("-at", "-pk").values("pk")[KEPT:]
    StreamNotice.objects.filter(pk__in=[row["pk"] for row in old]).delete()
    return notice
