"""The cluster under load: rolled without anybody noticing, killed without losing anything, ended without a trace."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import ANY

import psutil
import pytest
import pytest_asyncio

from tests.cluster.site import PATIENCE, Caller, Site, pids, until
from tests.faults.followers import Audience, posting, stop_posting
from tests.faults.nursery import Program
from tests.faults.players import Crowd
from tests.faults.world import ORIGIN
from tests.processes import living

pytestmark = [pytest.mark.faults, pytest.mark.site, pytest.mark.long]
PLAYERS, FOLLOWERS, CALLERS = 6, 3, 2
BALANCED = ["web.1", "web.2", "realtime.1", "realtime.2"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="lms-cluster-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        site = Site(directory, viewers=PLAYERS + FOLLOWERS + CALLERS)
        try:
            yield site
        finally:
            site.end()


class Load:
    """Players with sockets, followers of a room, and callers by HTTP; each with people of its own."""

    def __init__(self, site: Site, poster: Program) -> None:
        self.site, self.poster = site, poster
        self.crowd = Crowd(site.viewers[:PLAYERS], origin=ORIGIN, port=site.port)
        self.audience = Audience(site)
        self.audience.followers = self.audience.followers[PLAYERS : PLAYERS + FOLLOWERS]
        self.callers = [Caller(site, viewer) for viewer in site.viewers[PLAYERS + FOLLOWERS :]]

    def start(self) -> None:
        self.crowd.start()
        self.audience.start()
        for caller in self.callers:
            caller.start()

    async def goes_on(self) -> None:
        """Everybody gets something new."""
        answered = [caller.answered for caller in self.callers]
        await self.crowd.until_acked(self.crowd.acked + PLAYERS * 2)
        await self.audience.until_each_heard(20)
        await until(lambda: all(now.answered > then + 3 for now, then in zip(self.callers, answered, strict=True)))

    def failures(self) -> list[tuple[float, str]]:
        return [failure for caller in self.callers for failure in caller.failures]

    def lost(self) -> dict[int, set[int]]:
        """Acknowledged, by socket or by HTTP, and not in the database."""
        coverage = self.site.coverage()
        missing = {one.viewer["user"]: one.acked - coverage.get(one.viewer["user"], set()) for one in self.callers}
        return self.crowd.lost(coverage) | {user: numbers for user, numbers in missing.items() if numbers}

    async def finish(self) -> None:
        """All is answered; every event of the room was heard once, in order."""
        for caller in self.callers:
            await asyncio.to_thread(caller.end)
        await self.crowd.finish()
        posted = await stop_posting(self.poster)
        await self.audience.until_heard(posted[-1][0])
        for follower in self.audience.followers:
            user = follower.viewer["user"]
            assert follower.heard == [n for n, of, who in posted if of == "all" or (of == "person" and who == user)]
            assert follower.reloads == 0

    async def abandon(self) -> None:
        for caller in self.callers:
            caller.asked_to_end.set()
        await self.crowd.abandon()
        await self.audience.end()


@pytest_asyncio.fixture
async def load(site: Site) -> AsyncIterator[Load]:
    site.forget()
    site.forget_room()
    with posting(site) as poster:
        load = Load(site, poster)
        yield load
        await load.abandon()


def test_the_edge_asks_for_the_grant_and_keeps_the_segment(site: Site) -> None:
    """First: everything after it restarts what is asked here."""
    path, granted = site.media["path"], f"{site.media['cookie']}; sessionid={site.viewers[0]['cookie']}"
    assert site.fetch(path)[0] == 403
    assert site.fetch(path, f"sessionid={site.viewers[0]['cookie']}")[0] == 403
    first, again = site.fetch(path, granted), site.fetch(path, granted)
    assert (first[0], first[1]["X-Cache"], first[1]["Content-Type"]) == (200, "MISS", "video/mp2t")
    assert (again[0], again[1]["X-Cache"], again[1]["Cache-Control"]) == (200, "HIT", "private, max-age=600")
    assert site.fetch(path)[0] == 403, "also when the edge has it"
    assert site.fetch(path.replace("00000.ts", "00001.ts"), granted)[0] == 404


async def test_a_rolling_restart_under_load_is_noticed_by_nobody(site: Site, load: Load) -> None:
    before = site.table()
    load.start()
    await load.goes_on()
    await asyncio.to_thread(site.ask, do="roll", names=["web", "realtime"])
    await load.goes_on()
    await load.finish()
    after = site.table()
    assert not pids(before, BALANCED) & pids(after, BALANCED)
    assert {after[name]["state"] for name in BALANCED} == {"ready"}
    assert sum(after[name]["restarts"] for name in BALANCED) == 0, "nobody crashed"
    assert load.failures() == []
    assert load.lost() == {}
    assert min(player.connections for player in load.crowd.players) >= 2
    for player in load.crowd.players:
        assert player.refused == []
        assert player.acked == set(range(1, player.number + 1))


async def test_killed_replicas_are_replaced_and_nothing_acknowledged_is_lost(site: Site, load: Load) -> None:
    load.start()
    await load.goes_on()
    assert load.failures() == []
    await asyncio.to_thread(site.ask, do="kill", names=["web.1", "realtime.1"], signal="KILL")
    killed_at = time.monotonic()
    assert load.lost() == {}
    await load.goes_on()  # by the other two alone
    await until(lambda: all(site.table()[name]["state"] == "ready" for name in BALANCED))
    table = site.table()
    assert [table[name]["restarts"] for name in BALANCED] == [1, 0, 1, 0]
    await load.goes_on()
    await load.finish()
    assert load.lost() == {}
    # Only what was in the dead process's hands failed: one request of each caller, then nginx knew.
    assert all(at < killed_at + 5 for at, _ in load.failures()), load.failures()
    assert len(load.failures()) <= CALLERS


async def test_what_all_share_comes_back_too(site: Site) -> None:
    """The balancer, the pooler and the databases, with the same addresses and data."""
    shared = ["valkey", "postgresql", "pgbouncer", "nginx"]
    known = site.table()
    await asyncio.to_thread(site.ask, do="kill", names=shared, signal="KILL")

    def is_back() -> bool:
        table = site.table()
        return not pids(known, shared) & pids(table, shared) and all(
            row["state"] in {"ready", "running"} for row in table.values()
        )

    await until(is_back)
    assert await asyncio.to_thread(site.fetch, "/readyz") == (200, ANY)


def test_down_leaves_no_process_and_no_socket(site: Site) -> None:
    everybody = psutil.Process(site.process.pid).children(recursive=True)
    place = Path(site.cluster.control).parent
    assert len(everybody) > 8
    assert place.exists()
    result = site.command("down")
    assert result.returncode == 0, result.stderr
    assert site.process.wait(PATIENCE) == 0
    assert living(everybody) == []
    assert not place.exists()
    assert not (site.directory / "cluster.json").exists()
    assert not (site.directory / "embedded.json").exists()
    assert "No cluster runs" in site.command("status").stderr
