"""What an activity still needs before it may open, in plain words, in the order in which one does it.

An open activity that lacks something (a statement has become too old, a review is over) is shown the same list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from assessments.models import Quiz
from certification.authorities import NoPackError, pack_of
from certification.authorities.base import Reason, RulePack
from certification.authorities.cycles import add_months
from certification.authorities.parameters import ParameterError
from certification.authorities.rounding import plain
from certification.authorities.words import words_of
from certification.domain.disclosers import is_address, standings, today, valid_months
from certification.domain.origins import found_origin
from certification.domain.terms import is_settled, terms_of, window_days
from certification.enums import DisclosureStanding, Format
from certification.models import Accreditation, Activity, Contributor, Discloser
from certification.models.disclosure import DiscloserQuerySet

# Every pack finds these for itself; they are about the activity, and said once.
OF_THE_ACTIVITY = {"no_start": "dates", "no_end": "dates", "ends_first": "dates", "no_minutes": "dates",
                   "no_release": "dates"}  # fmt: skip
TO_ASK = frozenset({DisclosureStanding.MISSING, DisclosureStanding.OUT_OF_DATE})
OF_THE_TEST = frozenset({"enduring_without_assessment", "test_without_assessment"})


@dataclass(frozen=True, slots=True)
class Part:
    """`key`: dates, learning, authorities or people. Without problems it is done."""

    key: str
    title: str
    problems: tuple[str, ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checklist:
    parts: tuple[Part, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(text for part in self.parts for text in part.problems)

    @property
    def is_ready(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Judged:
    accreditation: Accreditation
    pack: RulePack | None
    reasons: tuple[Reason, ...]

    @property
    def name(self) -> str:
        council = f" ({self.accreditation.council})" if self.accreditation.council else ""
        return f"{self.accreditation.get_authority_display()}{council}"


def checklist_of(*, activity: Activity, now: datetime) -> Checklist:
    """`activity` with lesson, course and programme. Six queries, whatever the number of authorities and people."""
    day = day_of(activity, now=now)
    rows = list(activity.accreditations.order_by("authority", "council"))
    for one in rows:
        one.activity = activity
    judged = [_judge(one, on=day) for one in rows]
    return Checklist(
        (
            Part("dates", _("When and how long"), tuple(_dates(activity, now=now))),
            Part("learning", _("Test and feedback"), tuple(_learning(activity, judged))),
            Part(
                "authorities",
                _("Authorities"),
                tuple(_authorities(judged, is_recording=activity.format == Format.ENDURING)),
            ),
            Part("people", _("People and their disclosures"), tuple(_people(activity, judged, now=now))),
        )
    )


def day_of(activity: Activity, *, now: datetime) -> date:
    """Statements and rules have to hold when it begins, and today where it has begun."""
    on = today(activity.lesson.course.programme, now=now)
    starts_on, _ends_on = window_days(activity)
    return max(on, starts_on) if starts_on else on


def _judge(accreditation: Accreditation, *, on: date) -> Judged:
    try:
        pack = pack_of(accreditation.authority, on=on)
    except NoPackError:
        return Judged(accreditation, None, ())
    has_assessment = accreditation.activity.assessment_id is not None
    return Judged(accreditation, pack, pack.problems(terms_of(accreditation), has_assessment=has_assessment, on=on))


def _dates(activity: Activity, *, now: datetime) -> Iterator[str]:
    if activity.starts_at is None:
        yield _("Say when it begins, or for a recording when it is released.")
    if activity.ends_at is None:
        yield _("Say when it ends, or for a recording until when credit is given.")
    if activity.starts_at and activity.ends_at and activity.ends_at <= activity.starts_at:
        yield _("It ends before it begins.")
    if (origin := found_origin(activity.lesson)) and origin.pk != activity.origin_id:
        yield _(
            "“%(title)s” in “%(course)s” shows the same video and is accredited, too: state that it is the same."
        ) % {
            "title": origin.title,
            "course": origin.course.title,
        }
    if is_settled(activity, now=now):
        yield _("It ended more than eight weeks ago. Put off its end to give credit again.")
    if not activity.minutes:
        yield _("Say how many minutes of education it has.")


def _learning(activity: Activity, judged: Sequence[Judged]) -> Iterator[str]:
    mark = Quiz.objects.filter(lesson=activity.assessment_id).values_list("pass_percent", flat=True).first()
    for one in judged:
        for reason in one.reasons:
            if reason.code in OF_THE_TEST:
                yield f"{one.name}: {words_of(reason)}"
        if activity.assessment_id:
            yield from _marks(one, mark)
        if one.pack and activity.evaluation_id is None and _wants_evaluation(one.pack, one.accreditation):
            yield _("%(authority)s: A filled-in evaluation is asked for, but there is no feedback form.") % {
                "authority": one.name
            }


def _marks(one: Judged, mark: Decimal | None) -> Iterator[str]:
    """Doctors read the pass mark on the page of the test, so it is the one that credit asks for."""
    least = _least_result(one)
    if least is None or least == mark:
        return
    values = {"authority": one.name, "least": number_format(least)}
    if mark is None:
        yield _(
            "%(authority)s: At least %(least)s %% are asked for, and the test has no pass mark. Give it this one."
        ) % (values)
    else:
        yield _(
            "%(authority)s: At least %(least)s %% are asked for, and the test says %(mark)s %%. Make them the same:"
            " doctors are told one number."
        ) % {**values, "mark": number_format(Decimal(plain(mark)))}


def _least_result(one: Judged) -> Decimal | None:
    """Of the test without which there is no credit."""
    if one.pack is None:
        return None
    terms = terms_of(one.accreditation)
    try:
        values = one.pack.clean(terms.parameters)
    except ParameterError:
        return None
    return Decimal(plain(values["pass_percent"])) if one.pack.wants_test(terms) else None


def _wants_evaluation(pack: RulePack, accreditation: Accreditation) -> bool:
    """EACCME has no setting for it: there the form is always asked for."""
    try:
        values = pack.clean(accreditation.parameters)
    except ParameterError:
        return False
    return bool(values.get("needs_evaluation", pack.authority == "eaccme"))


def _authorities(judged: Sequence[Judged], *, is_recording: bool) -> Iterator[str]:
    if not judged:
        yield _("Add the authority that accredits it.")
    for one in judged:
        if one.pack is None:
            yield _("%(authority)s: No rules are known for that day.") % {"authority": one.name}
            continue
        if "provider" in one.pack.certificate_facts and not one.accreditation.provider.strip():
            yield _("%(authority)s: Name the accredited provider, as certificates are to say it.") % {
                "authority": one.name
            }
        if one.pack.tells_sources and is_recording and not one.accreditation.activity.sources.strip():
            yield _("%(authority)s: Name the sources of what is taught: doctors are told them before a recording.") % {
                "authority": one.name
            }
        for reason in one.reasons:
            if reason.code not in OF_THE_ACTIVITY and reason.code not in OF_THE_TEST:
                yield f"{one.name}: {words_of(reason)}"


def people_to_ask(*, activity: Activity, now: datetime) -> list[Discloser]:
    """Without a statement, or with one that is too old by the day it begins. Two queries.

    Where it begins so late that one of today would be too old too, nobody is asked for it yet.
    """
    people = contributing_to(activity)
    on = day_of(activity, now=now)
    if _asked_from(activity, on) > (day := today(activity.lesson.course.programme, now=now)):
        on = day
    found = standings(people=people, on=on)
    return [one for one in people if found[one.pk] in TO_ASK]


def contributing_to(activity: Activity) -> DiscloserQuerySet:
    found: DiscloserQuerySet = Discloser.objects.filter(
        pk__in=Contributor.objects.present().filter(activity=activity).values("person")
    )
    return found.order_by("name", "pk")


def _asked_from(activity: Activity, on: date) -> date:
    """The first day whose statements still hold on that day."""
    return add_months(on, -valid_months(activity.lesson.course.programme))


def _people(activity: Activity, judged: Sequence[Judged], *, now: datetime) -> Iterator[str]:
    people, on = contributing_to(activity), day_of(activity, now=now)
    names = dict(people.values_list("pk", "name"))
    if not names and any(one.pack and one.pack.disclosure_months for one in judged):
        yield _("Add everybody who is in control of the content: presenters, moderators, planners, reviewers.")
    found = standings(people=people, on=on) if names else {}
    for pk, name in names.items():
        if is_address(name):
            yield _("Write the name of %(email)s, as doctors are to read it.") % {"email": name}
        if found[pk] == DisclosureStanding.OUT_OF_DATE:
            yield _too_old(activity, on, today(activity.lesson.course.programme, now=now)) % {"name": name}
        elif found[pk] != DisclosureStanding.FINE:
            yield _standing_words()[found[pk]] % {"name": name}


def _too_old(activity: Activity, on: date, day: date) -> str:
    """With %(name)s left to be filled in."""
    values = {"name": "%(name)s", "months": valid_months(activity.lesson.course.programme)}
    if on == day:
        return _("The statement of %(name)s is older than %(months)s months. Ask for a new one.") % values
    if (asked_from := _asked_from(activity, on)) <= day:
        return (
            _("The statement of %(name)s is older than %(months)s months when it begins. Ask for a new one.") % values
        )
    return _(
        "The statement of %(name)s is older than %(months)s months when it begins. Ask for a new one on %(day)s or "
        "later."
    ) % (values | {"day": date_format(asked_from)})


def _standing_words() -> dict[str, str]:
    return {
        DisclosureStanding.MISSING: _("%(name)s has not stated anything yet. Ask for it by e-mail."),
        DisclosureStanding.TO_REVIEW: _("The statement of %(name)s waits for your review."),
        DisclosureStanding.EXCLUDED: _("%(name)s may not take part. Take this person out of the activity."),
    }
