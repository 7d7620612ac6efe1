"""What our side of a webinar on AWS IVS needs while it is on air: a broadcast to count from, and where it plays."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core.cache import StillBeingMadeError, remember
from core.logging import get_logger
from webinars.domain.schedule import announce_state
from webinars.enums import IngestKind
from webinars.ingest.base import IngestError
from webinars.ingest.ivs_tokens import Place
from webinars.models import Broadcast, Webinar

log = get_logger("webinars.ingest")
# Program time 0 lies this long before "Go live": a playlist reaches back half a minute, and no beat may come before 0.
LEAD = timedelta(seconds=60)
ADDRESS_SECONDS = 3600
SILENT_SECONDS = 2  # after AWS gave none
LOOKS_BACK = timedelta(days=7)


def follow_ivs(*, now: datetime) -> int:
    """Gives every IVS webinar on air, or just over, its broadcast. Returns how many were new.

    Program time counts by the dates that AWS writes into live and recorded playlists alike, so how late a sweep notices
    a stream moves nothing.
    """
    real = Broadcast.objects.filter(is_rehearsal=False)
    lately = Q(ended_at=None) | Q(ended_at__gt=now - LOOKS_BACK)
    webinars = Webinar.objects.filter(lately, ingest=IngestKind.IVS, live_at__isnull=False, starts_at__isnull=False)
    made = 0
    for webinar in webinars.exclude(pk__in=real.values("webinar")):
        if webinar.ended_at is None and place_of(webinar) is None:
            continue
        made += _make_broadcast(webinar.pk, now=now)
    return made


@transaction.atomic
def _make_broadcast(webinar_id: int, *, now: datetime) -> bool:
    webinar = Webinar.objects.select_for_update(of=("self",), no_key=True).select_related("video").get(pk=webinar_id)
    if webinar.live_at is None or Broadcast.objects.filter(webinar=webinar, is_rehearsal=False).exists():
        return False
    Broadcast.objects.create(
        webinar=webinar, started_at=webinar.live_at, epoch=webinar.live_at - LEAD, ended_at=webinar.ended_at
    )
    announce_state(webinar, now=now)  # open pages wait for the picture
    return True


def place_of(webinar: Webinar) -> Place | None:
    """None while AWS does not say. Thousands ask for it at once, and AWS answers five in a second: one asks."""
    try:
        found = remember(
            f"ivs-place-{webinar.pk}", lambda: _ask_aws(webinar), seconds=ADDRESS_SECONDS, empty_seconds=SILENT_SECONDS
        )
    except StillBeingMadeError:
        return None
    return Place(*found) if found else None


def _ask_aws(webinar: Webinar) -> tuple[str, str] | None:
    from webinars.ingest.ivs import IvsIngest  # boto3 costs 0.3 s

    try:
        place = IvsIngest().place(webinar)
    except IngestError as error:
        log.warning("ingest.no_address", webinar=webinar.pk, error=str(error))
        return None
    return place.arn, place.url
