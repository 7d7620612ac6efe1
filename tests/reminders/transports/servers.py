"""The far ends: servers on this machine that speak the providers' protocols, and do as they are told.

`Sink` answers HTTP, `MailServer` SMTP. Both keep what they took, whatever they say about it afterwards.
"""

import contextlib
import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.processes import wait_until


class Fault(Enum):
    """What happens to a request after it was read and taken."""

    STALL = "stall"  # nothing is answered
    HANG_UP = "hang up"
    ERROR = "error"  # 500


def patience_for(fault: object) -> float:
    """A timeout in seconds: where nothing is answered, a moment does; otherwise what the slowest machine needs."""
    return 0.2 if fault is Fault.STALL else 30


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


Answer = tuple[int, dict[str, str], bytes]
Responder = Callable[[Request], Answer]


@dataclass
class Sink:
    """`responder` says what a good provider would; `faults` are used up one by one before it is asked to answer."""

    responder: Responder
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault | Answer] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Request) -> Answer | Fault:
        with self.lock:
            self.requests.append(request)
            fault = self.faults.pop(0) if self.faults else None
            if isinstance(fault, tuple):
                return fault
            answer = self.responder(request)
            return answer if fault is None else fault

    def has_taken(self, number: int) -> bool:
        """Waits for it: who gave up waiting for an answer may have done so before the request was read."""

        def is_there() -> bool:
            with self.lock:
                return len(self.requests) >= number

        return wait_until(is_there, seconds=30, every=0.01)


def handler_of(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = sink.take(Request(self.command, self.path, headers, body))
            if answer is Fault.STALL:
                sink.over.wait(30)
                self.close_connection = True
                return
            if answer is Fault.HANG_UP:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, more, content = (500, {}, b"oops") if isinstance(answer, Fault) else answer
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _handle  # noqa: N815  # the library's names

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    request_queue_size = (
        128  # of more than five calls at once the kernel would drop one, which knocks again in a second
    )


@contextlib.contextmanager
def running(responder: Responder) -> Iterator[Sink]:
    sink = Sink(responder)
    server = _Server(("127.0.0.1", 0), handler_of(sink))
    sink.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sink
    finally:
        sink.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port() -> int:
    """Where nobody listens, nor begins to: one that was just let go may be the next one's."""
    return 1


@dataclass
class MailServer:
    """Answers by rule: `replies[(command, address)]`, or `replies[command]`. DATA's own rules come after the last dot.

    `after_dot` "stall" or "hang up": the message is taken, and nothing said.
    """

    port: int = 0
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    replies: dict[Any, str] = field(default_factory=dict)
    after_dot: str = ""
    in_data: str = ""
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class _MailHandler(socketserver.StreamRequestHandler):
    box: MailServer

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self.box.connections += 1
        self.say("220 mail.example.org")
        to = ""
        for raw in self.rfile:
            line = raw.decode().strip()
            self.box.commands.append(line)
            verb = line.split()[0].upper()
            if found := re.search(r"TO:<(.*)>", line):
                to = found.group(1)
            if not self.answer(verb, to):
                return

    def answer(self, verb: str, to: str) -> bool:
        """Whether the connection stays."""
        reply = self.box.replies.get((verb, to)) or self.box.replies.get(verb)
        if reply:
            self.say(reply)
            return not reply.startswith("421")
        if verb == "DATA":
            return self.data(to)
        self.say({"EHLO": "250-mail\r\n250 8BITMIME", "QUIT": "221 bye"}.get(verb, "250 OK"))
        return verb != "QUIT"

    def data(self, to: str) -> bool:
        self.say("354 go on")
        if self.box.in_data == "hang up":
            return False
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw.removeprefix(b".") if raw.startswith(b"..") else raw)
        else:
            return False
        if reply := self.box.replies.get(("END", to)) or self.box.replies.get("END"):
            self.say(reply)
            return True
        self.box.messages.append((to, b"".join(lines)))
        if self.box.after_dot == "stall":
            self.box.over.wait(30)
        if self.box.after_dot:
            return False
        self.say("250 taken")
        return True


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    box = MailServer()
    handler = type("Handler", (_MailHandler,), {"box": box})
    with _MailServer(("127.0.0.1", 0), handler) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield box
        finally:
            box.over.set()
            server.shutdown()
            thread.join()
