"""Auditors read claims and the ledger of the programmes they audit, on record, and can do nothing else there."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import AuditEvent, User
from certification.domain.claiming import correct_claim
from certification.domain.issuing import issue
from certification.models import Claim, LedgerEntry
from tests.certification.earned import NOW, claim_of, doctor, issuing_programme
from tests.certification.ledgers import tamper
from tests.certification.test_claims_admin import SUBMITTED, granted
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
CLAIMS = "/admin/certification/claim/"
LEDGER = "/admin/certification/ledgerentry/"


def auditor_of(one: Claim) -> User:
    user: User = RoleGrantFactory.create(programme=one.programme, role=Role.AUDITOR).user
    return user


@pytest.fixture
def one() -> Claim:
    return granted(first_name="Meera", last_name="Nair", email="meera@hospital.example", registration_number="MMC-77")


@pytest.fixture
def auditor(one: Claim) -> Client:
    return signed_in(auditor_of(one))


def listed(browser: Client, address: str, **asked: Any) -> list[Any]:
    return list(browser.get(address, asked).context["cl"].result_list)


class TestClaims:
    @pytest.mark.parametrize("words", ["Nair", "meera@", "MMC-77", "accredited", "AMA PRA", "accme", "APPROVAL-1"])
    def test_found_by_person_number_activity_and_authority(self, one: Claim, auditor: Client, words: str) -> None:
        granted(first_name="Meera", last_name="Nair", registration_number="MMC-77", email="meera@elsewhere.example")
        assert listed(auditor, CLAIMS, q=words) == [one]
        assert listed(auditor, CLAIMS, q="EACCME") == []

    def test_found_by_the_number_of_its_certificate(self) -> None:
        programme = issuing_programme()
        claim, other = claim_of(programme), claim_of(programme)
        certificate = issue(of=claim, now=NOW)
        issue(of=other, now=NOW)
        assert listed(signed_in(auditor_of(claim)), CLAIMS, q=certificate.number) == [claim]

    def test_filtered_by_how_they_stand(self) -> None:
        programme = issuing_programme()
        claims = [claim_of(programme) for _ in range(2)]
        actor = RoleGrantFactory.create(programme=programme, role=Role.OPERATOR).user
        correct_claim(claim_id=claims[0].pk, credit=Decimal("0.5"), reason="Left", actor=actor, now=NOW)
        browser = signed_in(auditor_of(claims[0]))
        assert listed(browser, CLAIMS, stands="credit_corrected") == [claims[0]]
        assert listed(browser, CLAIMS, stands="credit_granted") == [claims[1]]
        assert listed(browser, CLAIMS, stands="credit_revoked") == []

    def test_the_page_has_the_whole_explanation_and_calculates_it_again(self, one: Claim, auditor: Client) -> None:
        text = auditor.get(f"{CLAIMS}{one.pk}/change/").content.decode()
        for words in (
            "You watched 60 of 60 minutes live.", "Version 2022", "watched_seconds", "3600", "approval_code",
            "Calculated again just now", "the evidence that the line of the ledger sealed",
        ):  # fmt: skip
            assert words in text

    def test_evidence_that_was_changed_shows(self, one: Claim, auditor: Client) -> None:
        tamper(
            "UPDATE certification_claimevidence SET evidence = jsonb_set(evidence, '{evidence,watched_seconds}', '60')"
        )
        text = auditor.get(f"{CLAIMS}{one.pk}/change/").content.decode()
        assert "not the evidence that the line of the ledger sealed" in text
        assert "it is not the same" in text

    def test_evidence_whose_time_is_over_is_no_reproach(self, one: Claim, auditor: Client) -> None:
        tamper("DELETE FROM certification_claimevidence")
        text = auditor.get(f"{CLAIMS}{one.pk}/change/").content.decode()
        assert ("Left after its retention." in text, "Please tell an operator" in text) == (True, False)

    def test_a_line_that_does_not_hold_is_marked(self, one: Claim, auditor: Client) -> None:
        tamper("UPDATE certification_ledgerentry SET credits = 9")
        assert "does not hold" in auditor.get(f"{CLAIMS}{one.pk}/change/").content.decode()


class TestTheLedger:
    def test_lists_the_programme_s_lines_and_no_others(self, one: Claim, auditor: Client) -> None:
        granted()
        (line,) = LedgerEntry.objects.filter(claim=one)
        assert listed(auditor, LEDGER) == [line]

    @pytest.mark.parametrize("words", ["Nair", "MMC-77", "accredited", "1"])
    def test_found_by_person_number_activity_and_line(self, one: Claim, auditor: Client, words: str) -> None:
        assert [entry.claim for entry in listed(auditor, LEDGER, q=words)] == [one]
        assert listed(auditor, LEDGER, q="Okonkwo") == []

    def test_certificates_stand_there_too_and_are_found_by_their_number(self) -> None:
        claim = claim_of(issuing_programme())
        certificate = issue(of=claim, now=NOW)
        browser = signed_in(auditor_of(claim))
        assert [entry.certificate for entry in listed(browser, LEDGER, q=certificate.number)] == [certificate]
        assert [entry.kind for entry in listed(browser, LEDGER, kind="certificate_issued")] == ["certificate_issued"]

    def test_a_line_shows_what_was_sealed_and_that_it_holds(self) -> None:
        claim = claim_of(issuing_programme())
        issue(of=claim, now=NOW)
        first, second = LedgerEntry.objects.order_by("number")
        browser = signed_in(auditor_of(claim))
        text = browser.get(f"{LEDGER}{second.pk}/change/").content.decode()
        assert "It holds" in text
        assert bytes(second.hash).hex(" ", 4) in text
        assert bytes(first.hash).hex(" ", 4) in text
        assert f"{LEDGER}{first.pk}/change/" in text
        assert claim.user.get_full_name() in text

    def test_a_line_that_was_changed_does_not_hold(self, one: Claim, auditor: Client) -> None:
        tamper("UPDATE certification_ledgerentry SET credits = 9")
        line = LedgerEntry.objects.get(claim=one)
        assert "It does not hold" in auditor.get(f"{LEDGER}{line.pk}/change/").content.decode()

    @pytest.mark.parametrize("what", ["change", "delete"])
    def test_nobody_writes_there_not_even_an_operator(self, one: Claim, what: str) -> None:
        operator = signed_in(RoleGrantFactory.create(programme=None, role=Role.OPERATOR).user)
        line = LedgerEntry.objects.get(claim=one)
        assert operator.post(f"{LEDGER}{line.pk}/{what}/", {"post": "yes"}).status_code == 403
        assert operator.get(f"{LEDGER}add/").status_code == 403


class TestOnRecordAndNothingElse:
    def test_every_look_is_recorded(self, one: Claim, auditor: Client) -> None:
        line = LedgerEntry.objects.get()
        for address in (CLAIMS, f"{CLAIMS}{one.pk}/change/", LEDGER, f"{LEDGER}{line.pk}/change/"):
            auditor.get(address, {"q": "Nair"} if address in (CLAIMS, LEDGER) else {})
        events = AuditEvent.objects.filter(action__regex="^(credits|ledger)[.]").order_by("pk")
        assert [(one.action, one.subject_id, one.details.get("search")) for one in events] == [
            ("credits.listed", "", "Nair"),
            ("credits.read", str(one.pk), None),
            ("ledger.listed", "", "Nair"),
            ("ledger.read", str(line.pk), None),
        ]

    @pytest.mark.parametrize("what", ["correct", "revoke"])
    def test_an_auditor_decides_nothing(self, one: Claim, auditor: Client, what: str) -> None:
        given = {**SUBMITTED, "credit": "0.5", "reason": "Mine"}
        assert auditor.get(f"{CLAIMS}{one.pk}/{what}/").status_code == 403
        assert auditor.post(f"{CLAIMS}{one.pk}/{what}/", given).status_code == 403
        assert f"/{what}/" not in auditor.get(f"{CLAIMS}{one.pk}/change/").content.decode()
        assert LedgerEntry.objects.count() == 1

    @pytest.mark.parametrize("what", ["save_csv", "save_xlsx"])
    def test_an_auditor_takes_no_list_along(self, one: Claim, auditor: Client, what: str) -> None:
        answer = auditor.post(CLAIMS, {"action": what, "_selected_action": [one.pk]})
        assert "Content-Disposition" not in answer
        assert "save_csv" not in auditor.get(CLAIMS).content.decode()

    def test_who_runs_one_programme_and_audits_another_takes_along_only_the_own(self, one: Claim) -> None:
        other = granted()
        person = auditor_of(one)
        RoleGrantFactory.create(user=person, programme=other.programme, role=Role.OPERATOR)
        browser = signed_in(person)
        assert set(listed(browser, CLAIMS)) == {one, other}
        answer = browser.post(CLAIMS, {"action": "save_csv", "_selected_action": [one.pk, other.pk]})
        content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        assert ("meera@hospital.example" in content, other.user.email in content) == (False, True)
        assert browser.get(f"{CLAIMS}{one.pk}/correct/").status_code == 403
        assert browser.get(f"{CLAIMS}{other.pk}/correct/").status_code == 200

    def test_nothing_of_another_programme_is_there(self, auditor: Client) -> None:
        other = granted()
        line = LedgerEntry.objects.get(claim=other)
        for address in (f"{CLAIMS}{other.pk}/change/", f"{LEDGER}{line.pk}/change/"):
            assert auditor.get(address).status_code == 302
        assert AuditEvent.objects.filter(action__in=["credits.read", "ledger.read"]).count() == 0

    def test_the_first_page_leads_there_and_nowhere_else(self, one: Claim, auditor: Client) -> None:
        page = auditor.get("/admin/").content.decode()
        assert f"{CLAIMS}?programme__id__exact={one.programme_id}" in page
        assert [name for name in ("courses/", "webinars/", "accounts/", "You have no programme") if name in page] == []

    def test_a_second_step_is_asked_of_them_as_of_staff(self, one: Claim) -> None:
        browser = signed_in(auditor_of(one), second_step=False)
        assert browser.get(CLAIMS).status_code == 302

    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.PRESENTER, Role.SPONSOR])
    def test_others_read_no_ledger(self, one: Claim, role: Role) -> None:
        browser = signed_in(RoleGrantFactory.create(programme=one.programme, role=role).user)
        assert browser.get(LEDGER).status_code in {302, 403}

    @pytest.mark.parametrize("address", [CLAIMS, LEDGER])
    def test_as_many_queries_for_three_as_for_one(self, address: str, django_assert_max_num_queries: Any) -> None:
        programme = issuing_programme()
        browser = signed_in(auditor_of(claim_of(programme)))
        browser.get(address)
        counts = []
        for count in (1, 3):
            while Claim.objects.count() < count:
                claim_of(programme, user=doctor())
            with django_assert_max_num_queries(60) as asked:
                browser.get(address)
            counts.append(len(asked))
        assert counts[0] == counts[1]
