"""Files of datasets: no formulas, no half ones, little memory, for whom they are, and in the trail."""

import csv
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from accounts.enums import Role
from accounts.models import AuditEvent, User
from analytics.domain.exporting.catalogue import DATASETS
from analytics.domain.exporting.datasets import Source, select
from analytics.domain.exporting.definitions import as_markdown
from analytics.domain.exporting.files import chunks_of, write_export
from core import exports
from core.clock import now
from core.exports import TooManyRowsError, json_chunks, xlsx_file
from courses.models import Enrolment, Programme
from operations.domain.backups.programs import parameters_of_site
from tests import columns_list
from tests.analytics.lecture_world import well_visited
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from webinars.models import Webinar

FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def webinar(db: None) -> Webinar:
    course = CourseFactory.create()
    return well_visited(course, RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user)


def taken(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def crowd(programme: Programme, number: int) -> None:
    """So many doctors, by the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                INSERT INTO accounts_user (email, password, title, first_name, last_name, specialty, country, timezone,
                    language, phone, medical_council, registration_number, is_active, is_staff, is_superuser,
                    created_at)
                SELECT 'crowd' || n || '@example.org', '!', 'Dr', 'A', 'B', '', 'IN', 'UTC', 'en', '', '', '', true,
                    false, false, now() FROM generate_series(1, %s) AS n
                RETURNING id
            )
            INSERT INTO courses_enrolment (user_id, programme_id, status, enrolled_at)
            SELECT id, %s, 'invited', now() FROM made
            """,
            [number, programme.pk],
        )
        cursor.execute("ANALYZE accounts_user, courses_enrolment")  # or the joins are planned as if of a few rows


class TestPages:
    def test_sec_24_no_cell_of_a_file_is_a_formula(self, webinar: Webinar) -> None:
        programme = webinar.lesson.course.programme
        doctors = Enrolment.objects.filter(programme=programme).values("user")
        User.objects.filter(pk__in=doctors).update(title="", first_name=FORMULA, specialty="+1+1")
        staff = signed_in(RoleGrantFactory.create(programme=programme).user)
        for name, address in (
            ("learners", f"/reports/{programme.slug}/export/learners"),
            ("audience", f"/presenting/{webinar.pk}/export/audience"),
        ):
            rows = list(csv.reader(io.StringIO(taken(staff.get(f"{address}.csv")).decode("utf-8-sig"))))
            assert rows[0] == list(DATASETS[name].names)
            assert any("'+1+1" in row for row in rows)
            assert [cell for row in rows for cell in row if cell.startswith(exports.DANGEROUS)] == []
            with zipfile.ZipFile(io.BytesIO(taken(staff.get(f"{address}.xlsx")))) as book:
                assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
                assert "+1+1" in book.read("xl/worksheets/sheet1.xml").decode()
                assert DATASETS[name].names[-1] in book.read("xl/worksheets/sheet2.xml").decode()

    def test_json_has_the_rows_and_what_they_mean(self, webinar: Webinar) -> None:
        browser = signed_in(webinar.presenters.get())
        found = json.loads(taken(browser.get(f"/presenting/{webinar.pk}/export/retention.json")))
        assert (found["dataset"], found["of"]) == ("retention", webinar.lesson.title)
        assert [column["name"] for column in found["columns"]] == list(DATASETS["retention"].names)
        assert len(found["rows"]) == 3600
        assert found["rows"][0].keys() == {"second", "live", "recorded", "all"}

    def test_sec_32_every_file_is_in_the_trail_before_its_first_row_leaves(self, webinar: Webinar) -> None:
        programme = webinar.lesson.course.programme
        staff = RoleGrantFactory.create(programme=programme).user
        taken(signed_in(staff).get(f"/reports/{programme.slug}/export/watching.xlsx"))
        signed_in(staff).get(f"/presenting/{webinar.pk}/export/minutes.csv")  # nobody has read of it yet
        events = AuditEvent.objects.filter(action="report.exported").order_by("pk")
        assert [(one.actor, one.subject_type, one.subject_id, one.details) for one in events] == [
            (staff, "courses.programme", str(programme.pk), {"dataset": "watching", "form": "xlsx"}),
            (staff, "webinars.webinar", str(webinar.pk), {"dataset": "minutes", "form": "csv"}),
        ]

    def test_sec_19_names_of_doctors_are_for_staff_of_the_programme_alone(self, webinar: Webinar) -> None:
        slug = webinar.lesson.course.programme.slug
        for role in (Role.PRESENTER, Role.SPONSOR, Role.AUDITOR):
            browser = signed_in(RoleGrantFactory.create(programme=webinar.lesson.course.programme, role=role).user)
            assert browser.get(f"/reports/{slug}/export/learners.csv").status_code == 404
        elsewhere = signed_in(RoleGrantFactory.create().user)
        assert elsewhere.get(f"/reports/{slug}/export/learners.csv").status_code == 404
        assert elsewhere.get(f"/presenting/{webinar.pk}/export/audience.csv").status_code == 404
        staff = signed_in(RoleGrantFactory.create(programme=webinar.lesson.course.programme).user)
        for address in ("learners.pdf", "nothing.csv", "audience.csv"):
            assert staff.get(f"/reports/{slug}/export/{address}").status_code == 404
        assert staff.get(f"/presenting/{webinar.pk}/export/learners.csv").status_code == 404
        assert not AuditEvent.objects.filter(action="report.exported").exists()

    def test_who_goes_away_leaves_no_cursor_behind(self, webinar: Webinar) -> None:
        programme = webinar.lesson.course.programme
        crowd(programme, 5_000)
        chunks = chunks_of(DATASETS["learners"], Source(programme), form="csv", now=now())
        for _ in range(10):
            next(chunks)
        assert _cursors() == 1
        chunks.close()  # type: ignore[attr-defined]  # as the server does when its client is gone
        assert _cursors() == 0


def _cursors() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors")
        return int(cursor.fetchone()[0])


class Sink(io.RawIOBase):
    """Takes everything and keeps nothing."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.size += len(data)
        return len(data)


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_ten_times_the_rows_take_no_more_memory(form: str) -> None:
    """The largest part of a file may be in a temporary one (XLSX), never in memory."""
    small, large = ProgrammeFactory.create(), ProgrammeFactory.create()
    crowd(small, 1_000)
    User.objects.update(email=Concat(Value("first-"), F("email")))
    crowd(large, 10_000)
    peaks = []
    for programme, number in ((small, 1_000), (large, 10_000)):
        sink = Sink()
        tracemalloc.start()
        write_export(DATASETS["learners"], Source(programme), form=form, to=sink, now=now())  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sink.size > 7 * number  # compressed, in XLSX
    assert peaks[1] < 1.5 * peaks[0] + 1_500_000  # what may be held before it goes to the temporary file


@pytest.mark.django_db(transaction=True)
class TestBrokenConnection:
    def test_a_database_that_goes_away_ends_the_file_with_an_error_and_the_next_one_works(self, tmp_path: Path) -> None:
        programme = ProgrammeFactory.create()
        crowd(programme, 6_000)
        rows = select(_SLOW, {})
        next(rows)
        _end_own_backend()
        with pytest.raises(OperationalError):
            list(rows)
        connection.close()
        target = tmp_path / "learners.csv"
        call_command("export", "learners", "--programme", programme.slug, "--output", str(target))
        assert len(target.read_text().splitlines()) == 6_001

    def test_readers_on_a_slow_line_hold_no_transaction_open(self) -> None:
        programme = ProgrammeFactory.create()
        crowd(programme, 5_000)
        rows = DATASETS["learners"].rows(Source(programme))
        next(rows)
        with psycopg.connect(**parameters_of_site()) as other:
            pid = _pid()
            state = other.execute("SELECT state, xact_start FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
        assert state == ("idle", None)
        assert sum(1 for _ in rows) == 4_999

    def test_behind_a_pooler_the_cursor_lives_in_one_transaction(self) -> None:
        programme = ProgrammeFactory.create()
        crowd(programme, 5_000)
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
        try:
            rows = DATASETS["learners"].rows(Source(programme))
            next(rows)
            assert connection.in_atomic_block
            assert sum(1 for _ in rows) == 4_999
            assert not connection.in_atomic_block
        finally:
            connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False


_SLOW = "SELECT n FROM generate_series(1, 500000) AS n"


def _pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _end_own_backend() -> None:
    pid = _pid()
    with psycopg.connect(**parameters_of_site(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


class TestCommand:
    def test_it_writes_each_form_for_its_owner_to_read(self, webinar: Webinar, tmp_path: Path, capsys: Any) -> None:
        for form in ("csv", "xlsx", "json"):
            target = tmp_path / f"retention.{form}"
            call_command("export", "retention", "--webinar", webinar.pk, "--output", str(target))
            assert f"{target}: 3,600 rows" in capsys.readouterr().out
            assert target.stat().st_mode & 0o777 == 0o600
        assert len(json.loads((tmp_path / "retention.json").read_text())["rows"]) == 3600
        assert zipfile.is_zipfile(tmp_path / "retention.xlsx")
        assert len((tmp_path / "retention.csv").read_text().splitlines()) == 3601
        assert sorted(one.name for one in tmp_path.iterdir()) == ["retention.csv", "retention.json", "retention.xlsx"]
        forms = (
            AuditEvent.objects.filter(action="report.exported").order_by("pk").values_list("details__form", flat=True)
        )
        assert list(forms) == ["csv by command", "xlsx by command", "json by command"]

    def test_it_replaces_a_file_only_when_told(self, webinar: Webinar, tmp_path: Path) -> None:
        target = tmp_path / "audience.csv"
        target.write_text("mine")
        arguments = ("export", "audience", "--webinar", str(webinar.pk), "--output", str(target))
        with pytest.raises(CommandError, match="is there already; --force replaces it"):
            call_command(*arguments)
        assert target.read_text() == "mine"
        assert not AuditEvent.objects.filter(action="report.exported").exists()
        call_command(*arguments, "--force")
        assert "India" not in target.read_text()
        assert "IN" in target.read_text()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["nothing", "--webinar", "1", "--output", "x.csv"], "invalid choice"),
            (["learners", "--webinar", "1", "--output", "x.csv"], "say --programme"),
            (["audience", "--programme", "a", "--output", "x.csv"], "say --webinar"),
            (["audience", "--webinar", "999999", "--output", "x.csv"], "There is no webinar 999999"),
            (["learners", "--programme", "none", "--output", "x.csv"], "There is no programme “none”"),
            (["learners", "--programme", "there", "--output", "x.txt"], "Say --format"),
            (["learners", "--programme", "there", "--output", "nowhere/x.csv"], "There is no folder nowhere"),
            (["learners", "--programme", "there", "--output", "x"], "Say --format"),
        ],
    )
    @pytest.mark.django_db
    def test_it_says_what_is_wrong(self, arguments: list[str], said: str, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(tmp_path)
        ProgrammeFactory.create(slug="there")
        with pytest.raises(CommandError, match=said):
            call_command("export", *arguments)
        assert list(tmp_path.iterdir()) == []

    def test_what_breaks_off_leaves_no_half_file(self, webinar: Webinar, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 100)
        target = tmp_path / "retention.xlsx"
        with pytest.raises(CommandError, match=r"was not written: .* 100 rows at most"):
            call_command("export", "retention", "--webinar", webinar.pk, "--output", str(target))
        assert list(tmp_path.iterdir()) == []


class TestParts:
    def test_json_is_whole_or_none(self) -> None:
        rows = [{"a": number, "b": "“ü”\u2028"} for number in range(450)]
        for part in (rows, rows[:200], rows[:1], []):
            text = b"".join(json_chunks({"x": 1}, iter(part))).decode()
            assert json.loads(text) == {"x": 1, "rows": part}
        assert json.loads(b"".join(json_chunks({}, iter([])))) == {"rows": []}
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(b"".join(list(json_chunks({"x": 1}, iter(rows)))[:-1]))

    def test_a_sheet_that_is_too_long_is_refused_as_excel_would(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 3)
        with xlsx_file([["a"]] * 3, sheet="s") as file:
            assert file.read(2) == b"PK"
        with pytest.raises(TooManyRowsError, match="3 rows at most"):
            xlsx_file([["a"]] * 4, sheet="s")

    def test_sheets_have_their_names_and_a_header_on_every_page(self) -> None:
        with xlsx_file([["a"]], sheet="R&D", more=[("two", [["b"]])], header="A & B <c>") as file:
            book = zipfile.ZipFile(io.BytesIO(file.read()))
        assert 'name="R&amp;D" sheetId="1"' in book.read("xl/workbook.xml").decode()
        assert "<oddHeader>&amp;CA &amp;&amp; B &lt;c&gt;</oddHeader>" in book.read("xl/worksheets/sheet1.xml").decode()
        assert "b" in book.read("xl/worksheets/sheet2.xml").decode()

    def test_the_document_defines_every_column_as_the_code_does(self) -> None:
        text = columns_list.DOCUMENT.read_text()
        assert as_markdown() in text, "run: python -m tests.columns_list"
        assert columns_list.rendered(text) == text


@pytest.mark.django_db
class TestApi:
    def test_pages_follow_each_other_to_the_end(self) -> None:
        programme = ProgrammeFactory.create()
        ids = sorted(EnrolmentFactory.create(programme=programme).user_id for _ in range(5))
        EnrolmentFactory.create()
        staff = RoleGrantFactory.create(programme=programme).user
        browser = signed_in(staff)
        address = f"/api/v1/reports/programmes/{programme.slug}/learners/?page_size=2"
        pages: list[list[int]] = []
        while address:
            found = browser.get(address).json()
            pages.append([row["doctor"] for row in found["results"]])
            address = found["next"]
        assert pages == [ids[:2], ids[2:4], ids[4:]]
        events = AuditEvent.objects.filter(action="report.exported", actor=staff)
        assert [one.details for one in events] == [{"dataset": "learners", "form": "api"}] * 3

    def test_a_cursor_of_another_list_or_a_made_up_one_is_refused(self) -> None:
        first, second = (EnrolmentFactory.create().programme for _ in range(2))
        EnrolmentFactory.create(programme=first)
        user = RoleGrantFactory.create(programme=first).user
        RoleGrantFactory.create(user=user, programme=second)
        browser = signed_in(user)
        found = browser.get(f"/api/v1/reports/programmes/{first.slug}/learners/?page_size=1").json()
        query = found["next"].split("?")[1]
        assert browser.get(f"/api/v1/reports/programmes/{second.slug}/learners/?{query}").status_code == 400
        assert browser.get(f"/api/v1/reports/programmes/{first.slug}/learners/?cursor=x").status_code == 400
        for size in ("0", "-1", "x", "9" * 5_000):
            address = f"/api/v1/reports/programmes/{first.slug}/learners/?page_size={size}"
            assert len(browser.get(address).json()["results"]) == 2

    def test_rights_are_those_of_the_files(self) -> None:
        programme = ProgrammeFactory.create()
        webinar = WebinarFactory.create(lesson=LessonFactory.create(course=CourseFactory.create(programme=programme)))
        for role in (Role.SPONSOR, Role.AUDITOR):
            browser = signed_in(RoleGrantFactory.create(programme=programme, role=role).user)
            assert browser.get(f"/api/v1/reports/programmes/{programme.slug}/learners/").status_code == 404
            assert browser.get(f"/api/v1/reports/webinars/{webinar.pk}/audience/").status_code == 404
        staff = signed_in(RoleGrantFactory.create(programme=programme).user)
        assert staff.get(f"/api/v1/reports/webinars/{webinar.pk}/learners/").status_code == 404
        assert staff.get(f"/api/v1/reports/programmes/{programme.slug}/audience/").status_code == 404
        assert staff.get(f"/api/v1/reports/webinars/{webinar.pk}/audience/").status_code == 200
        assert not AuditEvent.objects.filter(action="report.exported", details__dataset="learners").exists()

    def test_the_list_of_datasets_says_what_columns_mean(self) -> None:
        found = signed_in(UserFactory.create()).get("/api/v1/reports/datasets/").json()
        assert {one["key"]: [column["name"] for column in one["columns"]] for one in found} == {
            key: list(dataset.names) for key, dataset in DATASETS.items()
        }

    def test_a_page_costs_the_same_for_many_doctors(self) -> None:
        programme = ProgrammeFactory.create()
        browser = signed_in(RoleGrantFactory.create(programme=programme).user)
        address = f"/api/v1/reports/programmes/{programme.slug}/learners/"
        costs = []
        for number in (1, 3):
            while programme.enrolments.count() < number:
                EnrolmentFactory.create(programme=programme)
            browser.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert len(browser.get(address).json()["results"]) == number
            costs.append(len(queries))
        assert costs[0] == costs[1]
