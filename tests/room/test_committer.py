"""The group committer and the outbox by themselves, without a server or a database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from webinars.realtime.committer import GroupCommitter
from webinars.realtime.frames import Bye
from webinars.realtime.limits import TokenBucket
from webinars.realtime.sockets import MOST_UNSENT_BYTES, Outbox

PATIENCE = 45.0


class Hearer:
    def __init__(self) -> None:
        self.committed_items: list[tuple[int, str]] = []
        self.returned: list[tuple[int, float]] = []
        self.changed = asyncio.Event()

    def committed(self, pairs: list[tuple[int, str]]) -> None:
        self.committed_items += pairs
        self.changed.set()

    def not_committed(self, items: list[int], *, retry_after: float) -> None:
        self.returned += [(item, retry_after) for item in items]
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class Store:
    """A commit that can be held up or broken."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_broken = False

    async def __call__(self, items: Sequence[int]) -> list[str]:
        await self.gate.wait()
        if self.is_broken:
            raise ConnectionError("the database is away")
        self.batches.append(list(items))
        return [f"saved {item}" for item in items]


def make(store: Store, **options: Any) -> GroupCommitter[int, str]:
    committer: GroupCommitter[int, str] = GroupCommitter(store, **({"max_wait": 0.01} | options))
    committer.start()
    return committer


async def test_items_are_committed_together_and_reported_per_sink_in_order() -> None:
    store, one, two = Store(), Hearer(), Hearer()
    committer = make(store)
    for item in range(10):
        committer.add(item, one if item % 2 else two)
    await one.until(lambda: len(one.committed_items) == 5)
    assert store.batches == [list(range(10))]
    assert [item for item, _ in two.committed_items] == [0, 2, 4, 6, 8]
    assert one.committed_items[0] == (1, "saved 1")
    await committer.stop()


async def test_nothing_is_reported_before_the_commit_and_the_next_batch_collects_meanwhile() -> None:
    store, hearer = Store(), Hearer()
    store.gate.clear()
    committer = make(store, max_batch=3)
    for item in range(8):
        committer.add(item, hearer)
    await asyncio.sleep(0.05)
    assert hearer.committed_items == []
    store.gate.set()
    await hearer.until(lambda: len(hearer.committed_items) == 8)
    assert store.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]
    await committer.stop()


async def test_a_failed_commit_is_given_back_with_what_waits_behind_it() -> None:
    store, hearer = Store(), Hearer()
    store.is_broken = True
    committer = make(store, max_batch=2, pauses=(1.0, 1.0))
    for item in range(5):
        committer.add(item, hearer)
    await hearer.until(lambda: len(hearer.returned) == 5)
    assert hearer.committed_items == []
    assert all(after >= 0.5 for _, after in hearer.returned)
    committer.add(9, hearer)  # during the pause: no attempt, an answer at once
    assert hearer.returned[-1][0] == 9
    store.is_broken = False
    async with asyncio.timeout(PATIENCE):
        while not hearer.committed_items:
            committer.add(10, hearer)
            await asyncio.sleep(0.02)
    assert 10 in store.batches[0]
    await committer.stop()


async def test_a_full_queue_takes_nothing_more() -> None:
    store, hearer = Store(), Hearer()
    store.gate.clear()
    committer = make(store, max_queue=4, max_batch=2)
    for item in range(7):
        committer.add(item, hearer)
    assert [item for item, _ in hearer.returned] == [4, 5, 6]
    store.gate.set()
    await hearer.until(lambda: len(hearer.committed_items) == 4)
    await committer.stop()


async def test_a_crowded_queue_asks_its_sockets_to_wait_until_it_is_shorter() -> None:
    store, hearer = Store(), Hearer()
    store.gate.clear()
    committer = make(store, crowded=4, max_batch=2)
    for item in range(3):
        committer.add(item, hearer)
    assert committer.has_room.is_set()
    for item in range(3, 8):
        committer.add(item, hearer)
    assert not committer.has_room.is_set()
    store.gate.set()
    async with asyncio.timeout(PATIENCE):
        await committer.has_room.wait()
    await hearer.until(lambda: len(hearer.committed_items) == 8)
    assert hearer.returned == []
    await committer.stop()


async def test_draining_commits_what_waits_and_takes_nothing_more() -> None:
    store, hearer = Store(), Hearer()
    committer = make(store, max_wait=60.0)
    committer.add(1, hearer)
    assert await committer.drain(seconds=PATIENCE)
    assert hearer.committed_items == [(1, "saved 1")]
    committer.add(2, hearer)
    assert [item for item, _ in hearer.returned] == [2]
    await committer.stop()


async def test_draining_gives_up_on_a_database_that_does_not_answer() -> None:
    store, hearer = Store(), Hearer()
    store.gate.clear()
    committer = make(store)
    committer.add(1, hearer)
    assert not await committer.drain(seconds=0.05)
    assert hearer.committed_items == []
    await committer.stop()


def stalling(sent: list[Any], gate: asyncio.Event) -> Callable[[Any], Awaitable[None]]:
    async def send(message: Any) -> None:
        await gate.wait()
        sent.append(message)

    return send


async def test_a_stalled_browser_is_let_go_and_holds_nobody_up() -> None:
    sent: list[Any] = []
    gate = asyncio.Event()
    box = Outbox(stalling(sent, gate))
    frame = "x" * (MOST_UNSENT_BYTES // 4)
    for _ in range(6):
        box.push(frame)
    assert box.closed
    gate.set()
    await box.flushed()
    assert [message.get("text") for message in sent[:-1]] == [frame] * 4
    assert sent[-1] == {"type": "websocket.close", "code": 1013}


async def test_a_closed_box_sends_its_goodbye_once_and_nothing_after() -> None:
    sent: list[Any] = []
    gate = asyncio.Event()
    gate.set()
    box = Outbox(stalling(sent, gate))
    box.close(Bye.SIGNED_OUT)
    box.close(Bye.RESTARTING)
    box.push("late")
    await box.flushed()
    assert sent == [
        {"type": "websocket.send", "text": '{"t":"bye","reason":"signed_out"}'},
        {"type": "websocket.close", "code": 4401},
    ]


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("already closed")])
async def test_a_vanished_browser_closes_its_box(error: Exception) -> None:
    async def send(message: Any) -> None:
        raise error

    box = Outbox(send)
    box.push("hello")
    await box.flushed()
    assert box.closed


def test_sec_17_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(per_minute=1, burst=5)
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize("steps", range(5))
async def test_it_stops_though_a_batch_fills_in_the_same_moment(steps: int) -> None:
    """A cancellation must not be lost between the event and who waits for it, at whatever step of the loop it comes."""
    committer = make(Store(), max_wait=60, max_batch=2)
    committer.add(1, Hearer())
    for _ in range(5):
        await asyncio.sleep(0)
    committer.add(2, Hearer())
    for _ in range(steps):
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        await committer.stop()
    assert committer._task
    assert committer._task.done()
