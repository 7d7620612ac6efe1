"""Production's way: the browser writes to S3 by signed addresses. moto on loopback speaks S3's protocol."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import settings as project
from django.test import Client
from django.utils.timezone import now
from moto.server import ThreadedMotoServer

from accounts.enums import Role
from media.domain.captions import set_caption
from media.domain.queries import sources
from media.domain.sweeping import sweep_media
from media.domain.transcoding import transcode_video
from media.domain.videos import delete_video, store_source
from media.enums import VideoStatus
from media.models import Upload, Video
from tests.factories.courses import RoleGrantFactory
from tests.media.test_uploads import begin, part_url, pieces, post, put
from tests.media.tools import Make
from tests.signing_in import signed_in

MIB = 2**20


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _host, port = moto.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    moto.stop()


@pytest.fixture
def bucket(server: str, media_root: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> Any:
    """A fresh bucket as the media storage; what boto3 sees of it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST"), timeout=30).close()
    options = {
        "bucket_name": "lectures",
        "endpoint_url": server,
        "region_name": "eu-central-1",
        "file_overwrite": True,
        "default_acl": None,
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }
    made = boto3.resource("s3", endpoint_url=server, region_name="eu-central-1").Bucket("lectures")
    made.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return made


@pytest.fixture
def staff(bucket: Any) -> Client:
    return signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)


@pytest.fixture
def content(make: Make) -> bytes:
    """Several parts: S3 wants at least 5 MiB in each but the last. The video's tail is padding, which MP4 allows."""
    video = make().read_bytes()
    padding = 11 * MIB - len(video)
    return video + padding.to_bytes(4, "big") + b"free" + bytes(padding - 8)


def keys(bucket: Any) -> set[str]:
    return {found.key for found in bucket.objects.all()}


def open_uploads(bucket: Any) -> int:
    return len(list(bucket.multipart_uploads.all()))


def send(client: Client, upload: dict[str, Any], number: int, data: bytes) -> int:
    """As the browser does: asks for the address, then puts the bytes there without any cookie of ours."""
    where = json.loads(post(client, part_url(upload, number)).content)
    assert where["size"] == len(data)
    assert where["url"].startswith("http://127.0.0.1:")
    return put_to(where["url"], data)


def put_to(url: str, data: bytes) -> int:
    """Without urllib's own content type, which says that the bytes are a form."""
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(url, data=data, method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return int(response.status)


def test_parts_go_straight_to_s3_and_an_upload_resumes(staff: Client, bucket: Any, content: bytes) -> None:
    upload = begin(staff, content)
    parts = dict(pieces(content, upload))
    assert list(map(len, parts.values())) == [8 * MIB, 3 * MIB]
    assert put(staff, upload, 1, parts[1]) == 400, "not through us"
    assert send(staff, upload, 2, parts[2]) == 200
    again = begin(staff, content)
    assert (again["id"], again["done"]) == (upload["id"], [2]), "S3 itself knows what arrived"
    assert post(staff, upload["complete_url"]).status_code == 409
    assert send(staff, upload, 1, parts[1]) == 200
    assert post(staff, upload["complete_url"]).status_code == 200
    video = Video.objects.get()
    assert (video.status, keys(bucket)) == (VideoStatus.QUEUED, {video.source_key})
    assert bucket.Object(video.source_key).get()["Body"].read() == content
    assert post(staff, upload["complete_url"]).status_code == 200, "safe to repeat"
    assert transcode_video(video_id=video.pk) is True


def test_a_part_of_the_wrong_size_does_not_count(staff: Client, bucket: Any, content: bytes) -> None:
    upload = begin(staff, content)
    parts = dict(pieces(content, upload))
    where = json.loads(post(staff, part_url(upload, 2)).content)
    assert put_to(where["url"], parts[2][:-1]) == 200
    assert send(staff, upload, 1, parts[1]) == 200
    refused = post(staff, upload["complete_url"])
    assert (refused.status_code, json.loads(refused.content)["missing"]) == (409, [2])
    assert send(staff, upload, 2, parts[2]) == 200
    assert post(staff, upload["complete_url"]).status_code == 200


def test_a_completion_whose_answer_was_lost_is_repeated_safely(staff: Client, bucket: Any, content: bytes) -> None:
    """S3 joined the parts, then we crashed before the commit."""
    upload = begin(staff, content)
    for number, data in pieces(content, upload):
        send(staff, upload, number, data)
    row = Upload.objects.get(pk=upload["id"])
    stored = bucket.meta.client.list_parts(Bucket="lectures", Key=row.storage_key, UploadId=row.direct_id)["Parts"]
    listed = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in stored]
    bucket.meta.client.complete_multipart_upload(
        Bucket="lectures", Key=row.storage_key, UploadId=row.direct_id, MultipartUpload={"Parts": listed}
    )
    assert post(staff, upload["complete_url"]).status_code == 200
    assert Video.objects.get().status == VideoStatus.QUEUED


def test_cancelled_and_abandoned_uploads_leave_no_parts_to_pay_for(staff: Client, bucket: Any, content: bytes) -> None:
    first = begin(staff, content)
    send(staff, first, 2, dict(pieces(content, first))[2])
    assert open_uploads(bucket) == 1
    assert post(staff, first["cancel_url"]).status_code == 200
    assert open_uploads(bucket) == 0
    begin(staff, content, fingerprint="another")
    sweep_media(now=now() + timedelta(days=project.MEDIA_UPLOAD_DAYS + 1))
    assert (open_uploads(bucket), keys(bucket)) == (0, set())


def test_the_pipeline_reads_from_and_publishes_to_s3(bucket: Any, make: Make) -> None:
    video = store_source(path=make(), title="Lecture", created_by=None, now=now())
    assert transcode_video(video_id=video.pk) is True
    video.refresh_from_db()
    set_caption(video=video, language="en", label="English", data=b"1\n00:00:00,000 --> 00:00:01,000\nHi\n", now=now())
    prefix = f"videos/{video.key}/{video.published_version}"
    assert {f"{prefix}/master.m3u8", f"{prefix}/240p5/00000.ts", f"{prefix}/video.mp4"} <= keys(bucket)
    segment, playlist = bucket.Object(f"{prefix}/240p5/00000.ts"), bucket.Object(f"{prefix}/master.m3u8")
    assert (segment.content_type, segment.cache_control) == ("video/mp2t", "max-age=86400, immutable")
    assert playlist.content_type == "application/vnd.apple.mpegurl"
    (caption,) = sources(video).captions
    stored = bucket.Object(caption.url.removeprefix("/media/"))
    assert stored.content_type == "text/vtt; charset=utf-8"
    assert stored.get()["Body"].read().startswith(b"WEBVTT")
    assert not list(project.MEDIA_WORK_DIR.iterdir())
    delete_video(video=video, now=now())
    sweep_media(now=now())
    assert keys(bucket) == set()


def test_removing_a_folder_spares_its_namesakes(bucket: Any) -> None:
    from media.storages import media_storage
    from media.storages.trees import delete_tree

    for key in ("videos/a/1/x.ts", "videos/a/1/b/y.ts", "videos/a/12/z.ts", "videos/a/1.mp4"):
        bucket.put_object(Key=key, Body=b"x")
    delete_tree(media_storage(), "videos/a/1")
    assert keys(bucket) == {"videos/a/12/z.ts", "videos/a/1.mp4"}
    delete_tree(media_storage(), "videos/a/1.mp4")
    delete_tree(media_storage(), "videos/absent")
    assert keys(bucket) == {"videos/a/12/z.ts"}
