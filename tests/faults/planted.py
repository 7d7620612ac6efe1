"""A server with the bug that the fault tests exist for: it acknowledges beats before they are committed.

It lives here and not behind a switch in the product. Run as `python -m tests.faults.planted` in place of the real one.
"""

import os
from typing import Any

import uvicorn
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
get_asgi_application()

from lms.asgi import build_application  # noqa: E402  # needs the app registry
from webinars.consumers import Tier, WatchSockets  # noqa: E402
from webinars.domain.beats import Beat, BeatResult  # noqa: E402
from webinars.realtime.committer import GroupCommitter, Sink  # noqa: E402


class Deaf:
    """Hears what really became of the beats, and keeps it to itself."""

    def committed(self, pairs: list[tuple[Beat, BeatResult]]) -> None: ...

    def not_committed(self, items: list[Beat], *, retry_after: float) -> None: ...


class AcknowledgesFirst(GroupCommitter[Beat, BeatResult]):
    def add(self, item: Beat, sink: Sink[Beat, BeatResult]) -> None:
        sink.committed([(item, BeatResult(None, 0, done=False))])
        super().add(item, Deaf())


class BuggyTier(Tier):
    committer_class: Any = AcknowledgesFirst


application = build_application(WatchSockets(BuggyTier))

if __name__ == "__main__":
    host, _, port = os.environ["REALTIME_BIND"].rpartition(":")
    uvicorn.run(application, host=host, port=int(port), ws="lms.realtime:Protocol", log_config=None)
