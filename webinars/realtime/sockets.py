"""The open sockets of this process: sending without waiting, closing, and who may not stay."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, MutableMapping
from typing import Any, Generic, TypeVar

from webinars.realtime import frames
from webinars.realtime.frames import CLOSE_OF, Bye, Close

logger = logging.getLogger(__name__)
Viewer = TypeVar("Viewer", bound=Hashable)
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

MOST_UNSENT = 64  # frames a browser may be behind before it is let go to come back with a fresh connection


class Outbox:
    """Frames to one socket. `push` never waits: one stalled browser must not hold up the acks of a thousand others."""

    __slots__ = ("_send", "_unsent", "closed")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._unsent: set[asyncio.Task[None]] = set()
        self.closed = False

    def push(self, text: str) -> None:
        if self.closed:
            return
        if len(self._unsent) >= MOST_UNSENT:
            self.close_with(int(Close.TRY_LATER))
            return
        self._start({"type": "websocket.send", "text": text})

    def close(self, reason: Bye) -> None:
        if not self.closed:
            self._start({"type": "websocket.send", "text": frames.bye(reason)})
            self.close_with(int(CLOSE_OF[reason]))

    def close_with(self, code: int) -> None:
        if not self.closed:
            self.closed = True
            self._start({"type": "websocket.close", "code": code})

    def _start(self, message: Message) -> None:
        task = asyncio.create_task(self._deliver(message))
        self._unsent.add(task)
        task.add_done_callback(self._unsent.discard)

    async def _deliver(self, message: Message) -> None:
        try:
            await self._send(message)
        except (OSError, RuntimeError) as gone:  # the browser left; the servers say so in their own ways
            self.closed = True
            logger.debug("A frame found its socket closed: %r", gone)

    async def flushed(self) -> None:
        if self._unsent:
            await asyncio.wait(self._unsent)


class Registry(Generic[Viewer]):
    """One question to the database for all sockets of the process, every few seconds, whatever their number."""

    def __init__(
        self,
        find_revoked: Callable[[list[Viewer]], Awaitable[Mapping[Viewer, Bye]]],
        *,
        every_seconds: float = 2.0,
    ) -> None:
        self._find_revoked = find_revoked
        self._every = every_seconds
        self._boxes: dict[Viewer, set[Outbox]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="revocation")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, viewer: Viewer, box: Outbox) -> None:
        self._boxes.setdefault(viewer, set()).add(box)

    def remove(self, viewer: Viewer, box: Outbox) -> None:
        boxes = self._boxes.get(viewer, set())
        boxes.discard(box)
        if not boxes:
            self._boxes.pop(viewer, None)

    def __len__(self) -> int:
        return sum(map(len, self._boxes.values()))

    def all(self) -> list[Outbox]:
        return [box for boxes in self._boxes.values() for box in boxes]

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            viewers = list(self._boxes)
            if not viewers:
                continue
            try:
                found = await self._find_revoked(viewers)
            except Exception:  # without the database no beat is credited either; the next round asks again
                logger.exception("Could not ask who may stay")
                continue
            self._close(found)

    def _close(self, found: Mapping[Viewer, Bye]) -> None:
        for viewer, reason in found.items():
            for box in tuple(self._boxes.get(viewer, ())):
                box.close(reason)

    async def close_all(self, reason: Bye, *, seconds: float) -> None:
        """Staggered, so that the players of one replica do not reach the others in the same instant."""
        boxes = self.all()
        size = max(1, -(-len(boxes) // 20))
        for start in range(0, len(boxes), size):
            for box in boxes[start : start + size]:
                box.close(reason)
            await asyncio.sleep(seconds / 20)
        if boxes:
            await _flush(boxes)


async def _flush(boxes: Iterable[Outbox]) -> None:
    """A browser that takes nothing any more is not waited for."""
    await asyncio.wait([asyncio.create_task(box.flushed()) for box in boxes], timeout=2)
