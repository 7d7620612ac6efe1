"""A webinar that is broadcast for real: filmed segments go the way the ingest sends them, and the recording is made."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from media.domain.transcoding import transcode_video
from media.models import Video
from media.storages import media_storage
from tests.recording.camera import RATE, Filmed, film, frames_of, frames_of_playlist, shown_at
from tests.webinars.watching import NOON, make_enrolment, make_webinar
from webinars.domain.live_files import folder_of, keep_segment
from webinars.domain.recording import note_published, open_recordings, put_together
from webinars.domain.schedule import end_webinar
from webinars.ingest.playlists import Format
from webinars.ingest.studio import Stored
from webinars.models import Broadcast, PublishSession, Webinar

# Program seconds: three connections, with interruptions of 8 and 3.32 seconds. Frames are at whole multiples of 1/25.
PARTS = ((0.0, 40.0), (48.0, 36.0), (87.32, 30.0))
NAME = "360p"


def films() -> Path:
    """What the tests of a run, its workers' too, have filmed."""
    return Path(os.environ["VAR_DIR"], "films")


def make_webinar_on_air(*, webinar: Webinar | None = None) -> Webinar:
    webinar = webinar or make_webinar(make_enrolment())
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=NOON, live_at=NOON, video=None)
    Video.objects.filter(webinars=None).delete()  # the one a lecture of the factory has
    Broadcast.objects.create(webinar=webinar, started_at=NOON)
    webinar.refresh_from_db()
    return webinar


def film_parts(folder: Path, parts: Sequence[tuple[float, float]] = PARTS, **how: Any) -> list[Filmed]:
    return [film(folder, first=round(start * RATE), frames=round(length * RATE), **how) for start, length in parts]


def send(webinar: Webinar, filmed: Filmed, *, size: tuple[int, int] = (320, 180)) -> PublishSession:
    """One connection, as the ingest hands over what its packager has finished."""
    broadcast = Broadcast.objects.get(webinar=webinar, is_rehearsal=False)
    start = at(filmed.first / RATE)
    session = PublishSession.objects.create(
        broadcast=broadcast,
        number=broadcast.publish_sessions.count() + 1,
        started_at=start,
        lease_until=start + timedelta(hours=1),
    )
    offset = 0.0
    for index, (path, seconds) in enumerate(filmed.segments):
        formats = {NAME: Format(*size, RATE, "avc1.4d400d,mp4a.40.2")} if offset == 0 else {}
        segment = Stored(
            index=index,
            at=at(filmed.first / RATE + offset),
            seconds=seconds,
            files={NAME: (path, seconds)},
            formats=formats,
        )
        keep_segment(session_id=session.pk, segment=segment, now=segment.at)
        offset += seconds
    session.refresh_from_db()
    session.ended_at = at(filmed.first / RATE + offset)
    session.save(update_fields=["ended_at"])
    return session


def at(program: float) -> datetime:
    return NOON + timedelta(seconds=program)


def finish(webinar: Webinar, *, after: float = 130.0) -> None:
    end_webinar(webinar_id=webinar.pk, actor=None, now=at(after))


def produce(webinar: Webinar, *, now: datetime) -> Video:
    """What the workers and the sweep do."""
    broadcast = Broadcast.objects.get(webinar=webinar, is_rehearsal=False)
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: now)
    broadcast.refresh_from_db()
    assert broadcast.recording is not None
    assert transcode_video(video_id=broadcast.recording.pk, clock=lambda: now)
    assert note_published(now=now) == 1
    open_recordings(now=now)
    webinar.refresh_from_db()
    video = webinar.video
    assert video is not None
    return video


@dataclass(frozen=True)
class LiveStop:
    """Where somebody left, and what stood on the screen."""

    program: float
    number: int


def live_stop(webinar: Webinar, program: float) -> LiveStop:
    """Read from the stored segment: its place in it is program time minus the segment's own."""
    broadcast = Broadcast.objects.get(webinar=webinar, is_rehearsal=False)
    segment = broadcast.segments.filter(program_start__lte=program).latest("program_start")
    path = stored_at() / folder_of(broadcast) / NAME / f"{segment.number}.ts"
    return LiveStop(program, shown_at(frames_of(path), program - segment.program_start))


def stored_at() -> Path:
    return Path(media_storage().path(""))


def published_frames(video: Video) -> list[tuple[float, int]]:
    best = video.renditions.filter(kind="hls").order_by("-height", "-frame_rate").first()
    assert best is not None
    root = stored_at()
    return list(frames_of_playlist(root / "videos" / str(video.key) / video.published_version / best.path))
