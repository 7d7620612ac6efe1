"""Rows beside the ledger that somebody who owns the database changes: every line's seal is whole, and it shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from certification.domain.chain import Flaw, content_of, lock_chain, seal, verify
from certification.domain.claiming import claim, revoke_claim
from certification.domain.comparing import compared
from certification.domain.issuing import issue, reissue
from certification.domain.overview import decision_of
from certification.domain.standing import standing_of
from certification.enums import EntryKind
from certification.models import Certificate, Claim, LedgerEntry
from courses.models import Programme
from tests.certification.ledgers import tamper
from tests.factories.accounts import UserFactory
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.deeds import accredit, doctor_of, make_live, watch

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NINE + timedelta(hours=3)
PRINTED = (
    "UPDATE certification_certificate SET facts = jsonb_set(facts, '{facts,holder}', '\"Dr Impostor\"')"
    " WHERE id = %(old)s"
)
DECISION = (
    "UPDATE certification_claimevidence SET decision = jsonb_set(decision, '{credit}', '\"9\"')"
    " WHERE entry_id = %(line)s"
)
EVIDENCE = (
    "UPDATE certification_claimevidence SET evidence = jsonb_set(evidence, '{evidence,watched_seconds}', '1.5')"
    " WHERE entry_id = %(line)s"
)


@dataclass(frozen=True)
class Ledger:
    """Lines: the first's claim, the second's, the first's certificate, and its second edition."""

    programme: Programme
    first: Claim
    second: Claim
    old: Certificate
    new: Certificate

    def flaw(self) -> Flaw | None:
        """Of what lies beside lines that hold themselves."""
        found = verify(programme_id=self.programme.pk)
        assert found.flaw is None
        return compared(found).flaw

    def is_named(self, number: int, what: str) -> bool:
        return self.flaw() == Flaw(self.programme.pk, number, what)


@pytest.fixture
def ledger() -> Ledger:
    live = make_live(starts_at=NINE)
    accreditation = accredit(live, version="2022")
    programme = live.lesson.course.programme
    CertificateTemplateFactory.create(programme=programme)
    claims = []
    for _ in range(2):
        user = doctor_of(live, first_name="Amelia", last_name="Okonkwo")
        watch(live, user, minutes=47)
        claims.append(claim(accreditation=accreditation, user=user, now=LATER).claim)
    old = issue(of=claims[0], now=LATER)
    new = reissue(certificate=old, reason="Name", actor=None, now=LATER)
    return Ledger(programme, claims[0], claims[1], old, new)


def test_what_was_written_by_the_product_holds(ledger: Ledger) -> None:
    found = verify(programme_id=ledger.programme.pk)
    assert (found.length, compared(found)) == (4, found)


@pytest.mark.parametrize(
    ("change", "number", "what"),
    [
        ("UPDATE certification_claim SET user_id = %(stranger)s WHERE id = %(first)s", 1, "claim"),
        ("UPDATE certification_claim SET council = 'x' WHERE id = %(second)s", 2, "claim"),
        ("UPDATE certification_claim SET authority = 'eaccme' WHERE id = %(second)s", 2, "claim"),
        ("UPDATE certification_claim SET took_part_on = '2027-01-01' WHERE id = %(first)s", 1, "claim"),
        ("UPDATE certification_claim SET lesson_id = lesson_id + 1 WHERE id = %(first)s", 1, "claim"),
        ("UPDATE certification_claim SET accreditation_id = 0 WHERE id = %(first)s", 1, "claim"),
        ("UPDATE certification_certificate SET claim_id = %(second)s WHERE id = %(new)s", 4, "certificate"),
        ("UPDATE certification_certificate SET user_id = %(stranger)s WHERE id = %(old)s", 3, "certificate"),
        ("UPDATE certification_certificate SET number = 'X' WHERE id = %(old)s", 3, "certificate"),
        ("UPDATE certification_certificate SET edition = 3 WHERE id = %(new)s", 4, "certificate"),
        ("UPDATE certification_certificate SET replaces_id = id - 99 WHERE id = %(new)s", 4, "certificate"),
        (PRINTED, 3, "printed"),
        (DECISION, 2, "evidence"),
        (EVIDENCE, 2, "evidence"),
    ],
)
def test_sec_31_what_was_changed_beside_a_line_is_named_at_its_line(
    ledger: Ledger, change: str, number: int, what: str
) -> None:
    alter(change, ledger)
    assert ledger.is_named(number, what)


def test_sec_31_a_claim_that_was_put_in_past_the_ledger_is_named(ledger: Ledger) -> None:
    tamper(
        "INSERT INTO certification_claim (programme_id, user_id, accreditation_id, lesson_id, authority, council,"
        " took_part_on, made_at) SELECT programme_id, %s, accreditation_id, lesson_id, authority, council,"
        " took_part_on, made_at FROM certification_claim LIMIT 1",
        UserFactory.create().pk,
    )
    assert ledger.is_named(5, "unsaid")


def test_sec_31_a_line_that_was_dated_back_is_named(ledger: Ledger) -> None:
    """Sealed as it should be, by somebody who is past the trigger."""
    chain, last = lock_chain(ledger.programme), LedgerEntry.objects.get(number=4)
    last.pk, last.number, last.previous = None, 5, last.hash
    last.kind, last.reason, last.entered_at = EntryKind.CERTIFICATE_REVOKED, "Long ago", LATER - timedelta(days=9)
    last.hash = seal(bytes(last.previous), content_of(last))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        last.save(force_insert=True)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    chain.length, chain.head = 5, last.hash
    chain.save()
    assert ledger.is_named(5, "time")


def test_the_first_of_several_is_named(ledger: Ledger) -> None:
    alter("UPDATE certification_certificate SET number = 'X' WHERE id = %(old)s", ledger)
    alter("UPDATE certification_claim SET council = 'x' WHERE id = %(second)s", ledger)
    assert ledger.is_named(2, "claim")


def test_sec_28_a_certificate_of_revoked_credit_is_not_made_valid_by_another_credit(ledger: Ledger) -> None:
    office = UserFactory.create()
    revoke_claim(claim_id=ledger.first.pk, reason="Not there", actor=office, now=LATER)
    assert standing_of(certificate(ledger)).state == "revoked"
    alter("UPDATE certification_certificate SET claim_id = %(second)s WHERE id = %(new)s", ledger)
    assert standing_of(certificate(ledger)).state == "altered"


def test_sec_28_nor_does_another_person_get_it(ledger: Ledger) -> None:
    assert standing_of(certificate(ledger)).state == "valid"
    alter("UPDATE certification_certificate SET user_id = %(stranger)s WHERE id = %(new)s", ledger)
    assert standing_of(certificate(ledger)).state == "altered"


def test_sec_31_a_decision_that_was_written_anew_is_shown_to_nobody(ledger: Ledger) -> None:
    line = LedgerEntry.objects.select_related("evidence").get(claim=ledger.second)
    before = decision_of(line)
    assert before.reasons
    alter(DECISION, ledger)
    shown = decision_of(LedgerEntry.objects.select_related("evidence").get(claim=ledger.second))
    assert (shown.credit, [one.code for one in shown.steps]) == (before.credit, [one.code for one in before.steps])


def certificate(ledger: Ledger) -> Certificate:
    return Certificate.objects.select_related("programme__chain", "replaced_by").get(pk=ledger.new.pk)


def alter(change: str, ledger: Ledger) -> None:
    """Past triggers and foreign keys."""
    values: dict[str, Any] = {
        "first": ledger.first.pk, "second": ledger.second.pk, "old": ledger.old.pk, "new": ledger.new.pk,
        "line": LedgerEntry.objects.get(claim=ledger.second).pk, "stranger": UserFactory.create().pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(change, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
