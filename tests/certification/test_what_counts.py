"""What counts and what does not: what came after the end, one event in several webinars, a copy of a webinar."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent, User
from certification.domain.claiming import NotGrantedError, NotOpenError, claim, revoke_claim
from certification.domain.closing import close_settled
from certification.domain.evaluating import evaluate_person
from certification.domain.granting import grant_credits
from certification.domain.overview import State, row_of, rows_of
from certification.enums import ActivityState
from certification.models import Accreditation, Activity, Claim, ClaimEvidence, LedgerEntry
from courses.enums import EnrolmentStatus
from courses.models import Enrolment, Programme
from tests.certification.test_claiming import at_once, earned
from tests.factories.accounts import UserFactory
from tests.factories.certification import ClaimFactory
from tests.factories.deeds import accredit, doctor_of, make_enduring, make_live, passed, watch

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NINE + timedelta(hours=3)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class TestTheEnd:
    def test_a_test_after_the_end_gives_nothing(self) -> None:
        """Watched a day before the recording ended, passed more than a year later."""
        recording = make_enduring(starts_at=NINE, days=41)  # until 31 December
        accreditation, user = accredit(recording), doctor_of(recording)
        watch(recording, user, at=datetime(2026, 12, 30, 9, tzinfo=UTC))
        passed(recording, user, at=datetime(2028, 3, 15, 9, tzinfo=UTC))
        with pytest.raises(NotGrantedError) as refused:
            claim(accreditation=accreditation, user=user, now=datetime(2027, 1, 10, tzinfo=UTC))
        assert [one.code for one in refused.value.decision.reasons] == ["tested_late"]
        with pytest.raises(NotOpenError):
            claim(accreditation=accreditation, user=user, now=datetime(2028, 3, 15, 10, tzinfo=UTC))

    def test_nobody_is_sent_to_a_test_that_does_not_count_any_more(self) -> None:
        recording = make_enduring(starts_at=NINE, days=41)
        accreditation, user = accredit(recording), doctor_of(recording)
        watch(recording, user)
        assert recording.ends_at
        for at, missing in ((recording.ends_at - timedelta(hours=1), ("pass",)), (recording.ends_at + DAY, ())):
            (found,) = evaluate_person(user=user, accreditations=[accreditation], now=at)
            assert found.decision.missing == missing

    @pytest.mark.parametrize(("minutes", "expected"), [(-31, date(2026, 12, 31)), (-29, date(2027, 1, 1))])
    def test_watched_in_one_year_and_passed_in_the_next(self, minutes: int, expected: date) -> None:
        """On both sides of midnight in Kolkata, five and a half hours before that in UTC."""
        recording = make_enduring(starts_at=NINE)
        Programme.objects.update(timezone="Asia/Kolkata")
        recording.lesson.course.programme.refresh_from_db()
        accreditation, user = accredit(recording), doctor_of(recording)
        watch(recording, user, at=datetime(2026, 12, 30, 9, tzinfo=UTC))
        passed(recording, user, at=datetime(2026, 12, 31, 19, 0, tzinfo=UTC) + timedelta(minutes=minutes))
        taken = claim(accreditation=accreditation, user=user, now=datetime(2027, 1, 10, tzinfo=UTC))
        assert taken.claim.took_part_on == expected
        line = LedgerEntry.objects.get()
        assert line.details["took_part_on"] == expected.isoformat()
        kept = ClaimEvidence.objects.get().evidence["evidence"]
        assert (kept["took_part_on"], kept["tested_on"]) == ("2026-12-30", expected.isoformat())

    def test_eight_weeks_after_the_end_it_closes_by_itself(self) -> None:
        accreditation, user = earned()
        assert accreditation.activity.ends_at
        over = accreditation.activity.ends_at + timedelta(weeks=8)
        with pytest.raises(NotOpenError):
            claim(accreditation=accreditation, user=user, now=over)
        other = make_live(starts_at=NINE + HOUR)
        assert close_settled(now=over - timedelta(seconds=1)) == 0
        assert close_settled(now=over) == 1
        assert close_settled(now=over) == 0
        found = Activity.objects.get(pk=accreditation.activity_id)
        assert (found.state, found.closed_at) == (ActivityState.CLOSED, over)
        assert Activity.objects.get(pk=other.pk).state == ActivityState.OPEN
        event = AuditEvent.objects.get(action="activity.closed")
        assert (event.actor, event.subject_id) == (None, str(found.pk))

    def test_until_then_it_can_be_taken(self) -> None:
        accreditation, user = earned()
        at = NINE + HOUR + timedelta(weeks=8, seconds=-1)
        assert claim(accreditation=accreditation, user=user, now=at).is_new


class TestOneEvent:
    """Maharashtra gives at most four hours for an event, however many webinars it has."""

    def webinar(self, user: User | None, event: str, *, on: int, like: Accreditation | None = None) -> Accreditation:
        """`like`: in the same course."""
        course = like.activity.lesson.course if like else None
        live = make_live(starts_at=NINE + on * DAY, minutes=150, course=course)
        given = {"authority": "india", "council": "maharashtra", "parameters": {}, "credits": Decimal("2.5")}
        if user is not None:
            watch(live, user, minutes=150)
        return accredit(live, event=event, **given)

    def doctor(self, accreditation: Accreditation) -> User:
        return doctor_of(accreditation.activity, registration_number="1", medical_council="Maharashtra Medical Council")

    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            (["Congress 2026", " congress  2026"], ["2.5", "1.5"]),
            (["Congress 2026", "Another"], ["2.5", "2.5"]),
            (["Congress 2026", ""], ["2.5", "2.5"]),
            (["", ""], ["2.5", "2.5"]),
        ],
    )
    def test_counts_as_one_however_many_webinars_it_has(self, events: list[str], expected: list[str]) -> None:
        first = self.webinar(None, events[0], on=0)
        user = self.doctor(first)
        watch(first.activity, user, minutes=150)
        second = self.webinar(user, events[1], on=1, like=first)
        later = NINE + 2 * DAY
        taken = [claim(accreditation=one, user=user, now=later).credits for one in (first, second)]
        assert taken == [Decimal(one) for one in expected]

    def test_and_when_it_is_used_up_the_reason_is_said(self) -> None:
        first = self.webinar(None, "Congress", on=0)
        user = self.doctor(first)
        watch(first.activity, user, minutes=150)
        rest = [self.webinar(user, "Congress", on=on, like=first) for on in (1, 2)]
        for one in (first, rest[0]):
            claim(accreditation=one, user=user, now=NINE + 3 * DAY)
        with pytest.raises(NotGrantedError) as refused:
            claim(accreditation=rest[1], user=user, now=NINE + 3 * DAY)
        assert [one.code for one in refused.value.decision.reasons] == ["cap_event"]

    def test_the_same_word_in_another_programme_is_another_event(self) -> None:
        first = self.webinar(None, "Annual congress", on=0)
        user = self.doctor(first)
        watch(first.activity, user, minutes=150)
        second = self.webinar(user, "Annual congress", on=1)
        Enrolment.objects.create(
            user=user,
            programme=second.activity.lesson.course.programme,
            status=EnrolmentStatus.ACTIVE,
            enrolled_at=NINE,
        )
        taken = [claim(accreditation=one, user=user, now=NINE + 2 * DAY).credits for one in (first, second)]
        assert taken == [Decimal("2.5"), Decimal("2.5")]


class TestCopies:
    """Close it and accredit a copy: that is what the office is told to do for other terms."""

    def both(self, user: User | None = None, **settings: Any) -> tuple[Accreditation, Accreditation, User]:
        first = make_live(starts_at=NINE)
        copy = make_live(starts_at=NINE + DAY, course=first.lesson.course, same_as=first.lesson)
        user = user or doctor_of(first)
        watch(first, user)
        watch(copy, user)
        return accredit(first, **settings), accredit(copy, **settings), user

    @pytest.mark.parametrize("turned", [False, True])
    def test_credit_of_one_is_credit_of_all(self, turned: bool) -> None:
        *pair, user = self.both()
        first, second = reversed(pair) if turned else pair
        taken = claim(accreditation=first, user=user, asked=Decimal("0.50"), now=LATER + DAY)
        (found,) = evaluate_person(user=user, accreditations=[second], now=LATER + DAY)
        assert [one.code for one in found.decision.reasons] == ["copy"]
        assert (found.evidence.copy_credit, found.evidence.granted) == (Decimal("0.50"), ())
        again = claim(accreditation=second, user=user, now=LATER + DAY)
        assert (again.claim, again.is_new, Claim.objects.count()) == (taken.claim, False, 1)
        rows = rows_of(user=user, now=LATER + DAY)
        assert [(row.accreditation, row.state) for row in rows] == [(first, State.GRANTED)]
        row = row_of(user=user, accreditation=second, now=LATER + DAY)
        assert row is not None
        assert row.claim == taken.claim

    def test_what_was_revoked_is_not_had_by_a_copy(self) -> None:
        first, second, user = self.both()
        taken = claim(accreditation=first, user=user, now=LATER + DAY)
        revoke_claim(claim_id=taken.claim.pk, reason="Not there", actor=UserFactory.create(), now=LATER + DAY)
        again = claim(accreditation=second, user=user, now=LATER + DAY)
        assert (again.claim, again.credits, Claim.objects.count()) == (taken.claim, 0, 1)

    def test_the_sweep_gives_it_once(self) -> None:
        self.both(authority="attendance", credits=Decimal(0), parameters={})
        assert grant_credits(now=LATER + DAY, everybody=True) == 1
        assert grant_credits(now=LATER + DAY, everybody=True) == 0

    @pytest.mark.parametrize("turned", [False, True])
    def test_the_database_refuses_a_second_one(self, turned: bool) -> None:
        *pair, user = self.both()
        first, second = reversed(pair) if turned else pair
        for one in (first, second):
            made = ClaimFactory.build(
                accreditation=one, user=user, copy_of=one.activity.same_as, lesson=one.activity.lesson,
                programme=one.activity.lesson.course.programme,
            )  # fmt: skip
            if one is second:
                with pytest.raises(IntegrityError, match="once_of_copies"), transaction.atomic():
                    made.save()
            else:
                made.save()
        assert Claim.objects.get().accreditation == first

    def test_another_webinar_is_no_copy(self) -> None:
        first, second, user = self.both()
        Activity.objects.update(same_as=None)
        for one in (first, second):
            one.activity.refresh_from_db()
            assert claim(accreditation=one, user=user, now=LATER + DAY).is_new

    @pytest.mark.django_db(transaction=True)
    def test_a_webinar_and_its_copy_in_another_programme_make_one(self) -> None:
        first = make_live(starts_at=NINE)
        copy = make_live(starts_at=NINE, same_as=first.lesson)
        user = doctor_of(first)
        Enrolment.objects.create(
            user=user, programme=copy.lesson.course.programme, status=EnrolmentStatus.ACTIVE, enrolled_at=NINE
        )
        for one in (first, copy):
            watch(one, user)
        both = [accredit(first), accredit(copy)]
        found = at_once(*[lambda one=one: claim(accreditation=one, user=user, now=LATER) for one in both])
        assert sorted(taken.is_new for taken in found) == [False, True]
        assert Claim.objects.count() == 1
