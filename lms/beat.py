"""RedBeat's scheduler that leaves a sign of life after each pass. One that only waits for its turn makes no passes."""

from typing import Any

from redbeat.schedulers import RedBeatScheduler, get_redis

from core import signs


class Scheduler(RedBeatScheduler):  # type: ignore[misc]  # it has no types
    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Every CELERY_BEAT_MAX_LOOP_INTERVAL seconds at least. Without Redis it raises, as extending the lock does."""
        seconds: float = super().tick(*args, **kwargs)
        signs.leave_of_beat(get_redis(self.app))
        return seconds
