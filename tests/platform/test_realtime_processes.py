"""Several realtime processes behind one address stop as a single one does: first not ready, then gone."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from core.processes import wait_until
from operations.domain.checkup.report import Verdict
from operations.domain.checkup.site import sockets
from tests.ports import free_port

pytestmark = pytest.mark.site
SECONDS = 90


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    port, log = free_port(), tmp_path / "log"
    environment = os.environ | {
        "REALTIME_BIND": f"127.0.0.1:{port}", "REALTIME_PROCESSES": "2", "DRAIN_SECONDS": "600",
        "SOCKET_ORIGINS": f"http://127.0.0.1:{port}", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO",
    }  # fmt: skip
    command = [sys.executable, "deploy/realtime.py"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield process, f"http://127.0.0.1:{port}", log
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def asked(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_both_drain_and_a_second_signal_ends_the_wait(running: tuple[subprocess.Popen[bytes], str, Path]) -> None:
    process, site, log = running
    assert wait_until(lambda: log.read_text().count("Application startup complete") == 2, seconds=SECONDS), (
        log.read_text()
    )

    assert sockets(site).verdict is Verdict.OK  # as `manage.py checkup` tries them

    process.send_signal(signal.SIGTERM)

    def drains() -> bool:
        """Whichever of them takes the call."""
        answers = [asked(f"{site}/readyz") for _ in range(10)]
        return all(status == 503 and json.loads(text) == {"status": "draining"} for status, text in answers)

    assert wait_until(drains, seconds=SECONDS), log.read_text()
    assert asked(f"{site}/healthz") == (200, "ok\n")
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0
    assert log.read_text().count("Finished server process") == 2
