"""A doctor's certificates: their list, their files, and nobody else's."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction

from accounts.enums import Role
from accounts.models import AuditEvent, User
from certification.domain.files import (
    DifferentBytesError,
    file_name,
    is_noted,
    make_file,
    make_missing,
    pdf_of,
    read_file,
    without_file,
)
from certification.domain.issuing import issue, reissue, revoke
from certification.models import Certificate, CertificateFile
from certification.printing.document import engine
from certification.printing.signature import inspect
from certification.tasks import issue_due, make_missing_files
from tests.certification.earned import NOW, claim_of, completed_course, doctor, issuing_programme
from tests.certification.ledgers import purge, tamper
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    options = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": options}
    return tmp_path


@pytest.fixture
def certificate() -> Certificate:
    return issue(of=claim_of(issuing_programme()), now=NOW)


def filed(certificate: Certificate) -> CertificateFile:
    row = make_file(certificate_id=certificate.pk, now=NOW)
    assert row is not None
    return row


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        text: str = document[0].get_textpage().get_text_bounded()
    return " ".join(text.split())


class TestTheFile:
    def test_says_what_was_issued_and_is_sealed(self, certificate: Certificate) -> None:
        pdf = read_file(filed(certificate))
        assert pdf is not None
        text = text_of(pdf)
        for words in ("Dr Amelia Okonkwo", "Heart failure in primary care", "0.75", certificate.number, "APPROVAL-1"):
            assert words in text
        seal = inspect(pdf)
        assert (seal.is_intact, seal.covers_all, seal.sealed_on) == (True, True, NOW.date())

    def test_has_the_same_bytes_whenever_it_is_made(self, certificate: Certificate) -> None:
        row = filed(certificate)
        User.objects.update(last_name="Hartmann")
        again = pdf_of(Certificate.objects.get())
        assert hashlib.sha256(again).digest() == bytes(row.sha256)
        assert again == read_file(row)

    def test_later_keys_and_templates_change_nothing(self, certificate: Certificate, settings: Any) -> None:
        row = filed(certificate)
        settings.CERTIFICATE_KEYS = (bytes(range(32)), *settings.CERTIFICATE_KEYS)
        CertificateTemplateFactory.create(programme=certificate.programme, accent="#aa0000", heading="Diploma")
        assert pdf_of(Certificate.objects.get()) == read_file(row)

    def test_one_that_the_storage_lost_or_damaged_is_made_again(self, certificate: Certificate, media: Path) -> None:
        row = filed(certificate)
        before = read_file(row)
        (media / row.stored_as).write_bytes(b"%PDF-damaged")
        assert read_file(row) is None
        assert read_file(filed(certificate)) == before
        (media / row.stored_as).unlink()
        assert read_file(filed(certificate)) == before
        assert CertificateFile.objects.count() == 1

    def test_sec_28_other_bytes_by_the_same_engine_stop_with_an_error(
        self, certificate: Certificate, media: Path
    ) -> None:
        row = filed(certificate)
        tamper("UPDATE certification_certificate SET facts = jsonb_set(facts, '{facts,holder}', '\"Dr Impostor\"')")
        (media / row.stored_as).unlink()
        with pytest.raises(DifferentBytesError):
            make_file(certificate_id=certificate.pk, now=NOW)
        assert bytes(CertificateFile.objects.get().sha256) == bytes(row.sha256)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE certification_certificatefile SET sha256 = decode(repeat('00', 32), 'hex')",
            "UPDATE certification_certificatefile SET size_bytes = 1",
            "UPDATE certification_certificatefile SET certificate_id = certificate_id + 1",
            "DELETE FROM certification_certificatefile",
        ],
    )
    def test_sec_28_the_database_refuses_another_file(self, certificate: Certificate, statement: str) -> None:
        row = filed(certificate)
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert bytes(CertificateFile.objects.get(certificate=certificate).sha256) == bytes(row.sha256)

    def test_by_another_engine_it_is_made_anew_and_signed_again(self, certificate: Certificate, media: Path) -> None:
        row = filed(certificate)
        CertificateFile.objects.update(engine="typst 0, layout 0", sha256=b"x" * 32)
        old = CertificateFile.objects.get()
        assert (is_noted(row), is_noted(old)) == (True, False)
        (media / row.stored_as).unlink()
        made = filed(certificate)
        assert (bytes(made.sha256), made.engine, is_noted(made)) == (bytes(row.sha256), engine(), True)

    def test_the_sweep_finds_those_without_and_one_that_fails_holds_up_nobody(self, certificate: Certificate) -> None:
        other = issue(of=claim_of(certificate.programme), now=NOW)
        tamper("UPDATE certification_certificate SET key_fingerprint = 'gone' WHERE id = %s", certificate.pk)
        assert make_missing(now=NOW) == 1
        assert list(without_file()) == [certificate]
        assert CertificateFile.objects.get().certificate == other

    def test_the_tasks_issue_and_make_files(self) -> None:
        claim_of(issuing_programme())
        assert (issue_due(), make_missing_files()) == (1, 1)
        assert (issue_due(), make_missing_files()) == (0, 0)

    def test_nothing_is_made_of_purged_facts(self, certificate: Certificate) -> None:
        purge()
        assert make_file(certificate_id=certificate.pk, now=NOW) is None
        assert make_file(certificate_id=0, now=NOW) is None

    def test_its_name_is_plain(self) -> None:
        claim = claim_of(issuing_programme())
        claim.accreditation.activity.__class__.objects.update(title='Ménière’s "disease"; 日本 \\ / \r\n')
        claim.refresh_from_db()
        certificate = issue(of=claim, now=NOW)
        assert file_name(certificate) == f"Menieres-disease-{certificate.number}.pdf"


class TestTheDownload:
    def test_the_doctor_gets_it_as_a_file_that_no_cache_keeps(self, certificate: Certificate) -> None:
        row = filed(certificate)
        response = signed_in(certificate.user).get(f"/certificates/{certificate.public_id}/")
        assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
        assert response.content == read_file(row)
        name = f"Heart-failure-in-primary-care-{certificate.number}.pdf"
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response["Cache-Control"] == "private, no-store"
        assert AuditEvent.objects.filter(action="certificate.read").count() == 0

    def test_before_it_is_there_a_page_looks_again_by_itself(self, certificate: Certificate) -> None:
        response = signed_in(certificate.user).get(f"/certificates/{certificate.public_id}/")
        assert (response.status_code, response["Refresh"]) == (200, "8")
        assert "Your certificate is being made" in response.content.decode()

    def test_staff_of_the_programme_may_and_it_is_recorded(self, certificate: Certificate) -> None:
        filed(certificate)
        moderator = RoleGrantFactory.create(programme=certificate.programme).user
        assert signed_in(moderator).get(f"/certificates/{certificate.public_id}/")["Content-Type"] == "application/pdf"
        event = AuditEvent.objects.get(action="certificate.read")
        assert (event.actor, event.subject_id) == (moderator, str(certificate.pk))

    @pytest.mark.parametrize("who", ["doctor", "presenter", "sponsor", "auditor", "elsewhere"])
    def test_sec_28_nobody_else_may_not_even_learn_that_it_exists(self, certificate: Certificate, who: str) -> None:
        filed(certificate)
        other = issuing_programme(slug="other")
        if who == "doctor":
            person = claim_of(certificate.programme).user
        elif who == "elsewhere":
            person = RoleGrantFactory.create(programme=other).user
        else:
            person = RoleGrantFactory.create(programme=certificate.programme, role=Role(who)).user
        browser = signed_in(person)
        answers = [browser.get(f"/certificates/{one}/") for one in (certificate.public_id, "A" * 26)]
        assert [one.status_code for one in answers] == [404, 404]

    def test_a_purged_one_says_so(self, certificate: Certificate) -> None:
        purge()
        response = signed_in(certificate.user).get(f"/certificates/{certificate.public_id}/")
        assert (response.status_code, "not kept any more" in response.content.decode()) == (410, True)
        assert "not kept any more" in signed_in(certificate.user).get("/certificates/").content.decode()


class TestTheList:
    def test_ones_own_newest_editions_and_nothing_else(self, certificate: Certificate) -> None:
        me = certificate.user
        second = reissue(certificate=certificate, reason="Name", actor=None, now=NOW)
        course = issue(of=completed_course(certificate.programme, user=me), now=NOW)
        issue(of=claim_of(certificate.programme), now=NOW)
        response = signed_in(me).get("/certificates/")
        assert [row["certificate"] for row in response.context["rows"]] == [course, second]
        page = response.content.decode()
        assert "<strong>0.75</strong>" in page
        assert "https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME&amp;name=Heart+failure" in page

    def test_a_revoked_one_says_so_and_leads_to_no_profile(self, certificate: Certificate) -> None:
        revoke(certificate=certificate, reason="Private matter", actor=None, now=NOW)
        page = signed_in(certificate.user).get("/certificates/").content.decode()
        assert ("Revoked" in page, "linkedin" in page, "Private matter" in page) == (True, False, False)

    def test_without_any_it_says_what_to_do(self) -> None:
        page = signed_in(doctor()).get("/certificates/").content.decode()
        assert ("No certificate yet" in page, "Your name is missing" in page) == (True, False)

    def test_without_a_name_it_says_that_one_is_needed(self) -> None:
        assert (
            "Your name is missing"
            in signed_in(doctor(first_name="", last_name="")).get("/certificates/").content.decode()
        )

    def test_as_many_queries_for_three_as_for_one(
        self, certificate: Certificate, django_assert_num_queries: Any
    ) -> None:
        browser = signed_in(certificate.user)
        browser.get("/certificates/")
        for count in (1, 3):
            while Certificate.objects.count() < count:
                issue(of=claim_of(certificate.programme, user=certificate.user), now=NOW)
            with django_assert_num_queries(3):
                assert len(browser.get("/certificates/").context["rows"]) == count

    def test_no_file_is_no_error(self, certificate: Certificate) -> None:
        with pytest.raises(ObjectDoesNotExist):
            _ = certificate.file
        assert signed_in(certificate.user).get("/certificates/").status_code == 200
