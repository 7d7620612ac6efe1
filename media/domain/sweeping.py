"""Once a minute: finds in the database what a lost message, a killed worker or a closed laptop left behind."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.logging import get_logger
from media.domain.leases import release_expired
from media.domain.transcoding import remove_left_folders
from media.domain.uploads import expire_uploads
from media.domain.videos import remove_tree, ring
from media.enums import VideoStatus
from media.models import StoredTree, Video
from media.storages.buckets import storage_troubles

log = get_logger("media")
# A bell that nobody answered for this long was lost, or every worker is busy; a second bell costs nothing.
RING_AGAIN_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Swept:
    released: int
    rung: int
    expired_uploads: int
    removed_trees: int
    removed_folders: int


def sweep_media(*, now: datetime) -> Swept:
    """Safe to run anywhere, any time, twice at once."""
    swept = Swept(
        released=release_expired(now=now),
        rung=_ring_again(now=now),
        expired_uploads=expire_uploads(now=now),
        removed_trees=_remove_due_trees(now=now),
        removed_folders=remove_left_folders(),
    )
    if any(vars(swept).values()):
        log.info("media.swept", **vars(swept))
    return swept


def _ring_again(*, now: datetime) -> int:
    waiting = Video.objects.filter(status=VideoStatus.QUEUED, queued_at__lt=now - RING_AGAIN_AFTER)
    numbers = list(waiting.order_by("queued_at").values_list("pk", flat=True)[:100])
    for number in numbers:
        ring(number)
    return len(numbers)


def _remove_due_trees(*, now: datetime) -> int:
    """One that cannot be removed today must not keep the others."""
    removed = 0
    for tree in StoredTree.objects.filter(remove_after__lte=now).order_by("remove_after")[:200]:
        try:
            remove_tree(tree)
            removed += 1
        except storage_troubles() as error:
            log.warning("media.not_removed", prefix=tree.prefix, error=str(error))
    return removed
