"""Who may not reach the certificate of a programme. The page of a programme's numbers counts them in one statement
(`analytics.domain.operating.risk`), a campaign asks for single places by this one; tests hold the two together.
"""

from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan

from certification.enums import RiskReason
from courses.enums import CompletionRule, EnrolmentStatus, PublishStatus
from courses.models import Course, CourseCompletion, LessonCompletion, Programme
from webinars.models import Visit, WatchRecord

GRACE = timedelta(days=14)  # so long nobody is late who has just been invited, or has just signed in
SILENCE = timedelta(days=28)
NEAR_END = timedelta(days=30)
# Who has completed all of it is safe; who was suspended or has left, or whose account is shut, cannot be helped.
STATUSES = (EnrolmentStatus.INVITED, EnrolmentStatus.ACTIVE)


def is_running(programme: Programme, now: datetime) -> bool:
    """Outside of its time nobody is at risk, whatever the window of their cohort: the two intersect."""
    begun = programme.opens_at is None or programme.opens_at <= now
    return begun and (programme.closes_at is None or programme.closes_at > now)


def is_near_end(programme: Programme, now: datetime) -> bool:
    return programme.closes_at is not None and programme.closes_at - now < NEAR_END


def courses_needed(programme: Programme) -> tuple[list[int], int]:
    """(the courses that count, how many of them have to be done). One query."""
    rows = list(
        Course.objects.filter(programme=programme, status=PublishStatus.PUBLISHED).values_list("pk", "is_required")
    )
    counted = [pk for pk, is_required in rows if is_required] or [pk for pk, _ in rows]
    is_part = programme.completion_rule == CompletionRule.N_OF_M
    return counted, (programme.required_count or 0) if is_part else len(counted)


def at_risk(reason: RiskReason | None, *, programme: Programme, now: datetime) -> Q:
    """Of places in this programme: those at risk for this reason; for any without one. One query at most."""
    if not is_running(programme, now):
        return Q(pk__in=[])
    wanted = [reason] if reason else list(RiskReason)
    found = Q()
    for one in wanted:
        found |= _of_reason(one, programme, now)
    return Q(status__in=STATUSES, user__is_active=True) & _is_their_time(now) & found


def _is_their_time(now: datetime) -> Q:
    """Where a cohort has a window of its own, it is open."""
    begun = Q(cohort__opens_at=None) | Q(cohort__opens_at__lte=now)
    return begun & (Q(cohort__closes_at=None) | Q(cohort__closes_at__gt=now))


def _of_reason(reason: RiskReason, programme: Programme, now: datetime) -> Q:
    """Each leaves out whom one before it has."""
    if reason is RiskReason.NEVER_CAME:
        return Q(activated_at=None, enrolled_at__lt=now - GRACE)
    joined = Q(activated_at__isnull=False)
    if reason is RiskReason.NEVER_WATCHED:
        return joined & Q(activated_at__lt=now - GRACE) & ~_heard_of(programme, None)
    lately = _heard_of(programme, now - SILENCE)
    if reason is RiskReason.STOPPED:
        return joined & _heard_of(programme, None) & ~lately
    return joined & lately & _is_behind(programme, now)


def _heard_of(programme: Programme, since: datetime | None) -> Q:
    """Was at a lecture, or completed anything. `since` none: ever."""
    mine = {"user": OuterRef("user")}
    watched = WatchRecord.objects.filter(**mine, webinar__lesson__course__programme=programme)
    visits = Visit.objects.filter(**mine, webinar__lesson__course__programme=programme)
    done = LessonCompletion.objects.filter(**mine, lesson__course__programme=programme)
    if since is not None:
        watched = watched.filter(last_beat_at__gte=since)
        visits = visits.filter(Q(seen_at__gte=since) | Q(left_at__gte=since))
        done = done.filter(completed_at__gte=since)
    return Q(Exists(watched)) | Q(Exists(visits)) | Q(Exists(done))


def _is_behind(programme: Programme, now: datetime) -> Q:
    """The end of the programme or of the doctor's cohort is near, whichever comes first."""
    is_near = Q() if is_near_end(programme, now) else Q(cohort__closes_at__lt=now + NEAR_END)
    counted, needed = courses_needed(programme)
    mine = CourseCompletion.objects.filter(user=OuterRef("user"), course__in=counted).order_by()
    number = Subquery(mine.values("user").annotate(number=Count("pk")).values("number"))
    return is_near & Q(LessThan(Coalesce(number, 0) * Value(2), needed))
