"""When a worker is deaf, and when it is only idle, busy, or alone; and that no heartbeat can hold its end up."""

import re
from pathlib import Path

import pytest

from deploy.cluster.units import TIERS, Ports, application_units
from lms.deafness import MOST_LOOKS, Ear
from lms.supervisor import programs
from tests.platform.conftest import ROOT


class World:
    def __init__(self) -> None:
        self.waiting, self.busy = 1, 0
        self.ear = Ear(lambda: self.waiting, lambda: self.busy)
        assert not self.ear.look(), "the first look knows nothing of before"

    def looks(self) -> list[bool]:
        return [self.ear.look() for _ in range(MOST_LOOKS)]


def test_what_waits_while_it_does_nothing_and_hears_nothing() -> None:
    world = World()
    assert world.looks() == [False] * (MOST_LOOKS - 1) + [True]


@pytest.mark.parametrize(("waiting", "busy"), [(0, 0), (5, 1)])
def test_an_empty_queue_and_a_long_task_are_no_deafness(waiting: int, busy: int) -> None:
    world = World()
    world.waiting, world.busy = waiting, busy
    assert not any(world.looks())
    assert not any(world.looks())


def test_whoever_hears_something_is_not_deaf() -> None:
    world = World()
    assert not world.ear.look()
    world.ear.hear()
    assert world.looks() == [False] * MOST_LOOKS
    assert world.ear.look()


def test_every_way_of_starting_a_worker_leaves_its_heartbeat_out(tmp_path: Path) -> None:
    """One that is being sent when Redis goes is sent again for ever, and the worker waits for it with its end."""
    counts = dict.fromkeys(TIERS, 1)
    commands = [" ".join(one.command) for one in programs([], [], tmp_path, 0)]
    commands += [" ".join(unit.command) for unit in application_units(counts, Ports())]
    start = (ROOT / "deploy" / "docker" / "start").read_text()
    [alone] = re.findall(r'^alone="(.*)"$', start, re.MULTILINE)
    commands += [line.replace("$alone", alone) for line in start.splitlines() if " celery " in line]

    workers = [command for command in commands if "celery" in command and " worker" in command]
    assert len(workers) == 12
    assert all("--without-heartbeat" in command for command in workers), workers
