"""A doctor's agreement that a programme's sponsor and auditor read their name: given, withdrawn, and who has given it.

The words that were agreed to are kept as they stood. An agreement is never changed, only ended; the next is a new row.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from analytics.models import SharingConsent
from courses.enums import OPEN_ENROLMENTS, PublishStatus
from courses.models import Enrolment, Programme
from webinars.models import Visit, WatchRecord, Webinar

LONGEST = 500


class WordsChangedError(Exception):
    """Not what this page would ask now: the person must read the words that hold."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A programme of the doctor's, and whether they share there. `wording`: what was agreed to, or what is asked."""

    programme: Programme
    given_at: datetime | None
    wording: str


@dataclass(frozen=True, slots=True)
class NamedDoctor:
    """What was agreed to be shown, no more."""

    name: str
    country: str
    specialty: str
    lectures: int
    is_completed: bool


def wording_of(programme: Programme) -> str:
    words = _(
        "The sponsor and the auditor of “%(programme)s” may see my name, country and specialty, how many of its "
        "lectures I have watched and whether I have completed it. I can end this at any time."
    )
    return (words % {"programme": programme.title})[:LONGEST]


def choices_of(user: User) -> list[Choice]:
    """Of published programmes with an open place, and of those where something is shared still. Two queries."""
    held = {one.programme_id: one for one in SharingConsent.objects.filter(user=user, withdrawn_at=None)}
    places = Enrolment.objects.filter(user=user).select_related("programme").order_by("programme__title", "pk")
    return [
        Choice(one.programme, mine.given_at if mine else None, mine.wording if mine else wording_of(one.programme))
        for one in places
        if (mine := held.get(one.programme_id)) or (one.is_open and one.programme.status == PublishStatus.PUBLISHED)
    ]


@transaction.atomic
def agree(
    *, user: User, programme: Programme, wording: str, request: HttpRequest | None = None, now: datetime
) -> SharingConsent:
    """Twice is once. Raises WordsChangedError unless `wording`, what the person has read, is what is asked."""
    if wording != wording_of(programme):
        raise WordsChangedError
    found, is_new = SharingConsent.objects.get_or_create(
        user=user, programme=programme, withdrawn_at=None, defaults={"wording": wording, "given_at": now}
    )
    if is_new:
        audit.record("sharing.agreed", actor=user, subject=programme, request=request, now=now)
    return found


@transaction.atomic
def withdraw(*, user: User, programme: Programme, request: HttpRequest | None = None, now: datetime) -> bool:
    """False: there was nothing to end. The next look of anybody shows no name."""
    held = SharingConsent.objects.filter(user=user, programme=programme, withdrawn_at=None)
    if not held.update(withdrawn_at=Greatest(F("given_at"), now)):
        return False
    audit.record("sharing.withdrawn", actor=user, subject=programme, request=request, now=now)
    return True


def ever_agreed(programme: Programme, *, until: datetime) -> list[int]:
    """Ids of who agreed before `until`, also who withdrew since: whoever has read a name remembers it.

    Never from a copy that may be behind. Between two values of `until` nobody is added; a number that changes
    because one doctor agreed today would tell how large it is.
    """
    given = SharingConsent.objects.filter(programme=programme, given_at__lt=until)
    return sorted(set(given.values_list("user_id", flat=True)))


def named_in(programme: Programme, *, until: datetime, among: Collection[int]) -> list[NamedDoctor]:
    """Of `among`, whom the figures beside it took for named, those who still agree and are still here.

    Never from a copy: withdrawing counts at once.
    """
    held = SharingConsent.objects.filter(programme=programme, user__in=among, given_at__lt=until, withdrawn_at=None)
    places = (
        Enrolment.objects.filter(programme=programme, enrolled_at__lt=until, status__in=OPEN_ENROLMENTS)
        .filter(user__in=held.values("user"), user__is_active=True, user__erasure_asked_at=None)
        .select_related("user")
        .order_by("user__last_name", "user__first_name", "user_id")
    )
    lectures = _lectures(programme, [one.user_id for one in places], until=until)
    return [
        NamedDoctor(
            one.user.get_full_name() if one.user.last_name else "",
            str(one.user.country.code or ""),
            one.user.specialty,
            len(lectures.get(one.user_id, ())),
            bool(one.completed_at and one.completed_at < until),
        )
        for one in places
    ]


def _lectures(programme: Programme, users: list[int], *, until: datetime) -> dict[int, set[int]]:
    """Webinars of which they watched something, or to whose meeting they went."""
    webinars = Webinar.objects.filter(lesson__course__programme=programme)
    records = WatchRecord.objects.filter(
        webinar__in=webinars, user__in=users, first_beat_at__lt=until, seen_seconds__gt=0
    )
    visits = Visit.objects.filter(webinar__in=webinars, user__in=users, joined_at__lt=until)
    found: dict[int, set[int]] = {}
    for user, webinar in [*records.values_list("user", "webinar"), *visits.values_list("user", "webinar")]:
        found.setdefault(user, set()).add(webinar)
    return found
