"""HTTP as far as doctors need it, on a new connection each time: what matters is whether a request may have arrived."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

CSRF = "x" * 32
PATIENCE = 20.0


class NotSentError(Exception):
    """Nobody took the connection: nothing was done, for sure."""


class LostError(Exception):
    """It was sent, and no whole answer came back."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any = None
    cookie: str = ""
    is_form: bool = False

    def encoded(self) -> bytes:
        content = b""
        if self.body is not None:
            content = self.body.encode() if self.is_form else json.dumps(self.body).encode()
        kind = "application/x-www-form-urlencoded" if self.is_form else "application/json"
        cookies = "; ".join(part for part in (self.cookie, f"csrftoken={CSRF}") if part)
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Connection: close",
            "Accept: application/json, text/html",
            f"Cookie: {cookies}",
            f"X-CSRFToken: {CSRF}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(content)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    def json(self) -> Any:
        return json.loads(self.content)


async def ask(port: int, request: Request, *, patience: float = PATIENCE) -> Answer:
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError) as error:
        raise NotSentError(repr(error)) from error
    try:
        async with asyncio.timeout(patience):
            writer.write(request.encoded())
            await writer.drain()
            return await _answer(reader)
    except (OSError, TimeoutError, EOFError, ValueError, IndexError) as error:
        raise LostError(repr(error)) from error
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    if "chunked" in headers.get("transfer-encoding", ""):
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        return Answer(status, headers, b"".join(parts))
    if "content-length" in headers:
        return Answer(status, headers, await reader.readexactly(int(headers["content-length"])))
    return Answer(status, headers, await reader.read())
