"""Claims: what may be taken, once, whoever asks at the same moment; and what later lines change."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from certification.authorities import pack
from certification.authorities.base import Decision
from certification.authorities.stored import evidence_from, terms_from
from certification.domain.chain import verify
from certification.domain.claiming import (
    AmountError,
    NoPlaceError,
    NotGrantedError,
    NothingToRevokeError,
    NotOpenError,
    ReasonMissingError,
    Taken,
    amounts,
    claim,
    correct_claim,
    credits_of,
    digest_of,
    revoke_claim,
)
from certification.domain.evaluating import evaluate_accreditation, evaluate_person
from certification.domain.granting import grant_credits, grant_for
from certification.enums import ActivityState, EntryKind
from certification.models import Accreditation, Activity, Chain, Claim, ClaimEvidence, LedgerEntry
from certification.tasks import close_settled as close_task
from certification.tasks import grant_all_credits
from certification.tasks import grant_credits as grant_sweep
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.certification import grant as grant_directly
from tests.factories.deeds import (
    accredit,
    doctor_of,
    evaluated,
    feedback_form,
    make_enduring,
    make_live,
    passed,
    watch,
)
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NINE + timedelta(hours=3)
MAHARASHTRA = {"medical_council": "Maharashtra Medical Council"}


def earned(*, minutes: float = 60, **settings: Any) -> tuple[Accreditation, User]:
    live = make_live(starts_at=NINE)
    user = doctor_of(live)
    watch(live, user, minutes=minutes)
    return accredit(live, **settings), user


class TestClaiming:
    def test_writes_claim_line_and_evidence_as_one(self) -> None:
        accreditation, user = earned(minutes=47)
        taken = claim(accreditation=accreditation, user=user, asked=Decimal("0.75"), now=LATER)
        assert (taken.is_new, taken.credits, taken.claim.took_part_on) == (True, Decimal("0.75"), NINE.date())
        line = LedgerEntry.objects.get()
        assert (line.kind, line.credits, line.claim, line.user, line.actor, line.entered_at) == (
            EntryKind.CREDIT_GRANTED,
            Decimal("0.75"),
            taken.claim,
            user,
            user,
            LATER,
        )
        kept = ClaimEvidence.objects.get()
        assert kept.entry == line
        assert line.details == {
            "authority": "accme",
            "council": "",
            "version": "2022",
            "accreditation": accreditation.pk,
            "activity": accreditation.activity_id,
            "lesson": accreditation.activity.lesson_id,
            "format": "live",
            "took_part_on": "2026-11-20",
            "computed": "0.75",
            "evidence": digest_of(kept.evidence),
            "decision": digest_of(kept.decision),
            "steps": kept.decision["steps"],
        }
        assert kept.decision["steps"][0] == ["watched_live", {"watched": 47, "whole": 60}]
        assert verify(programme_id=taken.claim.programme_id).flaw is None

    def test_what_is_kept_gives_the_same_decision_again(self) -> None:
        accreditation, user = earned(minutes=47)
        claim(accreditation=accreditation, user=user, now=LATER)
        kept = ClaimEvidence.objects.get()
        rules = pack("accme", version=LedgerEntry.objects.get().details["version"])
        again = rules.evaluate(evidence_from(kept.evidence["evidence"]), terms_from(kept.evidence["terms"]))
        assert again == Decision.from_data(kept.decision)

    def test_a_second_time_gives_the_same_claim_whatever_is_asked(self) -> None:
        accreditation, user = earned()
        first = claim(accreditation=accreditation, user=user, asked=Decimal("0.50"), now=LATER)
        again = claim(accreditation=accreditation, user=user, asked=Decimal(1), now=LATER)
        assert (again.claim, again.credits, again.is_new) == (first.claim, Decimal("0.50"), False)
        assert LedgerEntry.objects.count() == 1

    def test_the_doctor_may_take_less_where_doctors_claim(self) -> None:
        accreditation, user = earned(minutes=47)
        (found,) = evaluate_person(user=user, accreditations=[accreditation], now=LATER)
        assert amounts(evaluated=found) == (Decimal("0.75"), Decimal("0.50"), Decimal("0.25"))

    def test_and_takes_all_of_it_elsewhere(self) -> None:
        accreditation, user = earned(authority="eaccme")
        feedback_form(accreditation.activity)
        evaluated(accreditation.activity, user, at=NINE)
        (found,) = evaluate_person(user=user, accreditations=[accreditation], now=LATER)
        assert amounts(evaluated=found) == (Decimal(1),)
        with pytest.raises(AmountError):
            claim(accreditation=accreditation, user=user, asked=Decimal("0.5"), now=LATER)

    @pytest.mark.parametrize("asked", ["0", "0.1", "-0.25", "1.00", "0.80", "NaN"])
    def test_no_other_amount_can_be_taken(self, asked: str) -> None:
        accreditation, user = earned(minutes=47)
        with pytest.raises(AmountError):
            claim(accreditation=accreditation, user=user, asked=Decimal(asked), now=LATER)
        assert not Claim.objects.exists()

    def test_attendance_is_granted_without_a_figure(self) -> None:
        accreditation, user = earned(authority="attendance", credits=Decimal(0), parameters={})
        taken = claim(accreditation=accreditation, user=user, now=LATER)
        assert (taken.credits, LedgerEntry.objects.get().credits) == (0, 0)

    def test_what_is_missing_is_said_and_nothing_is_written(self) -> None:
        accreditation, user = earned(parameters={"needs_acknowledgement": False})
        with pytest.raises(NotGrantedError) as refused:
            claim(accreditation=accreditation, user=user, now=LATER)
        assert refused.value.decision.missing == ("evaluate",)
        assert not Chain.objects.exists()

    def test_failed_first_and_passed_then(self) -> None:
        recording = make_enduring(starts_at=NINE)
        accreditation, user = accredit(recording), doctor_of(recording)
        watch(recording, user)
        attempt = passed(recording, user, points="6.9", at=NINE)
        with pytest.raises(NotGrantedError) as refused:
            claim(accreditation=accreditation, user=user, now=LATER)
        assert refused.value.decision.missing == ("pass",)
        attempt.score = Decimal(7)
        attempt.save()
        assert claim(accreditation=accreditation, user=user, now=LATER).credits == 1

    def test_a_closed_activity_grants_nothing_new(self) -> None:
        accreditation, user = earned()
        Activity.objects.update(state=ActivityState.CLOSED, closed_at=LATER)
        with pytest.raises(NotOpenError):
            claim(accreditation=accreditation, user=user, now=LATER)

    @pytest.mark.parametrize("status", [EnrolmentStatus.WITHDRAWN, EnrolmentStatus.SUSPENDED, None])
    def test_nor_to_who_has_no_place_in_the_programme(self, status: str | None) -> None:
        accreditation, user = earned()
        Enrolment.objects.update(status=status) if status else Enrolment.objects.all().delete()
        with pytest.raises(NoPlaceError):
            claim(accreditation=accreditation, user=user, now=LATER)

    def test_live_and_recording_exclude_each_other(self) -> None:
        live = make_live(starts_at=NINE)
        recording = make_enduring(starts_at=NINE, lesson=live.lesson)
        user = doctor_of(live)
        watch(live, user)
        watch(recording, user)
        passed(recording, user, at=NINE)
        first = claim(accreditation=accredit(live), user=user, asked=Decimal("0.50"), now=LATER)
        second = claim(accreditation=accredit(recording), user=user, now=LATER)
        assert (second.claim, second.credits, second.is_new) == (first.claim, Decimal("0.50"), False)

    def test_a_cap_counts_what_another_programme_granted(self) -> None:
        accreditation, user = earned(authority="eaccme")
        feedback_form(accreditation.activity)
        evaluated(accreditation.activity, user, at=NINE)
        elsewhere = accredit(make_live(starts_at=NINE), authority="eaccme")
        grant_directly(credit="7.50", accreditation=elsewhere, user=user, took_part_on=NINE.date())
        taken = claim(accreditation=accreditation, user=user, now=LATER)
        assert taken.credits == Decimal("0.5")
        assert ["cap_day", {"most": "8", "used": "7.5", "left": "0.5"}] in LedgerEntry.objects.get(
            claim=taken.claim
        ).details["steps"]


class TestChanging:
    @pytest.fixture
    def granted(self) -> Taken:
        accreditation, user = earned()
        return claim(accreditation=accreditation, user=user, now=LATER)

    @pytest.fixture
    def office(self) -> User:
        made: User = UserFactory.create()
        return made

    def test_a_correction_is_a_new_line(self, granted: Taken, office: User) -> None:
        line = correct_claim(
            claim_id=granted.claim.pk, credit=Decimal("0.50"), reason="Left early", actor=office, now=LATER
        )
        assert (line.number, line.kind, line.credits, line.why, line.actor) == (
            2,
            EntryKind.CREDIT_CORRECTED,
            Decimal("0.50"),
            "Left early",
            office,
        )
        assert credits_of([granted.claim.pk]) == {granted.claim.pk: Decimal("0.50")}
        event = AuditEvent.objects.get(action="credit.corrected")
        assert (event.actor, event.subject_id) == (office, str(granted.claim.pk))
        assert event.details == {"before": "1", "credits": "0.5", "line": 2}

    def test_revoked_is_nothing_and_cannot_be_taken_anew(self, granted: Taken, office: User) -> None:
        revoke_claim(claim_id=granted.claim.pk, reason="Not there", actor=office, now=LATER)
        again = claim(accreditation=granted.claim.accreditation, user=granted.claim.user, now=LATER)
        assert (again.claim, again.credits) == (granted.claim, 0)
        with pytest.raises(NothingToRevokeError):
            revoke_claim(claim_id=granted.claim.pk, reason="Again", actor=office, now=LATER)
        assert AuditEvent.objects.filter(action="credit.revoked").count() == 1
        assert verify(programme_id=granted.claim.programme_id).flaw is None

    def test_what_was_revoked_by_mistake_is_given_back_by_a_correction(self, granted: Taken, office: User) -> None:
        revoke_claim(claim_id=granted.claim.pk, reason="Not there", actor=office, now=LATER)
        correct_claim(claim_id=granted.claim.pk, credit=Decimal(1), reason="She was", actor=office, now=LATER)
        assert credits_of([granted.claim.pk]) == {granted.claim.pk: 1}

    @pytest.mark.parametrize("credit", ["1.25", "-0.25", "0.1", "1.00"])
    def test_only_another_step_within_what_was_designated(self, granted: Taken, office: User, credit: str) -> None:
        with pytest.raises(AmountError):
            correct_claim(claim_id=granted.claim.pk, credit=Decimal(credit), reason="So", actor=office, now=LATER)
        assert LedgerEntry.objects.count() == 1

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_not_without_a_reason(self, granted: Taken, office: User, reason: str) -> None:
        with pytest.raises(ReasonMissingError):
            revoke_claim(claim_id=granted.claim.pk, reason=reason, actor=office, now=LATER)
        assert not AuditEvent.objects.exists()


class TestGranting:
    def make(self, *, minutes: float = 60, **settings: Any) -> tuple[Accreditation, User]:
        given = {"authority": "india", "council": "maharashtra", "parameters": {}} | settings
        live = make_live(starts_at=NINE)
        user = doctor_of(live, registration_number="1", **MAHARASHTRA)
        watch(live, user, minutes=minutes)
        return accredit(live, **given), user

    def test_those_who_earned_it_have_it_and_a_second_sweep_finds_nobody(self) -> None:
        accreditation, user = self.make()
        watch(accreditation.activity, doctor_of(accreditation.activity, **MAHARASHTRA))  # without a number
        for council in ("", "MMC", "Delhi Medical Council"):  # not of this council, or not known to be
            watch(
                accreditation.activity,
                doctor_of(accreditation.activity, registration_number="2", medical_council=council),
            )
        assert grant_credits(now=LATER) == 1
        assert [(one.user, one.accreditation) for one in Claim.objects.all()] == [(user, accreditation)]
        assert grant_credits(now=LATER) == 0
        assert LedgerEntry.objects.get().actor is None

    def test_what_doctors_claim_themselves_waits_for_them(self) -> None:
        earned()
        assert grant_credits(now=LATER, everybody=True) == 0

    def test_staff_who_looked_at_it_get_nothing(self) -> None:
        _, user = self.make()
        Enrolment.objects.filter(user=user).delete()
        assert grant_credits(now=LATER, everybody=True) == 0

    def test_part_of_the_credit_waits_until_the_webinar_is_over(self) -> None:
        self.make(minutes=45, parameters={"counting": "share"})
        Webinar.objects.update(ended_at=None)
        during = NINE + timedelta(minutes=46)
        assert grant_credits(now=during) == 0
        Webinar.objects.update(ended_at=NINE + timedelta(hours=1))
        assert grant_credits(now=NINE + timedelta(hours=1, minutes=59)) == 0  # beats that are late
        assert grant_credits(now=NINE + timedelta(hours=2)) == 1

    def test_all_of_it_does_not_wait(self) -> None:
        self.make()
        Webinar.objects.update(ended_at=None)
        assert grant_credits(now=NINE + timedelta(minutes=61)) == 1

    def test_between_sweeps_only_those_who_did_something_lately(self) -> None:
        accreditation, _user = self.make()
        much_later = NINE + timedelta(days=3)
        assert grant_for(accreditation=accreditation, now=much_later, since=much_later - timedelta(hours=2)) == 0
        assert grant_credits(now=much_later, everybody=True) == 1

    def test_feedback_given_lately_is_something(self) -> None:
        accreditation, user = self.make(authority="eaccme", council="", parameters={"needs_acknowledgement": False})
        feedback_form(accreditation.activity)
        later = NINE + timedelta(days=3)
        assert grant_credits(now=later, everybody=True) == 0
        evaluated(accreditation.activity, user, at=later)
        assert grant_credits(now=later) == 1

    def test_weeks_after_the_end_nobody_looks_any_more(self) -> None:
        self.make()
        assert grant_credits(now=NINE + timedelta(weeks=9), everybody=True) == 0

    def test_a_draft_and_a_closed_activity_grant_nothing(self) -> None:
        self.make()
        Activity.objects.update(state=ActivityState.CLOSED, closed_at=LATER)
        assert grant_credits(now=LATER, everybody=True) == 0

    def test_a_recording_that_was_watched_in_part_waits_a_week_without_watching(self) -> None:
        recording = make_enduring(starts_at=NINE)
        user = doctor_of(recording)
        accredit(recording, authority="eaccme")
        feedback_form(recording)
        evaluated(recording, user, at=NINE)
        passed(recording, user, at=NINE)
        watch(recording, user, minutes=40)
        assert grant_credits(now=NINE + timedelta(days=6), everybody=True) == 0
        assert grant_credits(now=NINE + timedelta(days=7), everybody=True) == 1

    def test_batches_follow_each_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("certification.domain.granting.BATCH", 2)
        accreditation, _ = self.make()
        for number in range(4):
            user = doctor_of(accreditation.activity, registration_number=str(number), **MAHARASHTRA)
            watch(accreditation.activity, user)
        assert grant_credits(now=LATER) == 5
        assert verify(programme_id=accreditation.activity.lesson.course.programme_id).length == 5

    @pytest.mark.parametrize("people", [1, 3])
    def test_the_number_of_queries_does_not_grow_with_people(self, people: int, django_assert_num_queries: Any) -> None:
        accreditation, _ = self.make()
        for number in range(people - 1):
            watch(
                accreditation.activity,
                doctor_of(accreditation.activity, registration_number=str(number), **MAHARASHTRA),
            )
        found = Accreditation.objects.select_related("activity__lesson__course__programme").get()
        with django_assert_num_queries(31):
            assert grant_for(accreditation=found, now=LATER, since=None) == people

    def test_everybody_of_an_accreditation_is_evaluated(self) -> None:
        accreditation, user = self.make()
        other = doctor_of(accreditation.activity)
        watch(accreditation.activity, other, minutes=10)
        doctor_of(accreditation.activity)  # has watched nothing
        found = {
            one.user_id: one.decision.is_granted
            for one in evaluate_accreditation(accreditation=accreditation, now=LATER)
        }
        assert found == {user.pk: True, other.pk: False}


class TestACrash:
    """A real refusal of the database in the middle: nothing of it stays, and the next try is whole."""

    @pytest.fixture(
        params=[
            "certification_claim",
            "certification_ledgerentry",
            "certification_claimevidence",
            "certification_chain",
        ]
    )
    def broken(self, request: pytest.FixtureRequest) -> Callable[[], None]:
        table = request.param
        when = "UPDATE" if table == "certification_chain" else "INSERT"
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION break_down() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = 'disk_full'; END $$"
            )
            cursor.execute(f"CREATE TRIGGER a_break AFTER {when} ON {table} EXECUTE FUNCTION break_down()")

        def mend() -> None:
            with connection.cursor() as cursor:
                cursor.execute("DROP FUNCTION IF EXISTS break_down CASCADE")

        return mend

    def test_leaves_nothing_half_written(self, broken: Callable[[], None]) -> None:
        accreditation, user = earned()
        with pytest.raises(DatabaseError, match="disk full"):
            claim(accreditation=accreditation, user=user, now=LATER)
        assert [model.objects.count() for model in (Claim, LedgerEntry, ClaimEvidence, Chain)] == [0, 0, 0, 0]
        broken()
        assert claim(accreditation=accreditation, user=user, now=LATER).is_new
        assert [model.objects.count() for model in (Claim, LedgerEntry, ClaimEvidence, Chain)] == [1, 1, 1, 1]
        assert LedgerEntry.objects.get().number == 1


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """Each on a connection of its own."""
    start, found, failed = threading.Barrier(len(work)), [], []

    def run(one: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=30)
            found.append(one())
        except Exception as error:  # noqa: BLE001  # told below
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []
    return found


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_eight_tabs_make_one_claim(self) -> None:
        accreditation, user = earned()
        found = at_once(*[lambda: claim(accreditation=accreditation, user=user, now=LATER)] * 8)
        assert len({taken.claim.pk for taken in found}) == 1
        assert sorted(taken.is_new for taken in found) == [False] * 7 + [True]
        assert verify(programme_id=accreditation.activity.lesson.course.programme_id).length == 1

    def test_live_and_recording_and_the_sweep_make_one(self) -> None:
        live = make_live(starts_at=NINE)
        recording = make_enduring(starts_at=NINE, lesson=live.lesson)
        user = doctor_of(live, registration_number="7", **MAHARASHTRA)
        watch(live, user)
        watch(recording, user)
        given = {"authority": "india", "council": "maharashtra", "parameters": {}}
        one, other = accredit(live, **given), accredit(recording, **given)
        at_once(
            lambda: claim(accreditation=one, user=user, now=LATER),
            lambda: claim(accreditation=other, user=user, now=LATER),
            lambda: grant_credits(now=LATER, everybody=True),
            lambda: grant_credits(now=LATER, everybody=True),
        )
        assert Claim.objects.count() == 1
        assert [line.kind for line in LedgerEntry.objects.all()] == [EntryKind.CREDIT_GRANTED]

    def test_two_programmes_do_not_pass_a_cap_together(self) -> None:
        """Eight a day; seven and a half are there, and one comes from each of two programmes at the same moment."""
        user = UserFactory.create()
        both = []
        for _ in range(2):
            live = make_live(starts_at=NINE)
            Enrolment.objects.create(
                user=user, programme=live.lesson.course.programme, status=EnrolmentStatus.ACTIVE, enrolled_at=NINE
            )
            watch(live, user)
            feedback_form(live)
            evaluated(live, user, at=NINE)
            both.append(accredit(live, authority="eaccme"))
        before = accredit(make_live(starts_at=NINE), authority="eaccme")
        with transaction.atomic():
            grant_directly(credit="7.50", accreditation=before, user=user, took_part_on=NINE.date())

        def take(accreditation: Accreditation) -> Decimal:
            try:
                return claim(accreditation=accreditation, user=user, now=LATER).credits
            except NotGrantedError:
                return Decimal(0)

        found = at_once(*[lambda one=one: take(one) for one in both])
        assert sorted(found) == [Decimal(0), Decimal("0.5")]
        assert sum(credits_of(Claim.objects.values_list("pk", flat=True)).values()) == 8


def test_settings_that_cannot_be_used_stop_nobody_else() -> None:
    accreditation, user = earned(authority="attendance", parameters={})
    broken = accredit(accreditation.activity, authority="eaccme", parameters={"nonsense": 1})
    found = evaluate_person(user=user, accreditations=[broken, accreditation], now=LATER)
    assert [one.accreditation for one in found] == [accreditation]
    assert grant_credits(now=LATER) == 1


def test_beat_sends_both_sweeps() -> None:
    """Under the names that it sends."""
    assert close_task() == 0
    TestGranting().make()
    Activity.objects.update(ends_at=timezone.now())  # it works by the clock
    assert (grant_all_credits(), grant_all_credits(), grant_sweep()) == (1, 0, 0)
    sent = {(one["task"], one["schedule"]) for one in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {(grant_sweep.name, 300.0), (grant_all_credits.name, 86_400.0), (close_task.name, 3_600.0)} <= sent
