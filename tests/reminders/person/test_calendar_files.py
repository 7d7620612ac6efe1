"""Calendar files, read by a library that did not write them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import vobject
from dateutil.tz import tzical

from reminders.calendars import CANCEL, PUBLISH, REQUEST, Event, Guest, add_links, feed, invitation
from reminders.calendars.files import line

EVENT = Event(
    webinar_id=7,
    host="learn.example.org",
    number=2,
    title="IVF, surgery; and after",
    about="Fertility 2027",
    url="https://learn.example.org/webinars/7/",
    starts_at=datetime(2027, 3, 4, 18, 30, tzinfo=UTC),
    minutes=90,
    is_cancelled=False,
    noticed_at=datetime(2027, 1, 12, 12, 0, tzinfo=UTC),
)
GUEST = Guest("Dr Meera Nair", "meera@example.org", "Fertility Office", "office@example.org")
KOLKATA, BERLIN, UTC_ZONE = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def read(content: bytes) -> Any:
    """Strictly: what is missing or twice is an error."""
    calendar = vobject.readOne(content.decode())
    calendar.validate(raiseException=True)
    return calendar


def entry(content: bytes) -> Any:
    (found,) = read(content).vevent_list
    return found


def unfolded(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


class TestInvitation:
    def test_a_request_has_all_that_a_calendar_needs_to_update_it_later(self) -> None:
        content = invitation(EVENT, zone=KOLKATA, method=REQUEST, guest=GUEST)
        calendar, event = read(content), entry(content)
        assert calendar.method.value == "REQUEST"
        assert event.uid.value == "webinar-7@learn.example.org"
        assert event.sequence.value == "2"
        assert event.status.value == "CONFIRMED"
        assert event.summary.value == "IVF, surgery; and after"
        assert event.dtstart.value == EVENT.starts_at
        assert event.dtend.value == EVENT.starts_at + timedelta(minutes=90)
        assert event.dtstamp.value == EVENT.noticed_at
        assert (event.organizer.value, event.organizer.params["CN"]) == (
            "mailto:office@example.org",
            ["Fertility Office"],
        )
        assert event.attendee.value == "mailto:meera@example.org"
        assert (event.attendee.params["CN"], event.attendee.params["RSVP"]) == (["Dr Meera Nair"], ["FALSE"])
        assert event.url.value == EVENT.url
        assert event.valarm.trigger.value == timedelta(minutes=-15)

    def test_the_time_is_on_the_doctors_clock_with_its_zone(self) -> None:
        content = invitation(EVENT, zone=KOLKATA, method=REQUEST, guest=GUEST)
        assert "DTSTART;TZID=Asia/Kolkata:20270305T000000" in unfolded(content)
        (zone,) = read(content).vtimezone_list
        assert zone.tzid.value == "Asia/Kolkata"

    def test_a_cancellation_names_the_same_entry_with_the_next_number(self) -> None:
        gone = replace(EVENT, number=3, is_cancelled=True)
        content = invitation(gone, zone=KOLKATA, method=CANCEL, guest=GUEST)
        calendar, event = read(content), entry(content)
        assert (calendar.method.value, event.status.value, event.sequence.value) == ("CANCEL", "CANCELLED", "3")
        assert event.uid.value == EVENT.uid
        assert not hasattr(event, "valarm")

    def test_a_download_invites_nobody(self) -> None:
        event = entry(invitation(EVENT, zone=KOLKATA, method=PUBLISH, guest=GUEST))
        assert not hasattr(event, "attendee")
        assert not hasattr(event, "organizer")

    def test_the_same_facts_are_the_same_bytes(self) -> None:
        made = {invitation(EVENT, zone=BERLIN, method=REQUEST, guest=GUEST) for _ in range(3)}
        assert len(made) == 1

    def test_lines_are_as_short_as_the_rfc_wants_and_end_as_it_wants(self) -> None:
        content = invitation(replace(EVENT, title="ä" * 200), zone=BERLIN, method=REQUEST, guest=GUEST)
        assert max(len(one) for one in content.split(b"\r\n")) <= 75
        assert content.endswith(b"END:VCALENDAR\r\n")
        assert entry(content).summary.value == "ä" * 200


def moment(content: bytes, name: str, zone: str) -> datetime:
    """By the VTIMEZONE in the file, not by what this machine knows of the zone."""
    (value,) = [one.partition(":")[2] for one in unfolded(content) if one.startswith(f"{name};TZID={zone}:")][:1]
    rules = tzical(StringIO(content.decode().replace("\r\n ", ""))).get(zone)
    return datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=rules).astimezone(UTC)


@pytest.mark.parametrize(
    "text",
    [
        "x\r\nATTENDEE:mailto:evil@example.org",
        "x\nBEGIN:VEVENT",
        "x\u2028END:VCALENDAR",
        'x";CN="y:mailto:evil@example.org',
        "x\u202egnp.exe",
        "x\x00\x07",
        "=HYPERLINK(1)",
        "a,b;c\\n:d",
    ],
)
def test_sec_25_a_title_or_name_adds_no_property(text: str) -> None:
    guest = replace(GUEST, name=text, organiser_name=text)
    content = invitation(replace(EVENT, title=text, about=text), zone=KOLKATA, method=REQUEST, guest=guest)
    event = entry(content)
    assert [one.value for one in event.attendee_list] == ["mailto:meera@example.org"]
    assert [one.value for one in event.organizer_list] == ["mailto:office@example.org"]
    assert event.summary.value == line(text)
    assert content.count(b"\r\nBEGIN:VEVENT\r\n") == 1
    assert content.count(b"\r\nEND:VCALENDAR\r\n") == 1
    named = line(text).replace('"', "’")
    assert event.attendee.params["CN"] == [named]


class TestZones:
    @pytest.mark.parametrize(
        "zone",
        [
            "Pacific/Midway", "America/St_Johns", "America/New_York", "Europe/London", "Europe/Dublin",
            "Africa/Casablanca", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "starts_at",
        [
            datetime(2027, 3, 14, 6, 30, tzinfo=UTC),  # the hour before clocks go forward in New York
            datetime(2027, 3, 28, 1, 30, tzinfo=UTC),  # … and just after it in London
            datetime(2027, 10, 31, 12, 0, tzinfo=UTC),
            datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
            datetime(2027, 12, 31, 23, 30, tzinfo=UTC),  # over the end of the year
        ],
    )
    def test_a_calendar_that_knows_only_the_file_finds_the_moment(self, zone: str, starts_at: datetime) -> None:
        content = invitation(replace(EVENT, starts_at=starts_at), zone=ZoneInfo(zone), method=PUBLISH)
        assert moment(content, "DTSTART", zone) == starts_at
        assert moment(content, "DTEND", zone) == starts_at + timedelta(minutes=90)

    def test_the_hour_that_comes_twice_is_told_in_utc(self) -> None:
        twice = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)  # 02:30 for the second time in Berlin
        content = invitation(replace(EVENT, starts_at=twice), zone=BERLIN, method=PUBLISH)
        assert "DTSTART:20271031T013000Z" in unfolded(content)
        assert b"VTIMEZONE" not in content

    def test_utc_needs_no_zone(self) -> None:
        content = invitation(EVENT, zone=UTC_ZONE, method=PUBLISH)
        assert "DTSTART:20270304T183000Z" in unfolded(content)
        assert b"VTIMEZONE" not in content

    def test_a_zone_whose_clocks_change_twice_within_a_month_has_both_changes(self) -> None:
        """Morocco goes back an hour for Ramadan: from 7 February to 14 March 2027."""
        content = invitation(
            replace(EVENT, starts_at=datetime(2027, 2, 20, 12, 0, tzinfo=UTC)),
            zone=ZoneInfo("Africa/Casablanca"),
            method=PUBLISH,
        )
        assert "DTSTART;TZID=Africa/Casablanca:20270220T120000" in unfolded(content)
        assert {"DTSTART:20270207T030000", "DTSTART:20270314T020000"} <= set(unfolded(content))


class TestFeed:
    def test_it_has_every_webinar_once_under_its_own_uid(self) -> None:
        other = replace(EVENT, webinar_id=8, title="Second", is_cancelled=True, number=4)
        calendar = read(feed([EVENT, other], zone=BERLIN, name="My webinars"))
        found = {one.uid.value: (one.status.value, one.sequence.value) for one in calendar.vevent_list}
        assert found == {
            "webinar-7@learn.example.org": ("CONFIRMED", "2"),
            "webinar-8@learn.example.org": ("CANCELLED", "4"),
        }
        assert calendar.method.value == "PUBLISH"

    def test_one_zone_holds_for_webinars_of_many_years(self) -> None:
        years = [
            replace(EVENT, webinar_id=year, starts_at=EVENT.starts_at.replace(year=year)) for year in range(2025, 2030)
        ]
        calendar = read(feed(years, zone=BERLIN, name="x"))
        assert len(calendar.vtimezone_list) == 1
        assert [one.dtstart.value.astimezone(UTC) for one in calendar.vevent_list] == [one.starts_at for one in years]

    def test_without_webinars_it_is_still_a_calendar(self) -> None:
        content = feed([], zone=BERLIN, name="x")
        assert unfolded(content)[0] == "BEGIN:VCALENDAR"
        assert b"VEVENT" not in content


def test_well_known_calendars_get_the_moment_in_utc_and_nothing_unescaped() -> None:
    links = add_links(replace(EVENT, title="A&B #1 \n=x"))
    google = parse_qs(urlsplit(links.google).query, strict_parsing=True)
    assert google["dates"] == ["20270304T183000Z/20270304T200000Z"]
    assert google["text"] == ["A&B #1 =x"]
    for address, host in ((links.outlook, "outlook.live.com"), (links.office, "outlook.office.com")):
        parts = urlsplit(address)
        given = parse_qs(parts.query, strict_parsing=True)
        assert (parts.scheme, parts.hostname) == ("https", host)
        assert (given["startdt"], given["enddt"]) == (["2027-03-04T18:30:00Z"], ["2027-03-04T20:00:00Z"])
        assert given["subject"] == ["A&B #1 =x"]
