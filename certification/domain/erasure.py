"""A person is erased, or takes their own data along: composed of every app's part.

What the law of credit wants is kept: certificates' facts and evidence within their years (`domain.retained`), and the
lines of the ledger, which name nobody, for ever. Credit without a certificate keeps the name beside the claim, as
long: the authority asks who had it, and a certificate for the world is nothing to make as somebody leaves. Everything
else that says who somebody was, goes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from accounts.domain import audit
from accounts.domain import erasure as accounts_part
from accounts.models import AuditEvent, User
from assessments.domain import erasure as assessments_part
from certification.domain.issuing import certifiable
from certification.domain.pack_file import Part, write_pack
from certification.domain.pack_orders import remove_packs_about
from certification.domain.retained import (
    Kind,
    claims_with_days,
    disclosed_until,
    groups,
    of_person,
    records_of,
    years_later,
)
from certification.domain.retention import purge
from certification.domain.transcript_file import forget_transcripts
from certification.models import Acknowledgement, Certificate, Claim, Discloser, KeptName, LedgerEntry
from courses.domain import erasure as courses_part
from webinars.domain import erasure as webinars_part

WHY = {Kind.REASON: "an auditor asks why; somebody's words, which may name a person"}


class ErasureError(Exception):
    """Nothing was changed; the text is for an operator."""


class UnknownPersonError(ErasureError):
    pass


class DutiesError(ErasureError):
    """Of staff; the text names each."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays, why, and until when; none: for ever, or as long as something `rests` on it."""

    what: str
    why: str
    until: date | None = None
    rests: bool = False

    @property
    def how_long(self) -> str:
        if self.until is not None:
            return f"until {self.until:%Y-%m-%d}"
        return "as long as something that is kept rests on it" if self.rests else "for ever"


@dataclass(frozen=True, slots=True)
class Erasure:
    """`person`: the number by which the ledger knows them. `erased` counts what goes, or went."""

    person: int
    erased: dict[str, int] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()


def person_of(email: str) -> User:
    """Raises UnknownPersonError."""
    person = User.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise UnknownPersonError(f"Nobody has the address {email}.")
    return person


def look(*, user: User, now: datetime) -> Erasure:
    """What erasing would do. Raises DutiesError."""
    _refuse_with_duties(user, now)
    erased = accounts_part.found(user) | webinars_part.found(user) | assessments_part.found(user)
    for part in accounts_part.parts_above():
        erased |= part.found(user)
    today = now.astimezone(UTC).date()
    overdue = sum(1 for one in _records(user) if one[1] <= today)
    if overdue:
        erased["records of credit whose years are over"] = overdue
    return Erasure(user.pk, erased, tuple(_kept(user, today)))


def erase(*, user: User, now: datetime, actor: User | None = None) -> Erasure:
    """Once and for good. Records whose years are over go with it. Raises DutiesError.

    Whoever is granting, issuing or claiming for this person is waited for (`domain.people`); what is kept is looked at
    afterwards, and who comes later meets a closed account.
    """
    today = now.astimezone(UTC).date()
    seen = look(user=user, now=now)
    for _kind, _number in purge(until=today, now=now, user=user):
        pass
    remove_packs_about(user=user)
    with transaction.atomic():
        locked = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        _refuse_with_duties(locked, now)
        seen = replace(seen, kept=tuple(_kept(locked, today)))
        _keep_names(locked, now=now)
        webinars_part.erase(user=locked, now=now)
        assessments_part.erase(user=locked, now=now)
        for part in accounts_part.parts_above():
            part.erase(user=locked, now=now)
        accounts_part.erase(user=locked, now=now)
        details = {"erased": seen.erased, "kept": [f"{one.what}: {one.how_long}" for one in seen.kept]}
        audit.record("person.erased", actor=actor, subject=locked, details=details, now=now)
        transaction.on_commit(lambda: _forget_files(user))
    return seen


def _keep_names(user: User, *, now: datetime) -> None:
    """While the name is still there."""
    KeptName.objects.bulk_create(
        KeptName(
            claim=claim,
            name=user.get_full_name(),
            council=user.medical_council,
            registration_number=user.registration_number,
            kept_at=now,
        )
        for claim, _until in _to_be_known(user, now.astimezone(UTC).date())
    )


def _to_be_known(user: User, today: date) -> list[tuple[Claim, date]]:
    """Credit of which the authority may still ask whose it is, and which no certificate says."""
    claims = certifiable(Claim.objects.filter(user=user, certificates=None, kept_name=None))
    return [(claim, until) for claim, until in claims_with_days(claims) if until > today]


def _forget_files(user: User) -> None:
    """Also what a worker put together of the name while it went."""
    forget_transcripts(user_id=user.pk)
    remove_packs_about(user=user)


def _refuse_with_duties(user: User, now: datetime) -> None:
    duties = courses_part.duties(user) + webinars_part.duties(user) + assessments_part.duties(user, now=now)
    if duties:
        raise DutiesError(
            "This person still has work to do here, which somebody else must take over first: "
            + "; ".join(duties)
            + "."
        )


def _records(user: User) -> Iterator[tuple[Kind, date, Any]]:
    """Everything of this person that has years, with the day on which it may go."""
    for kind in (Kind.FACTS, Kind.EVIDENCE, Kind.ACKNOWLEDGEMENT, Kind.REASON):
        for group in groups():
            for row in of_person(records_of(kind, group), kind, user).order_by("pk"):
                yield kind, years_later(row.since.astimezone(UTC).date(), group.years), row


def _kept(user: User, today: date) -> Iterator[Kept]:
    others: dict[Kind, list[date]] = {}
    for kind, until, row in _records(user):
        if until <= today:
            continue
        if kind == Kind.FACTS:
            yield Kept(f"certificate {row.number} with its PDF", "the authority wants it, with the name", until)
        else:
            others.setdefault(kind, []).append(until)
    if names := _to_be_known(user, today):
        last = max(until for _claim, until in names)
        what = f"name, council and number beside credit without a certificate ({len(names):,})"
        yield Kept(what, "the authority wants to know who had it", last)
    for kind, days in others.items():
        yield Kept(f"{kind} ({len(days):,})", WHY.get(kind, "the authority wants it, under a number"), max(days))
    if lines := LedgerEntry.objects.filter(user=user).count():
        yield Kept(f"lines of the ledger ({lines:,})", "each is sealed with the one before; they name nobody")
    if events := AuditEvent.objects.filter(actor=user).count():
        yield Kept(
            f"events of the audit trail ({events:,})", "nothing in it can be changed; addresses of devices stand there"
        )
    for part in accounts_part.parts_above():
        yield from (Kept(one.what, one.why) for one in part.kept(user))
    people = Discloser.objects.filter(email__iexact=user.email)
    if people.exists():
        last_day = disclosed_until(people, today=today)
        what = "disclosures of financial relationships, with name and address"
        yield Kept(what, "they were in control of what was taught", last_day, rests=True)


# One's own data


def write_own_data(*, user: User, to: IO[bytes], now: datetime, actor: User | None = None) -> None:
    """A ZIP of JSON, one file for each part of the product. Recorded."""
    parts = {
        "account.json": accounts_part.own_data(user),
        "programmes.json": courses_part.own_data(user),
        "webinars.json": webinars_part.own_data(user),
        "tests_and_feedback.json": assessments_part.own_data(user),
        "credits.json": own_data(user),
        **{part.file: part.own_data(user) for part in accounts_part.parts_above()},
    }
    audit.record("person.data_taken", actor=actor, subject=user, now=now)
    write_pack(to, [_part(name, data) for name, data in parts.items()], facts={"person": user.pk})


def own_data(user: User) -> dict[str, Any]:
    claims = Claim.objects.filter(user=user).order_by("pk")
    return {
        "claims": list(
            claims.values("id", "accreditation__activity__title", "authority", "council", "took_part_on", "made_at")
        ),
        "why": [
            {"claim": line.claim_id, "evidence": line.evidence.evidence, "decision": line.evidence.decision}
            for line in LedgerEntry.objects.filter(user=user, evidence__isnull=False)
            .select_related("evidence")
            .order_by("pk")
        ],
        "ledger": [
            {
                "programme__title": line.programme.title,
                "number": line.number,
                "kind": line.kind,
                "claim_id": line.claim_id,
                "certificate_id": line.certificate_id,
                "credits": line.credits,
                "reason": line.why,
                "entered_at": line.entered_at,
            }
            for line in LedgerEntry.objects.filter(user=user)
            .select_related("programme", "reason_text")
            .order_by("programme", "number")
        ],
        "certificates": list(
            Certificate.objects.filter(user=user)
            .order_by("pk")
            .values("id", "number", "public_id", "edition", "issued_at", "facts")
        ),
        "disclosures_seen": list(
            Acknowledgement.objects.filter(user=user)
            .order_by("pk")
            .values("sheet__activity__title", "sheet__content", "shown_at", "acknowledged_at")
        ),
    }


def _part(name: str, data: Any) -> Part:
    text = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1) + "\n"
    return Part(name, 1, lambda: iter([text.encode()]))
