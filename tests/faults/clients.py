"""A page that comes back after every loss, until it is told to end; what it says there is for its subclasses."""

import asyncio
import contextlib
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Origin

PATIENCE = 90.0


@dataclass
class Client(ABC):
    viewer: dict[str, Any]
    origin: Origin
    port: int
    connections: int = 0
    is_ending: bool = False

    pause: ClassVar[tuple[float, float]] = (0.05, 0.3)

    @property
    def is_done(self) -> bool:
        return self.is_ending

    async def run(self) -> None:
        while not self.is_done:
            with contextlib.suppress(OSError, WebSocketException, InvalidHandshake, TimeoutError, EOFError):
                async with self._connected() as line:
                    await self.converse(line)
            await asyncio.sleep(random.uniform(*self.pause))

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        async with connect(
            f"ws://127.0.0.1:{self.port}{self.viewer['path']}",
            origin=self.origin,
            additional_headers={"Cookie": f"sessionid={self.viewer['cookie']}"},
            compression=None,
            open_timeout=10,
            close_timeout=1,
        ) as line:
            self.connections += 1
            yield line

    @abstractmethod
    async def converse(self, line: ClientConnection) -> None: ...


async def give_up(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
