"""What a broadcast needs although nobody is there: run every 15 seconds."""

from datetime import datetime, timedelta

from core.logging import get_logger
from webinars.domain.broadcasts import ABANDONED_AFTER, sweep_broadcasts, sweep_sessions
from webinars.domain.ivs_live import follow_ivs
from webinars.domain.live_files import close_playlists
from webinars.domain.schedule import end_webinar
from webinars.enums import IngestKind
from webinars.ingest import ingest_for
from webinars.ingest.base import IngestError
from webinars.models import Broadcast, Visit, Webinar

log = get_logger("webinars.ingest")
SWITCHED_OFF_WITHIN = timedelta(minutes=2)


def sweep(*, now: datetime) -> None:
    sweep_sessions(now=now)
    sweep_broadcasts(now=now)
    sweep_webinars(now=now)
    follow_ivs(now=now)
    switch_off(now=now)
    close_playlists(now=now)


def sweep_webinars(*, now: datetime) -> int:
    """Live webinars without a broadcast of ours that nobody ends: meetings elsewhere, and those that never began."""
    swept = 0
    ours = Broadcast.objects.filter(ended_at=None).exclude(webinar__ingest=IngestKind.IVS)
    live = Webinar.objects.filter(live_at__lt=now - ABANDONED_AFTER, ended_at=None, starts_at__isnull=False)
    for webinar in live.exclude(pk__in=ours.values("webinar")):
        planned = webinar.starts_at + timedelta(minutes=webinar.planned_minutes) if webinar.starts_at else now
        if now - planned > ABANDONED_AFTER and not _is_going_on(webinar, now=now):
            end_webinar(webinar_id=webinar.pk, actor=None, now=now)
            swept += 1
    return swept


def _is_going_on(webinar: Webinar, *, now: datetime) -> bool:
    if webinar.ingest == IngestKind.EXTERNAL:
        return Visit.objects.filter(webinar=webinar, left_at=None, seen_at__gt=now - ABANDONED_AFTER).exists()
    try:
        return ingest_for(webinar.ingest).state(webinar).is_live
    except IngestError as error:
        log.warning("ingest.state_unknown", webinar=webinar.pk, error=str(error))
        return True


def switch_off(*, now: datetime) -> None:
    """Services that still take a stream for a webinar that was just ended."""
    ended = Webinar.objects.filter(ended_at__range=(now - SWITCHED_OFF_WITHIN, now), ingest=IngestKind.IVS)
    for webinar in ended:
        try:
            ingest_for(webinar.ingest).end(webinar)
        except IngestError as error:
            log.warning("ingest.not_switched_off", webinar=webinar.pk, error=str(error))
