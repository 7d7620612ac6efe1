"""Whom a campaign is for: filters that are written down, one list of doctors and one number.

Filters are an object of known keys; anything else is refused with words, and so is every number that is not of the
campaign's own programme: nobody learns by a count what another programme has. Of several filters all must hold.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django_countries import countries

from assessments.models import Evaluation, EvaluationReceipt
from certification.domain.risk import STATUSES, at_risk
from certification.enums import EntryKind, RiskReason
from certification.models import Certificate, LedgerEntry
from courses.enums import EnrolmentStatus
from courses.models import Cohort, Course, CourseCompletion, Enrolment, LessonCompletion, Programme
from reminders.domain.steps import stopped_at
from reminders.enums import DeliveryState, Kind, Step
from reminders.models import Campaign, Delivery
from webinars.enums import Phase
from webinars.models import PlaySession, Registration, Visit, WatchRecord, Webinar

PLACES = (EnrolmentStatus.INVITED, EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED)
USUAL_PLACES = (EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED)
MOST_VALUES = 300
LONGEST_DAYS = 3_650
EXAMPLES = 10
YES, NO = "yes", "no"
ANY_RISK = "any"
# Each asks about one webinar, which has to be named.
OF_WEBINAR = ("registered", "attended", "watched_at_least", "watched_less_than", "recording_opened")


class AudienceError(ValueError):
    """Nothing was saved. `problems`: by the filter's key, what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


class _WrongError(ValueError):
    """Of one value, in words."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Beside the value of a filter. `apart_from`: the campaign whose own messages count for none."""

    programme: Programme
    now: datetime
    apart_from: int | None


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    country: str
    specialty: str
    timezone: str


def clean(audience: object, *, programme: Programme) -> dict[str, Any]:
    """As it may be saved: known keys, values of this programme, nothing that says nothing. Raises AudienceError."""
    if not isinstance(audience, dict):
        raise AudienceError({"": _("The filters are not written as filters.")})
    problems: dict[str, str] = {}
    found: dict[str, Any] = {}
    for key, value in audience.items():
        checked = _CHECKS.get(key)
        if checked is None:
            problems[str(key)] = _("There is no filter “%(name)s”.") % {"name": str(key)[:40]}
            continue
        if value in ("", None, []):
            continue
        try:
            found[key] = checked(value, programme)
        except _WrongError as wrong:
            problems[key] = str(wrong)
    if "webinar" not in found and "webinar" not in problems:
        for key in OF_WEBINAR:
            if key in found:
                problems[key] = _("Please choose the webinar that this is about.")
    if found.get("watched_less_than", 101) <= found.get("watched_at_least", 0):
        problems["watched_less_than"] = _("Nobody has watched at least as much and less than that.")
    if problems:
        raise AudienceError(problems)
    return found


def audience_of(
    audience: Mapping[str, Any], *, programme: Programme, apart_from: int | None = None, now: datetime
) -> QuerySet[Enrolment]:
    """The places of everybody it is for, each once. Raises AudienceError, so that an old one never means everybody.

    `apart_from`: the campaign that asks once more while it is sent. Its own first messages must not be the reason why
    somebody "never received one" no longer.
    """
    wanted = clean(dict(audience), programme=programme)
    asked = _Asked(programme, now, apart_from)
    rows: QuerySet[Enrolment] = Enrolment.objects.filter(
        programme=programme, user__is_active=True, status__in=wanted.get("places", USUAL_PLACES)
    )
    for key, value in wanted.items():
        narrow = _FILTERS.get(key)
        if narrow is not None:
            rows = rows.filter(narrow(value, asked))
    webinar = wanted.get("webinar")
    for key in OF_WEBINAR:
        if key in wanted:
            rows = rows.filter(_WEBINAR_FILTERS[key](wanted[key], cast("int", webinar)))
    return rows.order_by("user__last_name", "user__first_name", "user_id")


def whoever_stopped_at(step: Step) -> dict[str, Any]:
    """The filters for everybody who took this step as the last one, those who never signed in included."""
    return {"places": [str(one) for one in PLACES], "step": step.value}


def whoever_is_at_risk(reason: str) -> dict[str, Any]:
    """The filters for everybody who may not reach the certificate; `reason`: a RiskReason's, or ANY_RISK."""
    return {"places": [str(one) for one in STATUSES], "risk": reason}


def still_meant(
    campaign: Campaign, *, programme: Programme, user_ids: Collection[int], now: datetime
) -> set[int] | None:
    """Those of these people whom its filters mean now; None where a thing that they name is gone. One query, and one
    for each list of things that they name."""
    try:
        rows = audience_of(campaign.audience, programme=programme, apart_from=campaign.pk, now=now)
    except AudienceError:
        return None
    return set(rows.filter(user__in=user_ids).order_by().values_list("user_id", flat=True))


def number_of(audience: Mapping[str, Any], *, programme: Programme, now: datetime) -> int:
    """One query."""
    return audience_of(audience, programme=programme, now=now).count()


def examples_of(audience: Mapping[str, Any], *, programme: Programme, now: datetime) -> list[Example]:
    """The first by name. One query."""
    rows = audience_of(audience, programme=programme, now=now).select_related("user")[:EXAMPLES]
    return [
        Example(row.user.get_full_name(), row.user.country.name or "", row.user.specialty, row.user.timezone)
        for row in rows
    ]


# What may stand in a filter


def _one_of(*allowed: str) -> Callable[[Any, Programme], str]:
    def check(value: Any, programme: Programme) -> str:
        if value not in allowed:
            raise _WrongError(_("This is none of the choices."))
        return str(value)

    return check


def _some_of(allowed: Callable[[], set[str]]) -> Callable[[Any, Programme], list[str]]:
    def check(value: Any, programme: Programme) -> list[str]:
        return [_known(one, allowed()) for one in _list(value)]

    return check


def _known(value: Any, allowed: set[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise _WrongError(_("“%(value)s” is none of the choices.") % {"value": str(value)[:40]})
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_VALUES:
        raise _WrongError(_("This is no list, or a very long one."))
    return value


def _words(value: Any, programme: Programme) -> list[str]:
    """Specialties are free text in people's profiles: upper and lower case are the same here."""
    found = _list(value)
    if not all(isinstance(one, str) and 0 < len(one.strip()) <= 120 for one in found):
        raise _WrongError(_("A specialty is a word or a few of them."))
    return sorted({one.strip() for one in found})


def _number(least: int, most: int) -> Callable[[Any, Programme], int]:
    def check(value: Any, programme: Programme) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _WrongError(_("Please give a number from %(least)d to %(most)d.") % {"least": least, "most": most})
        return value

    return check


def _ids_of(mine: Callable[[Programme], QuerySet[Any]]) -> Callable[[Any, Programme], list[int]]:
    def check(value: Any, programme: Programme) -> list[int]:
        ids = _list(value)
        if not all(isinstance(one, int) and not isinstance(one, bool) and 0 < one < 2**63 for one in ids):
            raise _WrongError(_("This is none of the choices."))
        if mine(programme).filter(pk__in=ids).count() != len(set(ids)):
            raise _WrongError(_("One of these is not in this programme."))
        return sorted(set(ids))

    return check


def courses_in(programme: Programme) -> QuerySet[Course]:
    return Course.objects.filter(programme=programme).order_by("position")


def cohorts_in(programme: Programme) -> QuerySet[Cohort]:
    return Cohort.objects.filter(programme=programme).order_by("name")


def webinars_in(programme: Programme) -> QuerySet[Webinar]:
    rows = Webinar.objects.filter(lesson__course__programme=programme).select_related("lesson__course")
    return rows.order_by("lesson__course__position", "lesson__position")


def evaluations_in(programme: Programme) -> QuerySet[Evaluation]:
    rows = Evaluation.objects.filter(lesson__course__programme=programme).select_related("lesson__course")
    return rows.order_by("lesson__course__position", "lesson__position")


def specialties_in(programme: Programme) -> list[str]:
    """As the doctors of this programme write them, one spelling of each."""
    rows = Enrolment.objects.filter(programme=programme).exclude(user__specialty="")
    found = rows.order_by().values(lower=Lower("user__specialty")).annotate(one=Max("user__specialty"))
    return [row["one"] for row in found.order_by("lower")[:MOST_VALUES]]


def countries_in(programme: Programme) -> list[str]:
    rows = Enrolment.objects.filter(programme=programme).exclude(user__country="")
    return list(rows.order_by("user__country").values_list("user__country", flat=True).distinct())


def _webinar(value: Any, programme: Programme) -> int:
    return _ids_of(webinars_in)([value], programme)[0]


_CHECKS: Mapping[str, Callable[[Any, Programme], Any]] = {
    "places": _some_of(lambda: {str(one) for one in PLACES}),
    "step": _one_of(*Step.values),
    "risk": _one_of(ANY_RISK, *RiskReason.values),
    "cohorts": _ids_of(cohorts_in),
    "countries": _some_of(lambda: set(dict(countries))),
    "specialties": _words,
    "languages": _some_of(lambda: {code for code, _name in settings.LANGUAGES}),
    "signed_in_within_days": _number(1, LONGEST_DAYS),
    "not_signed_in_for_days": _number(1, LONGEST_DAYS),
    "courses_started": _ids_of(courses_in),
    "courses_completed": _ids_of(courses_in),
    "courses_not_completed": _ids_of(courses_in),
    "webinar": _webinar,
    "registered": _one_of(YES, NO),
    "attended": _one_of(YES, NO),
    "watched_at_least": _number(1, 100),
    "watched_less_than": _number(1, 100),
    "recording_opened": _one_of(YES, NO),
    "evaluations_missing": _ids_of(evaluations_in),
    "certificate": _one_of(YES, NO),
    "messages": _one_of("never_received", "never_opened"),
}
KEYS = tuple(_CHECKS)


# What a filter asks


def _exists(rows: QuerySet[Any], value: str = YES) -> Q:
    return Q(Exists(rows)) if value == YES else ~Q(Exists(rows))


def _specialty(value: list[str], asked: _Asked) -> Q:
    found = Q()
    for one in value:
        found |= Q(user__specialty__iexact=one)
    return found


def _long_ago(value: int, asked: _Asked) -> Q:
    """Who has never signed in has not done so for any time."""
    return Q(user__last_login=None) | Q(user__last_login__lt=asked.now - timedelta(days=value))


def _started(value: list[int], asked: _Asked) -> Q:
    lessons = LessonCompletion.objects.filter(user=OuterRef("user"), lesson__course__in=value)
    watched = WatchRecord.objects.filter(user=OuterRef("user"), webinar__lesson__course__in=value)
    return Q(Exists(lessons)) | Q(Exists(watched))


def _completed(value: list[int], asked: _Asked) -> Q:
    """Every one of them."""
    found = Q()
    for one in value:
        found &= Q(Exists(CourseCompletion.objects.filter(user=OuterRef("user"), course=one)))
    return found


def _evaluations(value: list[int], asked: _Asked) -> Q:
    """Whether somebody answered, never what."""
    found = Q()
    for one in value:
        found |= ~Q(Exists(EvaluationReceipt.objects.filter(user=OuterRef("user"), evaluation=one)))
    return found


def _certificate(value: str, asked: _Asked) -> Q:
    """One that holds: neither revoked nor replaced by another one."""
    revoked = LedgerEntry.objects.filter(certificate=OuterRef("pk"), kind=EntryKind.CERTIFICATE_REVOKED)
    mine = Certificate.objects.filter(user=OuterRef("user"), programme=asked.programme, replaced_by=None)
    return _exists(mine.filter(~Exists(revoked)), value)


def _messages(value: str, asked: _Asked) -> Q:
    """In this programme; tests that somebody sent to themselves are none."""
    sent = Delivery.objects.filter(user=OuterRef("user"), programme=asked.programme, state=DeliveryState.SENT)
    sent = sent.exclude(kind=Kind.TEST)
    if asked.apart_from is not None:
        sent = sent.exclude(campaign=asked.apart_from)
    if value == "never_received":
        return ~Q(Exists(sent))
    return Q(Exists(sent)) & ~Q(Exists(sent.filter(Q(read_at__isnull=False) | Q(followed_at__isnull=False))))


def _risk(value: str, asked: _Asked) -> Q:
    reason = None if value == ANY_RISK else RiskReason(value)
    return at_risk(reason, programme=asked.programme, now=asked.now)


_FILTERS: Mapping[str, Callable[[Any, _Asked], Q]] = {
    "step": lambda value, asked: stopped_at(Step(value), asked.programme),
    "risk": _risk,
    "cohorts": lambda value, asked: Q(cohort__in=value),
    "countries": lambda value, asked: Q(user__country__in=value),
    "specialties": _specialty,
    "languages": lambda value, asked: Q(user__language__in=value),
    "signed_in_within_days": lambda value, asked: Q(user__last_login__gte=asked.now - timedelta(days=value)),
    "not_signed_in_for_days": _long_ago,
    "courses_started": _started,
    "courses_completed": _completed,
    "courses_not_completed": lambda value, asked: ~_completed(value, asked),
    "evaluations_missing": _evaluations,
    "certificate": _certificate,
    "messages": _messages,
}


def _registered(value: str, webinar: int) -> Q:
    return _exists(Registration.objects.filter(user=OuterRef("user"), webinar=webinar, cancelled_at=None), value)


def _attended(value: str, webinar: int) -> Q:
    """Came while it was live: here, or by the link to a meeting elsewhere."""
    here = PlaySession.objects.filter(user=OuterRef("user"), webinar=webinar, phase=Phase.LIVE)
    elsewhere = Visit.objects.filter(user=OuterRef("user"), webinar=webinar)
    came = Q(Exists(here)) | Q(Exists(elsewhere))
    return came if value == YES else ~came


def _watched(percent: int, webinar: int) -> Q:
    """Of what has to be watched of it. A lesson that counts as done was watched, whatever the record says."""
    rows = WatchRecord.objects.filter(user=OuterRef("user"), webinar=webinar)
    done = LessonCompletion.objects.filter(user=OuterRef("user"), lesson__webinar=webinar)
    enough = rows.annotate(hundredfold=F("seen_seconds") * 100).filter(hundredfold__gte=F("required_seconds") * percent)
    return Q(Exists(enough)) | Q(Exists(done))


def _opened(value: str, webinar: int) -> Q:
    rows = PlaySession.objects.filter(user=OuterRef("user"), webinar=webinar, phase=Phase.ON_DEMAND)
    return _exists(rows, value)


_WEBINAR_FILTERS: Mapping[str, Callable[[Any, int], Q]] = {
    "registered": _registered,
    "attended": _attended,
    "watched_at_least": _watched,
    "watched_less_than": lambda percent, webinar: ~_watched(percent, webinar),
    "recording_opened": _opened,
}
