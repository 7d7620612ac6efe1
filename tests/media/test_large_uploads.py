"""Gigabytes through the real web tier: what breaks only there is sizes over 2 GiB and memory."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest

from accounts.enums import Role
from core.processes import wait_until
from media.domain.uploads import part_bytes_for
from media.enums import VideoStatus
from media.models import Video
from tests.factories.courses import RoleGrantFactory
from tests.media.large import MIB, Content, Sender, part_address, roomy_directory, web_tier
from tests.media.tools import subprocess_environment
from tests.ports import free_port
from tests.signing_in import signed_in

pytestmark = [pytest.mark.site, pytest.mark.django_db(transaction=True)]
LOCAL_BYTES = 2_200_012_345  # more than a signed number of 32 bits says
# moto is the limit: it takes 40 s for every GB, most of it for joining the parts in memory.
S3_BYTES = 256 * MIB + 12_345
MEMORY_GROWTH = 200 * MIB  # less than either: a web tier that held a whole file would be seen


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    path = roomy_directory(LOCAL_BYTES, tmp_path)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def session() -> str:
    return str(signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user).session.session_key)


def same(read: Callable[[int], bytes], content: Content) -> bool:
    """Byte by byte: to compare two checksums takes ten times as long."""
    for offset in range(0, content.size, MIB):
        wanted = content.part(offset, min(MIB, content.size - offset))
        if read(len(wanted)) != wanted:
            return False
    return read(1) == b""


def send_with_an_interruption(sender: Sender) -> dict[str, Any]:
    """Half of it, a cut in the middle of a part, what does not belong there, and the rest by what the server says."""
    upload = sender.begin()
    half = upload["parts"] // 2
    sender.send(upload, list(range(1, half + 1)))
    sender.cut_off(upload, half + 1)

    again = sender.begin()
    assert (again["id"], again["done"]) == (upload["id"], list(range(1, half + 1))), "half a part is none"
    assert sender.post(part_address(upload, upload["parts"] + 1))[0] == 400, "there is no such place"
    status, answer = sender.post(upload["complete_url"])
    assert (status, answer["missing"][0]) == (409, half + 1)
    missing = sorted(set(range(1, again["parts"] + 1)) - set(again["done"]))
    sender.send(again, missing)
    assert sorted(sender.sent) == list(range(1, upload["parts"] + 1)), "nothing was sent twice"
    return upload


def test_over_two_gibibytes_arrive_on_the_disk_in_little_memory(directory: Path, session: str, tmp_path: Path) -> None:
    content = Content(LOCAL_BYTES)
    with (
        web_tier(subprocess_environment(directory), tmp_path / "log") as web,
        closing(Sender(web, session, content)) as sender,
    ):
        before = web.peak_bytes()
        upload = send_with_an_interruption(sender)
        wrong = sender.ask("PUT", part_address(upload, upload["parts"]), b"x" * 1000)
        assert wrong[0] == 400, "a part of another size belongs elsewhere"
        assert sender.post(upload["complete_url"])[0] == 200
        growth = web.peak_bytes() - before
    assert growth < MEMORY_GROWTH
    video = Video.objects.get()
    assert (video.status, video.source_bytes) == (VideoStatus.QUEUED, LOCAL_BYTES)
    with (directory / video.source_key).open("rb") as stored:
        assert same(stored.read, content)


@pytest.fixture
def s3(directory: Path, tmp_path: Path) -> Iterator[str]:
    """moto in a process of its own: it holds a whole object in memory when it joins the parts."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = os.environ | {"TMPDIR": str(directory)}
    with (tmp_path / "moto").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            assert wait_until(lambda: is_open(port) or server.poll() is not None, seconds=90)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def s3_environment(endpoint: str, directory: Path) -> dict[str, str]:
    return subprocess_environment(directory) | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint,
        "ALLOWED_HOSTS": "127.0.0.1",
        "SITE_URL": "http://learn.example.org",
        "MEDIA_STORAGE": "s3",
        "MEDIA_BUCKET": "lectures",
        "MEDIA_GRANTS": "cloudfront",
        "MEDIA_CLOUDFRONT_DOMAIN": "media.example.org",
        "MEDIA_CLOUDFRONT_KEY_ID": "not used here",
        "MEDIA_CLOUDFRONT_PRIVATE_KEY": "not used here",
        "MEDIA_COOKIE_DOMAIN": "example.org",
    }


def test_a_quarter_of_a_gigabyte_goes_straight_to_s3_and_arrives_whole(
    s3: str, directory: Path, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Content(S3_BYTES)
    environment = s3_environment(s3, directory)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environment[name])
    bucket = boto3.resource("s3", endpoint_url=s3, region_name="eu-central-1").Bucket("lectures")
    bucket.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    with web_tier(environment, tmp_path / "log") as web, closing(Sender(web, session, content)) as sender:
        before = web.peak_bytes()
        upload = send_with_an_interruption(sender)
        assert sender.post(upload["complete_url"])[0] == 200
        growth = web.peak_bytes() - before
    assert growth < MEMORY_GROWTH
    video = Video.objects.get()
    assert (video.status, video.source_bytes) == (VideoStatus.QUEUED, S3_BYTES)
    assert [found.key for found in bucket.objects.all()] == [video.source_key]
    assert list(bucket.multipart_uploads.all()) == []
    assert same(bucket.Object(video.source_key).get()["Body"].read, content)


@pytest.mark.parametrize("gib", [1, 30, 79, 80, 200, 4096])
def test_a_file_of_any_size_keeps_within_the_limits_of_s3(gib: int) -> None:
    """10,000 parts, each of 5 MiB to 5 GiB."""
    part = part_bytes_for(gib * 2**30 + 1)
    assert -(-(gib * 2**30 + 1) // part) <= 10_000
    assert 5 * MIB <= part <= 5 * 2**30
    assert part % MIB == 0
