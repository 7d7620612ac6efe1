"""Tells the realtime processes that a room has something new. Only a bell: the event itself is in PostgreSQL."""

import logging
import time

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

CHANNEL = "rooms"  # the message is the webinar's number
PATIENCE_SECONDS = 0.25  # a commit is not held up longer by a Redis that hangs
SILENT_SECONDS = 5.0  # after a failure: hubs look by themselves every second


class RoomDoorbell:
    """Rung after every commit of an event. While Redis is away nobody waits for it: the hubs look by themselves."""

    def __init__(self) -> None:
        self._client: redis.Redis | None = None
        self._silent_until = 0.0

    def ring(self, webinar_id: int) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            self._connected().publish(CHANNEL, str(webinar_id))
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            logger.warning("The rooms' doorbell is silent, the hubs look by themselves: %s", error)

    def _connected(self) -> redis.Redis:
        if self._client is None:
            self._client = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=PATIENCE_SECONDS,
                socket_connect_timeout=PATIENCE_SECONDS,
            )
        return self._client


room_doorbell = RoomDoorbell()
