"""What was published is received: in order and once each, whoever dies and however often lines break."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis

from tests.faults.followers import Audience, posting, stop_posting
from tests.faults.nursery import Program
from tests.faults.world import World

pytestmark = [pytest.mark.faults, pytest.mark.site, pytest.mark.long]
FOLLOWERS = 30


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="lms-faults-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        world = World(directory, viewers=FOLLOWERS)
        try:
            yield world
        finally:
            world.end()


@pytest.fixture
def poster(world: World) -> Iterator[Program]:
    world.forget_room()
    world.start_realtime()
    with posting(world) as process:
        yield process
    if world.realtime and world.realtime.poll() is None:
        world.kill_realtime()


@pytest_asyncio.fixture
async def audience(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Audience]:
    audience = Audience(world, cuts=getattr(request, "param", False))
    yield audience
    await audience.end()


async def check(poster: Program, audience: Audience) -> None:
    """Everything that each one may hear, and nothing else, in the order of its numbers."""
    posted = await stop_posting(poster)
    assert [number for number, _, _ in posted] == list(range(1, len(posted) + 1))
    await audience.until_heard(posted[-1][0])
    for follower in audience.followers:
        user = follower.viewer["user"]
        expected = [number for number, of, person in posted if of == "all" or (of == "person" and person == user)]
        assert follower.heard == expected
        assert follower.reloads == 0


@pytest.mark.parametrize("audience", [True], indirect=True)
@pytest.mark.parametrize("mistake", [-3, 3])
async def test_the_check_catches_repetitions_and_gaps(poster: Program, audience: Audience, mistake: int) -> None:
    """The planted bug: pages that remember a wrong number."""
    for follower in audience.followers:
        follower.mistake = mistake
    audience.start()
    await audience.until_each_heard(60)
    for follower in audience.followers:
        follower.mistake = 0  # so that all of them come to the end
    with pytest.raises(AssertionError):
        await check(poster, audience)


@pytest.mark.parametrize("audience", [True], indirect=True)
async def test_lines_that_break_at_random_lose_and_double_nothing(poster: Program, audience: Audience) -> None:
    audience.start()
    await audience.until_each_heard(300)
    assert all(follower.connections > 3 for follower in audience.followers)
    await check(poster, audience)


async def test_kill_9_of_the_realtime_process_loses_and_doubles_nothing(
    world: World, poster: Program, audience: Audience
) -> None:
    audience.start()
    for _ in range(3):
        await audience.until_each_heard(60)
        world.kill_realtime()
        await asyncio.to_thread(world.start_realtime)
    await audience.until_each_heard(30)
    assert all(follower.connections >= 3 for follower in audience.followers)
    await check(poster, audience)


async def test_a_stopping_process_hands_its_room_to_the_next(world: World, poster: Program, audience: Audience) -> None:
    audience.start()
    await audience.until_each_heard(60)
    assert await asyncio.to_thread(world.stop_realtime) in {0, -15}
    await asyncio.to_thread(world.start_realtime)
    await audience.until_each_heard(60)
    await check(poster, audience)


async def test_redis_flushed_and_killed_changes_nothing(world: World, poster: Program, audience: Audience) -> None:
    """Last: Valkey stays dead. The doorbell is silent and the hub looks by itself; nobody's line breaks."""
    audience.start()
    await audience.until_each_heard(30)
    with redis.Redis.from_url(world.redis_url) as client:
        client.flushall()
    await audience.until_each_heard(30)
    world.kill_valkey()
    await audience.until_each_heard(60)
    assert all(follower.connections == 1 for follower in audience.followers)
    await check(poster, audience)
