"""Lists of credit for authorities: exact rows beside rows that must not be there, and what was left empty."""

import csv
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from certification.domain.chain import NewEntry, append, lock_chain
from certification.domain.credit_reports import ReportError, report_of, tab_lines
from certification.domain.erasure import erase
from certification.domain.states import STATES, state_of
from certification.enums import EntryKind
from certification.models import Activity
from tests.certification.audited import AT, Audited, answer, certify, make_audited
from tests.factories.accounts import UserFactory
from tests.factories.certification import AccreditationFactory, grant
from tests.factories.webinars import WatchRecordFactory
from webinars.enums import Phase
from webinars.models import Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine() -> Audited:
    """Beside another activity of the programme, with its own doctor."""
    made = make_audited()
    made.doctor.medical_council = "Medical Board of California"
    made.doctor.save()
    make_audited(programme=made.claim.programme, doctor=UserFactory.create(last_name="Stranger"))
    return made


def rows(kind: str, activity: Activity) -> list[tuple[Any, ...]]:
    """Without the headings."""
    return [tuple(row) for row in report_of(kind=kind, activity=activity).rows][1:]


def revoke(audited: Audited) -> None:
    entry = NewEntry(
        EntryKind.CREDIT_REVOKED, audited.doctor.pk, claim_id=audited.claim.pk, credits=Decimal(0), reason="By mistake"
    )
    append(chain=lock_chain(audited.claim.programme), entries=[entry], now=AT)


class TestPars:
    def test_one_row_for_each_doctor_with_credit(self, mine: Audited) -> None:
        """As in the template, whose rows look so: Add, 202212345, 6/30/2022, …, 09/10, Maine, 1234567, 10."""
        headings, row = (tuple(one) for one in report_of(kind="pars", activity=mine.activity).rows)
        assert list(zip(headings, row, strict=True)) == [
            ("Record Action", "Add"), ("ACCME Activity ID", "APPROVAL-1"), ("Completion Date", "03/05/2026"),
            ("First Name", "Meera"), ("Last Name", "Nair"), ("Date of Birth", ""), ("Licensing State", "California"),
            ("Licensing ID or NPI", "KER-77"), ("Number of CME Credits", "0.75"),
        ]  # fmt: skip

    def test_what_is_not_known_is_counted(self, mine: Audited) -> None:
        grant(
            accreditation=mine.claim.accreditation,
            user=UserFactory.create(medical_council="Kerala", registration_number="", first_name=""),
        )
        report = report_of(kind="pars", activity=mine.activity)
        list(report.rows)
        told = {what.split(":")[0]: number for what, number in report.missing.items() if number}
        assert told == {
            "month and day of birth": 2, "permission to report to PARS": 2, "state of licensure": 1, "license ID": 1,
            "first or last name": 1,
        }  # fmt: skip

    def test_revoked_credit_is_not_reported(self, mine: Audited) -> None:
        revoke(mine)
        assert rows("pars", mine.activity) == []

    def test_corrected_credit_is_reported_as_it_is_today(self, mine: Audited) -> None:
        entry = NewEntry(
            EntryKind.CREDIT_CORRECTED, mine.doctor.pk, claim_id=mine.claim.pk, credits=Decimal("0.5"), reason="Counted"
        )
        append(chain=lock_chain(mine.claim.programme), entries=[entry], now=AT)
        assert [row[8] for row in rows("pars", mine.activity)] == ["0.50"]

    def test_only_credit_of_the_accme(self, mine: Audited) -> None:
        other = AccreditationFactory.create(activity=mine.activity, authority="eaccme", version="2023")
        grant(accreditation=other, user=UserFactory.create())
        assert len(rows("pars", mine.activity)) == 1

    def test_an_activity_of_others_has_none(self) -> None:
        activity = make_audited(authority="eaccme", version="2023").activity
        with pytest.raises(ReportError, match="not accredited"):
            report_of(kind="pars", activity=activity)

    def test_no_sign_breaks_out_of_its_cell(self) -> None:
        (line,) = tab_lines(iter([("=1+1", "a\tb\r\nc", "Ö", 3)]))
        assert line.decode() == "'=1+1\ta b c\tÖ\t3\r\n"

    @pytest.mark.parametrize(
        ("council", "state"),
        [("CA", "California"), (" ny ", "New York"), ("West Virginia Board of Medicine", "West Virginia"),
         ("Virginia", "Virginia"), ("Kerala", ""), ("", ""), ("Arkansas", "Arkansas"),
         ("MEDICAL BOARD OF NORTH CAROLINA", "North Carolina")],
    )  # fmt: skip
    def test_states_are_read_from_what_a_profile_says(self, council: str, state: str) -> None:
        assert state_of(council) == state

    def test_there_are_fifty_and_the_district(self) -> None:
        assert (len(STATES), len(set(STATES.values()))) == (51, 51)


class TestCouncils:
    def test_a_row_has_what_councils_ask_for(self, mine: Audited) -> None:
        assert rows("councils", mine.activity) == [
            ("Dr Meera Nair", "Medical Board of California", "KER-77", "AMA PRA Category 1 (ACCME)", "0.75",
             "2026-03-05", "APPROVAL-1", mine.certificate.number)
        ]  # fmt: skip

    def test_revoked_attendance_is_no_attendance(self) -> None:
        """It has no figure of credit, before and after."""
        given: dict[str, Any] = {"authority": "attendance", "version": "1", "credits": Decimal(0)}
        mine = make_audited(**given)
        other = make_audited(programme=mine.claim.programme, **given)
        grant(credit="0", accreditation=mine.claim.accreditation, user=other.doctor)
        assert sorted(row[7] for row in rows("councils", mine.activity)) == ["", mine.certificate.number]
        revoke(mine)
        assert [row[7] for row in rows("councils", mine.activity)] == [""]

    def test_credit_that_was_corrected_to_nothing_is_not_listed(self, mine: Audited) -> None:
        entry = NewEntry(
            EntryKind.CREDIT_CORRECTED, mine.doctor.pk, claim_id=mine.claim.pk, credits=Decimal(0), reason="Not there"
        )
        append(chain=lock_chain(mine.claim.programme), entries=[entry], now=AT)
        assert rows("councils", mine.activity) == []

    def test_a_revoked_certificate_is_not_named_and_a_newer_edition_is(self, mine: Audited) -> None:
        gone = NewEntry(
            EntryKind.CERTIFICATE_REVOKED, mine.doctor.pk, certificate_id=mine.certificate.pk, reason="Wrong name"
        )
        append(chain=lock_chain(mine.claim.programme), entries=[gone], now=AT)
        assert rows("councils", mine.activity)[0][-1] == ""

    def test_names_that_begin_like_a_formula_run_nothing(self, mine: Audited, tmp_path: Path) -> None:
        mine.doctor.title, mine.doctor.first_name = "", '=HYPERLINK("http://evil.example")'
        mine.doctor.save()
        path = tmp_path / "list.csv"
        call_command("credit_report", "councils", str(mine.activity.pk), "--to", str(path))
        name = next(iter(list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))[1:]))[0]
        assert name == '\'=HYPERLINK("http://evil.example") Nair'
        book = path.with_suffix(".xlsx")
        call_command("credit_report", "councils", str(mine.activity.pk), "--to", str(book))
        sheet = zipfile.ZipFile(book).read("xl/worksheets/sheet1.xml").decode()
        assert '<c t="inlineStr"><is><t xml:space="preserve">=HYPERLINK("http://evil.example") Nair</t>' in sheet
        assert "<f>" not in sheet

    def test_who_was_erased_is_left_out_and_counted(self, mine: Audited) -> None:
        erase(user=mine.doctor, now=AT)
        report = report_of(kind="councils", activity=mine.activity)
        assert [tuple(row) for row in report.rows][1:] == []
        assert report.missing == {"people who were erased: their rows are left out": 1}

    def test_queries_do_not_grow_with_people(self, mine: Audited, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(3):
            assert len(rows("councils", mine.activity)) == 1
        for _ in range(2):
            certify(grant(accreditation=mine.claim.accreditation, user=UserFactory.create()).claim, at=AT)  # type: ignore[arg-type]
        with django_assert_num_queries(3):
            assert len(rows("councils", mine.activity)) == 3


class TestEaccme:
    def test_numbers_of_the_event_without_names(self) -> None:
        mine = make_audited(authority="eaccme", version="2023")
        make_audited(programme=mine.claim.programme, authority="eaccme", version="2023")
        webinar = Webinar.objects.get(lesson=mine.activity.lesson)
        for country, specialty in (("DE", "Cardiology"), ("DE", ""), ("IN", "Surgery"), ("", "Cardiology")):
            person = UserFactory.create(country=country, specialty=specialty)
            WatchRecordFactory.create(webinar=webinar, phase=Phase.LIVE, user=person)
            assert mine.activity.evaluation is not None
            answer(mine.activity.evaluation.evaluation, person, AT.date())
        WatchRecordFactory.create(webinar=webinar, phase=Phase.ON_DEMAND)
        assert rows("eaccme", mine.activity) == [
            ("Event", "Title", mine.activity.title),
            ("Event", "EACCME number", "APPROVAL-1"),
            ("Event", "ECMEC designated", "1.00"),
            ("Participants", "All", 5),
            ("Participants by country", "Germany", 2),
            ("Participants by country", "India", 2),
            ("Participants by country", "Not stated", 1),
            ("Participants by specialty", "Cardiology", 3),
            ("Participants by specialty", "Not stated", 1),
            ("Participants by specialty", "Surgery", 1),
            ("Feedback", "Forms handed in", 5),
            ("Feedback, mean of 5", "Clarity of content delivery", "5.00"),
            ("Credit", "People with credit", 1),
            ("Credit", "ECMEC granted", "0.75"),
            ("Credit", "Certificates", 1),
        ]

    def test_revoked_credit_and_its_certificate_are_counted_nowhere(self) -> None:
        mine = make_audited(authority="eaccme", version="2023")
        certify(grant(credit="0.50", accreditation=mine.claim.accreditation, user=UserFactory.create()).claim, at=AT)  # type: ignore[arg-type]
        revoke(mine)
        assert [row[1:] for row in rows("eaccme", mine.activity) if row[0] == "Credit"] == [
            ("People with credit", 1), ("ECMEC granted", "0.50"), ("Certificates", 1)
        ]  # fmt: skip
        assert [row[4] for row in rows("councils", mine.activity)] == ["0.50"]

    def test_few_anonymous_answers_have_no_mean(self) -> None:
        mine = make_audited(authority="eaccme", version="2023")
        told = [row[1:] for row in rows("eaccme", mine.activity) if row[0].startswith("Feedback")]
        assert told == [("Forms handed in", 1), ("Too few answers to be told", "")]


class TestCommand:
    def test_it_says_what_is_missing_and_is_recorded(self, mine: Audited, tmp_path: Path, capsys: Any) -> None:
        path = tmp_path / "pars.txt"
        call_command("credit_report", "pars", str(mine.activity.pk), "--to", str(path))
        assert path.read_text().splitlines()[1].split("\t")[3:5] == ["Meera", "Nair"]
        assert path.stat().st_mode & 0o777 == 0o600
        assert "1 rows: month and day of birth" in capsys.readouterr().out
        event = AuditEvent.objects.get(action="credit_report.taken")
        assert (event.subject_id, event.details) == (
            str(mine.activity.pk), {"kind": "pars", "form": "txt by command"}
        )  # fmt: skip

    def test_what_is_not_accredited_is_said_and_not_recorded(self, mine: Audited) -> None:
        with pytest.raises(CommandError, match="not accredited by EACCME"):
            call_command("credit_report", "eaccme", str(mine.activity.pk))
        with pytest.raises(CommandError, match="no activity"):
            call_command("credit_report", "pars", "999999")
        assert not AuditEvent.objects.filter(action="credit_report.taken").exists()
