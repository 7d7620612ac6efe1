"""`manage.py runserver` is daphne: pages and sockets from one process, by the same code."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.utils.timezone import now
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from core.processes import wait_until
from tests.ports import free_port
from tests.room.rooms import post
from tests.room.tier import ORIGIN, Page
from tests.webinars.watching import coverage_of, open_player
from webinars.models import PlaySession

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def port() -> Iterator[int]:
    number = free_port()
    database = re.sub(r"/[^/?]+\?", f"/{settings.DATABASES['default']['NAME']}?", os.environ["DATABASE_URL"], count=1)
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(number), "lms.development:application"]
    with subprocess.Popen(command, env=os.environ | {"DATABASE_URL": database}, cwd=settings.BASE_DIR) as process:
        try:
            assert wait_until(lambda: process.poll() is not None or _answers(number), seconds=60)
            yield number
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_pages_and_sockets(port: int) -> None:
    session = open_player()
    PlaySession.objects.update(started_at=now() - timedelta(minutes=10))
    session.device.last_seen_at = session.device.created_at = now()
    session.device.save()
    with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
        assert answer.status == 200
    url = f"ws://127.0.0.1:{port}/ws/webinars/{session.webinar_id}/"
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.device.session_key}"}
    with connect(url, origin=Origin(ORIGIN), additional_headers=cookie) as connection:
        page = Page(connection)
        assert page.hello(session.pk)["t"] == "welcome"
        page.beat(1, (0, 30))
        assert page.hear() == {"t": "ack", "n": [1], "seen": 30, "done": False}
        assert coverage_of(session) == ((0, 30),)
        assert page.enter()["part"] == "attendee"
        for n in range(3):
            post(session.webinar_id, str(n))
        assert [event["data"]["text"] for event in page.events(3)] == ["0", "1", "2"]
    with pytest.raises(InvalidStatus), connect(url, additional_headers=cookie):
        pass
