"""Players that behave: they keep a beat until it is answered, and send it again after every loss."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any, ClassVar

from websockets.asyncio.client import ClientConnection
from websockets.typing import Origin

from tests.faults.clients import PATIENCE, Client, give_up


@dataclass
class Player(Client):
    """Beat number n covers second n, so the coverage tells which beats arrived. Ends once everything is answered."""

    beat_seconds: ClassVar[float] = 0.15

    number: int = 0
    unacked: dict[int, float] = field(default_factory=dict)
    acked: set[int] = field(default_factory=set)
    refused: list[dict[str, Any]] = field(default_factory=list)
    retried: int = 0

    @property
    def is_done(self) -> bool:
        return self.is_ending and not self.unacked

    def said(self, number: int) -> None:
        """For those who keep a journal: before the beat leaves."""

    def answered(self, number: int, refusal: str = "") -> None:
        """Acknowledged, or refused for a reason. After a reconnect perhaps twice."""

    async def converse(self, line: ClientConnection) -> None:
        await line.send(json.dumps({"t": "hello", "session": self.viewer["session"]}))
        async with asyncio.timeout(10):
            frame = json.loads(await line.recv())
        if frame["t"] != "welcome":
            return
        for number in sorted(self.unacked):
            await self._send(line, number)
        speaker = asyncio.create_task(self._speak(line))
        try:
            await self._listen(line)
        finally:
            await give_up([speaker])

    async def _speak(self, line: ClientConnection) -> None:
        while not self.is_ending:
            await asyncio.sleep(self.beat_seconds * random.uniform(0.5, 1.5))
            self.number += 1
            self.unacked[self.number] = 0
            self.said(self.number)
            await self._send(line, self.number)

    @staticmethod
    async def _send(line: ClientConnection, number: int) -> None:
        await line.send(json.dumps({"t": "beat", "n": number, "s": [[number, number + 1]], "p": number + 1}))

    async def _listen(self, line: ClientConnection) -> None:
        while not self.is_done:
            async with asyncio.timeout(PATIENCE):
                frame = json.loads(await line.recv())
            if frame["t"] == "ack":
                for number in frame["n"]:
                    self.unacked.pop(number, None)
                    self.acked.add(number)
                    self.answered(number)
            elif frame["t"] == "retry":
                self.retried += len(frame["n"])
                asyncio.get_running_loop().call_later(frame["after"], self._again, line, frame["n"])
            elif frame["t"] == "refused":
                self.refused.append(frame)
                for number in frame["n"]:
                    self.unacked.pop(number, None)
                    self.answered(number, frame["reason"])
            elif frame["t"] == "bye":
                return

    def _again(self, line: ClientConnection, numbers: list[int]) -> None:
        for number in numbers:
            if number in self.unacked:
                task = asyncio.create_task(self._send(line, number))
                task.add_done_callback(lambda done: done.cancelled() or done.exception())


class Crowd:
    def __init__(self, viewers: list[dict[str, Any]], *, origin: str, port: int) -> None:
        self.players = [Player(viewer, Origin(origin), port) for viewer in viewers]
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.tasks = [asyncio.create_task(player.run()) for player in self.players]

    @property
    def acked(self) -> int:
        return sum(len(player.acked) for player in self.players)

    async def until_acked(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.acked < count:  # noqa: ASYNC110  # a sum over all players, who need not know of it
                await asyncio.sleep(0.02)

    async def finish(self) -> None:
        """Nobody says anything new; everybody waits until all is answered."""
        for player in self.players:
            player.is_ending = True
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*self.tasks)

    async def abandon(self) -> None:
        await give_up(self.tasks)

    def lost(self, coverage: dict[int, set[int]]) -> dict[int, set[int]]:
        """Acknowledged beats that are not in the database, by user."""
        missing = {p.viewer["user"]: p.acked - coverage.get(p.viewer["user"], set()) for p in self.players}
        return {user: numbers for user, numbers in missing.items() if numbers}
