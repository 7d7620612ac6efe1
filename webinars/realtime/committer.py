"""Group commit: many sockets' beats in one statement, and no acknowledgement before its COMMIT."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, Protocol, TypeVar

from core.metrics import ACK_SECONDS, BEATS_RETURNED

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Sink(Protocol[Item, Result]):
    """Who hears what became of its items. Must not block: it is called on the event loop for a whole batch."""

    def committed(self, pairs: list[tuple[Item, Result]]) -> None: ...

    def not_committed(self, items: list[Item], *, retry_after: float) -> None: ...


Commit = Callable[[Sequence[Item]], Coroutine[Any, Any, Sequence[Result]]]


class GroupCommitter(Generic[Item, Result]):
    """Collects items for `max_wait` seconds or up to `max_batch`, and commits one batch while the next one collects.

    Nothing is kept after a failure: the sinks are told to send again, which costs the players a resend and this process
    no memory, however long the database is away. Until the pause is over new items are answered the same way, so an
    outage costs one attempt per pause and not one per beat.
    """

    def __init__(
        self,
        commit: Commit[Item, Result],
        *,
        max_wait: float = 0.15,
        max_batch: int = 1_000,
        max_queue: int = 20_000,
        crowded: int = 4_000,
        pauses: tuple[float, float] = (0.5, 15.0),
    ) -> None:
        self._commit = commit
        self._max_wait = max_wait
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._crowded = crowded
        self._pauses = pauses
        self._pause = pauses[0]
        self._paused_until = 0.0
        self._oldest = 0.0  # when the first item of the queue came
        self._queue: list[tuple[Item, Sink[Item, Result]]] = []
        self._filled = asyncio.Event()  # one item waits
        self._full = asyncio.Event()  # a batch waits, or the process stops
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        # Cleared while so much waits that sockets should not be read: taking in beats must not starve committing them.
        self.has_room = asyncio.Event()
        self.has_room.set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="group-commit")

    def add(self, item: Item, sink: Sink[Item, Result]) -> None:
        """Queue an item; when that is impossible now, the sink hears `not_committed` at once."""
        queue = self._queue
        if len(queue) >= self._max_queue or self._draining or time.monotonic() < self._paused_until:
            sink.not_committed([item], retry_after=self._retry_after())
            return
        queue.append((item, sink))
        if len(queue) == 1:
            self._oldest = time.monotonic()
            self._filled.set()
            self._idle.clear()
        elif len(queue) == self._max_batch:
            self._full.set()
        elif len(queue) == self._crowded:
            self.has_room.clear()

    async def drain(self, *, seconds: float) -> bool:
        """Commit what waits, and take nothing more. False when the time was not enough."""
        self._draining = True
        self._full.set()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._filled.wait()
            await self._collect()
            batch = self._queue[: self._max_batch]
            del self._queue[: self._max_batch]
            if not self._queue:
                self._filled.clear()
            if len(self._queue) < self._crowded:
                self.has_room.set()
            if len(self._queue) < self._max_batch and not self._draining:
                self._full.clear()
            await self._commit_batch(batch)
            if not self._queue:
                self._idle.set()

    async def _collect(self) -> None:
        """What came while the last batch was committed has waited already."""
        left = self._oldest + self._max_wait - time.monotonic()
        if left <= 0:
            return
        try:
            async with asyncio.timeout(left):
                await self._full.wait()
        except TimeoutError:
            return

    async def _commit_batch(self, batch: list[tuple[Item, Sink[Item, Result]]]) -> None:
        try:
            oldest = self._oldest
            results = await self._commit([item for item, _ in batch])
        except Exception:  # whatever it was, the beats are not in the database, and saying so is all that helps
            logger.exception("A batch of %d beats was not committed; its players will send it again", len(batch))
            self._paused_until = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, self._pauses[1])
            self._give_back(batch)
            return
        self._pause = self._pauses[0]
        self._report(batch, results)
        ACK_SECONDS.observe(time.monotonic() - oldest)

    def _give_back(self, batch: list[tuple[Item, Sink[Item, Result]]]) -> None:
        """The failed batch, and what was queued behind it: it would only fail later."""
        waiting, self._queue = self._queue, []
        self._filled.clear()
        self.has_room.set()
        after = self._retry_after()
        by_sink: dict[Sink[Item, Result], list[Item]] = {}
        BEATS_RETURNED.inc(len(batch) + len(waiting))
        for item, sink in (*batch, *waiting):
            by_sink.setdefault(sink, []).append(item)
        for sink, items in by_sink.items():
            sink.not_committed(items, retry_after=after)

    @staticmethod
    def _report(batch: list[tuple[Item, Sink[Item, Result]]], results: Sequence[Result]) -> None:
        by_sink: dict[Sink[Item, Result], list[tuple[Item, Result]]] = {}
        for (item, sink), result in zip(batch, results, strict=True):
            pair = (item, result)
            if sink in by_sink:
                by_sink[sink].append(pair)
            else:
                by_sink[sink] = [pair]
        for sink, pairs in by_sink.items():
            sink.committed(pairs)

    def _retry_after(self) -> float:
        """With jitter: thousands of players must not come back in the same moment."""
        left = max(0.0, self._paused_until - time.monotonic())
        return left + random.uniform(0.5, 2.0)  # noqa: S311  # spreading load, not a secret
