"""E-mail by SES, SendGrid and Mailgun: one call for many where the provider has one, and what each then got."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any
from uuid import UUID, uuid4

import pytest
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings

from reminders.enums import Channel
from reminders.transports import Transport, transport_for
from reminders.transports.base import Accepted, Attachment, Outgoing, Refused, Uncertain
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.providers import as_json
from tests.reminders.transports.servers import Answer, Fault, Request, Sink, closed_port, running

SECRET = "SG.5ec2e7.5ec2e7"
AT = datetime(2027, 1, 12, tzinfo=UTC)
ATTACHMENT = Attachment("w.ics", b"BEGIN:VCALENDAR\r\n", "text/calendar; method=REQUEST; charset=utf-8")


def outgoing(number: int, **values: Any) -> Outgoing:
    name = f"Dr {'Öz' * number} Nair"
    shown: dict[str, Any] = {
        "key": UUID(int=number),
        "address": f"d{number}@example.org",
        "subject": f"{name}, we are live",
        "text": f"Dear {name},\n\nwe are live: https://learn.example.org/s/{number}\n",
        "html": f'<p>Dear <b>{name}</b>,</p><p><a href="https://learn.example.org/s/{number}">we are live</a></p>',
        "headers": {
            "List-Unsubscribe": f"<https://learn.example.org/u/{number}/>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        "sender_name": "Rounds",
    }
    return Outgoing(**(shown | values))


def transport() -> Transport:
    found = transport_for(Channel.EMAIL)
    assert found is not None
    return found


# SendGrid


def sendgrid_takes(request: Request) -> Answer:
    return 202, {"X-Message-Id": uuid4().hex}, b""


@pytest.fixture
def sendgrid(configure: Configure) -> Iterator[Sink]:
    with running(sendgrid_takes) as sink:
        configure(
            MESSAGES_EMAIL="sendgrid",
            MESSAGES_FROM="Rounds <messages@learn.example.org>",
            SENDGRID_API_KEY=SECRET,
            SENDGRID_API_URL=f"{sink.url}/v3",
        )
        yield sink


def as_sendgrid_sends(content: dict[str, Any], index: int) -> dict[str, Any]:
    """What the person of this number gets, by the rules of substitutions."""
    person = content["personalizations"][index]

    def filled(text: str) -> str:
        for tag, value in person.get("substitutions", {}).items():
            text = text.replace(tag, value)
        return text

    bodies = {part["type"]: filled(part["value"]) for part in content["content"]}
    return {
        "to": [one["email"] for one in person["to"]],
        "subject": filled(content["subject"]),
        "text": bodies["text/plain"],
        "html": bodies["text/html"],
        "key": (content.get("custom_args", {}) | person.get("custom_args", {}))["delivery"],
        "headers": content.get("headers", {}) | person.get("headers", {}),
    }


@pytest.mark.parametrize("number", [1, 3, 200])
def test_sendgrid_takes_a_chunk_in_one_call_and_everybody_gets_their_own(sendgrid: Sink, number: int) -> None:
    messages = [outgoing(index) for index in range(1, number + 1)]

    results = transport().send(messages)

    assert results == [Accepted()] * number
    (request,) = sendgrid.requests
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    content = json.loads(request.body)
    assert len(content["personalizations"]) == number
    for index, message in enumerate(messages):
        got = as_sendgrid_sends(content, index)
        assert got["to"] == [message.address]
        assert (got["subject"], got["text"], got["html"]) == (message.subject, message.text, message.html)
        assert got["key"] == str(message.key)
        assert dict(message.headers).items() <= got["headers"].items()


def test_what_the_provider_would_take_for_a_place_goes_alone(sendgrid: Sink) -> None:
    messages = [outgoing(1), outgoing(2, text="A price of -k1- or more\n"), outgoing(3)]

    assert transport().send(messages) == [Accepted()] * 3
    first, alone = (json.loads(one.body) for one in sendgrid.requests)
    assert len(first["personalizations"]) == 2
    assert as_sendgrid_sends(alone, 0)["text"] == messages[1].text


def test_an_address_gets_one_message_of_a_call(sendgrid: Sink) -> None:
    messages = [outgoing(1), outgoing(2, address="D1@example.org"), outgoing(3)]

    assert transport().send(messages) == [Accepted()] * 3
    calls = [
        [person["to"][0]["email"].lower() for person in json.loads(one.body)["personalizations"]]
        for one in sendgrid.requests
    ]
    assert sorted(calls) == [["d1@example.org"], ["d1@example.org", "d3@example.org"]]


def test_a_call_that_was_turned_down_for_one_is_made_for_each(sendgrid: Sink) -> None:
    sendgrid.faults = [as_json(400, {"errors": [{"message": "bad", "field": "personalizations.1.to"}]})]

    assert transport().send([outgoing(number) for number in (1, 2, 3)]) == [Accepted()] * 3
    assert len(sendgrid.requests) == 4


def test_a_call_for_many_that_broke_is_uncertain_for_all_and_not_made_again(sendgrid: Sink, fault: Fault) -> None:
    sendgrid.faults = [fault]

    results = transport().send([outgoing(number) for number in (1, 2, 3)])

    assert [type(one) for one in results] == [Uncertain] * 3
    assert sendgrid.has_taken(1)
    assert len(sendgrid.requests) == 1


def test_sendgrid_is_asked_by_our_key(sendgrid: Sink) -> None:
    sendgrid.faults = [as_json(200, {"messages": [{"msg_id": "x"}]}), as_json(200, {"messages": []})]
    assert transport().look_up(UUID(int=5), "", AT) == Accepted()
    assert transport().look_up(UUID(int=5), "", AT) is None
    assert str(UUID(int=5)) in sendgrid.requests[0].query["query"]


# Mailgun


def mailgun_takes(request: Request) -> Answer:
    return as_json(200, {"id": "<20270112.1@learn.example.org>", "message": "Queued. Thank you."})


@pytest.fixture
def mailgun(configure: Configure) -> Iterator[Sink]:
    with running(mailgun_takes) as sink:
        configure(
            MESSAGES_EMAIL="mailgun",
            MESSAGES_FROM="Rounds <messages@learn.example.org>",
            MAILGUN_API_KEY=SECRET,
            MAILGUN_API_URL=f"{sink.url}/v3",
            MAILGUN_DOMAIN="learn.example.org",
            MAILGUN_SIGNING_KEY="signing",
        )
        yield sink


def as_mailgun_sends(form: dict[str, str], address: str) -> dict[str, str]:
    values = json.loads(form["recipient-variables"])[address]

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"%recipient.{name}%", value)
        return text

    return {name: filled(text) for name, text in form.items() if name != "recipient-variables"}


def test_mailgun_takes_a_chunk_in_one_call_and_everybody_gets_their_own(mailgun: Sink) -> None:
    messages = [outgoing(number) for number in range(1, 51)]

    assert transport().send(messages) == [Accepted()] * 50
    (request,) = mailgun.requests
    assert request.path == "/v3/learn.example.org/messages"
    for message in messages:
        got = as_mailgun_sends(request.form, message.address)
        assert (got["subject"], got["text"], got["html"]) == (message.subject, message.text, message.html)
        assert got["v:delivery"] == str(message.key)
        assert got["h:List-Unsubscribe"] == message.headers["List-Unsubscribe"]
        assert got["h:List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_mailgun_knows_a_message_that_went_alone_by_its_message_id(mailgun: Sink) -> None:
    (result,) = transport().send([outgoing(1)])
    mailgun.faults = [as_json(200, {"items": [{"event": "accepted"}]}), as_json(200, {"items": []})]
    found = [transport().look_up(UUID(int=1), "", AT) for _ in range(2)]

    assert isinstance(result, Accepted)
    number = f"{UUID(int=1).hex}@learn.example.org"
    assert found == [Accepted(f"<{number}>"), None]
    assert mailgun.requests[1].query["message-id"] == number
    assert number in mailgun.requests[0].body.decode().replace("%40", "@")


def test_mailgun_says_which_address_is_none(mailgun: Sink) -> None:
    bad = as_json(400, {"message": "'to' parameter is not a valid address. please check documentation"})
    mailgun.faults = [bad, (429, {"Retry-After": "9"}, b"")]

    (hard,) = transport().send([outgoing(1)])
    (slow,) = transport().send([outgoing(1)])

    assert isinstance(hard, Refused)
    assert (hard.is_hard, hard.is_temporary) == (True, False)
    assert isinstance(slow, Refused)
    assert (slow.is_temporary, slow.retry_after) == (True, 9.0)


# SES


@contextmanager
def aws(settings: Settings, configure: Configure, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "5ec2e7")
    settings.AWS_ENDPOINT_URL = url
    configure(MESSAGES_EMAIL="ses", MESSAGES_FROM="Rounds <messages@learn.example.org>", SES_CONFIGURATION_SET="rounds")
    yield


def test_ses_takes_a_single_message_whole(
    settings: Settings, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against moto, which knows this call of SES."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with aws(settings, configure, f"http://{host}:{port}", monkeypatch):
            import boto3

            client = boto3.client("sesv2", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL)
            client.create_email_identity(EmailIdentity="messages@learn.example.org")
            (result,) = transport().send([outgoing(1, attachments=(ATTACHMENT,))])
    finally:
        server.stop()

    assert isinstance(result, Accepted)
    assert result.provider_id


def ses_takes(request: Request) -> Answer:
    content = json.loads(request.body)
    if request.path.endswith("/outbound-bulk-emails"):
        entries = [
            {"Status": "SUCCESS", "MessageId": f"0100-{number}"} for number, _ in enumerate(content["BulkEmailEntries"])
        ]
        return as_json(200, {"BulkEmailEntryResults": entries})
    return as_json(200, {"MessageId": "0100-single"})


@pytest.fixture
def ses(settings: Settings, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """For what moto does not know: the documented calls, whose shapes boto3 checks."""
    with running(ses_takes) as sink, aws(settings, configure, sink.url, monkeypatch):
        yield sink


def as_ses_sends(content: dict[str, Any], index: int) -> dict[str, Any]:
    template = content["DefaultContent"]["Template"]["TemplateContent"]
    entry = content["BulkEmailEntries"][index]
    values = json.loads(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"{{{{{name}}}}}", value)
        return text

    headers = {one["Name"]: one["Value"] for one in entry["ReplacementHeaders"]}
    return {"to": entry["Destination"]["ToAddresses"], "headers": headers} | {
        name: filled(text) for name, text in template.items()
    }


def test_ses_takes_fifty_in_one_call_and_everybody_gets_their_own(ses: Sink) -> None:
    messages = [outgoing(number) for number in range(1, 121)]

    results = transport().send(messages)

    contents = [json.loads(one.body) for one in ses.requests]
    assert [len(content["BulkEmailEntries"]) for content in contents] == [50, 50, 20]
    assert {content["ConfigurationSetName"] for content in contents} == {"rounds"}
    assert [isinstance(one, Accepted) for one in results] == [True] * 120
    for index, message in enumerate(messages):
        got = as_ses_sends(contents[index // 50], index % 50)
        assert (got["to"], got["Subject"], got["Text"], got["Html"]) == (
            [message.address],
            message.subject,
            message.text,
            message.html,
        )
        assert json.loads(got["headers"]["X-Metadata"]) == {"delivery": str(message.key)}
        assert got["headers"]["List-Unsubscribe"] == message.headers["List-Unsubscribe"]


def test_ses_messages_with_a_calendar_file_go_alone(ses: Sink) -> None:
    messages = [outgoing(number, attachments=(ATTACHMENT,)) for number in (1, 2)]

    assert transport().send(messages) == [Accepted("0100-single")] * 2
    raw = [message_from_bytes(_raw(one), policy=policy.default) for one in ses.requests]
    assert sorted(str(one["To"]) for one in raw) == ["d1@example.org", "d2@example.org"]
    assert {json.loads(str(one["X-Metadata"]))["delivery"] for one in raw} == {str(one.key) for one in messages}


def _raw(request: Request) -> bytes:
    import base64

    return base64.b64decode(json.loads(request.body)["Content"]["Raw"]["Data"])


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["SUCCESS", "MESSAGE_REJECTED"], [Accepted("a"), Refused("refused by SES (MESSAGE_REJECTED)")]),
        (["ACCOUNT_THROTTLED"] * 2, [Refused("refused by SES (ACCOUNT_THROTTLED)", is_temporary=True)] * 2),
        (["FAILED", "SUCCESS"], [Uncertain("FAILED, without a reason"), Accepted("b")]),
    ],
)
def test_ses_says_of_each_what_became_of_it(ses: Sink, statuses: list[str], expected: list[Any]) -> None:
    entries = [
        {"Status": status, **({"MessageId": number} if status == "SUCCESS" else {"Error": "why"})}
        for status, number in zip(statuses, "ab", strict=True)
    ]
    ses.faults = [as_json(200, {"BulkEmailEntryResults": entries})]

    assert transport().send([outgoing(1), outgoing(2)]) == expected


def test_ses_is_called_once_whatever_happens(ses: Sink, fault: Fault) -> None:
    """boto3 would send again by itself."""
    ses.faults = [fault]

    results = transport().send([outgoing(1), outgoing(2)])

    assert [type(one) for one in results] == [Uncertain] * 2
    assert ses.has_taken(1)
    assert len(ses.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "is_temporary"),
    [(429, "TooManyRequestsException", True), (403, "AccessDeniedException", True), (400, "MessageRejected", False)],
)
def test_sess_refusals(ses: Sink, status: int, code: str, is_temporary: bool) -> None:
    ses.faults = [as_json(status, {"message": "d1@example.org is none"}, **{"x-amzn-ErrorType": code})]

    (result,) = transport().send([outgoing(1)])

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (is_temporary, False)
    assert "example.org" not in result.why


UNCOUNTED = {
    "sendgrid": lambda request: json.loads(request.body)["tracking_settings"]["click_tracking"] == {"enable": False},
    "mailgun": lambda request: request.form["o:tracking-clicks"] == "no",
    "ses": lambda request: (
        json.loads(request.body)["ConfigurationOverrides"] == {"Tracking": {"ClickTrackingEnabled": "DISABLED"}}
    ),
}


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("name", list(UNCOUNTED))
def test_links_are_not_counted_by_providers(name: str, number: int, request: pytest.FixtureRequest) -> None:
    """What lets a doctor in would stand in the provider's logs, and a filter that follows it would be a doctor."""
    sink: Sink = request.getfixturevalue(name)

    transport().send([outgoing(index) for index in range(1, number + 1)])

    assert [UNCOUNTED[name](one) for one in sink.requests] == [True]


HOSTILE = "Rounds\r\nBcc: all@evil.example\r\n\r\n<script>"
HOSTILE_HEADERS = {
    "List-Unsubscribe": "<https://learn.example.org/u/1/>\r\nBcc: all@evil.example",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click\nX-Evil: 1",
}


def hostile(number: int, **values: Any) -> Outgoing:
    """As no words of ours make it: the last door before the provider holds by itself."""
    return outgoing(number, subject=HOSTILE, sender_name=HOSTILE, headers=HOSTILE_HEADERS, **values)


def headers_at_sendgrid(request: Request) -> list[tuple[str, str]]:
    content = json.loads(request.body)
    people = content["personalizations"]
    assert [sorted(set(person) & {"cc", "bcc"}) for person in people] == [[]] * len(people)
    own = [pair for holder in (content, *people) for pair in holder.get("headers", {}).items()]
    values = [(tag, value) for person in people for tag, value in person.get("substitutions", {}).items()]
    return [*own, *values, ("Subject", content["subject"]), ("From", content["from"]["name"])]


def headers_at_mailgun(request: Request) -> list[tuple[str, str]]:
    own = [(name, value) for name, value in request.form.items() if name not in {"text", "html"}]
    values = [
        pair for person in json.loads(request.form.get("recipient-variables", "{}")).values() for pair in person.items()
    ]
    assert "bcc" not in request.form
    return [*own, *values]


def headers_at_ses(request: Request) -> list[tuple[str, str]]:
    content = json.loads(request.body)
    if "Raw" in content.get("Content", {}):
        raw = message_from_bytes(_raw(request), policy=policy.default)
        assert raw["Bcc"] is None
        return [(name, str(value)) for name, value in raw.items()]
    entries = content["BulkEmailEntries"]
    assert {tuple(entry["Destination"]) for entry in entries} == {("ToAddresses",)}
    own = [(one["Name"], one["Value"]) for entry in entries for one in entry["ReplacementHeaders"]]
    return [
        *own,
        ("From", content["FromEmailAddress"]),
        ("Subject", content["DefaultContent"]["Template"]["TemplateContent"]["Subject"]),
    ]


HEADERS_AT = {"sendgrid": headers_at_sendgrid, "mailgun": headers_at_mailgun, "ses": headers_at_ses}


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("name", list(HEADERS_AT))
def test_sec_25_no_value_begins_a_header_at_a_provider(name: str, number: int, request: pytest.FixtureRequest) -> None:
    sink: Sink = request.getfixturevalue(name)

    results = transport().send([hostile(index) for index in range(1, number + 1)])

    assert [type(one) for one in results] == [Accepted] * number
    (taken,) = sink.requests
    found = HEADERS_AT[name](taken)
    assert [pair for pair in found if "\r" in "".join(pair) or "\n" in "".join(pair)] == []
    assert {key.lower() for key, _value in found} & {"bcc", "h:bcc", "x-evil", "h:x-evil"} == set()
    assert any("Rounds Bcc: all@evil.example" in value for _key, value in found)  # words on one line


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("name", list(HEADERS_AT))
def test_what_is_no_address_gets_no_answers(name: str, number: int, request: pytest.FixtureRequest) -> None:
    sink: Sink = request.getfixturevalue(name)
    evil = "office@example.org\r\nBcc: all@evil.example"

    results = transport().send([outgoing(index, reply_to=evil) for index in range(1, number + 1)])

    assert [type(one) for one in results] == [Accepted] * number
    (taken,) = sink.requests
    assert b"evil" not in taken.body
    assert b"evil" not in (b"" if name != "ses" or number > 1 else _raw(taken))


def test_what_breaks_before_a_provider_is_called_is_no_doubt(ses: Sink, settings: Settings) -> None:
    """A client that cannot be made, for whatever reason: nothing left, so all of them may be tried again."""
    settings.AWS_REGION = "no region"

    results = transport().send([outgoing(1), outgoing(2)])

    assert [(one.is_temporary, "cannot be called" in one.why) for one in results if isinstance(one, Refused)] == [
        (True, True)
    ] * 2
    assert ses.requests == []


@pytest.mark.parametrize("name", ["sendgrid", "mailgun", "ses"])
def test_where_nobody_listens_nothing_was_taken(
    name: str, request: pytest.FixtureRequest, configure: Configure, settings: Settings
) -> None:
    request.getfixturevalue(name)
    nowhere = f"http://127.0.0.1:{closed_port()}"
    configure(SENDGRID_API_URL=nowhere, MAILGUN_API_URL=nowhere)
    settings.AWS_ENDPOINT_URL = nowhere

    results = transport().send([outgoing(1), outgoing(2)])

    assert [isinstance(one, Refused) and one.is_temporary for one in results] == [True, True]


@pytest.mark.parametrize("name", ["sendgrid", "mailgun", "ses"])
def test_a_bad_address_spoils_no_other(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(name)

    first, second, third = transport().send([outgoing(1), outgoing(2, address="nobody"), outgoing(3)])

    assert second == Refused("no valid address", is_hard=True)
    assert isinstance(first, Accepted)
    assert isinstance(third, Accepted)
