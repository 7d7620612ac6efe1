"""The sign-in link of a message: single use, by POST, as long as its message is of use."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.timezone import now

from accounts.domain import invitations, sign_in
from accounts.domain.people import change_by_staff, disable, update_profile
from accounts.models import SignInRequest, User
from reminders.domain import consent, links
from reminders.enums import Channel
from reminders.models import Delivery
from tests.factories.accounts import UserFactory
from tests.reminders.factories import DeliveryFactory
from tests.reminders.person.phones import NUMBER, OTHER, proved
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor() -> User:
    return UserFactory.create(last_login=now())


@pytest.fixture
def delivery(doctor: User) -> Delivery:
    return deliver(doctor)


def deliver(user: User, *, until: timedelta = timedelta(hours=1), channel: Channel = Channel.EMAIL) -> Delivery:
    at = now()
    return DeliveryFactory.create(user=user, channel=channel, due_at=at - timedelta(minutes=1), expires_at=at + until)


def link(delivery: Delivery, path: str = "/credits/") -> str:
    return urlsplit(links.sign_in_link(delivery, path, now=now())).path


def is_in(browser: Client) -> bool:
    return browser.get("/account/").status_code == 200


class TestOpening:
    def test_sec_21_a_scanner_that_opens_it_consumes_nothing(self, delivery: Delivery) -> None:
        path = link(delivery)
        for _ in range(3):
            page = Client().get(path)
            assert page.status_code == 200
        assert SignInRequest.objects.get().used_at is None
        assert Delivery.objects.get().followed_at is None

    def test_the_button_signs_in_and_leads_on_once(self, delivery: Delivery, doctor: User) -> None:
        path, browser = link(delivery), Client()
        answer = browser.post(path)
        assert (answer.status_code, answer["Location"]) == (302, "/credits/")
        assert is_in(browser)
        assert Delivery.objects.get().followed_at is not None
        again = Client().post(path)
        assert again.status_code == 410
        assert "Send me a new link" in again.content.decode()

    def test_sec_21_the_button_needs_the_pages_own_token(self, delivery: Delivery) -> None:
        assert Client(enforce_csrf_checks=True).post(link(delivery)).status_code == 403

    def test_who_is_in_already_goes_straight_on_and_the_link_stays_good(self, delivery: Delivery, doctor: User) -> None:
        path = link(delivery)
        answer = signed_in(doctor).get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/credits/")
        assert SignInRequest.objects.get().used_at is None
        assert Delivery.objects.get().followed_at is not None

    def test_a_used_one_still_leads_its_person_on_who_is_signed_in(self, delivery: Delivery, doctor: User) -> None:
        path, browser = link(delivery), Client()
        browser.post(path)
        assert browser.get(path)["Location"] == "/credits/"
        assert browser.post(path)["Location"] == "/credits/"

    def test_somebody_else_who_is_signed_in_is_asked_first(self, delivery: Delivery, doctor: User) -> None:
        browser = signed_in(UserFactory.create())
        page = browser.get(link(delivery))
        assert page.status_code == 200
        assert doctor.last_name in page.content.decode()

    def test_a_used_one_leads_nobody_else_on(self, delivery: Delivery) -> None:
        path = link(delivery)
        Client().post(path)
        assert signed_in(UserFactory.create()).get(path).status_code == 410

    @pytest.mark.parametrize("token", ["x", "1-", "9999999999999999999999-abc", "-", "ä-b", "a" * 300])
    def test_nonsense_is_a_link_that_has_done_its_work(self, token: str, delivery: Delivery) -> None:
        assert Client().get(f"/m/{token}/").status_code == 410
        assert Client().post(f"/m/{token}/").status_code == 410

    def test_the_number_of_another_delivery_before_it_opens_nothing(self, delivery: Delivery, doctor: User) -> None:
        token = link(delivery).split("/")[2]
        other = deliver(doctor)
        assert Client().post(f"/m/{other.pk}-{token.partition('-')[2]}/").status_code == 410

    def test_a_page_of_somewhere_else_is_never_led_to(self, delivery: Delivery) -> None:
        browser = Client()
        answer = browser.post(link(delivery, "//evil.example/"))
        assert answer["Location"] == "/"


class TestLifetime:
    def test_it_ends_with_its_message(self, doctor: User) -> None:
        at = now()
        links.sign_in_link(deliver(doctor, until=timedelta(minutes=30)), "/", now=at)
        assert abs(SignInRequest.objects.get().expires_at - at - timedelta(minutes=30)) < timedelta(minutes=1)

    def test_it_never_lives_longer_than_a_week(self, doctor: User) -> None:
        at = now()
        links.sign_in_link(deliver(doctor, until=timedelta(days=60)), "/", now=at)
        assert SignInRequest.objects.get().expires_at == at + links.MOST

    def test_too_old_it_offers_a_new_one_to_the_same_page(
        self, delivery: Delivery, doctor: User, mailoutbox: Any
    ) -> None:
        path = link(delivery)
        SignInRequest.objects.update(created_at=now() - timedelta(hours=2), expires_at=now() - timedelta(hours=1))
        token = path.split("/")[2]
        assert Client().post(path).status_code == 410
        answer = Client().post(f"/sign-in/link/{token}/new/")
        assert answer["Location"] == "/sign-in/code/"
        new = SignInRequest.objects.latest("pk")
        assert (new.user, new.next_path, new.is_message) == (doctor, "/credits/", False)

    def test_it_is_forgotten_a_week_after_its_end_and_not_before(self, doctor: User) -> None:
        at = now()
        links.sign_in_link(deliver(doctor, until=timedelta(days=6)), "/", now=at)
        assert sign_in.forget_old_requests(now=at + timedelta(days=12)) == 0
        assert sign_in.forget_old_requests(now=at + timedelta(days=14)) == 1


class TestRevoking:
    def test_a_taken_back_invitation_takes_the_links_back(self, delivery: Delivery) -> None:
        person = UserFactory.create()
        invitation, _token = invitations.invite(user=person, created_by=None, now=now())
        path = link(deliver(person))
        assert Client().get(path).status_code == 200
        invitations.revoke(invitation=invitation, actor=None, now=now())
        assert Client().get(path).status_code == 410
        assert Client().post(path).status_code == 410

    def test_a_disabled_account_and_a_new_address_close_them(self, delivery: Delivery, doctor: User) -> None:
        staff, path = UserFactory.create(), link(delivery)
        change_by_staff(user=doctor, values={"email": "new@example.org"}, actor=staff, now=now())
        assert Client().post(path).status_code == 410
        path = link(delivery)
        disable(user=doctor, actor=staff, now=now())
        assert Client().post(path).status_code == 410

    def test_signing_in_otherwise_leaves_those_of_messages_alone(self, doctor: User) -> None:
        """The reminder of the evening is opened on another device than the mail of the morning."""
        first, second = link(deliver(doctor)), link(deliver(doctor))
        asked = SignInRequest.objects.create(
            user=doctor, link_hash=b"a" * 32, created_at=now(), expires_at=now() + timedelta(minutes=9)
        )
        Client().post(first)
        asked.refresh_from_db()
        assert asked.used_at is not None
        assert Client().post(second).status_code == 302

    def test_no_worker_sends_them_as_sign_in_mails(self, delivery: Delivery) -> None:
        link(delivery)
        assert sign_in.unsent_requests(now=now()) == []


class TestToTelephones:
    """Whoever has the telephone is let in: it must be the doctor's, in the moment of sending and in that of the tap."""

    @pytest.fixture(params=[Channel.SMS, Channel.WHATSAPP])
    def delivery(self, doctor: User, request: pytest.FixtureRequest) -> Delivery:
        proved(doctor)
        return deliver(doctor, channel=request.param)

    def test_the_button_signs_in(self, delivery: Delivery) -> None:
        path, browser = link(delivery), Client()
        assert len(path) < 50, "an SMS is paid by its length"
        assert browser.post(path)["Location"] == "/credits/"
        assert is_in(browser)

    def test_sec_02_to_a_number_that_nobody_proved_there_is_none(self, doctor: User) -> None:
        User.objects.filter(pk=doctor.pk).update(phone=NUMBER)
        made = [deliver(User.objects.get(pk=doctor.pk), channel=one) for one in (Channel.SMS, Channel.WHATSAPP)]
        assert links.sign_in_links(made, {one.pk: "/" for one in made}, now=now()) == {}
        assert not SignInRequest.objects.exists()

    def test_sec_02_another_number_ends_it_whoever_entered_it(self, doctor: User) -> None:
        def by_the_person(user: User) -> None:
            update_profile(user=user, values={"phone": OTHER}, now=now())

        def by_the_office(user: User) -> None:
            change_by_staff(user=user, values={"phone": ""}, actor=UserFactory.create(), now=now())

        def past_the_program(user: User) -> None:
            User.objects.filter(pk=user.pk).update(phone=OTHER)

        for change in (by_the_person, by_the_office, past_the_program):
            proved(doctor)
            path = link(deliver(doctor, channel=Channel.SMS))
            assert Client().get(path).status_code == 200
            change(doctor)
            assert Client().get(path).status_code == 410
            assert Client().post(path).status_code == 410
            proved(doctor)
            assert Client().post(path).status_code == 410, "nor does proving the old one again bring it back"

    def test_sec_02_a_number_proved_between_reading_and_sending_does_not_bless_the_link(self, doctor: User) -> None:
        """The worker read the person with the old number; by the time it words the message there is another one."""
        proved(doctor)
        read_before = Delivery.objects.select_related("user").get(pk=deliver(doctor, channel=Channel.SMS).pk)
        proved(doctor, OTHER)
        assert Client().post(link(read_before)).status_code == 410

    def test_sec_02_stop_ends_what_lies_in_the_telephone(self, doctor: User, delivery: Delivery) -> None:
        mail, path = link(deliver(doctor)), link(delivery)
        consent.stop(channel=delivery.channel, address=NUMBER, said_at=now())
        assert Client().post(path).status_code == 410
        assert Client().post(mail).status_code == 302

    def test_links_in_mails_do_not_ask_about_the_number(self, doctor: User) -> None:
        proved(doctor)
        path = link(deliver(doctor))
        update_profile(user=doctor, values={"phone": OTHER}, now=now())
        assert Client().post(path).status_code == 302

    def test_a_dead_one_leads_to_a_new_one_by_email(self, doctor: User, delivery: Delivery) -> None:
        path = link(delivery)
        update_profile(user=doctor, values={"phone": OTHER}, now=now())
        assert "Send me a new link" in Client().get(path).content.decode()

    def test_no_code_beside_it_and_no_mail_with_it(self, doctor: User) -> None:
        at = now()
        for values in ({"is_message": False}, {"is_message": True, "code_hash": b"x" * 32}):
            with pytest.raises(IntegrityError), transaction.atomic():
                SignInRequest.objects.create(
                    user=doctor, created_at=at, expires_at=at + timedelta(1), phone_proved_at=at, **values
                )


@pytest.mark.parametrize("rows", [1, 3])
def test_many_are_one_statement(doctor: User, rows: int, django_assert_num_queries: Any) -> None:
    deliveries = [deliver(doctor) for _ in range(rows)]
    paths = {one.pk: "/" for one in deliveries}
    with django_assert_num_queries(1):
        made = links.sign_in_links(deliveries, paths, now=now())
    assert set(made) == {one.pk for one in deliveries}
    assert len(set(made.values())) == rows


def test_only_those_with_a_page_get_one(doctor: User) -> None:
    with_page, without = deliver(doctor), deliver(doctor)
    made = links.sign_in_links([with_page, without], {with_page.pk: "/"}, now=now())
    assert set(made) == {with_page.pk}


def test_sec_02_only_its_hash_is_kept(delivery: Delivery) -> None:
    token = link(delivery).split("/")[2]
    row = SignInRequest.objects.get()
    assert len(token.partition("-")[2]) >= 24  # 144 bits
    assert token not in str({name: str(value) for name, value in vars(row).items()})
    assert isinstance(row.expires_at, datetime)
