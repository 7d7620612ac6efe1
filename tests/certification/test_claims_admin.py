"""Claims in the office: found, read in full, corrected and revoked by operators of the programme, taken along."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEvent, User
from certification.domain.claiming import claim, credits_of
from certification.domain.erasure import erase
from certification.enums import EntryKind
from certification.models import Claim, LedgerEntry
from tests.factories.courses import RoleGrantFactory
from tests.factories.deeds import accredit, doctor_of, make_live, watch
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/certification/claim/"
SUBMITTED = {"_form_submitted": "on"}


def granted(*, course: Any = None, **person: Any) -> Claim:
    live = make_live(starts_at=timezone.now() - timedelta(hours=3), **({"course": course} if course else {}))
    user = doctor_of(live, **person)
    watch(live, user)
    return claim(accreditation=accredit(live), user=user, now=timezone.now()).claim


def operator_of(one: Claim, role: str = Role.OPERATOR) -> User:
    user: User = RoleGrantFactory.create(programme=one.programme, role=role).user
    return user


@pytest.fixture
def one() -> Claim:
    return granted(first_name="Meera", last_name="Nair", email="meera@hospital.example", registration_number="MMC-77")


@pytest.fixture
def office(one: Claim) -> Client:
    return signed_in(operator_of(one))


def page(one: Claim, what: str = "change") -> str:
    return f"{LIST}{one.pk}/{what}/"


class TestReading:
    @pytest.mark.parametrize("search", ["Meera", "nair", "meera@hospital", "MMC-77"])
    def test_found_by_name_number_and_address_within_the_programme(
        self, one: Claim, office: Client, search: str
    ) -> None:
        granted(first_name="Meera", last_name="Nair", registration_number="MMC-77", email="meera@hospital.example2")
        answer = office.get(LIST, {"q": search})
        assert list(answer.context["cl"].result_list) == [one]

    def test_sec_39_whose_credit_it_is_stays_known_here_after_erasing(self, one: Claim, office: Client) -> None:
        """There was no certificate that says it."""
        erase(user=one.user, now=timezone.now())
        for search in ("Nair", "MMC-77"):
            assert list(office.get(LIST, {"q": search}).context["cl"].result_list) == [one]
        text = office.get(page(one)).content.decode()
        assert ("Meera Nair" in text, "meera@hospital.example" in text) == (True, False)
        taken = office.post(LIST, {"action": "save_csv", "_selected_action": [one.pk]})
        content = b"".join(taken.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        told = list(csv.reader(io.StringIO(content)))[1]
        assert (told[0], told[3]) == ("Dr Meera Nair", "MMC-77")

    def test_calculation_evidence_rules_and_all_lines_stand_there_and_reading_is_recorded(
        self, one: Claim, office: Client
    ) -> None:
        line = LedgerEntry.objects.get()
        text = office.get(page(one)).content.decode()
        for words in (
            "You watched 60 of 60 minutes live.",
            "Version 2022",
            "wording of the statement",
            "watched_seconds",
            "3600",
            f"/admin/certification/ledgerentry/{line.pk}/change/",
        ):
            assert words in text
        event = AuditEvent.objects.get(action="credits.read")
        assert event.subject_id == str(one.pk)

    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.PRESENTER, Role.SPONSOR])
    def test_no_other_role_reads_them(self, one: Claim, role: str) -> None:
        browser = signed_in(operator_of(one, role))
        assert {browser.get(LIST).status_code, browser.get(page(one)).status_code} <= {302, 403}

    def test_an_operator_of_another_programme_does_not_find_it(self, one: Claim) -> None:
        browser = signed_in(operator_of(granted()))
        assert one not in browser.get(LIST).context["cl"].result_list
        assert browser.get(page(one)).status_code == 302
        assert browser.post(page(one, "revoke"), {**SUBMITTED, "reason": "x"}).status_code in {302, 403, 404}
        assert LedgerEntry.objects.filter(claim=one).count() == 1

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_number_of_queries_does_not_grow(self, rows: int, django_assert_num_queries: Any) -> None:
        first = granted()
        for _ in range(rows - 1):
            granted(course=first.lesson.course)
        browser = signed_in(operator_of(first))
        browser.get(LIST)
        with django_assert_num_queries(QUERIES):
            assert len(browser.get(LIST).context["cl"].result_list) == rows


QUERIES = 12  # one of them writes down that the list was looked at


class TestDeciding:
    def test_corrected_with_a_reason(self, one: Claim, office: Client) -> None:
        office.post(page(one, "correct"), {**SUBMITTED, "credit": "0.50", "reason": "Left early"})
        line = LedgerEntry.objects.get(kind=EntryKind.CREDIT_CORRECTED)
        assert (line.claim, line.credits, line.why) == (one, Decimal("0.50"), "Left early")
        assert AuditEvent.objects.filter(action="credit.corrected").count() == 1

    @pytest.mark.parametrize(
        "data", [{"credit": "0.1", "reason": "x"}, {"credit": "9", "reason": "x"}, {"credit": "0.5"}]
    )
    def test_not_to_anything_else_and_not_without_one(self, one: Claim, office: Client, data: dict[str, str]) -> None:
        office.post(page(one, "correct"), {**SUBMITTED, **data})
        assert credits_of([one.pk]) == {one.pk: 1}

    def test_revoked_with_a_reason(self, one: Claim, office: Client) -> None:
        office.post(page(one, "revoke"), {**SUBMITTED, "reason": "She was not there"})
        assert credits_of([one.pk]) == {one.pk: 0}
        assert "She was not there" in office.get(page(one)).content.decode()

    def test_looking_at_the_question_writes_nothing(self, one: Claim, office: Client) -> None:
        office.get(page(one, "revoke"))
        office.post(page(one, "revoke"), {})
        assert LedgerEntry.objects.count() == 1

    @pytest.mark.parametrize("what", ["delete", "change"])
    def test_nothing_is_deleted_or_written_over(self, one: Claim, office: Client, what: str) -> None:
        assert office.post(page(one, what), {"post": "yes"}).status_code == 403


class TestTakingAlong:
    def test_as_a_table_without_formulas_and_recorded(self, one: Claim, office: Client) -> None:
        User.objects.filter(pk=one.user_id).update(last_name="=1+1")
        other = granted()
        answer = office.post(LIST, {"action": "save_csv", "_selected_action": [one.pk, other.pk]})
        content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        headings, row = list(csv.reader(io.StringIO(content)))
        assert (headings[0], row[1], row[10]) == ("Name", "meera@hospital.example", "1")
        assert AuditEvent.objects.get(action="credits.exported").details == {"form": "csv", "claims": 1}

    def test_as_a_workbook(self, one: Claim, office: Client) -> None:
        answer = office.post(LIST, {"action": "save_xlsx", "_selected_action": [one.pk]})
        assert b"".join(answer.streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
        assert answer["Content-Disposition"] == 'attachment; filename="credits.xlsx"'
