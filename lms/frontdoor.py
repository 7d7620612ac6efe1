"""The front door of `script/server`: one port, spliced to the web or the realtime tier by the first request's path.

A production site has nginx or a load balancer here (`deploy/nginx/`). A browser opens a new TCP connection for a
WebSocket, so the first request decides for the whole connection, and nothing after its headers is looked at.
"""

import argparse
import asyncio
import os
import signal
import socket
from typing import Any, cast

HEAD_LIMIT = 65_536
HEAD_SECONDS = 15.0
DRAIN_SECONDS = 3.0
REALTIME_PREFIX = b"/ws/"
UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 2\r\n"
    b"Connection: close\r\n\r\nThe site is starting. Please try again in a moment.\n"
)
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Relay(asyncio.Protocol):
    """One end of a spliced connection; backpressure goes through, so a slow reader costs no memory."""

    transport: asyncio.Transport
    peer: "Relay | None" = None
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.peer:
            self.peer.transport.write(data)

    def pause_writing(self) -> None:
        if self.peer:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def eof_received(self) -> bool:
        """One direction may end before the other; when both have ended the connection is over."""
        self.ended = True
        if self.peer is None or self.peer.ended or self.peer.transport.is_closing():
            return False
        self.peer.transport.write_eof()
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        peer, self.peer = self.peer, None
        if peer:
            peer.peer = None
            peer.transport.close()  # sends what is buffered first


class Caller(Relay):
    """The browser's end: reads the head of the first request, then becomes a plain relay."""

    def __init__(self, door: "FrontDoor") -> None:
        self.door = door
        self.head = bytearray()
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.door.callers.add(self)
        self.timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.close)

    def data_received(self, data: bytes) -> None:
        if self.peer:
            self.peer.transport.write(data)
            return
        self.head += data
        if b"\r\n\r\n" in self.head:
            self.transport.pause_reading()
            self.door.connect(self)
        elif len(self.head) > HEAD_LIMIT:
            self.refuse(TOO_LARGE)

    def refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.timer:
            self.timer.cancel()
        self.door.callers.discard(self)
        super().connection_lost(error)


class FrontDoor:
    """`forwarded_is_trusted`: another proxy stands in front, and X-Forwarded-For is its word, not the caller's."""

    def __init__(self, *, web: str, realtime: str, forwarded_is_trusted: bool) -> None:
        self.web = web
        self.realtime = realtime
        self.forwarded_is_trusted = forwarded_is_trusted
        self.callers: set[Caller] = set()
        self.pending: set[asyncio.Task[None]] = set()

    def connect(self, caller: Caller) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(caller))
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)

    async def _connect(self, caller: Caller) -> None:
        if caller.timer:
            caller.timer.cancel()
        head = bytes(caller.head)
        realtime = is_realtime(head)
        try:
            loop = asyncio.get_running_loop()
            _, backend = await loop.create_unix_connection(Relay, self.realtime if realtime else self.web)
        except OSError:  # not started yet, or being restarted by the supervisor
            caller.refuse(UNAVAILABLE)
            return
        if caller.transport.is_closing():
            backend.transport.close()
            return
        address = caller.transport.get_extra_info("peername")
        if not realtime:
            head = proxy_line(address, caller.transport.get_extra_info("sockname")) + head
        else:
            head = with_address(head, address[0], keep=self.forwarded_is_trusted)
        caller.peer, backend.peer = backend, caller
        backend.transport.write(head)
        caller.head.clear()
        caller.transport.resume_reading()

    async def serve(self, sockets: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        servers = [await loop.create_server(lambda: Caller(self), sock=sock, backlog=1024) for sock in sockets]
        await stop.wait()
        for server in servers:
            server.close()
        deadline = loop.time() + DRAIN_SECONDS
        while self.callers and loop.time() < deadline:
            for caller in [caller for caller in self.callers if caller.peer is None]:
                caller.transport.close()  # kept-alive and idle: nothing is owed
            await asyncio.sleep(0.05)
        for caller in list(self.callers):
            caller.transport.abort()


def is_realtime(head: bytes) -> bool:
    target = head.split(b"\r\n", 1)[0].split(b" ")
    return len(target) > 1 and target[1].startswith(REALTIME_PREFIX)


def proxy_line(source: tuple[Any, ...], destination: tuple[Any, ...]) -> bytes:
    """PROXY protocol, version 1: tells the web tier the caller's address once per connection."""
    family = "TCP6" if ":" in source[0] else "TCP4"
    return f"PROXY {family} {source[0]} {destination[0]} {source[1]} {destination[1]}\r\n".encode()


def with_address(head: bytes, address: str, *, keep: bool) -> bytes:
    """Adds the caller to X-Forwarded-For, and drops what the caller itself wrote there unless a proxy is trusted."""
    lines, separator, body = head.partition(b"\r\n\r\n")
    first, *headers = lines.split(b"\r\n")
    given = [line for line in headers if line.lower().startswith(b"x-forwarded-for:")]
    chain = [line.partition(b":")[2].strip() for line in given] if keep else []
    chain.append(address.encode())
    others = [line for line in headers if line not in given]
    return b"\r\n".join([first, b"X-Forwarded-For: " + b", ".join(chain), *others]) + separator + body


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lms.frontdoor")
    parser.add_argument("--socket", type=int, action="append", required=True, help="file descriptor of a bound socket")
    parser.add_argument("--web", required=True, help="Unix socket of the WSGI server")
    parser.add_argument("--realtime", required=True, help="Unix socket of the ASGI server")
    options = parser.parse_args()
    door = FrontDoor(
        web=options.web,
        realtime=options.realtime,
        forwarded_is_trusted=os.environ.get("TRUSTED_PROXIES", "0").strip() not in {"", "0"},
    )
    asyncio.run(door.serve([socket.socket(fileno=number) for number in options.socket]))


if __name__ == "__main__":
    main()
