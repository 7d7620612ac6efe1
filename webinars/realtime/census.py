"""Counts the people in the rooms of this process every few seconds, and tells them how many they are in all."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from webinars.realtime.hub import Hub

logger = logging.getLogger(__name__)
REPORT_SECONDS = 3.0
REPEAT_SECONDS = 15.0  # a number that has not changed is told again

# The people of this process by room, with their countries → everybody's number by room.
Report = Callable[[Mapping[int, Mapping[int, str]]], Awaitable[Mapping[int, int]]]


class Census:
    def __init__(self, hub: Hub[Any], report: Report) -> None:
        self._hub = hub
        self._report = report
        self._told: dict[int, tuple[int, float]] = {}
        self._reported: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="census")

    async def stop(self) -> None:
        """The sockets have gone by now: other processes should not count them on."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._count()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            await self._count()

    async def _count(self) -> None:
        present = self._hub.present()
        left: dict[int, dict[int, str]] = {webinar_id: {} for webinar_id in self._reported - set(present)}
        if not present and not left:
            return
        try:
            totals = await self._report({**present, **left})
        except Exception:  # a number is all that is missing; the next round tries again
            logger.exception("Could not count the people in the rooms")
            return
        self._reported = set(present)
        now = time.monotonic()
        self._told = {room: told for room, told in self._told.items() if room in present}
        news = {
            room: people
            for room, people in totals.items()
            if room in present and (room not in self._told or self._is_news(*self._told[room], people, now))
        }
        self._told.update({room: (people, now) for room, people in news.items()})
        await self._hub.tell_people(news)

    @staticmethod
    def _is_news(told: int, told_at: float, people: int, now: float) -> bool:
        return people != told or now - told_at >= REPEAT_SECONDS
