"""What goes after its years, what stays, and that nothing goes a day too early."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from certification.authorities import AUTHORITIES
from certification.domain import retention
from certification.domain.chain import NewEntry, append, lock_chain, verify
from certification.domain.files import make_missing
from certification.domain.issuing import issue
from certification.domain.retained import Kind, groups, years_earlier, years_later, years_of
from certification.domain.retention import LEAST_YEARS, FutureError, Line, plan, purge
from certification.enums import ActivityState, CertificateKind, EntryKind
from certification.models import (
    Acknowledgement,
    Certificate,
    CertificateFile,
    Claim,
    ClaimEvidence,
    Contributor,
    Discloser,
    Disclosure,
    DisclosureReview,
    DisclosureSheet,
    KeptName,
    LedgerEntry,
)
from media.storages import media_storage
from tests.certification import audited
from tests.certification.earned import claim_of, issuing_programme
from tests.factories.certification import AccreditationFactory, ActivityFactory, grant

pytestmark = pytest.mark.django_db
# The database lets nothing go that is younger than six years by its own clock.
AT = datetime(2016, 3, 5, 17, 0, tzinfo=UTC)
NOW = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
LAST_DAY = date(2022, 3, 5)  # six years after AT, on which all of it may go
# What `make_audited` makes one of; its activity is open, so what its presenter disclosed stays.
OF_ONE = (Kind.EVIDENCE, Kind.ACKNOWLEDGEMENT, Kind.FACTS, Kind.FILE)
STAY = (Kind.SHEET, Kind.STATEMENT, Kind.DISCLOSER)
make_audited = partial(audited.make_audited, at=AT)


@pytest.fixture(autouse=True)
def _lines_of_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's lines are made when the test runs otherwise: `grant` reads the clock."""
    monkeypatch.setattr("tests.factories.certification.now", lambda: AT)


def left() -> tuple[int, int, int, int]:
    printed = Certificate.objects.exclude(facts={}).count()
    kept = (ClaimEvidence.objects.count(), Acknowledgement.objects.count(), CertificateFile.objects.count())
    return (*kept, printed)


def purge_all(until: date, **given: Any) -> dict[Kind, int]:
    found: dict[Kind, int] = {}
    for kind, number in purge(until=until, now=NOW, **given):
        found[kind] = found.get(kind, 0) + number
    return found


class TestWhen:
    def test_nothing_goes_a_day_too_early_and_all_goes_on_the_day(self) -> None:
        make_audited()
        assert purge_all(LAST_DAY - timedelta(days=1)) == {}
        assert left() == (1, 1, 1, 1)
        assert purge_all(LAST_DAY) == dict.fromkeys(OF_ONE, 1)
        assert left() == (0, 0, 0, 0)

    @pytest.mark.parametrize(
        ("day", "years", "later"),
        [(date(2024, 2, 29), 6, date(2030, 3, 1)), (date(2024, 2, 29), 4, date(2028, 2, 29)),
         (date(2025, 12, 31), 1, date(2026, 12, 31))],
    )  # fmt: skip
    def test_years_of_days_that_not_every_year_has(self, day: date, years: int, later: date) -> None:
        assert years_later(day, years) == later

    def test_both_ways_agree_on_every_day_of_four_years(self) -> None:
        first = date(2023, 1, 1)
        for offset in range(4 * 366):
            day = first + timedelta(days=offset)
            last = years_earlier(day, 6)
            assert years_later(last, 6) <= day < years_later(last + timedelta(days=1), 6)

    def test_the_years_run_from_the_newest_line_about_a_claim(self) -> None:
        mine = make_audited()
        corrected = NewEntry(
            EntryKind.CREDIT_CORRECTED, mine.doctor.pk, claim_id=mine.claim.pk, credits=Decimal("0.5"), reason="Counted"
        )
        append(chain=lock_chain(mine.claim.programme), entries=[corrected], now=AT + timedelta(days=400))
        assert purge_all(LAST_DAY) == {}
        assert purge_all(LAST_DAY + timedelta(days=399)) == {}
        assert left() == (1, 1, 1, 1)
        assert set(purge_all(LAST_DAY + timedelta(days=400))) == {*OF_ONE, Kind.REASON}

    def test_what_was_shown_is_kept_from_the_end_of_the_activity(self) -> None:
        mine = make_audited()
        mine.activity.ends_at = AT + timedelta(days=365)
        mine.activity.save()
        assert Kind.ACKNOWLEDGEMENT not in purge_all(LAST_DAY)
        assert purge_all(date(2023, 3, 5)) == {Kind.ACKNOWLEDGEMENT: 1}

    def test_the_longest_of_the_authorities_counts(self) -> None:
        """The certificate and evidence of a claim concern its own authority; what was shown concerns all of them."""
        mine = make_audited()
        AccreditationFactory.create(activity=mine.activity, authority="eaccme", version="2023")

        def years(authority: str) -> int:
            return {"accme": 6, "eaccme": 8, "india": 3, "attendance": 3}[authority]

        assert Kind.ACKNOWLEDGEMENT not in purge_all(LAST_DAY, years=years)
        assert left() == (0, 1, 0, 0)
        assert purge_all(date(2024, 3, 5), years=years) == {Kind.ACKNOWLEDGEMENT: 1}
        assert [(one.years, mine.activity.pk in one.activities) for one in groups(years=years)] == [
            (3, False), (6, False), (8, True)
        ]  # fmt: skip

    @pytest.mark.parametrize("kind", [CertificateKind.COURSE, CertificateKind.PROGRAMME])
    def test_certificates_of_a_course_and_programme_concern_all_authorities_in_it(self, kind: str) -> None:
        mine = make_audited(authority="attendance", version="1")
        other = make_audited(programme=mine.claim.programme)  # of the ACCME, in another course of the programme
        made: Certificate = Certificate.objects.create(
            kind=kind, programme=mine.claim.programme, user=mine.doctor,
            course=mine.activity.lesson.course if kind == CertificateKind.COURSE else None, public_id="OF-A-WHOLE",
            serial=99, number="RND-99", template=mine.certificate.template, facts={"name": "Dr Nair"},
            key_fingerprint="k" * 64, signature=b"s" * 64, issued_at=AT,
        )  # fmt: skip

        def years(authority: str) -> int:
            return {"accme": 8, "attendance": 2}.get(authority, 1)

        purge_all(date(2018, 3, 5), years=years)
        kept = {one.pk for one in Certificate.objects.exclude(facts={})}
        whole = {made.pk} if kind == CertificateKind.PROGRAMME else set()
        assert kept == {other.certificate.pk} | whole
        purge_all(date(2024, 3, 5), years=years)
        assert not Certificate.objects.exclude(facts={}).exists()

    def test_a_date_in_the_future_is_refused(self) -> None:
        make_audited()
        with pytest.raises(FutureError):
            plan(until=NOW.date() + timedelta(days=1), now=NOW)
        with pytest.raises(FutureError):
            purge_all(NOW.date() + timedelta(days=1))
        assert left() == (1, 1, 1, 1)


class TestTheDoor:
    """By the database's clock, whatever somebody says to it."""

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM certification_claimevidence",
            "DELETE FROM certification_acknowledgement",
            "DELETE FROM certification_certificatefile",
            "UPDATE certification_certificate SET facts = '{}'",
        ],
    )
    def test_sec_28_is_open_for_what_is_six_years_old_and_shut_for_all_else(self, statement: str) -> None:
        last = years_earlier(timezone.now().date(), 6)
        make_audited(at=datetime.combine(last, time(23), UTC))
        assert self.tried(statement) == ""
        days = 32 if "acknowledgement" in statement else 2  # it was made thirty days before
        young = make_audited(at=datetime.combine(last + timedelta(days=days), time(), UTC))
        assert "refused" in self.tried(statement)
        assert [one.entry_id for one in ClaimEvidence.objects.filter(entry=young.line)] == [young.line.pk]

    def tried(self, statement: str) -> str:
        """What the database answers, with the door open."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL certification.purge = 'on'")
                cursor.execute(statement)
                cursor.execute("SET LOCAL certification.purge = 'off'")
        except DatabaseError as refused:
            return str(refused)
        return ""

    def test_six_years_are_the_least_that_any_authority_wants(self) -> None:
        assert min(years_of(one) for one in AUTHORITIES) >= LEAST_YEARS
        with connection.cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'certification_may_leave'")
            assert f"'{LEAST_YEARS} years'" in cursor.fetchone()[0]


class TestWhat:
    def test_a_younger_record_of_the_same_kind_stays(self) -> None:
        make_audited()
        young = make_audited(at=AT + timedelta(days=30))
        append(
            chain=lock_chain(young.claim.programme),
            entries=[
                NewEntry(
                    EntryKind.CERTIFICATE_REVOKED, young.doctor.pk, certificate_id=young.certificate.pk, reason="x"
                )
            ],
            now=AT + timedelta(days=30),
        )
        purge_all(LAST_DAY)
        assert [one.pk for one in Certificate.objects.exclude(facts={})] == [young.certificate.pk]
        assert [one.user_id for one in Acknowledgement.objects.all()] == [young.doctor.pk]

    def test_the_ledger_stays_and_holds(self) -> None:
        mine = make_audited()
        before = list(LedgerEntry.objects.order_by("number").values())
        purge_all(LAST_DAY)
        after = list(LedgerEntry.objects.order_by("number").values())
        assert (after[:-1], after[-1]["kind"]) == (before, EntryKind.CERTIFICATE_PURGED)
        assert verify(programme_id=mine.claim.programme_id).flaw is None

    def test_the_file_leaves_the_storage(self) -> None:
        mine = make_audited()
        name = media_storage().save("certificates/of-a-test.pdf", ContentFile(b"%PDF"))
        CertificateFile.objects.filter(certificate=mine.certificate).update(stored_as=name)
        purge_all(LAST_DAY)
        assert not media_storage().exists(name)

    def test_no_worker_makes_a_file_again_that_goes(self) -> None:
        """They look every minute, and thousands of files take longer than that."""
        programme = issuing_programme()
        for _ in range(2):
            issue(of=claim_of(programme, at=AT), now=AT)
        assert make_missing(now=NOW) == 2
        names = list(CertificateFile.objects.values_list("stored_as", flat=True))
        for _step in islice(purge(until=LAST_DAY, now=NOW), 10):  # else it and they go on for ever
            make_missing(now=NOW)
        assert left() == (0, 0, 0, 0)
        assert [name for name in names if media_storage().exists(name)] == []

    def test_of_a_certificate_number_signature_and_address_stay(self) -> None:
        mine = make_audited()
        purge_all(LAST_DAY)
        found = Certificate.objects.get()
        assert (found.number, found.public_id, bytes(found.signature), found.facts) == (
            mine.certificate.number, mine.certificate.public_id, bytes(mine.certificate.signature), {}
        )  # fmt: skip

    def test_the_door_in_the_triggers_is_shut_again(self) -> None:
        make_audited()
        young = make_audited(at=AT + timedelta(days=30))
        purge_all(LAST_DAY)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Acknowledgement.objects.filter(user=young.doctor).delete()

    def test_a_kept_name_is_kept_as_long_as_the_authority_asks(self) -> None:
        mine = make_audited()
        other = grant(accreditation=mine.claim.accreditation, took_part_on=AT.date())
        claim = Claim.objects.get(entries=other)
        KeptName.objects.create(claim=claim, name="Dr Xanthippe Quillfeather", kept_at=AT)
        assert Kind.NAME not in purge_all(LAST_DAY - timedelta(days=1))
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            KeptName.objects.update(name="Dr Somebody Else")
        assert purge_all(LAST_DAY)[Kind.NAME] == 1
        assert not KeptName.objects.exists()

    def test_in_batches_that_go_on_where_they_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "BATCH", 2)
        programme = make_audited().claim.programme
        for _ in range(4):
            make_audited(programme=programme)
        steps = purge(until=LAST_DAY, now=NOW)
        assert next(steps) == (Kind.EVIDENCE, 2)
        steps.close()  # as if it was stopped here
        assert left()[0] == 3
        assert purge_all(LAST_DAY) == {
            Kind.EVIDENCE: 3, Kind.ACKNOWLEDGEMENT: 5, Kind.FILE: 5, Kind.FACTS: 5
        }  # fmt: skip
        kept = AuditEvent.objects.filter(action="records.purged").values_list("details__kind", "details__number")
        assert sum(number for kind, number in kept if kind == Kind.EVIDENCE) == 5

    def test_the_plan_tells_numbers_and_days(self) -> None:
        mine = make_audited()
        there = tuple(Line(kind, 6, 1, 0) for kind in OF_ONE)
        assert plan(until=LAST_DAY, now=NOW).lines == (*there, *(Line(kind, 6, 0, 1) for kind in STAY))
        early = plan(until=LAST_DAY - timedelta(days=1), now=NOW)
        assert early.lines == tuple(Line(kind, 6, 0, 1, LAST_DAY) for kind in (*OF_ONE, *STAY))
        assert early.for_ever == {"lines of the ledger": 2}
        assert plan(until=LAST_DAY, now=NOW, user=mine.doctor).lines == there


class TestCommand:
    """By the real clock: what was made in 2018 is due, what is of today is not."""

    def test_a_dry_run_removes_nothing_and_says_what_would_go(self, capsys: Any, monkeypatch: Any) -> None:
        old = datetime(2018, 5, 1, 12, 0, tzinfo=UTC)
        monkeypatch.setattr("tests.factories.certification.now", lambda: old)
        make_audited(at=old)
        call_command("purge_records", "--dry-run")
        told = capsys.readouterr().out
        assert "evidence of claims                        6          1          0" in told
        assert "Nothing was removed." in told
        assert left() == (1, 1, 1, 1)
        call_command("purge_records", "--until", "2024-04-30")
        assert "the first may go on 2024-05-01" in capsys.readouterr().out
        assert left() == (1, 1, 1, 1)
        call_command("purge_records")
        assert left() == (0, 0, 0, 0)

    def test_a_date_in_the_future_is_refused(self) -> None:
        with pytest.raises(CommandError, match="in the future"):
            call_command("purge_records", "--until", "2199-01-01")


class TestWhatPresentersDisclosed:
    ALL = (*OF_ONE, *STAY)

    def made(self, **given: Any) -> audited.Audited:
        """Closed when it ended."""
        mine = make_audited(**given)
        mine.activity.state, mine.activity.closed_at = ActivityState.CLOSED, mine.activity.ends_at
        mine.activity.save()
        return mine

    def test_goes_in_turn_when_all_that_rests_on_it_goes(self) -> None:
        self.made()
        assert purge_all(LAST_DAY - timedelta(days=1)) == {}
        assert [line for line in plan(until=LAST_DAY, now=NOW).lines if line.kind in STAY] == [
            Line(kind, 6, 1, 0) for kind in STAY
        ]
        assert purge_all(LAST_DAY) == dict.fromkeys(self.ALL, 1)
        for model in (DisclosureSheet, Disclosure, DisclosureReview, Discloser, Contributor):
            assert not model.objects.exists()

    def test_stays_while_the_activity_is_open(self) -> None:
        make_audited()
        assert purge_all(LAST_DAY) == dict.fromkeys(OF_ONE, 1)
        assert purge_all(NOW.date()) == {}

    def test_stays_while_somebody_s_reading_is_kept(self) -> None:
        """A correction later on keeps what the doctor read, and with it the wording and the statement."""
        mine = self.made()
        entry = NewEntry(
            EntryKind.CREDIT_CORRECTED, mine.doctor.pk, claim_id=mine.claim.pk, credits=Decimal("0.5"), reason="x"
        )
        append(chain=lock_chain(mine.claim.programme), entries=[entry], now=AT + timedelta(days=400))
        assert purge_all(LAST_DAY) == {}
        assert set(purge_all(LAST_DAY + timedelta(days=400))) == {*self.ALL, Kind.REASON}

    def test_of_who_teaches_on_statement_and_name_stay(self) -> None:
        mine = self.made()
        person = Discloser.objects.get()
        other = ActivityFactory.create(lesson__course=mine.activity.lesson.course)
        row = Contributor.objects.create(activity=other, person=person)
        assert set(purge_all(LAST_DAY)) == {*OF_ONE, Kind.SHEET}
        row.left_at = NOW
        row.save()
        assert purge_all(NOW.date()) == {}
        assert Disclosure.objects.get().person == person

    def test_years_run_from_the_last_activity(self) -> None:
        mine = self.made()
        later = self.made(programme=mine.claim.programme, at=AT + timedelta(days=200))
        Contributor.objects.filter(activity=later.activity).update(person=Discloser.objects.earliest("pk"))
        gone = purge_all(LAST_DAY)
        assert (gone[Kind.SHEET], Kind.STATEMENT in gone, Kind.DISCLOSER in gone) == (1, False, False)
        gone = purge_all(LAST_DAY + timedelta(days=200))
        assert (gone[Kind.SHEET], gone[Kind.STATEMENT]) == (1, 2)

    def test_a_record_of_what_was_removed_stays_and_names_nobody(self) -> None:
        self.made()
        purge_all(LAST_DAY)
        told = AuditEvent.objects.filter(action="records.purged").values_list("details__kind", flat=True)
        assert set(told) == set(self.ALL)
        assert "Dr Chair" not in str(list(AuditEvent.objects.values_list("details", flat=True)))

    @pytest.mark.parametrize("table", ["disclosuresheet", "disclosurereview", "disclosure"])
    def test_sec_28_the_door_is_open_for_what_is_old_and_closed_only(self, table: str) -> None:
        statement = f"DELETE FROM certification_{table}"
        mine = self.made()
        assert self.tried(statement) == ""
        mine.activity.state = ActivityState.OPEN
        mine.activity.save()
        assert "refused" in self.tried(statement)

    def tried(self, statement: str) -> str:
        """What the database answers, with the door open. Nothing is really removed."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL certification.purge = 'on'")
                cursor.execute(statement)
                transaction.set_rollback(True)
        except DatabaseError as refused:
            return str(refused)
        return ""
