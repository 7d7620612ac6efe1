"""Calendar files (RFC 5545, 5546): an invitation to one webinar, and all of somebody's webinars as a feed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, vCalAddress, vText
from icalendar import Event as Entry

from reminders.calendars.zones import timezone_of

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"
PRODUCT = "-//Rounds//Webinars//EN"
REMIND_BEFORE = timedelta(minutes=15)
ASK_AGAIN = timedelta(hours=6)
# Control signs, and those that turn the direction of what follows. Joiners stay: names in Persian and Hindi have them.
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Event:
    """A webinar as it was announced. `number` is its SEQUENCE: an entry with a higher one replaces a lower one.

    `host` and `webinar_id` make the UID, by which a calendar finds the entry it has. `about` stands in the entry above
    the address.
    """

    webinar_id: int
    host: str
    number: int
    title: str
    about: str
    url: str
    starts_at: datetime
    minutes: int
    is_cancelled: bool
    noticed_at: datetime

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def uid(self) -> str:
        return f"webinar-{self.webinar_id}@{self.host}"


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is invited, and by whom: calendars update an entry only for the organiser who made it."""

    name: str
    email: str
    organiser_name: str
    organiser_email: str


def invitation(event: Event, *, zone: ZoneInfo, method: str, guest: Guest | None = None) -> bytes:
    """REQUEST and CANCEL are for a message to the guest, PUBLISH for a download. Times are on the zone's clocks."""
    calendar = _calendar(method, [event], zone)
    calendar.add_component(_entry(event, zone, method, guest))
    return bytes(calendar.to_ical(sorted=False))


def feed(events: Sequence[Event], *, zone: ZoneInfo, name: str) -> bytes:
    """What a calendar that subscribes reads. A cancelled webinar stays in it as cancelled: then it goes there too."""
    calendar = _calendar(PUBLISH, events, zone)
    calendar.add("X-WR-CALNAME", line(name))
    calendar.add("NAME", line(name))
    calendar.add("REFRESH-INTERVAL", ASK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", "PT6H")
    for event in events:
        calendar.add_component(_entry(event, zone, PUBLISH, None))
    return bytes(calendar.to_ical(sorted=False))


def line(text: str) -> str:
    """One line without signs that steer: a person's text cannot end its property, nor turn the rest around."""
    return " ".join(STEERING.sub("", " ".join(text.split())).split())


def _calendar(method: str, events: Iterable[Event], zone: ZoneInfo) -> Calendar:
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    local = [event for event in events if _is_told_locally(event, zone)]
    if local:
        years = [moment.astimezone(zone).year for event in local for moment in (event.starts_at, event.ends_at)]
        calendar.add_component(timezone_of(zone.key, min(years) - 1, max(years)))
    return calendar


def _entry(event: Event, zone: ZoneInfo, method: str, guest: Guest | None) -> Entry:
    entry = Entry()
    entry.add("UID", event.uid)
    entry.add("DTSTAMP", event.noticed_at.astimezone(UTC))
    entry.add("LAST-MODIFIED", event.noticed_at.astimezone(UTC))
    entry.add("SEQUENCE", event.number)
    told_in = zone if _is_told_locally(event, zone) else UTC
    entry.add("DTSTART", event.starts_at.astimezone(told_in))
    entry.add("DTEND", event.ends_at.astimezone(told_in))
    entry.add("SUMMARY", vText(line(event.title)))
    entry.add("DESCRIPTION", vText("\n".join(part for part in (line(event.about), event.url) if part)))
    entry.add("URL", event.url)
    entry.add("LOCATION", vText(event.url))
    entry.add("STATUS", "CANCELLED" if event.is_cancelled else "CONFIRMED")
    entry.add("TRANSP", "TRANSPARENT" if event.is_cancelled else "OPAQUE")
    if guest is not None and method != PUBLISH:
        entry.add("ORGANIZER", _person(guest.organiser_email, guest.organiser_name))
        attendee = _person(guest.email, guest.name)
        attendee.params.update({"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION"})
        attendee.params["RSVP"] = "FALSE"
        entry.add("ATTENDEE", attendee)
    if not event.is_cancelled:
        entry.add_component(_alarm(event))
    return entry


def _is_told_locally(event: Event, zone: ZoneInfo) -> bool:
    """Not in UTC itself, nor in the hour that clocks show twice: a local time there means the first of the two."""
    if zone.key in {"UTC", "Etc/UTC"}:
        return False
    return not any(moment.astimezone(zone).fold for moment in (event.starts_at, event.ends_at))


def _person(email: str, name: str) -> vCalAddress:
    """A quotation mark cannot stand in a parameter at all (RFC 5545, 3.2)."""
    person = vCalAddress(f"mailto:{line(email)}")
    if plain := line(name).replace('"', "’"):
        person.params["CN"] = plain
    return person


def _alarm(event: Event) -> Alarm:
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", vText(line(event.title)))
    alarm.add("TRIGGER", -REMIND_BEFORE)
    return alarm
