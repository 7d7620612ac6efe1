"""How the site is doing, for people who only want to know whether it works: what it notices by itself, and what
operators wrote. Looked at once for all who ask, every ten seconds at most; told also while the database is away.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from django.db import DatabaseError

from core import signs
from core.cache import StillBeingMadeError, remember
from core.cache import forget as forget_value
from core.logging import get_logger
from core.shedding.line import count_waiting
from core.valkey import QuickValkey
from operations.domain import gauges
from operations.enums import Health, Part, Reason, Severity
from operations.models import Incident

log = get_logger("operations")
KEY, KNOWN = "status", "status:incidents"
FRESH_SECONDS, STALE_SECONDS, PATIENCE_SECONDS = 10.0, 120.0, 6.0
HISTORY = timedelta(days=90)
LATE_SECONDS = 30.0  # the live picture; the alert LiveLagging says the same
WAITING_SECONDS = 3_600.0  # recordings and videos
MANY_TASKS = 1_000
TASK_SECONDS = 120.0  # mail; the alert TasksLate says the same
ANNOUNCED_SECONDS = 10.0
REASONS: Mapping[Reason, tuple[Part, Health]] = {
    Reason.SAVING: (Part.WEBSITE, Health.DOWN),
    Reason.LINE: (Part.WEBSITE, Health.SLOW),
    Reason.LATE: (Part.LIVE, Health.SLOW),
    Reason.UNSEEN: (Part.LIVE, Health.UNKNOWN),
    Reason.RECORDING: (Part.VIDEO, Health.SLOW),
    Reason.MAIL: (Part.MESSAGES, Health.SLOW),
}
OF_SEVERITY = {Severity.NOTICE: Health.GOOD, Severity.SLOW: Health.SLOW, Severity.DOWN: Health.DOWN}
ORDER = list(Health)
_valkey = QuickValkey()


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as everybody reads it."""

    part: Part
    severity: Severity
    title: str
    words: str
    started_at: datetime
    ended_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        return self.started_at <= now and (self.ended_at is None or self.ended_at > now)

    @property
    def health(self) -> Health:
        return OF_SEVERITY[self.severity]


@dataclass(frozen=True, slots=True)
class PartState:
    part: Part
    health: Health
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Status:
    at: datetime
    parts: tuple[PartState, ...]
    incidents: tuple[Told, ...]  # of the last ninety days, the newest first
    knows_incidents: bool  # False: the database did not answer, and these are those of an earlier look

    @property
    def health(self) -> Health:
        """What is not known is no worse than what works, while anything else is known to work."""
        return worst(one.health for one in self.parts)

    def open_incidents(self, now: datetime) -> tuple[Told, ...]:
        return tuple(one for one in self.incidents if one.is_open(now))

    def days(self, today: date) -> list[tuple[date, Health]]:
        """Each of the last ninety days, the oldest first, with the worst that was written of it."""
        found = []
        for back in range(HISTORY.days - 1, -1, -1):
            day = today - timedelta(days=back)
            touching = (one for one in self.incidents if one.started_at.date() <= day <= _end(one, today))
            found.append((day, worst(one.health for one in touching)))
        return found


def worst(found: Iterable[Health]) -> Health:
    return max(found, key=ORDER.index, default=Health.GOOD)


def read_status(*, now: datetime) -> Status:
    """Never an error: what cannot be found out is not known."""
    try:
        kept = remember(
            KEY,
            lambda: _look(now=now),
            seconds=FRESH_SECONDS,
            stale_seconds=STALE_SECONDS,
            patience_seconds=PATIENCE_SECONDS,
        )
    except StillBeingMadeError:
        kept = {"at": now.isoformat(), "reasons": [Reason.SAVING, Reason.UNSEEN], "incidents": [], "knows": False}
    incidents = tuple(_told(one) for one in kept["incidents"])
    status = Status(datetime.fromisoformat(kept["at"]), (), incidents, bool(kept["knows"]))
    reasons = [Reason(one) for one in kept["reasons"]]
    return Status(status.at, _parts(reasons, status.open_incidents(now)), incidents, status.knows_incidents)


def forget() -> None:
    """The next one who asks looks anew."""
    forget_value(KEY)


class _Announced:
    """What this process knows of it. Every page asks; Valkey is asked every few seconds, the database never."""

    read_at = float("-inf")
    incidents: tuple[Told, ...] = ()


def announced(*, now: datetime) -> Told | None:
    """The worst of what lasts, for the head of every page. Some seconds late, and missing while Valkey is away.

    When Valkey was emptied it is there again within a minute (`keep_told`).
    """
    clock = time.monotonic()
    if clock - _Announced.read_at > ANNOUNCED_SECONDS:
        _Announced.read_at = clock
        _Announced.incidents = tuple(_told(one) for one in _known())
    lasting = [one for one in _Announced.incidents if one.is_open(now)]
    return max(lasting, key=lambda one: ORDER.index(one.health), default=None)


def keep_told(*, now: datetime) -> None:
    """Puts what pages show where they look for it, also when Valkey was emptied since. One query."""
    _incidents(now=now)


def forget_announced() -> None:
    _Announced.read_at = float("-inf")


def _parts(reasons: Iterable[Reason], incidents: Iterable[Told]) -> tuple[PartState, ...]:
    reasons, incidents = list(reasons), list(incidents)
    found = []
    for part in Part:
        mine = tuple(one for one in reasons if REASONS[one][0] == part)
        said = [one.health for one in incidents if one.part == part]
        found.append(PartState(part, worst([*(REASONS[one][1] for one in mine), *said]), mine))
    return tuple(found)


def _look(*, now: datetime) -> dict[str, Any]:
    try:
        numbers: Mapping[str, float] | None = gauges.read_database()
    except psycopg.Error as error:
        log.warning("The status page cannot ask PostgreSQL", reason=str(error))
        numbers = None
    incidents = _incidents(now=now) if numbers is not None else None
    return {
        "at": now.isoformat(),
        "reasons": [*_of_database(numbers), *_of_valkey()],
        "incidents": _known() if incidents is None else incidents,
        "knows": incidents is not None,
    }


def _of_database(numbers: Mapping[str, float] | None) -> list[Reason]:
    if numbers is None:
        return [Reason.SAVING, Reason.UNSEEN]
    found = []
    if numbers["lms_live_broadcasts"] and numbers["lms_live_lag_seconds"] > LATE_SECONDS:
        found.append(Reason.LATE)
    if max(numbers["lms_transcode_oldest_seconds"], numbers["lms_recordings_oldest_seconds"]) > WAITING_SECONDS:
        found.append(Reason.RECORDING)
    return found


def _of_valkey() -> list[Reason]:
    """Without it tasks wait for the sweeps, and nobody stands in a line."""
    waiting = _valkey.ask(count_waiting)
    found = _valkey.ask(lambda client: signs.read(client, queues=gauges.QUEUES))
    return [*([Reason.LINE] if waiting else []), *([Reason.MAIL] if found is None or _is_late(found) else [])]


def _is_late(found: signs.Signs) -> bool:
    most = max(queue.waiting for queue in found.queues.values())
    return most > MANY_TASKS or found.queues["default"].oldest_seconds > TASK_SECONDS


def _incidents(*, now: datetime) -> list[dict[str, Any]] | None:
    try:
        rows = list(Incident.objects.since(now - HISTORY)[:100])
    except DatabaseError as error:
        log.warning("The incidents cannot be read", reason=str(error))
        return None
    found = [
        {
            "part": one.part,
            "severity": one.severity,
            "title": one.title,
            "words": one.words,
            "started_at": one.started_at.isoformat(),
            "ended_at": one.ended_at and one.ended_at.isoformat(),
        }
        for one in rows
    ]
    _valkey.ask(lambda client: client.set(KNOWN, json.dumps(found), ex=int(HISTORY.total_seconds())))
    return found


def _known() -> list[dict[str, Any]]:
    text = _valkey.ask(lambda client: client.get(KNOWN))
    return list(json.loads(text)) if text else []


def _told(kept: Mapping[str, Any]) -> Told:
    ended_at = kept["ended_at"]
    return Told(
        Part(kept["part"]),
        Severity(kept["severity"]),
        kept["title"],
        kept["words"],
        datetime.fromisoformat(kept["started_at"]),
        datetime.fromisoformat(ended_at) if ended_at else None,
    )


def _end(incident: Told, today: date) -> date:
    return incident.ended_at.date() if incident.ended_at else today
