"""Template tags of the design system. `docs/design-system.md` shows how to use each.

Tags that stand in lists build their markup here instead of rendering a template: ten bars cost microseconds then.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django import template
from django.conf import settings
from django.forms import BoundField
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from core.ranges import Range, normalise
from core.ranges import seconds as count_seconds

register = template.Library()

RING_RADIUS = 52
COVERS = 5

# 24 × 24, drawn with the text colour. Names say what they mean, not what they look like.
ICONS: Mapping[str, str] = {
    "done": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "locked": '<rect x="5" y="11" width="14" height="9" rx="2.5"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>',
    "play": '<path d="M8 5.5v13l10.5-6.5z" fill="currentColor"/>',
    "next": '<path d="M9 5.5l6.5 6.5L9 18.5"/>',
    "back": '<path d="M15 5.5L8.5 12l6.5 6.5"/>',
    "calendar": '<rect x="4" y="5.5" width="16" height="14.5" rx="3"/><path d="M4 10.5h16M8.5 3.5v4M15.5 3.5v4"/>',
    "warning": '<path d="M12 4.5l8.5 15h-17z"/><path d="M12 10.5v4M12 17v.2"/>',
    "error": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5v5.5M12 16v.2"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11.5v5M12 8v.2"/>',
    "success": '<circle cx="12" cy="12" r="8.5"/><path d="M8.5 12.5l2.5 2.5 4.5-5"/>',
    "mail": '<rect x="3.5" y="5.5" width="17" height="13" rx="2.5"/><path d="M4 7.5l8 6 8-6"/>',
    "device": '<rect x="7" y="3.5" width="10" height="17" rx="2.5"/><path d="M11 17.5h2"/>',
    "person": '<circle cx="12" cy="8" r="3.5"/><path d="M5 20c.5-4 3.2-6 7-6s6.5 2 7 6"/>',
    "document": '<path d="M7 3.5h7l4 4V20.5H7zM14 3.5v4h4M10 12.5h5M10 16h5"/>',
    "test": '<path d="M5 7l1.5 1.5L9 6M5 15l1.5 1.5L9 14M12.5 8H19M12.5 16H19"/>',
    "book": '<path d="M12 6.5C9.5 5 6.5 4.5 3.5 5v13c3-.5 6 0 8.5 1.5M12 6.5v13"/>'
    '<path d="M12 6.5C14.5 5 17.5 4.5 20.5 5v13c-3-.5-6 0-8.5 1.5"/>',
}
MIRRORED = frozenset({"next", "back"})


@register.simple_tag
def same_for_all(name: str) -> SafeString:
    """A template that shows nothing of the person or the page: made once for every language, not for everybody."""
    language = get_language()
    return _made(name, language) if not settings.DEBUG else _made.__wrapped__(name, language)


@cache
def _made(name: str, language: str) -> SafeString:
    return render_to_string(name)


@register.simple_tag
@cache
def icon(name: str, size: int = 20) -> SafeString:
    """Decoration only: the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon{}" width="{}" height="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>',
        " flip" if name in MIRRORED else "",
        size,
        size,
        SafeString(ICONS[name]),
    )


@register.filter
def breakable(address: object) -> SafeString:
    """An e-mail address that a phone breaks after the @ or a full stop, and not in the middle of a name."""
    pieces = re.split(r"(?<=[@.])", str(address))
    return format_html_join(SafeString("<wbr>"), "{}", ((piece,) for piece in pieces if piece))


@register.filter
def duration(seconds: float | None) -> str:
    """'24 min', '1 h 10 min', '45 s'. Rounds down, so that nobody reads of a minute they have not watched."""
    return _length(int(seconds or 0))


@register.filter
def duration_left(seconds: float | None) -> str:
    """The same rounded up: 24 min seen and 36 min left make the hour, and a minute left is not nothing."""
    whole = math.ceil(seconds or 0)
    return _length(whole if whole < 60 else math.ceil(whole / 60) * 60)


def _length(whole: int) -> str:
    if 0 < whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    hours, minutes = divmod(whole // 60, 60)
    if not hours:
        return _("%(minutes)d min") % {"minutes": minutes}
    if not minutes:
        return _("%(hours)d h") % {"hours": hours}
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}


@register.filter
def clock(seconds: float | None) -> str:
    """A position in a video: '24:10', '1:02:03'. Same digits in every language, as in the player."""
    minutes, rest = divmod(int(seconds or 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def initials(name: object) -> str:
    """'MN' of 'Dr Meera Nair': the first letters of the first and last word that are not a title with a full stop."""
    words = [word for word in str(name).split() if word[:1].isalnum() and not word.endswith(".")]
    if len(words) > 2:
        words = words[-2:]
    return "".join(word[0] for word in words).upper()


@register.simple_tag
def coverage_bar(
    coverage: Iterable[Range] | None,
    total: float | None,
    label: str = "",
    decorative: bool = False,
    unseen: int | None = None,
) -> SafeString:
    """Which seconds of `total` were watched. `coverage` is `core.ranges.Ranges`; parts beyond the end are cut off.

    `unseen` where the words beside the bar count without the odd lost second, so that both say the same.
    `decorative=True` where the words stand beside it: a screen reader then hears them once.
    """
    length = max(1, int(total or 0))
    parts = [(start, min(end, length)) for start, end in normalise(coverage or ()) if start < length]
    seen = count_seconds(parts)
    words = label or _("%(seen)s seen, %(unseen)s still unseen") % {
        "seen": duration(seen),
        "unseen": duration_left(length - seen if unseen is None else unseen),
    }
    return format_html(
        '<svg class="coverage" viewBox="0 0 {} 10" preserveAspectRatio="none" {}>'
        '<rect class="bg" width="{}" height="10"/>{}</svg>',
        length,
        SafeString('aria-hidden="true"') if decorative else format_html('role="img" aria-label="{}"', words),
        length,
        format_html_join(
            "", '<rect class="seen" x="{}" width="{}" height="10"/>', ((start, end - start) for start, end in parts)
        ),
    )


@register.simple_tag
def ring(done: int, total: int, label: str = "", size: int = 132) -> SafeString:
    """`done` of `total` as an arc with the figures inside; a tick in the middle when all is done."""
    share = min(1.0, done / total) if total else 0.0
    length = 2 * math.pi * RING_RADIUS
    arc = format_html(
        '<circle class="arc" cx="66" cy="66" r="{}" fill="none" stroke-width="13" stroke-linecap="round"'
        ' stroke-dasharray="{} {}" transform="rotate(-90 66 66)"/>',
        RING_RADIUS,
        f"{share * length:.1f}",
        f"{length + 1:.1f}",
    )
    middle = format_html(
        '<text x="66" y="67" text-anchor="middle" dominant-baseline="central" direction="ltr">{}'
        '<tspan class="of"> / {}</tspan></text>',
        done,
        total,
    )
    return format_html(
        '<svg class="ring" width="{}" height="{}" viewBox="0 0 132 132" role="img" aria-label="{}">'
        '<circle class="track" cx="66" cy="66" r="{}" fill="none" stroke-width="13"/>{}{}</svg>',
        size,
        size,
        label or _("%(done)d of %(total)d done") % {"done": done, "total": total},
        RING_RADIUS,
        arc if done else "",
        middle,
    )


@register.simple_tag
def cover(number: int, playable: bool = False) -> SafeString:
    """A generated picture for course `number`: no signed media on pages that only point at a video."""
    shift = 190 + (number * 37) % 90
    return format_html(
        '<div class="cover cover-{}" aria-hidden="true"><svg viewBox="0 0 320 200" preserveAspectRatio="xMaxYMin slice"'
        ' focusable="false"><g fill="none" stroke="#fff">'
        '<circle cx="{}" cy="30" r="62" stroke-width="22" opacity=".10"/>'
        '<circle cx="{}" cy="30" r="112" stroke-width="16" opacity=".08"/>'
        '<circle cx="{}" cy="30" r="162" stroke-width="10" opacity=".06"/></g></svg>'
        '<span class="cover-number">{}</span>{}</div>',
        (number - 1) % COVERS,
        shift,
        shift,
        shift,
        number,
        format_html('<span class="cover-play">{}</span>', icon("play", 30)) if playable else "",
    )


@register.simple_tag
def request_id() -> str:
    """The id of this request in the logs, for error pages; works without a request context (500)."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def zone_name(zone: tzinfo, at: datetime) -> str:
    """'Kolkata, UTC+5:30'. The offset is that of the moment shown, so summer time is right."""
    offset = at.astimezone(zone).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    shift = f"UTC{'+' if minutes >= 0 else '−'}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"
    key = zone.key if isinstance(zone, ZoneInfo) else ""
    city = key.rpartition("/")[2].replace("_", " ")
    return f"{city}, {shift}" if "/" in key and not key.startswith("Etc/") else shift


def _written(at: datetime, *, with_time: bool) -> str:
    this_year = at.year == timezone.localtime().year
    if with_time:
        if this_year:
            pattern = pgettext("date format, this year", "l j F, H:i")
        else:
            pattern = pgettext("date format, another year", "l j F Y, H:i")
    else:
        pattern = pgettext("date format", "j F") if this_year else pgettext("date format with year", "j F Y")
    return date_format(at, pattern)


@register.simple_tag
def local_datetime(at: datetime | None) -> SafeString:
    """'Thursday 26 November, 19:30 (Kolkata, UTC+5:30)' in the zone the middleware made current."""
    if at is None:
        return SafeString("")
    zone = timezone.get_current_timezone()
    return format_html(
        '<time datetime="{}">{} <span class="zone nowrap">({})</span></time>',
        at.isoformat(),
        _written(at.astimezone(zone), with_time=True),
        zone_name(zone, at),
    )


def local_day(at: datetime) -> str:
    """'3 March' in the current zone, for sentences put together in Python."""
    return _written(at.astimezone(timezone.get_current_timezone()), with_time=False)


@register.filter
def day(at: datetime) -> str:
    """The same in a template, where markup has no place: in mails. The order of its parts is the translator's."""
    return local_day(at)


@register.simple_tag
def local_date(at: datetime | None) -> SafeString:
    """'3 March': only the day; use it where the hour and its zone do not matter."""
    if at is None:
        return SafeString("")
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), local_day(at))


@register.filter
def days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, autofocus: bool = False) -> dict[str, Any]:
    """Label, control, help and errors of one form field, wired for screen readers by Django's aria-describedby."""
    kind = getattr(bound.field.widget, "input_type", "")
    attrs: dict[str, Any] = {"autofocus": True} if autofocus else {}
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs),
        "is_choice": kind == "checkbox",
        "is_group": bound.use_fieldset,
        "is_hidden": bound.is_hidden,
    }


@register.simple_tag
def site_name() -> str:
    """From the settings, not the context: error pages are rendered without one."""
    return str(settings.SITE_NAME)


@register.simple_tag
def current_zone() -> str:
    """'Kolkata, UTC+5:30' for now."""
    return zone_name(timezone.get_current_timezone(), timezone.now())
