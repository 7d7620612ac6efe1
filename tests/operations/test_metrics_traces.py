"""Sentry and OpenTelemetry by their real libraries, against a server of their protocols on this machine."""

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # it has no types
import pytest

from core.processes import wait_until
from core.tracing import scrub
from lms.celery import app

CODE = """
import os, sys, types
import django
django.setup()
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path
urls = types.ModuleType("boom_urls")
def boom(request, token):
    patient = "Dr. Ana Souza"
    raise ValueError("cannot mail ana.souza@clinic.example at +49 170 1234567, token=sekrit-query, 192.0.2.44")
urls.urlpatterns = [path("sign-in/link/<token>/", boom, name="boom"),
                    path("fine/<token>/", lambda request, token: HttpResponse("ok"), name="fine")]
sys.modules["boom_urls"] = urls
settings.ROOT_URLCONF = "boom_urls"
settings.MIDDLEWARE = ["core.middleware.RequestIdMiddleware", "core.tracing.TraceMiddleware"]
client = Client(raise_request_exception=False)
extra = {"HTTP_AUTHORIZATION": "Bearer sekrit-header", "HTTP_COOKIE": "sessionid=sekrit-cookie",
         "REMOTE_ADDR": "192.0.2.44"}
assert client.post("/sign-in/link/sekrit-path/?next=sekrit-query", {"name": "Ana Souza"}, **extra).status_code == 500
assert client.get("/fine/sekrit-path/", **extra).status_code == 200
if "sentry_sdk" in sys.modules:
    import sentry_sdk
    sentry_sdk.flush(60)
from opentelemetry import trace
provider = trace.get_tracer_provider()
if hasattr(provider, "shutdown"):
    provider.shutdown()
print("on:", "sentry_sdk" in sys.modules, hasattr(provider, "shutdown"))
"""


UNPACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}


class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = UNPACK[self.headers.get("Content-Encoding", "")](body)
        self.server.got.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Not into the output of the tests."""


@pytest.fixture
def sink() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.got = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(**more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=os.environ | more, capture_output=True, text=True, check=False, timeout=150
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_goes_to_sentry_and_to_traces_names_nobody(sink: Any) -> None:
    port = sink.server_address[1]

    out = run(SENTRY_DSN=f"http://key@127.0.0.1:{port}/7", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")

    assert "on: True True" in out
    everything = b"".join(body for _, body in sink.got)
    for secret in (b"sekrit", b"Souza", b"ana.souza", b"clinic.example", b"1234567", b"192.0.2.44"):
        assert secret not in everything
    [envelope] = [body for path, body in sink.got if path == "/api/7/envelope/"]
    [fault] = event_of(envelope)["exception"]["values"]
    assert fault["type"] == "ValueError"
    assert fault["value"].startswith("cannot mail [hidden] at [hidden]")
    assert [frame["function"] for frame in fault["stacktrace"]["frames"]][-1] == "boom"
    [spans] = [body for path, body in sink.got if path == "/v1/traces"]
    assert b"GET fine" in spans
    assert b"POST boom" in spans


def event_of(envelope: bytes) -> dict[str, Any]:
    """An envelope is lines of JSON: its own head, then head and body of each item."""
    found: dict[str, Any] = next(json.loads(line) for line in envelope.splitlines() if b'"exception"' in line)
    return found


@pytest.mark.site
def test_what_fails_in_a_worker_goes_to_sentry_without_its_arguments(sink: Any, tmp_path: Path) -> None:
    """A real one, with a process of its own for the task: what the library keeps for sending must survive the fork."""
    queue = f"sentry-{uuid.uuid4().hex}"
    options = [
        "--pool=prefork",
        "--concurrency=1",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        "--loglevel=INFO",
    ]
    log = tmp_path / "log"
    with log.open("wb") as out:
        worker = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "lms.celery",
                "worker",
                "-Q",
                queue,
                "-n",
                f"{queue}@here",
                *options,
            ],
            env=os.environ | {"SENTRY_DSN": f"http://key@127.0.0.1:{sink.server_address[1]}/7"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        app.send_task("webinars.put_together", args=["ana.souza@clinic.example", "sekrit"], queue=queue)
        assert wait_until(lambda: bool(sink.got), seconds=90), log.read_text()
    finally:
        worker.terminate()
        try:
            worker.wait(60)
        finally:
            worker.kill()

    path, envelope = sink.got[0]
    event = event_of(envelope)
    assert path == "/api/7/envelope/"
    assert event["transaction"] == "webinars.put_together"
    assert event["exception"]["values"][-1]["type"] == "TypeError"  # one argument too many
    for secret in (b"ana.souza", b"clinic.example", b"sekrit", b"celery-job"):
        assert all(secret not in body for _, body in sink.got)


def test_without_the_variables_nothing_is_on_and_nothing_sent(sink: Any) -> None:
    assert "on: False False" in run()
    assert sink.got == []


def test_an_event_keeps_the_program_and_loses_the_person() -> None:
    event = {
        "event_id": "a" * 32,
        "level": "error",
        "user": {"id": 7, "email": "a@b.example"},
        "server_name": "doctor-laptop",
        "breadcrumbs": {"values": [{"message": "SELECT name"}]},
        "extra": {"name": "Ana"},
        "request": {"method": "GET", "url": "https://x/invitation/tok", "cookies": {"sessionid": "x"}},
        "logentry": {"message": "for a@b.example"},
    }

    assert scrub(event) == {
        "event_id": "a" * 32,
        "level": "error",
        "request": {"method": "GET"},
        "logentry": {"message": "for [hidden]"},
    }
