"""What a doctor reads about their credit: what is granted, what can be taken, what is missing and where to go on."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from certification.authorities import AUTHORITIES, pack, pack_of
from certification.authorities.base import Decision, Reason, RulePack, Step
from certification.authorities.words import TO_DO, words_of
from certification.domain.claiming import amounts
from certification.domain.comparing import is_digest
from certification.domain.documents import Document, documents_of
from certification.domain.evaluating import Evaluated, evaluate_person
from certification.domain.evidence import council_key, council_titles
from certification.domain.terms import INSTANT, SETTLING
from certification.enums import CREDIT_ENTRIES, ActivityState, AuthorityKey, EntryKind, Format
from certification.models import Accreditation, Claim, LedgerEntry
from certification.rules import accreditations_for, claims_for


class State(StrEnum):
    """In the order in which a page shows them."""

    READY = "ready"
    MISSING = "missing"
    GRANTED = "granted"
    REVOKED = "revoked"
    REFUSED = "refused"


# What a doctor does next, and on which button it says so.
GO_ON: dict[str, str | Promise] = {
    "council": _("Add my council"),
    "acknowledge": _("Read the disclosures"),
    "watch": _("Open the webinar"),
    "pass": _("Take the test"),
    "evaluate": _("Give feedback"),
    "number": _("Add my council number"),
}
ORDER = tuple(GO_ON)
INDIA = "IN"


@dataclass(frozen=True, slots=True)
class GoOn:
    """One tap further."""

    code: str
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Row:
    """One accreditation as it concerns one doctor.

    `credit`: granted, or what there is to take; `waiting` comes when the rest is done. `lines`: the ledger's.
    `take_until`: the last moment, of credit that nobody is given who does not take it.
    """

    accreditation: Accreditation
    state: State
    pack: RulePack
    decision: Decision
    credit: Decimal
    took_part_on: date | None
    amounts: tuple[Decimal, ...] = ()
    go_on: GoOn | None = None
    claim: Claim | None = None
    lines: Sequence[LedgerEntry] = field(default=())
    may_grow: bool = False  # by watching on, unless it is taken now
    document: Document | None = None
    take_until: datetime | None = None
    is_any_council: bool = False  # stands for all councils of the activity, until the doctor's own is known

    @property
    def title(self) -> str:
        return self.accreditation.activity.title

    @property
    def authority(self) -> str:
        """The council where there is one: that is who grants."""
        title = AUTHORITIES[self.accreditation.authority].title
        if self.is_any_council:
            return title
        return council_titles().get(self.accreditation.council, title)

    @property
    def has_figure(self) -> bool:
        return self.accreditation.authority != AuthorityKey.ATTENDANCE

    @property
    def format(self) -> str:
        return str(Format(self.accreditation.activity.format).label)

    @property
    def has_less(self) -> bool:
        """The doctor took less than there was."""
        return bool(self.lines) and (self.lines[0].credits or Decimal(0)) < self.decision.credit

    @property
    def taken(self) -> Decimal:
        """As it was granted; later lines may say otherwise."""
        return self.lines[0].credits or Decimal(0) if self.lines else Decimal(0)

    @property
    def step_words(self) -> list[str]:
        return said(self.decision.steps)

    @property
    def waiting(self) -> Decimal:
        """Councils designate their own amounts: nothing is promised before it is known which one it is."""
        return Decimal(0) if self.is_any_council else self.decision.waiting

    @property
    def reason_words(self) -> list[str]:
        """Where nothing can be done, only what stands against it; what was not done in time stays named."""
        reasons = self.decision.reasons
        if self.state == State.REFUSED and not any(one.code == "too_late" for one in reasons):
            reasons = tuple(one for one in reasons if one.code not in TO_DO) or reasons
        return said(reasons)


def said(parts: Iterable[Step | Reason]) -> list[str]:
    return [words_of(one) for one in parts]


def rows_of(*, user: User, now: datetime) -> list[Row]:
    """Everything that concerns this doctor, what can be taken first. The number of queries does not depend on rows."""
    claims = {_key(claim.accreditation): claim for claim in claims_for(user)}
    mine = _granted_of(claims.values(), user)
    open_ones = accreditations_for(user).filter(activity__state=ActivityState.OPEN, activity__starts_at__isnull=False)
    concerning = [
        one for one in open_ones.order_by("activity__starts_at", "pk") if _key(one) not in claims and is_for(one, user)
    ]
    found = evaluate_person(user=user, accreditations=concerning, now=now)
    rows = _one_for_all_councils([_open(one, now=now) for one in found if _is_of_interest(one, now=now)])
    order = list(State)
    return sorted([*rows, *mine], key=lambda row: order.index(row.state))


def row_of(*, user: User, accreditation: Accreditation, now: datetime) -> Row | None:
    """As it was granted, by whichever format of the webinar; else as it stands. None: its settings cannot be used."""
    of_webinar = claims_for(user).of_webinar(accreditation.activity.origin_id)
    claim = of_webinar.filter(authority=accreditation.authority, council=accreditation.council)
    if found := claim.first():
        return _granted_of([found], user)[0]
    evaluated = evaluate_person(user=user, accreditations=[accreditation], now=now)
    return _open(evaluated[0], now=now) if evaluated else None


def lines_of(claims: Iterable[Claim]) -> dict[int, list[LedgerEntry]]:
    """By claim, in order, with what is kept as evidence. One query."""
    found: dict[int, list[LedgerEntry]] = {}
    ids = [one.pk for one in claims]
    if not ids:
        return found
    lines = LedgerEntry.objects.filter(claim__in=ids, kind__in=sorted(CREDIT_ENTRIES))
    for line in lines.select_related("evidence", "reason_text").order_by("number"):
        found.setdefault(line.claim_id or 0, []).append(line)
    return found


def is_for(accreditation: Accreditation, user: User) -> bool:
    """A doctor whose council is known is not shown what another one grants, nor one abroad what India's grant."""
    if accreditation.authority != AuthorityKey.INDIA:
        return True
    council = council_key(user.medical_council)
    if council in council_titles():
        return council == accreditation.council
    return str(user.country) == INDIA or not (council or user.country)


def _one_for_all_councils(rows: Sequence[Row]) -> list[Row]:
    """While the doctor's council is not known, one row of each activity asks for it: one that can be earned."""
    kept: dict[int, Row] = {}
    for row in rows:
        if row.is_any_council:
            before = kept.get(row.accreditation.activity_id)
            if before is None or (before.state == State.REFUSED and row.state != State.REFUSED):
                kept[row.accreditation.activity_id] = row
    return [row for row in rows if not row.is_any_council or kept[row.accreditation.activity_id] is row]


def decision_of(line: LedgerEntry) -> Decision:
    """What was decided as the credit was granted, if it is what the line has sealed. The steps outlive the evidence."""
    kept = getattr(line, "evidence", None)
    if kept is not None and is_digest(line.details.get("decision"), kept.decision):
        return Decision.from_data(kept.decision)
    steps = tuple(Step(code, values) for code, values in line.details.get("steps", ()))
    return Decision(line.credits or Decimal(0), True, steps)


def rules_of(claim: Claim, first: LedgerEntry) -> RulePack:
    """Those that decided."""
    version = first.details.get("version")
    return pack(claim.authority, version=version) if version else pack_of(claim.authority, on=claim.took_part_on)


def _granted_of(claims: Collection[Claim], user: User) -> list[Row]:
    lines = lines_of(claims)
    documents = documents_of(claims, lines=lines, holder=user)
    return [_granted(claim, lines.get(claim.pk, []), documents.get(claim.pk)) for claim in claims]


def _granted(claim: Claim, lines: Sequence[LedgerEntry], document: Document | None) -> Row:
    first, last = lines[0], lines[-1]
    state = State.REVOKED if last.kind == EntryKind.CREDIT_REVOKED else State.GRANTED
    return Row(
        accreditation=claim.accreditation,
        state=state,
        pack=rules_of(claim, first),
        decision=decision_of(first),
        credit=last.credits or Decimal(0),
        took_part_on=claim.took_part_on,
        claim=claim,
        lines=lines,
        document=document,
    )


def _open(one: Evaluated, *, now: datetime) -> Row:
    return Row(
        accreditation=one.accreditation,
        state=State.READY if one.decision.is_granted else State.MISSING if one.decision.missing else State.REFUSED,
        pack=one.pack,
        decision=one.decision,
        credit=one.decision.credit,
        took_part_on=one.counts_on,
        amounts=amounts(evaluated=one),
        go_on=_go_on(one),
        may_grow=not _is_over(one, now=now) and any(reason.code == "part" for reason in one.decision.reasons),
        is_any_council=one.accreditation.authority == AuthorityKey.INDIA
        and one.evidence.council not in council_titles(),
        take_until=_take_until(one),
    )


def _take_until(one: Evaluated) -> datetime | None:
    """Where doctors claim themselves; the others are granted theirs by the sweep, on the same days."""
    ends_at = one.accreditation.activity.ends_at
    return ends_at + SETTLING - INSTANT if ends_at is not None and one.pack.learner_claims else None


def _go_on(one: Evaluated) -> GoOn | None:
    """The first of what is missing, in the order in which a doctor does it."""
    activity = one.accreditation.activity
    addresses = {
        "acknowledge": reverse("certification:sheet", args=(activity.pk,)),
        "watch": _lesson(activity.lesson_id),
        "pass": _lesson(activity.assessment_id),
        "evaluate": _lesson(activity.evaluation_id),
        "council": reverse("accounts:profile"),
        "number": reverse("accounts:profile"),
    }
    for code in ORDER:
        address = addresses[code]
        if code in one.decision.missing and address:
            return GoOn(code, str(GO_ON[code]), address)
    return None


def _lesson(lesson_id: int | None) -> str:
    return reverse("lesson", args=(lesson_id,)) if lesson_id else ""


def _key(accreditation: Accreditation) -> tuple[int, str, str]:
    return accreditation.activity.origin_id, accreditation.authority, accreditation.council


def _is_of_interest(one: Evaluated, *, now: datetime) -> bool:
    """Not what is over and was not watched: a recording follows on it."""
    return bool(one.evidence.watched_seconds) or not _is_over(one, now=now)


def _is_over(one: Evaluated, *, now: datetime) -> bool:
    ends_at = one.accreditation.activity.ends_at
    return ends_at is not None and ends_at <= now
