"""The web tier as shipped, with a flood before it: it sheds, and goes on acknowledging what is watched."""

import http.client
import json
import os
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django_redis import get_redis_connection

from core.processes import spawn, wait_until
from core.shedding.line import KEYS
from tests.bench.people import make_audience, make_login
from tests.platform.conftest import ROOT
from tests.ports import free_port
from webinars.models import WatchRecord

pytestmark = [pytest.mark.site, pytest.mark.django_db(transaction=True)]
FLOOD, POSTERS = 24, 2
PATIENCE = 90.0


class Browser:
    def __init__(self, port: int, **cookies: str) -> None:
        self.port = port
        self.cookies = cookies

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Any, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        if body is not None:
            sent |= {"Content-Type": "application/json", "X-CSRFToken": self.cookies["csrftoken"]}
        try:
            line.request(method, path, body, headers=sent)
            answer = line.getresponse()
            content = answer.read()
        finally:
            line.close()
        for header in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        return answer.status, answer.headers, content


class Load:
    """A flood of callers that keep no cookies, and people who watch while it lasts."""

    def __init__(self, port: int, viewers: list[dict[str, str]]) -> None:
        self.port, self.ended = port, threading.Event()
        self.answers: Counter[int] = Counter()
        self.wrong: list[str] = []
        self.acked: dict[str, set[int]] = {viewer["cookie"]: set() for viewer in viewers}
        self.threads = [threading.Thread(target=self._flood, daemon=True) for _ in range(FLOOD)]
        self.threads += [threading.Thread(target=self._watch, args=(viewer,), daemon=True) for viewer in viewers]

    def _flood(self) -> None:
        while not self.ended.is_set():
            try:
                status, headers, _ = Browser(self.port).ask("GET", "/sign-in/")
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))
                continue
            self.answers[status] += 1
            if status not in {200, 503} or (status == 503 and int(headers["Retry-After"]) < 1):
                self.wrong.append(f"{status} {headers}")

    def _watch(self, viewer: dict[str, str]) -> None:
        browser = Browser(self.port, sessionid=viewer["cookie"], csrftoken="x" * 32)
        number = 0
        while not self.ended.wait(0.05):
            number += 1
            beat = {"n": number, "s": [[number, number + 1]], "p": number + 1}
            body = json.dumps({"session": viewer["session"], "beats": [beat]})
            status, _, content = browser.ask("POST", f"/api/v1{viewer['path'].removeprefix('/ws')}beats/", body)
            if status != 200:
                self.wrong.append(f"beat: {status} {content!r}")
                return
            self.acked[viewer["cookie"]] |= set(json.loads(content)["acked"])

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(PATIENCE)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    get_redis_connection("default").delete(*KEYS)
    number = free_port()
    url = re.sub(r"(://[^/]*)/[^?]*", rf"\1/{connection.settings_dict['NAME']}", os.environ["DATABASE_URL"])
    environment = os.environ | {
        "DATABASE_URL": url,
        "WEB_BIND": f"127.0.0.1:{number}",
        "WEB_WORKERS": "1",
        "WEB_THREADS": "2",
        "SHED_JOIN_MS": "50",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn_web.py", "lms.wsgi"]
    with (tmp_path / "log").open("w+b") as log:
        server = spawn(command, directory=ROOT, environment=environment, output=log)
        try:
            assert wait_until(lambda: server.poll() is not None or answers(number), seconds=PATIENCE)
            assert server.poll() is None, (tmp_path / "log").read_text()
            yield number
        finally:
            server.terminate()
            server.wait(PATIENCE)
            get_redis_connection("default").delete(*KEYS)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_flood_is_told_to_wait_while_what_is_watched_is_acknowledged_and_a_doctor_gets_in(port: int) -> None:
    audience = make_audience(POSTERS + 1)
    viewers = audience.viewers()
    for session in audience.sessions:
        make_login(session.user, session.device.session_key)
    load = Load(port, viewers[:POSTERS])
    load.start()
    try:
        assert wait_until(lambda: load.answers[503] >= 50 or bool(load.wrong), seconds=PATIENCE), load.answers
        before = sum(map(len, load.acked.values()))
        doctor = Browser(port, sessionid=viewers[POSTERS]["cookie"])
        assert wait_until(lambda: doctor.ask("GET", "/programmes/")[0] == 200, seconds=PATIENCE, every=0.5)
        assert doctor.ask("GET", "/")[0] == 200, "in, and so without the line"
        assert Browser(port).ask("GET", "/healthz")[0] == Browser(port).ask("GET", "/metrics")[0] == 200
        assert wait_until(lambda: sum(map(len, load.acked.values())) >= before + 10, seconds=PATIENCE), load.wrong
    finally:
        load.end()

    assert load.wrong == []
    assert set(load.answers) == {200, 503}
    for record in WatchRecord.objects.filter(user__in=[session.user_id for session in audience.sessions]):
        seen = {second for part in record.coverage for second in range(*part)}
        device = next(one.device for one in audience.sessions if one.user_id == record.user_id)
        assert load.acked[device.session_key] <= seen
    assert WatchRecord.objects.count() == POSTERS
