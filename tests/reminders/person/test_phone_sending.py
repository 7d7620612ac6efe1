"""Codes for numbers: what they may cost, and how they leave."""

import logging
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.timezone import now

from accounts.models import AuditEvent, User
from reminders import tasks
from reminders.domain import phone_codes, preferences
from reminders.enums import PhoneCodeEnd
from reminders.models import Delivery, PhoneCode
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, ProgrammeFactory
from tests.reminders.person.phones import (
    ABROAD,
    FIXED,
    MORE,
    NUMBER,
    OTHER,
    PAGE,
    TYPE,
    all_ways,
    arrived,
    code_in,
    fresh,
    on,
    tick,
    wrong,
)
from tests.reminders.transports import providers
from tests.reminders.transports.servers import Fault, patience_for, running
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


class TestCost:
    def test_sec_33_a_person_gets_three_in_ten_minutes(self, browser: Client) -> None:
        pages = [tick(browser, f"+91987654321{number}") for number in range(4)]
        assert [page.status_code for page in pages] == [302, 302, 302, 200]
        words = "You have tried many times in a row. Please wait 10 minutes"
        assert words in pages[-1].content.decode()
        assert PhoneCode.objects.count() == 3
        assert "Please wait" in browser.post(MORE, {"do": "send"}, follow=True).content.decode()
        assert PhoneCode.objects.count() == 3

    def test_sec_33_so_does_a_number_whoever_asks(self) -> None:
        browsers = [signed_in(UserFactory.create()) for _ in range(4)]
        answers = [tick(browser).status_code for browser in browsers]
        assert answers == [302, 302, 302, 200]
        assert PhoneCode.objects.filter(number=NUMBER).count() == 3

    def test_sec_33_the_site_as_a_whole_has_a_limit_an_hour(self, settings: Any) -> None:
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_CODES_AN_HOUR": 2}
        doctors = [UserFactory.create() for _ in range(3)]
        answers = [tick(signed_in(one), f"+9198765432{n}0").status_code for n, one in enumerate(doctors)]
        assert answers == [302, 302, 200]

    def test_sec_33_whoever_is_refused_takes_nothing_from_the_others(self, settings: Any, doctor: User) -> None:
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_CODES_AN_HOUR": 4}
        browser = signed_in(doctor)
        tick(browser)
        for _ in range(9):
            browser.post(MORE, {"do": "send"})
        assert tick(signed_in(UserFactory.create()), OTHER).status_code == 302

    def test_a_refusal_changes_nothing(self, doctor: User, browser: Client, settings: Any) -> None:
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_CODES_AN_HOUR": 1}
        tick(signed_in(UserFactory.create()), OTHER)
        answer = browser.post(PAGE, {"phone": NUMBER, "sms": "on"})
        assert "Please wait 60 minutes" in answer.content.decode()
        assert on(doctor) == {"email", "inbox"}
        assert str(fresh(doctor).phone) == ""

    @pytest.mark.parametrize("number", [ABROAD, FIXED])
    def test_sec_33_only_to_mobile_numbers_where_the_doctors_are(self, browser: Client, number: str) -> None:
        answer = tick(browser, number)
        words = "numbers of this country" if number == ABROAD else "This is no mobile number."
        assert words in answer.content.decode()
        assert PhoneCode.objects.count() == 0

    def test_a_colleagues_country_is_one_of_the_programme(self, doctor: User) -> None:
        programme = ProgrammeFactory.create()
        EnrolmentFactory.create(programme=programme, user=doctor)
        EnrolmentFactory.create(user=UserFactory.create(country="FR"))
        with pytest.raises(ValidationError):
            phone_codes.check_number(doctor, ABROAD)
        EnrolmentFactory.create(programme=programme, user=UserFactory.create(country="GR"))
        phone_codes.check_number(doctor, ABROAD)

    def test_where_nobody_named_a_country_all_are_served(self) -> None:
        phone_codes.check_number(UserFactory.create(country=""), ABROAD)


class TestSending:
    def test_a_bell_rung_twice_sends_once(self, browser: Client) -> None:
        tick(browser)
        row = PhoneCode.objects.get()
        assert phone_codes.send(code_id=row.pk, now=now())
        assert not phone_codes.send(code_id=row.pk, now=now())
        assert len(arrived()) == 1

    def test_the_bell_rings_when_it_is_committed(
        self, doctor: User, browser: Client, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks() as bells:
            tick(browser)
        assert len(bells) == 1

    def test_the_workers_doors(self, doctor: User, browser: Client, mailoutbox: Any) -> None:
        tick(browser)
        tasks.send_phone_code(PhoneCode.objects.get().pk)
        browser.post(TYPE, {"code": code_in(arrived())})
        tasks.tell_of_phone(PhoneCode.objects.get().pk)
        assert len(mailoutbox) == 1
        tasks.sweep_phone_codes()
        assert (len(arrived()), len(mailoutbox)) == (1, 1)

    def test_a_lost_bell_is_found_while_the_code_would_be_good(self, doctor: User, browser: Client) -> None:
        tick(browser)
        row = PhoneCode.objects.get()
        assert phone_codes.unsent(now=now()) == [row.pk]
        assert phone_codes.unsent(now=row.expires_at) == []

    @pytest.mark.parametrize("name", list(providers.ALL))
    def test_every_provider_gets_the_code(self, doctor: User, browser: Client, settings: Any, name: str) -> None:
        provider = providers.ALL[name]()
        with running(provider.respond) as sink:
            settings.MESSAGES = {
                **settings.MESSAGES,
                "MESSAGES_SMS": "none",
                "MESSAGES_WHATSAPP": "none",
                "MESSAGES_WHATSAPP_CODE": "number_code/en_GB" if name == "meta" else f"HX{'0' * 32}",
                "MESSAGES_TIMEOUT": 1,
                **provider.settings(sink.url),
            }
            tick(browser, **{provider.channel.value: "on"})
            (code_id,) = phone_codes.unsent(now=now())
            assert phone_codes.send(code_id=code_id, now=now())
        (request,) = sink.requests
        said = unquote(request.body.decode())
        row = PhoneCode.objects.get()
        found = [code for code in _six_digits(said) if preferences_accepts(doctor, code)]
        assert len(found) == 1
        assert fresh(doctor).phone_proved_at is not None
        assert row.sent_at is not None
        if name == "meta":
            assert '"name": "number_code"' in said
            assert '"code": "en_GB"' in said

    @pytest.mark.parametrize("fault", list(Fault))
    def test_a_code_in_doubt_may_have_come(self, doctor: User, browser: Client, settings: Any, fault: Fault) -> None:
        provider = providers.twilio()
        with running(provider.respond) as sink:
            timeout = patience_for(fault)
            settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_TIMEOUT": timeout, **provider.settings(sink.url)}
            tick(browser)
            sink.faults = [fault]
            (code_id,) = phone_codes.unsent(now=now())
            phone_codes.send(code_id=code_id, now=now())
            assert phone_codes.unsent(now=now()) == [], "never sent again by itself"
            assert sink.has_taken(1)
        assert len(sink.requests) == 1
        assert PhoneCode.objects.get().sent_at is not None

    def test_a_provider_that_is_away_is_asked_again(self, browser: Client, settings: Any) -> None:
        provider = providers.twilio()
        with running(provider.respond) as sink:
            settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_TIMEOUT": 1, **provider.settings(sink.url)}
            tick(browser)
            sink.faults = [provider.slow]
            (code_id,) = phone_codes.unsent(now=now())
            assert not phone_codes.send(code_id=code_id, now=now())
            assert phone_codes.unsent(now=now()) == [code_id]
            assert phone_codes.send(code_id=code_id, now=now())

    def test_a_number_that_takes_nothing_is_said(self, browser: Client, settings: Any) -> None:
        provider = providers.vonage()
        with running(provider.respond) as sink:
            settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_TIMEOUT": 1, **provider.settings(sink.url)}
            tick(browser)
            sink.faults = [provider.bad_number]
            (code_id,) = phone_codes.unsent(now=now())
            phone_codes.send(code_id=code_id, now=now())
        assert PhoneCode.objects.get().ending == PhoneCodeEnd.FAILED
        assert "No code could be sent to" in browser.get(TYPE).content.decode()
        browser.post(MORE, {"do": "leave"})
        assert browser.get(TYPE)["Location"] == PAGE

    def test_sec_08_no_code_stands_in_log_trail_or_outbox(
        self, doctor: User, browser: Client, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        provider = providers.twilio()
        with running(provider.respond) as sink:
            settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_TIMEOUT": 1, **provider.settings(sink.url)}
            tick(browser)
            sink.faults = [Fault.HANG_UP]
            (code_id,) = phone_codes.unsent(now=now())
            phone_codes.send(code_id=code_id, now=now())
        code = _six_digits(sink.requests[0].form["Body"])[0]
        browser.post(TYPE, {"code": wrong(code)})
        browser.post(TYPE, {"code": code})
        assert "sms" in on(doctor)
        trail = list(AuditEvent.objects.filter(action__startswith="phone.").order_by("pk"))
        assert [one.action for one in trail] == ["phone.code_asked", "phone.code_refused", "phone.proved"]
        secret = (code, wrong(code), NUMBER, NUMBER[1:])
        assert [word for word in secret if word in caplog.text or word in str([one.details for one in trail])] == []
        assert Delivery.objects.count() == 0


def _six_digits(text: str) -> list[str]:
    import re

    return list(dict.fromkeys(re.findall(r"(?<!\d)\d{6}(?!\d)", text)))


def preferences_accepts(user: User, code: str) -> bool:
    try:
        preferences.confirm(user=user, code=code, now=now())
    except phone_codes.WrongCodeError:
        return False
    return True
