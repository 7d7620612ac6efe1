"""The nginx of `deploy/nginx/rtmp.conf`, run for real before our callbacks. Only paths, ports and the secret differ."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from core.processes import spawn, wait_until
from media.domain.tools import ffmpeg_path
from tests.factories.accounts import UserFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.ingest.stage import AAC, H264, PICTURE, uris
from tests.ports import free_port
from webinars.domain.stream_keys import make_key, revoke_key
from webinars.models import Broadcast, PublishSession, Segment, StreamNotice

pytestmark = [pytest.mark.site, pytest.mark.django_db(transaction=True)]
CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
ROOT = CONFIGURATION.parents[1]
SECRET = "s" * 40
PATIENCE = 60.0


class Nginx:
    def __init__(self, folder: Path, web: str, media_root: Path) -> None:
        self.folder, self.port, self.control = folder, free_port(), free_port()
        self._write_environment(media_root)
        self._write_configuration(web)
        self.process = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.PIPE)
        port = f":{self.port} "
        assert wait_until(lambda: port in subprocess.check_output(["ss", "-ltn"], text=True), seconds=PATIENCE)

    def _write_environment(self, media_root: Path) -> None:
        database = re.sub(r"(://[^/]*)/[^?]*", rf"\1/{connection.settings_dict['NAME']}", os.environ["DATABASE_URL"])
        variables = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database,
            "REDIS_URL": os.environ["REDIS_URL"],
            "VAR_DIR": os.environ["VAR_DIR"],
            "MEDIA_ROOT": str(media_root),
            "LIVE_WORK_DIR": str(self.folder / "live-work"),
            "LIVE_CPU_CORES": "1",
            "RTMP_PULL_URL": f"rtmp://127.0.0.1:{self.port}/live",
            "RTMP_CONTROL_URL": f"http://127.0.0.1:{self.control}/control",
        }
        lines = [f"{name}='{value}'\n" for name, value in variables.items()]
        (self.folder / "environment").write_text("".join(lines))
        wrapper = self.folder / "package"
        wrapper.write_text(
            f"#!/bin/sh\nexport ROUNDS_ROOT='{ROOT}' ROUNDS_VENV='{sys.prefix}'\n"
            f"export ROUNDS_ENVIRONMENT='{self.folder}/environment'\n"
            f"exec '{CONFIGURATION}/package' \"$@\" >>'{self.folder}/package.log' 2>&1\n"
        )
        wrapper.chmod(0o755)

    def _write_configuration(self, web: str) -> None:
        text = (CONFIGURATION / "rtmp.conf").read_text()
        for pattern, new in (
            (r"listen 1935;", f"listen 127.0.0.1:{self.port};"),
            (r"127\.0\.0\.1:8001", web),
            (r"replace-me", SECRET),
            (r"/srv/rounds/deploy/nginx/package", f"{self.folder}/package"),
        ):
            text, found = re.subn(pattern, new, text)
            assert found, pattern
        (self.folder / "rtmp.conf").write_text(text)
        control = (CONFIGURATION / "rtmp-control.conf").read_text()
        control, found = re.subn(r"127\.0\.0\.1:8090", f"127.0.0.1:{self.control}", control)
        assert found
        (self.folder / "rtmp-control.conf").write_text(control)
        temporary = "".join(
            f"{name}_temp_path {self.folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"{user}load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;\npid {self.folder}/nginx.pid;\n"
            f"error_log {self.folder}/error.log;\ndaemon off;\nworker_processes 1;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}include {self.folder}/rtmp-control.conf;\n}}\n"
            f"include {self.folder}/rtmp.conf;\n"
        )

    def publish(self, raw_key: str) -> "subprocess.Popen[bytes]":
        sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
        command = [ffmpeg_path(), "-nostdin", "-loglevel", "fatal", "-re", "-f", "lavfi", "-i", PICTURE, *sound]
        return spawn([*command, *H264, *AAC, "-f", "flv", f"rtmp://127.0.0.1:{self.port}/live/{raw_key}"])

    def log(self) -> str:
        names = ("package.log", "error.log")
        return "".join((self.folder / name).read_text() for name in names if (self.folder / name).exists())

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def nginx(tmp_path: Path, media_root: Path, live_server: Any, settings: Any) -> Iterator[Nginx]:
    assert shutil.which("nginx")
    settings.RTMP_SHARED_SECRET = SECRET
    settings.ALLOWED_HOSTS = ["*"]
    media_root.mkdir(parents=True, exist_ok=True)
    running = Nginx(tmp_path, live_server.url.removeprefix("http://"), media_root)
    try:
        yield running
    finally:
        running.end()


def stop(*publishers: "subprocess.Popen[bytes]") -> None:
    for publisher in publishers:
        publisher.kill()
        publisher.wait()


def test_a_stream_through_nginx_is_packaged_under_another_name_and_sent_away_with_its_key(
    nginx: Nginx, media_root: Path
) -> None:
    presenter = UserFactory.create()
    webinar = LiveWebinarFactory.create(presenters=[presenter])
    key, raw = make_key(webinar=webinar, presenter=presenter, now=timezone.now())
    wrong = nginx.publish(f"{webinar.pk}-{'x' * 32}")
    right = nginx.publish(raw)
    try:
        assert wait_until(lambda: Segment.objects.count() >= 2, seconds=PATIENCE), nginx.log()
        assert wrong.wait(PATIENCE) != 0
        assert list(StreamNotice.objects.values_list("problem", flat=True)) == ["wrong_key"]
        assert wait_until(PublishSession.objects.filter(health__video_codec="avc1").exists, seconds=PATIENCE)
        (session,) = PublishSession.objects.all()
        assert session.health["front"].startswith("nginx/")
        assert session.health["height"] == 180
        live = media_root / "videos" / str(Broadcast.objects.get().key) / "live"
        listed = live / "240p5-full.m3u8"  # written after the rows are committed
        assert wait_until(lambda: listed.exists() and len(uris(listed.read_text())) >= 2, seconds=PATIENCE)
        assert uris(listed.read_text())[:2] == ["240p5/0.ts", "240p5/1.ts"]

        revoke_key(key=key, actor=None, now=timezone.now())
        assert wait_until(lambda: right.poll() is not None, seconds=PATIENCE), nginx.log()
        assert not PublishSession.objects.filter(ended_at=None).exists()
    finally:
        stop(wrong, right)
    assert PublishSession.objects.get().ended_because == "wrong_key"
    assert raw.partition("-")[2] not in nginx.log()
    assert raw not in str(list(nginx.folder.rglob("*")))


def test_a_line_that_breaks_behind_nginx_goes_on_when_it_comes_back(nginx: Nginx) -> None:
    presenter = UserFactory.create()
    webinar = LiveWebinarFactory.create(presenters=[presenter])
    _, raw = make_key(webinar=webinar, presenter=presenter, now=timezone.now())
    first = nginx.publish(raw)
    assert wait_until(lambda: Segment.objects.count() >= 1, seconds=PATIENCE), nginx.log()
    stop(first)
    assert wait_until(lambda: not PublishSession.objects.filter(ended_at=None).exists(), seconds=PATIENCE), nginx.log()
    kept = Segment.objects.count()
    second = nginx.publish(raw)
    try:
        assert wait_until(lambda: Segment.objects.count() > kept, seconds=PATIENCE), nginx.log()
    finally:
        stop(second)
    assert wait_until(lambda: not PublishSession.objects.filter(ended_at=None).exists(), seconds=PATIENCE), nginx.log()
    numbers = Segment.objects.order_by("number").values_list("number", "publish_session__number")
    assert list(numbers) == [(place, 1 if place < kept else 2) for place in range(len(numbers))]


@pytest.mark.django_db
class TestCallbacks:
    URL = "/internal/rtmp/publish/"

    @pytest.mark.parametrize("path", ["/internal/rtmp/publish/", "/internal/rtmp/publish-done/"])
    @pytest.mark.parametrize(
        ("secret", "headers"),
        [
            ("", {}),
            ("?secret=", {}),
            ("?secret=wrong", {}),
            (f"?secret={SECRET}", {"REMOTE_ADDR": "192.0.2.7"}),
            (f"?secret={SECRET}", {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}),
            (f"?secret={SECRET}", {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}),
        ],
    )
    def test_are_for_this_machines_nginx_only(
        self, path: str, secret: str, headers: dict[str, Any], settings: Any
    ) -> None:
        settings.RTMP_SHARED_SECRET = SECRET
        presenter = UserFactory.create()
        webinar = LiveWebinarFactory.create(presenters=[presenter])
        _, raw = make_key(webinar=webinar, presenter=presenter, now=timezone.now())

        response = Client().post(path + secret, {"name": raw, "clientid": "7"}, **headers)
        assert response.status_code == 404
        assert not PublishSession.objects.exists()

    def test_do_not_exist_without_a_secret(self, settings: Any) -> None:
        settings.RTMP_SHARED_SECRET = ""
        assert Client().post(f"{self.URL}?secret=", {"name": "x"}).status_code == 404

    def test_name_a_stream_and_end_only_the_connection_they_mean(self, settings: Any) -> None:
        settings.RTMP_SHARED_SECRET = SECRET
        presenter = UserFactory.create()
        webinar = LiveWebinarFactory.create(presenters=[presenter])
        _, raw = make_key(webinar=webinar, presenter=presenter, now=timezone.now())
        done = f"/internal/rtmp/publish-done/?secret={SECRET}"
        answers = [Client().post(f"{self.URL}?secret={SECRET}", {"name": raw, "clientid": n}) for n in ("7", "8")]

        assert [one["Location"] for one in answers] == [f"w{webinar.pk}-1", f"w{webinar.pk}-2"]
        assert Client().post(done, {"name": raw, "clientid": "7"}).status_code == 204
        assert PublishSession.objects.filter(ended_at=None).count() == 1
        assert Client().post(done, {"name": raw, "clientid": "8"}).status_code == 204
        assert PublishSession.objects.filter(ended_at=None).count() == 0
        assert Client().post(f"{self.URL}?secret={SECRET}", {"name": "1-x"}).status_code == 403
