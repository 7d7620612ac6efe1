"""The address that providers call, from outside."""

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils.timezone import now
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings
from twilio.request_validator import RequestValidator

from accounts.models import User
from reminders.domain.sending import send_some
from reminders.enums import Channel, DeliveryState
from reminders.models import Delivery, ProviderEvent
from reminders.views.callbacks import MOST_BYTES, MOST_REFUSED
from tests.reminders.factories import NOW, DeliveryFactory
from tests.reminders.outbox.test_sending import due
from tests.reminders.transports import providers
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import Answer, Request, running

pytestmark = pytest.mark.django_db
URL = "/callbacks/twilio/"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    get_redis_connection("default").flushdb()


@pytest.fixture
def one(configure: Configure) -> Delivery:
    configure(**providers.twilio().settings("http://127.0.0.1:9"))
    return DeliveryFactory.create(
        channel=Channel.SMS, transport="twilio", provider_id="", state=DeliveryState.UNKNOWN, ended_at=now()
    )


def call(
    settings: Settings, query: str, form: dict[str, str], *, token: str = providers.SECRET, **more: Any
) -> HttpResponse:
    """Without a cookie and without a CSRF token, checked as strictly as from a browser."""
    url = f"{URL}?{query}"
    signature = RequestValidator(token).compute_signature(f"{settings.SITE_URL}{url}", form)
    client = Client(enforce_csrf_checks=True)
    found: Any = client.post(
        url, urlencode(form), content_type=FORM, headers={"X-Twilio-Signature": str(signature)}, **more
    )
    return found


def test_what_twilio_says_stands_at_the_delivery(one: Delivery, settings: Settings) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": providers.NUMBER}

    answer = call(settings, f"key={one.key}", form)

    one.refresh_from_db()
    assert (answer.status_code, answer.content) == (200, b"")
    assert (one.state, one.provider_id) == (DeliveryState.SENT, "SM1")
    assert one.delivered_at is not None


@pytest.mark.django_db(transaction=True)
def test_what_is_called_back_before_the_provider_has_answered_stays(configure: Configure, settings: Settings) -> None:
    """Twilio may tell that a message arrived while the call that hands it over still waits for its answer."""
    provider, found, statuses = providers.twilio(), due(channel=Channel.SMS), []
    User.objects.filter(pk=found.doctors[0].pk).update(phone=providers.NUMBER)

    def respond(request: Request) -> Answer:
        answer = provider.respond(request)
        (sid,) = provider.taken
        query = urlsplit(request.form["StatusCallback"]).query
        try:
            form = {"MessageSid": sid, "MessageStatus": "delivered", "To": providers.NUMBER}
            statuses.append(call(settings, query, form).status_code)
        finally:
            connection.close()
        return answer

    with running(respond) as sink:
        configure(**provider.settings(sink.url), MESSAGES_TIMEOUT=30)
        rounds = [send_some(channel=Channel.SMS, clock=lambda: NOW).taken for _ in range(2)]

    one = Delivery.objects.get()
    assert (rounds, statuses) == ([1, 0], [200])
    assert (one.state, one.provider_id, one.claim) == (DeliveryState.SENT, next(iter(provider.taken)), None)
    assert one.delivered_at is not None
    assert (one.error, ProviderEvent.objects.count()) == ("", 1)


def test_sec_27_what_nobody_signed_changes_nothing(one: Delivery, settings: Settings) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": providers.NUMBER}

    answers = [
        call(settings, f"key={one.key}", form, token="another"),
        Client().post(f"{URL}?key={one.key}", urlencode(form), content_type=FORM),
        Client().post(f"{URL}?key={one.key}", b"\xff\xfe", content_type=FORM),
    ]

    one.refresh_from_db()
    assert [answer.status_code for answer in answers] == [403] * 3
    assert (one.state, ProviderEvent.objects.count()) == (DeliveryState.UNKNOWN, 0)


def test_sec_27_who_guesses_is_answered_no_more_and_shuts_out_nobody(one: Delivery, settings: Settings) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": providers.NUMBER}
    guesses = [call(settings, "", form, token="another").status_code for _ in range(MOST_REFUSED + 1)]

    right = call(settings, f"key={one.key}", form)
    elsewhere = call(settings, f"key={one.key}", form, REMOTE_ADDR="198.51.100.9")

    assert guesses == [403] * MOST_REFUSED + [429]
    assert (right.status_code, elsewhere.status_code) == (200, 200)


def test_good_ones_are_not_counted(one: Delivery, settings: Settings) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "sent", "To": providers.NUMBER}

    assert {call(settings, f"key={one.key}", form).status_code for _ in range(MOST_REFUSED + 5)} == {200}
    assert ProviderEvent.objects.count() == 1


@pytest.mark.usefixtures("one")
def test_only_what_is_used_here_has_an_address() -> None:
    paths = ["/callbacks/vonage/", "/callbacks/folder/", "/callbacks/nonsense/"]

    assert [Client().post(path).status_code for path in paths] == [404, 403, 404]
    assert Client().get("/callbacks/vonage/").status_code == 404


@pytest.mark.usefixtures("one")
def test_other_ways_of_calling_are_refused() -> None:
    client = Client()

    assert [client.get(URL).status_code, client.put(URL).status_code, client.delete(URL).status_code] == [405] * 3
    big = client.post(URL, b"x" * (MOST_BYTES + 1), content_type="application/json")
    assert big.status_code == 413


def test_meta_is_told_that_the_address_is_ours(configure: Configure) -> None:
    configure(**providers.meta().settings("http://127.0.0.1:9"))
    asked = {"hub.mode": "subscribe", "hub.challenge": "<b>1158201444", "hub.verify_token": "ask me"}

    right = Client().get("/callbacks/meta/", asked)
    wrong = Client().get("/callbacks/meta/", asked | {"hub.verify_token": "guess"})

    assert (right.status_code, right.content.decode()) == (200, "<b>1158201444")
    assert right["Content-Type"] == "text/plain"
    assert wrong.status_code == 403


def test_no_secret_and_no_person_is_logged(one: Delivery, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": providers.NUMBER}
    call(settings, f"key={one.key}", form, token="another")
    call(settings, f"key={one.key}", form)

    said = json.dumps([str(record.msg) for record in caplog.records])
    assert [word for word in (providers.NUMBER[1:], providers.SECRET) if word in said] == []
