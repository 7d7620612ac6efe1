"""When a worker is deaf, and when it is only idle, busy, or alone."""

import pytest

from lms.deafness import MOST_LOOKS, Ear


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
