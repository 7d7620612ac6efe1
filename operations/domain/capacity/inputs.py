"""What the arithmetic starts from: the audience, measured costs, what was not measured, and the price list."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
MEASURED, PRICES = FOLDER / "measured.json", FOLDER / "prices.json"


class InputError(Exception):
    """A number or a file that nothing can be worked out from; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who comes. All are there at the same time once they have arrived; shares are from 0 to 1."""

    doctors: int
    arrival_minutes: float = 10.0
    webinar_minutes: float = 60.0
    webinars_a_month: int = 8
    polling_share: float = 0.05  # no WebSocket reaches them
    sign_in_share: float = 0.2  # the others are signed in still
    questions_a_doctor_hour: float = 0.2
    polls_an_hour: float = 4.0
    vote_share: float = 0.6
    vote_seconds: float = 30.0  # most of a poll's answers come within them
    room_events_a_minute: float = 6.0  # for everybody: announcements, results, published questions

    def __post_init__(self) -> None:
        for name in ("doctors", "webinars_a_month"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be negative")
        for name in ("arrival_minutes", "webinar_minutes", "vote_seconds"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} must be above 0")
        for name in ("polling_share", "sign_in_share", "vote_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be between 0 and 1")
        for name in ("questions_a_doctor_hour", "polls_an_hour", "room_events_a_minute"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Measured. CPU is of one core of the machine that measured, see measured.json."""

    home_cpu_ms: float
    watch_cpu_ms: float
    home_queries: float
    watch_queries: float
    poll_cpu_ms: float  # server and PostgreSQL; stands for every small API request too
    join_cpu_ms_server: float
    join_cpu_ms_postgresql: float
    cpu_us_per_beat_server: float
    cpu_us_per_beat_postgresql: float
    fanout_cpu_us: float
    kb_per_socket: float
    sockets: float  # as many as one process was seen to hold
    group_commit_rows_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Not measured. Each is a guess to the safe side and can be changed here."""

    arrival_peak: float = 1.5  # the busiest minute of the arrival against its mean
    usable: float = 0.6  # of cores, sockets and memory, at the planned peak
    vcpu_per_core: float = 1.0  # Fargate vCPUs that do the work of one measured core
    beat_seconds: float = 10.0  # BEAT_MILLISECONDS of static/js/player/beats.js
    grant_renewal_seconds: float = 36.0  # 60 % of LIVE_GRANT_SECONDS
    poll_seconds: float = 4.0  # the middle of AGAIN_SECONDS
    presence_seconds: float = 3.0  # the number of people, while it changes
    api_requests_on_arrival: float = 3.0  # playback, play session, room
    requests_to_sign_in: float = 4.0
    api_queries: float = 6.0
    query_cpu_ms_postgresql: float = 0.15
    page_kb: float = 30.0  # compressed; files of the site come from the CDN
    mail_cpu_ms: float = 20.0
    completion_cpu_ms: float = 5.0
    completion_minutes: float = 10.0  # most reach the threshold within them
    redis_operations_a_request: float = 6.0
    redis_operations_per_s: float = 80_000.0  # of one shard
    redis_kb_a_doctor: float = 4.0  # session, limits, presence
    socket_memory_factor: float = 3.0  # the kernel's buffers, and bursts
    connection_mib: float = 10.0  # of one PostgreSQL backend
    connection_memory_share: float = 0.1  # of the database's memory that backends may take
    connections_a_vcpu: float = 32.0  # above them every snapshot and lock gets dearer
    server_connections_a_vcpu: float = 4.0  # PgBouncer's server connections for each vCPU of the database
    row_bytes: float = 700.0  # with its indexes
    rows_a_visit: float = 5.0  # record, two play sessions, completion, votes and questions
    partition_rows: float = 100_000_000.0  # in one table, of a year
    iops_a_commit: float = 1.0
    ladder_fill: float = 0.7  # of the ladder's highest rates: slides stay below them


# What the tasks of each tier look like, as in deploy/terraform/production.tfvars. Python binds a process to one core.
@dataclass(frozen=True, slots=True)
class Shape:
    vcpus: float
    memory_gib: float
    processes: int
    connections: int  # to PostgreSQL, all processes together
    standing: int  # replicas that always run


SHAPES: Mapping[str, Shape] = {
    "web": Shape(2, 4, 4, 32, 3),
    "realtime": Shape(2, 4, 2, 16, 3),
    "worker": Shape(1, 2, 4, 8, 2),
    "long": Shape(1, 4, 2, 4, 1),
    "sender": Shape(1, 2, 4, 8, 2),
    "transcoder": Shape(8, 16, 1, 2, 1),
    "ingest": Shape(4, 8, 1, 8, 2),
    "beat": Shape(0.25, 1, 1, 1, 2),
}
ELASTIC = ("web", "realtime", "worker")

# Viewers by quality, in the order of webinars.ingest.ladder and the sound alone.
VIEWERS: Mapping[str, float] = {
    "audio": 0.05,
    "240p5": 0.05,
    "240p15": 0.15,
    "360p": 0.35,
    "480p": 0.25,
    "720p": 0.15,
}


def read_costs(extra: Sequence[Path] = ()) -> Costs:
    """The committed figures; those of `extra` (output of script/bench … --json) replace them one by one."""
    data = _read(MEASURED)
    figures: dict[str, Any] = {**data["watch"], **data["live"]}
    for path in extra:
        figures |= read_figures(path)
    names = [field.name for field in fields(Costs)]
    for name in names:
        value = figures.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise InputError(f"{name} must be a number above 0, not {value!r}")
    return Costs(**{name: float(figures[name]) for name in names})


def read_figures(path: Path) -> dict[str, Any]:
    """The last line of a bench's output that is a JSON object; tables may stand before it."""
    try:
        lines = [line for line in path.read_text().splitlines() if line.startswith("{")]
        found: dict[str, Any] = json.loads(lines[-1])
    except (OSError, IndexError, ValueError) as error:
        raise InputError(f"{path} holds no line of JSON from script/bench … --json") from error
    return found


def read_provenance() -> dict[str, Any]:
    return {name: value for name, value in _read(MEASURED).items() if name not in {"watch", "live"}}


def read_prices(path: Path = PRICES) -> dict[str, Any]:
    return _read(path)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
