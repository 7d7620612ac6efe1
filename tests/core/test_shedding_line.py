"""The line before the door keeps its order whatever people do, and nobody waits for ever: `core/shedding/line.lua`."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from django_redis import get_redis_connection
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry

import core.valkey
from core.shedding.line import KEYS, SCRIPT, Answer, Line

PEOPLE = 6


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    get_redis_connection("default").delete(*KEYS)
    yield
    get_redis_connection("default").delete(*KEYS)


class Valkey:
    """The real one, with a clock that the test turns: the script asks it for the time."""

    def __init__(self) -> None:
        self.client: Any = get_redis_connection("default")
        self.now = time.time()
        told = "{ARGV[6], ARGV[7]}"
        self.script = self.client.register_script(SCRIPT.replace("redis.call('TIME')", told))
        assert told in self.script.script
        self.client.delete(*KEYS)

    def ask(self, *, full: bool = False, ticket: str = "", number: int = 0, replica: str = "a") -> Answer:
        arguments = [replica, int(full), ticket, number, int(not ticket), int(self.now), int(self.now % 1 * 1e6)]
        shut, admitted, ahead, waiting, rate, drawn = self.script(keys=KEYS, args=arguments)
        return Answer(bool(shut), bool(admitted), int(ahead), int(waiting), float(rate), int(drawn or 0))

    def names(self) -> list[str]:
        """Of who waits and is expected, in order."""
        return [name.decode() for name in self.client.zrange(KEYS[1], 0, -1)]


@dataclass
class Person:
    line: Valkey
    number: int = 0
    is_in: bool = False

    @property
    def name(self) -> str:
        return f"{self.number}-x"

    def arrive(self) -> None:
        self.number = self.line.ask().number

    def ask(self) -> bool:
        answer = self.line.ask(ticket=self.name, number=self.number)
        self.is_in = self.is_in or answer.admitted
        return self.is_in


def shut_line() -> Valkey:
    line = Valkey()
    assert line.ask(full=True).shut
    return line


steps = st.lists(
    st.tuples(st.integers(0, PEOPLE - 1), st.floats(0, 4), st.booleans()), min_size=PEOPLE * 3, max_size=PEOPLE * 8
)


class TestOrder:
    @settings(max_examples=40)
    @given(steps)
    def test_nobody_is_let_in_before_somebody_who_came_earlier_and_asks_at_the_same_time(
        self, taken: list[tuple[int, float, bool]]
    ) -> None:
        """Any asking, any pauses, any news of full replicas. Whoever is not let in was not next."""
        line = shut_line()
        people = [Person(line) for _ in range(PEOPLE)]
        for one in people:
            one.arrive()
        assert [one.number for one in people] == sorted({one.number for one in people})
        for who, pause, full in taken:
            line.now += pause
            line.ask(full=full)
            in_line = line.names()
            if people[who].is_in or not people[who].ask():
                continue
            for earlier in people[:who]:  # in the same moment: room for one is room for all before
                assert earlier.name not in in_line or earlier.ask()

    @settings(max_examples=30)
    @given(st.lists(st.integers(0, PEOPLE - 1), max_size=PEOPLE - 1, unique=True), st.integers(3, 20))
    def test_everybody_who_keeps_asking_gets_in_whoever_leaves(self, leaving: list[int], every: int) -> None:
        line = shut_line()
        people = [Person(line) for _ in range(PEOPLE)]
        for one in people:
            one.arrive()
            one.ask()
        staying = [one for number, one in enumerate(people) if number not in leaving]
        for _ in range(40):
            line.now += every
            line.ask(full=True)  # for ever too much: one a second is let in nevertheless
            asked = [one.ask() for one in staying]
            if all(asked):
                break
        assert all(one.is_in for one in staying)

    def test_whoever_was_away_comes_back_to_the_same_place(self) -> None:
        line = shut_line()
        first, crowd = Person(line), [Person(line) for _ in range(300)]
        for one in (first, *crowd):
            one.arrive()
            one.ask()
        for _ in range(5):
            line.now += 3
            line.ask(full=True)
            for one in crowd:
                if not one.is_in:
                    one.ask()
        assert first.name not in line.names(), "nobody waits for who is silent"
        assert len(line.names()) > 100
        line.now += 2
        line.ask(full=True)
        assert first.ask(), "there is room for a single one"

    def test_callers_without_cookies_take_nobodys_place(self) -> None:
        line = shut_line()
        for _ in range(5_000):
            line.ask()  # each a new number, never shown again
        one = Person(line)
        one.arrive()
        line.now += 1
        assert line.ask(ticket=one.name, number=one.number).ahead == 0

    def test_a_ticket_lets_in_once_and_again_only_where_the_answer_may_have_been_lost(self) -> None:
        line = shut_line()
        one = Person(line)
        one.arrive()
        one.ask()
        line.now += 4
        assert one.ask()
        line.ask(full=True)
        one.is_in = False
        assert one.ask(), "the same browser, whose connection broke"
        line.now += 70
        again = line.ask(full=True, ticket=one.name, number=one.number)
        assert not again.admitted
        assert again.number > one.number, "it stands behind everybody now"

    def test_numbers_grow_also_when_valkey_began_anew_and_its_clock_stood(self) -> None:
        line = shut_line()
        numbers = [line.ask().number for _ in range(50)]
        assert numbers == sorted(set(numbers))
        line.client.delete(*KEYS)
        line.now += 0.01
        line.ask(full=True)
        assert line.ask().number > numbers[-1]


class TestRate:
    def test_grows_while_everybody_has_room_and_falls_when_they_have_not(self) -> None:
        line = shut_line()
        people = [Person(line) for _ in range(400)]
        for one in people:
            one.arrive()
        rates: list[float] = []
        for _ in range(6):
            line.now += 1
            for one in people:
                if not one.is_in:
                    one.ask()
            rates.append(line.ask().per_second)
        assert rates == sorted(rates)
        assert rates[-1] > 2 * rates[0]
        before = rates[-1]
        line.now += 1
        assert line.ask(full=True).per_second < before * 0.75
        assert line.ask(full=True).per_second > before * 0.6, "once for one moment of too much"

    def test_one_sick_replica_among_many_shuts_nobody_elses_door(self) -> None:
        line = Valkey()
        for name in "abcdefgh":
            line.ask(replica=name)
        assert not line.ask(replica="h", full=True).shut
        assert line.ask(replica="g", full=True).shut, "two of eight are a quarter"

    def test_opens_when_nobody_waits_and_nobody_is_full(self) -> None:
        line = shut_line()
        one = Person(line)
        one.arrive()
        line.now += 4
        assert not one.ask() or one.is_in
        line.now += 4
        assert one.ask()
        line.now += 2
        assert not line.ask().shut


def test_without_valkey_it_is_asked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.valkey, "SILENT_SECONDS", 90.0)

    class Counting(redis.Redis):
        asked = 0

        def register_script(self, script: Any) -> Any:
            Counting.asked += 1
            return super().register_script(script)

    line = Line(Counting(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)))
    assert [line.ask(is_full=True) for _ in range(50)] == [None] * 50
    assert not line.is_shut(is_full=True)
    assert Counting.asked == 1
