"""A rolling restart: one replica after the other, and nobody notices.

For web and realtime: the replica says that it is not ready; the balancer sends nobody new; what it has in hand is
finished; it ends; the new one starts; when that is ready it gets callers again, and the next one goes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from deploy.cluster.balancer import Balancer, connections
from deploy.cluster.keeper import Keeper
from deploy.cluster.units import ClusterError

READY_SECONDS = 90.0
UNREADY_SECONDS = 5.0
IDLE_SECONDS = 10.0
Say = Callable[[str], None]


async def roll(names: Sequence[str], *, keepers: Mapping[str, Keeper], balancer: Balancer, say: Say) -> None:
    """Ends with an exception at the first one that does not come back: the others go on with what they run."""
    nginx = keepers["nginx"]
    for name in names:
        keeper = keepers[name]
        if keeper.unit.balanced:
            await _replace(keeper, nginx, balancer, alone=_is_alone(keeper, keepers), say=say)
        else:
            began = time.monotonic()
            ended = await keeper.halt()
            keeper.begin()
            say(f"{name}: {'ended' if ended else 'killed'} and started again, {time.monotonic() - began:.1f} s")
    if any(keepers[name].unit.balanced for name in names):
        await balancer.apply(nginx, ())
    say("All are in.")


def _is_alone(keeper: Keeper, keepers: Mapping[str, Keeper]) -> bool:
    return sum(other.unit.tier == keeper.unit.tier for other in keepers.values()) == 1


async def _replace(keeper: Keeper, nginx: Keeper, balancer: Balancer, *, alone: bool, say: Say) -> None:
    name, began = keeper.unit.name, time.monotonic()
    if alone:
        say(f"{name} is the only one of its kind: the site answers 503 until it is back.")
    keeper.announce_end()
    if not await _until(keeper.ready, UNREADY_SECONDS, holds=False):
        raise ClusterError(f"{name} still says that it is ready, {UNREADY_SECONDS:g} s after SIGTERM.")
    if not alone:
        await balancer.apply(nginx, {name})  # and whoever was out before is in again
    if keeper.unit.tier == "web":
        await _until(lambda: _is_idle(keeper.unit.port), IDLE_SECONDS)
    out = time.monotonic()
    ended = await keeper.halt()
    down = time.monotonic()
    keeper.begin()
    if not await _until(keeper.ready, READY_SECONDS):
        raise ClusterError(f"{name} does not get ready; its log says why. The balancer sends it nobody.")
    say(
        f"{name}: out after {out - began:.1f} s, {'ended' if ended else 'killed'} after {down - out:.1f} s, "
        f"ready after {time.monotonic() - down:.1f} s"
    )


async def _is_idle(port: int) -> bool:
    return connections().get(port, 0) == 0


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float, *, holds: bool = True) -> bool:
    deadline = time.monotonic() + seconds
    while await condition() != holds:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True
