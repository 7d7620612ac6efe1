"""Addresses that take no messages, and what people answered: found, freed with a reason, and who looks is on record."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.models import Programme
from reminders.domain import addresses, consent, suppressions
from reminders.domain.suppressions import SuppressionError
from reminders.enums import Channel, ConsentSource, SuppressionReason
from reminders.models import ConsentRecord, Suppression
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, ProgrammeFactory, RoleGrantFactory
from tests.reminders.factories import NOW, suppressed
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
LIST = "admin:reminders_suppression_changelist"
NUMBER = "+919876543210"
SUBMITTED = {"_form_submitted": "on"}


@pytest.fixture
def programme() -> Programme:
    one: Programme = ProgrammeFactory.create()
    return one


@pytest.fixture
def doctor(programme: Programme) -> User:
    person = UserFactory.create(title="", first_name="Meera", last_name="Nair", email="meera@example.org", phone=NUMBER)
    EnrolmentFactory.create(user=person, programme=programme)
    return person


@pytest.fixture
def operator() -> Client:
    return signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)


def as_role(role: Role, programme: Programme | None) -> Client:
    return signed_in(RoleGrantFactory.create(role=role, programme=programme).user)


def shown(client: Client, **query: str) -> list[Suppression]:
    page = client.get(reverse(LIST), query)
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


def action(name: str, row: Suppression) -> str:
    return reverse(f"admin:reminders_suppression_{name}", args=(row.pk,))


class TestFound:
    def test_by_a_person_or_a_typed_address_and_nothing_else(self, operator: Client, doctor: User) -> None:
        mail = suppressed(Channel.EMAIL, doctor.email)
        number = suppressed(Channel.SMS, NUMBER, reason=SuppressionReason.STOP)
        nobodys = suppressed(Channel.EMAIL, "gone@example.org")
        for search, wanted in (
            ("", [mail, number, nobodys]),
            ("meera nair", [mail, number]),
            ("NAIR", [mail, number]),
            (" Meera@Example.org ", [mail, number]),
            ("gone@example.org", [nobodys]),
            ("+91 98765-43210", [number]),
            ("gone", []),
            ("nobody@example.org", []),
            ("email", []),
        ):
            assert set(shown(operator, q=search)) == set(wanted), search
        page = operator.get(reverse(LIST)).content.decode()
        assert page.count("<bdi>Meera Nair</bdi>") == 2
        assert page.count("Nobody who is here today") == 1
        assert set(shown(operator, channel__exact="sms")) == {number}
        assert set(shown(operator, stands="free")) == set()

    def test_without_any_the_page_says_so(self, operator: Client) -> None:
        assert shown(operator) == []

    def test_sec_19_of_others_programmes_nothing_is_seen_or_freed(self, programme: Programme, doctor: User) -> None:
        other = UserFactory.create(email="other@example.org")
        EnrolmentFactory.create(user=other, programme=ProgrammeFactory.create())
        mine, theirs = suppressed(Channel.EMAIL, doctor.email), suppressed(Channel.EMAIL, other.email)
        nobodys = suppressed(Channel.EMAIL, "gone@example.org")
        browser = as_role(Role.OPERATOR, programme)
        assert shown(browser) == [mine]
        assert shown(browser, q="other@example.org") == []
        for row in (theirs, nobodys):
            assert browser.get(reverse("admin:reminders_suppression_change", args=(row.pk,))).status_code == 302
            assert browser.post(action("free", row), {**SUBMITTED, "reason": "x"}).status_code in {403, 404}
        assert Suppression.objects.filter(lifted_at=None).count() == 3

    def test_moderators_look_and_free_nothing(self, programme: Programme, doctor: User) -> None:
        row = suppressed(Channel.EMAIL, doctor.email)
        browser = as_role(Role.MODERATOR, programme)
        page = browser.get(reverse("admin:reminders_suppression_change", args=(row.pk,)))
        assert page.status_code == 200
        assert "Free this address" not in page.content.decode()
        assert browser.post(action("free", row), {**SUBMITTED, "reason": "x"}).status_code == 403
        assert Suppression.objects.filter(lifted_at=None).count() == 1

    def test_sec_32_who_looks_is_on_record_and_what_was_searched_for_is_not(
        self, operator: Client, doctor: User
    ) -> None:
        row = suppressed(Channel.EMAIL, doctor.email)
        shown(operator, q=doctor.email)
        operator.get(reverse("admin:reminders_suppression_change", args=(row.pk,)))
        events = AuditEvent.objects.filter(action__startswith="suppressions.").order_by("pk")
        assert [(one.action, one.subject_id, one.details) for one in events] == [
            ("suppressions.listed", "", {"searched": True, "page": ""}),
            ("suppressions.read", str(doctor.pk), {"row": row.pk}),
        ]

    def test_as_many_queries_for_one_as_for_three(self, operator: Client) -> None:
        numbers = []
        for count in (1, 3):
            while Suppression.objects.count() < count:
                person = EnrolmentFactory.create().user
                suppressed(Channel.EMAIL, person.email)
            with CaptureQueriesContext(connection) as seen:
                assert len(shown(operator)) == count
            numbers.append(len(seen))
        assert numbers[0] == numbers[1]


class TestFreed:
    def test_with_a_reason_on_record_and_taken_back_again(self, operator: Client, doctor: User) -> None:
        row = suppressed(Channel.EMAIL, doctor.email)
        page = reverse("admin:reminders_suppression_change", args=(row.pk,))
        told = operator.get(page).content.decode()
        assert "Takes no messages" in told
        assert "(&#x27;" not in told
        assert "Leave it alone again" not in told
        operator.post(action("free", row), {**SUBMITTED, "reason": "The hospital's mail server was down."})
        row.refresh_from_db()
        assert row.lifted_at is not None
        assert row.lifted_by == operator_of(operator)
        assert row.lifted_why == "The hospital's mail server was down."
        assert consent.silent(Channel.EMAIL, {doctor.pk: doctor.email}) == set()
        told = operator.get(page).content.decode()
        assert "The hospital&#x27;s mail server was down." in told
        assert "Leave it alone again" in told
        operator.post(action("hold", row), {**SUBMITTED, "reason": "It still comes back."})
        assert consent.silent(Channel.EMAIL, {doctor.pk: doctor.email}) == {doctor.pk}
        assert [(one.reason, one.lifted_at is None) for one in Suppression.objects.order_by("pk")] == [
            ("hard_bounce", False), ("hard_bounce", True),
        ]  # fmt: skip
        events = AuditEvent.objects.filter(action__startswith="message.address_").order_by("pk")
        assert [(one.action, one.details["why"]) for one in events] == [
            ("message.address_freed", "The hospital's mail server was down."),
            ("message.address_held", "It still comes back."),
        ]

    def test_what_the_person_said_stays_theirs(self, operator: Client, doctor: User) -> None:
        consent.choose(user_id=doctor.pk, choices={Channel.SMS: True}, source=ConsentSource.PROFILE, now=NOW)
        consent.stop(channel=Channel.SMS, address=NUMBER, said_at=NOW)
        row = Suppression.objects.get()
        operator.post(action("free", row), {**SUBMITTED, "reason": "They rang us."})
        assert consent.wanted([doctor.pk], Channel.SMS) == set()
        assert consent.silent(Channel.SMS, {doctor.pk: NUMBER}) == set()
        page = operator.get(reverse("admin:reminders_suppression_change", args=(row.pk,))).content.decode()
        assert "Only they can change that" in page

    def test_no_reason_no_freeing_and_none_twice(self, doctor: User) -> None:
        row, actor = suppressed(Channel.EMAIL, doctor.email), UserFactory.create()
        with pytest.raises(SuppressionError, match="say why"):
            suppressions.free(row=row, why="  ", actor=actor, now=NOW)
        with pytest.raises(SuppressionError, match="takes no messages already"):
            suppressions.hold_again(row=row, why="x", actor=actor, now=NOW)
        suppressions.free(row=row, why="x", actor=actor, now=NOW)
        with pytest.raises(SuppressionError, match="free already"):
            suppressions.free(row=row, why="x", actor=actor, now=NOW)
        row.refresh_from_db()
        suppressions.hold_again(row=row, why="x", actor=actor, now=NOW)
        with pytest.raises(SuppressionError, match="takes no messages already"):
            suppressions.hold_again(row=row, why="x", actor=actor, now=NOW)
        assert AuditEvent.objects.count() == 2


def operator_of(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


class TestKeys:
    """What is kept of an address leads to nobody without the key."""

    def test_sec_39_no_digest_is_found_by_trying_numbers(self) -> None:
        kept = consent.address_digest(Channel.SMS, NUMBER)
        assert kept not in {addresses.plain_digest(channel, NUMBER) for channel in Channel}
        assert kept == consent.address_digest(Channel.WHATSAPP, "whatsapp:" + NUMBER)

    def test_a_changed_key_finds_what_the_one_before_kept(self, settings: Any, doctor: User) -> None:
        suppressed(Channel.EMAIL, doctor.email)
        before = settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [before]
        people = {doctor.pk: doctor.email}
        assert consent.silent(Channel.EMAIL, people) == {doctor.pk}
        settings.SECRET_KEY_FALLBACKS = []
        assert consent.silent(Channel.EMAIL, people) == set()

    def test_at_night_rows_come_under_todays_key(self, settings: Any, doctor: User) -> None:
        consent.suppress(
            channel=Channel.SMS, digest=consent.address_digest(Channel.SMS, NUMBER), reason=SuppressionReason.STOP,
            now=NOW,
        )  # fmt: skip
        consent.suppress(
            channel=Channel.EMAIL, digest=consent.address_digest(Channel.EMAIL, "gone@example.org"),
            reason=SuppressionReason.STOP, now=NOW,
        )  # fmt: skip
        before = settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [before]
        assert addresses.rekey(now=NOW) == 1
        assert addresses.rekey(now=NOW) == 0
        settings.SECRET_KEY_FALLBACKS = []
        assert consent.silent(Channel.SMS, {doctor.pk: NUMBER}) == {doctor.pk}
        assert consent.silent(Channel.EMAIL, {0: "gone@example.org"}) == set(), "whose address nobody knows"

    def test_bare_digests_of_before_count_and_are_keyed_without_their_address(self, doctor: User) -> None:
        for address in (doctor.email, "gone@example.org"):
            Suppression.objects.create(
                channel=Channel.EMAIL, address_digest=addresses.plain_digest(Channel.EMAIL, address),
                reason=SuppressionReason.STOP, since=NOW,
            )  # fmt: skip
        people = {doctor.pk: doctor.email, 0: "gone@example.org", -1: "free@example.org"}
        assert consent.silent(Channel.EMAIL, people) == {doctor.pk, 0}
        suppressed(Channel.EMAIL, doctor.email)  # meanwhile, by new code
        assert addresses.rekey(now=NOW) == 2
        assert addresses.rekey(now=NOW) == 0
        assert consent.silent(Channel.EMAIL, people) == {doctor.pk, 0}
        plain = {addresses.plain_digest(Channel.EMAIL, one) for one in people.values()}
        standing = Suppression.objects.filter(lifted_at=None)
        assert [one for one in standing if bytes(one.address_digest) in plain] == []
        assert standing.count() == 2


class TestConsents:
    LIST = "admin:reminders_consentrecord_changelist"

    def answer(self, person: User, channel: Channel = Channel.SMS, *, is_on: bool = True) -> ConsentRecord:
        consent.choose(
            user_id=person.pk, choices={channel: is_on}, source=ConsentSource.PROFILE, now=NOW,
            wording={channel: "SMS: <b>reminders</b>."}, actor=person,
        )  # fmt: skip
        return ConsentRecord.objects.latest("pk")

    def test_a_persons_answers_with_their_words_and_what_stands_in_the_way(
        self, operator: Client, doctor: User
    ) -> None:
        first = self.answer(doctor)
        self.answer(doctor, is_on=False)
        self.answer(UserFactory.create(), Channel.WHATSAPP)
        held = suppressed(Channel.SMS, NUMBER, reason=SuppressionReason.STOP)
        page = operator.get(reverse("admin:reminders_consentrecord_change", args=(first.pk,))).content.decode()
        assert page.count("SMS: &lt;b&gt;reminders&lt;/b&gt;.") == 2
        assert reverse("admin:reminders_suppression_change", args=(held.pk,)) in page
        assert "Answered STOP" in page
        assert page.count("nothing in the way") == 4
        (event,) = AuditEvent.objects.filter(action="consents.read")
        assert (event.subject_id, event.details) == (str(doctor.pk), {"row": first.pk})

    def test_sec_19_only_of_ones_own_doctors_and_nobody_writes(self, programme: Programme, doctor: User) -> None:
        mine, theirs = self.answer(doctor), self.answer(EnrolmentFactory.create().user)
        browser = as_role(Role.MODERATOR, programme)
        page = browser.get(reverse(self.LIST), {"q": "nair"})
        assert list(page.context["cl"].result_list) == [mine]
        assert list(browser.get(reverse(self.LIST)).context["cl"].result_list) == [mine]
        change = "admin:reminders_consentrecord_change"
        assert browser.get(reverse(change, args=(theirs.pk,))).status_code == 302
        assert browser.post(reverse(change, args=(mine.pk,)), {"is_on": ""}).status_code == 403
        assert browser.get(reverse("admin:reminders_consentrecord_add")).status_code == 403
        listed = AuditEvent.objects.filter(action="consents.listed").order_by("pk")
        assert [one.details["searched"] for one in listed] == [True, False]

    def test_as_many_queries_for_one_as_for_three(self, operator: Client) -> None:
        numbers = []
        for count in (1, 3):
            while ConsentRecord.objects.count() < count:
                self.answer(UserFactory.create())
            with CaptureQueriesContext(connection) as seen:
                operator.get(reverse(self.LIST))
            numbers.append(len(seen))
        assert numbers[0] == numbers[1]
