"""TLS before a PostgreSQL that was built without: what is asked in the clear is not answered."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")  # PostgreSQL's SSLRequest


@contextmanager
def encrypted(to: tuple[str, int], *, certificate: Path, key: Path) -> Iterator[int]:
    """The port; every connection there is one to `to`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Door(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(8, socket.MSG_WAITALL) != ASKS_FOR_TLS:
                return
            self.request.sendall(b"S")
            # A caller that does not trust the certificate breaks off: that is what is tried.
            with (
                suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as caller,
                socket.create_connection(to) as postgres,
            ):
                back = threading.Thread(target=_copy, args=(postgres, caller), daemon=True)
                back.start()
                _copy(caller, postgres)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Until one of them ends; then the other one is told."""
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
