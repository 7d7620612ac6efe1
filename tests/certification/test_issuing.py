"""When a certificate is issued, what it says for ever, and how it is replaced and revoked."""

import gc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import User
from certification.domain import issuing
from certification.domain.chain import NewEntry, append, canonical, lock_chain, verify
from certification.domain.erasure import erase
from certification.domain.facts import Source
from certification.domain.issuing import (
    IssuingError,
    NotDueError,
    NoTemplateError,
    ReasonError,
    ReplacedError,
    RevokedError,
    count_due,
    digest_of,
    due_claims,
    due_courses,
    due_programmes,
    issue,
    issue_due,
    reissue,
    revoke,
)
from certification.domain.keys import NoKeyError, is_signed
from certification.domain.standing import standing_of
from certification.enums import CertificateState, EntryKind
from certification.models import Certificate, CertificateTemplate, Chain, Claim, LedgerEntry
from courses.enums import EnrolmentStatus
from courses.models import Enrolment, Programme
from tests.certification.earned import (
    NOW,
    claim_of,
    completed_course,
    completed_programme,
    doctor,
    feedback_of,
    give_feedback,
    issuing_programme,
    printed,
)
from tests.certification.ledgers import tamper
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory

pytestmark = pytest.mark.django_db


def correct(claim: Claim, kind: EntryKind, credit: str) -> None:
    entry = NewEntry(kind, claim.user_id, claim_id=claim.pk, credits=Decimal(credit), reason="Counted anew")
    append(chain=lock_chain(claim.programme), entries=[entry], now=NOW)


def issued(programme: Programme) -> list[Certificate]:
    return list(Certificate.objects.filter(programme=programme).order_by("serial"))


def source_of(kind: str) -> Source:
    programme = issuing_programme()
    makers = {"activity": claim_of, "course": completed_course, "programme": completed_programme}
    found: Source = makers[kind](programme)  # type: ignore[operator]
    return found


class TestAnActivity:
    def test_says_all_that_the_authority_wants(self) -> None:
        claim = claim_of(issuing_programme())
        certificate = issue(of=claim, now=NOW)
        facts = printed(certificate)
        assert facts["holder"] == "Dr Amelia Okonkwo"
        assert (facts["council"], facts["registration_number"]) == ("General Medical Council", "GMC 7412589")
        assert (facts["title"], facts["programme"]) == ("Heart failure in primary care", "Cardiology")
        assert (facts["format"], facts["began_on"], facts["issued_on"]) == ("live", "2026-11-22", "2026-11-22")
        assert facts["credits"] == [
            {"amount": "0.75", "unit": "AMA PRA Category 1 Credit™", "approval_code": "APPROVAL-1"}
        ]
        assert facts["provider"] == "Society of Reproductive Medicine"
        assert facts["statements"][0].startswith("Society of Reproductive Medicine is accredited by the Accreditation")
        assert facts["number"] == f"CARDIO{claim.programme_id}-2026-000001"
        assert facts["verify_address"] == f"http://127.0.0.1:8000/verify/{certificate.public_id}/"

    def test_its_address_is_128_random_bits(self) -> None:
        programme = issuing_programme()
        addresses = {issue(of=claim_of(programme), now=NOW).public_id for _ in range(5)}
        assert len(addresses) == 5
        assert {len(one) for one in addresses} == {26}
        assert set("".join(addresses)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

    def test_is_signed_and_stands_in_the_ledger_without_names(self) -> None:
        certificate = issue(of=claim_of(issuing_programme()), now=NOW)
        certificate.refresh_from_db()
        content = canonical(certificate.facts)
        signature = bytes(certificate.signature)
        assert is_signed(fingerprint=certificate.key_fingerprint, signature=signature, content=content)
        assert not is_signed(fingerprint=certificate.key_fingerprint, signature=signature, content=content + b" ")
        line = LedgerEntry.objects.get(certificate=certificate)
        assert (line.number, line.kind, line.user_id) == (2, "certificate_issued", certificate.user_id)
        digest = digest_of(certificate.facts)
        about = {"claim": certificate.claim_id, "course": None}
        assert line.details == {"number": certificate.number, "facts": digest, "edition": 1, **about}
        assert "Okonkwo" not in str(line.details)
        assert verify(programme_id=certificate.programme_id).flaw is None

    def test_a_second_time_is_the_same_one(self) -> None:
        claim = claim_of(issuing_programme())
        first, second = issue(of=claim, now=NOW), issue(of=claim, now=NOW)
        assert (first.pk, first.public_id) == (second.pk, second.public_id)
        assert (Certificate.objects.count(), Chain.objects.get().last_serial) == (1, 1)

    def test_credit_that_was_corrected_before_is_certified_as_corrected(self) -> None:
        claim = claim_of(issuing_programme(), credit="1.00")
        correct(claim, EntryKind.CREDIT_CORRECTED, "0.5")
        assert printed(issue(of=claim, now=NOW))["credits"][0]["amount"] == "0.50"

    @pytest.mark.parametrize(("kind", "credit"), [("credit_revoked", "0.75"), ("credit_corrected", "0")])
    def test_credit_that_was_taken_back_is_not_certified(self, kind: str, credit: str) -> None:
        claim = claim_of(issuing_programme())
        correct(claim, EntryKind(kind), credit)
        with pytest.raises(NotDueError):
            issue(of=claim, now=NOW)
        assert (Certificate.objects.count(), count_due(claim.programme)) == (0, 0)

    def test_attendance_has_no_figure_of_credit(self) -> None:
        claim = claim_of(issuing_programme(), authority="attendance", credit="0", credits=Decimal(0))
        facts = printed(issue(of=claim, now=NOW))
        assert (facts["credits"], facts["statements"]) == ([], [])


class TestACourseAndAProgramme:
    def test_a_course_waits_for_each_of_its_feedback_forms(self) -> None:
        completion = completed_course(issuing_programme())
        forms = [feedback_of(completion.course) for _ in range(2)]
        give_feedback(completion.user, forms[0])
        give_feedback(doctor(), forms[1])  # somebody else's is not one's own
        with pytest.raises(NotDueError, match="feedback form"):
            issue(of=completion, now=NOW)
        assert list(due_courses(completion.course.programme)) == []
        give_feedback(completion.user, forms[1])
        assert list(due_courses(completion.course.programme)) == [completion]
        facts = printed(issue(of=completion, now=NOW))
        assert (facts["title"], facts["programme"], facts["credits"]) == ("Arrhythmia", "Cardiology", [])

    def test_days_are_those_of_the_programmes_zone(self) -> None:
        """Half past ten in the evening of the 31st in UTC is the new year in Kolkata."""
        late = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
        completion = completed_course(issuing_programme(timezone="Asia/Kolkata"), at=late)
        certificate = issue(of=completion, now=late)
        assert (printed(certificate)["ended_on"], printed(certificate)["issued_on"]) == ("2027-01-01", "2027-01-01")
        assert "-2027-" in certificate.number

    def test_a_programme_when_it_is_completed(self) -> None:
        programme = issuing_programme()
        enrolment = completed_programme(programme)
        facts = printed(issue(of=enrolment, now=NOW))
        assert (facts["title"], facts["programme"], facts["ended_on"]) == ("Cardiology", "", "2026-11-22")

    @pytest.mark.parametrize("status", ["withdrawn", "suspended"])
    def test_who_does_not_belong_to_it_any_more_has_none(self, status: str) -> None:
        enrolment = completed_programme(issuing_programme())
        Enrolment.objects.update(status=status)
        enrolment.refresh_from_db()
        with pytest.raises(NotDueError):
            issue(of=enrolment, now=NOW)
        assert list(due_programmes(enrolment.programme)) == []

    def test_who_has_not_completed_it_has_none(self) -> None:
        enrolment = completed_programme(issuing_programme())
        Enrolment.objects.update(status=EnrolmentStatus.ACTIVE, completed_at=None)
        enrolment.refresh_from_db()
        with pytest.raises(NotDueError):
            issue(of=enrolment, now=NOW)


class TestWhatIsMissing:
    def test_without_a_template_a_programme_issues_nothing(self) -> None:
        claim = claim_of(ProgrammeFactory.create())
        with pytest.raises(NoTemplateError):
            issue(of=claim, now=NOW)

    def test_without_a_key_nothing_is_signed(self, settings: Any) -> None:
        settings.CERTIFICATE_KEYS = ()
        claim = claim_of(issuing_programme())
        with pytest.raises(NoKeyError):
            issue(of=claim, now=NOW)
        assert Certificate.objects.count() == 0

    def test_without_a_name_no_address_is_printed_in_its_place(self) -> None:
        claim = claim_of(issuing_programme(), user=doctor(first_name="", last_name=" "))
        with pytest.raises(IssuingError, match="name is missing"):
            issue(of=claim, now=NOW)
        assert Chain.objects.get().last_serial == 0

    def test_a_name_that_no_font_can_write_is_not_printed_with_gaps(self) -> None:
        claim = claim_of(issuing_programme(), user=doctor(last_name="Okonkwo 🏆"))
        with pytest.raises(IssuingError, match="🏆"):
            issue(of=claim, now=NOW)


class TestForEver:
    def test_later_names_titles_and_templates_change_nothing(self) -> None:
        claim = claim_of(issuing_programme())
        certificate = issue(of=claim, now=NOW)
        before = printed(certificate)
        UserFactory._meta.model.objects.update(last_name="Hartmann")
        claim.accreditation.activity.__class__.objects.update(title="Another title")
        again = issue(of=claim, now=NOW)
        assert printed(again) == before

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE certification_certificate SET facts = '{}'",
            "UPDATE certification_certificate SET number = 'X'",
            "DELETE FROM certification_certificate",
            "UPDATE certification_certificatetemplate SET heading = 'Diploma'",
            "UPDATE certification_certificatetemplate SET used_at = NULL",
            "DELETE FROM certification_certificatetemplate",
            "INSERT INTO certification_signatureimage SELECT 1, 0, 'x', id FROM certification_certificatetemplate",
        ],
    )
    def test_sec_28_the_database_refuses_to_change_what_was_issued(self, statement: str) -> None:
        certificate = issue(of=claim_of(issuing_programme()), now=NOW)
        before = printed(certificate)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert printed(certificate) == before

    def test_the_template_is_fixed_by_its_first_certificate(self) -> None:
        programme = issuing_programme()
        template = CertificateTemplate.objects.get()
        assert template.used_at is None
        assert issue(of=claim_of(programme), now=NOW).template == template
        template.refresh_from_db()
        assert template.used_at == NOW

    def test_the_database_refuses_a_second_one(self) -> None:
        certificate = issue(of=claim_of(issuing_programme()), now=NOW)
        certificate.pk, certificate.public_id, certificate.serial, certificate.number = None, "A" * 26, 2, "OTHER"
        with pytest.raises(IntegrityError, match="certification_one_for_a_claim"), transaction.atomic():
            certificate.save(force_insert=True)
        assert Certificate.objects.count() == 1


class TestReissuing:
    def test_a_corrected_name_gets_a_second_edition(self) -> None:
        claim = claim_of(issuing_programme())
        first = issue(of=claim, now=NOW)
        claim.user.last_name = "Okonkwo-Hartmann"
        claim.user.save()
        second = reissue(certificate=first, reason="Name after marriage", actor=doctor(), now=NOW)
        facts = printed(second)
        assert (facts["holder"], facts["edition"], facts["replaces"]) == ("Dr Amelia Okonkwo-Hartmann", 2, first.number)
        assert (second.edition, second.replaces, second.serial) == (2, first, 2)
        assert second.public_id != first.public_id
        line = LedgerEntry.objects.get(certificate=second)
        assert (line.kind, line.why, line.details["replaces"]) == (
            "certificate_reissued",
            "Name after marriage",
            first.number,
        )
        assert [standing_of(one).state for one in (first, second)] == ["replaced", "valid"]

    def test_only_the_newest_edition_is_issued_anew(self) -> None:
        first = issue(of=claim_of(issuing_programme()), now=NOW)
        second = reissue(certificate=first, reason="Name", actor=None, now=NOW)
        with pytest.raises(ReplacedError):
            reissue(certificate=first, reason="Name", actor=None, now=NOW)
        assert reissue(certificate=second, reason="Name", actor=None, now=NOW).edition == 3

    def test_issuing_again_gives_the_newest_edition(self) -> None:
        claim = claim_of(issuing_programme())
        second = reissue(certificate=issue(of=claim, now=NOW), reason="Name", actor=None, now=NOW)
        assert issue(of=claim, now=NOW) == second
        assert list(due_claims(claim.programme)) == []

    @pytest.mark.parametrize("kind", ["course", "programme"])
    def test_the_other_kinds_too(self, kind: str) -> None:
        programme = issuing_programme()
        source = completed_course(programme) if kind == "course" else completed_programme(programme)
        second = reissue(certificate=issue(of=source, now=NOW), reason="Name", actor=None, now=NOW)
        assert (second.kind, second.edition) == (kind, 2)

    @pytest.mark.parametrize("kind", ["activity", "course", "programme"])
    def test_sec_28_what_was_revoked_comes_back_by_no_other_edition(self, kind: str) -> None:
        first = issue(of=source_of(kind), now=NOW)
        revoke(certificate=first, reason="Somebody else watched", actor=None, now=NOW)
        with pytest.raises(RevokedError):
            reissue(certificate=first, reason="Name", actor=None, now=NOW)
        assert (Certificate.objects.count(), standing_of(first).state) == (1, "revoked")

    @pytest.mark.parametrize("kind", ["activity", "course", "programme"])
    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_sec_28_revoking_any_number_revokes_all_editions(self, kind: str, which: int) -> None:
        """The paper in somebody's hand may be the first one."""
        editions = [issue(of=source_of(kind), now=NOW)]
        bystander = issue(of=claim_of(editions[0].programme, user=editions[0].user), now=NOW)
        for _ in range(2):
            editions.append(reissue(certificate=editions[-1], reason="Name", actor=None, now=NOW))
        line = revoke(certificate=editions[which], reason="Somebody else watched", actor=None, now=NOW)
        assert line.certificate_id == editions[-1].pk
        revoked = LedgerEntry.objects.filter(kind=EntryKind.CERTIFICATE_REVOKED).order_by("number")
        assert [(one.certificate_id, one.why) for one in revoked] == [
            (one.pk, "Somebody else watched") for one in editions
        ]
        assert {standing_of(Certificate.objects.get(pk=one.pk)).state for one in editions} == {"revoked"}
        assert standing_of(bystander).state == "valid"
        with pytest.raises(RevokedError):
            reissue(certificate=editions[-1], reason="Name", actor=None, now=NOW)
        assert revoke(certificate=editions[0], reason="Again", actor=None, now=NOW).pk == line.pk
        assert verify(programme_id=line.programme_id).flaw is None

    def test_a_completion_that_was_taken_back_is_certified_no_further(self) -> None:
        programme = issuing_programme()
        course, whole = completed_course(programme), completed_programme(programme)
        issued = [issue(of=course, now=NOW), issue(of=whole, now=NOW)]
        course.delete()
        Enrolment.objects.update(status=EnrolmentStatus.ACTIVE, completed_at=None)
        for one in issued:
            with pytest.raises(NotDueError, match="not recorded as completed"):
                reissue(certificate=one, reason="Name", actor=None, now=NOW)
        assert Certificate.objects.count() == 2

    @pytest.mark.parametrize("came_back", [False, True])
    def test_sec_39_not_for_who_was_erased_in_between(self, came_back: bool) -> None:
        """Also where somebody opens the emptied account again: nobody's certificate becomes that of "A doctor"."""
        claim = claim_of(issuing_programme())
        first, other = issue(of=claim, now=NOW), claim_of(claim.programme, user=claim.user)
        erase(user=claim.user, now=NOW)
        User.objects.filter(pk=claim.user_id).update(is_active=came_back)
        with pytest.raises(NotDueError, match="account was closed"):
            reissue(certificate=first, reason="Name", actor=None, now=NOW)
        with pytest.raises(NotDueError, match="account was closed"):
            issue(of=other, now=NOW)
        assert [printed(one)["holder"] for one in Certificate.objects.all()] == ["Dr Amelia Okonkwo"]
        assert standing_of(Certificate.objects.get()).state == "valid"

    @pytest.mark.parametrize("reason", ["", "  \n "])
    def test_a_reason_is_needed(self, reason: str) -> None:
        first = issue(of=claim_of(issuing_programme()), now=NOW)
        with pytest.raises(ReasonError):
            reissue(certificate=first, reason=reason, actor=None, now=NOW)
        with pytest.raises(ReasonError):
            revoke(certificate=first, reason=reason, actor=None, now=NOW)
        assert LedgerEntry.objects.count() == 2


class TestStanding:
    def test_revoked_once_with_the_first_reason(self) -> None:
        certificate = issue(of=claim_of(issuing_programme()), now=NOW)
        first = revoke(certificate=certificate, reason="Somebody else watched", actor=None, now=NOW)
        again = revoke(certificate=certificate, reason="Another", actor=None, now=NOW)
        assert (again.pk, again.why) == (first.pk, "Somebody else watched")
        standing = standing_of(certificate)
        assert (standing.state, standing.changed_at, standing.position) == (CertificateState.REVOKED, NOW, 2)

    def test_credit_taken_back_takes_the_certificate_with_it(self) -> None:
        claim = claim_of(issuing_programme())
        certificate = issue(of=claim, now=NOW)
        correct(claim, EntryKind.CREDIT_REVOKED, "0.75")
        assert standing_of(certificate).state == "revoked"
        with pytest.raises(NotDueError):
            reissue(certificate=certificate, reason="Name", actor=None, now=NOW)

    def test_credit_corrected_afterwards_is_told(self) -> None:
        claim = claim_of(issuing_programme())
        certificate = issue(of=claim, now=NOW)
        assert standing_of(certificate).worth is None
        correct(claim, EntryKind.CREDIT_CORRECTED, "0.5")
        assert (standing_of(certificate).state, standing_of(certificate).worth) == ("corrected", Decimal("0.50"))
        correct(claim, EntryKind.CREDIT_CORRECTED, "0.75")
        assert (standing_of(certificate).state, standing_of(certificate).worth) == ("valid", None)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE certification_certificate SET facts = jsonb_set(facts, '{facts,holder}', '\"Dr Impostor\"')",
            "UPDATE certification_certificate SET facts = jsonb_set(facts, '{facts,credits,0,amount}', '\"9.75\"')",
            "UPDATE certification_certificate SET facts = jsonb_set(facts, '{engine}', '1.5')",
            "UPDATE certification_certificate SET signature = decode(repeat('00', 64), 'hex')",
            "UPDATE certification_certificate SET number = 'ANOTHER'",
            "UPDATE certification_certificate SET public_id = repeat('A', 26)",
            "UPDATE certification_ledgerentry SET details = '{}' WHERE certificate_id IS NOT NULL",
            "UPDATE certification_ledgerentry SET user_id = user_id + 1 WHERE certificate_id IS NOT NULL",
            "DELETE FROM certification_ledgerentry WHERE certificate_id IS NOT NULL",
        ],
    )
    def test_sec_28_whatever_is_altered_in_the_database_shows(self, statement: str) -> None:
        certificate = issue(of=claim_of(issuing_programme()), now=NOW)
        assert standing_of(Certificate.objects.get()).state == "valid"
        tamper(statement)
        assert standing_of(Certificate.objects.get(pk=certificate.pk)).state == "altered"

    def test_sec_28_a_certificate_signed_by_another_key_shows(self) -> None:
        issue(of=claim_of(issuing_programme()), now=NOW)
        tamper("UPDATE certification_certificate SET key_fingerprint = repeat('0', 64)")
        assert standing_of(Certificate.objects.get()).state == "unknown_key"

    def test_an_older_key_still_vouches(self, settings: Any) -> None:
        issue(of=claim_of(issuing_programme()), now=NOW)
        settings.CERTIFICATE_KEYS = (bytes(range(32)), *settings.CERTIFICATE_KEYS)
        assert standing_of(Certificate.objects.get()).state == "valid"


class TestAllThatIsDue:
    def test_each_kind_once_and_nothing_of_another_programme(self) -> None:
        programme, other = issuing_programme(), issuing_programme(slug="other")
        mine = [doctor() for _ in range(3)]
        claim_of(programme, user=mine[0])
        completed_course(programme, user=mine[1])
        completed_programme(programme, user=mine[2])
        foreign = claim_of(other)
        done = issue_due(programme=programme, now=NOW)
        new = issued(programme)
        assert (done.new, [one.kind for one in new]) == (3, ["activity", "course", "programme"])
        assert [one.user_id for one in new] == [one.pk for one in mine]
        assert list(due_claims(other)) == [foreign]
        assert issue_due(programme=programme, now=NOW).new == 0
        assert verify(programme_id=programme.pk).flaw is None

    def test_a_sweep_that_began_before_the_credit_was_granted_dates_nothing_back(self) -> None:
        programme = issuing_programme()
        claim = claim_of(programme)
        correct(claim, EntryKind.CREDIT_CORRECTED, "0.5")
        began = NOW - timedelta(minutes=4)
        issue_due(programme=programme, now=began)
        (made,) = issued(programme)
        again = reissue(certificate=made, reason="Name", actor=None, now=began)
        line = LedgerEntry.objects.get(certificate=made)
        assert (made.issued_at, line.entered_at, again.issued_at) == (NOW, NOW, NOW)

    def test_at_most_so_many_and_then_the_rest(self) -> None:
        programme = issuing_programme()
        claims = [claim_of(programme) for _ in range(5)]
        first = issue_due(programme=programme, now=NOW, limit=2)
        rest = issue_due(programme=programme, now=NOW)
        assert (first.new, rest.new) == (2, 3)
        assert [one.claim_id for one in issued(programme)] == [one.pk for one in claims]

    def test_who_cannot_have_one_yet_holds_nobody_up(self) -> None:
        programme = issuing_programme()
        nameless = claim_of(programme, user=doctor(first_name="", last_name=""))
        others = [claim_of(programme) for _ in range(2)]
        done = issue_due(programme=programme, now=NOW, limit=2)
        assert (done.new, dict(done.refused)) == (2, {"The name is missing.": 1})
        assert [(one.serial, one.claim_id) for one in issued(programme)] == list(
            enumerate([one.pk for one in others], 1)
        )
        assert list(due_claims(programme)) == [nameless]

    def test_no_more_than_a_batch_is_ever_in_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(issuing, "BATCH", 2)
        programme = issuing_programme()
        for _ in range(7):
            claim_of(programme)
        alive = []

        def look(_number: int) -> None:
            gc.collect()
            alive.append(sum(type(one) is Certificate for one in gc.get_objects()))

        gc.collect()  # what other tests left
        before = sum(type(one) is Certificate for one in gc.get_objects())
        assert issue_due(programme=programme, now=NOW, progress=look).new == 7
        assert len(alive) == 4
        assert max(alive) - before <= 2

    def test_a_batch_asks_as_much_for_one_as_for_three(self, django_assert_num_queries: Any) -> None:
        for count in (1, 3):
            programme = issuing_programme(slug=f"batch-{count}")
            for _ in range(count):
                claim_of(programme)
            lock_chain(programme)
            with django_assert_num_queries(21):
                assert issue_due(programme=programme, now=NOW).new == count
