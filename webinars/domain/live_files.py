"""The files of a broadcast: segments are stored before their row is committed, playlists after."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from media.storages import media_storage
from media.storages.live import LiveFile, replace_files
from webinars.domain.broadcasts import add_segment, lock_session, next_number
from webinars.ingest.playlists import (
    WINDOW,
    Format,
    Piece,
    master_playlist,
    measured_rates,
    media_playlist,
)
from webinars.ingest.studio import Stored
from webinars.models import Broadcast, PublishSession, Segment

ALWAYS_WHOLE = 60  # segments up to which the whole list is written each time …
WHOLE_EVERY = 3  # … and then every so many: it is 290 kB a rendition after two hours
CLOSED_WITHIN = timedelta(hours=1)


def keep_segment(*, session_id: UUID, segment: Stored, now: datetime) -> None:
    """Raises `SessionOver`. The files go first: a row never names a file that is not there. Safe to repeat."""
    with transaction.atomic():
        session = lock_session(session_id)
        if session.segments.count() <= segment.index:  # else the connection broke after an earlier commit
            _keep(session, segment, now=now)
    write_playlists(broadcast_id=session.broadcast_id)


def _keep(session: PublishSession, segment: Stored, *, now: datetime) -> None:
    prefix, number = folder_of(session.broadcast), next_number(session.broadcast)
    files = [LiveFile(f"{prefix}/{name}/{number}.ts", path.read_bytes()) for name, (path, _) in segment.files.items()]
    replace_files(media_storage(), files)
    if segment.formats:
        _note_formats(session, segment.formats)
    renditions = {name: (seconds, path.stat().st_size) for name, (path, seconds) in segment.files.items()}
    add_segment(session=session, program_at=segment.at, seconds=segment.seconds, renditions=renditions, now=now)


def _note_formats(session: PublishSession, formats: Mapping[str, Format]) -> None:
    entries = {name: [one.width, one.height, one.frame_rate, one.codecs] for name, one in formats.items()}
    session.health = {**session.health, "formats": entries}
    session.save(update_fields=["health"])


def folder_of(broadcast: Broadcast) -> str:
    return f"videos/{broadcast.key}/live"


@transaction.atomic
def write_playlists(*, broadcast_id: int) -> None:
    """From the rows alone, under a lock: whoever writes last writes what is true then."""
    broadcast = Broadcast.objects.select_for_update(no_key=True).get(pk=broadcast_id)
    if broadcast.epoch is None:
        return
    prefix, is_over = folder_of(broadcast), broadcast.ended_at is not None
    window = _pieces(broadcast, last=WINDOW + 1)
    if not window:  # of a service that plays its own
        return
    before, shown = (window[0], window[1:]) if len(window) > WINDOW else (None, window)
    marks = _discontinuities_up_to(broadcast, before) if before else 0
    names = list(shown[-1].renditions)
    files = [
        LiveFile(
            f"{prefix}/{name}.m3u8",
            media_playlist(
                shown,
                rendition=name,
                epoch=broadcast.epoch,
                before=before,
                discontinuities=marks,
                is_whole=False,
                is_over=is_over,
            ).encode(),
        )
        for name in names
    ]
    count = shown[-1].number + 1
    if is_over or count <= ALWAYS_WHOLE or count % WHOLE_EVERY == 0:
        pieces = _pieces(broadcast)
        for name in names:
            text = media_playlist(pieces, rendition=name, epoch=broadcast.epoch, is_whole=True, is_over=is_over)
            files.append(LiveFile(f"{prefix}/{name}-full.m3u8", text.encode()))
        files += _masters(broadcast, prefix, pieces, names)
    replace_files(media_storage(), files)


def _masters(broadcast: Broadcast, prefix: str, pieces: list[Piece], names: list[str]) -> list[LiveFile]:
    formats = formats_of(broadcast)
    rates = measured_rates(pieces)
    shown = {name: formats[name] for name in names if name in formats}
    return [
        LiveFile(f"{prefix}/master{suffix}.m3u8", master_playlist(shown, rates, suffix=suffix).encode())
        for suffix in ("", "-full")
    ]


def formats_of(broadcast: Broadcast) -> dict[str, Format]:
    """Of the latest session that got as far as a segment."""
    for session in PublishSession.objects.filter(broadcast=broadcast).order_by("-number"):
        if entries := session.health.get("formats"):
            return {name: Format(*entry) for name, entry in entries.items()}
    return {}


def renditions_of(broadcast: Broadcast) -> tuple[str, ...]:
    """A broadcast keeps the qualities that it began with."""
    last = Segment.objects.filter(broadcast=broadcast).order_by("-number").first()
    return tuple(last.renditions) if last else ()


def _pieces(broadcast: Broadcast, *, last: int | None = None) -> list[Piece]:
    rows = Segment.objects.filter(broadcast=broadcast).order_by("-number")
    values = rows.values_list("number", "publish_session__number", "program_start", "renditions")
    found = list(values[:last] if last else values)
    return [
        Piece(number, session, start, {name: (seconds, size) for name, (seconds, size) in renditions.items()})
        for number, session, start, renditions in reversed(found)
    ]


def _discontinuities_up_to(broadcast: Broadcast, piece: Piece) -> int:
    earlier = Segment.objects.filter(broadcast=broadcast, number__lte=piece.number)
    return earlier.values("publish_session").distinct().count() - 1


def close_playlists(*, now: datetime, known: set[int] | None = None) -> list[int]:
    """ENDLIST for what has ended lately; safe to repeat. `known` spares the caller those that it has closed already."""
    closed = []
    for broadcast in Broadcast.objects.filter(ended_at__gt=now - CLOSED_WITHIN, epoch__isnull=False):
        if known is not None and broadcast.pk in known:
            continue
        write_playlists(broadcast_id=broadcast.pk)
        closed.append(broadcast.pk)
    if known is not None:
        known.update(closed)
    return closed
