"""What a drill found out, as it stands in report.json. Times are seconds from its begin, durations milliseconds."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from operations.domain.crowd.measure import WHOLES

FORMAT = 1
FILE = "report.json"
PAGE = "page"

_NAMES = {
    "page": "Page",
    "join": "First click to playing",
    "sign_in": "Signing in by a link",
    "spot": "From asking at the door to being in",
    "door": "Pages of the door",
    "door_state": "Waiting at the door",
    "mail": "Message with the way in",
    "play_session": "Starting to play",
    "playlist": "Playlist",
    "segment": "Piece of video",
    "socket": "Socket and room",
    "beat_ack": "Beat acknowledged",
    "beats_by_http": "Beats without a socket",
    "event": "Event heard",
    "poll": "Room without a socket",
    "question": "Question",
    "vote": "Vote",
    "vote_late": "Vote after the poll was closed",
    "renew": "Grant renewed",
    "static": "Files of a first visit",
    "visit": "Visit to its end",
}


def name_of(operation: str) -> str:
    return _NAMES.get(operation, operation.replace("_", " ").capitalize())


@dataclass(frozen=True)
class Operation:
    """What doctors did, seen from their side. `shed` ones were asked to come again in a moment, and did: no error.

    `unknown` are those whose answer was lost on the way. `join` and `spot` repeat their parts: sums leave them out.
    """

    name: str
    count: int
    ok: int
    failed: int
    shed: int
    unknown: int
    p50: float
    p95: float
    p99: float
    longest: float

    @property
    def errors(self) -> int:
        return self.failed + self.unknown


@dataclass(frozen=True)
class ErrorKind:
    kind: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Injected:
    """A fault as it happened. `recovered_at` is empty when the site was not whole again at the end."""

    name: str
    at: float
    recovered_at: float | None
    said: tuple[str, ...] = ()

    @property
    def recovery(self) -> float | None:
        return None if self.recovered_at is None else round(self.recovered_at - self.at, 1)


@dataclass(frozen=True)
class Moment:
    """One look at everything. Empty is what could not be asked then: a database that was just killed answers nobody."""

    at: float
    arrived: int = 0
    sockets: int = 0
    requests: int = 0
    errors: int = 0
    sheds: int = 0
    page_p95: float | None = None
    join_p95: float | None = None
    busy: float | None = None  # percent of the whole machine, whoever uses it
    cpu: dict[str, float] = field(default_factory=dict)  # percent of one core, by kind of process
    memory: dict[str, int] = field(default_factory=dict)  # bytes
    threads: dict[str, int] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)  # open TCP and Unix connections to its port
    sessions: dict[str, int] = field(default_factory=dict)  # PostgreSQL's, by state
    locks: int | None = None
    locks_waiting: int | None = None


@dataclass(frozen=True)
class Finding:
    """One limit and what was measured against it."""

    name: str
    measured: float | None
    limit: float
    unit: str
    holds: bool
    words: str
    at_least: bool = False  # otherwise the limit is the most


@dataclass(frozen=True)
class Record:
    webinar_id: int
    title: str
    began_at: str
    seconds: float
    multiple: int
    minutes: float
    seed: int
    audience: str  # "registered", "enrolled" or "synthetic"
    doctors: int
    came: int
    countries: dict[str, int]
    target: str
    machine: dict[str, Any]
    replicas: dict[str, int]
    operations: tuple[Operation, ...]
    moments: tuple[Moment, ...]
    errors: tuple[ErrorKind, ...]
    faults: tuple[Injected, ...]
    lost: int  # acknowledged, and not in the database; or refused, and there
    lost_examples: tuple[str, ...]
    acknowledged: int
    saturated_by: str
    told: tuple[str, ...]  # what the stage hand did, and when
    unmeasured: tuple[str, ...]  # what could not be looked at, and why
    kept_back: int  # messages that the site wanted to send; they lie in the copy's folder and went nowhere
    findings: tuple[Finding, ...] = ()
    unfinished: str = ""  # why it ended before its time
    at_door: int = 0  # of the doctors; they came without an account
    by_link: int = 0  # of the doctors; they signed in by a link
    format: int = FORMAT

    @property
    def goes(self) -> bool:
        return not self.unfinished and bool(self.findings) and all(finding.holds for finding in self.findings)

    @property
    def errors_of_all(self) -> int:
        return sum(one.errors for one in self.operations if one.name not in WHOLES)

    @property
    def shed_of_all(self) -> int:
        return sum(one.shed for one in self.operations if one.name not in WHOLES)

    def operation(self, name: str) -> Operation | None:
        return next((one for one in self.operations if one.name == name), None)

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"go": self.goes}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Raises ValueError for another format: a comparison with half the figures would mislead."""
        raw = json.loads(text)
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise ValueError(f"no report of format {FORMAT}")
        parts: dict[str, Any] = {"operations": Operation, "moments": Moment, "errors": ErrorKind, "faults": Injected}
        parts["findings"] = Finding
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in raw.items() if name in known}
        try:
            for name, kind in parts.items():
                values[name] = tuple(kind(**{k: _frozen(v) for k, v in one.items()}) for one in raw[name])
            return cls(**{name: _frozen(value) for name, value in values.items()})
        except (KeyError, TypeError) as error:
            raise ValueError(f"no whole report: {error}") from error


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def newest_record(folder: Path) -> tuple[str, Record] | None:
    """The last whole drill of a folder of reports, with its own folder's name. Ones that were cut off do not count."""
    for path in sorted(folder.glob(f"*/{FILE}"), reverse=True):
        try:
            record = Record.from_json(path.read_text())
        except ValueError:
            continue
        if not record.unfinished:
            return path.parent.name, record
    return None
