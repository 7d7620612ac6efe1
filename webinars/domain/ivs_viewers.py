"""Who may play a webinar at AWS IVS: letting in for a moment, and cutting off who may stay no longer.

A token opens a session at AWS that runs on by itself; only AWS can end it. Every letting in has a version, its moment
in the broadcast; cutting off names one, and AWS ends everything of that viewer up to it, tokens not yet used included.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.db.models import Q

from accounts.models import Device
from core.logging import get_logger
from webinars.domain.ivs_live import place_of
from webinars.domain.timelines import real_broadcast
from webinars.domain.viewers import OF_A_DEVICE, STAYS
from webinars.ingest.base import IngestError
from webinars.ingest.ivs_tokens import Place, signed_url
from webinars.models import IvsViewer, Webinar

if TYPE_CHECKING:
    from webinars.ingest.ivs import IvsIngest

log = get_logger("webinars.ingest")
TOKEN_LASTS = timedelta(seconds=60)
CLOCKS_DIFFER = timedelta(seconds=2)  # between the process that lets in and the one that cuts off
KEPT = timedelta(days=2)


def address_for(place: Place, *, epoch: datetime, webinar: Webinar, device: Device, now: datetime) -> str:
    """`now`: taken before the person's rights were looked at. Who may come in again begins anew.

    A request that is overtaken by a removal takes the withdrawal back. Its token is older than the withdrawal, so it
    dies with it, and the next sweep withdraws again.
    """
    viewer, _is_new = IvsViewer.objects.get_or_create(webinar=webinar, device=device, defaults={"made_at": now})
    if viewer.withdrawn_at is not None:
        IvsViewer.objects.filter(pk=viewer.pk).update(withdrawn_at=None, told_at=None)
    lasts = min(TOKEN_LASTS, timedelta(seconds=settings.LIVE_GRANT_SECONDS))
    return signed_url(place, viewer=viewer.pk, version=_version(now, epoch), expires_at=now + lasts)


def _version(at: datetime, epoch: datetime) -> int:
    return max(0, (at - epoch) // timedelta(milliseconds=1))


def cut_off(*, now: datetime) -> int:
    """Whoever may not stay is withdrawn, then AWS is told. Returns how many it took.

    What it did not take stays due, and the next sweep tells it again. Not for a transaction: AWS may take seconds.
    """
    _withdraw(now=now)
    on_air = Q(webinar__live_at__isnull=False, webinar__ended_at=None)
    due = list(
        IvsViewer.objects.filter(on_air, withdrawn_at__isnull=False, told_at=None)
        .select_related("webinar")
        .order_by("withdrawn_at", "pk")
    )
    if not due:
        return 0
    from webinars.ingest.ivs import REVOKED_AT_ONCE, IvsIngest  # boto3 costs 0.3 s

    ingest, told = IvsIngest(tries=1), 0
    try:
        for first in range(0, len(due), REVOKED_AT_ONCE):
            told += _tell(ingest, due[first : first + REVOKED_AT_ONCE], now=now)
    except IngestError as error:
        log.warning("ingest.not_revoked", error=str(error), waiting=len(due) - told)
    return told


# Kept apart from telling AWS: nobody who opens the player after it is let in on the row as it was.
_WITHDRAWN = f"""
UPDATE webinars_ivsviewer SET withdrawn_at = %s
WHERE withdrawn_at IS NULL AND id IN (
    SELECT v.id FROM webinars_ivsviewer v
    {OF_A_DEVICE}
    WHERE v.withdrawn_at IS NULL AND w.live_at IS NOT NULL AND w.ended_at IS NULL AND {STAYS} IS NOT TRUE
)
"""  # noqa: S608  # put together from constants


def _withdraw(*, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAWN, [now])


def _tell(ingest: "IvsIngest", viewers: Sequence[IvsViewer], *, now: datetime) -> int:
    """Marked as told only while nobody has been let in again since."""
    from webinars.ingest.ivs import Revocation

    asked = []
    for viewer in viewers:
        place, broadcast = place_of(viewer.webinar), real_broadcast(viewer.webinar_id)
        if place and broadcast and broadcast.epoch and viewer.withdrawn_at:
            version = _version(viewer.withdrawn_at + CLOCKS_DIFFER, broadcast.epoch)
            asked.append(Revocation(viewer.pk, place.arn, version))
    taken = ingest.revoke(asked) if asked else set()
    for viewer in viewers:
        if viewer.pk in taken:
            IvsViewer.objects.filter(pk=viewer.pk, withdrawn_at=viewer.withdrawn_at).update(told_at=now)
    if len(taken) < len(viewers):
        log.warning("ingest.not_revoked", error="IVS: refused for some", waiting=len(viewers) - len(taken))
    return len(taken)


def forget_viewers(*, now: datetime) -> int:
    """Of webinars that are over: AWS has ended every session with the stream."""
    forgotten, _by_model = IvsViewer.objects.filter(webinar__ended_at__lt=now - KEPT).delete()
    return forgotten
