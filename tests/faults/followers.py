"""Pages that follow a room: they remember the number of the last event, and ask for what comes after it."""

import asyncio
import contextlib
import json
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from websockets.asyncio.client import ClientConnection
from websockets.typing import Origin

from tests.faults.clients import PATIENCE, Client, give_up
from tests.faults.nursery import Program
from tests.faults.world import World


@dataclass
class Follower(Client):
    cuts: bool = False  # its line breaks at random
    mistake: int = 0  # in the number it remembers
    heard: list[int] = field(default_factory=list)
    reloads: int = 0

    pause: ClassVar[tuple[float, float]] = (0.01, 0.2)

    def listened(self, number: int) -> None:
        """For those who keep a journal."""

    async def converse(self, line: ClientConnection) -> None:
        if self.cuts:
            asyncio.get_running_loop().call_later(random.uniform(0.05, 1.0), line.transport.abort)
        since = max(0, self.heard[-1] + self.mistake) if self.heard else 0
        await line.send(json.dumps({"t": "room", "since": since}))
        while not self.is_ending:
            async with asyncio.timeout(PATIENCE):
                frame = json.loads(await line.recv())
            if frame["t"] == "event":
                self.heard.append(frame["number"])
                self.listened(frame["number"])
            elif frame["t"] == "reload":
                self.reloads += 1
            elif frame["t"] == "bye":
                return


class Audience:
    """Followers, and the process that posts to them."""

    def __init__(self, world: World, *, cuts: bool = False) -> None:
        origin = Origin("http://rounds.example")
        self.followers = [Follower(one, origin, world.port, cuts=cuts) for one in world.viewers]
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.tasks = [asyncio.create_task(follower.run()) for follower in self.followers]

    async def until_each_heard(self, count: int) -> None:
        """So many events more than now."""
        goals = [(follower, len(follower.heard) + count) for follower in self.followers]
        async with asyncio.timeout(PATIENCE):
            while any(len(follower.heard) < goal for follower, goal in goals):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def until_heard(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while any(not one.heard or one.heard[-1] < number for one in self.followers):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        for follower in self.followers:
            follower.is_ending = True
        await give_up(self.tasks)


@contextlib.contextmanager
def posting(world: World) -> Iterator[Program]:
    people = [str(one["user"]) for one in world.viewers[:5]]
    webinar_id = world.viewers[0]["path"].rstrip("/").rpartition("/")[2]
    poster = world.nursery.start("tests.faults.poster", webinar_id, *people)
    try:
        yield poster
    finally:
        poster.send_signal(signal.SIGKILL)


async def stop_posting(poster: Program) -> list[tuple[int, str, int | None]]:
    """What was posted, in order; the last is for everybody."""
    poster.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(poster.wait, PATIENCE) == 0, poster.complaints.read_text()
    return [tuple(json.loads(line)) for line in poster.output.read_text().splitlines()]
