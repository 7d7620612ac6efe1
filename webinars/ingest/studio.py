"""What the front doors need of the rest: who may publish, where segments go, when to end. Given by `domain.studio`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from webinars.enums import StreamProblem
from webinars.ingest.playlists import Format


class StreamRefused(Exception):  # noqa: N818 - named after what happens, like the other refusals
    """The publisher is sent away; the presenter's page says why."""

    def __init__(self, problem: StreamProblem) -> None:
        super().__init__(str(problem.label))
        self.problem = problem


class SessionOver(Exception):  # noqa: N818 - a state, not an error of the program
    """Somebody took over, withdrew the key, or ended the webinar. `because` is empty where that is no problem."""

    def __init__(self, because: str = "") -> None:
        super().__init__(because or "over")
        self.because = because


@dataclass(frozen=True, slots=True)
class Opened:
    """A publish session that may begin. `renditions` are those the broadcast has already, empty for a new one."""

    session_id: UUID
    webinar_id: int
    renditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A finished segment on the local disk, to be kept. `index` counts in its session, so that a second try is known.

    `formats` come with the first one of a session.
    """

    index: int
    at: datetime
    seconds: float
    files: Mapping[str, tuple[Path, float]]
    formats: Mapping[str, Format]


class Studio(Protocol):
    async def open(self, raw_key: str, *, front: str) -> Opened:
        """Raises `StreamRefused`."""

    async def keep(self, session_id: UUID, segment: Stored) -> None:
        """Stores, commits, and rewrites the playlists. Raises `SessionOver`."""

    async def report(
        self, session_id: UUID, health: Mapping[str, Any], problems: list[tuple[StreamProblem, str]]
    ) -> None:
        """Renews the lease. Raises `SessionOver`."""

    async def end(self, session_id: UUID, because: str, detail: str = "") -> None:
        """Safe to repeat."""
