"""kill -9 of the worker that puts a recording together, at every kind of moment."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from media.models import StoredTree, Video
from media.storages import media_storage
from tests.recording.resume_error import own_storage
from tests.recording.theatre import at, film_parts, finish, make_webinar_on_air, send
from webinars.domain.recording import put_together, tend, waiting
from webinars.models import Broadcast, Edition

# Asks for the time at each step; at the given one it says so and waits to be killed.
WORKER = """
import sys, django
django.setup()
from tests.recording.theatre import at
from webinars.domain.recording import put_together
calls = 0
def clock():
    global calls
    calls += 1
    if calls == int(sys.argv[2]):
        print("here", flush=True)
        sys.stdin.read()
    return at(100)
print(put_together(broadcast_id=int(sys.argv[1]), clock=clock), flush=True)
"""


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
        for filmed in film_parts(tmp_path / "filmed", ((0.0, 12.0), (17.0, 10.0))):
            send(webinar, filmed)
        finish(webinar)
        broadcast = Broadcast.objects.get()
        _kill_at(step, broadcast.pk, tmp_path)
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


def _kill_at(step: int, broadcast_id: int, folder: Path) -> None:
    given = connection.settings_dict
    name = given["NAME"]
    address = f"postgresql://{given['USER']}:{given['PASSWORD']}@localhost:{given['PORT'] or 5432}/{name}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"{address}?host={given['HOST']}",
        "MEDIA_ROOT": media_storage().path(""),
        "MEDIA_WORK_DIR": str(settings.MEDIA_WORK_DIR),
    }
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(broadcast_id), str(step)]
    with (folder / "log").open("w") as log:
        worker = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert worker.stdout is not None
        said = worker.stdout.readline()
        assert said == "here\n", said + (folder / "log").read_text()
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
