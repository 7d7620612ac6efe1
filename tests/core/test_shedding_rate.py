"""The line, the queues and their signals together, in simulated time with the real script: twice as many come as can be
answered, and nobody inside notices."""

import random
from dataclasses import dataclass, field

from core.shedding.pressure import Queue
from tests.core.test_shedding_line import Valkey

STEP = 0.05  # seconds
REPLICAS = 2
PAGE, LATER = 0.05, 0.025  # seconds of a thread: a newcomer's page, and what the page asks for afterwards
LIMIT = 0.5
A_SECOND, FOR_SECONDS = 60, 15  # people; the replicas answer some 27 of them a second


@dataclass
class Person:
    came_at: float
    asks_at: float
    number: int = 0
    in_at: float = 0.0
    waited: float = 0.0  # for a thread, when let in


@dataclass
class Site:
    """Replicas that work off what they have, without a thread or a clock of their own."""

    line: Valkey = field(default_factory=Valkey)
    at: float = 0.0
    work: list[float] = field(default_factory=lambda: [0.0] * REPLICAS)
    followers: list[float] = field(default_factory=list)
    busy: float = 0.0

    def __post_init__(self) -> None:
        self.began = 1_800_000_000.0  # the same run every time
        self.queues = [Queue(LIMIT, clock=lambda: self.at) for _ in range(REPLICAS)]
        self.draw = random.Random(7)

    def pass_time(self) -> None:
        for replica, work in enumerate(self.work):
            done = min(work, STEP)
            self.work[replica] -= done
            self.busy += done
        self.at += STEP
        self.line.now = self.began + self.at
        while self.followers and self.followers[0] <= self.at:
            self.followers.pop(0)
            self.work[self.draw.randrange(REPLICAS)] += LATER

    def serve(self, person: Person) -> None:
        """As the middleware does it, but for the half second for which a process remembers how the line is."""
        replica = self.draw.randrange(REPLICAS)
        waited = self.work[replica]
        full = self.queues[replica].is_over(waited)
        ticket = f"{person.number}-x" if person.number else ""
        answer = self.line.ask(full=full, ticket=ticket, number=person.number, replica=str(replica))
        if answer.admitted or not (answer.shut or full):
            self.work[replica] += PAGE
            self.followers.append(self.at + 0.7)
            person.in_at, person.waited = self.at, waited
            return
        person.number = person.number or answer.number
        person.asks_at = self.at + min(20.0, max(3.0, answer.seconds / 3)) * self.draw.uniform(0.8, 1.2)


def test_twice_as_many_as_can_be_answered_all_get_in_and_no_queue_stands() -> None:
    site = Site()
    waiting: list[Person] = []
    let_in: list[Person] = []
    busy_while_waiting = seconds_waiting = 0.0
    while site.at < FOR_SECONDS or waiting:
        assert site.at < 200, "nobody waits for ever"
        if site.at < FOR_SECONDS:
            waiting += [Person(site.at, site.at) for _ in range(int(A_SECOND * STEP))]
        busy = site.busy
        site.pass_time()
        if site.at > 5 and len(waiting) > A_SECOND:
            busy_while_waiting += site.busy - busy
            seconds_waiting += STEP
        for person in [one for one in waiting if one.asks_at <= site.at]:
            site.serve(person)
        let_in += [one for one in waiting if one.in_at]
        waiting = [one for one in waiting if not one.in_at]

    delays = sorted(one.waited for one in let_in)
    assert len(let_in) == A_SECOND * FOR_SECONDS
    assert delays[len(delays) // 2] < LIMIT
    assert delays[-1] < 4 * LIMIT, "a queue never grows to what would time out"
    assert busy_while_waiting / (seconds_waiting * REPLICAS) > 0.5, "nobody waits before replicas that are idle"
    early, late = let_in[: len(let_in) // 3], let_in[-len(let_in) // 3 :]
    assert sum(one.came_at for one in early) / len(early) < sum(one.came_at for one in late) / len(late) - 3
