"""How long records of credit are kept, and their removal afterwards: `manage.py purge_records`.

Each authority says for how many years (`retention_years` of its rule packs; the longest of its versions). Where several
concern a record, the longest counts, and the years run from the last thing that happened to it: taking part, the end of
the activity, issuing, or the newest line of the ledger about it. Days are UTC. What goes: evidence of claims, what
doctors acknowledged, PDFs, what is printed on certificates (with a line in the ledger), and names that outlived their
account. What stays for ever: the lines of the ledger, which name nobody, the claims and numbers they speak of, and the
disclosures of those who taught. Triggers let nothing go that is younger than `LEAST_YEARS`, by the database's clock.

What is printed on a certificate and its PDF go in one transaction: of facts that are gone no worker makes a file again.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Greatest

from accounts.domain import audit
from accounts.models import User
from certification.authorities import AUTHORITIES
from certification.domain.chain import NewEntry, append, lock_chain
from certification.enums import AuthorityKey, CertificateKind, EntryKind
from certification.models import (
    Accreditation,
    Acknowledgement,
    Activity,
    Certificate,
    CertificateFile,
    Claim,
    ClaimEvidence,
    KeptName,
    LedgerEntry,
)
from courses.models import Course, Programme
from media.storages import media_storage

BATCH = 500
LEAST_YEARS = 6  # the triggers say so too: another number needs another migration
OVER = "The years for which it is kept are over."
Years = Callable[[str], int]


class Kind(StrEnum):
    """In the order in which they go."""

    EVIDENCE = "evidence of claims"
    ACKNOWLEDGEMENT = "disclosures shown to doctors"
    FACTS = "what is printed on certificates"
    FILE = "PDFs of certificates"
    NAME = "names of erased people who had credit"


# Whose a record is, where it is not its own `user`.
PERSON = {Kind.EVIDENCE: "entry__claim__user", Kind.NAME: "claim__user"}


class FutureError(Exception):
    """Nothing that is not due yet can be removed."""


def years_of(authority: str) -> int:
    """The longest of all versions: rules that were relaxed later shorten nobody's records."""
    return max(one.retention_years for one in AUTHORITIES[authority].versions)


def years_later(day: date, years: int) -> date:
    """29 February becomes 1 March: no day too early."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def years_earlier(day: date, years: int) -> date:
    """The last day whose records may go on `day`."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


@dataclass(frozen=True, slots=True)
class Group:
    """Everything that is kept for so many years. An activity, course or programme is in one group only."""

    years: int
    authorities: frozenset[str]
    activities: tuple[int, ...] = ()
    courses: tuple[int, ...] = ()
    programmes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: so many of a kind go, so many stay. `next_on`: when the first of these may go."""

    kind: Kind
    years: int
    goes: int
    stays: int
    next_on: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    until: date
    lines: tuple[Line, ...]
    for_ever: Mapping[str, int] = field(default_factory=dict)


def groups(*, years: Years = years_of) -> list[Group]:
    """By years, the fewest first. What no authority concerns is kept like attendance. Four queries."""
    rows = Accreditation.objects.values_list(
        "authority", "activity", "activity__lesson__course", "activity__lesson__course__programme"
    )
    longest: dict[str, dict[int, int]] = {name: defaultdict(int) for name in ("activity", "course", "programme")}
    for authority, activity, course, programme in rows.order_by().distinct():
        for name, key in (("activity", activity), ("course", course), ("programme", programme)):
            longest[name][key] = max(longest[name][key], years(authority))
    other = years(AuthorityKey.ATTENDANCE)
    everything = {"activity": Activity.objects, "course": Course.objects, "programme": Programme.objects}
    for name, rows_of in everything.items():
        for key in rows_of.values_list("pk", flat=True):
            longest[name].setdefault(key, other)
    numbers = {years(one) for one in AUTHORITIES} | {number for found in longest.values() for number in found.values()}

    def of(name: str, number: int) -> tuple[int, ...]:
        return tuple(sorted(key for key, value in longest[name].items() if value == number))

    return [
        Group(
            number,
            frozenset(one for one in AUTHORITIES if years(one) == number),
            of("activity", number),
            of("course", number),
            of("programme", number),
        )
        for number in sorted(numbers)
    ]


# Whose time it is


def records_of(kind: Kind, group: Group) -> QuerySet[Any]:
    """All that there is of a kind in a group, with `since`: the day and time from which the years run."""
    if kind == Kind.EVIDENCE:
        rows = ClaimEvidence.objects.filter(entry__claim__authority__in=group.authorities)
        newest = _newest(claim=OuterRef("entry__claim"))
        return rows.annotate(since=Greatest(Cast("entry__claim__took_part_on", DateTimeField()), newest))
    if kind == Kind.NAME:
        names = KeptName.objects.filter(claim__authority__in=group.authorities)
        newest = _newest(claim=OuterRef("claim"))
        return names.annotate(since=Greatest(Cast("claim__took_part_on", DateTimeField()), newest))
    if kind == Kind.ACKNOWLEDGEMENT:
        shown = Acknowledgement.objects.filter(sheet__activity__in=group.activities)
        return shown.annotate(since=Greatest("acknowledged_at", "sheet__activity__ends_at"))
    certificates = Certificate.objects.filter(
        Q(kind=CertificateKind.ACTIVITY, claim__authority__in=group.authorities)
        | Q(kind=CertificateKind.COURSE, course__in=group.courses)
        | Q(kind=CertificateKind.PROGRAMME, programme__in=group.programmes)
    ).annotate(since=Greatest("issued_at", _newest(certificate=OuterRef("pk")), _newest(claim=OuterRef("claim"))))
    return certificates.filter(file__isnull=False) if kind == Kind.FILE else certificates.exclude(facts={})


def claims_with_days(claims: QuerySet[Claim]) -> Iterator[tuple[Claim, date]]:
    """With the day on which who had it may be forgotten."""
    for group in groups():
        since = Greatest(Cast("took_part_on", DateTimeField()), _newest(claim=OuterRef("pk")))
        for one in claims.filter(authority__in=group.authorities).annotate(since=since).order_by("pk"):
            yield one, years_later(one.since.astimezone(UTC).date(), group.years)


def _newest(**about: Any) -> Subquery:
    """That something was removed keeps nothing longer."""
    lines = LedgerEntry.objects.filter(**about).exclude(kind=EntryKind.CERTIFICATE_PURGED)
    return Subquery(lines.order_by("-entered_at").values("entered_at")[:1])


def due(kind: Kind, group: Group, *, until: date) -> QuerySet[Any]:
    last = years_earlier(until, group.years)
    before = datetime.combine(last + timedelta(days=1), time(), UTC)
    rows = records_of(kind, group).filter(since__lt=before)
    if kind == Kind.ACKNOWLEDGEMENT:  # with whatever credit rests on it
        newer = LedgerEntry.objects.filter(
            claim__user=OuterRef("user"), claim__accreditation__activity=OuterRef("sheet__activity"),
            entered_at__gte=before,
        )  # fmt: skip
        rows = rows.filter(~Exists(newer))
    return rows


def plan(*, until: date, now: datetime, user: User | None = None, years: Years = years_of) -> Plan:
    """What would go and what would stay, of everybody or of one person. Raises FutureError."""
    _check(until, now)
    found = []
    for kind in Kind:
        for group in groups(years=years):
            rows = _of(records_of(kind, group), kind, user)
            if not (number := rows.count()):
                continue
            goes = _of(due(kind, group, until=until), kind, user)
            oldest = rows.exclude(pk__in=goes.values("pk")).order_by("since").values_list("since", flat=True).first()
            next_on = years_later(oldest.astimezone(UTC).date(), group.years) if oldest else None
            going = goes.count()
            found.append(Line(kind, group.years, going, number - going, next_on))
    return Plan(until, tuple(found), {"lines of the ledger": LedgerEntry.objects.count()} if user is None else {})


def purge(
    *, until: date, now: datetime, user: User | None = None, years: Years = years_of
) -> Generator[tuple[Kind, int], None, None]:
    """In batches, each a transaction with its note in the audit trail: who stops it in between goes on by calling it
    again. Yields how many of what went. Raises FutureError.
    """
    _check(until, now)
    for kind in Kind:
        for group in groups(years=years):
            while gone := _purge_batch(kind, group, until=until, user=user, now=now):
                yield from gone.items()


def _check(until: date, now: datetime) -> None:
    if until > now.astimezone(UTC).date():
        raise FutureError(f"{until:%Y-%m-%d} is in the future: what is not due yet stays.")


def _of(rows: QuerySet[Any], kind: Kind, user: User | None) -> QuerySet[Any]:
    if user is None:
        return rows
    return rows.filter(**{PERSON.get(kind, "user"): user})


@transaction.atomic
def _purge_batch(kind: Kind, group: Group, *, until: date, user: User | None, now: datetime) -> Counter[Kind]:
    ids = list(_of(due(kind, group, until=until), kind, user).order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not ids:
        return Counter()
    if kind == Kind.FACTS:
        say_purged(ids, now=now)
    with _allowed():
        gone = _REMOVERS[kind](ids)
    for one, number in gone.items():
        details = {"kind": str(one), "number": number, "until": until, "years": group.years}
        audit.record("records.purged", subject=user, details=details, now=now)
    return gone


def say_purged(certificate_ids: list[int], *, now: datetime) -> None:
    """A line for each: facts that are gone without one count as altered. Inside a transaction."""
    rows = Certificate.objects.filter(pk__in=certificate_ids).defer("facts").select_related("programme")
    for programme, certificates in groupby(rows.order_by("programme", "serial"), key=lambda row: row.programme):
        entries = [
            NewEntry(
                kind=EntryKind.CERTIFICATE_PURGED,
                user_id=one.user_id,
                certificate_id=one.pk,
                reason=OVER,
                details={"number": one.number},
            )
            for one in certificates
        ]
        append(chain=lock_chain(programme), entries=entries, now=now)


def is_due(since: datetime, *, at: datetime) -> bool:
    """Whether the least of all retentions was over."""
    return years_later(since.astimezone(UTC).date(), LEAST_YEARS) <= at.astimezone(UTC).date()


@contextmanager
def _allowed() -> Iterator[None]:
    """The door in the triggers, for this transaction; shut again at once, where the transaction is a longer one."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL certification.purge = 'on'")
        yield
        cursor.execute("SET LOCAL certification.purge = 'off'")


def _remove_evidence(ids: list[int]) -> Counter[Kind]:
    ClaimEvidence.objects.filter(pk__in=ids).delete()
    return Counter({Kind.EVIDENCE: len(ids)})


def _remove_acknowledgements(ids: list[int]) -> Counter[Kind]:
    Acknowledgement.objects.filter(pk__in=ids).delete()
    return Counter({Kind.ACKNOWLEDGEMENT: len(ids)})


def _empty_facts(ids: list[int]) -> Counter[Kind]:
    """With their files. It waits for workers that are just keeping one, and who comes later finds nothing to print."""
    Certificate.objects.filter(pk__in=ids).update(facts={})
    return Counter({Kind.FACTS: len(ids)}) + _remove_files(ids)


def _remove_files(ids: list[int]) -> Counter[Kind]:
    """The file first: a row without a file is found again by the next run, a file without a row by nobody."""
    rows = CertificateFile.objects.filter(certificate__in=ids)
    names = list(rows.values_list("stored_as", flat=True))
    storage = media_storage()
    for name in names:
        storage.delete(name)
    rows.delete()
    return Counter({Kind.FILE: len(names)})


def _remove_names(ids: list[int]) -> Counter[Kind]:
    KeptName.objects.filter(pk__in=ids).delete()
    return Counter({Kind.NAME: len(ids)})


_REMOVERS: Mapping[Kind, Callable[[list[int]], Counter[Kind]]] = {
    Kind.EVIDENCE: _remove_evidence,
    Kind.ACKNOWLEDGEMENT: _remove_acknowledgements,
    Kind.FACTS: _empty_facts,
    Kind.FILE: _remove_files,
    Kind.NAME: _remove_names,
}
