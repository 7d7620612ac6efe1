"""What doctors are told of an activity before they start, besides its people.

What it teaches and rests on, which credit it gives on which terms, by whom, and its days.

It is part of the sheet (`sheets`), and so of its digest: who acknowledged the sheet was told this. Plain data: days as
ISO dates on the wall of the programme's home, numbers as texts.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from certification.authorities import AUTHORITIES, NoPackError, pack_of
from certification.authorities.parameters import ParameterError
from certification.authorities.rounding import plain
from certification.domain.evidence import council_titles
from certification.domain.terms import terms_of, window_days
from certification.enums import AuthorityKey, Format
from certification.models import Accreditation, Activity

DAYS = ("starts_on", "reviewed_on", "ends_on")


def told_of(activity: Activity) -> dict[str, Any]:
    """`activity` with lesson, course and programme. One query."""
    starts_on, ends_on = window_days(activity)
    rows = activity.accreditations.order_by("authority", "council")
    return {
        "title": activity.title,
        "format": str(activity.format),
        "minutes": activity.minutes,
        "objectives": activity.objectives.strip(),
        "sources": activity.sources.strip(),
        "starts_on": _iso(starts_on),
        "reviewed_on": _iso(activity.reviewed_on),
        "ends_on": _iso(ends_on),
        "credits": [one for row in rows for one in _credit(row, activity)],
    }


def _credit(row: Accreditation, activity: Activity) -> Iterator[dict[str, Any]]:
    """Nothing where its settings cannot be used: then it grants nothing either."""
    row.activity = activity
    starts_on, _ends_on = window_days(activity)
    if starts_on is None:
        return
    try:
        pack = pack_of(row.authority, on=starts_on)
        terms = terms_of(row)
        values, wants_test = pack.clean(terms.parameters), pack.wants_test(terms)
    except (NoPackError, ParameterError):
        return
    provider = row.provider.strip() or activity.lesson.course.programme.society or settings.SITE_NAME
    days = f"{starts_on:%-d %B %Y}" if activity.format == Format.LIVE else ""
    yield {
        "authority": row.authority,
        "council": row.council,
        "provider": provider,
        "credits": plain(terms.credits),
        "unit": pack.unit,
        "approval_code": row.approval_code.strip(),
        "statement": pack.statement(terms, provider=provider, title=activity.title, days=days),
        "pass_percent": plain(values["pass_percent"]) if wants_test else "",
        "least_percent": plain(values["least_percent"]) if values.get("least_percent") else "",
        "ends_on": _iso(row.valid_until),
    }


def readable_told(told: dict[str, Any]) -> dict[str, Any]:
    """With words for codes, in the language of the reader. Sheets of before have less of it, or nothing."""
    if not told:
        return {}
    return told | {
        "format": str(Format(told["format"]).label),
        "is_recording": told["format"] == Format.ENDURING,
        "credits": [_readable(one) for one in told["credits"]],
        **{name: _day(told[name]) for name in DAYS},
    }


def _readable(one: dict[str, Any]) -> dict[str, Any]:
    title = council_titles().get(one["council"], AUTHORITIES[one["authority"]].title)
    percents = {name: Decimal(one[name]) for name in ("pass_percent", "least_percent") if one[name]}
    has_figure = one["authority"] != AuthorityKey.ATTENDANCE
    figures = {"credits": Decimal(one["credits"]), "ends_on": _day(one["ends_on"]), "has_figure": has_figure}
    return one | {"title": title} | figures | percents


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
