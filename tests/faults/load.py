"""Everybody who uses the site during a round, and when they have got on and come to rest."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from websockets.typing import Origin

from tests.faults.candidates import Candidate
from tests.faults.clients import give_up
from tests.faults.doctors import Actor, Doctor, Honest, Listener, Moderator, Watcher
from tests.faults.journal import Journal
from tests.faults.mailing import Postmaster, keys_in, postmaster
from tests.faults.replicas import Replicas
from tests.faults.world import ORIGIN

PATIENCE = 150.0
PLAYERS, LISTENERS, DOCTORS, HONEST, HALLS = 8, 4, 3, 2, 2
PEOPLE = 132
MORE = 2  # that each must get before one says that it goes on: the first may have been under way


class Load:
    def __init__(self, site: Replicas, world: dict[str, Any], journal: Journal, rng: random.Random) -> None:
        self.site, self.world, self.journal = site, world, journal
        sitting = {one["user"] for one in world["candidates"]}
        people, port = [one for one in world["doctors"] if one["user"] not in sitting], site.port
        origin = Origin(ORIGIN)
        self.watchers = [Watcher(people.pop(), origin, port, journal=journal) for _ in range(PLAYERS)]
        room = f"/ws/webinars/{world['live']}/"
        self.listeners = [
            Listener({**people.pop(), "path": room}, origin, port, journal=journal) for _ in range(LISTENERS)
        ]
        seeds = iter(lambda: random.Random(rng.random()), None)
        self.honest = [
            Honest(journal, port, world, next(seeds), people=[people.pop() for _ in range(len(people) // 3)])
            for _ in range(HONEST)
        ]
        self.doctors = [
            Doctor(journal, port, world, next(seeds), people=people[number::DOCTORS]) for number in range(DOCTORS)
        ]
        self.moderators = [
            Moderator(journal, port, world, next(seeds), person=person) for person in world["moderators"]
        ]
        self.candidates = [
            Candidate(journal, port, world, next(seeds), people=world["candidates"][number::HALLS])
            for number in range(HALLS)
        ]
        self.postmaster = postmaster(journal, site, world, next(seeds))
        self.tasks: list[asyncio.Task[None]] = []
        self.asked: list[asyncio.Task[None]] = []

    @property
    def actors(self) -> list[Actor]:
        return [*self.doctors, *self.moderators, *self.candidates, *self.honest, self.postmaster]

    def mail(self) -> tuple[str, ...]:
        """The keys of the messages that the mail server has."""
        return keys_in(self.site.mail)

    def start(self) -> None:
        self.tasks = [asyncio.create_task(one.run()) for one in (*self.watchers, *self.listeners)]
        self.asked = [asyncio.create_task(one.run()) for one in self.actors]

    async def goes_on(self, *, seconds: float = PATIENCE) -> None:
        """Everybody gets something new: the site serves all of them again."""
        goals = [("player", partial(_acked, one), MORE) for one in self.watchers]
        goals += [("listener", partial(_heard, one), MORE) for one in self.listeners]
        goals += [
            (type(one).__name__, partial(_done, one), 1 if isinstance(one, Postmaster) else MORE)
            for one in self.actors
            if not isinstance(one, Honest)
        ]
        wanted = [(name, now, now() + more) for name, now, more in goals]

        def behind() -> list[str]:
            return [f"{name} {now()} of {goal}" for name, now, goal in wanted if now() < goal]

        await self._until(lambda: not behind(), lambda: f"not everybody gets on: {behind()}", seconds)

    async def rest(self) -> int:
        """Nobody does anything new; all is answered, and everything said in the room was heard. The room's number."""
        for actor in self.actors:
            actor.is_ending = True
        for watcher in self.watchers:
            watcher.is_ending = True
        done, late = await asyncio.wait(self.asked, timeout=PATIENCE)
        assert not late, "somebody still waits for an answer"
        for task in done:
            task.result()
        await self._until(
            lambda: all(one.is_done for one in self.watchers),
            lambda: f"beats without an answer: {[sorted(one.unacked)[:5] for one in self.watchers]}",
            PATIENCE,
        )
        await self.say_the_last_word()
        last = await asyncio.to_thread(self._last_number)
        await self._until(
            lambda: all(one.heard and one.heard[-1] >= last for one in self.listeners),
            lambda: f"not heard up to {last}: {[one.heard[-1:] for one in self.listeners]}",
            PATIENCE,
        )
        for listener in self.listeners:
            listener.is_ending = True
        await give_up(self.tasks)
        return last

    async def say_the_last_word(self) -> None:
        """For everybody, so that all pages come to the same number."""
        moderator = self.moderators[0]
        before = moderator.done
        async with asyncio.timeout(PATIENCE):
            while moderator.done == before:
                await moderator.announce()

    def _last_number(self) -> int:
        with self.site.connect() as database:
            row = database.execute(
                "SELECT max(number) FROM webinars_roomevent WHERE webinar_id = %s AND audience = 'all'",
                [self.world["live"]],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def complaints(self) -> list[str]:
        found = [text for actor in self.actors for text in actor.complaints]
        found += [
            f"beats of {one.viewer['user']} were refused: {one.refused[:2]}" for one in self.watchers if one.refused
        ]
        return found + [f"{one.viewer['user']} had to reload the room" for one in self.listeners if one.reloads]

    async def abandon(self) -> None:
        await give_up([*self.tasks, *self.asked])

    @staticmethod
    async def _until(condition: Callable[[], bool], text: Callable[[], str], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():  # noqa: ASYNC110  # of many, who need not know of it
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise AssertionError(text()) from error


def _acked(watcher: Watcher) -> int:
    return len(watcher.acked)


def _heard(listener: Listener) -> int:
    return len(listener.heard)


def _done(actor: Actor) -> int:
    return actor.done
