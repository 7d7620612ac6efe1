"""The removal of records of credit whose years are over: `manage.py purge_records`.

What goes (`domain.retained` says when): evidence of claims, what doctors acknowledged, what is printed on certificates
(with a line in the ledger), PDFs, names that outlived their account, reasons that somebody typed, and what presenters
disclosed. What stays for ever: the lines of the ledger, which name nobody, and the claims and numbers they speak of.
Triggers let nothing go that is younger than `LEAST_YEARS`, by the database's clock.

What is printed on a certificate and its PDF go in one transaction: of facts that are gone no worker makes a file again.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby

from django.db import connection, transaction

from accounts.domain import audit
from accounts.models import User
from certification.domain.chain import NewEntry, append, lock_chain
from certification.domain.retained import (
    Group,
    Kind,
    Years,
    before_of,
    due,
    groups,
    not_teaching,
    of_person,
    records_of,
    years_later,
    years_of,
)
from certification.enums import EntryKind
from certification.models import (
    Acknowledgement,
    Certificate,
    CertificateFile,
    ClaimEvidence,
    Contributor,
    Discloser,
    Disclosure,
    DisclosureReview,
    DisclosureSheet,
    KeptName,
    LedgerEntry,
    ReasonText,
)
from media.storages import media_storage

BATCH = 500
LEAST_YEARS = 6  # the triggers say so too: another number needs another migration
OVER = "The years for which it is kept are over."


class FutureError(Exception):
    """Nothing that is not due yet can be removed."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: so many of a kind go, so many stay. `next_on`: when the first of these may go.

    None where the years of all that stays are over: something that is kept still rests on it.
    """

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


def plan(*, until: date, now: datetime, user: User | None = None, years: Years = years_of) -> Plan:
    """What would go and what would stay, of everybody or of one person. Raises FutureError."""
    _check(until, now)
    found = []
    for kind in Kind:
        for group in groups(years=years):
            rows = of_person(records_of(kind, group), kind, user)
            if not (number := rows.count()):
                continue
            goes = of_person(due(kind, group, until=until, years=years), kind, user)
            young = rows.filter(since__gte=before_of(until, group))
            oldest = young.order_by("since").values_list("since", flat=True).first()
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
            while gone := _purge_batch(kind, group, until=until, user=user, years=years, now=now):
                yield from gone.items()


def _check(until: date, now: datetime) -> None:
    if until > now.astimezone(UTC).date():
        raise FutureError(f"{until:%Y-%m-%d} is in the future: what is not due yet stays.")


@transaction.atomic
def _purge_batch(
    kind: Kind, group: Group, *, until: date, user: User | None, years: Years, now: datetime
) -> Counter[Kind]:
    rows = of_person(due(kind, group, until=until, years=years), kind, user)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
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


def _remove_reasons(ids: list[int]) -> Counter[Kind]:
    ReasonText.objects.filter(pk__in=ids).delete()
    return Counter({Kind.REASON: len(ids)})


def _remove_sheets(ids: list[int]) -> Counter[Kind]:
    DisclosureSheet.objects.filter(pk__in=ids).delete()
    return Counter({Kind.SHEET: len(ids)})


def _remove_statements(ids: list[int]) -> Counter[Kind]:
    """With what the office found of them."""
    DisclosureReview.objects.filter(disclosure__in=ids).delete()
    Disclosure.objects.filter(pk__in=ids).delete()
    return Counter({Kind.STATEMENT: len(ids)})


def _remove_people(ids: list[int]) -> Counter[Kind]:
    """With their part in activities, and their links. Who takes one into an activity comes first, or waits."""
    locked = Discloser.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    ids = list(not_teaching(Discloser.objects.filter(pk__in=[one.pk for one in locked])).values_list("pk", flat=True))
    Contributor.objects.filter(person__in=ids).delete()
    Discloser.objects.filter(pk__in=ids).delete()
    return Counter({Kind.DISCLOSER: len(ids)} if ids else {})


_REMOVERS: Mapping[Kind, Callable[[list[int]], Counter[Kind]]] = {
    Kind.EVIDENCE: _remove_evidence,
    Kind.ACKNOWLEDGEMENT: _remove_acknowledgements,
    Kind.FACTS: _empty_facts,
    Kind.FILE: _remove_files,
    Kind.NAME: _remove_names,
    Kind.REASON: _remove_reasons,
    Kind.SHEET: _remove_sheets,
    Kind.STATEMENT: _remove_statements,
    Kind.DISCLOSER: _remove_people,
}
