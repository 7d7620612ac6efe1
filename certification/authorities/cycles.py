"""Days, years and cycles. Months are always counted from the first anchor: 29 February comes back in leap years."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

YEAR = 12


@dataclass(frozen=True, slots=True)
class Window:
    """Both days are in it."""

    first: date
    last: date

    def __contains__(self, on: date) -> bool:
        return self.first <= on <= self.last


def day_in(moment: datetime, zone: str) -> date:
    """The day on the wall there: 19:00 UTC on 31 December is the next year in Kolkata."""
    if moment.tzinfo is None:
        raise ValueError("A moment without a time zone")
    return moment.astimezone(ZoneInfo(zone)).date()


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last: 29 February and a year make 28 February."""
    year, month = divmod(day.year * YEAR + day.month - 1 + months, YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_years(day: date, years: int) -> date:
    return add_months(day, years * YEAR)


def window(anchor: date, months: int, on: date) -> Window:
    """The cycle that holds this day. Cycles follow each other without gaps, before the anchor too."""
    count = ((on.year - anchor.year) * YEAR + on.month - anchor.month) // months
    if add_months(anchor, count * months) > on:
        count -= 1
    return Window(add_months(anchor, count * months), add_months(anchor, (count + 1) * months) - timedelta(days=1))


def year_of(on: date, *, starts: tuple[int, int] = (1, 1)) -> Window:
    """The calendar year, or a council's year from another month and day."""
    return window(date(2000, *starts), YEAR, on)
