"""From a broadcast that is over to a recording on air: put together by a worker, prepared by the pipeline, opened.

What is to be done stands in `Edition`: one that was not handed to the pipeline yet waits for a worker. A worker holds
a lease on the broadcast; one that is killed leaves nothing behind that the next would miss.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import now as system_clock
from django.utils.translation import gettext as _

from core.logging import get_logger
from core.ranges import Ranges
from media.domain.transcoding import OTHERS_FOLDERS
from media.domain.videos import accept_source, create_video, note_tree, source_key_for
from media.models import StoredTree
from media.storages import media_storage
from media.storages.buckets import storage_troubles
from media.storages.trees import fetch, store_file
from webinars.domain.completion import doorbell
from webinars.domain.schedule import announce_state, is_recording_open
from webinars.domain.splicing import Spliced, SpliceError, Stored, splice
from webinars.domain.thresholds import apply_threshold
from webinars.enums import EventKind, WebinarState
from webinars.models import Broadcast, Cut, Edition, RoomEvent, Segment, Webinar

log = get_logger("webinars")
Clock = Callable[[], datetime]
RENEW_AFTER = timedelta(seconds=5)
# Storing the finished file says nothing for as long as it takes.
STORING = timedelta(minutes=15)
REHEARSALS_KEPT = timedelta(days=1)
NAME = "recording.ts"


class LeaseLost(Exception):  # noqa: N818 - a state, not an error of the program
    """Another worker or a newer edition took over."""


@dataclass
class Work:
    """A claim on the next edition of one broadcast. The lease's own time names the worker: no two write the same."""

    broadcast: Broadcast
    edition: Edition
    lease_until: datetime
    clock: Clock

    def beat(self) -> None:
        """Renews now and then. Raises LeaseLost."""
        if self.lease_until - self.clock() < lease_length() - RENEW_AFTER:
            self.renew(lease_length())

    def renew(self, length: timedelta) -> None:
        until = self.clock() + length
        mine = Broadcast.objects.filter(pk=self.broadcast.pk, lease_until=self.lease_until)
        if not mine.update(lease_until=until):
            raise LeaseLost
        self.lease_until = until


def put_together(*, broadcast_id: int, clock: Clock = system_clock) -> bool:
    """Claims, splices, hands to the pipeline. False when there was nothing to do or it did not work out."""
    work = _claim(broadcast_id, clock=clock)
    if work is None:
        return False
    try:
        with work_folder(work) as folder:
            spliced = _splice(work, folder)
            _hand_over(work, folder / NAME, spliced)
    except LeaseLost:
        log.warning("recording.lease_lost", broadcast=broadcast_id)
        return False
    except Exception as error:
        give_up_attempt(work, error)
        log.exception("recording.attempt_failed", broadcast=broadcast_id, attempt=work.edition.attempts)
        if not isinstance(error, (SpliceError, *storage_troubles())):
            raise
        return False
    log.info(
        "recording.handed_over",
        broadcast=broadcast_id,
        edition=work.edition.number,
        seconds=round(spliced.uncut_seconds, 2),
        skipped=len(spliced.skipped),
    )
    return True


def waiting(*, now: datetime) -> list[int]:
    """Broadcasts that a worker should look at."""
    to_do = Edition.objects.filter(broadcast=OuterRef("pk"), handed_at=None, attempts__lt=settings.MEDIA_MAX_ATTEMPTS)
    found = (
        Broadcast.objects.filter(is_rehearsal=False, ended_at__isnull=False, epoch__isnull=False)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .filter(Exists(to_do) | ~Exists(Edition.objects.filter(broadcast=OuterRef("pk"))))
        .filter(Exists(Segment.objects.filter(broadcast=OuterRef("pk"))))
    )
    return list(found.order_by("ended_at").values_list("pk", flat=True))


@transaction.atomic
def _claim(broadcast_id: int, *, clock: Clock) -> Work | None:
    """Everything that must not be made twice is made here: the edition and the video."""
    now = clock()
    if broadcast_id not in waiting(now=now):
        return None
    broadcast = Broadcast.objects.select_for_update(of=("self",)).select_related("webinar__lesson").get(pk=broadcast_id)
    if broadcast.lease_until is not None and broadcast.lease_until >= now:
        return None
    edition = broadcast.editions.filter(handed_at=None).last() or new_edition(broadcast, now=now)
    if broadcast.recording is None:
        title = broadcast.webinar.lesson.title
        broadcast.recording = create_video(title=title, created_by=None, now=now)
    edition.attempts += 1
    edition.save(update_fields=["attempts"])
    broadcast.lease_until = now + lease_length()
    broadcast.save(update_fields=["recording", "lease_until"])
    return Work(broadcast, edition, broadcast.lease_until, clock)


def new_edition(broadcast: Broadcast, *, now: datetime, created_by_id: int | None = None) -> Edition:
    """With the cuts as they are wanted now. The caller holds the broadcast's row."""
    last = broadcast.editions.last()
    return Edition.objects.create(
        broadcast=broadcast,
        number=last.number + 1 if last else 1,
        cuts=[[int(cut.start), int(cut.end)] for cut in broadcast.cuts.all()],
        created_by_id=created_by_id,
        created_at=now,
    )


def lease_length() -> timedelta:
    return timedelta(seconds=settings.MEDIA_LEASE_SECONDS)


@contextmanager
def work_folder(work: Work) -> Iterator[Path]:
    """One place a broadcast: what a killed worker left there on this machine goes first."""
    folder = settings.MEDIA_WORK_DIR / f"{OTHERS_FOLDERS}{work.broadcast.key}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _splice(work: Work, folder: Path) -> Spliced:
    storage = media_storage()
    segments, size = best_segments(work.broadcast)
    cuts: Ranges = tuple((start, end) for start, end in work.edition.cuts)

    def get(key: str) -> Path:
        return fetch(storage, key, folder, on_block=lambda _size: work.beat())

    found = splice(segments, cuts=cuts, fetch=get, target=folder / NAME, size=size, on_step=work.beat)
    if found.skipped:
        log.error("recording.segments_missing", broadcast=work.broadcast.pk, numbers=list(found.skipped)[:50])
    return found


def best_segments(broadcast: Broadcast) -> tuple[list[Stored], tuple[int, int] | None]:
    """The segments of the best quality, and its size: most bytes in all. One that lacks it gives its own best."""
    rows = list(
        Segment.objects.filter(broadcast=broadcast)
        .order_by("number")
        .values_list("number", "publish_session", "program_start", "seconds", "renditions")
    )
    total: dict[str, int] = {}
    for *_rest, renditions in rows:
        for name, (_seconds, size) in renditions.items():
            total[name] = total.get(name, 0) + int(size)
    pictures = sorted((name for name in total if name != "audio"), key=lambda name: total[name], reverse=True)
    stored = [
        Stored(number, session, start, seconds, f"videos/{broadcast.key}/live/{name}/{number}.ts")
        for number, session, start, seconds, renditions in rows
        if (name := next((one for one in pictures if one in renditions), None))
    ]
    return stored, _size(broadcast, pictures[0]) if pictures else None


def _size(broadcast: Broadcast, rendition: str) -> tuple[int, int] | None:
    """As the packager noted it; None lets the first segment decide."""
    for session in broadcast.publish_sessions.order_by("number"):
        found = session.health.get("formats", {}).get(rendition)
        if found:
            return int(found[0]), int(found[1])
    return None


def _hand_over(work: Work, path: Path, spliced: Spliced) -> None:
    """The file first, then everything that names it in one transaction."""
    video = work.broadcast.recording
    assert video is not None  # noqa: S101 - made with the claim
    now = work.clock()
    key = source_key_for(video, NAME)
    # A worker that was killed while it stored left a file that nobody names.
    left = StoredTree.objects.filter(video=video, prefix__startswith=f"sources/{video.key}/", remove_after=None)
    left.exclude(prefix=video.source_key).update(remove_after=now)
    work.renew(STORING)
    note_tree(prefix=key, video=video, now=now)
    store_file(media_storage(), path, key)
    try:
        _commit(work, key=key, size=path.stat().st_size, spliced=spliced)
    except LeaseLost:
        StoredTree.objects.filter(prefix=key).update(remove_after=now)
        raise


@transaction.atomic
def _commit(work: Work, *, key: str, size: int, spliced: Spliced) -> None:
    now = work.clock()
    webinar = Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=work.broadcast.webinar_id)
    broadcast = Broadcast.objects.select_for_update(of=("self",)).get(pk=work.broadcast.pk)
    handed = Edition.objects.filter(pk=work.edition.pk, handed_at=None)
    if broadcast.lease_until != work.lease_until or broadcast.recording_id is None or not handed.exists():
        raise LeaseLost
    handed.update(
        spans=[list(span) for span in spliced.spans],
        uncut_seconds=spliced.uncut_seconds,
        source_key=key,
        handed_at=now,
        problem=_problem_of(broadcast, spliced),
    )
    broadcast.recorded_at, broadcast.lease_until = broadcast.recorded_at or now, None
    broadcast.save(update_fields=["recorded_at", "lease_until"])
    if webinar.video_id is None:
        webinar.video_id = broadcast.recording_id
        webinar.save(update_fields=["video", "updated_at"])
    accept_source(video_id=broadcast.recording_id, name=NAME, key=key, size=size, now=now)


def _problem_of(broadcast: Broadcast, spliced: Spliced) -> str:
    """What is not in the recording although it was sent, in plain words."""
    reports = list(broadcast.publish_sessions.values_list("health", flat=True))
    missing = len(spliced.skipped) + sum(report.get("missing", 0) for report in reports)
    said = []
    if any(report.get("is_partial") for report in reports):
        said.append(_("AWS did not finish a recording of this broadcast: the end of it may be missing."))
    if missing:
        said.append(_("%(count)d pieces of the broadcast could not be read and are missing.") % {"count": missing})
    return " ".join(said)


def give_up_attempt(work: Work, error: Exception) -> None:
    lines = str(error).strip().splitlines()
    words = (lines[-1] if lines else type(error).__name__)[:300]
    with transaction.atomic():
        if Broadcast.objects.filter(pk=work.broadcast.pk, lease_until=work.lease_until).update(lease_until=None):
            Edition.objects.filter(pk=work.edition.pk).update(problem=words)


def tend(*, ring: Callable[[int], object], now: datetime) -> None:
    """The sweep: rings for what waits for a worker, notes what the pipeline has published, opens what is due."""
    for broadcast_id in waiting(now=now):
        ring(broadcast_id)
    note_published(now=now)
    open_recordings(now=now)
    drop_live_files(now=now)
    _remove_left_folders(now=now)


def note_published(*, now: datetime) -> int:
    """The pipeline knows no webinars: editions whose file it has published are found here.

    Viewers have the new timeline since the moment of publishing; what follows here is words, marks and completion.
    """
    found = Edition.objects.filter(published_at=None, handed_at__isnull=False).select_related("broadcast__recording")
    noted = 0
    for edition in found:
        video = edition.broadcast.recording
        if video is None or video.published_source != edition.source_key:
            continue
        with transaction.atomic():
            Edition.objects.filter(pk=edition.pk).update(
                published_at=video.published_at or now, version=video.published_version
            )
            wanted = Cut.objects.filter(broadcast=edition.broadcast, applied_at=None)
            for start, end in edition.cuts:
                wanted.filter(start=start, end=end).update(applied_at=now)
            showing = Webinar.objects.filter(video=video).select_related("video")
            if apply_threshold(showing, now=now):
                transaction.on_commit(doorbell.ring)
        noted += 1
    return noted


def open_recordings(*, now: datetime) -> int:
    """Tells open pages once that the recording can be watched: when it is published, released, or its date has come."""
    opened = 0
    due = Broadcast.objects.filter(
        is_rehearsal=False, opened_at=None, recorded_at__isnull=False, webinar__video__isnull=False
    ).exclude(webinar__video__published_version="")
    for found in due.select_related("webinar__video"):
        if not is_recording_open(found.webinar, now=now):
            continue
        with transaction.atomic():
            locked = Webinar.objects.select_for_update(of=("self",), no_key=True).select_related("video")
            webinar = locked.get(pk=found.webinar_id)
            if Broadcast.objects.filter(pk=found.pk, opened_at=None).update(opened_at=now):
                announce_state(webinar, now=now)
                opened += 1
    return opened + _open_chosen(now=now)


def _open_chosen(*, now: datetime) -> int:
    """The same where somebody chose a video by hand, as after a meeting elsewhere: the room's events say what is told.

    Only while the room keeps its events, and nobody has its page open for longer than a month.
    """
    days = timedelta(days=min(30, settings.LIVE_EVENT_DAYS))
    told = RoomEvent.objects.filter(
        webinar=OuterRef("pk"), kind=EventKind.STATE, payload__state=WebinarState.RECORDING_READY
    )
    recorded = Broadcast.objects.filter(webinar=OuterRef("pk"), is_rehearsal=False, recorded_at__isnull=False)
    chosen = Webinar.objects.filter(ended_at__gt=now - days, video__isnull=False).exclude(video__published_version="")
    opened = 0
    for found in chosen.filter(~Exists(told), ~Exists(recorded)).select_related("video"):
        if not is_recording_open(found, now=now):
            continue
        with transaction.atomic():
            locked = Webinar.objects.select_for_update(of=("self",), no_key=True).select_related("video")
            webinar = locked.get(pk=found.pk)
            if not RoomEvent.objects.filter(
                webinar=webinar, kind=EventKind.STATE, payload__state=WebinarState.RECORDING_READY
            ).exists():
                announce_state(webinar, now=now)
                opened += 1
    return opened


def drop_live_files(*, now: datetime) -> int:
    """Sets the date on which the segments go; the media sweep removes them then. Until then cuts can be changed."""
    days = timedelta(days=settings.LIVE_SEGMENT_DAYS)
    recorded = Q(is_rehearsal=False, recorded_at__gt=now - days, editions__published_at__isnull=False)
    rehearsed = Q(is_rehearsal=True, ended_at__gt=now - REHEARSALS_KEPT)
    noted = 0
    for broadcast in Broadcast.objects.filter(recorded | rehearsed, epoch__isnull=False).distinct():
        until = (broadcast.ended_at or now) + REHEARSALS_KEPT
        if broadcast.recorded_at:
            until = broadcast.recorded_at + days
        prefix = live_prefix(broadcast.key)
        if StoredTree.objects.filter(prefix=prefix, remove_after__isnull=False).exists():
            continue
        StoredTree.objects.update_or_create(
            prefix=prefix, defaults={"remove_after": until}, create_defaults={"created_at": now, "remove_after": until}
        )
        noted += 1
    return noted


def live_prefix(key: UUID) -> str:
    return f"videos/{key}/live"


def _remove_left_folders(*, now: datetime) -> None:
    """Of killed workers on this machine."""
    if not settings.MEDIA_WORK_DIR.is_dir():
        return
    busy = {
        f"{OTHERS_FOLDERS}{key}" for key in Broadcast.objects.filter(lease_until__gte=now).values_list("key", flat=True)
    }
    for folder in settings.MEDIA_WORK_DIR.glob(f"{OTHERS_FOLDERS}*"):
        if folder.name not in busy:
            shutil.rmtree(folder, ignore_errors=True)
