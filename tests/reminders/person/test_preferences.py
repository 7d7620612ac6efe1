"""The page "Messages" of the account: ways to be reached, the number, what came back, and what was said before."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from reminders.domain import consent
from reminders.enums import Channel, ConsentSource, SuppressionReason
from reminders.models import ConsentRecord, Suppression
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, suppressed
from tests.reminders.person.phones import proved
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/account/messages/"
NUMBER = "+919876543210"


@pytest.fixture(autouse=True)
def all_ways(settings: Any) -> None:
    ways = dict.fromkeys(("MESSAGES_EMAIL", "MESSAGES_SMS", "MESSAGES_WHATSAPP"), "folder")
    settings.MESSAGES = {**getattr(settings, "MESSAGES", {}), **ways, "MESSAGES_PUSH": "none"}


@pytest.fixture
def doctor() -> User:
    return UserFactory.create()


@pytest.fixture
def browser(doctor: User) -> Client:
    return signed_in(doctor)


def on(user: User) -> set[str]:
    return {channel.value for channel, is_on in consent.choices_of(user).items() if is_on}


def checked(browser: Client) -> set[str]:
    form = browser.get(PAGE).context["form"]
    return {box.name for box in form.boxes() if box.value()}


class TestChoosing:
    def test_what_holds_is_ticked(self, doctor: User, browser: Client) -> None:
        assert checked(browser) == {"email"}
        consent.choose(user_id=doctor.pk, choices={"sms": True, "email": False}, source=ConsentSource.STOP, now=NOW)
        assert checked(browser) == {"sms"}

    def test_what_is_ticked_holds_and_the_words_beside_it_are_kept(self, doctor: User, browser: Client) -> None:
        proved(doctor)
        answer = browser.post(PAGE, {"sms": "on", "phone": "+91 98765 43210"}, follow=True)
        assert "Saved." in answer.content.decode()
        assert on(doctor) == {"inbox", "sms"}
        rows = {row.channel: row for row in ConsentRecord.objects.filter(user=doctor)}
        assert {channel: row.is_on for channel, row in rows.items()} == {"email": False, "sms": True}
        assert rows["sms"].wording.startswith("SMS: reminders shortly before a webinar")
        assert (rows["sms"].source, rows["sms"].actor) == ("profile", doctor)
        doctor.refresh_from_db()
        assert str(doctor.phone) == NUMBER

    @pytest.mark.parametrize("channel", ["sms", "whatsapp"])
    def test_without_a_number_there_is_no_sms(self, doctor: User, browser: Client, channel: str) -> None:
        page = browser.post(PAGE, {"email": "on", channel: "on", "phone": ""})
        assert "Please give the number that these messages go to." in page.content.decode()
        assert on(doctor) == {"email", "inbox"}

    def test_a_number_that_is_none_changes_nothing(self, doctor: User, browser: Client) -> None:
        page = browser.post(PAGE, {"sms": "on", "phone": "12"})
        assert "This is no phone number." in page.content.decode()
        assert on(doctor) == {"email", "inbox"}

    def test_sec_20_nothing_else_of_the_profile_can_be_written(self, doctor: User, browser: Client) -> None:
        browser.post(PAGE, {"email": "on", "phone": NUMBER, "last_name": "X", "is_staff": "on", "inbox": ""})
        changed = User.objects.get(pk=doctor.pk)
        assert (changed.last_name, changed.is_staff) == (doctor.last_name, False)
        assert "inbox" in on(doctor)

    def test_what_the_site_cannot_send_is_not_offered(self, doctor: User, browser: Client, settings: Any) -> None:
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_SMS": "none", "MESSAGES_WHATSAPP": "none"}
        page = browser.get(PAGE)
        assert [box.name for box in page.context["form"].boxes()] == ["email"]
        assert "phone" not in page.context["form"].fields
        browser.post(PAGE, {"email": "on", "sms": "on"})
        assert on(doctor) == {"email", "inbox"}

    def test_what_was_said_and_when_is_shown_to_its_person(self, doctor: User, browser: Client) -> None:
        other = UserFactory.create()
        for user, channel in ((doctor, "sms"), (other, "whatsapp")):
            consent.choose(user_id=user.pk, choices={channel: True}, source=ConsentSource.PROFILE, now=NOW)
        consent.stop(channel=Channel.EMAIL, address=doctor.email, source=ConsentSource.COMPLAINT, said_at=NOW)
        assert [(row.channel, row.is_on) for row in browser.get(PAGE).context["history"]] == [
            ("email", False),
            ("sms", True),
        ]


class TestAddressesThatTakeNothing:
    def test_a_person_is_told_and_may_have_it_tried_again(self, doctor: User, browser: Client) -> None:
        suppressed(Channel.EMAIL, doctor.email)
        theirs = suppressed(Channel.EMAIL, "other@example.org")
        page = browser.get(PAGE).content.decode()
        assert "Your e-mail address takes no messages from us" in page
        assert "The last one came back." in page
        browser.post(f"{PAGE}try-again/", {"channel": "email"})
        assert list(Suppression.objects.filter(lifted_at=None)) == [theirs]
        assert "takes no messages from us" not in browser.get(PAGE).content.decode()

    def test_of_what_is_not_wanted_nothing_is_said(self, doctor: User, browser: Client) -> None:
        suppressed(Channel.EMAIL, doctor.email)
        consent.choose(user_id=doctor.pk, choices={"email": False}, source=ConsentSource.PROFILE, now=NOW)
        assert "takes no messages" not in browser.get(PAGE).content.decode()

    def test_who_said_stop_and_ticks_the_box_again_is_written_to(self, doctor: User, browser: Client) -> None:
        proved(doctor)
        consent.choose(user_id=doctor.pk, choices={"sms": True}, source=ConsentSource.PROFILE, now=NOW)
        consent.stop(channel=Channel.SMS, address=NUMBER, said_at=NOW)
        browser.post(PAGE, {"email": "on", "sms": "on", "phone": NUMBER})
        assert Suppression.objects.filter(lifted_at=None).count() == 0
        assert "sms" in on(doctor)

    def test_ticking_does_not_make_a_dead_number_live(self, doctor: User, browser: Client) -> None:
        proved(doctor)
        suppressed(Channel.SMS, NUMBER, reason=SuppressionReason.INVALID)
        browser.post(PAGE, {"email": "on", "sms": "on", "phone": NUMBER})
        assert Suppression.objects.filter(lifted_at=None).count() == 1

    @pytest.mark.parametrize("channel", ["", "x", "sms", "inbox"])
    def test_nothing_to_try_is_no_error(self, doctor: User, browser: Client, channel: str) -> None:
        assert browser.post(f"{PAGE}try-again/", {"channel": channel}).status_code == 302


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_for_a_long_history(
    doctor: User, browser: Client, rows: int, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        consent.choose(user_id=doctor.pk, choices={"sms": number % 2 == 0}, source=ConsentSource.PROFILE, now=NOW)
    browser.get(PAGE)
    with django_assert_num_queries(6):  # the device with its person, choices, suppressions, code, history, calendar
        browser.get(PAGE)
