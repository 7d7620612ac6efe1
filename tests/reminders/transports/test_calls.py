"""What is concluded from how a call ends, for every provider that is called by HTTP."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reminders.transports.base import Accepted, Refused, Uncertain
from reminders.transports.calling import LANES, SILENT_SECONDS
from tests.reminders.transports import providers
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.providers import NUMBER, SECRET, Provider, as_json, outgoing
from tests.reminders.transports.servers import Fault, Sink, closed_port, patience_for, running

SENT_AT = datetime(2027, 1, 12, 12, 0, tzinfo=UTC)


@pytest.fixture(params=list(providers.ALL))
def provider(request: pytest.FixtureRequest) -> Provider:
    made: Provider = providers.ALL[request.param]()
    return made


@pytest.fixture
def sink(provider: Provider, configure: Configure) -> Iterator[Sink]:
    with running(provider.respond) as sink:
        configure(**provider.settings(sink.url))
        yield sink


def test_what_is_taken_has_the_providers_number(provider: Provider, sink: Sink) -> None:
    (result,) = provider.transport().send([outgoing()])

    assert result == Accepted(next(iter(provider.taken)))


def test_many_go_at_the_same_time_and_answers_stay_in_order(provider: Provider, sink: Sink) -> None:
    messages = [outgoing(number, address=f"+9198765432{number:02}") for number in range(20)]

    results = provider.transport().send(messages)

    assert [one.provider_id for one in results if isinstance(one, Accepted)] != []
    told = {number: request.body.decode() for number, request in provider.taken.items()}
    assert len(results) == len(told) == 20
    for message, result in zip(messages, results, strict=True):
        assert isinstance(result, Accepted)
        assert message.address.removeprefix("+") in told[result.provider_id]


def test_a_provider_that_answers_nothing_is_not_asked_for_each_message(provider: Provider, sink: Sink) -> None:
    """Each would leave one more message in doubt. What has not left is tried again, after a rest."""
    sink.faults = [Fault.HANG_UP] * 40
    messages = [outgoing(number, address=f"+9198765432{number:02}") for number in range(40)]

    results = provider.transport().send(messages)

    doubtful = [one for one in results if isinstance(one, Uncertain)]
    refused = [one for one in results if isinstance(one, Refused)]
    assert LANES <= len(doubtful) == len(sink.requests) < 2 * LANES
    assert len(doubtful) + len(refused) == 40
    assert {(one.is_temporary, one.retry_after) for one in refused} == {(True, SILENT_SECONDS)}


def test_nobody_knows_of_what_was_taken_and_not_acknowledged(provider: Provider, sink: Sink, fault: Fault) -> None:
    sink.faults = [fault]

    (result,) = provider.transport().send([outgoing()])

    assert isinstance(result, Uncertain)
    assert sink.has_taken(1)
    assert len(provider.taken) == 1


@pytest.mark.parametrize("provider", ["twilio", "twilio-whatsapp", "vonage"], indirect=True)
def test_who_can_be_asked_tells_what_was_taken(provider: Provider, sink: Sink) -> None:
    sink.faults = [Fault.ERROR]
    transport = provider.transport()
    transport.send([outgoing()])

    assert transport.can_look_up
    found = transport.look_up(outgoing().key, "", SENT_AT, NUMBER)

    assert found == Accepted(next(iter(provider.taken)), is_by_address=transport.name == "twilio")


@pytest.mark.parametrize("provider", ["twilio", "vonage"], indirect=True)
def test_that_nothing_was_taken_is_never_certain(provider: Provider, sink: Sink) -> None:
    """What a provider still queues may stand in no list yet."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)

    assert provider.transport().look_up(outgoing().key, "", long_ago, NUMBER) is None


def test_a_provider_that_cannot_be_reached_when_asked_proves_nothing(provider: Provider, sink: Sink) -> None:
    sink.faults = [Fault.HANG_UP]

    assert provider.transport().look_up(outgoing().key, "", SENT_AT, NUMBER) is None


def test_where_nobody_listens_nothing_was_taken(provider: Provider, configure: Configure) -> None:
    configure(**provider.settings(f"http://127.0.0.1:{closed_port()}"))

    (result,) = provider.transport().send([outgoing()])

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (True, False)


def test_too_many_messages_wait_as_long_as_the_provider_says(provider: Provider, sink: Sink) -> None:
    sink.faults = [provider.slow]

    (result,) = provider.transport().send([outgoing()])

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (True, False)
    assert result.retry_after == 7.0


def test_a_number_that_is_none_is_refused_for_good(provider: Provider, sink: Sink) -> None:
    sink.faults = [provider.bad_number]

    (result,) = provider.transport().send([outgoing()])

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (False, True)
    assert provider.taken == {}


def test_that_somebody_said_stop_to_the_provider_is_heard_from_its_answer(provider: Provider, sink: Sink) -> None:
    sink.faults = [provider.stopped, provider.bad_number]

    stopped, wrong = (provider.transport().send([outgoing()])[0] for _ in range(2))

    assert isinstance(stopped, Refused)
    assert (stopped.is_stopped, stopped.is_temporary, stopped.is_hard) == (True, False, False)
    assert isinstance(wrong, Refused)
    assert not wrong.is_stopped


def test_wrong_credentials_are_no_fault_of_the_message(provider: Provider, sink: Sink) -> None:
    sink.faults = [as_json(401, {"code": 20003})]

    (result,) = provider.transport().send([outgoing()])

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (True, False)
    assert any(name in result.why for name in provider.values)


def test_wrong_credentials_are_named_when_asked_before(provider: Provider, sink: Sink) -> None:
    sink.faults = [as_json(401, {"code": 20003}), Fault.ERROR]
    transport = provider.transport()

    first, second = transport.check(), transport.check()

    assert any(name in first for name in provider.values)
    assert second.startswith("not reached")


def test_nobody_is_sent_elsewhere(provider: Provider, sink: Sink) -> None:
    """A provider's address stands in the settings; what an answer says is no address."""
    with running(provider.respond) as other:
        sink.faults = [(307, {"Location": f"{other.url}/elsewhere"}, b"")]
        (result,) = provider.transport().send([outgoing()])

        assert not isinstance(result, Accepted)
        assert other.requests == []


@pytest.mark.parametrize("content", [b"", b"[]", b"nonsense", b'{"sid": 3}', b'{"messages": []}'])
def test_an_answer_that_makes_no_sense_is_none(provider: Provider, sink: Sink, content: bytes) -> None:
    sink.faults = [(200, {}, content)]

    (result,) = provider.transport().send([outgoing()])

    assert isinstance(result, Uncertain)


def test_no_log_and_no_reason_names_a_person_or_a_secret(
    provider: Provider, sink: Sink, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    faults = [*Fault, provider.bad_number, provider.slow, (200, {}, b"?"), as_json(401, {})]
    sink.faults = [*faults]
    transport = provider.transport()

    results = []
    for number, fault in enumerate(faults, start=1):
        configure(MESSAGES_TIMEOUT=patience_for(fault))
        results += transport.send([outgoing()])
        assert sink.has_taken(number)
    transport.look_up(outgoing().key, "", SENT_AT, NUMBER)

    said = caplog.text + "".join(one.why for one in results if not isinstance(one, Accepted))
    assert [word for word in (NUMBER[1:], SECRET, "Nair", "/s/abc") if word in said] == []


def template_at_meta(sink: Sink) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sink.requests[-1].body)["template"]
    return found


@pytest.mark.parametrize("provider", ["meta"], indirect=True)
def test_whatsapp_templates_have_the_language_they_were_approved_in(provider: Provider, sink: Sink) -> None:
    names = ["we_are_live", "we_are_live/en_GB", "we_are_live/fil"]
    found = []
    for name in names:
        provider.transport().send([outgoing(template=name, language="pt-br")])
        template = template_at_meta(sink)
        found.append((template["name"], template["language"]["code"]))

    assert found == [("we_are_live", "pt_BR"), ("we_are_live", "en_GB"), ("we_are_live", "fil")]


@pytest.mark.parametrize("provider", ["meta"], indirect=True)
def test_only_a_button_that_was_approved_has_a_place(provider: Provider, sink: Sink) -> None:
    """Meta refuses parameters that its template has not."""
    provider.transport().send([outgoing(url="")])
    without = [one["type"] for one in template_at_meta(sink)["components"]]
    provider.transport().send([outgoing()])

    assert (without, [one["type"] for one in template_at_meta(sink)["components"]]) == (["body"], ["body", "button"])


@pytest.mark.parametrize("provider", ["twilio-whatsapp"], indirect=True)
def test_twilio_gets_as_many_values_as_its_template_has_places(provider: Provider, sink: Sink) -> None:
    provider.transport().send([outgoing(url="")])

    assert json.loads(sink.requests[-1].form["ContentVariables"]) == {"1": "Dr Nair", "2": "Ovarian reserve"}
