"""The wire: one HTTP/1.1 connection and one WebSocket, over asyncio and nothing else.

A client library costs more than the site's own part of many requests. What is left out here is what the site never
does: pipelining, fragments, compression of frames. Client frames are masked with zero, which is valid and free.
"""

import asyncio
import base64
import os
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from operations.domain.crowd.plan import Place

MOST_BODY = 32 * 1024 * 1024
SWITCHING = 101
TEXT, CLOSE, PING = 1, 8, 9
PONG_HEAD = 0x8A
AGENT = "Mozilla/5.0 (compatible; rounds-crowd)"


class NotSentError(Exception):
    """Nothing of the request can have happened."""


class LostError(Exception):
    """The answer did not come: what was asked for may have happened or not."""


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes = b""

    @property
    def text(self) -> str:
        if self.headers.get("content-encoding") == "gzip":
            return zlib.decompress(self.body, 31).decode()
        return self.body.decode()


class Reading:
    """Collects one answer from the bytes that come."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._answer: Answer | None = None
        self._left: int | None = None
        self._chunked = False

    @property
    def has_begun(self) -> bool:
        return bool(self._data) or self._answer is not None

    def feed(self, data: bytes) -> Answer | None:
        self._data += data
        if len(self._data) > MOST_BODY:
            raise LostError("an answer without an end")
        if self._answer is None and not self._read_head():
            return None
        if self._chunked:
            return self._read_chunks()
        if self._left is None or len(self._data) < self._left:
            return None
        return self._done(bytes(self._data[: self._left]))

    def close(self) -> Answer | None:
        """The other side has ended; an answer without a length ends there."""
        if self._answer is not None and self._left is None and not self._chunked:
            return self._done(bytes(self._data))
        return None

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *rest = self._data[:end].decode("latin-1").split("\r\n")
        del self._data[: end + 4]
        status = int(first.split(" ", 2)[1])
        headers, cookies = {}, []
        for line in rest:
            name, _, value = line.partition(":")
            name = name.lower()
            if name == "set-cookie":
                cookies.append(value.strip())
            else:
                headers[name] = value.strip()
        self._answer = Answer(status, headers, cookies)
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        if status in {204, 304}:
            self._left = 0
        elif "content-length" in headers:
            self._left = int(headers["content-length"])
        return True

    def _read_chunks(self) -> Answer | None:
        at = 0
        parts: list[bytes] = []
        while (end := self._data.find(b"\r\n", at)) >= 0:
            size = int(self._data[at:end].split(b";")[0], 16)
            if len(self._data) < end + 2 + size + 2:
                return None
            if size == 0:
                return self._done(b"".join(parts))
            parts.append(bytes(self._data[end + 2 : end + 2 + size]))
            at = end + 2 + size + 2
        return None

    def _done(self, body: bytes) -> Answer:
        assert self._answer is not None  # noqa: S101 - the head was read
        self._answer.body = body
        return self._answer


class Connection(asyncio.Protocol):
    """One request at a time; kept open between them for as long as the server likes."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reading = Reading()
        self._waiting: asyncio.Future[Answer] | None = None
        self.served = 0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_busy(self) -> bool:
        return self._waiting is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        try:
            answer = self._reading.feed(data)
        except (LostError, ValueError, IndexError) as error:
            self._fail(LostError(str(error)))
            return
        if answer is not None:
            self._answered(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        answer = self._reading.close() if exc is None else None
        if answer is not None:
            self._answered(answer)
        # Of a kept connection that ended before a byte came back, browsers too say that nothing has happened.
        elif self.served and not self._reading.has_begun:
            self._fail(NotSentError("the kept connection had ended"))
        else:
            self._fail(LostError(f"reset: {exc}" if exc else "closed"))

    def _answered(self, answer: Answer) -> None:
        self._reading = Reading()
        self.served += 1
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def _fail(self, error: Exception) -> None:
        self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    async def ask(self, request: bytes, seconds: float) -> Answer:
        if self._transport is None:
            raise NotSentError("no connection")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            async with asyncio.timeout(seconds):
                return await self._waiting
        except TimeoutError as error:
            self.close()
            raise LostError("timeout") from error
        except asyncio.CancelledError:  # or the next one would be given this answer
            self.close()
            raise
        finally:
            self._waiting = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Frames:
    """Splits a server's byte stream (never masked, never fragmented here) into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        data = self._rest + data
        found, at, size = [], 0, len(data)
        while size - at >= 2:
            length, head = data[at + 1], 2
            if length >= 126:
                head = 4 if length == 126 else 10
                if size - at < head:
                    break
                length = int.from_bytes(data[at + 2 : at + head], "big")
            if size - at < head + length:
                break
            found.append((data[at] & 0x0F, data[at + head : at + head + length]))
            at += head + length
        self._rest = data[at:]
        return found


def client_frame(payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


class Socket(asyncio.Protocol):
    """A WebSocket. `heard` gets every text, `lost` the close code: 1006 without one, 0 when we closed it ourselves."""

    def __init__(self, handshake: bytes, *, heard: Callable[[bytes], None], lost: Callable[[int], None]) -> None:
        self._handshake, self._heard, self._lost = handshake, heard, lost
        self._frames = Frames()
        self._head = b""
        self._code = 1006
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.retry_after = ""

    @property
    def is_open(self) -> bool:
        return self._transport is not None and self.opened.done() and self.opened.result() == SWITCHING

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        transport.write(self._handshake)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            head, found, data = (self._head + data).partition(b"\r\n\r\n")
            if not found:
                self._head = head
                return
            self._open(head)
        if not self.is_open:
            return
        for opcode, payload in self._frames.feed(data):
            if opcode == TEXT:
                self._heard(payload)
            elif opcode == PING and self._transport is not None:
                self._transport.write(bytes((PONG_HEAD, 0x80 | len(payload))) + b"\0\0\0\0" + payload)
            elif opcode == CLOSE:
                self._code = int.from_bytes(payload[:2], "big") or 1005
                self._end()

    def _open(self, head: bytes) -> None:
        first, *rest = head.decode("latin-1").split("\r\n")
        for line in rest:
            name, _, value = line.partition(":")
            if name.lower() == "retry-after":
                self.retry_after = value.strip()
        status = int(first.split(" ", 2)[1])
        self.opened.set_result(status)
        if status != SWITCHING:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.opened.done():
            self.opened.set_result(0)
        self._lost(self._code)

    def say(self, text: bytes) -> None:
        if self._transport is not None:
            self._transport.write(client_frame(text))

    def close(self) -> None:
        """As a browser that leaves: a close frame, and the line is dropped."""
        if self._transport is None:
            return
        if self.is_open:
            self._transport.write(b"\x88\x82\0\0\0\0\x03\xe8")
        self._code = 0
        self._end()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()


def handshake(path: str, *, host: str, origin: str, cookies: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nOrigin: {origin}\r\nCookie: {cookies}\r\n"
        f"User-Agent: {AGENT}\r\n\r\n"
    ).encode()


def request(
    method: str, path: str, *, host: str, cookies: str, headers: Mapping[str, str], body: bytes | None = None
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"User-Agent: {AGENT}", "Accept-Encoding: gzip"]
    if cookies:
        lines.append(f"Cookie: {cookies}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


Protocol = TypeVar("Protocol", bound=asyncio.Protocol)


@dataclass(slots=True)
class Route:
    """How one doctor reaches a place, from an address of their own."""

    place: Place
    address: str = ""
    tls: ssl.SSLContext | None = None

    async def connect(self, make: Callable[[], Protocol], seconds: float) -> Protocol:
        local = (self.address, 0) if self.address else None
        opening = asyncio.get_running_loop().create_connection(
            make, self.place.host, self.place.port, ssl=self.tls, local_addr=local
        )
        try:
            async with asyncio.timeout(seconds):
                _, protocol = await opening
        except (OSError, TimeoutError) as error:
            raise NotSentError(f"connect: {type(error).__name__}") from error
        return protocol
