"""The checkup looks at real things: this run's PostgreSQL and Valkey, files, sockets."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import redis
from django.conf import settings as site_settings
from django.core.management import call_command
from django.utils.timezone import now
from moto import mock_aws
from redbeat.decoder import RedBeatJSONEncoder

from operations.domain.backups.making import make_backup
from operations.domain.backups.programs import parameters_of_site
from operations.domain.backups.stores import Folder
from operations.domain.checkup import machine, site
from operations.domain.checkup.cloud import GIB, Figure, figures, judge
from operations.domain.checkup.report import Line, Verdict, ok, problem, run_checks, table, warning, worst

MOMENT = now()  # of one test run, whatever hour begins in it
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAMPLE = machine.Sample(NOON.isoformat(), 40.0, 10.0, 50.0)


def verdicts(lines: Any) -> dict[str, Verdict]:
    return {line.name: line.verdict for line in lines}


class TestReport:
    def test_the_exit_code_is_the_worst_line(self) -> None:
        lines = [ok("a", "x"), problem("b", "y"), warning("c", "z")]

        assert worst(lines) == 2
        assert worst(lines[:1]) == 0
        assert table(lines).splitlines() == ["OK       a  x", "PROBLEM  b  y", "WARNING  c  z"]

    def test_what_cannot_be_looked_at_is_a_problem_and_the_others_go_on(self) -> None:
        def broken() -> list[Line]:
            raise OSError("no such disk")

        lines = run_checks({"disk": broken, "other": lambda: [ok("other", "fine")]}, failures=(OSError,))

        assert [(line.name, line.verdict) for line in lines] == [("disk", Verdict.PROBLEM), ("other", Verdict.OK)]
        assert "no such disk" in lines[0].text


class TestMachine:
    def test_levels_and_history(self) -> None:
        before = [replace(SAMPLE, at=(NOON - timedelta(days=6)).isoformat(), disk_percent=70.0)]
        lines = {line.name: line for line in machine.judge(replace(SAMPLE, disk_percent=82.0), before, now=NOON)}

        assert {name: line.verdict for name, line in lines.items()} == {
            "disk": Verdict.WARNING,
            "CPU": Verdict.OK,
            "memory": Verdict.OK,
            "disk growth": Verdict.WARNING,  # 2 % a day: nine days are left
        }
        assert "1 checkups of the last 7 days: 70–70 %" in lines["disk"].text
        assert "full in 9 days" in lines["disk growth"].text

    def test_a_line_that_was_cut_off_does_not_lose_the_others(self, tmp_path: Path) -> None:
        history = machine.History(tmp_path / "sub" / "history.jsonl")
        history.add(SAMPLE)
        with history.path.open("a") as file:
            file.write('{"at": "2026-')
        history.add(replace(SAMPLE, cpu_percent=11.0))

        assert [one.cpu_percent for one in history.read()] == [10.0, 11.0]
        assert [path.name for path in history.path.parent.iterdir()] == ["history.jsonl"]

    def test_only_new_error_lines_count_also_in_a_file_that_began_anew(self, tmp_path: Path) -> None:
        log = tmp_path / "postgresql.log"
        log.write_text("2026 LOG: fine\n2026 FATAL: sorry\n" + json.dumps({"level": "error", "event": "x"}) + "\n")

        first, reached = machine.read_logs(tmp_path, {})
        again, reached = machine.read_logs(tmp_path, reached)
        log.write_text("ERROR: new\n")
        anew, _ = machine.read_logs(tmp_path, reached)

        assert first[0].verdict is Verdict.WARNING
        assert first[0].text.startswith("2 new error lines")
        assert again[0].verdict is Verdict.OK
        assert anew[0].text.startswith("1 new error lines")


@pytest.mark.django_db
class TestDatabase:
    def test_a_long_transaction_and_connections_are_seen(self) -> None:
        lines = verdicts(site.database())

        assert lines["connections"] is Verdict.OK
        assert set(lines) == {
            *("connections", "transactions", "locks", "database size", "silent transcoders"),
            *("waiting videos", "waiting recordings", "waiting lists of people"),
        }

    def test_a_lock_that_is_waited_for(self) -> None:
        with psycopg.connect(**parameters_of_site()) as one, psycopg.connect(**parameters_of_site()) as other:
            one.execute("SELECT pg_advisory_lock(99)")
            other.execute("SET statement_timeout = '60s'")
            thread = threading.Thread(target=other.execute, args=("SELECT pg_advisory_lock(99)",))
            thread.start()
            deadline = datetime.now(UTC) + timedelta(seconds=60)
            while "1 waited for" not in {line.name: line.text for line in site.database()}["locks"]:
                assert datetime.now(UTC) < deadline
            one.execute("SELECT pg_advisory_unlock(99)")
            thread.join()


class TestBackups:
    def test_missing_fresh_old_and_too_many(self, django_db_setup: None, tmp_path: Path, settings: Any) -> None:
        store = Folder(tmp_path)
        assert verdicts(site.backups(store, now=now())) == {"backup": Verdict.PROBLEM}
        assert verdicts(site.restorable(store, beside=parameters_of_site())) == {"restore": Verdict.PROBLEM}
        for hours in (2, 0):
            make_backup(source=parameters_of_site(), store=store, keep=5, now=now() - timedelta(hours=hours))

        assert verdicts(site.backups(store, now=now())) == {"backup": Verdict.OK, "old backups": Verdict.OK}
        settings.BACKUP_KEEP = 1
        later = now() + timedelta(hours=30)
        assert verdicts(site.backups(store, now=later)) == {"backup": Verdict.WARNING, "old backups": Verdict.WARNING}
        [line] = site.restorable(store, beside=parameters_of_site())
        assert line.verdict is Verdict.OK
        assert "restored and compared" in line.text


@pytest.fixture
def beat() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(site_settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


class TestSchedule:
    def write(self, client: redis.Redis, at: datetime) -> None:
        """As RedBeat's own encoder writes it."""
        client.set("redbeat::lock", "x")
        for name in site_settings.CELERY_BEAT_SCHEDULE:
            client.hset(f"redbeat:{name}", "meta", json.dumps({"last_run_at": at}, cls=RedBeatJSONEncoder))

    def test_without_beat_nothing_is_scheduled(self, beat: redis.Redis) -> None:
        lines = verdicts(site.schedule(now=NOON))

        assert lines == {"beat": Verdict.PROBLEM, "scheduled tasks": Verdict.PROBLEM}

    def test_on_time_and_late(self, beat: redis.Redis) -> None:
        self.write(beat, NOON - timedelta(seconds=20))

        assert verdicts(site.schedule(now=NOON)) == {"beat": Verdict.OK, "scheduled tasks": Verdict.OK}
        [_, late] = site.schedule(now=NOON + timedelta(minutes=10))
        assert late.verdict is Verdict.PROBLEM
        assert "media-sweep (10 min)" in late.text
        assert "remove-old-events" not in late.text  # once a day

    def test_no_worker_answers(self, beat: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(site, "PING_SECONDS", 0.5)
        beat.lpush("long", "task")

        lines = {line.name: line for line in site.workers()}

        assert {line.verdict for line in lines.values()} == {Verdict.PROBLEM}
        assert lines["long"].text == "0 answer, 1 tasks wait"


class Ready(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, int] = {}

    def do_GET(self) -> None:
        body = b'{"postgresql": "failed"}'
        self.send_response(self.answers.get(self.path, 404))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Not into the output of the tests."""


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
    Ready.answers = {}


class TestServices:
    NOBODY = "http://127.0.0.1:1"

    def test_are_asked_for_readiness(self, address: str) -> None:
        Ready.answers = {"/readyz": 200}
        assert site.service("web", address).verdict is Verdict.OK
        Ready.answers = {"/readyz": 503, "/healthz": 200}
        found = site.service("web", f"{address}/")

        assert found.verdict is Verdict.PROBLEM
        assert "postgresql" in found.text
        assert "does not answer" in site.service("web", self.NOBODY).text
        assert site.service("realtime", "").verdict is Verdict.WARNING

    def test_behind_a_balancer_that_keeps_readiness_to_itself(self, address: str) -> None:
        Ready.answers = {"/healthz": 200}
        assert site.service("web", address).verdict is Verdict.OK
        Ready.answers = {"/healthz": 502}
        assert site.service("web", address).verdict is Verdict.PROBLEM

    def test_sockets_are_tried_as_a_browser_does(self, address: str) -> None:
        Ready.answers = {"/ws/webinars/0/": 101}
        assert site.sockets(address).verdict is Verdict.OK
        Ready.answers = {"/ws/webinars/0/": 503}
        assert site.sockets(address).verdict is Verdict.PROBLEM
        assert site.sockets(self.NOBODY).verdict is Verdict.PROBLEM


class TestCloud:
    @pytest.fixture
    def cloud(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Any]:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        settings.AUTOSCALE_CLUSTER, settings.AUTOSCALE_SERVICES = "rounds", ["web=web:2-20"]
        settings.AWS_ENDPOINT_URL, settings.AWS_REGION = "", "eu-central-1"
        host = "rounds-production.c1abc.eu-central-1.rds.amazonaws.com"
        monkeypatch.setitem(settings.DATABASES["default"], "HOST", host)
        with mock_aws():
            yield boto3.client("cloudwatch", "eu-central-1")

    def put(self, client: Any, figure: Figure, values: list[float]) -> None:
        """One for each hour; the last is of the hour that has just ended."""
        where = [{"Name": name, "Value": value} for name, value in figure.dimensions]
        for back, value in enumerate(reversed(values), start=1):
            at = MOMENT.replace(minute=0, second=0, microsecond=0) - timedelta(hours=back) + timedelta(minutes=5)
            one = {"MetricName": figure.metric, "Dimensions": where, "Timestamp": at, "Value": value}
            client.put_metric_data(Namespace=figure.namespace, MetricData=[one])

    def test_services_and_database_tell_of_their_week(self, cloud: Any) -> None:
        given = {
            "web CPU": [20.0, 99.0, 30.0], "web memory": [40.0, 90.0], "database CPU": [10.0, 12.0],
            "database disk": [50.0 * GIB, 15.0 * GIB],
        }  # fmt: skip
        for figure in figures():
            self.put(cloud, figure, given[figure.name])

        found = {line.name: line for line in judge(now=MOMENT)}

        assert {name: line.verdict for name, line in found.items()} == {
            "web CPU": Verdict.WARNING,  # an hour of this week was full
            "web memory": Verdict.WARNING,
            "database CPU": Verdict.OK,
            "database disk": Verdict.PROBLEM,
        }
        assert found["web CPU"].text == "30 %; 7 days: 20–99 %"
        assert found["database disk"].text == "15 GiB free; 7 days: 15–50"

    def test_no_figures_are_no_good_news(self, cloud: Any) -> None:
        assert {line.verdict for line in judge(now=MOMENT)} == {Verdict.WARNING}


@pytest.mark.django_db
def test_the_command_prints_a_table_keeps_history_and_exits_with_the_worst(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, beat: redis.Redis
) -> None:
    monkeypatch.setattr(site, "PING_SECONDS", 0.5)
    settings.VAR_DIR, settings.BACKUP_URL = tmp_path, str(tmp_path / "backups")
    settings.SITE_URL = "http://127.0.0.1:1"
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("checkup", "--web", "http://127.0.0.1:1", stdout=out)

    text = out.getvalue()
    assert ended.value.code == 2
    assert "PROBLEM  backup" in text
    assert "OK       connections" in text
    assert text.splitlines()[-1].startswith("PROBLEM: ")
    assert len((tmp_path / "checkup" / "history.jsonl").read_text().splitlines()) == 1
