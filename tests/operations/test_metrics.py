"""What Prometheus reads, from whom, and what it costs."""

import asyncio
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.test import Client
from django.utils.timezone import now
from prometheus_client.parser import text_string_to_metric_families

from core import metric_files, metrics
from lms.health import probe
from operations.domain import gauges
from operations.domain.backups.programs import parameters_of_site
from reminders.enums import DeliveryState
from tests.factories.webinars import WebinarFactory
from tests.reminders.factories import DeliveryFactory
from webinars.domain import watching
from webinars.domain.beats import Beat, BeatResult
from webinars.models import Broadcast


def read(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text.decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def page(client: Client, **extra: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics", **extra)
    assert answer.status_code == 200
    return read(answer.content)


@pytest.mark.django_db
class TestPage:
    def test_requests_are_counted_by_route_and_never_by_path(self, client: Client) -> None:
        key = ("lms_requests_total", (("method", "GET"), ("route", "accounts:sign_in_link"), ("status", "200")))
        before = page(client)
        for token in ("first-secret", "second-secret"):
            client.get(f"/sign-in/link/{token}/")
        client.get("/unheard-of/at-all/")
        client.generic("BREW", "/unheard-of/")

        text = client.get("/metrics").content
        after = read(text)
        routes = {dict(labels).get("route", "") for _, labels in after}
        assert b"secret" not in text
        assert b"unheard-of" not in text
        assert b"BREW" not in text
        assert not [route for route in routes if route.startswith("/")]
        changed = {key for key in after if key[0] == "lms_requests_total" and after[key] != before.get(key, 0)}
        assert len([one for one in changed if "link" in dict(one[1])["route"]]) == 1, changed
        assert key[0] in {name for name, _ in changed}
        assert after["lms_requests_in_progress", ()] == 0

    @pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "", "unix"])
    def test_to_strangers_it_does_not_exist(self, client: Client, address: str) -> None:
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 404

    def test_a_caller_behind_the_balancer_cannot_claim_to_be_the_machine(self, client: Client, settings: Any) -> None:
        settings.TRUSTED_PROXIES = 1
        there: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1, 192.0.2.7"}

        assert client.get("/metrics", **there).status_code == 404
        settings.METRICS_NETWORKS = ["192.0.2.0/24"]
        assert client.get("/metrics", **there).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_waits_and_how_late_the_picture_is_come_from_the_database() -> None:
    webinar = WebinarFactory()
    Broadcast.objects.create(
        webinar=webinar, started_at=now(), epoch=now() - timedelta(seconds=100), program_seconds=60.0
    )

    found = gauges.read_database()

    assert found["lms_live_broadcasts"] == 1
    assert 39 < found["lms_live_lag_seconds"] < 60
    assert found["lms_postgresql_connections"] >= 1
    assert found["lms_postgresql_connections_allowed"] == 200
    assert found["lms_postgresql_bytes"] > 1_000_000
    assert found["lms_transcode_waiting"] == found["lms_recordings_waiting"] == 0


@pytest.mark.django_db(transaction=True)
def test_messages_that_wait_failed_or_are_in_doubt_are_counted() -> None:
    at = now()
    DeliveryFactory.create(due_at=at - timedelta(minutes=5), expires_at=at + timedelta(hours=1))
    DeliveryFactory.create(due_at=at - timedelta(minutes=1), expires_at=at + timedelta(hours=1))
    DeliveryFactory.create(due_at=at + timedelta(minutes=1), expires_at=at + timedelta(hours=1))
    for state, minutes in (
        (DeliveryState.FAILED, 5), (DeliveryState.FAILED, 50), (DeliveryState.FAILED, 70), (DeliveryState.UNKNOWN, 10),
        (DeliveryState.UNKNOWN, 70), (DeliveryState.SENT, 5),
    ):  # fmt: skip
        DeliveryFactory.create(due_at=at - timedelta(minutes=minutes), state=state)

    found = gauges.read_database()

    assert (found["lms_messages_due"], found["lms_messages_failed"], found["lms_messages_unknown"]) == (2, 2, 1)
    assert 299 < found["lms_messages_oldest_seconds"] < 330


def test_a_database_that_does_not_answer_is_said_and_its_numbers_are_missing(settings: Any) -> None:
    site = gauges.Site()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    names = {metric.name: metric.samples for metric in site.collect()}

    assert names["lms_redis_up"][0].value == 0
    assert "lms_queue_waiting" not in names


class TestRealtime:
    async def ask(self, **scope: Any) -> tuple[int, bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> None:
            raise AssertionError

        await probe({"type": "http", "path": "/metrics", "headers": [], **scope}, receive, send)
        return sent[0]["status"], sent[1]["body"]

    async def test_it_tells_of_sockets_and_beats(self) -> None:
        status, body = await self.ask(client=("127.0.0.1", 50_000))

        assert status == 200
        assert {"lms_sockets", "lms_beats_acked_total", "lms_room_events_delivered_total"} <= {
            name for name, _ in read(body)
        }

    @pytest.mark.parametrize(
        "scope",
        [
            {"client": None},  # a Unix socket, behind which anybody may stand
            {"client": ("192.0.2.7", 1)},
            {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", b"127.0.0.1")]},
        ],
    )
    async def test_not_to_strangers(self, scope: dict[str, Any]) -> None:
        assert await self.ask(**scope) == (404, b"")


class TestBeats:
    @pytest.mark.django_db
    def test_a_batch_is_counted_with_what_became_of_it(self) -> None:
        before = read(metrics.render())
        stranger = Beat(1, 1, "5f0c7a52-6f43-4d3c-8f8c-0a8f14b0f6c5", 1, "{[0,5)}", 5.0)

        [result] = watching.record_beats([stranger], now=now())

        after = read(metrics.render())
        grown = {name: after[name, ()] - before[name, ()] for name, labels in after if not labels and "beats" in name}
        assert result.refusal is not None
        assert {name: value for name, value in grown.items() if value and name.endswith("_total")} == {
            "lms_beats_received_total": 1,
            "lms_beats_refused_total": 1,
        }

    def test_counting_costs_a_batch_microseconds(self) -> None:
        """A beat is taken in for some 20 µs; counting is once for the hundreds that share a batch."""
        results = [BeatResult(None, 1, False)] * 300
        best = min(self._timed(results) for _ in range(5))

        assert best < 0.000_5  # seconds a batch: under 2 µs a beat on the slowest machine, 0.05 µs here

    def _timed(self, results: list[Any]) -> float:
        started = time.process_time()
        for _ in range(100):
            watching._count(results, 0.01)
        return (time.process_time() - started) / 100


class TestSeveralProcesses:
    CODE = """
import os, sys
from core import metrics
pid = os.fork()
metrics.SOCKETS.inc(3); metrics.BEATS_ACKED.inc(5)
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
sys.stdout.buffer.write(metrics.render())
"""

    def test_whoever_is_asked_adds_all_up_and_the_dead_are_not_present(self, tmp_path: Path) -> None:
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", self.CODE], env=environment, capture_output=True, check=True)

        found = read(done.stdout)
        assert found["lms_beats_acked_total", ()] == 10
        assert found["lms_sockets", ()] == 3  # the other one has ended
        assert len(list(tmp_path.glob("counter_*.db"))) == 2

    def test_the_directory_is_empty_at_the_start(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "counter_1.db").write_bytes(b"of yesterday")
        monkeypatch.setenv(metric_files.VARIABLE, str(tmp_path))

        assert metric_files.prepare() == tmp_path
        assert list(tmp_path.iterdir()) == []

    def test_left_behind_directories_go_and_a_reload_keeps_the_own_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(metric_files.VARIABLE, "")  # so that what `prepare` sets is taken back in the end
        monkeypatch.delenv(metric_files.VARIABLE)
        nobody = next(number for number in range(4_000_000, 5_000_000) if not psutil.pid_exists(number))
        (tmp_path / f"{metric_files.PREFIX}{nobody}-x").mkdir()
        other = tmp_path / f"{metric_files.PREFIX}{os.getppid()}-x"
        other.mkdir()

        made = metric_files.prepare(tmp_path)
        (made / "counter_1.db").write_bytes(b"")

        assert set(tmp_path.iterdir()) == {made, other}
        assert metric_files.prepare(tmp_path) == made
        assert list(made.iterdir()) != []
        metric_files.remove()
        assert set(tmp_path.iterdir()) == {other}


def test_the_loop_is_free_while_numbers_are_collected() -> None:
    """The realtime tier's page is made in a thread: its event loop serves sockets."""

    async def work() -> int:
        asked = asyncio.create_task(TestRealtime().ask(client=("::1", 1)))
        turns = 0
        while not asked.done():
            turns += 1
            await asyncio.sleep(0)
        assert (await asked)[0] == 200
        return turns

    assert asyncio.run(work()) > 2


@pytest.mark.django_db
def test_a_backup_at_work_is_no_long_transaction() -> None:
    query = f"SELECT pid FROM ({gauges.SESSIONS}) AS sessions WHERE xact_start IS NOT NULL"
    with (
        psycopg.connect(**parameters_of_site() | {"application_name": "backup"}) as backup,
        psycopg.connect(**parameters_of_site()) as other,
    ):
        backup.execute("SELECT 1")
        long = {pid for (pid,) in other.execute(query.encode())}

        assert other.info.backend_pid in long
        assert backup.info.backend_pid not in long
