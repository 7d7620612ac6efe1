"""The open sockets of this process, and who of them may not stay."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

from webinars.realtime.frames import Bye, Close
from webinars.realtime.sockets import Outbox

logger = logging.getLogger(__name__)
Viewer = TypeVar("Viewer", bound=Hashable)


class Registry(Generic[Viewer]):
    """One question to the database for all sockets of the process, every few seconds, whatever their number."""

    def __init__(
        self,
        find_revoked: Callable[[list[Viewer]], Awaitable[Mapping[Viewer, Viewer | Bye | None]]],
        *,
        every_seconds: float = 2.0,
    ) -> None:
        self._find_revoked = find_revoked
        self._every = every_seconds
        self._boxes: dict[Viewer, dict[Outbox, Callable[[Viewer], None]]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="revocation")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, viewer: Viewer, box: Outbox, become: Callable[[Viewer], None]) -> None:
        """`become` is told when the viewer is another one, who stays; `remove` wants the latest."""
        self._boxes.setdefault(viewer, {})[box] = become

    def remove(self, viewer: Viewer, box: Outbox) -> None:
        boxes = self._boxes.get(viewer, {})
        boxes.pop(box, None)
        if not boxes:
            self._boxes.pop(viewer, None)

    def __len__(self) -> int:
        return sum(map(len, self._boxes.values()))

    def all(self) -> list[Outbox]:
        return [box for boxes in self._boxes.values() for box in boxes]

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception:  # without the database no beat is credited either; the next round asks again
                logger.exception("Could not ask who may stay")

    async def look(self) -> None:
        """Now: also before anything is delivered that was said after rights had changed."""
        if viewers := list(self._boxes):
            self._apply(await self._find_revoked(viewers))

    def _apply(self, found: Mapping[Viewer, Viewer | Bye | None]) -> None:
        """None: what the person is here has changed. The socket is closed to come back and be let in as that."""
        for viewer, verdict in found.items():
            if isinstance(verdict, Bye):
                for box in tuple(self._boxes.get(viewer, ())):
                    box.close(verdict)
            elif verdict is None:
                for box in tuple(self._boxes.get(viewer, ())):
                    box.close_with(int(Close.TRY_LATER))
            else:
                for box, become in self._boxes.pop(viewer, {}).items():
                    become(verdict)
                    self.add(verdict, box, become)

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
