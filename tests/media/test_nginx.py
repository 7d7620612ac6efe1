"""The nginx of `deploy/nginx`, run for real before the grant endpoint. Only paths, ports and certificates differ."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.conf import settings as project
from django.http import HttpResponse
from django.test import Client
from django.utils.timezone import now

from media.domain.grants import issue
from media.models import Video
from tests.factories.accounts import UserFactory
from tests.factories.media import VideoFactory
from tests.ports import free_port
from tests.signing_in import device_of, signed_in

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
SEGMENT = b"G" + b"secret segment" * 1000


def adapted(folder: Path, media_root: Path, web: str) -> tuple[Path, int]:
    """The shipped files with this machine's paths; every replacement has to find its place."""
    port = free_port()
    text = (CONFIGURATION / "rounds.conf").read_text()
    for pattern, new in (
        (r"server 127\.0\.0\.1:8001;", f"server {web};"),
        (r"listen 80;\n    listen \[::\]:80;", f"listen 127.0.0.1:{free_port()};"),
        (r"listen 443 ssl http2;\n    listen \[::\]:443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        (r"/etc/ssl/rounds/", f"{folder}/"),
        (r"/var/log/nginx/rounds\.log", f"{folder}/access.log"),
        (r"/srv/rounds/var/media/", f"{media_root}/"),
        (r"/srv/rounds/var/static/", f"{folder}/static/"),
    ):
        text, found = re.subn(pattern, new, text)
        assert found, pattern
    (folder / "rounds.conf").write_text(text)
    shutil.copy(CONFIGURATION / "proxy_params_rounds", folder)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\n{temporary}include {folder}/rounds.conf;\n}}\n"
    )
    return main, port


def test_nginx_takes_the_shipped_configuration(tmp_path: Path) -> None:
    main, _ = adapted(tmp_path, tmp_path, "127.0.0.1:1")
    checked = subprocess.run(["nginx", "-t", "-c", main], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


@pytest.fixture
def nginx(tmp_path: Path, media_root: Path, live_server: Any, settings: Any) -> Iterator[str]:
    settings.MEDIA_GRANTS = "nginx"
    settings.ALLOWED_HOSTS = ["*"]
    media_root.mkdir(parents=True, exist_ok=True)
    for folder in (tmp_path, media_root):
        folder.chmod(0o755)
    web = live_server.url.removeprefix("http://")
    main, port = adapted(tmp_path, media_root, web)
    with main.open("a") as file:
        file.write("user root;\n" if Path("/proc/self").stat().st_uid == 0 else "")
    process = subprocess.Popen(["nginx", "-c", main], stderr=subprocess.PIPE)
    try:
        wait_for(port, process)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    process.terminate()
    pytest.fail(f"nginx did not start: {process.communicate()[1]!r}")


def stored(video: Video, media_root: Path) -> Video:
    file = media_root / "videos" / str(video.key) / "v1" / "360p" / "00000.ts"
    file.parent.mkdir(parents=True)
    file.write_bytes(SEGMENT)
    return video


def grant(client: Client, video: Video, at: datetime) -> None:
    response = HttpResponse()
    device = device_of(client)
    issue(response, video=video, user_id=device.user_id, device_id=device.pk, now=at)
    (cookie,) = response.cookies.values()
    client.cookies[cookie.key] = cookie.value


def ask(nginx: str, video: Video, cookies: dict[str, str]) -> tuple[int, bytes, Any]:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    request = Request(f"{nginx}/media/videos/{video.key}/v1/360p/00000.ts", headers={"Cookie": header})
    try:
        with urlopen(request, timeout=60, context=trusting) as response:
            return response.status, response.read(), response.headers
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read(), refused.headers


@pytest.mark.django_db(transaction=True)
def test_sec_12_nginx_sends_files_from_the_disk_to_those_with_a_grant_only(nginx: str, media_root: Path) -> None:
    video, other = (stored(VideoFactory.create(), media_root) for _ in range(2))
    client = signed_in(UserFactory.create())
    grant(client, video, now())
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    status, body, headers = ask(nginx, video, cookies)
    assert (status, body) == (200, SEGMENT)
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("video/mp2t", "private, max-age=600")
    only_session = {"sessionid": cookies["sessionid"]}
    only_grant = {name: value for name, value in cookies.items() if name.startswith("media_")}
    renamed = only_session | {f"media_{other.key}": value for value in only_grant.values()}
    grant(client, video, now() - timedelta(seconds=project.MEDIA_GRANT_SECONDS + 1))
    expired = {name: morsel.value for name, morsel in client.cookies.items()}
    assert expired.keys() == cookies.keys()
    refused = [(video, {}), (video, only_session), (video, only_grant), (video, expired), (other, cookies),
               (other, renamed)]  # fmt: skip
    for wanted, given in refused:
        status, body, headers = ask(nginx, wanted, given)
        assert status == 403
        assert b"secret" not in body
        assert "max-age" not in (headers["Cache-Control"] or "")
    assert ask(nginx, video, cookies)[0] == 200


def health(nginx: str, path: str, *, caller: str) -> int:
    """As somebody at `caller`: every address of 127/8 is this machine, but nginx sees the one that was bound."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    host, _, port = nginx.removeprefix("https://").partition(":")
    connection = HTTPSConnection(host, int(port), timeout=60, context=trusting, source_address=(caller, 0))
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_only_this_machine_may_ask_what_is_ready(nginx: str) -> None:
    """The answer names the parts and costs a query; `/healthz` tells nobody anything."""
    assert health(nginx, "/readyz", caller="127.0.0.1") == 200
    outsider = {"caller": "127.0.0.2"}
    assert health(nginx, "/healthz", **outsider) == 200
    for path in ("/readyz", "//readyz", "/./readyz", "/%72eadyz", "/readyz?a=1", "/static/../readyz", "/readyz#x"):
        assert health(nginx, path, **outsider) == 403, path
