"""Webinars that were live: a broadcast with interruptions, and its recording with cuts, as rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from core.ranges import Ranges
from media.models import Video
from tests.factories.media import VideoFactory
from tests.webinars.watching import NOON, make_enrolment, make_webinar
from webinars.models import Broadcast, Edition, PublishSession, Segment, Webinar

START = NOON - timedelta(hours=3)


def make_live(*, epoch: datetime = NOON, webinar: Webinar | None = None, **fields: Any) -> Webinar:
    """A webinar that went live at `epoch` and still is."""
    webinar = webinar or make_webinar(make_enrolment())
    given = {"starts_at": epoch, "live_at": epoch, "video": None} | fields
    for name, value in given.items():
        setattr(webinar, name, value)
    webinar.save()
    Broadcast.objects.create(webinar=webinar, started_at=epoch, epoch=epoch)
    return webinar


def add_segments(broadcast: Broadcast, parts: Sequence[tuple[float, int]], *, seconds: float = 2.0) -> None:
    """Each part is `(program start, number of segments)` and a publish session of its own."""
    number = broadcast.segments.count()
    for start, count in parts:
        at = broadcast.started_at + timedelta(seconds=start)
        session = PublishSession.objects.create(
            broadcast=broadcast,
            number=broadcast.publish_sessions.count() + 1,
            started_at=at,
            lease_until=at,
            ended_at=at + timedelta(seconds=count * seconds),
        )
        for n in range(count):
            Segment.objects.create(
                broadcast=broadcast,
                publish_session=session,
                number=number,
                program_start=start + n * seconds,
                seconds=seconds,
                renditions={"360p": [seconds, 1000]},
            )
            number += 1


def publish(
    webinar: Webinar,
    *,
    spans: Sequence[tuple[float, float, float]],
    cuts: Ranges = (),
    at: datetime = NOON,
) -> Edition:
    """The webinar is over and this edition of its recording is what the pipeline published."""
    broadcast = Broadcast.objects.get(webinar=webinar, is_rehearsal=False)
    uncut = max(offset + end - start for start, end, offset in spans)
    number = broadcast.editions.count() + 1
    edition = Edition.objects.create(
        broadcast=broadcast,
        number=number,
        cuts=[list(cut) for cut in cuts],
        spans=[list(span) for span in spans],
        uncut_seconds=uncut,
        source_key=f"sources/{uuid4()}/{number}.ts",
        version=f"v{number}",
        created_at=at,
        handed_at=at,
        published_at=at,
    )
    duration = uncut - sum(min(end, uncut) - start for start, end in cuts)
    given = {"duration_seconds": duration, "published_source": edition.source_key, "published_version": f"v{number}"}
    if broadcast.recording is None:
        broadcast.recording = VideoFactory.create(**given)
        broadcast.ended_at = broadcast.ended_at or at
        broadcast.save()
    else:
        Video.objects.filter(pk=broadcast.recording.pk).update(**given)
    Webinar.objects.filter(pk=webinar.pk).update(video=broadcast.recording, ended_at=at)
    webinar.refresh_from_db()
    return edition
