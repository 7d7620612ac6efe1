"""The people a moderator looks for: who may come to this webinar, who is here, who is muted or removed."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from courses.enums import OPEN_ENROLMENTS
from courses.models import Enrolment
from webinars.enums import Phase, Restriction
from webinars.models import PersonRestriction, Registration, WatchRecord, Webinar

HERE = timedelta(seconds=90)  # three beats of a player that only plays
MOST = 25
MOST_WORDS = 6
LONGEST_SEARCH = 100


def people_with(*, webinar: Webinar, search: str, now: datetime) -> dict[str, Any]:
    """Every word in the name or the e-mail address. Without words: whom somebody restricted, and who is watching.

    Enrolled doctors only: nobody else can be muted. Two queries; `count` is of all that match.
    """
    programme = webinar.lesson.course.programme_id
    open_here = PersonRestriction.objects.filter(webinar=webinar, user=OuterRef("pk"), lifted_at=None)
    watching = WatchRecord.objects.filter(
        webinar=webinar, user=OuterRef("pk"), phase=Phase.LIVE, last_beat_at__gt=now - HERE
    )
    registered = Registration.objects.filter(webinar=webinar, user=OuterRef("pk"), cancelled_at=None)
    enrolled = Enrolment.objects.filter(programme=programme, status__in=OPEN_ENROLMENTS, user=OuterRef("pk"))
    found = User.objects.filter(Exists(enrolled), is_active=True).annotate(
        muted=Exists(open_here.filter(kind=Restriction.MUTED)),
        removed=Exists(open_here.filter(kind=Restriction.REMOVED)),
        here=Exists(watching),
        registered=Exists(registered),
    )
    words = search.replace("\x00", "")[:LONGEST_SEARCH].split()[:MOST_WORDS]
    for word in words:
        found = found.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word))
    if not words:
        found = found.filter(Q(muted=True) | Q(removed=True) | Q(here=True))
    ordered = found.order_by("-removed", "-muted", "-here", "-registered", "last_name", "first_name", "pk")
    return {
        "count": found.count(),
        "results": [
            {
                "id": one.pk,
                "name": one.get_full_name(),
                "country": str(one.country),
                "here": one.here,
                "registered": one.registered,
                "muted": one.muted,
                "removed": one.removed,
            }
            for one in ordered[:MOST]
        ],
    }
