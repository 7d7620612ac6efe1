"""What staff do with certificates."""

from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import AuditEvent
from certification.admin import certificates
from certification.domain.issuing import issue
from certification.domain.standing import standing_of
from certification.models import Certificate, LedgerEntry
from certification.tasks import issue_due
from tests.certification.earned import NOW, claim_of, issuing_programme
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/certification/certificate/"


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
        assert (line.why, line.actor_id, line.certificate) == (
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

    def test_by_hand_a_hundred_are_issued_and_a_worker_is_rung_for_the_others(
        self, certificate: Certificate, operator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert certificates.AT_ONCE == 100
        monkeypatch.setattr(certificates, "AT_ONCE", 2)
        rung: list[bool] = []
        monkeypatch.setattr(issue_due, "delay", lambda: rung.append(True))
        for _ in range(3):
            claim_of(certificate.programme)
        page = operator.post(f"{LIST}issue-now/", follow=True).content.decode()
        assert (Certificate.objects.count(), rung) == (3, [True])
        assert ("2 certificates were issued." in page, "the others follow within minutes" in page) == (True, True)
        page = operator.post(f"{LIST}issue-now/", follow=True).content.decode()
        assert (Certificate.objects.count(), rung) == (4, [True])
        assert ("1 certificate was issued." in page, "the others follow" in page) == (True, False)

    def test_who_read_issued_and_decided_is_in_the_trail(self, certificate: Certificate, operator: Client) -> None:
        claim_of(certificate.programme)
        operator.get(f"{LIST}{certificate.pk}/change/")
        operator.post(f"{LIST}issue-now/")
        operator.post(f"{LIST}{certificate.pk}/reissue/", {"reason": "Name"})
        second = Certificate.objects.get(edition=2)
        operator.post(f"{LIST}{second.pk}/revoke/", {"reason": "In error"})
        found = AuditEvent.objects.filter(action__startswith="certificate").order_by("pk")
        assert [one.action for one in found] == [
            "certificate.read", "certificates.issued", "certificate.reissued", "certificate.revoked"
        ]  # fmt: skip
        assert {(one.actor is None, one.address) for one in found} == {(False, "127.0.0.1")}
        issued = LedgerEntry.objects.filter(kind="certificate_issued").latest("pk")
        assert issued.actor == found[0].actor

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
