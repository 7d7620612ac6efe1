"""One webinar as a calendar file (RFC 5545). Times are UTC: the doctor's calendar shows them in their zone."""

import re
from datetime import UTC, datetime

_ESCAPED = re.compile(r"([\\;,])")


def calendar_file(
    *,
    uid: str,
    title: str,
    description: str,
    url: str,
    starts_at: datetime,
    ends_at: datetime,
    changed_at: datetime,
    is_cancelled: bool,
) -> str:
    """`changed_at` lets a calendar that has an older version take this one. A person's text cannot add a line."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Rounds//Webinars//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{_utc(changed_at)}",
        f"SEQUENCE:{int(changed_at.timestamp()) % 2**31}",
        f"DTSTART:{_utc(starts_at)}",
        f"DTEND:{_utc(ends_at)}",
        f"SUMMARY:{_text(title)}",
        f"DESCRIPTION:{_text(description)}",
        f"URL:{url}",
        f"STATUS:{'CANCELLED' if is_cancelled else 'CONFIRMED'}",
        *(() if is_cancelled else _alarm(title)),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _alarm(title: str) -> tuple[str, ...]:
    return ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(title)}", "TRIGGER:-PT15M", "END:VALARM")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    one_kind = value.replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPED.sub(r"\\\1", one_kind).replace("\n", "\\n")


def _folded(line: str) -> str:
    """At most 75 bytes a line, never in the middle of a character."""
    pieces: list[str] = []
    piece = ""
    for character in line:
        if len((piece + character).encode()) > (75 if not pieces else 74):
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece])
