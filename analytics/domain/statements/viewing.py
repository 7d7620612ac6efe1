"""Facts of players and of what was watched, in the words of the video profile. `docs/xapi.md` says what cannot be said.

What there is: when a player was opened, the seconds somebody has seen in all, where they were at their latest beat, and
when that was. A live event is told of when it is over: until then nobody knows how long it is, and each statement of
the profile names the length.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Subquery

from analytics.domain.statements import shapes
from analytics.domain.statements.facts import Fact
from analytics.domain.statements.players import QUIET, Opening, over_at, sender
from analytics.domain.statements.rows import PIECE, enrolled, home, place, rows
from analytics.enums import StatementVerb
from core.ranges import Ranges, intersect, seconds
from webinars.domain.resume import media_seconds
from webinars.enums import Phase
from webinars.models import Broadcast, PlaySession, WatchRecord

SESSION_LASTS = timedelta(days=1)
OF_WEBINAR = {
    "title": F("webinar__lesson__title"),
    "lesson": F("webinar__lesson"),
    "course": F("webinar__lesson__course"),
    "programme": F("webinar__lesson__course__programme"),
    "threshold": F("webinar__completion_percent"),
    "live_ended_at": F("webinar__ended_at"),
}


def openings(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """Each opening of a player. Its statement has the id of the play session: the profile asks that they be one."""
    sessions = _tellable(PlaySession.objects.all(), now=now)
    if since is not None:
        news = Q(started_at__gte=since) | Q(phase=Phase.LIVE, webinar__ended_at__gte=since - QUIET)
        sessions = sessions.filter(news, started_at__gte=since - SESSION_LASTS)
    fields = ("pk", "user_id", "webinar_id", "phase", "media_seconds", "started_at", "program_seconds")
    for row in rows(sessions, *fields, **OF_WEBINAR):
        is_live = row["phase"] == Phase.LIVE
        length = media_seconds(row["program_seconds"]) if is_live else row["media_seconds"]
        yield Fact(
            f"session/{row['pk']}", row["user_id"], row["programme"], row["started_at"], StatementVerb.INITIALIZED,
            body=_body(StatementVerb.INITIALIZED, row, length=length, session=row["pk"]), statement_id=row["pk"],
        )  # fmt: skip


def watching(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """Once somebody has been quiet for a while: how far they are, that it was enough, that their player is over."""
    records = _tellable(WatchRecord.objects.filter(last_beat_at__lte=now - QUIET), now=now)
    if since is not None:
        records = records.filter(_news(since))
    fields = (
        "pk", "user_id", "webinar_id", "phase", "coverage", "shown", "carried", "position_seconds", "clock",
        "last_beat_at", "reached_at", "program_seconds",
    )  # fmt: skip
    found = rows(records, *fields, **OF_WEBINAR)
    while piece := list(islice(found, PIECE)):
        players = _players(piece)
        for row in piece:
            yield from _watched(row, players[row["user_id"], row["webinar_id"], row["phase"]])


def _tellable(found: QuerySet[Any, Any], *, now: datetime) -> QuerySet[Any, Model]:
    """Recordings, and live events that are over and whose length is known."""
    length = Broadcast.objects.filter(webinar=OuterRef("webinar"), is_rehearsal=False).values("program_seconds")[:1]
    is_over = Q(phase=Phase.LIVE, webinar__ended_at__lte=now - QUIET, program_seconds__gt=0)
    told: QuerySet[Any, Model] = found.annotate(program_seconds=Subquery(length)).filter(
        Q(phase=Phase.ON_DEMAND) | is_over, enrolled("webinar__lesson__course__programme")
    )
    return told


def _news(since: datetime) -> Q:
    """Beats, events that ended, players that ended: of webinars that were opened within a day. Nights see the rest."""
    lately = PlaySession.objects.filter(started_at__gte=since - SESSION_LASTS)
    theirs = {"user": OuterRef("user"), "webinar": OuterRef("webinar"), "phase": OuterRef("phase")}
    ended = lately.filter(Q(ended_at__gte=since) | Q(device__ended_at__gte=since), **theirs)
    return Q(webinar__in=lately.values("webinar").distinct()) & (
        Q(last_beat_at__gte=since) | Q(phase=Phase.LIVE, webinar__ended_at__gte=since - QUIET) | Q(Exists(ended))
    )


def _players(piece: Sequence[dict[str, Any]]) -> defaultdict[tuple[int, int, str], list[Opening]]:
    """All that these people opened, by person, webinar and phase. One query."""
    sessions = PlaySession.objects.filter(
        user__in={row["user_id"] for row in piece}, webinar__in={row["webinar_id"] for row in piece}
    ).order_by("started_at", "pk")
    found: defaultdict[tuple[int, int, str], list[Opening]] = defaultdict(list)
    fields = ("user_id", "webinar_id", "phase", "pk", "started_at", "media_seconds", "ended_at", "device__ended_at")
    for user, webinar, phase, session, started_at, length, *ends in sessions.values_list(*fields):
        ended_at = min((end for end in ends if end is not None), default=None)
        found[user, webinar, phase].append(Opening(session, started_at, length, ended_at))
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a record says, in seconds of the version that is shown. `live`: of it what was seen live already."""

    segments: Ranges
    length: int
    position: float
    live: Ranges = ()


def _seen(row: dict[str, Any], opening: Opening) -> _Seen:
    position: float = row["position_seconds"]
    if row["phase"] == Phase.ON_DEMAND and row["shown"] is not None:
        shown: Ranges = row["shown"]
        return _Seen(
            shapes.as_shown(row["coverage"], shown),
            max(1, seconds(shown)),
            shapes.point_as_shown(position, shown),
            shapes.as_shown(row["carried"] or (), shown),
        )
    is_live = row["phase"] == Phase.LIVE
    length = media_seconds(row["program_seconds"]) if is_live else opening.media_seconds
    return _Seen(intersect(row["coverage"], ((0, length),)), length, position)


def _watched(row: dict[str, Any], players: Sequence[Opening]) -> Iterator[Fact]:
    if not players:
        return
    last: datetime = row["last_beat_at"]
    live_ended_at: datetime | None = row["live_ended_at"] if row["phase"] == Phase.LIVE else None
    player = _player(row, last, players)
    seen = _seen(row, player or players[-1])
    if not seen.segments:
        return
    people = (row["user_id"], row["programme"])
    result = {"extensions": shapes.watched(seen.segments, length=seen.length, position=seen.position)}
    if seen.live:
        result["extensions"][f"{home()}/xapi/extensions/seen-live"] = shapes.played_segments(seen.live)
    session = player.id if player else None
    yield Fact(
        f"record/{row['pk']}", *people, last, StatementVerb.PAUSED, edition=last.astimezone(UTC).isoformat(),
        body=_body(StatementVerb.PAUSED, row, length=seen.length, session=session, result=result),
    )  # fmt: skip
    if row["reached_at"] is not None:
        then = _player(row, row["reached_at"], players)
        enough = {"completion": True, "duration": shapes.duration(seconds(seen.segments))} | result
        session = then.id if then else None
        yield Fact(
            f"record/{row['pk']}", *people, row["reached_at"], StatementVerb.COMPLETED, edition="enough",
            body=_body(StatementVerb.COMPLETED, row, length=seen.length, session=session, result=enough),
        )  # fmt: skip
    over = over_at(player, last_beat_at=last, live_ended_at=live_ended_at) if player else None
    if player is not None and over is not None:
        yield Fact(
            f"session/{player.id}", *people, over, StatementVerb.TERMINATED, edition="over",
            body=_body(StatementVerb.TERMINATED, row, length=seen.length, session=player.id, result=result),
        )  # fmt: skip


def _player(row: dict[str, Any], at: datetime, players: Sequence[Opening]) -> Opening | None:
    """None as well for live seconds that a device kept and delivered later: its player was told of as over by then."""
    if row["phase"] == Phase.LIVE and at > row["live_ended_at"] + QUIET:
        return None
    return sender(at, clock=row["clock"], openings=players)


def _body(
    verb: StatementVerb, row: dict[str, Any], *, length: int, session: uuid.UUID | None, result: Any = None
) -> dict[str, Any]:
    more: dict[str, Any] = {
        f"{shapes.EXTENSION}length": length,
        f"{shapes.EXTENSION}completion-threshold": row["threshold"] / 100,
    }
    if session is not None:
        more[f"{shapes.EXTENSION}session-id"] = str(session)
    thing = shapes.video(
        home(), webinar_id=row["webinar_id"], phase=row["phase"], name=row["title"], language=settings.LANGUAGE_CODE
    )
    return shapes.said(
        verb,
        thing,
        parents=[place(f"lessons/{row['lesson']}")],
        groups=[place(f"courses/{row['course']}"), place(f"programmes/{row['programme']}")],
        result=result,
        more=more,
        is_video=True,
    )
