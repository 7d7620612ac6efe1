"""Addresses by which well-known calendars take an entry: filled in, for the person to save."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from reminders.calendars.files import Event, line

GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
OFFICE = "https://outlook.office.com/calendar/0/deeplink/compose"


@dataclass(frozen=True, slots=True)
class AddLinks:
    google: str
    outlook: str
    office: str


def add_links(event: Event) -> AddLinks:
    """Times are UTC there; each shows them in the zone of the person's calendar. What is added so does not follow when
    the webinar moves: only invitations and the feed do.
    """
    about = f"{line(event.about)}\n{event.url}".strip()
    google = {
        "action": "TEMPLATE",
        "text": line(event.title),
        "dates": f"{event.starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}/{event.ends_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "details": about,
        "location": event.url,
    }
    microsoft = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": line(event.title),
        "startdt": _iso(event.starts_at),
        "enddt": _iso(event.ends_at),
        "body": about,
        "location": event.url,
    }
    return AddLinks(
        google=f"{GOOGLE}?{urlencode(google)}",
        outlook=f"{OUTLOOK}?{urlencode(microsoft)}",
        office=f"{OFFICE}?{urlencode(microsoft)}",
    )


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
