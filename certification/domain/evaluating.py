"""What the rules say about people's evidence: for one doctor everything that concerns them, for one accreditation
everybody. Reads only; `claiming` writes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from certification.authorities import NoPackError
from certification.authorities.base import Decision, Evidence, RulePack, Terms
from certification.authorities.cycles import day_in
from certification.authorities.deadlines import in_time
from certification.authorities.parameters import ParameterError
from certification.domain.deciding import decide
from certification.domain.evidence import PHASES, Gatherer
from certification.domain.terms import pack_for, rules_for, terms_of, zone_of
from certification.enums import Format
from certification.models import Accreditation, Claim
from courses.models import Enrolment
from webinars.models import Visit, WatchRecord

BATCH = 1_000
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One person and one accreditation."""

    accreditation: Accreditation
    user_id: int
    evidence: Evidence
    terms: Terms
    pack: RulePack
    decision: Decision

    @property
    def counts_on(self) -> date | None:
        """The day that the credit is of."""
        return self.pack.day_of(self.evidence, self.terms)


def evaluate(*, gatherer: Gatherer, user_ids: Sequence[int], now: datetime) -> list[Evaluated]:
    """Everybody's, for all accreditations of the gatherer. Its queries, and no others.

    Raises NoPackError and ParameterError where an accreditation's settings do not fit its authority's rules.
    """
    gathered = gatherer.gather(user_ids)
    found = []
    for one in gatherer.accreditations:
        terms, today = terms_of(one), day_in(now, zone_of(one.activity))
        for user_id in user_ids:
            evidence = gathered[one.pk, user_id]
            pack = rules_for(one, evidence=evidence, terms=terms, now=now)
            decision = in_time(decide(pack=pack, evidence=evidence, terms=terms), terms, today=today)
            found.append(Evaluated(one, user_id, evidence, terms, pack, decision))
    return found


def evaluate_person(*, user: User, accreditations: Sequence[Accreditation], now: datetime) -> list[Evaluated]:
    """In the order of the accreditations, without those whose settings cannot be used. At most eight queries."""
    usable = [one for one in accreditations if is_usable(one, now=now)]
    if not usable:
        return []
    return evaluate(gatherer=Gatherer(usable), user_ids=[user.pk], now=now)


def is_usable(accreditation: Accreditation, *, now: datetime) -> bool:
    """A wrong setting of one accreditation is no reason to show a doctor none of the others."""
    try:
        pack_for(accreditation, on=None, now=now).clean(accreditation.parameters)
    except (NoPackError, ParameterError):
        logger.exception("certification.cannot_evaluate", accreditation=accreditation.pk)
        return False
    return True


def evaluate_accreditation(*, accreditation: Accreditation, now: datetime) -> Iterator[Evaluated]:
    """Everybody who took part, by id. A thousand at a time are in memory."""
    yield from evaluate_people(accreditation=accreditation, user_ids=participants_of(accreditation), now=now)


def evaluate_people(*, accreditation: Accreditation, user_ids: Iterable[int], now: datetime) -> Iterator[Evaluated]:
    gatherer = Gatherer([accreditation])
    people = iter(user_ids)
    while batch := list(islice(people, BATCH)):
        yield from evaluate(gatherer=gatherer, user_ids=batch, now=now)


def participants_of(accreditation: Accreditation) -> Iterable[int]:
    """Ids, in order."""
    ids = participants(accreditation).order_by("user_id").values_list("user_id", flat=True)
    return ids.iterator(chunk_size=BATCH)


def participants(accreditation: Accreditation) -> QuerySet[Enrolment]:
    """Doctors with a place in the programme who watched this format: staff look at things too. Two index scans."""
    activity = accreditation.activity
    watched = WatchRecord.objects.filter(
        webinar__lesson=activity.lesson_id, phase=PHASES[activity.format], user=OuterRef("user")
    )
    people = Q(Exists(watched))
    if activity.format == Format.LIVE:
        people |= Q(Exists(Visit.objects.filter(webinar__lesson=activity.lesson_id, user=OuterRef("user"))))
    return enrolments_of(accreditation).filter(people)


def enrolments_of(accreditation: Accreditation) -> QuerySet[Enrolment]:
    """Of people who can still sign in: nothing is granted to an account that was closed or emptied."""
    found: QuerySet[Enrolment] = Enrolment.objects.open().filter(user__is_active=True)
    return found.filter(programme=accreditation.activity.lesson.course.programme_id)


def unclaimed(people: QuerySet[Enrolment], *, accreditation: Accreditation) -> QuerySet[Enrolment]:
    """Without those who have credit of this authority for this webinar, in either format, or for its copies."""
    claims = Claim.objects.of_webinar(accreditation.activity.origin_id).filter(
        user=OuterRef("user"),
        authority=accreditation.authority,
        council=accreditation.council,
    )
    return people.exclude(Exists(claims))
