"""SMS by AWS: against a server that speaks its protocol (AWS JSON 1.0), because moto does not know this service.

Requests are made and answers read by boto3 from Amazon's own description, which fails for shapes that are none.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from reminders.enums import Channel
from reminders.transports import Transport, transport_for
from reminders.transports.base import Accepted, Refused, Uncertain
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.providers import NUMBER, as_json, outgoing
from tests.reminders.transports.servers import Answer, Fault, Request, Sink, closed_port, running

SECRET = "5ec2e75ec2e7"


def takes(request: Request) -> Answer:
    assert request.headers["x-amz-target"] == "PinpointSMSVoiceV2.SendTextMessage"
    return as_json(200, {"MessageId": f"sms-{json.loads(request.body)['Context']['delivery']}"})


@pytest.fixture
def aws(configure: Configure, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with running(takes) as sink:
        settings.AWS_ENDPOINT_URL = sink.url
        configure(MESSAGES_SMS="aws", AWS_SMS_ORIGINATION="pool-1", AWS_SMS_CONFIGURATION_SET="rounds")
        yield sink


def transport() -> Transport:
    found = transport_for(Channel.SMS)
    assert found is not None
    return found


def refusal(code: str, status: int = 400, **more: Any) -> Answer:
    return as_json(status, {"__type": code, "Message": f"{NUMBER} is none"} | more)


def test_messages_go_with_our_key_in_their_context(aws: Sink) -> None:
    messages = [outgoing(number, address=f"+9198765432{number:02}") for number in range(12)]

    results = transport().send(messages)

    assert results == [Accepted(f"sms-{one.key}") for one in messages]
    contents = [json.loads(one.body) for one in aws.requests]
    assert {one["DestinationPhoneNumber"] for one in contents} == {one.address for one in messages}
    rest = {(c["OriginationIdentity"], c["MessageType"], c["ConfigurationSetName"], c["MessageBody"]) for c in contents}
    assert rest == {("pool-1", "TRANSACTIONAL", "rounds", messages[0].text)}


def test_it_is_called_once_whatever_happens(aws: Sink, fault: Fault) -> None:
    aws.faults = [fault]

    (result,) = transport().send([outgoing()])

    assert isinstance(result, Uncertain)
    assert aws.has_taken(1)
    assert len(aws.requests) == 1


@pytest.mark.parametrize(
    ("answer", "is_temporary", "is_hard"),
    [
        (refusal("ThrottlingException"), True, False),
        (refusal("ServiceQuotaExceededException", Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"), True, False),
        (refusal("AccessDeniedException"), True, False),
        (refusal("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"), False, False),
        (
            refusal(
                "ValidationException",
                Reason="INVALID_PARAMETER",
                Fields=[{"Name": "DestinationPhoneNumber", "Message": f"{NUMBER} is none"}],
            ),
            False,
            True,
        ),
        (refusal("ValidationException", Reason="INVALID_PARAMETER", Fields=[{"Name": "MessageBody"}]), False, False),
    ],
)
def test_refusals(aws: Sink, answer: Answer, is_temporary: bool, is_hard: bool) -> None:
    aws.faults = [answer]

    (result,) = transport().send([outgoing()])

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (is_temporary, is_hard)
    assert result.is_stopped == ("OPTED_OUT" in answer[2].decode())
    assert NUMBER[1:] not in result.why


def test_where_nobody_listens_nothing_was_taken(aws: Sink, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{closed_port()}"

    (result,) = transport().send([outgoing()])

    assert isinstance(result, Refused)
    assert result.is_temporary


def test_without_credentials_their_names_are_told(aws: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    (result,) = transport().send([outgoing()])

    assert isinstance(result, Refused)
    assert "AWS_ACCESS_KEY_ID" in result.why
    assert "AWS_ACCESS_KEY_ID" in transport().check()
    assert aws.requests == []
