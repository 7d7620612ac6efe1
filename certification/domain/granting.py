"""Credit that nobody has to ask for: a sweep that finds who has earned it, and grants it five hundred at a time.

Each batch is one transaction and looks anew under the lock, so the sweep may be stopped at any moment, run twice at
once and be run again. Between two sweeps only those are looked at who did something lately; once a day everybody is,
because a mark can be changed by hand, and a feedback form keeps the day of its answer only.

**A claim is made once**, so it is not made too early: where more could still be had by watching on, it waits until the
webinar is over, and for a recording until a week has passed without watching. A doctor who does not want to wait takes
it on the credits page.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from assessments.models import Attempt, EvaluationReceipt
from certification.authorities.cycles import day_in
from certification.domain.chain import lock_chain
from certification.domain.claiming import NotOpenError, accreditations, grant, hold_terms, lock_people
from certification.domain.evaluating import Evaluated, evaluate, is_usable, participants, unclaimed
from certification.domain.evidence import PHASES, Gatherer
from certification.domain.terms import SETTLING, pack_for, zone_of
from certification.enums import ActivityState, Format
from certification.models import Accreditation, Acknowledgement
from core.logging import get_logger
from webinars.models import Visit, WatchRecord, Webinar

log = get_logger("certification")
BATCH = 500
LATELY = timedelta(hours=2)
LATE_BEATS = timedelta(hours=1)
QUIET = timedelta(days=7)


def grant_credits(*, now: datetime, everybody: bool = False) -> int:
    """Returns how many claims were made. `everybody`: not only those who did something lately.

    An accreditation that fails holds up no other one: it is logged, and tried again by the next sweep.
    """
    made = 0
    for one in due_accreditations(now=now):
        try:
            made += grant_for(accreditation=one, now=now, since=None if everybody else now - LATELY)
        except Exception:  # each means work for an operator
            log.exception("certification.credit_not_granted", accreditation=one.pk)
    return made


def due_accreditations(*, now: datetime) -> list[Accreditation]:
    """Of open activities that have begun, and ended no longer ago than some weeks; without those that doctors claim."""
    found = accreditations().filter(
        activity__state=ActivityState.OPEN, activity__starts_at__lte=now, activity__ends_at__gte=now - SETTLING
    )
    usable = [one for one in found.order_by("pk") if is_usable(one, now=now)]
    return [one for one in usable if not pack_for(one, on=None, now=now).learner_claims]


def grant_for(*, accreditation: Accreditation, now: datetime, since: datetime | None) -> int:
    """`since`: only those who did something since then, unless the activity has ended since then."""
    ended_at = ends_at(accreditation)
    is_over = ended_at is not None and ended_at + LATE_BEATS <= now
    just_over = since is not None and is_over and ended_at is not None and ended_at + LATE_BEATS > since
    made = 0
    for user_ids in _batches(accreditation, since=None if just_over else since):
        made += _grant_batch(accreditation=accreditation, user_ids=user_ids, is_over=is_over, now=now)
    return made


def ends_at(accreditation: Accreditation) -> datetime | None:
    """From when on nobody can watch more of it: the webinar's end where it came first."""
    activity = accreditation.activity
    if activity.format == Format.LIVE:
        webinar = Webinar.objects.filter(lesson=activity.lesson_id, ended_at__isnull=False).first()
        if webinar and webinar.ended_at:
            return min(webinar.ended_at, activity.ends_at or webinar.ended_at)
    return activity.ends_at


def is_final(one: Evaluated, *, is_over: bool, today: date) -> bool:
    """Whether nothing more comes by watching on, or nothing more is awaited."""
    on = one.evidence.took_part_on
    is_quiet = one.evidence.format == Format.ENDURING and on is not None and on + QUIET <= today
    return is_over or is_quiet or not any(reason.code == "part" for reason in one.decision.reasons)


def _batches(accreditation: Accreditation, *, since: datetime | None) -> Iterator[list[int]]:
    """By id; each batch begins behind the one before, so nobody is met twice and nothing stays open meanwhile."""
    last = 0
    people = unclaimed(participants(accreditation), accreditation=accreditation).order_by("user_id")
    if since is not None:
        people = people.filter(_did_something(accreditation, since))
    ids = people.values_list("user_id", flat=True)
    while batch := list(islice(ids.filter(user_id__gt=last), BATCH)):
        yield batch
        last = batch[-1]


def _grant_batch(*, accreditation: Accreditation, user_ids: list[int], is_over: bool, now: datetime) -> int:
    earned = _earned(Gatherer([accreditation]), user_ids, is_over=is_over, now=now)
    if not earned:
        return 0
    with transaction.atomic():
        chain = lock_chain(accreditation.activity.lesson.course.programme)
        lock_people(earned, accreditation=accreditation)
        try:
            fresh = hold_terms(accreditation)
        except NotOpenError:
            return 0
        still = unclaimed(participants(fresh), accreditation=fresh).filter(user__in=earned)
        ids = list(still.order_by("user_id").values_list("user_id", flat=True))
        again = _earned(Gatherer([fresh]), ids, is_over=is_over, now=now)
        if again:
            granted = [(one, one.decision.credit) for one in again.values()]
            grant(chain=chain, granted=granted, actor=None, now=now)
    return len(again)


def _earned(gatherer: Gatherer, user_ids: list[int], *, is_over: bool, now: datetime) -> dict[int, Evaluated]:
    if not user_ids:
        return {}
    found = evaluate(gatherer=gatherer, user_ids=user_ids, now=now)
    return {
        one.user_id: one
        for one in found
        if one.decision.is_granted
        and is_final(one, is_over=is_over, today=day_in(now, zone_of(one.accreditation.activity)))
    }


def _did_something(accreditation: Accreditation, since: datetime) -> Q:
    activity, user = accreditation.activity, OuterRef("user")
    watched = WatchRecord.objects.filter(
        user=user, webinar__lesson=activity.lesson_id, phase=PHASES[activity.format], last_beat_at__gte=since
    )
    acknowledged = Acknowledgement.objects.filter(user=user, sheet__activity=activity, acknowledged_at__gte=since)
    found = Q(Exists(watched)) | Q(Exists(acknowledged))
    if activity.format == Format.LIVE:
        found |= Q(Exists(Visit.objects.filter(user=user, webinar__lesson=activity.lesson_id, seen_at__gte=since)))
    if activity.assessment_id:
        attempts = Attempt.objects.filter(user=user, quiz__lesson=activity.assessment_id, submitted_at__gte=since)
        found |= Q(Exists(attempts))
    if activity.evaluation_id:
        receipts = EvaluationReceipt.objects.filter(
            user=user, evaluation__lesson=activity.evaluation_id, answered_on__gte=since.date()
        )
        found |= Q(Exists(receipts))
    return found
