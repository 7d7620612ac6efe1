"""kill -9 of the worker that puts a recording together, at every kind of moment."""

import signal
from collections.abc import Callable
from datetime import datetime
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from media.models import StoredTree, Video
from tests.forked import forked
from tests.recording.resume_error import own_storage
from tests.recording.theatre import at, film_parts, films, finish, make_webinar_on_air, send
from webinars.domain.recording import put_together, tend, waiting
from webinars.models import Broadcast, Edition

PATIENCE_SECONDS = 60.0


def put_together_until(step: int, broadcast_id: int, told: "Connection[str, str]") -> None:
    """Asks for the time at each step; at the given one it says so and waits to be killed."""
    told.send(f"it came to its end: {put_together(broadcast_id=broadcast_id, clock=_clock(step, told))}")


def _clock(step: int, told: "Connection[str, str]") -> Callable[[], datetime]:
    calls = 0

    def clock() -> datetime:
        nonlocal calls
        calls += 1
        if calls == step:
            told.send("here")
            told.recv()
        return at(100)

    return clock


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(1, id="before it has claimed"),
        pytest.param(5, id="while it reads segments"),
        pytest.param(15, id="when the file is stored and nothing names it"),
    ],
)
def test_a_killed_worker_costs_nothing_but_time(tmp_path: Path, step: int) -> None:
    with override_settings(**own_storage(tmp_path)):
        webinar = make_webinar_on_air()
        for filmed in film_parts(films(), ((0.0, 12.0), (17.0, 10.0))):
            send(webinar, filmed)
        finish(webinar)
        broadcast = Broadcast.objects.get()
        _kill_at(step, broadcast.pk)
        broadcast.refresh_from_db()
        assert (broadcast.recorded_at, Edition.objects.exclude(handed_at=None).exists()) == (None, False)
        later = at(101 + settings.MEDIA_LEASE_SECONDS) if step < 15 else at(2000)
        assert waiting(now=at(101)) == ([broadcast.pk] if step == 1 else [])
        assert waiting(now=later) == [broadcast.pk]
        assert put_together(broadcast_id=broadcast.pk, clock=lambda: later)
        edition = Edition.objects.get()
        assert edition.uncut_seconds == pytest.approx(22.0, abs=0.05)
        video = Video.objects.get()
        assert (video.status, video.source_key) == ("queued", edition.source_key)
        left = StoredTree.objects.filter(prefix__startswith="sources/").exclude(prefix=video.source_key)
        assert [tree.remove_after is not None for tree in left] == [True] * (step == 15)
        tend(ring=lambda _broadcast: None, now=later)
        assert not any(settings.MEDIA_WORK_DIR.iterdir())


def _kill_at(step: int, broadcast_id: int) -> None:
    ours, its = Pipe()
    mine = {"STORAGES": settings.STORAGES, "MEDIA_WORK_DIR": settings.MEDIA_WORK_DIR}
    with forked(put_together_until, step, broadcast_id, its, **mine) as worker:
        assert ours.poll(PATIENCE_SECONDS)
        assert ours.recv() == "here"
        worker.kill()
        worker.join(PATIENCE_SECONDS)
        assert worker.exitcode == -signal.SIGKILL
