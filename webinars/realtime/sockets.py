"""One open socket: sending without waiting, noticing who cannot keep up, closing."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

from webinars.realtime import frames
from webinars.realtime.frames import CLOSE_OF, Bye, Close

logger = logging.getLogger(__name__)
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

MOST_UNSENT_BYTES = 262_144  # that a browser may be behind before it is let go to come back with a fresh connection
SLOW_SECONDS = 10.0  # for taking one page of a replay
LINE = "line"  # the key among the scope's extensions


class Line(Protocol):
    """What `lms.realtime.Protocol` offers beyond ASGI: frames straight into the transport, without a task for each."""

    writable: asyncio.Event

    def say(self, data: bytes) -> int:
        """How many bytes wait in the transport now; -1 when nothing can be said any more."""

    def end(self, code: int) -> None: ...


class Parcel:
    """Frames for many sockets, put together once."""

    __slots__ = ("data", "texts")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.data = b"".join(map(frames.on_the_wire, texts))


class Outbox:
    """Frames to one socket. `push` never waits: one stalled browser must not hold up the others.

    Without a line (daphne, or another server) frames wait here for one sending task.
    """

    __slots__ = ("_line", "_send", "_task", "_waiting", "_waiting_size", "closed")

    def __init__(self, send: Send, line: Line | None = None) -> None:
        self._send = send
        self._line = line
        self._waiting: deque[Message] | None = None
        self._waiting_size = 0
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    def push(self, text: str) -> None:
        if self.closed:
            return
        if self._line is not None:
            self._say(self._line, frames.on_the_wire(text))
        else:
            self._queue({"type": "websocket.send", "text": text})

    def push_all(self, parcel: Parcel) -> None:
        if self.closed:
            return
        if self._line is not None:
            self._say(self._line, parcel.data)
            return
        for text in parcel.texts:
            self._queue({"type": "websocket.send", "text": text})

    def close(self, reason: Bye) -> None:
        if not self.closed:
            self.push(frames.bye(reason))
            self.close_with(int(CLOSE_OF[reason]))

    def close_with(self, code: int) -> None:
        if self.closed:
            return
        self.closed = True
        if self._line is not None:
            self._line.end(code)
        else:
            self._queue({"type": "websocket.close", "code": code}, force=True)

    async def drained(self) -> bool:
        """Once the browser has taken nearly everything; False (and closed) when it takes too long for that."""
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self._drained()
        except TimeoutError:
            self.close_with(int(Close.TRY_LATER))
        return not self.closed

    async def flushed(self) -> None:
        """A line hands over by itself what it has taken."""
        if self._line is None:
            await self._drained()

    async def _drained(self) -> None:
        if self._line is not None:
            await self._line.writable.wait()
        elif self._task is not None:
            await asyncio.wait({self._task})

    def _say(self, line: Line, data: bytes) -> None:
        unsent = line.say(data)
        if unsent < 0:
            self.closed = True
        elif unsent > MOST_UNSENT_BYTES:
            self.close_with(int(Close.TRY_LATER))

    def _queue(self, message: Message, *, force: bool = False) -> None:
        self._waiting_size += len(message.get("text", ""))
        if self._waiting_size > MOST_UNSENT_BYTES and not force:
            self.close_with(int(Close.TRY_LATER))
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)
        if self._task is None:
            self._task = asyncio.create_task(self._deliver(self._waiting))

    async def _deliver(self, waiting: deque[Message]) -> None:
        try:
            while waiting:
                message = waiting.popleft()
                await self._send(message)
                self._waiting_size -= len(message.get("text", ""))
        except (OSError, RuntimeError) as gone:  # the browser left; the servers say so in their own ways
            self.closed = True
            waiting.clear()
            logger.debug("A frame found its socket closed: %r", gone)
        finally:
            self._task = None
