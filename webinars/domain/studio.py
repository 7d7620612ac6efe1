"""The ingest process's way to the database and the storage: blocking work in threads of its own."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from webinars.domain import broadcasts, live_files
from webinars.domain.stream_keys import digest_of
from webinars.enums import StreamProblem
from webinars.ingest.studio import Opened, Stored
from webinars.models import PublishSession
from webinars.realtime.threads import DatabaseThreads


class DatabaseStudio:
    """`webinars.ingest.studio.Studio`."""

    def __init__(self, threads: int = 4) -> None:
        self.threads = DatabaseThreads("studio", threads)
        self.closed: set[int] = set()

    async def open(self, raw_key: str, *, front: str) -> Opened:
        return await self.threads.run(_open, raw_key, front)

    async def keep(self, session_id: UUID, segment: Stored) -> None:
        await self.threads.run(live_files.keep_segment, session_id=session_id, segment=segment, now=timezone.now())

    async def report(
        self, session_id: UUID, health: Mapping[str, Any], problems: list[tuple[StreamProblem, str]]
    ) -> None:
        await self.threads.run(
            broadcasts.report_health, session_id=session_id, health=health, problems=problems, now=timezone.now()
        )

    async def end(self, session_id: UUID, because: str, detail: str = "") -> None:
        await self.threads.run(
            broadcasts.end_publish_session, session_id=session_id, because=because, detail=detail, now=timezone.now()
        )
        await self.sweep()

    async def sweep(self) -> None:
        """Dead sessions, and the end of playlists. Celery beat does the same, only more seldom."""
        await self.threads.run(_sweep, self.closed)

    def close(self) -> None:
        self.threads.close()


def _open(raw_key: str, front: str) -> Opened:
    session = broadcasts.open_publish_session(raw_key=raw_key, front=front, now=timezone.now())
    return opened(session)


def opened(session: PublishSession) -> Opened:
    broadcast = session.broadcast
    return Opened(session.pk, broadcast.webinar_id, live_files.renditions_of(broadcast))


def _sweep(closed: set[int]) -> None:
    now = timezone.now()
    broadcasts.sweep_sessions(now=now)
    live_files.close_playlists(now=now, known=closed)


def front_name(client: str) -> str:
    """nginx numbers its connections: a late word about an old one must not end the next."""
    return f"nginx/{client[:20]}"


def find_front_session(raw_key: str, *, front: str) -> PublishSession | None:
    running = PublishSession.objects.filter(ended_at=None, health__front=front)
    return running.filter(stream_key__digest=digest_of(raw_key)).first()


def find_named(name: str) -> Opened | None:
    """The running session that nginx calls `w<webinar>-<number>`."""
    webinar, _, number = name.removeprefix("w").partition("-")
    if not (name.startswith("w") and webinar.isdecimal() and number.isdecimal()):
        return None
    session = (
        PublishSession.objects.select_related("broadcast")
        .filter(broadcast__webinar_id=int(webinar), number=int(number), ended_at=None)
        .first()
    )
    return opened(session) if session else None
