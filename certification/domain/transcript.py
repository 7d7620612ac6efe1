"""A doctor's credits by authority, year and cycle. A year and a cycle are of days at the programme's home.

An authority that wants a number in a cycle has the cycles in which there is credit, and the one of today. Where a
council counts from the registration, whose day is not known here, the cycle is that of the table.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.models import User
from certification.authorities import AUTHORITIES, NoPackError, requirement
from certification.authorities.base import Requirement
from certification.authorities.rounding import plain
from certification.domain.evidence import council_key, council_titles
from certification.domain.overview import Row, State
from certification.enums import AuthorityKey
from core.exports import Cell

Lines = Sequence[tuple[date, Decimal]]


@dataclass(frozen=True, slots=True)
class Year:
    """`share`: of the best year, 0 to 1."""

    year: int
    credits: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class Cycle:
    """Both days are in it."""

    first: date
    last: date
    credits: Decimal
    needed: Decimal
    is_now: bool

    @property
    def share(self) -> Decimal:
        """Of what is needed, 0 to 1."""
        return min(Decimal(1), self.credits / self.needed) if self.needed else Decimal(1)

    @property
    def missing(self) -> Decimal:
        return max(Decimal(0), self.needed - self.credits)

    @property
    def is_reached(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True)
class Account:
    """At one authority, and where it has several one council. `count`: certificates of attendance have no figure."""

    authority: str
    council: str
    unit: str
    total: Decimal
    count: int
    years: Sequence[Year]
    cycles: Sequence[Cycle]

    @property
    def title(self) -> str:
        title = AUTHORITIES[self.authority].title
        return f"{title} · {self.council_title}" if self.council else title

    @property
    def council_title(self) -> str:
        return council_titles().get(self.council, self.council)

    @property
    def has_figure(self) -> bool:
        return self.authority != AuthorityKey.ATTENDANCE


def transcript_of(*, user: User, rows: Iterable[Row], today: date) -> list[Account]:
    """From what `overview.rows_of` found: no query."""
    granted: dict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
    for row in rows:
        if row.state == State.GRANTED and row.took_part_on:
            where = row.accreditation.authority, row.accreditation.council
            granted[where].append((row.took_part_on, row.credit))
    council = council_key(user.medical_council)
    if council in council_titles() and _requirement(AuthorityKey.INDIA, council, today):
        granted.setdefault((AuthorityKey.INDIA.value, council), [])
    order = list(AuthorityKey)
    keys = sorted(granted, key=lambda key: (order.index(AuthorityKey(key[0])), key[1]))
    return [_account(authority, council, granted[authority, council], today) for authority, council in keys]


def _account(authority: str, council: str, lines: Lines, today: date) -> Account:
    by_year: dict[int, Decimal] = defaultdict(Decimal)
    for on, credit in lines:
        by_year[on.year] += credit
    most = max(by_year.values(), default=Decimal(0)) or Decimal(1)
    return Account(
        authority=authority,
        council=council,
        unit=AUTHORITIES[authority].unit,
        total=sum((credit for _on, credit in lines), Decimal(0)),
        count=len(lines),
        years=[Year(year, by_year[year], by_year[year] / most) for year in sorted(by_year, reverse=True)],
        cycles=list(_cycles(authority, council, lines, today)),
    )


def _cycles(authority: str, council: str, lines: Lines, today: date) -> Iterator[Cycle]:
    """The newest first."""
    wanted = {}
    for on in (today, *(on for on, _credit in lines)):
        found = _requirement(authority, council, on)
        if found and found.credits:
            wanted[found.first, found.last] = found.credits
    for first, last in sorted(wanted, reverse=True):
        earned = sum((credit for on, credit in lines if first <= on <= last), Decimal(0))
        yield Cycle(first, last, earned, wanted[first, last], is_now=first <= today <= last)


def _requirement(authority: str, council: str, on: date) -> Requirement | None:
    try:
        return requirement(authority, on=on, council=council)
    except NoPackError:
        return None


def table_of(*, rows: Iterable[Row], now: datetime) -> Iterator[tuple[Cell, ...]]:
    """The rows of the doctor's own file, the headings first. Revoked credit is in it, with nothing."""
    yield (
        _("Day"),
        _("Activity"),
        _("Format"),
        _("Authority"),
        _("Council"),
        _("Provider"),
        _("Approval code"),
        _("Credits"),
        _("Unit"),
        _("Granted at (UTC)"),
        _("Remark"),
    )
    titles = council_titles()
    for row in rows:
        if row.claim is None or row.took_part_on is None:
            continue
        one = row.accreditation
        yield (
            row.took_part_on.isoformat(),
            row.title,
            row.format,
            row.authority,
            titles.get(one.council, one.council),
            one.provider,
            one.approval_code,
            plain(row.credit) if row.has_figure else "",
            row.pack.unit if row.has_figure else "",
            f"{row.claim.made_at:%Y-%m-%d %H:%M:%S}",
            str(row.lines[-1].get_kind_display()) if len(row.lines) > 1 else "",
        )
