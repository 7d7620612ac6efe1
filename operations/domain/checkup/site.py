"""The site: PostgreSQL, waiting work, backups, scheduled tasks, the processes."""

import base64
import http.client
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http.client import NOT_FOUND, OK
from http.client import SWITCHING_PROTOCOLS as SWITCHING
from typing import Any
from urllib.parse import urlsplit

import redis
from celery import current_app
from django.conf import settings
from redbeat.decoder import RedBeatJSONDecoder

from certification.domain.standing import unknown_keys
from core import signs
from operations.domain import gauges
from operations.domain.backups.manifest import read_manifest
from operations.domain.backups.programs import Parameters
from operations.domain.backups.restoring import try_backup
from operations.domain.backups.stores import Store
from operations.domain.checkup.report import Line, above, ok, problem, warning

PING_SECONDS = 3.0
HALF_SEEN = timedelta(hours=1)  # a dump is without its manifest for a moment
WORKERS = {"default": "worker", "long": "long", "media": "transcoder", "reminders": "sender"}


def database() -> Iterator[Line]:
    found = gauges.read_database()
    taken, allowed = found["lms_postgresql_connections"], found["lms_postgresql_connections_allowed"]
    share = taken / allowed * 100
    yield above("connections", share, warn=70, bad=90, text=f"{taken:.0f} of {allowed:.0f}")
    age, idle = found["lms_postgresql_transaction_seconds"], found["lms_postgresql_idle_in_transaction_seconds"]
    yield above("transactions", age, warn=300, bad=3600, text=f"the oldest {age:.0f} s, the longest idle {idle:.0f} s")
    locks = found["lms_postgresql_locks_waiting"]
    yield above("locks", locks, warn=5, bad=20, text=f"{locks:.0f} waited for")
    yield ok("database size", f"{found['lms_postgresql_bytes'] / 1e6:,.0f} MB")
    for name, what in (("transcode", "videos"), ("recordings", "recordings"), ("imports", "lists of people")):
        count, oldest = found[f"lms_{name}_waiting"], found[f"lms_{name}_oldest_seconds"]
        yield above(f"waiting {what}", oldest, warn=3600, bad=86_400, text=f"{count:.0f}, the oldest {oldest:.0f} s")
    stale = found["lms_transcode_stale"]
    yield above("silent transcoders", stale, warn=1, bad=5, text=f"{stale:.0f} jobs that nobody takes over")


def backups(store: Store, *, now: datetime) -> Iterator[Line]:
    if halves := store.halves(before=now - HALF_SEEN):
        text = f"{', '.join(halves)}: no manifest, and so no backup; the next one removes what is older than a day"
        yield warning("half backup", text)
    names = store.names()
    if not names:
        yield problem("backup", f"none at {store}: manage.py backup")
        return
    newest = read_manifest(store.read_manifest(names[-1]))
    hours = (now - newest.at) / timedelta(hours=1)
    limit = settings.BACKUP_MAX_AGE_HOURS
    text = f"{newest.name}, {hours:.0f} h old, {newest.bytes:,} bytes"
    yield above("backup", hours, warn=limit, bad=2 * limit, text=text)
    oldest = read_manifest(store.read_manifest(names[0]), trusted=True)
    extra = len(names) - settings.BACKUP_KEEP
    text = f"{len(names)}, the oldest of {oldest.at:%Y-%m-%d}"
    yield above("old backups", extra, warn=1, bad=1_000, text=text + (f"; {extra} too many" if extra > 0 else ""))


def restorable(store: Store, *, beside: Parameters) -> Iterator[Line]:
    """Restores the newest into a database that is dropped again: minutes, and the disk space of the database."""
    names = store.names()
    if not names:
        yield problem("restore", "there is no backup to restore")
        return
    done = try_backup(store=store, name=names[-1], beside=beside)
    yield ok("restore", f"{names[-1]} restored and compared: {sum(done.rows.values()):,} rows")


def certificates() -> Iterator[Line]:
    """Whether every key that ever sealed one is still there: without it nobody can confirm them."""
    unknown = unknown_keys()
    if unknown:
        text = f"{', '.join(one[:12] for one in unknown)}: sealed certificates, and is not in CERTIFICATE_KEYS"
        yield problem("keys of certificates", text)
    else:
        yield ok("keys of certificates", "all that sealed certificates are known")


def schedule(*, now: datetime) -> Iterator[Line]:
    """What beat did last, by its own notes; a task is late after three of its intervals, or two minutes more."""
    with _redis() as client:
        lock = client.exists("redbeat::lock")
        notes = {name: client.hget(f"redbeat:{name}", "meta") for name in settings.CELERY_BEAT_SCHEDULE}
    yield ok("beat", "one is active") if lock else problem("beat", "none runs: nothing is scheduled")
    late = []
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        at = _last_run(notes[name])
        limit = timedelta(seconds=3 * float(entry["schedule"]) + 120)
        if at is None:
            late.append(f"{name} (never)")
        elif now - at > limit:
            late.append(f"{name} ({(now - at) / timedelta(minutes=1):.0f} min)")
    count = len(settings.CELERY_BEAT_SCHEDULE)
    yield problem("scheduled tasks", "late: " + ", ".join(late)) if late else ok("scheduled tasks", f"{count} on time")


def _last_run(meta: bytes | None) -> datetime | None:
    found: datetime | None = json.loads(meta, cls=RedBeatJSONDecoder).get("last_run_at") if meta else None
    return found


def workers() -> Iterator[Line]:
    """A worker at work answers as well: the answer comes from its parent process."""
    answers: Sequence[dict[str, Any]] = current_app.control.ping(timeout=PING_SECONDS) or ()
    names = sorted(name.partition("@")[0] for answer in answers for name in answer)
    with _redis() as client:
        waiting = {name: int(client.llen(name)) for name in gauges.QUEUES}
    for queue, worker in WORKERS.items():
        count = names.count(worker)
        text = f"{count} answer, {waiting[queue]} tasks wait"
        yield ok(worker, text) if count else problem(worker, text)


def signs_of_life() -> Iterator[Line]:
    """What `/metrics` says of beat, workers and queues, by the limits of its alerts."""
    found = gauges.read_signs()
    yield above("sign of beat", found.beat_seconds, warn=60, bad=120, text=_ago(found.beat_seconds))
    for name, queue in found.queues.items():
        text = f"{_ago(queue.silent_seconds)}, by {queue.workers} within a minute"
        if queue.taken_seconds < signs.NEVER:
            text += f"; took a task {_ago(queue.taken_seconds)}"
        yield above(f"sign of {WORKERS[name]}", queue.silent_seconds, warn=60, bad=120, text=text)
    oldest = found.queues["default"].oldest_seconds  # the others have tasks of minutes and hours
    yield above("oldest task", oldest, warn=60, bad=120, text=f"of the queue default has waited {oldest:.0f} s")


def _ago(seconds: float) -> str:
    return "never" if seconds == signs.NEVER else f"{seconds:.0f} s ago"


def service(name: str, address: str) -> Line:
    """Ready; or, where a balancer keeps `/readyz` to itself, alive behind it."""
    if not address:
        return warning(name, f"not asked: its address is unknown (--{name} http://…)")
    try:
        status, text = _ask(f"{address.rstrip('/')}/readyz")
        if status == NOT_FOUND:
            status, text = _ask(f"{address.rstrip('/')}/healthz")
            if status == OK:
                return ok(name, f"{address} answers; whether it is ready is its balancer's to know")
    except OSError as error:
        return problem(name, f"{address} does not answer: {error}")
    return ok(name, f"{address} is ready ({status})") if status == OK else problem(name, f"{address}: {status}, {text}")


def sockets(site: str) -> Line:
    """As browsers do: a handshake, without a session. The tier accepts it, to say that nobody is signed in."""
    parts = urlsplit(site)
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Origin": f"{parts.scheme}://{parts.netloc}",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }  # fmt: skip
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=PING_SECONDS)
    try:
        connection.request("GET", "/ws/webinars/0/", headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return problem("realtime", f"{site} takes no WebSockets: {error}")
    finally:
        connection.close()
    if status != SWITCHING:
        return problem("realtime", f"{site} takes no WebSockets: {status}")
    return ok("realtime", f"{site} takes WebSockets")


def _ask(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=PING_SECONDS) as answer:  # noqa: S310  # the command looked at it
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read(200).decode(errors="replace").strip()


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PING_SECONDS, socket_connect_timeout=PING_SECONDS)
