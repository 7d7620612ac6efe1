"""Dates in messages: on the reader's own clock, and never without saying which one that is.

Pure but for the language, which is the one that is switched on.
"""

import math
from datetime import datetime, tzinfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.templatetags.ui import duration_left, zone_name


def starts(at: datetime, *, zone: tzinfo, now: datetime) -> str:
    """'Thursday 26 November, 19:30 (Kolkata, UTC+5:30)'; the year where it is another one."""
    return f"{_in(at, zone, _pattern(at, zone, now))} ({zone_name(zone, at)})"


def date(at: datetime, *, zone: tzinfo, now: datetime) -> str:
    """'Thursday 26 November'."""
    if _year(at, zone) == _year(now, zone):
        return _in(at, zone, pgettext("date format, day of the week, this year", "l j F"))
    return _in(at, zone, pgettext("date format, day of the week, another year", "l j F Y"))


def when(at: datetime, *, zone: tzinfo, now: datetime) -> str:
    """'Tomorrow, 19:30 (Kolkata)': by the calendar of the reader, at the moment of sending."""
    near = {0: _("Today"), 1: _("Tomorrow")}
    named = near.get(nights(at, zone=zone, now=now)) or date(at, zone=zone, now=now)
    clock = _in(at, zone, pgettext("date format, hour", "H:i"))
    return _("%(day)s, %(hour)s (%(zone)s)") % {"day": named, "hour": clock, "zone": _city(at, zone)}


def short(at: datetime, *, zone: tzinfo) -> str:
    """'26 Nov, 19:30 (Kolkata)': for an SMS."""
    return f"{_in(at, zone, pgettext('date format, short', 'j M, H:i'))} ({_city(at, zone)})"


def until(at: datetime, *, now: datetime) -> str:
    """'10 min', rounded to the nearest minute: a reminder for ten minutes that leaves some seconds late still says ten.

    Never less than a minute.
    """
    return duration_left(max(60, math.floor((at - now).total_seconds() / 60 + 0.5) * 60))


def nights(at: datetime, *, zone: tzinfo, now: datetime) -> int:
    return (at.astimezone(zone).date() - now.astimezone(zone).date()).days


def _pattern(at: datetime, zone: tzinfo, now: datetime) -> str:
    if _year(at, zone) == _year(now, zone):
        return pgettext("date format, this year", "l j F, H:i")
    return pgettext("date format, another year", "l j F Y, H:i")


def _in(at: datetime, zone: tzinfo, pattern: str) -> str:
    return date_format(at.astimezone(zone), pattern)


def _year(at: datetime, zone: tzinfo) -> int:
    return at.astimezone(zone).year


def _city(at: datetime, zone: tzinfo) -> str:
    """What stands before the offset; the offset where there is no city, as in UTC."""
    return zone_name(zone, at).partition(",")[0]
