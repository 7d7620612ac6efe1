"""Whose a number is ends with the number, and of two at once one wins."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils.timezone import now

from accounts.domain.people import change_by_staff, update_profile
from accounts.models import AuditEvent, User
from courses.domain.invitations import import_people
from reminders.domain import phone_codes, preferences
from reminders.domain.retention import tidy
from reminders.models import ConsentRecord, PhoneCode
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory
from tests.meanwhile import in_between
from tests.reminders.person.phones import (
    NUMBER,
    OTHER,
    all_ways,
    arrived,
    code_in,
    deliver,
    fresh,
    proved,
    wrong,
)
from tests.signing_in import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_ways")]
__all__ = ["all_ways"]


@pytest.fixture
def doctor() -> User:
    made: User = UserFactory.create()
    return made


@pytest.fixture
def browser(doctor: User) -> Client:
    return signed_in(doctor)


class TestWhoChangesTheNumber:
    def test_a_change_by_the_person_ends_the_proof(self, doctor: User) -> None:
        proved(doctor)
        update_profile(user=doctor, values={"phone": OTHER}, now=now())
        assert (doctor.phone_proved_at, fresh(doctor).phone_proved_at) == (None, None)
        assert AuditEvent.objects.filter(action="phone.changed", subject_id=str(doctor.pk)).count() == 1

    def test_other_changes_leave_it(self, doctor: User) -> None:
        before = proved(doctor).phone_proved_at
        update_profile(user=doctor, values={"phone": "+91 98765 43210", "last_name": "Other"}, now=now())
        assert fresh(doctor).phone_proved_at == before

    def test_so_does_one_by_the_office(self, doctor: User) -> None:
        proved(doctor)
        change_by_staff(user=doctor, values={"phone": OTHER}, actor=UserFactory.create(), now=now())
        assert (doctor.phone_proved_at, fresh(doctor).phone_proved_at) == (None, None)

    def test_an_import_fills_gaps_and_leaves_a_proof(self, doctor: User) -> None:
        before = proved(doctor).phone_proved_at
        content = f"email,phone\n{doctor.email},{OTHER}\n".encode()
        import_people(programme=ProgrammeFactory.create(), content=content, actor=None, now=now())
        assert (str(fresh(doctor).phone), fresh(doctor).phone_proved_at) == (NUMBER, before)

    def test_sec_02_nobody_past_the_program_keeps_a_proof_either(self, doctor: User) -> None:
        proved(doctor)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_user SET phone = %s WHERE id = %s", [OTHER, doctor.pk])
        assert fresh(doctor).phone_proved_at is None
        User.objects.filter(pk=doctor.pk).update(phone=NUMBER)
        assert fresh(doctor).phone_proved_at is None, "nor does it come back with the number"

    def test_sec_02_not_even_together_with_the_number(self, doctor: User) -> None:
        proved(doctor)
        User.objects.filter(pk=doctor.pk).update(phone=OTHER, phone_proved_at=now())
        assert fresh(doctor).phone_proved_at is None

    def test_a_proof_without_a_number_cannot_be_written(self, doctor: User) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=doctor.pk).update(phone_proved_at=now())


class TestConstraints:
    def row(self, doctor: User, **values: Any) -> PhoneCode:
        at = now()
        given = {"number": NUMBER, "via": "sms", "asked_at": at, "expires_at": at + timedelta(minutes=10), **values}
        row: PhoneCode = PhoneCode.objects.create(user=doctor, **given)
        return row

    @pytest.mark.parametrize(
        "values",
        [
            {"number": "98765"},
            {"number": ""},
            {"via": "email"},
            {"tries": 6},
            {"expires_at": now() + timedelta(minutes=30)},
            {"expires_at": now() - timedelta(minutes=30)},
            {"sent_at": now()},
            {"ended_at": now()},
            {"ending": "proved"},
            {"ended_at": now(), "ending": "proved", "code_hash": b"x"},
            {"told_at": now()},
        ],
        ids=[
            "no number",
            "empty",
            "by mail",
            "too many tries",
            "too late",
            "over before",
            "sent later",
            "ended later",
            "no date",
            "code",
            "told later",
        ],
    )
    def test_what_must_never_be(self, doctor: User, values: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            self.row(doctor, **values)

    def test_a_person_has_one_open_code(self, doctor: User) -> None:
        self.row(doctor)
        with pytest.raises(IntegrityError), transaction.atomic():
            self.row(doctor)

    def test_they_are_forgotten_after_two_days(self, doctor: User) -> None:
        at = now()
        self.row(doctor, asked_at=at - timedelta(days=3), expires_at=at - timedelta(days=3) + timedelta(minutes=1))
        kept = self.row(UserFactory.create())
        tidy(now=at)
        assert list(PhoneCode.objects.all()) == [kept]


class TestRaces:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_sec_08_parallel_guesses_share_one_count(self) -> None:
        doctor = UserFactory.create()
        phone_codes.ask(user=doctor, number=NUMBER, channels=["sms"], now=now())
        code = code_in(deliver())
        refused = in_parallel(12, lambda: preferences.confirm(user=doctor, code=wrong(code), now=now()))
        assert [type(one) for one in refused if one] == [phone_codes.WrongCodeError] * 12
        assert PhoneCode.objects.get().tries == 5

    def test_two_tabs_that_ask_get_one_code(self) -> None:
        doctor = UserFactory.create()
        in_parallel(4, lambda: phone_codes.ask(user=doctor, number=NUMBER, channels=["sms"], now=now()))
        assert PhoneCode.objects.count() == 1
        assert len(deliver()) == 1

    def test_two_workers_send_one(self) -> None:
        doctor = UserFactory.create()
        row = phone_codes.ask(user=doctor, number=NUMBER, channels=["sms"], now=now())
        in_parallel(4, lambda: phone_codes.send(code_id=row.pk, now=now()))
        assert len(arrived()) == 1

    @pytest.mark.parametrize("work", [phone_codes.send, phone_codes.tell])
    def test_who_waited_for_the_row_sees_that_it_was_claimed(self, work: Any) -> None:
        """The second one's statement began before the first one's was committed."""
        doctor = UserFactory.create()
        row = phone_codes.ask(user=doctor, number=NUMBER, channels=["sms"], now=now())
        if work is phone_codes.tell:
            preferences.confirm(user=doctor, code=code_in(deliver()), now=now())

        @transaction.atomic
        def claim() -> bool:
            return bool(work(code_id=row.pk, now=now()))

        assert in_between(claim, claim, behind="UPDATE") == (True, False)

    def test_two_tabs_with_the_right_code_prove_once(self) -> None:
        doctor = UserFactory.create()
        phone_codes.ask(user=doctor, number=NUMBER, channels=["sms"], now=now())
        code = code_in(deliver())
        in_parallel(4, lambda: preferences.confirm(user=doctor, code=code, now=now()))
        assert AuditEvent.objects.filter(action="phone.proved").count() == 1
        assert ConsentRecord.objects.filter(user=doctor, channel="sms").count() == 1
        assert fresh(doctor).phone_proved_at is not None


def in_parallel(number: int, work: Any) -> list[Exception | None]:
    """What each of them raised."""
    refused: list[Exception | None] = []
    barrier = threading.Barrier(number)

    def one() -> None:
        barrier.wait(60)
        try:
            work()
        except Exception as error:  # noqa: BLE001  # what it was is looked at
            refused.append(error)
        else:
            refused.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return refused
