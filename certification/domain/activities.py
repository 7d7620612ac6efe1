"""Accrediting webinars: activities are made, changed, opened and closed, each time as a whole.

What credit was granted on stays as it is: from the first claim on the terms are fixed. An open activity is never left
with something missing that it had before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from certification.authorities import NoPackError, pack_of
from certification.authorities.parameters import ParameterError
from certification.domain.activity_checklist import checklist_of
from certification.domain.disclosers import lock_people, record_contributor, take_over, today
from certification.domain.origins import found_origin, has_copies, origin_of
from certification.domain.sheets import refresh_sheet
from certification.domain.terms import window_days
from certification.enums import ActivityState, AuthorityKey, Format
from certification.models import Accreditation, Activity, Claim, Contributor
from courses.enums import LessonKind
from courses.models import Lesson
from webinars.models import Webinar

# What credit is calculated from. Ends and reviews may be put off: who took part before had it on the same terms.
FIXED = ("lesson", "format", "minutes", "starts_at", "assessment", "evaluation", "same_as")
STATE = ("state", "opened_at", "closed_at")
FIXED_TERMS = ("activity", "authority", "council", "version", "credits", "parameters", "valid_from", "event")


class ActivityError(Exception):
    """Nothing was changed; `message` is for the office, `problems` are the reasons where there are several."""

    message: Any = _("This cannot be saved.")

    def __init__(self, problems: Sequence[str] = ()) -> None:
        super().__init__("; ".join(str(one) for one in problems))
        self.problems = tuple(problems)


class NotReadyError(ActivityError):
    message = _("It cannot open yet:")


class LeavesGapError(ActivityError):
    message = _("Nothing was saved: the activity is open, and afterwards this would be missing.")


class ClaimedError(ActivityError):
    message = _(
        "Credit was granted on these terms, so they stay as they are. To correct what single doctors have, add a "
        "correction to the ledger. For other terms from now on, close this activity, accredit a copy of the webinar, "
        "and state that it has the same content: whoever has credit of one has none of the other."
    )


class NoWebinarError(ActivityError):
    message = _("Only webinars are accredited.")


class ForeignError(ActivityError):
    message = _("Choose people, tests and feedback forms of the same programme.")


class OriginError(ActivityError):
    message = _(
        "This webinar cannot be a copy of that one: others are stated to be copies of this one, or it is the same one."
    )


class ParametersError(ActivityError):
    message = _("One of the authority's settings cannot be used.")


class IsOpenError(ActivityError):
    message = _("It is open already.")


class IsNotOpenError(ActivityError):
    message = _("It is not open.")


def is_claimed(*, activity: Activity) -> bool:
    return Claim.objects.filter(accreditation__activity=activity).exists()


@transaction.atomic
def accredit(
    *,
    lesson: Lesson,
    formats: Sequence[str],
    authorities: Sequence[str],
    actor: User | None,
    request: HttpRequest | None = None,
    now: datetime,
) -> list[Activity]:
    """An activity for each format, a draft, with each authority and the webinar's people. What is there already stays.

    Dates and minutes are those of the webinar, as far as it has any. One that is open or closed is not touched.
    """
    if lesson.kind != LessonKind.WEBINAR:
        raise NoWebinarError
    Lesson.objects.select_for_update(no_key=True).get(pk=lesson.pk)  # of two clicks at once the second finds all done
    sibling = Activity.objects.filter(lesson=lesson).first()
    same_as = sibling.same_as if sibling else found_origin(lesson)
    made = []
    for form in formats:
        activity, is_new = Activity.objects.get_or_create(
            lesson=lesson,
            format=form,
            defaults={"title": lesson.title, "same_as": same_as, **_from_webinar(lesson, form, now=now)},
        )
        made.append(activity)
        if activity.state != ActivityState.DRAFT:
            continue
        activity.lesson = lesson
        for key in authorities:
            save_new_accreditation(activity=activity, authority=key, now=now)
        if is_new:
            details = {"title": activity.title, "format": form, "authorities": list(authorities)}
            audit.record("activity.made", actor=actor, subject=activity, request=request, details=details, now=now)
        take_over(activity=activity, actor=actor, request=request, now=now)
    return made


def _from_webinar(lesson: Lesson, form: str, *, now: datetime) -> dict[str, Any]:
    webinar = Webinar.objects.filter(lesson=lesson).select_related("video").first()
    if webinar is None:
        return {}
    if form == Format.LIVE:
        if webinar.starts_at is None:
            return {"minutes": webinar.planned_minutes}
        ends_at = webinar.starts_at + timedelta(minutes=webinar.planned_minutes)
        return {"starts_at": webinar.starts_at, "ends_at": ends_at, "minutes": webinar.planned_minutes}
    length = (webinar.video.duration_seconds or 0) if webinar.video else 0
    return {"minutes": int(length // 60) or webinar.planned_minutes, "starts_at": webinar.recording_opens_at}


def save_new_accreditation(*, activity: Activity, authority: str, now: datetime) -> Accreditation | None:
    """With the pack's own settings. None: the activity has this authority, with a council or without."""
    if activity.accreditations.filter(authority=authority).exists():
        return None
    provider = activity.lesson.course.programme.society
    row = Accreditation(activity=activity, authority=authority, provider=provider)
    save_accreditation(accreditation=row, now=now)
    return row


@transaction.atomic
def save_activity(*, activity: Activity, actor: User | None, request: HttpRequest | None = None, now: datetime) -> None:
    """Inside `changing`, which looks whether an open one is still whole. Raises ActivityError."""
    before = Activity.objects.select_for_update(no_key=True).get(pk=activity.pk)
    for name in STATE:  # somebody may have opened it since the form was read
        setattr(activity, name, getattr(before, name))
    programme = activity.lesson.course.programme_id
    for lesson in (activity.assessment, activity.evaluation):
        if lesson is not None and lesson.course.programme_id != programme:
            raise ForeignError
    changes = _changes(before, activity)
    if not changes.keys().isdisjoint(FIXED) and is_claimed(activity=activity):
        raise ClaimedError
    if "same_as" in changes:
        _state_origin(activity)
    if changes:
        activity.save(update_fields=sorted(changes))
    if "starts_at" in changes:  # the day chooses the version of the rules
        for row in activity.accreditations.all():
            row.activity = activity
            save_accreditation(accreditation=row, now=now)
    if changes:
        details = {"title": activity.title, "changes": changes}
        audit.record("activity.changed", actor=actor, subject=activity, request=request, details=details, now=now)


def _state_origin(activity: Activity) -> None:
    """Of both formats, and of the first webinar where it is a copy of a copy. Raises ActivityError."""
    others = Activity.objects.filter(lesson=activity.lesson_id).exclude(pk=activity.pk)
    list(others.select_for_update(no_key=True))  # whoever is just granted something of it comes first
    if Claim.objects.filter(lesson=activity.lesson_id).exists():
        raise ClaimedError
    if activity.same_as_id is not None:
        activity.same_as_id = origin_of(activity.same_as_id)
        if activity.same_as_id == activity.lesson_id or has_copies(activity.lesson_id):
            raise OriginError
    others.update(same_as=activity.same_as_id)


@transaction.atomic
def save_accreditation(
    *,
    accreditation: Accreditation,
    actor: User | None = None,
    request: HttpRequest | None = None,
    now: datetime,
) -> None:
    """Settings are kept complete, and with the version of the day on which it begins. Raises ActivityError."""
    activity = accreditation.activity
    before = Accreditation.objects.select_for_update(no_key=True).filter(pk=accreditation.pk).first()
    claimed = before is not None and Claim.objects.filter(accreditation=before).exists()
    if not claimed:
        _settle(accreditation, on=_rules_day(activity, now=now))
    changes = _changes(before, accreditation) if before else {}
    if claimed and not changes.keys().isdisjoint(FIXED_TERMS):
        raise ClaimedError
    accreditation.save()
    if changes or (before is None and actor is not None):
        details = {"title": activity.title, "authority": accreditation.authority, "changes": changes}
        audit.record("activity.changed", actor=actor, subject=activity, request=request, details=details, now=now)


def _rules_day(activity: Activity, *, now: datetime) -> date:
    starts_on, _ends_on = window_days(activity)
    return starts_on or today(activity.lesson.course.programme, now=now)


def _settle(accreditation: Accreditation, *, on: date) -> None:
    if accreditation.authority != AuthorityKey.INDIA:
        accreditation.council = ""
    try:
        pack = pack_of(accreditation.authority, on=on)
        known = {one.name for one in pack.parameters}
        kept = {name: value for name, value in accreditation.parameters.items() if name in known}
        accreditation.parameters = _as_json(pack.clean(kept))
    except NoPackError:
        return  # the checklist says so
    except ParameterError as error:
        raise ParametersError([str(error)]) from error
    accreditation.version = pack.version


def _as_json(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


@transaction.atomic
def delete_accreditation(
    *, accreditation: Accreditation, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> None:
    list(
        Accreditation.objects.select_for_update().filter(pk=accreditation.pk)
    )  # a claim that is being made comes first
    if Claim.objects.filter(accreditation=accreditation).exists():
        raise ClaimedError
    details = {"title": accreditation.activity.title, "removed": accreditation.authority}
    audit.record(
        "activity.changed", actor=actor, subject=accreditation.activity, request=request, details=details, now=now
    )
    accreditation.delete()


@transaction.atomic
def save_contributor(
    *, contributor: Contributor, actor: User | None = None, request: HttpRequest | None = None, now: datetime
) -> None:
    """A row whose person or role was changed is two: the one leaves, the other comes. Who is there already stays.

    Raises ForeignError.
    """
    if contributor.person.programme_id != contributor.activity.lesson.course.programme_id:
        raise ForeignError
    before = Contributor.objects.select_related("activity", "person").filter(pk=contributor.pk).first()
    if before is not None and (before.person_id, before.role) == (contributor.person_id, contributor.role):
        return
    if before is not None:
        delete_contributor(contributor=before, actor=actor, request=request, now=now)
    row, is_new = Contributor.objects.present().get_or_create(
        activity=contributor.activity, person=contributor.person, role=contributor.role
    )
    contributor.pk = row.pk
    if is_new:
        record_contributor(row, change="joined", actor=actor, request=request, now=now)


@transaction.atomic
def delete_contributor(
    *, contributor: Contributor, actor: User | None = None, request: HttpRequest | None = None, now: datetime
) -> None:
    """The row stays, with the day until which it was so: what was taught then was in this person's control."""
    if Contributor.objects.present().filter(pk=contributor.pk).update(left_at=now):
        record_contributor(contributor, change="left", actor=actor, request=request, now=now)


@contextmanager
def changing(*, activity_id: int, now: datetime) -> Iterator[None]:
    """Around all that one page saves of an activity. An open one must not lack afterwards what it had before.

    Raises LeavesGapError, and then nothing of it was saved. What doctors read before they start follows.
    """
    with transaction.atomic():
        before = _locked_with_people(activity_id)
        had = set(checklist_of(activity=before, now=now).problems) if before.state == ActivityState.OPEN else set()
        yield
        after = _locked(activity_id)
        if after.state != ActivityState.OPEN:
            return
        if new := [one for one in checklist_of(activity=after, now=now).problems if one not in had]:
            raise LeavesGapError(new)
        refresh_sheet(activity=after, now=now)


@transaction.atomic
def open_activity(
    *, activity: Activity, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Activity:
    """Doctors see it from now on. Raises NotReadyError with all that is missing. One that was closed opens again."""
    found = _locked_with_people(activity.pk)
    if found.state == ActivityState.OPEN:
        raise IsOpenError
    checklist = checklist_of(activity=found, now=now)
    if not checklist.is_ready:
        raise NotReadyError(checklist.problems)
    found.state, found.closed_at = ActivityState.OPEN, None
    found.opened_at = found.opened_at or now
    found.save(update_fields=["state", "opened_at", "closed_at"])
    refresh_sheet(activity=found, now=now)
    audit.record(
        "activity.opened", actor=actor, subject=found, request=request, details={"title": found.title}, now=now
    )
    return found


@transaction.atomic
def close_activity(
    *, activity: Activity, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Activity:
    """It grants nothing new. What was granted stays."""
    found = _locked(activity.pk)
    if found.state != ActivityState.OPEN:
        raise IsNotOpenError
    found.state, found.closed_at = ActivityState.CLOSED, now
    found.save(update_fields=["state", "closed_at"])
    audit.record(
        "activity.closed", actor=actor, subject=found, request=request, details={"title": found.title}, now=now
    )
    return found


def _locked_with_people(activity_id: int) -> Activity:
    """Who is excluded at this moment is not overlooked: that waits, or is waited for."""
    programme_id = Activity.objects.values_list("lesson__course__programme", flat=True).get(pk=activity_id)
    lock_people(programme_id)
    return _locked(activity_id)


def _locked(activity_id: int) -> Activity:
    rows = Activity.objects.select_related("lesson__course__programme").select_for_update(of=("self",), no_key=True)
    found: Activity = rows.get(pk=activity_id)
    return found


def _changes(before: models.Model, after: models.Model) -> dict[str, list[str]]:
    """By field: what it was and what it is, as short texts."""
    fields = [one for one in before._meta.concrete_fields if one.name != "id"]
    pairs = {one.name: (getattr(before, one.attname), getattr(after, one.attname)) for one in fields}
    return {name: [str(old)[:80], str(new)[:80]] for name, (old, new) in pairs.items() if old != new}
