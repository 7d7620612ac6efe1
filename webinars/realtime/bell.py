"""The other end of the doorbell: one subscription per process for all of its rooms."""

import asyncio
import logging
import random
from collections.abc import Callable

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from webinars.realtime.doorbell import CHANNEL

logger = logging.getLogger(__name__)
PAUSES = (0.5, 5.0)
SILENT_SECONDS = 15.0  # without a ring; then the connection is tried with a ping


class Bell:
    """Calls `ring(webinar_id)` for every event anywhere. While Redis is away nothing does: the hub looks itself."""

    def __init__(self, ring: Callable[[int], None]) -> None:
        self._ring = ring
        self._pause = PAUSES[0]
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="bell")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2) as client:
                    await self._listen(client)
            except (RedisError, OSError) as error:
                logger.warning("The doorbell of the rooms is not heard; the hub looks by itself: %s", error)
                await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load, no secret
                self._pause = min(self._pause * 2, PAUSES[1])

    async def _listen(self, client: Redis) -> None:
        async with client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(CHANNEL)
            self._pause = PAUSES[0]
            while True:
                message = await subscription.get_message(timeout=SILENT_SECONDS)
                if message is None:
                    await subscription.ping()
                elif (data := message["data"]).isdigit():
                    self._ring(int(data))
