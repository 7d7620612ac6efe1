"""Why a line was written: proved by the line as long as the words are there, and gone when their years are over."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.enums import Role
from accounts.models import AuditEvent
from certification.domain.chain import Flaw, NewEntry, append, canonical, content_of, lock_chain, seal, verify
from certification.domain.claiming import claim, correct_claim
from certification.domain.comparing import compared
from certification.domain.erasure import own_data
from certification.domain.publishing import words_of
from certification.domain.retained import Kind, years_later
from certification.domain.retention import purge
from certification.enums import EntryKind
from certification.models import LedgerEntry, ReasonText
from tests.certification.audited import Audited, make_audited
from tests.certification.ledgers import tamper
from tests.factories.accounts import UserFactory
from tests.factories.courses import RoleGrantFactory
from tests.factories.deeds import accredit, doctor_of, make_live, watch
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
# The database lets nothing go that is younger than six years by its own clock.
OLD = datetime(2016, 3, 5, 17, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WORDS = "Zebediah was ill: ⅔ of the hour, señor"


@pytest.fixture
def line() -> LedgerEntry:
    return corrected(make_audited(), at=NOW)


def corrected(mine: Audited, *, at: datetime, words: str = WORDS) -> LedgerEntry:
    entry = NewEntry(
        EntryKind.CREDIT_CORRECTED, mine.doctor.pk, claim_id=mine.claim.pk, credits=Decimal("0.5"), reason=words
    )
    return append(chain=lock_chain(mine.claim.programme), entries=[entry], now=at)[0]


def flaw_of(line: LedgerEntry) -> Flaw | None:
    """Of what lies beside lines that hold themselves."""
    found = verify(programme_id=line.programme_id)
    assert found.flaw is None
    return compared(found).flaw


class TestProved:
    def test_the_line_has_a_digest_and_the_words_stand_beside_it(self, line: LedgerEntry) -> None:
        kept, row = ReasonText.objects.get(), LedgerEntry.objects.get(pk=line.pk)
        assert (kept.entry, kept.text, len(kept.salt)) == (line, WORDS, 16)
        assert row.reason == "sha256:" + hashlib.sha256(bytes(kept.salt) + WORDS.encode()).hexdigest()
        assert (line.why, row.why, row.is_reason_apart) == (WORDS, WORDS, True)
        assert b"Zebediah" not in canonical(content_of(row))
        assert flaw_of(line) is None

    def test_the_same_words_are_not_recognised(self) -> None:
        mine = make_audited()
        digests = {corrected(mine, at=NOW, words="Left early").reason for _ in range(2)}
        assert len(digests) == 2

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE certification_reasontext SET text = 'Nobody was ill'",
            "UPDATE certification_reasontext SET text = ''",
            "UPDATE certification_reasontext SET salt = decode(repeat('00', 16), 'hex')",
        ],
    )
    def test_sec_31_words_that_were_written_anew_are_named(self, line: LedgerEntry, change: str) -> None:
        tamper(change)
        flaw = flaw_of(line)
        assert flaw == Flaw(line.programme_id, line.number, "reason")
        assert words_of(flaw) == f"the reason of line {line.number} is kept otherwise than it was sealed"

    def test_sec_31_words_that_left_before_their_years_are_missed(self, line: LedgerEntry) -> None:
        tamper("DELETE FROM certification_reasontext")
        flaw = flaw_of(line)
        assert flaw == Flaw(line.programme_id, line.number, "silent")
        assert words_of(flaw) == f"the reason of line {line.number} left before its years were over"

    @pytest.mark.parametrize("change", ["UPDATE certification_reasontext SET text = 'x'", "DELETE FROM {}"])
    def test_sec_28_the_database_changes_none_and_lets_no_young_one_go(self, line: LedgerEntry, change: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL certification.purge = 'on'")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change.format("certification_reasontext"))
        assert LedgerEntry.objects.get(pk=line.pk).why == WORDS

    def test_the_trail_says_that_and_not_why(self) -> None:
        mine, actor = make_audited(), UserFactory.create()
        correct_claim(claim_id=mine.claim.pk, credit=Decimal("0.25"), reason=WORDS, actor=actor, now=NOW)
        assert "reason" not in AuditEvent.objects.get(action="credit.corrected").details


class TestOlderLines:
    """Written when words were sealed in the line itself."""

    @pytest.fixture
    def old(self) -> LedgerEntry:
        mine = make_audited()
        last = LedgerEntry.objects.order_by("-number").first()
        assert last is not None
        row = LedgerEntry(
            programme=last.programme, number=last.number + 1, kind=EntryKind.CREDIT_CORRECTED, user=mine.doctor,
            claim=mine.claim, credits=Decimal("0.50"), reason=WORDS, details={"before": "0.75"}, entered_at=NOW,
            previous=last.hash,
        )  # fmt: skip
        chain = lock_chain(last.programme)
        row.hash = seal(bytes(row.previous), content_of(row))
        row.save()
        chain.length, chain.head = row.number, row.hash
        chain.save()
        return row

    def test_are_read_and_hold(self, old: LedgerEntry) -> None:
        assert (old.why, old.is_reason_apart, flaw_of(old)) == (WORDS, False, None)
        next_one = corrected(Audited(**_of(old)), at=NOW)
        assert (next_one.number, flaw_of(old)) == (old.number + 1, None)

    def test_sec_31_other_words_beside_one_are_named(self, old: LedgerEntry) -> None:
        ReasonText.objects.create(entry=old, text="Nobody was ill", salt=bytes(16))
        assert flaw_of(old) == Flaw(old.programme_id, old.number, "reason")
        assert LedgerEntry.objects.get(pk=old.pk).why == WORDS


def _of(line: LedgerEntry) -> dict[str, Any]:
    assert line.claim is not None
    activity = line.claim.accreditation.activity
    certificate = line.claim.certificates.get()
    return {"activity": activity, "doctor": line.user, "claim": line.claim, "line": line, "certificate": certificate}


class TestForgotten:
    def test_words_go_with_their_years_and_the_ledger_holds(self) -> None:
        mine = make_audited(at=OLD)
        line = corrected(mine, at=OLD + timedelta(days=100))
        over = years_later((OLD + timedelta(days=100)).date(), 6)
        assert Kind.REASON not in dict(purge(until=over - timedelta(days=1), now=NOW))
        assert dict(purge(until=over, now=NOW))[Kind.REASON] == 1
        assert not ReasonText.objects.exists()
        row = LedgerEntry.objects.get(pk=line.pk)
        assert (row.why, row.is_reason_apart, flaw_of(line)) == ("", True, None)
        assert [one["reason"] for one in own_data(mine.doctor)["ledger"]][:3] == ["", "", ""]

    def test_a_later_line_about_the_same_credit_keeps_them(self) -> None:
        mine = make_audited(at=OLD)
        corrected(mine, at=OLD)
        corrected(mine, at=OLD + timedelta(days=100), words="Counted anew")
        assert Kind.REASON not in dict(purge(until=years_later(OLD.date(), 6), now=NOW))
        assert ReasonText.objects.count() == 2

    def test_of_a_certificate_too(self) -> None:
        mine = make_audited(at=OLD)
        entry = NewEntry(
            EntryKind.CERTIFICATE_REVOKED, mine.doctor.pk, certificate_id=mine.certificate.pk, reason="Somebody else"
        )
        (line,) = append(chain=lock_chain(mine.claim.programme), entries=[entry], now=OLD)
        assert dict(purge(until=years_later(OLD.date(), 6), now=NOW))[Kind.REASON] == 1
        assert (LedgerEntry.objects.get(pk=line.pk).why, flaw_of(line)) == ("", None)

    def test_young_ones_of_somebody_else_stay(self) -> None:
        mine, other = make_audited(at=OLD), make_audited(at=OLD)
        corrected(mine, at=OLD)
        young = corrected(other, at=OLD + timedelta(days=1))
        list(purge(until=years_later(OLD.date(), 6), now=NOW))
        assert [one.entry_id for one in ReasonText.objects.all()] == [young.pk]


class TestInTheOffice:
    LEDGER = "/admin/certification/ledgerentry/"

    @pytest.fixture
    def line(self) -> LedgerEntry:
        """Of credit that was really earned: its page calculates it again."""
        live = make_live(starts_at=NOW)
        doctor = doctor_of(live)
        watch(live, doctor)
        given = claim(accreditation=accredit(live, version="2022"), user=doctor, now=NOW + timedelta(hours=3))
        return correct_claim(
            claim_id=given.claim.pk, credit=Decimal("0.5"), reason=WORDS, actor=doctor, now=NOW + timedelta(hours=3)
        )

    def office(self, line: LedgerEntry) -> Client:
        return signed_in(RoleGrantFactory.create(programme=line.programme, role=Role.AUDITOR).user)

    def test_auditors_read_and_find_them(self, line: LedgerEntry) -> None:
        browser = self.office(line)
        found = browser.get(self.LEDGER, {"q": "zebediah"}).context["cl"].result_list
        assert list(found) == [line]
        page = browser.get(f"{self.LEDGER}{line.pk}/change/").content.decode()
        assert (WORDS in page, "It holds" in page) == (True, True)
        assert WORDS in browser.get(f"/admin/certification/claim/{line.claim_id}/change/").content.decode()

    def test_sec_31_words_that_were_changed_do_not_hold(self, line: LedgerEntry) -> None:
        tamper("UPDATE certification_reasontext SET text = 'Nobody was ill'")
        browser = self.office(line)
        assert "It does not hold" in browser.get(f"{self.LEDGER}{line.pk}/change/").content.decode()
        page = browser.get(f"/admin/certification/claim/{line.claim_id}/change/").content.decode()
        assert "does not hold" in page

    def test_that_they_were_removed_is_said(self, line: LedgerEntry) -> None:
        tamper("DELETE FROM certification_reasontext")
        browser = self.office(line)
        for address in (f"{self.LEDGER}{line.pk}/change/", f"/admin/certification/claim/{line.claim_id}/change/"):
            page = browser.get(address).content.decode()
            assert ("Removed after its years" in page, "does not hold" in page) == (True, False)

    def test_who_writes_one_is_told_that_it_is_kept(self, line: LedgerEntry) -> None:
        browser = signed_in(RoleGrantFactory.create(programme=line.programme, role=Role.OPERATOR).user)
        for address in (
            f"/admin/certification/claim/{line.claim_id}/revoke/",
            f"/admin/certification/claim/{line.claim_id}/correct/",
        ):
            assert "Write nothing about health or private life." in browser.get(address).content.decode()
