"""For uploads of gigabytes: content that costs nothing to make, and a web tier whose memory is watched."""

import hashlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import local
from typing import Any
from urllib.parse import urlsplit

import psutil

from core.processes import wait_until
from tests.platform.conftest import ROOT
from tests.ports import free_port
from tests.signing_in import FIREFOX

MIB = 2**20
LANES = 3  # as many as the browser's
BEGIN = "/admin/media/video/uploads/"
TOKEN = "c" * 32


class Content:
    """An MP4's first bytes, then noise that says in every MiB where it belongs: a part at a wrong place is seen."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.noise = hashlib.shake_256(b"lecture").digest(MIB)

    def part(self, offset: int, size: int) -> bytes:
        first = offset // MIB
        assert offset % MIB == 0
        blocks = [number.to_bytes(8, "big") + self.noise[8:] for number in range(first, first + -(-size // MIB))]
        if first == 0:
            blocks[0] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + self.noise[24:]
        return b"".join(blocks)[:size]


def roomy_directory(size: int, fallback: Path) -> Path:
    """Memory where there is plenty: what is measured is the protocol, not the disk."""
    shared = Path("/dev/shm")
    if shared.is_dir() and min(shutil.disk_usage(shared).free, psutil.virtual_memory().available) > size + 4096 * MIB:
        return Path(tempfile.mkdtemp(prefix="lms-large-", dir=shared))
    return Path(tempfile.mkdtemp(prefix="lms-large-", dir=fallback))


@contextmanager
def web_tier(environment: dict[str, str], log: Path) -> Iterator["Web"]:
    """gunicorn as in production, with one worker."""
    port = free_port()
    environment = environment | {"WEB_BIND": f"127.0.0.1:{port}", "WEB_WORKERS": "1", "DJANGO_ENV": "development"}
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn_web.py", "lms.wsgi"]
    with log.open("w") as file:
        master = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
        web = Web(port, master, log)
        try:
            assert wait_until(lambda: master.poll() is not None or web.answers(), seconds=90), log.read_text()
            yield web
        finally:
            master.terminate()
            master.wait(60)


@dataclass
class Web:
    port: int
    master: "subprocess.Popen[bytes]"
    log: Path

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def peak_bytes(self) -> int:
        """The most memory that the worker ever held."""
        (worker,) = psutil.Process(self.master.pid).children()
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker.pid}/status").read_text())
        assert found
        return int(found[1]) * 1024


@dataclass
class Sender:
    """The upload page's requests, by one signed-in person; as there, three parts are on their way at once."""

    web: Web
    session: str
    content: Content
    sent: list[int] = field(default_factory=list)
    connections: local = field(default_factory=local)
    opened: list[http.client.HTTPConnection] = field(default_factory=list)

    def close(self) -> None:
        for connection in self.opened:
            connection.close()

    def ask(self, method: str, address: str, body: bytes = b"", *, own: bool = True) -> tuple[int, bytes]:
        """`own`: with our cookies. Connections are kept alive, one for each lane and host."""
        where = urlsplit(address)
        host = where.netloc or f"127.0.0.1:{self.web.port}"
        if not hasattr(self.connections, host):
            setattr(self.connections, host, http.client.HTTPConnection(host, timeout=60))
            self.opened.append(getattr(self.connections, host))
        connection: http.client.HTTPConnection = getattr(self.connections, host)
        headers = self.headers() if own else {"Content-Type": "application/octet-stream"}
        connection.request(method, f"{where.path}?{where.query}" if where.query else where.path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()

    def headers(self) -> dict[str, str]:
        cookies = f"sessionid={self.session}; csrftoken={TOKEN}"
        return {"Cookie": cookies, "X-CSRFToken": TOKEN, "User-Agent": FIREFOX, "Content-Type": "application/json"}

    def post(self, address: str, body: object = None) -> tuple[int, dict[str, Any]]:
        status, answer = self.ask("POST", address, json.dumps(body or {}).encode())
        return status, json.loads(answer)

    def begin(self) -> dict[str, Any]:
        asked = {"name": "lecture.mp4", "size": self.content.size, "fingerprint": f"lecture.mp4|{self.content.size}|1"}
        status, state = self.post(BEGIN, asked)
        assert status == 200, state
        return state

    def send(self, upload: dict[str, Any], numbers: list[int]) -> None:
        with ThreadPoolExecutor(LANES) as pool:
            for one in [pool.submit(self.send_part, upload, number) for number in numbers]:
                one.result()

    def send_part(self, upload: dict[str, Any], number: int) -> None:
        own = part_address(upload, number)
        status, target = self.post(own)
        assert status == 200, target
        data = self.data(upload, number)
        assert target["size"] == len(data)
        status, answer = self.ask("PUT", target["url"] or own, data, own=not target["url"])
        assert status == 200, answer
        self.sent.append(number)

    def data(self, upload: dict[str, Any], number: int) -> bytes:
        offset = (number - 1) * int(upload["part_bytes"])
        return self.content.part(offset, min(upload["part_bytes"], self.content.size - offset))

    def cut_off(self, upload: dict[str, Any], number: int) -> None:
        """A laptop that is closed: half of a part, then nothing, and nobody to hear the answer."""
        _, target = self.post(part_address(upload, number))
        where = urlsplit(target["url"] or f"http://127.0.0.1:{self.web.port}{part_address(upload, number)}")
        data = self.data(upload, number)
        headers = {} if target["url"] else self.headers()
        connection = http.client.HTTPConnection(where.netloc, timeout=60)
        connection.putrequest("PUT", f"{where.path}?{where.query}" if where.query else where.path)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            connection.putheader(name, value)
        connection.endheaders(data[: len(data) // 2])
        connection.close()


def part_address(upload: dict[str, Any], number: int) -> str:
    return str(upload["part_url"]).replace("/0/", f"/{number}/")
