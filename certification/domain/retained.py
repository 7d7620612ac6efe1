"""Records of credit and since when each is kept: whose years are over, and on what nothing rests any more.

Each authority says for how many years (`retention_years` of its rule packs; the longest of its versions). Where several
concern a record, the longest counts, and the years run from the last thing that happened to it: taking part, the end of
the activity, issuing, or the newest line of the ledger about it. Days are UTC. What presenters disclosed goes after
what rests on it: the wordings that were shown after the last acknowledgement, statements after the last wording, the
person after the last statement, and nothing of who still teaches.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Greatest

from accounts.models import User
from certification.authorities import AUTHORITIES
from certification.enums import ActivityState, AuthorityKey, CertificateKind, EntryKind
from certification.models import (
    Accreditation,
    Acknowledgement,
    Activity,
    Certificate,
    Claim,
    ClaimEvidence,
    Contributor,
    Discloser,
    Disclosure,
    DisclosureRequest,
    DisclosureReview,
    DisclosureSheet,
    KeptName,
    LedgerEntry,
    ReasonText,
)
from courses.models import Course, Programme

Years = Callable[[str], int]


class Kind(StrEnum):
    """In the order in which they go."""

    EVIDENCE = "evidence of claims"
    ACKNOWLEDGEMENT = "disclosures shown to doctors"
    FACTS = "what is printed on certificates"
    FILE = "PDFs of certificates"
    NAME = "names of erased people who had credit"
    REASON = "reasons that somebody typed"
    SHEET = "wordings of disclosures"
    STATEMENT = "statements of presenters"
    DISCLOSER = "presenters' names and addresses"


# Whose a record is, where it is not its own `user`. Presenters are known by their address; wordings are nobody's own.
PERSON = {Kind.EVIDENCE: "entry__claim__user", Kind.NAME: "claim__user", Kind.REASON: "entry__user"}
ADDRESS = {Kind.STATEMENT: "person__email__iexact", Kind.DISCLOSER: "email__iexact"}


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
    """Everything that is kept for so many years. An activity, course, programme or presenter is in one group only."""

    years: int
    authorities: frozenset[str]
    activities: tuple[int, ...] = ()
    courses: tuple[int, ...] = ()
    programmes: tuple[int, ...] = ()
    people: tuple[int, ...] = ()


def groups(*, years: Years = years_of) -> list[Group]:
    """By years, the fewest first. What no authority concerns is kept like attendance. Six queries."""
    rows = Accreditation.objects.values_list(
        "authority", "activity", "activity__lesson__course", "activity__lesson__course__programme"
    )
    longest: dict[str, dict[int, int]] = {
        name: defaultdict(int) for name in ("activity", "course", "programme", "person")
    }
    for authority, activity, course, programme in rows.order_by().distinct():
        for name, key in (("activity", activity), ("course", course), ("programme", programme)):
            longest[name][key] = max(longest[name][key], years(authority))
    other = years(AuthorityKey.ATTENDANCE)
    for person, activity in Contributor.objects.order_by().values_list("person", "activity").distinct():
        longest["person"][person] = max(longest["person"][person], longest["activity"].get(activity, other))
    everything: dict[str, Any] = {
        "activity": Activity.objects, "course": Course.objects, "programme": Programme.objects,
        "person": Discloser.objects,
    }  # fmt: skip
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
            of("person", number),
        )
        for number in sorted(numbers)
    ]


# Since when


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
    if kind == Kind.REASON:
        return _reasons(group)
    if kind in {Kind.SHEET, Kind.STATEMENT, Kind.DISCLOSER}:
        return _disclosed(kind, group)
    certificates = Certificate.objects.filter(
        Q(kind=CertificateKind.ACTIVITY, claim__authority__in=group.authorities)
        | Q(kind=CertificateKind.COURSE, course__in=group.courses)
        | Q(kind=CertificateKind.PROGRAMME, programme__in=group.programmes)
    ).annotate(since=Greatest("issued_at", _newest(certificate=OuterRef("pk")), _newest(claim=OuterRef("claim"))))
    return certificates.filter(file__isnull=False) if kind == Kind.FILE else certificates.exclude(facts={})


def _reasons(group: Group) -> QuerySet[Any]:
    """As long as the credit or certificate that they are about."""
    rows = ReasonText.objects.filter(
        Q(entry__claim__authority__in=group.authorities)
        | Q(entry__certificate__claim__authority__in=group.authorities)
        | Q(entry__certificate__course__in=group.courses)
        | Q(entry__certificate__kind=CertificateKind.PROGRAMME, entry__certificate__programme__in=group.programmes)
    )
    return rows.annotate(
        since=Greatest(
            "entry__entered_at",
            _newest(claim=OuterRef("entry__claim")),
            _newest(certificate=OuterRef("entry__certificate")),
            _newest(claim=OuterRef("entry__certificate__claim")),
        )
    )


def _disclosed(kind: Kind, group: Group) -> QuerySet[Any]:
    """From the end of what was taught; wordings also from the newest line about credit for it."""
    if kind == Kind.SHEET:
        sheets = DisclosureSheet.objects.filter(activity__in=group.activities)
        lines = _newest(claim__accreditation__activity=OuterRef("activity"))
        return sheets.annotate(since=Greatest("made_at", "activity__ends_at", "activity__closed_at", lines))
    if kind == Kind.STATEMENT:
        reviewed = DisclosureReview.objects.filter(disclosure=OuterRef("pk")).order_by("-reviewed_at")
        statements = Disclosure.objects.filter(person__in=group.people)
        newest = Subquery(reviewed.values("reviewed_at")[:1])
        return statements.annotate(since=Greatest("made_at", newest, _taught(OuterRef("person"))))
    asked = DisclosureRequest.objects.filter(person=OuterRef("pk")).order_by("-created_at")
    people = Discloser.objects.filter(pk__in=group.people)
    return people.annotate(since=Greatest(_taught(OuterRef("pk")), Subquery(asked.values("created_at")[:1])))


def _taught(person: OuterRef) -> Subquery:
    """Until when. Nothing where they take part in nothing that has a date."""
    rows = Contributor.objects.filter(person=person).annotate(at=Greatest("activity__ends_at", "activity__closed_at"))
    return Subquery(rows.order_by(F("at").desc(nulls_last=True)).values("at")[:1])


def _teaching(person: OuterRef) -> QuerySet[Contributor]:
    """In what is open, or being prepared."""
    here = Q(activity__state=ActivityState.OPEN) | Q(activity__state=ActivityState.DRAFT, left_at=None)
    return Contributor.objects.filter(here, person=person)


def not_teaching(people: QuerySet[Discloser]) -> QuerySet[Discloser]:
    return people.filter(~Exists(_teaching(OuterRef("pk"))))


def disclosed_until(people: QuerySet[Discloser], *, today: date) -> date | None:
    """When the last of what they disclosed may go; none while they teach, or wordings with it are kept for longer."""
    if people.count() > not_teaching(people).count():
        return None
    days = [
        years_later(one.since.astimezone(UTC).date(), group.years)
        for group in groups()
        for kind in (Kind.STATEMENT, Kind.DISCLOSER)
        for one in _of_people(records_of(kind, group), kind, people)
        if one.since is not None
    ]
    last = max(days, default=today)
    return last if last > today else None


def _of_people(rows: QuerySet[Any], kind: Kind, people: QuerySet[Discloser]) -> QuerySet[Any]:
    return rows.filter(pk__in=people) if kind == Kind.DISCLOSER else rows.filter(person__in=people)


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


# What may go


def due(kind: Kind, group: Group, *, until: date, years: Years = years_of) -> QuerySet[Any]:
    """On that day, with all that may go before it: `Kind` has the order."""
    before = before_of(until, group)
    rows = records_of(kind, group).filter(since__lt=before)
    if kind == Kind.ACKNOWLEDGEMENT:  # with whatever credit rests on it
        newer = LedgerEntry.objects.filter(
            claim__user=OuterRef("user"), claim__accreditation__activity=OuterRef("sheet__activity"),
            entered_at__gte=before,
        )  # fmt: skip
        return rows.filter(~Exists(newer))
    if kind == Kind.SHEET:
        read = Acknowledgement.objects.exclude(pk__in=due(Kind.ACKNOWLEDGEMENT, group, until=until).values("pk"))
        return rows.filter(~Exists(read.filter(sheet=OuterRef("pk"))), activity__state=ActivityState.CLOSED)
    if kind in ADDRESS:
        every = groups(years=years)
        sheets = _ids(due(Kind.SHEET, one, until=until) for one in every)
        rows = _needless(rows, kind, sheets)
        if kind == Kind.DISCLOSER:
            statements = (records_of(Kind.STATEMENT, one).filter(since__lt=before_of(until, one)) for one in every)
            stated = Disclosure.objects.exclude(
                pk__in=_ids(_needless(one, Kind.STATEMENT, sheets) for one in statements)
            )
            rows = rows.filter(~Exists(stated.filter(person=OuterRef("pk"))))
    return rows


def _needless(rows: QuerySet[Any], kind: Kind, sheets: list[int]) -> QuerySet[Any]:
    """Of people on no sheet that stays, who teach nothing."""
    person = OuterRef("person" if kind == Kind.STATEMENT else "pk")
    shown = DisclosureSheet.objects.exclude(pk__in=sheets)
    return rows.filter(~Exists(shown.filter(activity__contributors__person=person)), ~Exists(_teaching(person)))


def _ids(every: Iterable[QuerySet[Any]]) -> list[int]:
    """Of all groups. Few: presenters are, and wordings."""
    return [pk for rows in every for pk in rows.values_list("pk", flat=True)]


def before_of(until: date, group: Group) -> datetime:
    """What is older may go."""
    return datetime.combine(years_earlier(until, group.years) + timedelta(days=1), time(), UTC)


def of_person(rows: QuerySet[Any], kind: Kind, user: User | None) -> QuerySet[Any]:
    """None: everybody's."""
    if user is None:
        return rows
    if kind == Kind.SHEET:
        return rows.none()
    if kind in ADDRESS:
        return rows.filter(**{ADDRESS[kind]: user.email})
    return rows.filter(**{PERSON.get(kind, "user"): user})
