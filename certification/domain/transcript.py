"""A doctor's credits by authority, year and cycle. A year and a cycle are of days at the programme's home.

An authority that wants a number in a cycle has the cycles in which there is credit, and the one of today. Where a
council counts from the registration, whose day is not known here, the cycle is that of the table.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import User
from certification.authorities import AUTHORITIES, NoPackError, requirement
from certification.authorities.base import Requirement
from certification.authorities.cycles import year_of
from certification.authorities.rounding import plain
from certification.domain.evidence import council_key, council_titles
from certification.domain.overview import Row, State
from certification.enums import AuthorityKey
from core.exports import Cell

Lines = Sequence[tuple[date, Decimal]]


ROUND = (10, 20, 50)  # and ten times as much, and so on


@dataclass(frozen=True, slots=True)
class Scale:
    """At which number of credits a year's bar is full, and where that number is from.

    A single small year is a small bar: years are drawn against what is wanted, or a round number, not each other.
    """

    full: Decimal
    is_asked_for: bool = False  # by the council, for each year
    is_share: bool = False  # of what the council wants in a cycle

    @property
    def words(self) -> str:
        values = {"full": figure(self.full)}
        if self.is_asked_for:
            return _("A year's bar is full at %(full)s: that is what your council asks for in a year.") % values
        if self.is_share:
            return _("A year's bar is full at %(full)s: a year's part of what the whole period asks for.") % values
        return _("A year's bar is full at %(full)s.") % values


@dataclass(frozen=True, slots=True)
class Year:
    """Both days are in it: a council's year may begin in April."""

    first: date
    last: date
    credits: Decimal
    scale: Scale

    @property
    def year(self) -> int:
        return self.first.year

    @property
    def label(self) -> str:
        if self.first.year == self.last.year:
            return str(self.first.year)
        return f"{self.first.year}/{self.last.year % 100:02}"

    @property
    def share(self) -> Decimal:
        """0 to 1."""
        return min(Decimal(1), self.credits / self.scale.full)

    @property
    def amount(self) -> str:
        """As it stands beside the bar."""
        if self.scale.is_asked_for or self.scale.is_share:
            return of_words(self.credits, self.scale.full)
        return figure(self.credits)

    @property
    def words(self) -> str:
        """The bar for who does not see it."""
        return f"{self.label}: {of_words(self.credits, self.scale.full)}"


@dataclass(frozen=True, slots=True)
class Cycle:
    """Both days are in it."""

    first: date
    last: date
    credits: Decimal
    needed: Decimal
    is_now: bool

    @property
    def amount(self) -> str:
        return of_words(self.credits, self.needed)

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
    def scale_words(self) -> str:
        return self.years[0].scale.words if self.years else ""

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
    wanted = _wanted(authority, council, lines, today)
    return Account(
        authority=authority,
        council=council,
        unit=AUTHORITIES[authority].unit,
        total=sum((credit for _on, credit in lines), Decimal(0)),
        count=len(lines),
        years=_years(lines, wanted[0] if wanted else None),
        cycles=[_cycle(one, lines, today) for one in wanted],
    )


def _wanted(authority: str, council: str, lines: Lines, today: date) -> list[Requirement]:
    """Of each cycle with credit and of today's, the newest first. One that wants no number is left out."""
    found = (_requirement(authority, council, on) for on in (today, *(on for on, _credit in lines)))
    cycles = {(one.first, one.last): one for one in found if one and one.credits}
    return [cycles[days] for days in sorted(cycles, reverse=True)]


def _cycle(wanted: Requirement, lines: Lines, today: date) -> Cycle:
    earned = sum((credit for on, credit in lines if wanted.first <= on <= wanted.last), Decimal(0))
    is_now = wanted.first <= today <= wanted.last
    return Cycle(wanted.first, wanted.last, earned, wanted.credits or Decimal(0), is_now=is_now)


def _years(lines: Lines, wanted: Requirement | None) -> list[Year]:
    """Those with credit, the newest first."""
    by_year: dict[tuple[date, date], Decimal] = defaultdict(Decimal)
    for on, credit in lines:
        window = year_of(on, starts=wanted.year_starts if wanted else (1, 1))
        by_year[window.first, window.last] += credit
    scale = _scale(wanted, max(by_year.values(), default=Decimal(0)))
    return [Year(*days, by_year[days], scale) for days in sorted(by_year, reverse=True)]


def _scale(wanted: Requirement | None, best: Decimal) -> Scale:
    if wanted and wanted.credits_per_year:
        return Scale(wanted.credits_per_year, is_asked_for=True)
    if wanted and wanted.credits:
        years = max(1, round((wanted.last - wanted.first).days / 365.25))
        return Scale((wanted.credits / years).quantize(Decimal("0.01")), is_share=True)
    power = 1
    while best > ROUND[-1] * power:
        power *= 10
    return Scale(next(Decimal(one * power) for one in ROUND if best <= one * power))


def figure(credit: Decimal) -> str:
    return number_format(Decimal(plain(credit)))


def of_words(there: Decimal, wanted: Decimal) -> str:
    return _("%(there)s of %(wanted)s") % {"there": figure(there), "wanted": figure(wanted)}


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
