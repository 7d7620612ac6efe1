"""A number is its person's when they typed the code that came to it."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from accounts.domain.sign_in import TooManyError
from accounts.models import User
from reminders.domain import consent, phone_codes, preferences
from reminders.enums import Channel, ConsentSource, PhoneCodeEnd, SuppressionReason
from reminders.models import ConsentRecord, PhoneCode, Suppression
from tests.factories.accounts import UserFactory
from tests.reminders.factories import suppressed
from tests.reminders.person.phones import (
    MORE,
    NUMBER,
    OTHER,
    PAGE,
    TYPE,
    all_ways,
    arrived,
    code_in,
    deliver,
    fresh,
    on,
    proved,
    tick,
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


class TestProving:
    def test_sms_begins_with_the_code_and_not_before(self, doctor: User, browser: Client) -> None:
        assert tick(browser)["Location"] == TYPE
        assert on(doctor) == {"email", "inbox"}
        assert str(fresh(doctor).phone) == ""
        assert ConsentRecord.objects.count() == 0
        page = browser.get(TYPE).content.decode()
        assert 'autocomplete="one-time-code"' in page
        assert 'inputmode="numeric"' in page
        assert "+91 •• 10" in page
        assert NUMBER not in page

        code = code_in(deliver())
        answer = browser.post(TYPE, {"code": f"{code[:3]} {code[3:]}"}, follow=True)

        assert "Your number is confirmed." in answer.content.decode()
        assert on(doctor) == {"email", "inbox", "sms"}
        assert str(fresh(doctor).phone) == NUMBER
        assert fresh(doctor).phone_proved_at is not None
        (record,) = ConsentRecord.objects.all()
        assert (record.channel, record.is_on, record.source, record.actor) == ("sms", True, "profile", doctor)
        assert record.wording.startswith("SMS: reminders shortly before a webinar")

    def test_what_came_has_the_code_alone(self, browser: Client) -> None:
        tick(browser, sms="on", whatsapp="on")
        (message,) = deliver()
        code = code_in([message])
        assert (message["channel"], message["to"], message["url"]) == ("sms", NUMBER, "")
        assert message["text"].startswith(f"{code} is your code for ")
        assert message["text"].endswith(f"\n\n@{urlsplit(settings.SITE_URL).hostname} #{code}")
        assert "http" not in message["text"]

    def test_one_code_proves_the_number_for_both(self, doctor: User, browser: Client) -> None:
        tick(browser, sms="on", whatsapp="on")
        browser.post(TYPE, {"code": code_in(deliver())})
        assert on(doctor) == {"email", "inbox", "sms", "whatsapp"}

    def test_by_whatsapp_where_that_alone_is_wanted(self, doctor: User, browser: Client) -> None:
        tick(browser, whatsapp="on")
        (message,) = deliver()
        assert (message["channel"], message["places"]) == ("whatsapp", [code_in([message])])
        browser.post(TYPE, {"code": code_in([message])})
        assert on(doctor) == {"email", "inbox", "whatsapp"}

    def test_a_proved_number_needs_no_other_code(self, doctor: User, browser: Client) -> None:
        proved(doctor)
        assert tick(browser, whatsapp="on")["Location"] == PAGE
        assert on(doctor) == {"email", "inbox", "whatsapp"}
        assert PhoneCode.objects.count() == 0

    def test_whoever_said_yes_before_there_were_codes_is_written_to_and_may_confirm(
        self, doctor: User, browser: Client
    ) -> None:
        User.objects.filter(pk=doctor.pk).update(phone=NUMBER)
        consent.choose(user_id=doctor.pk, choices={"sms": True}, source=ConsentSource.PROFILE, now=now())
        assert "Confirm this number" in browser.get(PAGE).content.decode()
        assert tick(browser)["Location"] == PAGE, "saving the page asks for nothing"
        assert on(doctor) == {"email", "inbox", "sms"}
        assert browser.post(MORE, {"do": "send"})["Location"] == TYPE
        browser.post(TYPE, {"code": code_in(deliver())})
        assert fresh(doctor).phone_proved_at is not None
        assert on(doctor) == {"email", "inbox", "sms"}
        assert "Confirm this number" not in browser.get(PAGE).content.decode()

    def test_until_the_new_number_is_proved_the_old_one_is_written_to(self, doctor: User, browser: Client) -> None:
        proved(doctor)
        consent.choose(user_id=doctor.pk, choices={"sms": True}, source=ConsentSource.PROFILE, now=now())
        before = fresh(doctor).phone_proved_at
        tick(browser, OTHER)
        assert (str(fresh(doctor).phone), fresh(doctor).phone_proved_at) == (NUMBER, before)
        assert browser.get(PAGE).context["form"]["phone"].value() == OTHER
        browser.post(TYPE, {"code": code_in(deliver())})
        assert str(fresh(doctor).phone) == OTHER
        assert fresh(doctor).phone_proved_at not in {None, before}

    def test_the_box_stays_as_it_was_filled_in_while_it_waits(self, doctor: User, browser: Client) -> None:
        tick(browser)
        page = browser.get(PAGE)
        assert "waits for its code" in page.content.decode()
        assert {box.name for box in page.context["form"].boxes() if box.value()} == {"email", "sms"}
        tick(browser)
        assert len(deliver()) == 1, "saving it once more sends no second one"

    def test_the_empty_box_gives_it_up(self, doctor: User, browser: Client) -> None:
        tick(browser)
        browser.post(PAGE, {"email": "on", "phone": ""})
        assert PhoneCode.objects.get().ending == PhoneCodeEnd.LEFT
        assert deliver() == []
        assert browser.get(TYPE)["Location"] == PAGE

    def test_leave_it(self, doctor: User, browser: Client) -> None:
        tick(browser)
        browser.post(MORE, {"do": "leave"})
        assert "waits for its code" not in browser.get(PAGE).content.decode()
        assert on(doctor) == {"email", "inbox"}

    def test_who_said_stop_is_written_to_again_with_the_proof(self, doctor: User, browser: Client) -> None:
        suppressed(Channel.SMS, NUMBER, reason=SuppressionReason.STOP)
        tick(browser)
        assert Suppression.objects.filter(lifted_at=None).count() == 1
        browser.post(TYPE, {"code": code_in(deliver())})
        assert Suppression.objects.filter(lifted_at=None).count() == 0

    def test_a_number_that_was_dead_is_proved_anew(self, doctor: User, browser: Client) -> None:
        """It may have gone to somebody else meanwhile."""
        proved(doctor)
        consent.choose(user_id=doctor.pk, choices={"sms": True}, source=ConsentSource.PROFILE, now=now())
        suppressed(Channel.SMS, NUMBER)
        browser.post(f"{PAGE}try-again/", {"channel": "sms"})
        assert fresh(doctor).phone_proved_at is None

    def test_without_a_way_to_send_codes_a_yes_is_a_yes(self, doctor: User, browser: Client, settings: Any) -> None:
        """WhatsApp alone, and nobody has had words for codes approved there."""
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_SMS": "none", "MESSAGES_WHATSAPP": "meta"}
        assert tick(browser, whatsapp="on")["Location"] == PAGE
        assert on(doctor) == {"email", "inbox", "whatsapp"}
        assert fresh(doctor).phone_proved_at is None
        assert "Confirm this number" not in browser.get(PAGE).content.decode()
        assert browser.post(MORE, {"do": "send"})["Location"] == PAGE

    def test_the_person_is_told_by_email_once(self, doctor: User, browser: Client, mailoutbox: Any) -> None:
        tick(browser)
        browser.post(TYPE, {"code": code_in(deliver())})
        for code_id in [*phone_codes.untold(now=now()), *phone_codes.untold(now=now())]:
            phone_codes.tell(code_id=code_id, now=now())
        (mail,) = mailoutbox
        assert mail.to == [doctor.email]
        assert mail.subject == "Your number +91 •• 10 is confirmed"
        assert "/account/messages/" in mail.body
        assert phone_codes.untold(now=now()) == []

    def test_a_mail_server_that_is_away_is_asked_again(self, doctor: User, browser: Client, settings: Any) -> None:
        tick(browser)
        browser.post(TYPE, {"code": code_in(deliver())})
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        (code_id,) = phone_codes.untold(now=now())
        assert not phone_codes.tell(code_id=code_id, now=now())
        assert phone_codes.untold(now=now()) == [code_id]


class TestWrongCodes:
    def test_a_wrong_one_says_so_and_the_right_one_still_counts(self, doctor: User, browser: Client) -> None:
        tick(browser)
        code = code_in(deliver())
        page = browser.post(TYPE, {"code": wrong(code)}).content.decode()
        assert "This is not the code." in page
        assert on(doctor) == {"email", "inbox"}
        assert browser.post(TYPE, {"code": code}).status_code == 302
        assert "sms" in on(doctor)

    @pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "１２３"])
    def test_what_is_no_code_costs_no_try(self, browser: Client, given: str) -> None:
        tick(browser)
        deliver()
        page = browser.post(TYPE, {"code": given})
        assert page.status_code == 200
        assert PhoneCode.objects.get().tries == 0

    def test_sec_08_five_wrong_codes_end_it(self, doctor: User, browser: Client) -> None:
        tick(browser)
        code = code_in(deliver())
        pages = [browser.post(TYPE, {"code": wrong(code)}).content.decode() for _ in range(5)]
        assert "Those were five wrong codes" in pages[-1]
        browser.post(TYPE, {"code": code})
        assert on(doctor) == {"email", "inbox"}
        assert fresh(doctor).phone_proved_at is None
        assert PhoneCode.objects.get().ending == PhoneCodeEnd.TRIES
        browser.post(MORE, {"do": "send"})
        browser.post(TYPE, {"code": code_in(deliver())})
        assert "sms" in on(doctor)

    def test_sec_08_it_is_good_for_ten_minutes(self, doctor: User, browser: Client) -> None:
        tick(browser)
        code = code_in(deliver())
        row = PhoneCode.objects.get()
        assert row.expires_at - row.asked_at == timedelta(minutes=10)
        with pytest.raises(phone_codes.WrongCodeError) as refused:
            preferences.confirm(user=doctor, code=code, now=row.expires_at)
        assert refused.value.tries_left == 0
        at = now()
        PhoneCode.objects.update(asked_at=at - timedelta(minutes=11), expires_at=at - timedelta(minutes=1))
        page = browser.post(TYPE, {"code": code}).content.decode()
        assert "The code is too old" in page
        assert fresh(doctor).phone_proved_at is None

    def test_sec_08_the_next_code_ends_the_one_before(self, doctor: User, browser: Client) -> None:
        tick(browser)
        first = code_in(deliver())
        browser.post(MORE, {"do": "send"})
        second = code_in(deliver())
        if first != second:
            browser.post(TYPE, {"code": first})
            assert on(doctor) == {"email", "inbox"}
        assert PhoneCode.objects.filter(ended_at=None).count() == 1
        browser.post(TYPE, {"code": second})
        assert "sms" in on(doctor)

    def test_sec_08_only_its_hash_is_kept_and_that_as_long_as_it_is_good(self, doctor: User, browser: Client) -> None:
        tick(browser)
        code = code_in(deliver())
        row = PhoneCode.objects.get()
        assert len(bytes(row.code_hash or b"")) == 32
        assert code not in str({name: str(value) for name, value in vars(row).items() if name != "number"})
        browser.post(TYPE, {"code": code})
        assert PhoneCode.objects.get().code_hash is None

    def test_sec_08_the_code_of_somebody_else_proves_nothing(self, doctor: User, browser: Client) -> None:
        other = signed_in(UserFactory.create())
        tick(browser)
        code = code_in(deliver())
        tick(other, OTHER)
        deliver()
        if code != code_in(arrived()):
            other.post(TYPE, {"code": code})
        assert User.objects.exclude(phone_proved_at=None).count() == 0

    def test_sec_08_guesses_are_limited_over_all_codes(self, doctor: User) -> None:
        for _ in range(phone_codes.GUESSES.most):
            with pytest.raises(phone_codes.WrongCodeError):
                preferences.confirm(user=doctor, code="000000", now=now())
        with pytest.raises(TooManyError):
            preferences.confirm(user=doctor, code="000000", now=now())

    def test_a_code_that_did_not_leave_yet_is_not_opened_by_anything(self, doctor: User, browser: Client) -> None:
        tick(browser)
        assert "This is not the code." in browser.post(TYPE, {"code": "000000"}).content.decode()

    def test_nothing_is_said_to_whom_nothing_waits(self, doctor: User, browser: Client) -> None:
        assert browser.get(TYPE)["Location"] == PAGE
        assert browser.post(TYPE, {"code": "123456"})["Location"] == PAGE
        assert browser.post(MORE, {"do": "send"})["Location"] == TYPE
        assert browser.post(MORE, {"do": "leave"})["Location"] == PAGE
        assert PhoneCode.objects.count() == 0
