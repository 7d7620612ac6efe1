"""Which ways a person wants to be written to: what holds, how it came about, and what addresses take."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditEvent, User
from reminders.domain import consent
from reminders.enums import Channel, ConsentSource, SuppressionReason
from reminders.models import ChannelChoice, ConsentRecord, Suppression
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW

pytestmark = pytest.mark.django_db
NUMBER = "+919876543210"


@pytest.fixture
def doctor() -> User:
    return UserFactory.create(email="meera@example.org", phone=NUMBER)


@pytest.fixture
def other() -> User:
    return UserFactory.create(email="other@example.org", phone="+919876543211")


def history(user: User) -> list[tuple[str, bool, str]]:
    return list(ConsentRecord.objects.filter(user=user).order_by("pk").values_list("channel", "is_on", "source"))


def choose(user: User, **choices: bool) -> list[Channel]:
    return consent.choose(user_id=user.pk, choices=choices, source=ConsentSource.PROFILE, now=NOW)


class TestChoosing:
    def test_from_the_start_only_e_mail_and_the_site_are_on(self, doctor: User) -> None:
        assert consent.choices_of(doctor) == {
            Channel.EMAIL: True,
            Channel.INBOX: True,
            Channel.WHATSAPP: False,
            Channel.SMS: False,
            Channel.PUSH: False,
        }

    def test_what_changes_is_written_with_its_history_and_the_words(self, doctor: User) -> None:
        changed = consent.choose(
            user_id=doctor.pk,
            choices={Channel.SMS: True, Channel.EMAIL: True},
            source=ConsentSource.PROFILE,
            wording={Channel.SMS: "Answer STOP to end them."},
            actor=doctor,
            now=NOW,
        )

        assert changed == [Channel.SMS]
        assert consent.choices_of(doctor)[Channel.SMS] is True
        row = ConsentRecord.objects.get()
        assert (row.user, row.channel, row.is_on, row.source, row.wording, row.actor, row.at) == (
            doctor, "sms", True, "profile", "Answer STOP to end them.", doctor, NOW,
        )  # fmt: skip

    def test_the_same_again_is_not_written_again(self, doctor: User) -> None:
        assert choose(doctor, sms=True) == [Channel.SMS]
        assert choose(doctor, sms=True) == []
        assert choose(doctor, sms=False) == [Channel.SMS]
        assert history(doctor) == [("sms", True, "profile"), ("sms", False, "profile")]

    def test_wanted_is_one_query_for_many_and_knows_the_defaults(
        self, doctor: User, other: User, django_assert_num_queries: object
    ) -> None:
        third = UserFactory.create()
        choose(doctor, email=False, sms=True)
        choose(other, sms=False)
        everybody = [doctor.pk, other.pk, third.pk]
        with django_assert_num_queries(1):  # type: ignore[operator]
            assert consent.wanted(everybody, Channel.EMAIL) == {other.pk, third.pk}
        assert consent.wanted(everybody, Channel.SMS) == {doctor.pk}
        assert consent.wanted([], Channel.EMAIL) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reminders_consentrecord SET is_on = NOT is_on",
        "DELETE FROM reminders_consentrecord",
        "TRUNCATE reminders_consentrecord",
    ],
)
def test_sec_39_a_consent_is_never_changed(doctor: User, statement: str) -> None:
    choose(doctor, sms=True)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits would refuse it first
        cursor.execute("ALTER TABLE reminders_consentrecord ENABLE TRIGGER reminders_consent_no_truncate")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert history(doctor) == [("sms", True, "profile")]


class TestAddresses:
    def test_one_spelling_for_each(self) -> None:
        assert consent.address_digest(Channel.EMAIL, " Meera@Example.org") == consent.address_digest(
            Channel.EMAIL, "meera@example.org"
        )
        numbers = ("+91 98765-43210", "919876543210", "whatsapp:+919876543210")
        assert len({consent.address_digest(Channel.WHATSAPP, number) for number in numbers}) == 1

    def test_a_suppressed_address_takes_nothing_until_it_is_freed(self, doctor: User) -> None:
        mine, free = (consent.address_digest(Channel.EMAIL, address) for address in (doctor.email, "b@example.org"))
        reason = SuppressionReason.HARD_BOUNCE
        assert consent.suppress(channel=Channel.EMAIL, digest=mine, reason=reason, now=NOW) is True
        assert (
            consent.suppress(channel=Channel.EMAIL, digest=mine, reason=SuppressionReason.COMPLAINT, now=NOW) is False
        )
        assert consent.suppressed(Channel.EMAIL, [mine, free]) == {mine}
        assert consent.suppressed(Channel.SMS, [mine, free]) == set()
        assert consent.lift(channel=Channel.EMAIL, digest=mine, reasons=(SuppressionReason.STOP,), now=NOW) is False
        assert consent.lift(channel=Channel.EMAIL, digest=mine, now=NOW, actor=doctor) is True
        assert consent.suppressed(Channel.EMAIL, [mine, free]) == set()
        assert [(one.reason, one.lifted_at) for one in Suppression.objects.all()] == [("hard_bounce", NOW)]
        assert [one.action for one in AuditEvent.objects.all()] == ["message.address_freed"]

    def test_it_may_be_suppressed_again(self, doctor: User) -> None:
        digest = consent.address_digest(Channel.EMAIL, doctor.email)
        for _ in range(2):
            assert consent.suppress(channel=Channel.EMAIL, digest=digest, reason=SuppressionReason.HARD_BOUNCE, now=NOW)
            assert consent.lift(channel=Channel.EMAIL, digest=digest, now=NOW)
        assert Suppression.objects.count() == 2


class TestStop:
    def test_sec_39_stop_ends_this_channel_for_whoever_has_the_number(self, doctor: User, other: User) -> None:
        choose(doctor, sms=True, whatsapp=True)
        choose(other, sms=True)

        assert consent.stop(channel=Channel.SMS, address="+91 98765 43210", said_at=NOW) == 1

        assert consent.wanted([doctor.pk, other.pk], Channel.SMS) == {other.pk}
        assert consent.wanted([doctor.pk], Channel.WHATSAPP) == {doctor.pk}
        assert consent.suppressed(Channel.SMS, [consent.address_digest(Channel.SMS, NUMBER)]) != set()
        assert history(doctor)[-1] == ("sms", False, "stop")

    def test_a_number_nobody_has_is_left_alone_too(self) -> None:
        assert consent.stop(channel=Channel.SMS, address="+4915112345678", said_at=NOW) == 0
        assert Suppression.objects.get().reason == SuppressionReason.STOP

    def test_stopping_twice_is_once(self, doctor: User) -> None:
        choose(doctor, sms=True)
        for _ in range(2):
            consent.stop(channel=Channel.SMS, address=NUMBER, said_at=NOW)
        assert history(doctor) == [("sms", True, "profile"), ("sms", False, "stop")]
        assert Suppression.objects.count() == 1

    def test_start_takes_a_stop_back_and_nothing_else(self, doctor: User) -> None:
        assert consent.start(channel=Channel.SMS, address=NUMBER, said_at=NOW) == 0
        assert history(doctor) == []
        choose(doctor, sms=True)
        consent.stop(channel=Channel.SMS, address=NUMBER, said_at=NOW)
        assert consent.start(channel=Channel.SMS, address=NUMBER, said_at=NOW + timedelta(days=1)) == 1
        assert history(doctor)[-1] == ("sms", True, "start")
        assert Suppression.objects.filter(lifted_at=None).count() == 0

    def test_a_number_that_nobody_wanted_to_be_written_to_by_stays_so(self, doctor: User, other: User) -> None:
        User.objects.filter(pk=other.pk).update(phone=NUMBER)
        choose(doctor, sms=True)
        consent.stop(channel=Channel.SMS, address=NUMBER, said_at=NOW)
        assert consent.start(channel=Channel.SMS, address=NUMBER, said_at=NOW) == 1
        assert consent.wanted([doctor.pk, other.pk], Channel.SMS) == {doctor.pk}
        assert history(other) == []

    def test_who_said_no_on_the_page_after_a_stop_is_not_begun_again_by_start(self, doctor: User) -> None:
        choose(doctor, sms=True)
        consent.stop(channel=Channel.SMS, address=NUMBER, said_at=NOW)
        for is_on, hours in ((True, 1), (False, 2)):
            at = NOW + timedelta(hours=hours)
            consent.choose(user_id=doctor.pk, choices={"sms": is_on}, source=ConsentSource.PROFILE, now=at)
        assert consent.start(channel=Channel.SMS, address=NUMBER, said_at=NOW + timedelta(hours=3)) == 0
        assert consent.wanted([doctor.pk], Channel.SMS) == set()

    def test_start_does_not_free_a_number_that_does_not_exist(self, doctor: User) -> None:
        digest = consent.address_digest(Channel.SMS, NUMBER)
        consent.suppress(channel=Channel.SMS, digest=digest, reason=SuppressionReason.INVALID, now=NOW)
        assert consent.start(channel=Channel.SMS, address=NUMBER, said_at=NOW) == 0
        assert consent.suppressed(Channel.SMS, [digest]) == {digest}

    def test_marked_as_unwanted_is_a_no_to_e_mail(self, doctor: User, other: User) -> None:
        source = ConsentSource.COMPLAINT
        assert consent.stop(channel=Channel.EMAIL, address="MEERA@example.org", source=source, said_at=NOW) == 1
        assert consent.wanted([doctor.pk, other.pk], Channel.EMAIL) == {other.pk}
        assert Suppression.objects.get().reason == SuppressionReason.COMPLAINT

    def test_the_choice_of_a_closed_account_stays(self, doctor: User) -> None:
        User.objects.filter(pk=doctor.pk).update(is_active=False)
        assert consent.stop(channel=Channel.SMS, address=NUMBER, said_at=NOW) == 0
        assert ChannelChoice.objects.count() == 0
