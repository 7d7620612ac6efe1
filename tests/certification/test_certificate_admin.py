"""What staff do with certificates and their templates."""

import base64
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.enums import Role
from certification.domain.issuing import issue
from certification.domain.standing import standing_of
from certification.domain.templates import Signature, TemplateError, save_template
from certification.models import Certificate, CertificateTemplate, LedgerEntry
from tests.certification.earned import NOW, claim_of, issuing_programme
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
LOOK = {
    "heading": "Diploma",
    "above_name": "",
    "below_name": "",
    "paper": "letter",
    "accent": "#0a6b5e",
    "language": "en",
}
LIST = "/admin/certification/certificate/"
TEMPLATES = "/admin/certification/certificatetemplate/"


def png(width: int = 40, height: int = 20, **options: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "#0a6b5e").save(written, "PNG", **options)
    return written.getvalue()


@pytest.fixture
def certificate() -> Certificate:
    return issue(of=claim_of(issuing_programme()), now=NOW)


@pytest.fixture
def operator(certificate: Certificate) -> Client:
    return signed_in(RoleGrantFactory.create(programme=certificate.programme, role=Role.OPERATOR).user)


class TestCertificates:
    def test_found_by_number_name_and_code(self, certificate: Certificate, operator: Client) -> None:
        other = issue(of=claim_of(issuing_programme(slug="other")), now=NOW)
        for words in (certificate.number, "Okonkwo", certificate.public_id):
            page = operator.get(LIST, {"q": words}).content.decode()
            assert (certificate.number in page, other.number in page) == (True, False)

    def test_revoked_with_a_reason_that_the_ledger_keeps(self, certificate: Certificate, operator: Client) -> None:
        address = f"{LIST}{certificate.pk}/revoke/"
        assert operator.get(address).status_code == 200
        assert operator.post(address, {"reason": " "}).status_code == 200
        assert standing_of(certificate).state == "valid"
        assert operator.post(address, {"reason": "Somebody else watched"}).status_code == 302
        line = LedgerEntry.objects.get(kind="certificate_revoked")
        assert (line.reason, line.actor_id, line.certificate) == (
            "Somebody else watched",
            int(operator.session["_auth_user_id"]),
            certificate,
        )
        page = operator.get(f"{LIST}{certificate.pk}/change/").content.decode()
        assert ("Somebody else watched" in page, "Revoked" in page) == (True, True)
        assert (address in page, f"{LIST}{certificate.pk}/reissue/" in page) == (False, False)
        assert operator.post(f"{LIST}{certificate.pk}/reissue/", {"reason": "Name"}).status_code == 302
        assert (Certificate.objects.count(), standing_of(certificate).state) == (1, "revoked")

    def test_issued_anew_with_the_corrected_name(self, certificate: Certificate, operator: Client) -> None:
        certificate.user.last_name = "Hartmann"
        certificate.user.save()
        assert operator.post(f"{LIST}{certificate.pk}/reissue/", {"reason": "Name"}).status_code == 302
        assert Certificate.objects.get(edition=2).facts["facts"]["holder"] == "Dr Amelia Hartmann"
        page = operator.get(f"{LIST}{certificate.pk}/change/").content.decode()
        assert (f"{certificate.pk}/reissue/" in page, f"{certificate.pk}/revoke/" in page) == (False, True)

    def test_what_is_due_is_issued_after_asking(self, certificate: Certificate, operator: Client) -> None:
        claim_of(certificate.programme)
        claim_of(issuing_programme(slug="other"))
        assert operator.get(f"{LIST}issue-now/").status_code == 200
        assert Certificate.objects.count() == 1
        operator.post(f"{LIST}issue-now/")
        assert [one.programme for one in Certificate.objects.all()] == [certificate.programme] * 2

    @pytest.mark.parametrize("way", ["revoke", "reissue"])
    def test_sec_28_a_moderator_and_a_foreign_operator_change_nothing(self, certificate: Certificate, way: str) -> None:
        moderator = RoleGrantFactory.create(programme=certificate.programme).user
        foreign = RoleGrantFactory.create(programme=ProgrammeFactory.create(), role=Role.OPERATOR).user
        answers = [
            signed_in(one).post(f"{LIST}{certificate.pk}/{way}/", {"reason": "Mine"}).status_code
            for one in (moderator, foreign)
        ]
        assert (answers, LedgerEntry.objects.count(), Certificate.objects.count()) == ([403, 404], 2, 1)

    def test_as_many_queries_for_three_as_for_one(
        self, certificate: Certificate, operator: Client, django_assert_max_num_queries: Any
    ) -> None:
        operator.get(LIST)
        counts = []
        for count in (1, 3):
            while Certificate.objects.count() < count:
                issue(of=claim_of(certificate.programme), now=NOW)
            with django_assert_max_num_queries(40) as asked:
                operator.get(LIST)
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestTemplates:
    def form(self, programme: Any, **values: Any) -> dict[str, Any]:
        return {"programme": programme.pk, **LOOK, "name_1": "Prof. Sam Sample", "role_1": "Chair", **values}

    def test_the_first_one_is_written_with_its_pictures(self) -> None:
        programme = ProgrammeFactory.create()
        browser = signed_in(RoleGrantFactory.create(programme=programme).user)
        files = {"logo": SimpleUploadedFile("l.png", png()), "image_1": SimpleUploadedFile("s.png", png())}
        assert browser.post(f"{TEMPLATES}add/", {**self.form(programme), **files}).status_code == 302
        row = CertificateTemplate.objects.get()
        assert (row.version, row.heading, row.paper) == (1, "Diploma", "letter")
        assert row.signatories == [{"name": "Prof. Sam Sample", "role": "Chair"}]
        assert Image.open(io.BytesIO(bytes(row.logo or b""))).size == (40, 20)
        assert row.images.get().position == 0

    def test_a_used_one_stays_and_the_next_version_takes_its_pictures_along(self, certificate: Certificate) -> None:
        programme = certificate.programme
        first = save_template(
            programme=programme, template=None, values=LOOK, signatures=[Signature("A", "B", png())], logo=png()
        )
        issue(of=claim_of(programme), now=NOW)
        second = save_template(
            programme=programme, template=first, values={**LOOK, "heading": "Next"}, signatures=[Signature("A", "C")]
        )
        first.refresh_from_db()
        assert (first.heading, second.heading) == ("Diploma", "Next")
        assert (second.version, second.logo) == (first.version + 1, bytes(first.logo or b""))
        assert [bytes(one.image) for one in second.images.all()] == [bytes(one.image) for one in first.images.all()]

    def test_an_unused_one_is_changed_in_place(self) -> None:
        programme = ProgrammeFactory.create()
        first = save_template(
            programme=programme, template=None, values=LOOK, signatures=[Signature("A"), Signature("B")]
        )
        again = save_template(
            programme=programme, template=first, values={**LOOK, "heading": "X"}, signatures=[Signature("B")]
        )
        assert (again.pk, again.heading, again.signatories) == (first.pk, "X", [{"name": "B", "role": ""}])

    def test_shown_before_it_is_saved(self) -> None:
        programme = ProgrammeFactory.create()
        browser = signed_in(RoleGrantFactory.create(programme=programme).user)
        page = browser.post(f"{TEMPLATES}add/", self.form(programme, _preview="1")).content.decode()
        found = re.search(r'src="data:image/png;base64,([^"]+)"', page)
        assert found is not None
        width, height = Image.open(io.BytesIO(base64.b64decode(found[1]))).size
        assert (width > height > 500, CertificateTemplate.objects.count()) == (True, 0)

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"accent": "#ffffee"}, "too light"),
            ({"accent": "red"}, "valid value"),
            ({"logo": SimpleUploadedFile("l.png", b"<svg onload=alert(1)>")}, "no picture"),
        ],
    )
    def test_what_cannot_be_printed_is_told_and_not_saved(self, values: dict[str, Any], words: str) -> None:
        programme = ProgrammeFactory.create()
        browser = signed_in(RoleGrantFactory.create(programme=programme).user)
        page = browser.post(f"{TEMPLATES}add/", self.form(programme, **values)).content.decode()
        assert (words in page, CertificateTemplate.objects.count()) == (True, 0)

    def test_nothing_of_a_picture_but_its_pixels_comes_along(self) -> None:
        from PIL.PngImagePlugin import PngInfo

        secret = PngInfo()
        secret.add_text("Location", "4711 Secret Street")
        row = save_template(
            programme=ProgrammeFactory.create(), template=None, values=LOOK, signatures=[], logo=png(pnginfo=secret)
        )
        assert b"Secret Street" not in bytes(row.logo or b"")

    def test_a_picture_that_is_none_is_refused(self) -> None:
        with pytest.raises(TemplateError):
            save_template(
                programme=ProgrammeFactory.create(), template=None, values=LOOK, signatures=[], logo=b"GIF89a nothing"
            )

    def test_another_programme_is_no_choice(self) -> None:
        mine, other = ProgrammeFactory.create(), ProgrammeFactory.create()
        browser = signed_in(RoleGrantFactory.create(programme=mine).user)
        assert browser.post(f"{TEMPLATES}add/", self.form(other)).status_code == 200
        assert CertificateTemplate.objects.count() == 0
