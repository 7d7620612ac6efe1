"""A provider that cannot show who it is gets neither credentials nor messages."""

import datetime as dt
import ssl
from collections.abc import Iterator
from http.server import HTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reminders.transports.base import Refused
from tests.reminders.transports import providers
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import Sink, handler_of


def certificate(folder: Path) -> tuple[Path, Path]:
    """Of an authority that nobody knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Sink]:
    provider = providers.twilio()
    sink = Sink(provider.respond)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    server = HTTPServer(("127.0.0.1", 0), handler_of(sink))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # that nobody trusts it is what is wanted
    sink.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", list(providers.ALL))
def test_sec_26_an_impostor_gets_nothing(name: str, impostor: Sink, configure: Configure) -> None:
    provider = providers.ALL[name]()
    configure(**provider.settings(impostor.url))

    (result,) = provider.transport().send([providers.outgoing()])

    assert isinstance(result, Refused)
    assert (result.is_temporary, result.is_hard) == (True, False)
    assert impostor.requests == []
