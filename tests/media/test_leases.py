"""Who prepares what, and what remains of a worker that dies, loses its lease or fails."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from media.domain.leases import LeaseLost, claim_video
from media.domain.sweeping import sweep_media
from media.domain.transcoding import prepare as prepare_files
from media.domain.transcoding import publish, transcode_video, workspace
from media.domain.videos import NothingToRetry, delete_video, retry_video, store_source
from media.enums import Stage, VideoError, VideoStatus
from media.models import Rendition, StoredTree, Video
from tests.forked import forked
from tests.media.tools import Make, database_url, files_of
from tests.processes import called, family, living

Prepare = Callable[..., Video]
LONG: dict[str, Any] = {"size": "640x360", "rate": "30", "seconds": 12}  # encodes for some seconds


@pytest.fixture
def queued(db: None, media_root: Path, make: Make) -> Video:
    return store_source(path=make(), title="Lecture", created_by=None, now=now())


def renditions(root: Path) -> set[str]:
    return {name for name in files_of(root) if name.startswith("videos/")}


def test_of_two_workers_one_gets_the_video(queued: Video) -> None:
    first, second = claim_video(video_id=queued.pk, clock=now), claim_video(video_id=queued.pk, clock=now)
    assert first is not None
    assert second is None
    queued.refresh_from_db()
    assert (queued.status, queued.worker, queued.attempts) == (VideoStatus.TRANSCODING, first.version, 1)


def test_progress_renews_the_lease_and_is_written_at_most_every_two_seconds(queued: Video) -> None:
    at = now()
    lease = claim_video(video_id=queued.pk, clock=lambda: at)
    assert lease
    lease.beat(Stage.PICTURE, 20)
    at += timedelta(seconds=1)
    lease.beat(Stage.PICTURE, 30)
    queued.refresh_from_db()
    assert queued.progress_percent == 20
    at += timedelta(seconds=1.5)
    lease.beat(Stage.PICTURE, 40)
    queued.refresh_from_db()
    assert (queued.progress_percent, queued.stage) == (40, Stage.PICTURE)
    assert queued.lease_until == at + timedelta(seconds=project.MEDIA_LEASE_SECONDS)


def test_a_worker_that_lost_its_lease_publishes_nothing_and_cleans_up(queued: Video, media_root: Path) -> None:
    lost = claim_video(video_id=queued.pk, clock=now)
    assert lost
    later = now() + timedelta(seconds=project.MEDIA_LEASE_SECONDS + 1)
    assert sweep_media(now=later).released == 1
    second = claim_video(video_id=queued.pk, clock=now)
    assert second
    with workspace(lost.version) as folder, pytest.raises(LeaseLost):
        prepare_files(lost, folder)
    with workspace(second.version) as folder:
        publish(second, prepare_files(second, folder))
    queued.refresh_from_db()
    assert queued.published_version == second.version
    assert {name.split("/")[2] for name in renditions(media_root)} == {second.version}


def test_a_new_file_takes_the_lease_away(queued: Video, make: Make) -> None:
    from media.domain.videos import accept_source

    lease = claim_video(video_id=queued.pk, clock=now)
    assert lease
    accept_source(video_id=queued.pk, name="b.mp4", key=queued.source_key, size=1, now=now())
    with pytest.raises(LeaseLost):
        lease.beat(Stage.PICTURE, 50)
    queued.refresh_from_db()
    assert (queued.status, queued.worker, queued.attempts) == (VideoStatus.QUEUED, "", 0)


def test_a_lost_bell_is_rung_again(queued: Video) -> None:
    assert sweep_media(now=now()).rung == 0
    assert sweep_media(now=now() + timedelta(minutes=3)).rung == 1


def test_nothing_is_published_when_an_encoder_dies(db: None, media_root: Path, make: Make) -> None:
    """As when the machine runs out of memory: the kernel takes ffmpeg, not the worker."""
    queued = store_source(path=make(**LONG), title="Lecture", created_by=None, now=now())
    killed = []

    def clock() -> Any:
        """At the first word of progress: on a fast machine there may be no second one before the end."""
        for child in living(called("ffmpeg", family(os.getpid()))):
            child.kill()
            killed.append(child.pid)
        return now()

    assert transcode_video(video_id=queued.pk, clock=clock) is False
    assert killed
    queued.refresh_from_db()
    assert (queued.status, queued.attempts, queued.published_version) == (VideoStatus.QUEUED, 1, "")
    assert renditions(media_root) == set()
    assert not list(project.MEDIA_WORK_DIR.iterdir())


def test_nothing_is_published_when_the_storage_fails(queued: Video, media_root: Path, settings: Any) -> None:
    """The first attempts go back into the queue, the last one is told honestly."""
    blocked = media_root / "videos"
    blocked.write_text("a file where the folder should be")
    settings.MEDIA_MAX_ATTEMPTS = 2
    assert transcode_video(video_id=queued.pk) is False
    queued.refresh_from_db()
    assert (queued.status, queued.attempts, queued.error_code) == (VideoStatus.QUEUED, 1, "")
    assert transcode_video(video_id=queued.pk) is False
    queued.refresh_from_db()
    assert (queued.status, queued.error_code) == (VideoStatus.FAILED, VideoError.FAILED)
    assert "failed several times" in queued.error_message
    assert not Rendition.objects.exists()
    assert queued.published_version == ""
    assert not list(project.MEDIA_WORK_DIR.iterdir())
    blocked.unlink()
    retry_video(video=queued, now=now())
    assert transcode_video(video_id=queued.pk) is True


def test_trying_again_needs_a_failed_video_with_a_file(queued: Video) -> None:
    with pytest.raises(NothingToRetry):
        retry_video(video=queued, now=now())
    Video.objects.filter(pk=queued.pk).update(
        status=VideoStatus.FAILED, error_code=VideoError.FAILED, error_message="x", source_key=""
    )
    with pytest.raises(NothingToRetry):
        retry_video(video=queued, now=now())


def test_a_stopping_worker_hands_the_video_back_uncounted(queued: Video) -> None:
    """What SIGTERM to a worker raises in the middle of a job."""
    calls = 0

    def clock() -> Any:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise SystemExit
        return now()

    with pytest.raises(SystemExit):
        transcode_video(video_id=queued.pk, clock=clock)
    queued.refresh_from_db()
    assert (queued.status, queued.attempts, queued.worker) == (VideoStatus.QUEUED, 0, "")
    assert not list(project.MEDIA_WORK_DIR.iterdir())


def test_the_last_interrupted_attempt_is_told_honestly(queued: Video) -> None:
    at = now()
    for attempt in range(project.MEDIA_MAX_ATTEMPTS):
        queued.refresh_from_db()
        assert (queued.status, queued.attempts) == (VideoStatus.QUEUED, attempt)
        assert claim_video(video_id=queued.pk, clock=partial(min, at, at))
        at += timedelta(seconds=project.MEDIA_LEASE_SECONDS + 1)
        sweep_media(now=at)
    queued.refresh_from_db()
    assert (queued.status, queued.error_code) == (VideoStatus.FAILED, VideoError.INTERRUPTED)
    assert not StoredTree.objects.filter(prefix__startswith="videos/").exists()


def test_an_old_version_stays_for_half_a_day(prepare: Prepare, make: Make, media_root: Path) -> None:
    video = prepare(make())
    old = video.published_version
    Video.objects.filter(pk=video.pk).update(status=VideoStatus.QUEUED)
    assert transcode_video(video_id=video.pk)
    video.refresh_from_db()
    versions = {name.split("/")[2] for name in renditions(media_root)}
    assert versions == {old, video.published_version}
    assert set(video.renditions.values_list("version", flat=True)) == {video.published_version}
    sweep_media(now=now() + timedelta(hours=11))
    assert {name.split("/")[2] for name in renditions(media_root)} == versions
    sweep_media(now=now() + timedelta(hours=13))
    assert {name.split("/")[2] for name in renditions(media_root)} == {video.published_version}


def test_a_deleted_video_leaves_no_file(prepare: Prepare, make: Make, media_root: Path) -> None:
    from media.domain.captions import set_caption

    video = prepare(make())
    set_caption(video=video, language="en", label="English", data=b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n", now=now())
    other = prepare(make("other.mkv"))
    delete_video(video=video, now=now())
    sweep_media(now=now())
    assert str(video.key) not in "".join(files_of(media_root))
    assert str(other.key) in "".join(files_of(media_root))
    assert not [path for path in media_root.rglob("*") if str(video.key) in str(path)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"progress_percent": 101},
        {"status": "ready"},
        {"status": "failed"},
        {"status": "transcoding"},
        {"worker": "somebody"},
        {"published_version": "abc"},
        {"title": ""},
        {"source_key": ""},
    ],
)
def test_the_database_refuses_impossible_videos(queued: Video, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Video.objects.filter(pk=queued.pk).update(**wrong)


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.mark.faults
def test_a_lost_database_connection_costs_no_work(
    transactional_db: None, media_root: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """As when PostgreSQL restarts or fails over in the middle of an hour's job."""
    video = store_source(path=make(), title="Lecture", created_by=None, now=now())
    cut: list[int] = []

    def clock() -> Any:
        if not cut and Video.objects.filter(pk=video.pk, stage=Stage.SOUND).exists():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                cut.append(cursor.fetchone()[0])
            with psycopg.connect(database_url(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 60000)", cut)  # returns when it is gone
        return now()

    assert transcode_video(video_id=video.pk, clock=clock) is True
    assert len(cut) == 1
    assert [True for one in caplog.records if "media.lease_not_renewed" in one.getMessage()] == [True]
    video.refresh_from_db()
    assert (video.status, video.attempts) == (VideoStatus.READY, 1)


@pytest.mark.faults
def test_a_killed_worker_leaves_no_encoder_and_the_next_one_finishes(
    transactional_db: None, media_root: Path, make: Make
) -> None:
    mine = {name: getattr(project, name) for name in ("STORAGES", "MEDIA_ROOT", "MEDIA_WORK_DIR")}
    add_video = partial(call_command, now=True)
    with forked(add_video, "add_video", str(make(**LONG)), **mine, MEDIA_FFMPEG_NICE=0) as worker:
        until(lambda: not worker.is_alive() or Video.objects.filter(stage=Stage.PICTURE).exists())
        until(lambda: not worker.is_alive() or any(project.MEDIA_WORK_DIR.rglob("360p/*.ts*")))
        assert worker.is_alive()
        assert worker.pid
        encoders = called("ffmpeg", family(worker.pid))
        assert len(encoders) == 1
        assert any(project.MEDIA_WORK_DIR.iterdir())
        worker.kill()
        worker.join(60)
        assert worker.exitcode == -signal.SIGKILL
    until(lambda: not living(encoders))
    video = Video.objects.get()
    assert (video.status, video.published_version) == (VideoStatus.TRANSCODING, "")
    assert transcode_video(video_id=video.pk) is False, "the dead worker's lease still stands"
    later = now() + timedelta(seconds=project.MEDIA_LEASE_SECONDS + 1)
    swept = sweep_media(now=later)
    assert (swept.released, swept.removed_folders, swept.removed_trees) == (1, 1, 1)
    assert not any(project.MEDIA_WORK_DIR.iterdir())
    assert {name.split("/")[0] for name in files_of(media_root)} == {"sources"}
    assert transcode_video(video_id=video.pk) is True
    video.refresh_from_db()
    assert (video.status, video.attempts) == (VideoStatus.READY, 2)
    assert {name.split("/")[2] for name in renditions(media_root)} == {video.published_version}
