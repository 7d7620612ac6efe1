"""Notices in the browser: encrypted for it, signed by us, and to nobody but a push service."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reminders.enums import Channel
from reminders.transports import Transport, push, transport_for
from reminders.transports.base import Accepted, Outgoing, Refused, Uncertain, browsers
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import Answer, Fault, Request, Sink, closed_port, running

VAPID = base64.urlsafe_b64encode(bytes(range(1, 33))).decode().rstrip("=")
BROWSER = ec.generate_private_key(ec.SECP256R1())
AUTH = b"0123456789abcdef"


def text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


P256DH = text(BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def takes(request: Request) -> Answer:
    return {"/gone": (410, {}, b""), "/lost": (404, {}, b""), "/slow": (429, {"Retry-After": "5"}, b"")}.get(
        request.path, (201, {"Location": "/m/1"}, b"")
    )


@pytest.fixture
def service(configure: Configure) -> Iterator[Sink]:
    with running(takes) as sink:
        configure(
            MESSAGES_PUSH="webpush",
            VAPID_PRIVATE_KEY=VAPID,
            VAPID_SUBJECT="mailto:office@example.org",
            PUSH_SERVICES=(sink.url,),
        )
        yield sink


def transport() -> Transport:
    found = transport_for(Channel.PUSH)
    assert found is not None
    return found


def outgoing(*endpoints: str, **values: Any) -> Outgoing:
    address = browsers((endpoint, P256DH, text(AUTH)) for endpoint in endpoints)
    shown: dict[str, Any] = {"subject": "We are live", "text": "Dr Öz Nair", "url": "https://learn.example.org/s/1"}
    return Outgoing(key=UUID(int=9), address=address, **(shown | values))


def decrypted(request: Request) -> dict[str, str]:
    """As the browser does it (RFC 8291)."""
    content = http_ece.decrypt(request.body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
    found: dict[str, str] = json.loads(content)
    return found


def test_the_browser_reads_it_and_the_service_cannot(service: Sink) -> None:
    assert transport().send([outgoing(f"{service.url}/a")]) == [Accepted()]

    (request,) = service.requests
    assert b"live" not in request.body
    assert decrypted(request) == {
        "title": "We are live",
        "body": "Dr Öz Nair",
        "url": "https://learn.example.org/s/1",
    }
    assert (request.headers["content-encoding"], request.headers["urgency"]) == ("aes128gcm", "high")
    assert request.headers["topic"] == UUID(int=9).hex
    assert int(request.headers["ttl"]) > 0


def test_the_service_knows_who_sends(service: Sink) -> None:
    transport().send([outgoing(f"{service.url}/a")])

    scheme, _, rest = service.requests[0].headers["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    point = base64.urlsafe_b64decode(push.public_key() + "==")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=service.url)
    assert scheme == "vapid"
    assert parts["k"].rstrip("=") == push.public_key().rstrip("=")
    assert claims["sub"] == "mailto:office@example.org"


def test_every_browser_of_a_person_gets_it_and_those_that_are_gone_are_named(service: Sink) -> None:
    paths = [f"{service.url}/{name}" for name in ("gone", "a", "lost", "b")]

    assert transport().send([outgoing(*paths)]) == [Accepted(gone=(paths[0], paths[2]))]
    assert [one.path for one in service.requests] == ["/gone", "/a", "/lost", "/b"]


def test_when_all_are_gone_there_is_no_address(service: Sink) -> None:
    (result,) = transport().send([outgoing(f"{service.url}/gone")])

    assert isinstance(result, Refused)
    assert (result.is_hard, result.is_temporary, result.gone) == (True, False, (f"{service.url}/gone",))


def test_one_that_may_take_it_later_is_waited_for(service: Sink) -> None:
    (result,) = transport().send([outgoing(f"{service.url}/gone", f"{service.url}/slow")])

    assert isinstance(result, Refused)
    assert (result.is_hard, result.is_temporary, result.retry_after) == (False, True, 5.0)


@pytest.mark.parametrize("fault", list(Fault))
def test_nobody_knows_of_what_was_taken_and_not_acknowledged(service: Sink, fault: Fault) -> None:
    service.faults = [fault]
    if fault is Fault.STALL:  # it waits for the whole time allowed: the other tests of that are enough
        service.faults = [(502, {}, b"")]

    (result,) = transport().send([outgoing(f"{service.url}/a")])

    assert isinstance(result, Uncertain)


def test_where_nobody_listens_nothing_was_taken(service: Sink, configure: Configure) -> None:
    nowhere = f"http://127.0.0.1:{closed_port()}"
    configure(PUSH_SERVICES=(nowhere,))

    (result,) = transport().send([outgoing(f"{nowhere}/a")])

    assert isinstance(result, Refused)
    assert result.is_temporary


def test_a_long_text_is_cut_and_not_refused(service: Sink) -> None:
    assert transport().send([outgoing(f"{service.url}/a", text="Ö" * 5_000)]) == [Accepted()]

    (request,) = service.requests
    assert len(request.body) < 4_096
    assert decrypted(request)["body"].startswith("ÖÖÖ")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "http://fcm.googleapis.com/fcm/send/x",
        "https://fcm.googleapis.com:8443/fcm/send/x",
        "https://fcm.googleapis.com@evil.example.org/x",
        "https://fcm.googleapis.com.evil.example.org/x",
        "https://evil.example.org/fcm.googleapis.com",
        "https://localhost/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_sec_26_a_browser_cannot_make_the_server_call_anything(service: Sink, endpoint: str) -> None:
    (result,) = transport().send([outgoing(endpoint)])

    assert not push.is_push_service(endpoint)
    assert result == Refused("not the address of a push service", is_hard=True, gone=(endpoint,))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/x",
        "https://updates.push.services.mozilla.com/wpush/v2/x",
        "https://web.push.apple.com/x",
        "https://wns2-par02p.notify.windows.com/w/?token=x",
    ],
)
def test_the_services_of_browsers_are_known(service: Sink, endpoint: str) -> None:
    assert push.is_push_service(endpoint)


def test_sec_26_a_service_sends_nobody_elsewhere(service: Sink) -> None:
    with running(takes) as other:
        service.faults = [(307, {"Location": f"{other.url}/elsewhere"}, b"")]
        (result,) = transport().send([outgoing(f"{service.url}/a")])

        assert not isinstance(result, Accepted)
        assert other.requests == []


@pytest.mark.parametrize("address", ["", "[]", "[[1]]", "{}", "null", '[["x"]]'])
def test_an_address_that_is_none_is_refused(service: Sink, address: str) -> None:
    (result,) = transport().send([Outgoing(key=UUID(int=1), address=address)])

    assert isinstance(result, Refused)
    assert result.is_hard


def test_keys_that_are_none_are_refused(service: Sink) -> None:
    bad = browsers([(f"{service.url}/a", "AAAA", text(AUTH)), (f"{service.url}/b", P256DH, "AA")])

    (result,) = transport().send([Outgoing(key=UUID(int=1), address=bad)])

    assert isinstance(result, Refused | Accepted)
    assert f"{service.url}/a" in result.gone


def test_without_keys_there_are_no_notices(configure: Configure) -> None:
    configure(VAPID_PRIVATE_KEY="")

    assert push.public_key() == ""
