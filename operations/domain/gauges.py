"""Numbers that only the database and Redis know: what waits, who works, how late the live picture is, PostgreSQL.

Asked when Prometheus asks, by one connection of its own with a limit of two seconds, at most every five seconds.
"""

import math
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import accumulate

import psycopg
import redis
from django.conf import settings
from django.db import connection
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from core import signs
from core.logging import get_logger
from core.shedding.line import count_waiting
from reminders.domain import latency

log = get_logger("operations")
SECONDS = 2
KEPT_SECONDS = 5.0
QUEUES = ("default", "long", "media", "reminders")
HELP = {
    "lms_transcode_waiting": "Videos that wait for a transcoder",
    "lms_transcode_oldest_seconds": "How long the first of them has waited",
    "lms_transcode_stale": "Videos whose transcoder fell silent two minutes ago or more",
    "lms_recordings_waiting": "Broadcasts that ended and have no recording yet",
    "lms_recordings_oldest_seconds": "How long the first of them has waited",
    "lms_imports_waiting": "Lists of people that wait for the worker",
    "lms_imports_oldest_seconds": "How long the first of them has waited",
    "lms_messages_due": "Messages whose time has come and that nobody has sent yet",
    "lms_messages_oldest_seconds": "How long the first of them has waited",
    "lms_messages_failed": "Messages that failed within the last hour",
    "lms_messages_unknown": "Messages of the last hour of which nobody knows whether they left",
    "lms_statements_oldest_seconds": "How long the first statement for the learning record store has been due",
    "lms_statements_dead": "Statements refused or given up within a day, and sources of them that got stuck",
    "lms_rollups_lag_seconds": "Age of the oldest figures among webinars that somebody opened in the last ten minutes",
    "lms_playback_degraded": "Countries of live webinars whose players keep stopping, or have errors and no picture",
    "lms_live_broadcasts": "Broadcasts on air, rehearsals included",
    "lms_live_lag_seconds": "Age of the end of the newest segment, of the broadcast that is latest",
    "lms_postgresql_connections": "Connections to this server, of all databases",
    "lms_postgresql_connections_allowed": "max_connections",
    "lms_postgresql_active": "Connections that run a statement",
    "lms_postgresql_idle_in_transaction_seconds": "The longest pause within a transaction",
    "lms_postgresql_transaction_seconds": "Age of the oldest transaction",
    "lms_postgresql_locks_waiting": "Locks that somebody waits for",
    "lms_postgresql_deadlocks": "Deadlocks of this database since its statistics began",
    "lms_postgresql_bytes": "Size of this database",
}
OF_QUEUE = {  # by the names of signs.Queue
    "waiting": ("lms_queue_waiting", "Tasks that no worker has taken yet"),
    "oldest_seconds": ("lms_queue_oldest_seconds", "How long the first of them has waited"),
    "workers": ("lms_workers", "Workers that were heard of within a minute"),
    "silent_seconds": ("lms_worker_silent_seconds", "Since a worker was heard of; +Inf: not since Redis was emptied"),
    "taken_seconds": ("lms_worker_taken_seconds", "Since a worker took a task; +Inf: not since Redis was emptied"),
}
# A backup reads for hours and holds up nobody: its transaction is no long one.
SESSIONS = """
SELECT pid, state, CASE WHEN application_name NOT IN ('pg_dump', 'backup') THEN xact_start END AS xact_start,
    CASE WHEN application_name NOT IN ('pg_dump', 'backup') THEN state_change END AS state_change
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""
DEGRADED_FROM_MS = 20 * 60_000  # twenty minutes of players: the trouble of one person is no country's
# People whose players told errors and no playing: where nothing plays, nothing waits either. All players of a country
# are counted only where so many are stuck: with 10,000 of them 40 ms instead of 200.
STUCK_FROM = 5
_QUERY = f"""
WITH sessions AS ({SESSIONS}),
queued AS (SELECT count(*) AS n, min(queued_at) AS at FROM media_video WHERE status = 'queued'),
unrecorded AS (
    SELECT count(*) AS n, min(b.ended_at) AS at FROM webinars_broadcast b
    WHERE NOT b.is_rehearsal AND b.recorded_at IS NULL AND b.ended_at > now() - interval '30 days'
    AND EXISTS (SELECT FROM webinars_segment s WHERE s.broadcast_id = b.id)
),
imports AS (
    SELECT count(*) AS n, min(created_at) AS at FROM accounts_pendingimport WHERE state IN ('rehearsing', 'importing')
),
outbox AS (
    SELECT count(*) AS n, min(due_at) AS at FROM reminders_delivery WHERE state = 'planned' AND due_at <= now()
),
undelivered AS (
    SELECT count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'unknown') AS unknown
    FROM reminders_delivery WHERE ended_at > now() - interval '1 hour'
),
statements AS (
    SELECT (SELECT min(due_at) FROM analytics_statement WHERE state = 'waiting' AND due_at <= now()) AS at,
        (SELECT count(*) FROM analytics_statement
            WHERE state IN ('given_up', 'refused') AND ended_at > now() - interval '1 day')
        + (SELECT count(*) FROM analytics_statementfeed WHERE name <> 'lrs') AS dead
),
opened AS (
    SELECT webinar_id, min(started_at) AS at FROM webinars_playsession
    WHERE started_at > now() - interval '10 minutes' GROUP BY 1
),
figures AS (
    SELECT min(coalesce(s.seen_through, o.at)) AS at
    FROM opened o LEFT JOIN analytics_rollupstate s USING (webinar_id)
),
on_air AS (SELECT webinar_id FROM webinars_broadcast WHERE ended_at IS NULL),
told AS NOT MATERIALIZED (
    SELECT webinar_id, country, session_id, errors > 0 AND play_ms = 0 AS is_stuck FROM analytics_playbackreport
    WHERE webinar_id IN (SELECT webinar_id FROM on_air) AND phase = 'live'
        AND received_at > now() - interval '10 minutes' AND session_started_at > now() - interval '7 days'
),
stuck AS (
    SELECT t.webinar_id, t.country, count(DISTINCT t.session_id) AS players
    FROM told t JOIN webinars_playsession s ON s.id = t.session_id WHERE t.is_stuck
    GROUP BY 1, 2 HAVING count(DISTINCT s.user_id) >= {STUCK_FROM}
),
degraded AS (
    SELECT count(*) AS n FROM (
        SELECT webinar_id, country FROM analytics_qualityminute
        WHERE webinar_id IN (SELECT webinar_id FROM on_air) AND phase = 'live' AND at > now() - interval '10 minutes'
        GROUP BY 1, 2
        HAVING sum(play_ms + stall_ms) >= {DEGRADED_FROM_MS} AND sum(stall_ms) * 10 > sum(play_ms + stall_ms)
        UNION
        SELECT webinar_id, country FROM stuck WHERE players * 10 > (
            SELECT count(DISTINCT t.session_id) FROM told t
            WHERE t.webinar_id = stuck.webinar_id AND t.country = stuck.country)
    ) AS countries
),
live AS (
    SELECT count(*) AS n,
        min(coalesce(epoch + program_seconds * interval '1 second', started_at)) AS at
    FROM webinars_broadcast WHERE ended_at IS NULL
),
activity AS (
    SELECT count(*) AS n, count(*) FILTER (WHERE state = 'active' AND pid <> pg_backend_pid()) AS active,
        max(now() - state_change) FILTER (WHERE state LIKE 'idle in transaction%') AS idle,
        max(now() - xact_start) FILTER (WHERE pid <> pg_backend_pid()) AS longest
    FROM sessions
)
SELECT queued.n, extract(epoch FROM now() - queued.at),
    (SELECT count(*) FROM media_video WHERE status = 'transcoding' AND lease_until < now() - interval '2 minutes'),
    unrecorded.n, extract(epoch FROM now() - unrecorded.at),
    imports.n, extract(epoch FROM now() - imports.at),
    outbox.n, extract(epoch FROM now() - outbox.at), undelivered.failed, undelivered.unknown,
    extract(epoch FROM now() - statements.at), statements.dead,
    extract(epoch FROM now() - figures.at), degraded.n,
    live.n, extract(epoch FROM now() - live.at),
    activity.n, current_setting('max_connections')::int, activity.active,
    extract(epoch FROM activity.idle), extract(epoch FROM activity.longest),
    (SELECT count(*) FROM pg_locks WHERE NOT granted),
    (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()),
    pg_database_size(current_database())
FROM queued, unrecorded, imports, outbox, undelivered, statements, figures, degraded, live, activity
"""  # noqa: S608  # our own constant


class Site(Collector):
    """What does not answer is missing, and its `up` says 0: an old number would look like a good one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Metric] = []
        self._kept_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() - self._kept_at > KEPT_SECONDS:
                self._kept = [*_database(), *_redis()]
                self._kept_at = time.monotonic()
            return self._kept


SITE = CollectorRegistry()
SITE.register(Site())


def render() -> bytes:
    return generate_latest(SITE)


def read_database() -> dict[str, float]:
    """All at once, from one snapshot. An age of what is not there is 0. Raises psycopg.Error."""
    parameters = connection.get_connection_params() | {"connect_timeout": SECONDS}
    with psycopg.connect(**parameters) as direct:
        direct.execute(f"SET LOCAL statement_timeout = {SECONDS * 1000}".encode())
        row = direct.execute(_QUERY).fetchone()
    return dict(zip(HELP, (max(0.0, float(value or 0)) for value in row or ()), strict=True))


def read_signs() -> signs.Signs:
    """What waits for workers, and whether there are any. Raises redis.RedisError."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as client:
        return signs.read(client, queues=QUEUES)


def read_line() -> int:
    """Raises redis.RedisError."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as client:
        return count_waiting(client)


def read_calls() -> dict[tuple[str, str], latency.Calls]:
    """Raises redis.RedisError."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as client:
        return latency.read(client)


def _database() -> Iterator[Metric]:
    try:
        found = read_database()
    except psycopg.Error as error:
        log.warning("PostgreSQL gives no numbers", reason=str(error))
        yield GaugeMetricFamily("lms_postgresql_up", "Whether PostgreSQL answers", 0)
        return
    yield GaugeMetricFamily("lms_postgresql_up", "Whether PostgreSQL answers", 1)
    for name, value in found.items():
        yield GaugeMetricFamily(name, HELP[name], value)


def _redis() -> Iterator[Metric]:
    try:
        found, newcomers, calls = read_signs(), read_line(), read_calls()
    except redis.RedisError as error:
        log.warning("Redis gives no numbers", reason=str(error))
        yield GaugeMetricFamily("lms_redis_up", "Whether Redis answers", 0)
        return
    yield GaugeMetricFamily("lms_redis_up", "Whether Redis answers", 1)
    for field, (name, text) in OF_QUEUE.items():
        family = GaugeMetricFamily(name, text, labels=["queue"])
        for queue, told in found.queues.items():
            family.add_metric([queue], getattr(told, field))
        yield family
    words = "Since beat went through its schedule; +Inf: not since Redis was emptied"
    yield GaugeMetricFamily("lms_beat_silent_seconds", words, found.beat_seconds)
    yield GaugeMetricFamily("lms_newcomers_waiting", "People in the line before the door", newcomers)
    yield from _providers(calls)


def _providers(calls: dict[tuple[str, str], latency.Calls]) -> Iterator[Metric]:
    """Of all workers together: they leave it in Redis."""
    labels = ["transport", "channel"]
    words = "Time of a call of a provider, with as many messages as it takes at once"
    seconds = HistogramMetricFamily("lms_messages_call_seconds", words, labels=labels)
    messages = CounterMetricFamily("lms_messages_handed_over", "Messages in these calls", labels=labels)
    for names, of_one in sorted(calls.items()):
        sums = accumulate(of_one.by_bucket)
        names_of = ("+Inf" if most == math.inf else str(most) for most in latency.BUCKETS)
        buckets = [(most, float(number)) for most, number in zip(names_of, sums, strict=True)]
        seconds.add_metric(names, buckets, of_one.seconds)
        messages.add_metric(names, of_one.messages)
    yield seconds
    yield messages
