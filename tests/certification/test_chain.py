"""The ledger's chain: what the database refuses, and what looking it over finds."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.timezone import now

from certification.domain.chain import (
    START,
    Flaw,
    NewEntry,
    NotCanonicalError,
    append,
    canonical,
    content_of,
    lock_chain,
    seal,
    time_in,
    verify,
)
from certification.domain.publishing import words_of
from certification.enums import EntryKind
from certification.models import Chain, Claim, LedgerEntry, PublishedHead
from courses.models import Programme
from tests.certification.ledgers import grant_many, tamper
from tests.factories.accounts import UserFactory
from tests.factories.certification import AccreditationFactory, ClaimFactory, grant
from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db
PROOFS = (
    "ledgerentry", "chain", "claim", "claimevidence", "publishedhead", "certificate", "certificatefile",
    "certificatetemplate", "signatureimage", "disclosure", "disclosurereview", "disclosuresheet", "acknowledgement",
    "keptname", "reasontext",
)  # fmt: skip
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def new_entry(programme: Programme) -> NewEntry:
    claim = ClaimFactory.create(accreditation__activity__lesson__course__programme=programme)
    return NewEntry(EntryKind.CREDIT_GRANTED, claim.user_id, claim_id=claim.pk, credits=Decimal(1))


class TestAppending:
    def test_each_line_is_sealed_with_the_one_before(self) -> None:
        first, second, third = grant_many(ProgrammeFactory.create(), 3)
        assert [one.number for one in (first, second, third)] == [1, 2, 3]
        assert (bytes(first.previous), second.previous, third.previous) == (START, first.hash, second.hash)
        chain = Chain.objects.get()
        assert (chain.length, bytes(chain.head)) == (3, third.hash)

    def test_the_hash_is_what_the_documentation_says(self) -> None:
        claim = ClaimFactory.create()
        entry = NewEntry(EntryKind.CREDIT_GRANTED, claim.user_id, claim_id=claim.pk, credits=Decimal("0.5"))
        row = append(chain=lock_chain(claim.programme), entries=[entry], now=NOW)[0]
        text = (
            f'{{"actor":null,"at":"2026-11-22T09:30:00.000000+00:00","certificate":null,"claim":{claim.pk},'
            f'"credits":"0.50","details":{{}},"kind":"credit_granted","number":1,"programme":{claim.programme_id},'
            f'"reason":"","user":{claim.user_id}}}'
        )
        assert row.hash == hashlib.sha256(bytes(32) + text.encode()).digest()

    def test_what_was_read_back_has_the_same_hash(self) -> None:
        claim = ClaimFactory.create()
        details = {"steps": [["watched", {"minutes": 47, "of": 60}]], "ß": "日本", "is": True, "none": None}
        entry = NewEntry(
            EntryKind.CREDIT_GRANTED, claim.user_id, claim_id=claim.pk, credits=Decimal(1), details=details
        )
        append(chain=lock_chain(claim.programme), entries=[entry], now=now())
        assert verify(programme_id=claim.programme_id).flaw is None

    @pytest.mark.parametrize("details", [{"credit": Decimal("0.1")}, {"share": 0.5}, {"at": NOW}, {1: "one"}])
    def test_a_value_that_can_be_written_in_many_ways_is_refused(self, details: dict[Any, Any]) -> None:
        with pytest.raises(NotCanonicalError):
            canonical(details)

    def test_a_batch_is_one_chain(self) -> None:
        claims = [ClaimFactory.create() for _ in range(3)]
        programme = claims[0].programme
        entries = [NewEntry(EntryKind.CREDIT_GRANTED, one.user_id, one.pk, credits=Decimal(1)) for one in claims]
        append(chain=lock_chain(programme), entries=entries, now=now())
        assert verify(programme_id=programme.pk).length == 3
        assert verify(programme_id=programme.pk).flaw is None

    def test_a_line_is_never_older_than_the_one_before(self) -> None:
        """Its time was read before others, who came later, were through; or by a clock that is behind."""
        programme = ProgrammeFactory.create()
        first, _second, third = (
            append(chain=lock_chain(programme), entries=[new_entry(programme)], now=NOW + timedelta(minutes=minutes))[0]
            for minutes in (0, 5, 3)
        )
        assert (first.entered_at, third.entered_at) == (NOW, NOW + timedelta(minutes=5))
        chain = lock_chain(programme)
        assert (time_in(chain, NOW), time_in(chain, NOW + timedelta(days=1))) == (
            NOW + timedelta(minutes=5), NOW + timedelta(days=1)
        )  # fmt: skip

    def test_programmes_have_chains_of_their_own(self) -> None:
        one, other = grant(), grant()
        assert (one.number, other.number) == (1, 1)
        assert Chain.objects.count() == 2


class TestTheDatabase:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE certification_ledgerentry SET credits = 9",
            "DELETE FROM certification_ledgerentry",
            "UPDATE certification_claim SET council = 'x'",
            "DELETE FROM certification_claim",
        ],
    )
    def test_refuses_every_change(self, statement: str) -> None:
        entry = grant()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL certification.purge = 'on'")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert LedgerEntry.objects.get().hash == entry.hash

    @pytest.mark.parametrize("table", PROOFS)
    def test_refuses_to_empty_a_proof(self, table: str) -> None:
        entry = grant()
        name = table if table != "ledgerentry" else "entry"
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE certification_{table} ENABLE TRIGGER certification_{name}_never_emptied")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE certification_{table} CASCADE")
        assert LedgerEntry.objects.get().hash == entry.hash

    @pytest.mark.parametrize(
        "change",
        [
            "DELETE FROM certification_chain",
            "UPDATE certification_chain SET length = 1",
            "UPDATE certification_chain SET length = 3",
            "UPDATE certification_chain SET head = decode(repeat('00', 32), 'hex')",
            "UPDATE certification_chain SET last_serial = 6",
            "UPDATE certification_chain SET public_id = gen_random_uuid()",
        ],
    )
    def test_lets_a_chain_only_go_on(self, change: str) -> None:
        lines = grant_many(ProgrammeFactory.create(), 2)
        Chain.objects.update(last_serial=7)
        with pytest.raises(DatabaseError, match="only goes on"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
        chain = Chain.objects.get()
        assert (chain.length, bytes(chain.head), chain.last_serial) == (2, lines[1].hash, 7)

    @pytest.mark.parametrize(("number", "previous"), [(3, None), (2, bytes(32)), (2, b"x" * 32), (1, b"x" * 32)])
    def test_refuses_a_line_that_does_not_follow(self, number: int, previous: bytes | None) -> None:
        entry = grant()
        row = LedgerEntry(
            programme=entry.programme,
            number=number,
            kind=EntryKind.CREDIT_CORRECTED,
            user=entry.user,
            claim=entry.claim,
            credits=1,
            reason="Wrong",
            entered_at=now(),
            previous=previous or entry.hash,
            hash=b"y" * 32,
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
        assert LedgerEntry.objects.count() == 1

    def test_refuses_a_line_that_is_older_than_the_one_before(self) -> None:
        entry = grant(at=NOW)
        row = LedgerEntry(
            programme=entry.programme, number=2, kind=EntryKind.CREDIT_CORRECTED, user=entry.user, claim=entry.claim,
            credits=1, reason="Wrong", entered_at=NOW - timedelta(minutes=61), previous=entry.hash, hash=b"y" * 32,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="older than the one before"), transaction.atomic():
            row.save()
        assert LedgerEntry.objects.count() == 1

    def test_refuses_a_second_claim_for_the_recording_of_the_same_webinar(self) -> None:
        live = grant().claim
        assert live is not None
        recording = AccreditationFactory.create(
            activity__lesson=live.lesson, activity__format="enduring", authority=live.authority
        )
        with pytest.raises(IntegrityError, match="certification_claim_once"), transaction.atomic():
            ClaimFactory.create(accreditation=recording, user=live.user)
        assert Claim.objects.get() == live

    def test_refuses_to_grant_one_claim_twice(self) -> None:
        entry = grant()
        again = NewEntry(EntryKind.CREDIT_GRANTED, entry.user_id, entry.claim_id, credits=Decimal(1))
        with pytest.raises(IntegrityError, match="certification_granted_once"), transaction.atomic():
            append(chain=lock_chain(entry.programme), entries=[again], now=now())
        assert verify(programme_id=entry.programme_id).length == 1

    def test_refuses_a_correction_without_a_reason(self) -> None:
        entry = grant()
        silent = NewEntry(EntryKind.CREDIT_REVOKED, entry.user_id, entry.claim_id, credits=Decimal(0))
        with pytest.raises(IntegrityError, match="certification_entry_reason"), transaction.atomic():
            append(chain=lock_chain(entry.programme), entries=[silent], now=now())


def correct(line: LedgerEntry) -> LedgerEntry:
    """By somebody, with a reason."""
    entry = NewEntry(
        EntryKind.CREDIT_CORRECTED, line.user_id, line.claim_id, credits=Decimal("0.5"), reason="Counted anew",
        actor=UserFactory.create(),
    )  # fmt: skip
    return append(chain=lock_chain(line.programme), entries=[entry], now=now())[0]


@contextmanager
def checks_off() -> Iterator[None]:
    """Without what the database checks by itself: somebody who owns it can take that away as well."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = 'certification_ledgerentry'::regclass"
                " AND contype = 'c'"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE certification_ledgerentry DROP CONSTRAINT {name}")
        yield
        transaction.set_rollback(True)


class TestVerifying:
    def test_every_column_of_every_line_is_sealed(self) -> None:
        """Whoever adds a column says here how it is sealed. The row's own id is sealed by nothing and means nothing."""
        programme = ProgrammeFactory.create()
        other = ClaimFactory.create()
        lines = grant_many(programme, 3)
        correct(lines[0])
        values: dict[str, Any] = {
            "programme_id": other.programme_id, "number": 9, "kind": "credit_revoked", "user_id": other.user_id,
            "claim_id": other.pk, "certificate_id": 4711, "credits": "9.75", "reason": "because",
            "details": '{"n": 2}', "actor_id": 4711, "entered_at": "2020-01-01", "previous": b"x" * 32,
            "hash": b"x" * 32,
        }  # fmt: skip
        assert {field.column for field in LedgerEntry._meta.concrete_fields} == {"id", *values}
        found = {}
        for number in (1, 2, 3, 4):
            for column, value in values.items():
                with checks_off(), transaction.atomic():
                    tamper(
                        f"UPDATE certification_ledgerentry SET {column} = %s WHERE programme_id = %s AND number = %s",
                        value, programme.pk, number,
                    )  # fmt: skip
                    flaw = verify(programme_id=programme.pk).flaw
                    found[number, column] = flaw.number if flaw else None
                    transaction.set_rollback(True)
        assert {place: at for place, at in found.items() if at != place[0]} == {}
        assert len(found) == 4 * 13
        assert verify(programme_id=programme.pk).flaw is None

    def test_a_line_taken_out_of_the_middle_is_found(self) -> None:
        programme = ProgrammeFactory.create()
        grant_many(programme, 3)
        tamper("DELETE FROM certification_ledgerentry WHERE number = 2")
        assert verify(programme_id=programme.pk).flaw == Flaw(programme.pk, 2, "gap")

    def test_the_newest_lines_taken_away_are_found_by_the_chain(self) -> None:
        programme = ProgrammeFactory.create()
        grant_many(programme, 3)
        tamper("DELETE FROM certification_ledgerentry WHERE number > 1")
        assert verify(programme_id=programme.pk).flaw == Flaw(programme.pk, 2, "cut")

    def test_and_by_the_published_head_where_the_chain_was_set_back_too(self) -> None:
        programme = ProgrammeFactory.create()
        lines = grant_many(programme, 3)
        PublishedHead.objects.create(
            programme=programme, published_on=date(2026, 11, 22), length=3, hash=lines[2].hash, published_at=now()
        )
        tamper("DELETE FROM certification_ledgerentry WHERE number > 1")
        tamper("UPDATE certification_chain SET length = 1, head = %s", lines[0].hash)
        assert verify(programme_id=programme.pk).flaw == Flaw(programme.pk, 2, "cut")

    def test_a_history_that_was_written_anew_is_found_by_the_published_head(self) -> None:
        programme = ProgrammeFactory.create()
        lines = grant_many(programme, 2)
        PublishedHead.objects.create(
            programme=programme, published_on=date(2026, 11, 22), length=2, hash=lines[1].hash, published_at=now()
        )
        row = lines[1]
        row.credits = Decimal("9.00")
        forged = seal(bytes(row.previous), content_of(row))
        tamper(
            "UPDATE certification_ledgerentry SET credits = 9, hash = %s WHERE number = 2",
            forged,
        )
        tamper("UPDATE certification_chain SET head = %s", forged)
        flaw = verify(programme_id=programme.pk).flaw
        assert flaw == Flaw(programme.pk, 3, "head")
        assert words_of(flaw) == (
            "the lines up to number 2 are not those that were published: history was written anew"
        )

    def test_a_whole_ledger_that_is_gone_is_found(self) -> None:
        programme = ProgrammeFactory.create()
        grant_many(programme, 2)
        tamper("DELETE FROM certification_ledgerentry")
        assert verify(programme_id=programme.pk).flaw == Flaw(programme.pk, 1, "cut")

    def test_an_empty_programme_holds(self) -> None:
        programme = ProgrammeFactory.create()
        found = verify(programme_id=programme.pk)
        assert (found.length, found.flaw) == (0, None)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_wait_for_each_other_and_nothing_is_lost() -> None:
    programme = ProgrammeFactory.create()
    course = CourseFactory.create(programme=programme)
    claims = [
        ClaimFactory.create(accreditation__activity__lesson=LessonFactory.create(course=course)) for _ in range(8)
    ]
    start = threading.Barrier(4)
    failed: list[Exception] = []

    def add(mine: list[Claim]) -> None:
        try:
            start.wait()
            for claim in mine:
                with transaction.atomic():
                    entry = NewEntry(EntryKind.CREDIT_GRANTED, claim.user_id, claim.pk, credits=Decimal(1))
                    append(chain=lock_chain(programme), entries=[entry], now=now())
        except Exception as error:  # noqa: BLE001  # told by the test
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=(claims[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    found = verify(programme_id=programme.pk)
    assert (found.length, found.flaw) == (8, None)
