"""Credit that is corrected after its certificate was issued: nobody is ever shown a figure that does not hold."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client
from django_redis import get_redis_connection

from accounts.enums import Role
from accounts.models import User
from certification.domain.claiming import correct_claim, revoke_claim
from certification.domain.correcting import Corrected, correct
from certification.domain.erasure import erase
from certification.domain.issuing import issue, revoke
from certification.domain.keys import NoKeyError
from certification.domain.standing import standing_of
from certification.models import Certificate, Claim, LedgerEntry
from tests.certification.earned import NOW, claim_of, issuing_programme, printed
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "on"}


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()
    get_redis_connection("default").flushdb()


@pytest.fixture
def certificate() -> Certificate:
    """Prints 0.75."""
    return issue(of=claim_of(issuing_programme()), now=NOW)


@pytest.fixture
def operator(certificate: Certificate) -> User:
    user: User = RoleGrantFactory.create(programme=certificate.programme, role=Role.OPERATOR).user
    return user


def claim_with(certificate: Certificate) -> Claim:
    assert certificate.claim is not None
    return certificate.claim


def corrected(certificate: Certificate, credit: str, actor: User, *, is_reissued: bool = True) -> Corrected:
    claim_id = claim_with(certificate).pk
    given: dict[str, Any] = {"credit": Decimal(credit), "reason": "Left early", "is_reissued": is_reissued}
    return correct(claim_id=claim_id, actor=actor, now=NOW, **given)


def read(certificate: Certificate) -> str:
    return Client().get(f"/verify/{certificate.public_id}/").content.decode()


class TestTogether:
    def test_the_new_edition_prints_the_new_credit_and_the_old_one_says_both(
        self, certificate: Certificate, operator: User
    ) -> None:
        made = corrected(certificate, "0.5", operator)
        assert made.certificate is not None
        assert printed(made.certificate)["credits"][0]["amount"] == "0.50"
        assert (made.certificate.edition, standing_of(made.certificate).state) == (2, "valid")
        lines = [(one.kind, one.why) for one in LedgerEntry.objects.order_by("number")][2:]
        assert lines == [("credit_corrected", "Left early"), ("certificate_reissued", "Left early")]
        old = read(certificate)
        assert ("This certificate was replaced" in old, "Corrected afterwards to 0.50" in old) == (True, True)
        new = read(made.certificate)
        assert ("This certificate is valid" in new, "Corrected afterwards" in new) == (True, False)

    def test_where_the_certificate_cannot_be_issued_nothing_is_corrected_either(
        self, certificate: Certificate, operator: User, settings: Any
    ) -> None:
        settings.CERTIFICATE_KEYS = ()
        with pytest.raises(NoKeyError):
            corrected(certificate, "0.5", operator)
        assert LedgerEntry.objects.count() == 2

    def test_back_to_what_is_printed_wants_no_new_edition(self, certificate: Certificate, operator: User) -> None:
        corrected(certificate, "0.5", operator, is_reissued=False)
        assert corrected(certificate, "0.75", operator).certificate is None
        assert standing_of(certificate).state == "valid"

    def test_credit_that_was_given_back_gets_a_new_edition_only_where_it_differs(
        self, certificate: Certificate, operator: User
    ) -> None:
        revoke_claim(claim_id=claim_with(certificate).pk, reason="Mistake", actor=operator, now=NOW)
        assert standing_of(certificate).state == "revoked"
        assert corrected(certificate, "1", operator).certificate is not None

    def test_a_certificate_that_was_revoked_by_itself_stays_revoked(
        self, certificate: Certificate, operator: User
    ) -> None:
        revoke(certificate=certificate, reason="Somebody else watched", actor=operator, now=NOW)
        assert corrected(certificate, "0.5", operator).certificate is None
        assert Certificate.objects.count() == 1

    def test_without_a_certificate_there_is_nothing_to_renew(self, operator: User, certificate: Certificate) -> None:
        claim = claim_of(certificate.programme)
        given: dict[str, Any] = {"credit": Decimal("0.5"), "reason": "Left early", "is_reissued": True}
        assert correct(claim_id=claim.pk, actor=operator, now=NOW, **given).certificate is None


class TestInBetween:
    def test_the_page_of_the_world_says_the_paper_does_not_count(
        self, certificate: Certificate, operator: User
    ) -> None:
        corrected(certificate, "0.5", operator, is_reissued=False)
        page = read(certificate)
        assert "The credit on this certificate was corrected" in page
        assert "since 22 November 2026 its credit is 0.50" in page
        assert ("is valid" in page, "Left early" in page) == (False, False)

    def test_corrected_to_nothing_there_is_no_new_edition_and_the_page_says_so(
        self, certificate: Certificate, operator: User
    ) -> None:
        assert corrected(certificate, "0", operator).certificate is None
        page = read(certificate)
        assert ("it stands for no credit" in page, "Corrected afterwards to none" in page) == (True, True)

    def test_the_doctor_s_own_list_says_it_too(self, certificate: Certificate, operator: User) -> None:
        corrected(certificate, "0.5", operator, is_reissued=False)
        page = signed_in(certificate.user).get("/certificates/").content.decode()
        assert ("Corrected afterwards to 0.50" in page, "linkedin" in page) == (True, False)

    def test_the_badge_does_not_stand_for_it(self, certificate: Certificate, operator: User) -> None:
        address = f"/verify/{certificate.public_id}/badge/status/"
        before = Client().get(address).content
        corrected(certificate, "0.5", operator, is_reissued=False)
        assert standing_of(certificate).is_valid is False
        assert Client().get(address).content != before

    def test_the_office_sees_it_in_the_list_and_on_the_page(self, certificate: Certificate, operator: User) -> None:
        corrected(certificate, "0.5", operator, is_reissued=False)
        browser, address = signed_in(operator), "/admin/certification/certificate/"
        assert "Credit corrected afterwards" in browser.get(address).content.decode()
        assert "Issue it anew" in browser.get(f"{address}{certificate.pk}/change/").content.decode()


def test_sec_39_of_who_was_erased_the_credit_is_corrected_and_nothing_is_issued(
    certificate: Certificate, operator: User
) -> None:
    erase(user=certificate.user, now=NOW)
    assert corrected(certificate, "0.5", operator).certificate is None
    assert standing_of(Certificate.objects.get()).state == "corrected"


class TestInTheOffice:
    def address(self, claim: Claim) -> str:
        return f"/admin/certification/claim/{claim.pk}/correct/"

    def test_the_dialog_offers_it_ticked_and_says_what_is_possible(
        self, certificate: Certificate, operator: User
    ) -> None:
        form = signed_in(operator).get(self.address(claim_with(certificate))).context["form"]
        assert form.fields["reissue"].initial is True
        assert certificate.number in form.fields["reissue"].help_text
        assert form.fields["credit"].help_text == "At most 1, in steps of 0.25."

    def test_without_a_certificate_it_does_not_ask(self, certificate: Certificate, operator: User) -> None:
        claim = claim_of(certificate.programme)
        assert "reissue" not in signed_in(operator).get(self.address(claim)).context["form"].fields

    def test_one_step_writes_both(self, certificate: Certificate, operator: User) -> None:
        given = {**SUBMITTED, "credit": "0.5", "reason": "Left early", "reissue": "on"}
        response = signed_in(operator).post(self.address(claim_with(certificate)), given)
        new = Certificate.objects.get(edition=2)
        told = [str(message) for message in get_messages(response.wsgi_request)]
        assert told == ["It is written down.", f"The certificate was issued anew: {new.number}"]

    def test_unticked_only_the_credit_is_corrected(self, certificate: Certificate, operator: User) -> None:
        signed_in(operator).post(
            self.address(claim_with(certificate)), {**SUBMITTED, "credit": "0.5", "reason": "Left early"}
        )
        assert (Certificate.objects.count(), LedgerEntry.objects.count()) == (1, 3)

    def test_what_hinders_it_is_told_and_nothing_is_written(self, certificate: Certificate, operator: User) -> None:
        User.objects.filter(pk=certificate.user_id).update(first_name="", last_name="")
        given = {**SUBMITTED, "credit": "0.5", "reason": "Left early", "reissue": "on"}
        response = signed_in(operator).post(self.address(claim_with(certificate)), given)
        (told,) = [str(message) for message in get_messages(response.wsgi_request)]
        assert told.startswith("Nothing was written, because")
        assert told.endswith("The name is missing.")
        assert LedgerEntry.objects.count() == 2

    def test_the_page_of_a_claim_names_every_edition_and_how_it_stands(
        self, certificate: Certificate, operator: User
    ) -> None:
        correct_claim(claim_id=claim_with(certificate).pk, credit=Decimal("0.5"), reason="x", actor=operator, now=NOW)
        page = signed_in(operator).get(f"/admin/certification/claim/{claim_with(certificate).pk}/change/")
        assert "Credit corrected afterwards" in page.content.decode()
        assert certificate.number in page.content.decode()
