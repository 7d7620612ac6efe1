"""Who was there: intervals from beats and visits, and files that no spreadsheet runs."""

import csv
import io
import zipfile
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEvent
from core.exports import csv_lines, neutral, xlsx_file
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.signing_in import signed_in
from webinars.domain import visits
from webinars.domain.attendance import attendance_of, merge
from webinars.domain.registrations import register
from webinars.enums import IngestKind, Phase
from webinars.models import Broadcast, Visit, Webinar

NOON = datetime.fromisoformat("2030-05-02T12:00:00+00:00")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def held(**given: Any) -> Webinar:
    webinar: Webinar = WebinarFactory.create(**{"video": None, "starts_at": NOON, "live_at": NOON} | given)
    return webinar


def watched(webinar: Webinar, *clock: tuple[float, float], coverage: Any = ((0, 600),), **user: Any) -> Any:
    return WatchRecordFactory.create(
        user=UserFactory.create(**user),
        webinar=webinar,
        phase=Phase.LIVE,
        coverage=coverage,
        clock=tuple((at(start), at(end)) for start, end in clock),
        first_beat_at=at(clock[0][0]),
        last_beat_at=at(clock[-1][1]),
    ).user


class TestMerging:
    def test_a_gap_of_less_than_a_minute_is_no_leaving(self) -> None:
        merged = merge([(at(0), at(10)), (at(10.9), at(20)), (at(21), at(30))])

        assert merged == ((at(0), at(20)), (at(21), at(30)))

    @given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 60)), max_size=12))
    def test_merged_intervals_cover_the_same_and_lie_apart(self, given: list[tuple[int, int]]) -> None:
        intervals = [(at(start), at(start + length)) for start, length in given]

        merged = merge(intervals)

        assert all(any(low <= start and end <= high for low, high in merged) for start, end in intervals)
        assert all(later[0] - earlier[1] >= timedelta(seconds=60) for earlier, later in pairwise(merged))


@pytest.mark.django_db
class TestReading:
    def test_a_person_joined_left_and_came_back(self) -> None:
        webinar = held()
        user = watched(webinar, (0, 10), (10.5, 20), (30, 40), coverage=((0, 900), (1800, 2100)))
        WatchRecordFactory.create(user=user, webinar=webinar, phase=Phase.ON_DEMAND)

        (row,) = attendance_of(webinar)

        assert row.user == user
        assert row.intervals == ((at(0), at(20)), (at(30), at(40)))
        assert (row.first_join, row.last_leave, row.minutes_live) == (at(0), at(40), 20)
        assert row.present_seconds == 1800

    def test_nobody_was_there_longer_than_the_webinar(self) -> None:
        """A phone delivers its last beats days later; a clever one goes on sending when the picture has ended."""
        webinar = held(ended_at=at(60))
        Broadcast.objects.create(
            webinar=webinar, started_at=at(0), epoch=at(0), ended_at=at(60), program_seconds=59.5 * 60
        )
        watched(webinar, (0, 3 * 24 * 60), coverage=((0, 2400), (3000, 7200)))

        (row,) = attendance_of(webinar)

        assert (row.first_join, row.last_leave, row.present_seconds) == (at(0), at(60), 3600)
        assert row.seen_seconds == 2400 + 570

    def test_visits_to_a_meeting_elsewhere_count_as_being_there(self) -> None:
        webinar, user = held(ingest=IngestKind.EXTERNAL, external_url="https://meet.example/1"), UserFactory.create()
        Visit.objects.create(webinar=webinar, user=user, joined_at=at(0), seen_at=at(10), left_at=at(10))
        Visit.objects.create(webinar=webinar, user=user, joined_at=at(30), seen_at=at(45))

        (row,) = attendance_of(webinar)

        assert (row.intervals, row.minutes_live) == (((at(0), at(10)), (at(30), at(45))), 25)

    def test_search_finds_by_name_mail_and_number(self) -> None:
        webinar = held()
        wanted = watched(webinar, (0, 1), last_name="Menon", first_name="Asha", registration_number="48213")
        watched(webinar, (0, 1), last_name="Other")
        watched(held(), (0, 1), last_name="Menon")

        for search in ("menon", "asha menon", "48213", wanted.email):
            assert [row.user for row in attendance_of(webinar, search=search)] == [wanted]
        assert list(attendance_of(webinar, search="nobody")) == []

    def test_the_number_of_queries_does_not_grow(self, django_assert_num_queries: Any) -> None:
        webinar = held()
        for number in (1, 3):
            while sum(1 for _ in attendance_of(webinar)) < number:
                watched(webinar, (0, 1))
            with django_assert_num_queries(4):
                list(attendance_of(webinar))


@pytest.mark.django_db
class TestVisits:
    def meeting(self, **given: Any) -> Webinar:
        return held(**{"ingest": IngestKind.EXTERNAL, "external_url": "https://meet.example/1"} | given)

    def test_joining_twice_is_one_visit(self) -> None:
        webinar, user = self.meeting(), UserFactory.create()

        first = visits.join(webinar=webinar, user=user, now=at(0))

        assert visits.join(webinar=webinar, user=user, now=at(1)) == first
        assert Visit.objects.get().seen_at == at(1)

    def test_who_leaves_and_returns_has_two(self) -> None:
        webinar, user = self.meeting(), UserFactory.create()
        visits.join(webinar=webinar, user=user, now=at(0))
        assert visits.leave(webinar=webinar, user=user, now=at(1)) is True
        assert visits.leave(webinar=webinar, user=user, now=at(1.5)) is False
        visits.join(webinar=webinar, user=user, now=at(8))

        assert list(Visit.objects.order_by("joined_at").values_list("joined_at", "left_at")) == [
            (at(0), at(1)),
            (at(8), None),
        ]

    def test_a_silent_page_ends_where_it_was_last_seen(self) -> None:
        webinar, user = self.meeting(), UserFactory.create()
        visits.join(webinar=webinar, user=user, now=at(0))
        visits.keep(webinar=webinar, user=user, now=at(1))

        assert visits.close_silent_visits(now=at(2.9)) == 0
        assert visits.close_silent_visits(now=at(3.1)) == 1
        assert visits.keep(webinar=webinar, user=user, now=at(3.2)) is False
        assert Visit.objects.get().left_at == at(1)

    def test_leaving_after_a_silence_does_not_stretch_the_visit(self) -> None:
        webinar, user = self.meeting(), UserFactory.create()
        visits.join(webinar=webinar, user=user, now=at(0))

        assert visits.leave(webinar=webinar, user=user, now=at(90)) is False
        assert Visit.objects.get().left_at == at(0)

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"ingest": IngestKind.RTMP}, visits.NoMeetingError),
            ({"live_at": None, "starts_at": at(600)}, visits.DoorsClosedError),
            ({"ended_at": at(1)}, visits.DoorsClosedError),
            ({"needs_registration": True}, visits.NotRegisteredError),
        ],
    )
    def test_the_meeting_is_closed_to(self, given: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            visits.join(webinar=self.meeting(**given), user=UserFactory.create(), now=at(2))

    def test_the_registered_come_in(self) -> None:
        webinar, user = self.meeting(needs_registration=True), UserFactory.create()
        register(webinar=webinar, user=user, now=at(0))

        assert visits.join(webinar=webinar, user=user, now=at(2)).user == user


@pytest.mark.django_db
class TestFiles:
    def page(self, webinar: Webinar) -> tuple[Any, str]:
        programme = webinar.lesson.course.programme
        browser = signed_in(RoleGrantFactory.create(programme=programme).user)
        return browser, reverse("admin:webinars_webinar_attendance", args=(webinar.pk,))

    def test_the_page_shows_who_was_there_and_that_is_recorded(self) -> None:
        webinar = held()
        watched(webinar, (0, 30), last_name="Menon")
        browser, address = self.page(webinar)

        text = browser.get(address).content.decode()

        assert "Menon" in text
        assert AuditEvent.objects.filter(action="attendance.read").count() == 1

    def test_another_programmes_attendance_does_not_exist(self) -> None:
        webinar = held()
        elsewhere = signed_in(RoleGrantFactory.create().user)
        doctor = UserFactory.create()
        EnrolmentFactory.create(user=doctor, programme=webinar.lesson.course.programme)
        address = reverse("admin:webinars_webinar_attendance", args=(webinar.pk,))

        assert elsewhere.get(address).status_code == 404
        assert signed_in(doctor).get(address).status_code == 302

    def test_sec_24_a_name_that_looks_like_a_formula_stays_text_in_csv(self) -> None:
        webinar = held()
        watched(webinar, (0, 30), title="", first_name="=HYPERLINK(1)", last_name="x")
        browser, address = self.page(webinar)

        response = browser.get(address, {"as": "csv"})

        rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
        assert rows[1][0] == "'=HYPERLINK(1) x"
        assert rows[1][7] == "10"
        assert AuditEvent.objects.get(action="attendance.exported").details == {"form": "csv"}

    def test_sec_24_the_excel_file_has_text_where_there_is_text(self) -> None:
        webinar = held()
        watched(webinar, (0, 30), title="", first_name="=1+1", last_name="<b>&")
        browser, address = self.page(webinar)

        response = browser.get(address, {"as": "xlsx"})

        with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
            assert archive.testzip() is None
            sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
        space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
        cells = sheet.findall("s:sheetData/s:row", space)[1].findall("s:c", space)
        assert (cells[0].get("t"), cells[0].findtext("s:is/s:t", namespaces=space)) == ("inlineStr", "=1+1 <b>&")
        assert cells[7].findtext("s:v", namespaces=space) == "10"

    def test_the_command_writes_both_kinds_and_is_recorded(self, tmp_path: Path) -> None:
        webinar = held()
        watched(webinar, (0, 30))

        for name in ("a.csv", "a.xlsx"):
            call_command("export_attendance", webinar.pk, to=tmp_path / name)

        assert len((tmp_path / "a.csv").read_text("utf-8-sig").splitlines()) == 2
        assert zipfile.is_zipfile(tmp_path / "a.xlsx")
        assert AuditEvent.objects.filter(action="attendance.exported").count() == 2

    def test_the_command_knows_what_there_is_not(self) -> None:
        with pytest.raises(CommandError, match="There is no webinar"):
            call_command("export_attendance", 10**9)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@A1", "\t=1", "\r=1", "\x00=1", "  =1"])
def test_sec_24_what_begins_like_a_formula_is_made_harmless(text: str) -> None:
    assert neutral(text).startswith("'")
    assert b"\x00" not in b"".join(csv_lines([[text]]))


def test_control_signs_do_not_break_the_excel_file() -> None:
    with xlsx_file([["a\x0bb\uffff", 1]], sheet="A/B:*?") as file, zipfile.ZipFile(file) as archive:
        ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
        assert b'name="A B"' in archive.read("xl/workbook.xml") or b"A B" in archive.read("xl/workbook.xml")
