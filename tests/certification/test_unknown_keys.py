"""A key that signed and is not there any more: neither "valid" nor "altered", and somebody is told."""

from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from certification.domain.issuing import issue
from certification.domain.keys import newest_key
from certification.domain.standing import standing_of, unknown_keys
from certification.models import Certificate
from lms.environment import DEVELOPMENT_SEED
from operations.domain.checkup import site
from operations.domain.checkup.report import Verdict
from tests.certification.earned import NOW, claim_of, issuing_programme
from tests.certification.ledgers import tamper
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
OTHER = bytes(range(32))


@pytest.fixture
def lost(settings: Any) -> str:
    """Fingerprint of the key of a certificate that was issued before it went."""
    issue(of=claim_of(issuing_programme()), now=NOW)
    fingerprint = newest_key().fingerprint
    settings.CERTIFICATE_KEYS = (OTHER,)
    return fingerprint


def test_the_page_of_the_world_says_which_of_the_two_it_is_and_shows_nothing(lost: str) -> None:
    certificate = Certificate.objects.get()
    page = Client().get(f"/verify/{certificate.public_id}/").content.decode()
    assert "cannot be confirmed at the moment" in page
    assert [words for words in ("is valid", "altered", "Okonkwo", "0.75") if words in page] == []
    badge = f"/verify/{certificate.public_id}/badge/"
    assert [Client().get(one).status_code for one in (badge, f"{badge}status/")] == [404, 404]


def test_sec_28_a_lost_key_excuses_no_change(lost: str) -> None:
    assert standing_of(Certificate.objects.get()).state == "unknown_key"
    tamper("UPDATE certification_certificate SET facts = jsonb_set(facts, '{facts,holder}', '\"Dr Impostor\"')")
    assert standing_of(Certificate.objects.get()).state == "altered"


def test_with_the_key_back_nothing_is_lost(lost: str, settings: Any) -> None:
    settings.CERTIFICATE_KEYS = (OTHER, DEVELOPMENT_SEED)
    assert standing_of(Certificate.objects.get()).state == "valid"
    assert unknown_keys() == []


def test_the_doctor_is_told_in_the_list(lost: str) -> None:
    page = signed_in(Certificate.objects.get().user).get("/certificates/").content.decode()
    assert ("It cannot be confirmed at the moment" in page, "linkedin" in page) == (True, False)


def test_the_office_sees_it_in_the_list_on_the_page_and_on_its_first_page(lost: str) -> None:
    certificate = Certificate.objects.get()
    browser = signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)
    pages = [
        browser.get(address).content.decode()
        for address in (
            "/admin/certification/certificate/",
            f"/admin/certification/certificate/{certificate.pk}/change/",
            "/admin/",
        )
    ]
    assert ["does not know any more" in pages[0], "not in CERTIFICATE_KEYS" in pages[1]] == [True, True]
    assert "A key that sealed certificates is not known any more" in pages[2]


def test_whose_keys_are_all_there_is_told_nothing() -> None:
    certificate = issue(of=claim_of(issuing_programme()), now=NOW)
    operators = (
        RoleGrantFactory.create(role=Role.OPERATOR, programme=one).user for one in (None, certificate.programme)
    )
    assert ["not known any more" in signed_in(one).get("/admin/").content.decode() for one in operators] == [False] * 2


def test_the_checkup_names_the_key(lost: str) -> None:
    (line,) = site.certificates()
    assert (line.verdict, lost[:12] in line.text) == (Verdict.PROBLEM, True)


def test_the_checkup_is_content_with_all_keys_there() -> None:
    issue(of=claim_of(issuing_programme()), now=NOW)
    (line,) = site.certificates()
    assert line.verdict == Verdict.OK


def test_one_query_finds_each_of_many_keys(settings: Any, django_assert_num_queries: Any) -> None:
    fingerprints = []
    programme = issuing_programme()
    for number in range(3):
        settings.CERTIFICATE_KEYS = (bytes([number]) * 32,)
        fingerprints.append(newest_key().fingerprint)
        issue(of=claim_of(programme), now=NOW)
        issue(of=claim_of(programme), now=NOW)
    settings.CERTIFICATE_KEYS = (bytes([1]) * 32,)
    with django_assert_num_queries(1):
        found = unknown_keys()
    assert found == sorted([fingerprints[0], fingerprints[2]])


def test_without_certificates_there_is_nothing_to_know() -> None:
    assert unknown_keys() == []
