"""Takes in what players report of themselves. Nobody's credit depends on it, and nothing is believed beyond reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from psycopg.types.multirange import Int4Multirange
from psycopg.types.range import Int4Range

from analytics.domain.user_agents import device_of
from analytics.enums import NetworkKind, PlaybackError
from analytics.models import PlaybackReport
from core.ranges import Ranges, intersect, seconds
from webinars.models import PlaySession

SLACK_MS = 30_000  # between the page's clock and ours
MOST_KBITS_A_SECOND = 100_000
MOST_STALLS_A_SECOND = 10
MOST_ERRORS_A_SECOND = 1
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('analytics.reports:' || %s, 0))"


@dataclass(frozen=True, slots=True)
class Report:
    """As a page sends it; `analytics.models.PlaybackReport` says what each means."""

    number: int
    network: NetworkKind = NetworkKind.UNKNOWN
    start_ms: int | None = None
    play_ms: int = 0
    stall_ms: int = 0
    stalls: int = 0
    kbits: int = 0
    errors: int = 0
    error_kind: PlaybackError = PlaybackError.NONE
    replayed: Ranges = ()


# What was replayed is moved to the uncut recording, as beats are (`webinars.domain.crediting`): no cut changes it.
_TAKE = """
INSERT INTO analytics_playbackreport (session_started_at, session_id, number, webinar_id, phase, received_at, country,
    device, network, start_ms, play_ms, stall_ms, stalls, kbits, errors, error_kind, replayed)
SELECT s.started_at, s.id, r.number, s.webinar_id, s.phase, %s, %s, %s, r.network, r.start_ms, r.play_ms, r.stall_ms,
    r.stalls, r.kbits, r.errors, r.error_kind,
    CASE WHEN s.shown IS NULL OR upper(s.shown) = s.media_seconds THEN r.replayed
         ELSE webinars_uncut(r.replayed, s.shown) END
FROM unnest(%s::int4[], %s::text[], %s::int4[], %s::int4[], %s::int4[], %s::int4[], %s::int8[], %s::int4[], %s::text[],
    %s::int4multirange[])
    AS r (number, network, start_ms, play_ms, stall_ms, stalls, kbits, errors, error_kind, replayed)
JOIN webinars_playsession s ON s.id = %s
ORDER BY r.number
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def take_reports(
    reports: Sequence[Report], *, session: PlaySession, country: str, user_agent: str, now: datetime
) -> int:
    """How many of them were new. The caller has passed `rules.get_play_session_for`. Three statements.

    The same number of the same session a second time changes nothing, whatever the report says. One request of a
    session waits for another: together they tell of no more than there was.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [str(session.pk)])
    left = _left(session, now)
    earlier = PlaybackReport.objects.filter(session_started_at=session.started_at, session=session)
    taken = set()
    for number, told_ms, errors in earlier.values_list("number", F("play_ms") + F("stall_ms"), "errors"):
        taken.add(number)
        left = _Left(left.ms - told_ms, left.errors - errors)
    new = {one.number: one for one in reports if one.number not in taken}
    kept = []
    for one in sorted(new.values(), key=lambda one: one.number):
        kept.append(told := _within_reason(one, session, left, now))
        left = _Left(left.ms - told.play_ms - told.stall_ms, left.errors - told.errors)
    columns = (
        [one.number for one in kept],
        [one.network.value for one in kept],
        [one.start_ms for one in kept],
        [one.play_ms for one in kept],
        [one.stall_ms for one in kept],
        [one.stalls for one in kept],
        [one.kbits for one in kept],
        [one.errors for one in kept],
        [one.error_kind.value for one in kept],
        [Int4Multirange([Int4Range(start, end) for start, end in one.replayed]) for one in kept],
    )
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [now, country, device_of(user_agent).value, *columns, session.pk])
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True)
class _Left:
    """What a session can still tell of: time with a picture or waiting, and errors. May be below nothing."""

    ms: int
    errors: int


def _left(session: PlaySession, now: datetime) -> _Left:
    """At its opening, as if nothing had been told. A player that failed waits before it tries again."""
    most_ms = max(0, int((now - session.started_at).total_seconds() * 1000)) + SLACK_MS
    return _Left(most_ms, most_ms * MOST_ERRORS_A_SECOND // 1000)


def _within_reason(one: Report, session: PlaySession, left: _Left, now: datetime) -> Report:
    """No player has played for longer than it was open, nor replayed more than it can have played."""
    left_ms = max(0, left.ms)
    play_ms = min(one.play_ms, left_ms)
    stall_ms = min(one.stall_ms, left_ms - play_ms)
    errors = min(one.errors, max(0, left.errors))
    replayed = intersect(one.replayed, ((0, _reached(session, now)),))
    if seconds(replayed) > play_ms / 1000 * settings.MAX_PLAYBACK_RATE + settings.CREDIT_SLACK_SECONDS:
        replayed = ()
    return Report(
        number=one.number,
        network=one.network,
        start_ms=one.start_ms,
        play_ms=play_ms,
        stall_ms=stall_ms,
        stalls=min(one.stalls, (play_ms + stall_ms) * MOST_STALLS_A_SECOND // 1000 + 1),
        kbits=min(one.kbits, play_ms * MOST_KBITS_A_SECOND // 1000),
        errors=errors,
        error_kind=one.error_kind if errors else PlaybackError.NONE,
        replayed=replayed,
    )


def _reached(session: PlaySession, now: datetime) -> int:
    """The end of what there is to play: of the media, and live of what has been broadcast by now."""
    if session.epoch is None:
        return session.media_seconds
    return max(0, min(session.media_seconds, int((now - session.epoch).total_seconds()) + SLACK_MS // 1000))
