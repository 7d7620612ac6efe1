"""What was acknowledged is in the database, whoever dies; what was not arrives after the reconnect, and once."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.players import Crowd
from tests.faults.world import ORIGIN, World

pytestmark = [pytest.mark.faults, pytest.mark.site, pytest.mark.long]
VIEWERS = 50


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="lms-faults-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        world = World(directory, viewers=VIEWERS)
        try:
            yield world
        finally:
            world.end()


@pytest.fixture
def crowd(world: World) -> Iterator[Crowd]:
    world.forget()
    yield Crowd(world.viewers, origin=ORIGIN, port=world.port)
    if world.realtime and world.realtime.poll() is None:
        world.kill_realtime()


def check(crowd: Crowd, world: World) -> None:
    """Every beat that anybody made is answered, in the database, and counted once."""
    coverage = world.coverage()
    assert crowd.lost(coverage) == {}
    for player in crowd.players:
        assert player.refused == []
        assert player.acked == set(range(1, player.number + 1)) == coverage[player.viewer["user"]]


async def test_the_check_catches_an_acknowledgement_before_the_commit(world: World, crowd: Crowd) -> None:
    """The planted bug: the same load, the same kill, the same check – and it must find acknowledged beats missing."""
    world.start_realtime("tests.faults.planted")
    crowd.start()
    await crowd.until_acked(VIEWERS * 10)
    world.kill_realtime()
    await crowd.abandon()
    assert crowd.lost(world.coverage()) != {}


async def test_kill_9_of_the_realtime_process_loses_nothing_and_doubles_nothing(world: World, crowd: Crowd) -> None:
    world.start_realtime()
    crowd.start()
    for round_number in range(1, 4):
        await crowd.until_acked(crowd.acked + VIEWERS * 6)
        world.kill_realtime()
        assert crowd.lost(world.coverage()) == {}, f"kill {round_number}"
        world.start_realtime()
    await crowd.until_acked(crowd.acked + VIEWERS * 2)
    assert all(player.connections >= 3 for player in crowd.players)
    await crowd.finish()
    check(crowd, world)


async def test_a_stopping_process_sends_everybody_to_the_next_without_loss(world: World, crowd: Crowd) -> None:
    world.start_realtime()
    crowd.start()
    await crowd.until_acked(VIEWERS * 5)
    assert await asyncio.to_thread(world.stop_realtime) in {0, -15}
    assert crowd.lost(world.coverage()) == {}
    world.start_realtime()
    await crowd.until_acked(crowd.acked + VIEWERS * 2)
    await crowd.finish()
    check(crowd, world)


async def test_a_crash_of_postgresql_loses_nothing_that_was_acknowledged(world: World, crowd: Crowd) -> None:
    world.start_realtime()
    crowd.start()
    await crowd.until_acked(VIEWERS * 5)
    world.crash_postgres()
    acked = crowd.acked
    world.start_postgres()
    assert crowd.lost(world.coverage()) == {}
    await crowd.until_acked(acked + VIEWERS * 4)
    await crowd.finish()
    check(crowd, world)
    assert sum(player.retried for player in crowd.players) > 0
    assert all(player.connections == 1 for player in crowd.players)  # an outage of the database closes no socket


async def test_redis_flushed_and_killed_changes_nothing(world: World, crowd: Crowd) -> None:
    """Last: Valkey stays dead, and beats, acknowledgements and new sockets go on without it."""
    world.start_realtime()
    crowd.start()
    await crowd.until_acked(VIEWERS * 3)
    with redis.Redis.from_url(world.redis_url) as client:
        client.flushall()
    await crowd.until_acked(crowd.acked + VIEWERS * 3)
    world.kill_valkey()
    await crowd.until_acked(crowd.acked + VIEWERS * 3)
    world.kill_realtime()
    world.start_realtime()
    await crowd.until_acked(crowd.acked + VIEWERS * 3)
    await crowd.finish()
    check(crowd, world)
