"""Cutting a recording: which parts of the uncut one nobody shall see. Saving makes a new version of the same video."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from core.ranges import Ranges, gaps, normalise, seconds
from media.models import StoredTree
from webinars import tasks
from webinars.domain.recording import live_prefix, new_edition
from webinars.domain.resume import media_seconds
from webinars.domain.timelines import RecordingMap, map_of
from webinars.models import Broadcast, Cut, Edition, Webinar

LEAST_LEFT_SECONDS = 10
MOST_CUTS = 100


class EditError(Exception):
    """Nothing was changed; `message` is for the editor."""

    message = _("This is not possible.")


class NoRecordingError(EditError):
    message = _("The recording has not been put together yet.")


class OutsideError(EditError):
    message = _("A cut begins and ends within the recording, and ends after it begins.")


class NothingLeftError(EditError):
    message = _("At least ten seconds must be left.")


class TooManyCutsError(EditError):
    message = _("A recording can have up to a hundred cuts.")


class PiecesGoneError(EditError):
    message = _("The pieces of this broadcast are not kept any more: its cuts cannot be changed.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """In whole seconds of the uncut recording."""

    start: int
    end: int
    reason: str = ""


@transaction.atomic
def save_cuts(
    *, broadcast_id: int, cuts: Iterable[Wanted], actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Edition | None:
    """Replaces all cuts. None when that changes nothing. An edition no worker has finished gives way to this one."""
    broadcast = Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast_id)
    uncut = uncut_seconds(broadcast)
    if not uncut:
        raise NoRecordingError
    if not cuts_can_change(broadcast, now=now):
        raise PiecesGoneError
    wanted = sorted(cuts, key=lambda one: (one.start, one.end))
    ranges = _checked(wanted, length=media_seconds(uncut))
    before = _latest(broadcast)
    if before is not None and ranges == tuple((start, end) for start, end in before.cuts):
        return None
    _replace(broadcast, wanted, ranges, actor=actor, now=now)
    broadcast.editions.filter(handed_at=None).delete()
    edition = new_edition(broadcast, now=now, created_by_id=actor.pk if actor else None)
    Broadcast.objects.filter(pk=broadcast.pk).update(lease_until=None)
    details = {"before": before.cuts if before else [], "after": edition.cuts}
    webinar = Webinar.objects.get(pk=broadcast.webinar_id)
    audit.record("recording.cut", actor=actor, subject=webinar, request=request, details=details, now=now)
    _ring(broadcast.pk)
    return edition


def undo_cuts(
    *, broadcast_id: int, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Edition | None:
    """Back to the cuts of the edition before the latest; None when there is none."""
    editions = list(Edition.objects.filter(broadcast=broadcast_id).order_by("-number")[:2])
    if len(editions) < 2:
        return None
    reasons = {(cut.start, cut.end): cut.reason for cut in Cut.objects.filter(broadcast=broadcast_id)}
    cuts = [Wanted(start, end, reasons.get((start, end), "")) for start, end in editions[1].cuts]
    return save_cuts(broadcast_id=broadcast_id, cuts=cuts, actor=actor, request=request, now=now)


@transaction.atomic
def retry_edition(*, broadcast_id: int, now: datetime) -> bool:
    """For one that failed too often. The reason was on this machine: a full disk, a storage that was away."""
    Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast_id)
    failed = Edition.objects.filter(broadcast=broadcast_id, handed_at=None, attempts__gt=0)
    if not failed.update(attempts=0, problem=""):
        return False
    _ring(broadcast_id)
    return True


def uncut_seconds(broadcast: Broadcast) -> float:
    """As it was measured; 0 before the first edition was put together."""
    measured = broadcast.editions.filter(handed_at__isnull=False).last()
    return measured.uncut_seconds if measured else 0.0


@dataclass(frozen=True, slots=True)
class RecordingState:
    """What an editor's page says. Times are seconds of the uncut recording, but for `shown_seconds`."""

    uncut_seconds: float
    shown_seconds: float
    interruptions: list[tuple[float, float]]
    is_waiting: bool
    is_on_air: bool
    has_failed: bool
    problem: str
    can_undo: bool


def state_of_recording(broadcast: Broadcast) -> RecordingState:
    latest = _latest(broadcast)
    uncut = uncut_seconds(broadcast)
    cuts = normalise((start, end) for start, end in latest.cuts) if latest else ()
    return RecordingState(
        uncut_seconds=uncut,
        shown_seconds=max(0.0, uncut - seconds(cuts)),
        interruptions=interruptions(broadcast),
        is_waiting=latest is None or latest.handed_at is None,
        is_on_air=latest is not None and latest.published_at is not None,
        has_failed=latest is not None and latest.handed_at is None and latest.attempts >= settings.MEDIA_MAX_ATTEMPTS,
        problem=latest.problem if latest else "",
        can_undo=latest is not None and latest.number > 1,
    )


def cuts_can_change(broadcast: Broadcast, *, now: datetime) -> bool:
    """While the pieces are there. A tree that was removed has no row any more; its date is then long past."""
    if broadcast.recorded_at and now > broadcast.recorded_at + timedelta(days=settings.LIVE_SEGMENT_DAYS):
        return False
    return not StoredTree.objects.filter(prefix=live_prefix(broadcast.key), remove_after__lte=now).exists()


def interruptions(broadcast: Broadcast) -> list[tuple[float, float]]:
    """`(second of the uncut recording, seconds that are missing there)`."""
    measured = broadcast.editions.filter(handed_at__isnull=False).last()
    spans: Sequence[Sequence[float]] = measured.spans if measured else ()
    return [(after[2], after[0] - before[1]) for before, after in pairwise(spans) if after[0] - before[1] >= 1]


def preview_of(broadcast: Broadcast, cuts: Ranges) -> RecordingMap | None:
    """What the recording would be with these cuts."""
    measured = broadcast.editions.filter(handed_at__isnull=False).last()
    if measured is None:
        return None
    spans = map_of(measured).spans
    return RecordingMap(spans=spans, cuts=cuts, uncut_seconds=measured.uncut_seconds)


def _checked(wanted: Sequence[Wanted], *, length: int) -> Ranges:
    if len(wanted) > MOST_CUTS:
        raise TooManyCutsError
    if any(not 0 <= one.start < one.end or one.start >= length for one in wanted):
        raise OutsideError
    ranges = normalise((one.start, min(one.end, length)) for one in wanted)
    if seconds(gaps(ranges, until=length)) < LEAST_LEFT_SECONDS:
        raise NothingLeftError
    return ranges


def _replace(
    broadcast: Broadcast, wanted: Sequence[Wanted], ranges: Ranges, *, actor: User | None, now: datetime
) -> None:
    """Cuts that touch become one. A cut that stays keeps its row, and since when it is on air."""
    broadcast.cuts.exclude(pk__in=[cut.pk for cut in broadcast.cuts.all() if (cut.start, cut.end) in ranges]).delete()
    there = {(cut.start, cut.end): cut for cut in broadcast.cuts.all()}
    for start, end in ranges:
        reason = next((one.reason for one in wanted if start <= one.start < end and one.reason), "")[:200]
        if cut := there.get((start, end)):
            Cut.objects.filter(pk=cut.pk).update(reason=reason)
        else:
            Cut.objects.create(
                broadcast=broadcast, start=start, end=end, reason=reason, created_by=actor, created_at=now
            )


def _latest(broadcast: Broadcast) -> Edition | None:
    return broadcast.editions.last()


def _ring(broadcast_id: int) -> None:
    transaction.on_commit(lambda: tasks.put_together.delay(broadcast_id), robust=True)
