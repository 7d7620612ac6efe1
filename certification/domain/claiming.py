"""Credit that is granted, corrected, revoked: the only writer of claims.

Everything here is one transaction that begins with the lock of the programme's chain: who comes second, from another
tab, for the recording, or as a sweep, finds the claim that is there and gets that one. Then the person is locked for
the authority, because a cap counts across programmes, whose chains do not wait for each other. Evidence is gathered
after both locks, so the decision is one about what is there now.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from certification.authorities import pack
from certification.authorities.base import Decision
from certification.authorities.rounding import plain
from certification.domain.chain import NewEntry, append, canonical, lock_chain, time_in
from certification.domain.evaluating import Evaluated, enrolments_of, evaluate
from certification.domain.evidence import Gatherer, data_of
from certification.domain.people import hold_people
from certification.domain.terms import is_settled
from certification.enums import CREDIT_ENTRIES, ActivityState, EntryKind
from certification.models import Accreditation, Activity, Chain, Claim, ClaimEvidence, LedgerEntry

LONGEST_REASON = 500


class ClaimError(Exception):
    """Nothing was written; `message` is for the person."""

    message: Any = _("This cannot be done.")


class NotOpenError(ClaimError):
    message = _("This activity is closed: it grants no more credit.")


class NoPlaceError(ClaimError):
    message = _("You have no place in this programme now.")


class AmountError(ClaimError):
    """Not a step of the authority, nothing, or more than there is."""

    message = _("Choose one of the amounts that are offered.")


class NotGrantedError(ClaimError):
    message = _("There is no credit to take yet. This page says what is missing.")

    def __init__(self, decision: Decision) -> None:
        super().__init__(str(self.message))
        self.decision = decision


class ReasonMissingError(ClaimError):
    message = _("Say why: the doctor will ask, and an auditor too.")


class NothingToRevokeError(ClaimError):
    message = _("This credit was revoked before.")


@dataclass(frozen=True, slots=True)
class Taken:
    """`is_new`: made by this call; otherwise it was there."""

    claim: Claim
    credits: Decimal
    is_new: bool


def claim(*, accreditation: Accreditation, user: User, asked: Decimal | None = None, now: datetime) -> Taken:
    """The doctor's own. None takes all there is; less only where the authority lets doctors choose.

    Who has one already gets that one, whatever was asked for. Raises ClaimError.
    """
    with transaction.atomic():
        chain = lock_chain(accreditation.activity.lesson.course.programme)
        lock_people([user.pk], accreditation=accreditation)
        if found := claim_of(user_id=user.pk, accreditation=accreditation):
            return Taken(found, credits_of([found.pk])[found.pk], is_new=False)
        fresh = hold_terms(accreditation)
        if is_settled(fresh.activity, now=now):
            raise NotOpenError
        if not enrolments_of(fresh).filter(user=user).exists():
            raise NoPlaceError
        (evaluated,) = evaluate(gatherer=Gatherer([fresh]), user_ids=[user.pk], now=now)
        if not evaluated.decision.is_granted:
            raise NotGrantedError(evaluated.decision)
        taken = _amount(evaluated, asked)
        (made,) = grant(chain=chain, granted=[(evaluated, taken)], actor=user, now=now)
        return Taken(made, taken, is_new=True)


def grant(
    *, chain: Chain, granted: Sequence[tuple[Evaluated, Decimal]], actor: User | None, now: datetime
) -> list[Claim]:
    """Claims, their lines and why. The caller holds the chain and the people's locks, and has looked for claims."""
    now = time_in(chain, now)
    claims = Claim.objects.bulk_create([_claim(one, programme_id=chain.programme_id, now=now) for one, _ in granted])
    kept = [data_of(one.evidence, one.terms) for one, _ in granted]
    entries = [
        NewEntry(
            kind=EntryKind.CREDIT_GRANTED,
            user_id=made.user_id,
            claim_id=made.pk,
            credits=credit,
            details=_details(evaluated, evidence),
            actor=actor,
        )
        for made, (evaluated, credit), evidence in zip(claims, granted, kept, strict=True)
    ]
    lines = append(chain=chain, entries=entries, now=now)
    ClaimEvidence.objects.bulk_create(
        ClaimEvidence(entry=line, evidence=evidence, decision=evaluated.decision.as_data())
        for line, (evaluated, _credit), evidence in zip(lines, granted, kept, strict=True)
    )
    return claims


def _claim(one: Evaluated, *, programme_id: int, now: datetime) -> Claim:
    on = one.counts_on
    if on is None:
        raise NotGrantedError(one.decision)
    return Claim(
        programme_id=programme_id,
        user_id=one.user_id,
        accreditation=one.accreditation,
        lesson_id=one.accreditation.activity.lesson_id,
        copy_of_id=one.accreditation.activity.same_as_id,
        authority=one.accreditation.authority,
        council=one.accreditation.council,
        took_part_on=on,
        made_at=now,
    )


def _details(one: Evaluated, evidence: dict[str, Any]) -> dict[str, Any]:
    """What the ledger says for ever: codes and numbers, no names. Digests are of the canonical form."""
    return {
        "authority": one.accreditation.authority,
        "council": one.accreditation.council,
        "version": one.pack.version,
        "accreditation": one.accreditation.pk,
        "activity": one.accreditation.activity_id,
        "lesson": one.accreditation.activity.lesson_id,
        "format": one.accreditation.activity.format,
        "took_part_on": one.counts_on.isoformat() if one.counts_on else None,
        "computed": plain(one.decision.credit),
        "evidence": digest_of(evidence),
        "decision": digest_of(one.decision.as_data()),
        "steps": [[step.code, dict(step.values)] for step in one.decision.steps],
    }


def digest_of(evidence: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(evidence)).hexdigest()


def amounts(*, evaluated: Evaluated) -> tuple[Decimal, ...]:
    """What the doctor may take, the most first. One amount where the authority leaves no choice."""
    most, step = evaluated.decision.credit, evaluated.pack.step
    if not evaluated.decision.is_granted:
        return ()
    if not evaluated.pack.learner_claims:
        return (most,)
    return tuple(step * number for number in range(int(most / step), 0, -1))


def _amount(evaluated: Evaluated, asked: Decimal | None) -> Decimal:
    if asked is None:
        return evaluated.decision.credit
    if asked not in amounts(evaluated=evaluated):
        raise AmountError
    return asked


# Later changes are new lines


def correct_claim(
    *, claim_id: int, credit: Decimal, reason: str, actor: User, now: datetime, request: HttpRequest | None = None
) -> LedgerEntry:
    """To another amount, in the authority's steps and no more than was designated. Also gives back what was revoked.

    Raises ClaimError.
    """
    return _change(
        kind=EntryKind.CREDIT_CORRECTED,
        action="credit.corrected",
        claim_id=claim_id,
        credit=credit,
        reason=reason,
        actor=actor,
        now=now,
        request=request,
    )


def revoke_claim(
    *, claim_id: int, reason: str, actor: User, now: datetime, request: HttpRequest | None = None
) -> LedgerEntry:
    """To nothing. The claim stays, so that nobody takes the same credit anew. Raises ClaimError."""
    return _change(
        kind=EntryKind.CREDIT_REVOKED,
        action="credit.revoked",
        claim_id=claim_id,
        credit=Decimal(0),
        reason=reason,
        actor=actor,
        now=now,
        request=request,
    )


def _change(
    *,
    kind: EntryKind,
    action: str,
    claim_id: int,
    credit: Decimal,
    reason: str,
    actor: User,
    now: datetime,
    request: HttpRequest | None,
) -> LedgerEntry:
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise ReasonMissingError
    found = Claim.objects.select_related("accreditation", "programme").get(pk=claim_id)
    with transaction.atomic():
        chain = lock_chain(found.programme)
        lock_people([found.user_id], accreditation=found.accreditation)
        last = newest_lines([claim_id])[claim_id]
        if kind == EntryKind.CREDIT_REVOKED and last.kind == kind:
            raise NothingToRevokeError
        if kind == EntryKind.CREDIT_CORRECTED:
            _check_corrected(found, last, credit)
        details = {"before": plain(last.credits or Decimal(0))}
        entry = NewEntry(
            kind=kind,
            user_id=found.user_id,
            claim_id=claim_id,
            credits=credit,
            reason=reason,
            details=details,
            actor=actor,
        )
        (line,) = append(chain=chain, entries=[entry], now=now)
        told = {**details, "credits": plain(credit), "line": line.number}  # the reason is forgotten in time: not here
        audit.record(action, actor=actor, subject=found, request=request, details=told, now=now)
    return line


def _check_corrected(found: Claim, last: LedgerEntry, credit: Decimal) -> None:
    step = step_of(found)
    if last.kind != EntryKind.CREDIT_REVOKED and credit == last.credits:
        raise AmountError
    if not 0 <= credit <= found.accreditation.credits or credit % step:
        raise AmountError


def step_of(found: Claim) -> Decimal:
    """Of the rules that granted it."""
    first = found.entries.get(kind=EntryKind.CREDIT_GRANTED)
    version = first.details.get("version", found.accreditation.version)
    return pack(found.authority, version=version).step


# What there is


def claim_of(*, user_id: int, accreditation: Accreditation) -> Claim | None:
    """For the webinar, in whichever format, or for the one that it is a copy of."""
    of_webinar = Claim.objects.of_webinar(accreditation.activity.origin_id)
    found: Claim | None = of_webinar.filter(
        user=user_id, authority=accreditation.authority, council=accreditation.council
    ).first()
    return found


def newest_lines(claim_ids: Iterable[int]) -> dict[int, LedgerEntry]:
    """By claim: what holds. One query."""
    lines = LedgerEntry.objects.filter(claim__in=list(claim_ids), kind__in=sorted(CREDIT_ENTRIES))
    return {line.claim_id: line for line in lines.order_by("claim_id", "-number").distinct("claim_id") if line.claim_id}


def credits_of(claim_ids: Iterable[int]) -> dict[int, Decimal]:
    """By claim: what it is worth today. One query."""
    return {claim_id: line.credits or Decimal(0) for claim_id, line in newest_lines(claim_ids).items()}


def lock_people(user_ids: Iterable[int], *, accreditation: Accreditation) -> None:
    """Until the transaction ends, for this authority and council. In order of ids, so that batches wait in a row.

    Then their accounts: nobody is erased, and no account is closed, between the look at it and the line about it.
    """
    ids = sorted(user_ids)
    what = f"certification/{accreditation.authority}/{accreditation.council}/"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s || id::text, 0))"
            " FROM (SELECT unnest(%s::bigint[]) AS id ORDER BY 1) people",
            [what, ids],
        )
    hold_people(ids)


def hold_terms(accreditation: Accreditation) -> Accreditation:
    """As they are now, and until the transaction ends: who closes the activity or changes terms waits, or came first.

    The activity before its accreditation, like whoever changes both. Two queries. Raises NotOpenError, also where the
    accreditation was taken away.
    """
    Activity.objects.select_for_update(no_key=True).get(pk=accreditation.activity_id)
    found = accreditations().select_for_update(of=("self",), no_key=True).filter(pk=accreditation.pk).first()
    if found is None or found.activity.state != ActivityState.OPEN:
        raise NotOpenError
    return found


def accreditations() -> QuerySet[Accreditation]:
    """With what terms, evidence and pages read."""
    return Accreditation.objects.select_related("activity__lesson__course__programme")
