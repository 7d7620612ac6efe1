"""The web tier's gunicorn as shipped, before an application that only tells what it was told."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.processes import wait_until
from tests.platform.conftest import ROOT
from tests.ports import free_port

Environ = dict[str, Any]


def application(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: value for name, value in environ.items() if isinstance(value, str)}).encode()]


@pytest.fixture(params=["unix", "loopback"])
def connect(request: pytest.FixtureRequest, place: Path) -> Iterator[Callable[[], socket.socket]]:
    """gunicorn trusts the caller on a Unix socket more than one with an address; here neither may be trusted."""
    address = ("127.0.0.1", free_port())
    path = str(place / "web")
    bind = f"unix:{path}" if request.param == "unix" else f"127.0.0.1:{address[1]}"

    def connected() -> socket.socket:
        caller = socket.socket(socket.AF_UNIX if request.param == "unix" else socket.AF_INET)
        caller.settimeout(60)
        try:
            caller.connect(path if request.param == "unix" else address)
        except OSError:
            caller.close()
            raise
        return caller

    def accepts() -> bool:
        try:
            connected().close()
        except OSError:
            return False
        return True

    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn_web.py", f"{__name__}:application"]
    with (place / "log").open("w+") as log:
        environment = os.environ | {"WEB_BIND": bind, "WEB_WORKERS": "1", "WEB_PROXY_PROTOCOL": "off"}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            assert wait_until(lambda: accepts() or server.poll() is not None, seconds=60)
            assert server.poll() is None, (place / "log").read_text()
            yield connected
        finally:
            server.terminate()
            server.wait(60)


def told(connect: Callable[[], socket.socket], path: str, headers: dict[str, str]) -> dict[str, str]:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = connect()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    assert response.status == 200
    body = dict(json.loads(response.read()))
    connection.close()
    return body


def test_sec_05_a_caller_says_nothing_about_scheme_or_path_that_gunicorn_believes(
    connect: Callable[[], socket.socket],
) -> None:
    for name in ("X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Ssl"):
        environ = told(connect, "/programmes/", {name: "on" if name.endswith("Ssl") else "https"})
        assert environ["wsgi.url_scheme"] == "http"
    for name in ("SCRIPT_NAME", "PATH_INFO", "REMOTE_USER", "REMOTE_ADDR"):
        environ = told(connect, "/programmes/a/", {name: "/programmes"})
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/programmes/a/")
        assert "/programmes" not in {environ.get("REMOTE_USER"), environ.get("REMOTE_ADDR")}
        assert f"HTTP_{name}" not in environ
    environ = told(connect, "/", {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})
    assert environ["HTTP_X_FORWARDED_PROTO"] == "https", "Django gets it to judge"
