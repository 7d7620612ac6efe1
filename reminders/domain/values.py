"""What each message says about its doctor and its thing: every value of every placeholder, for many at once.

The number of queries is the same for two hundred messages as for one; kinds that need none of a thing ask for none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.domain.mail import zone_of
from accounts.models import User
from assessments.models import Evaluation
from certification.models import Certificate
from core.languages import spoken
from core.templatetags.ui import clock, days, duration, duration_left
from courses.domain.availability import state_of_programme
from courses.models import Course, Enrolment, Programme
from reminders.domain import moments
from reminders.domain.known_dates import outdated
from reminders.domain.revisions import current
from reminders.domain.standings import (
    Completions,
    Outline,
    Watching,
    completions,
    outlines,
    standing_of,
    watching,
    webinar_ids_of,
)
from reminders.enums import Kind
from reminders.models import Delivery, ScheduleRevision
from reminders.rendering.placeholders import PROGRESS, RECORDING, allowed
from webinars.models import Webinar

OF_WEBINARS = frozenset(kind for kind in Kind if "webinar.title" in allowed(kind))
OF_PROGRESS = frozenset(kind for kind in Kind if PROGRESS[0].name in allowed(kind))
OF_RECORDINGS = frozenset(kind for kind in Kind if RECORDING[0].name in allowed(kind))


@dataclass(frozen=True, slots=True)
class Values:
    """`path`: the page of ours it leads to. `webinar`: what it is about, for its calendar file."""

    placeholders: dict[str, str]
    path: str
    webinar: Webinar | None = None


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything that one of the messages names, by id."""

    users: Mapping[int, User]
    programmes: Mapping[int, Programme]
    enrolments: Mapping[tuple[int, int], Enrolment]
    webinars: Mapping[int, Webinar]
    newest: Mapping[int, ScheduleRevision]
    outdated: Mapping[int, datetime]
    courses: Mapping[int, Course]
    evaluations: Mapping[int, Evaluation]
    certificates: Mapping[int, Certificate]
    outlined: Mapping[int, Outline]
    done: Completions
    watched: Watching
    now: datetime


def subject_id(delivery: Delivery, kind: str) -> int | None:
    """12 of "webinar/12" for "webinar"; None where it is about something else."""
    name, _slash, number = delivery.subject.partition("/")
    return int(number) if name == kind and number.isascii() and number.isdecimal() else None


def values_for(deliveries: Sequence[Delivery], *, now: datetime) -> dict[int, Values]:
    """By the delivery's id. One whose thing is gone has none."""
    facts = _facts(deliveries, now)
    found = {}
    for one in deliveries:
        user = facts.users.get(one.user_id)
        if user is None or one.programme_id not in facts.programmes:
            continue
        with override(spoken(user.language)):
            values = _values(one, user, facts)
        if values is not None:
            found[one.pk] = values
    return found


def _facts(deliveries: Sequence[Delivery], now: datetime) -> _Facts:
    users = {one.user_id for one in deliveries}
    programmes = Programme.objects.in_bulk({one.programme_id for one in deliveries})
    webinars = _webinars({number for one in deliveries if (number := subject_id(one, "webinar"))})
    counted = {one.programme_id for one in deliveries if one.kind in OF_PROGRESS}
    outlined = outlines(programmes[pk] for pk in sorted(counted) if pk in programmes)
    recorded = {number for one in deliveries if one.kind in OF_RECORDINGS and (number := subject_id(one, "webinar"))}
    gone = {number for one in deliveries if one.kind == Kind.CANCELLED and (number := subject_id(one, "webinar"))}
    closing = {one.programme_id for one in deliveries if one.kind == Kind.PROGRAMME_CLOSING}
    return _Facts(
        users=User.objects.in_bulk(users),
        programmes=programmes,
        enrolments=_enrolments(users, closing),
        webinars=webinars,
        newest=current(gone) if gone else {},
        outdated=outdated(one for one in deliveries if one.kind in {Kind.MOVED, Kind.CANCELLED}),
        courses=_named(Course.objects, "course", deliveries),
        evaluations=_evaluations({number for one in deliveries if (number := subject_id(one, "lesson"))}),
        certificates=_named(Certificate.objects.select_related("programme"), "certificate", deliveries),
        outlined=outlined,
        done=completions(user_ids=users, programme_ids=list(outlined)),
        watched=watching(user_ids=users, webinar_ids=recorded | webinar_ids_of(outlined.values())),
        now=now,
    )


def _named(rows: Any, kind: str, deliveries: Sequence[Delivery]) -> dict[int, Any]:
    ids = {number for one in deliveries if (number := subject_id(one, kind))}
    return dict(rows.in_bulk(ids)) if ids else {}


def _webinars(ids: Collection[int]) -> dict[int, Webinar]:
    """Two queries."""
    if not ids:
        return {}
    rows = Webinar.objects.select_related("lesson__course__programme", "video").prefetch_related("presenters")
    return dict(rows.in_bulk(ids))


def _evaluations(lessons: Collection[int]) -> dict[int, Evaluation]:
    """By the lesson that asks."""
    if not lessons:
        return {}
    rows = Evaluation.objects.filter(lesson__in=lessons).select_related("about", "lesson__course")
    return {one.lesson_id: one for one in rows}


def _enrolments(users: Collection[int], programmes: Collection[int]) -> dict[tuple[int, int], Enrolment]:
    if not programmes:
        return {}
    rows = Enrolment.objects.filter(user__in=users, programme__in=programmes).select_related("cohort")
    return {(one.user_id, one.programme_id): one for one in rows}


def _values(one: Delivery, user: User, facts: _Facts) -> Values | None:
    programme = facts.programmes[one.programme_id]
    about = _about(one, user, facts)
    if about is None:
        return None
    said = {
        "doctor.name": user.get_full_name(),
        "doctor.short_name": user.get_short_name(),
        "programme.title": programme.title,
        "site.name": settings.SITE_NAME,
    }
    if one.kind in OF_PROGRESS:
        said |= _of_progress(user, facts.outlined[programme.pk], facts)
    path = about.path or reverse("programme", args=[programme.slug])
    return Values(said | about.placeholders, path, about.webinar)


def _about(one: Delivery, user: User, facts: _Facts) -> Values | None:
    """What is said of its thing; without a path of its own it leads to the programme."""
    if one.kind in OF_WEBINARS:
        webinar = facts.webinars.get(subject_id(one, "webinar") or 0)
        if webinar is None:
            return None
        path = "" if one.kind == Kind.CANCELLED else reverse("webinars:watch", args=[webinar.pk])
        return Values(_of_webinar(one, webinar, user, facts), path, webinar)
    if one.kind == Kind.EVALUATION:
        evaluation = facts.evaluations.get(subject_id(one, "lesson") or 0)
        return _of_evaluation(evaluation) if evaluation else None
    if one.kind == Kind.COURSE_COMPLETED:
        course = facts.courses.get(subject_id(one, "course") or 0)
        return Values({"course.title": course.title}, "") if course else None
    if one.kind == Kind.CERTIFICATE_READY:
        certificate = facts.certificates.get(subject_id(one, "certificate") or 0)
        return _of_certificate(certificate) if certificate and certificate.user_id == user.pk else None
    if one.kind == Kind.PROGRAMME_CLOSING:
        return Values(_of_closing(facts.programmes[one.programme_id], user, facts), "")
    return Values({}, "")


def _of_evaluation(evaluation: Evaluation) -> Values:
    course = evaluation.lesson.course
    said = {"evaluation.about": (evaluation.about or course).title, "course.title": course.title}
    return Values(said, reverse("assessments:evaluation", args=[evaluation.pk]))


def _of_certificate(certificate: Certificate) -> Values:
    title = str(certificate.facts.get("title") or certificate.programme.title)
    said = {"certificate.title": title, "certificate.number": certificate.number}
    return Values(said, reverse("certification:certificates"))


def _of_webinar(one: Delivery, webinar: Webinar, user: User, facts: _Facts) -> dict[str, str]:
    zone = zone_of(user)
    said = {
        "webinar.title": webinar.lesson.title,
        "webinar.presenters": _listed([person.get_full_name() for person in webinar.presenters.all()]),
        "course.title": webinar.lesson.course.title,
        "webinar.length": duration(webinar.planned_minutes * 60),
    }
    newest, known = facts.newest.get(webinar.pk), facts.outdated.get(one.pk)
    starts_at = webinar.starts_at or (newest.starts_at if newest else None)
    if one.kind == Kind.CANCELLED:
        starts_at = known or starts_at
    if starts_at is not None:
        said |= _of_start(starts_at, zone, facts.now)
    if one.kind == Kind.MOVED and known and starts_at and known != starts_at.replace(second=0, microsecond=0):
        said["webinar.before"] = moments.starts(known, zone=zone, now=facts.now)
    if one.kind in OF_RECORDINGS:
        said |= _of_watching(user, webinar, facts)
    return said


def _of_start(at: datetime, zone: ZoneInfo, now: datetime) -> dict[str, str]:
    return {
        "webinar.starts": moments.starts(at, zone=zone, now=now),
        "webinar.when": moments.when(at, zone=zone, now=now),
        "webinar.date": moments.date(at, zone=zone, now=now),
        "webinar.short": moments.short(at, zone=zone),
        "webinar.starts_in": moments.until(at, now=now),
    }


def _of_watching(user: User, webinar: Webinar, facts: _Facts) -> dict[str, str]:
    """Where the player will go on, and what is unseen, as its page says it."""
    watched = facts.watched.of(user.pk, webinar.pk)
    said = {}
    if watched.length:
        said["recording.length"] = duration(watched.length)
    if watched.is_started:
        said["watch.left_at"] = clock(watched.resume_at if watched.length else watched.live_position)
        if watched.unseen:
            said["watch.to_go"] = duration_left(watched.unseen)
    return said


def _of_progress(user: User, outline: Outline, facts: _Facts) -> dict[str, str]:
    standing = standing_of(user.pk, outline, facts.done, facts.watched)
    return {
        "progress.done": str(standing.done),
        "progress.needed": str(standing.needed),
        "progress.left": str(standing.left),
        "progress.time_left": duration_left(standing.seconds) if standing.seconds else "",
    }


def _of_closing(programme: Programme, user: User, facts: _Facts) -> dict[str, str]:
    """The cohort's end where it is earlier. What closes at midnight closes at the end of the day before."""
    enrolment = facts.enrolments.get((user.pk, programme.pk))
    cohort = enrolment.cohort if enrolment else None
    closes_at = state_of_programme(programme=programme, cohort=cohort, now=facts.now).closes_at
    if closes_at is None or closes_at <= facts.now:
        return {}
    zone = zone_of(user)
    last = closes_at - timedelta(minutes=1) if not any(closes_at.astimezone(zone).timetuple()[3:5]) else closes_at
    left = moments.nights(last, zone=zone, now=facts.now)
    return {
        "programme.closes": moments.starts(last, zone=zone, now=facts.now),
        "programme.days_left": days(left) if left else moments.until(last, now=facts.now),
    }


def _listed(names: list[str]) -> str:
    """'A, B and C'."""
    return get_text_list(names, _("and")) if names else ""
