"""The upload protocol through our own addresses: parts in any order, again, after a reload; and what is refused."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as project
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from media.domain.sweeping import sweep_media
from media.domain.transcoding import transcode_video
from media.domain.uploads import receive_part
from media.enums import UploadStatus, VideoError, VideoStatus
from media.models import StoredTree, Upload, UploadPart, Video
from media.storages.parts import PartRejected
from tests.factories.accounts import UserFactory
from tests.factories.courses import RoleGrantFactory
from tests.media.tools import Make, files_of
from tests.signing_in import signed_in

BEGIN = "/admin/media/video/uploads/"
PART = 64 * 1024


def operator() -> User:
    return RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user


@pytest.fixture
def staff(db: None, media_root: Path) -> Client:
    return signed_in(operator())


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real parts are megabytes; the arithmetic is the same."""
    from media.domain import uploads

    monkeypatch.setattr(uploads, "MIB", PART // 8)


@pytest.fixture
def content(make: Make) -> bytes:
    data = make("upload.mp4", size="640x360", seconds=6).read_bytes()
    assert len(data) > 4 * PART
    return data


def post(client: Client, url: str, body: object = None) -> Any:
    return client.post(url, json.dumps(body or {}), content_type="application/json")


def begin(client: Client, content: bytes, **changes: Any) -> dict[str, Any]:
    asked = {"name": "lecture.mp4", "size": len(content), "fingerprint": "lecture.mp4|1|2", **changes}
    response = post(client, BEGIN, asked)
    assert response.status_code == 200, response.content
    return dict(json.loads(response.content))


def part_url(upload: dict[str, Any], number: int) -> str:
    return f"{BEGIN}{upload['id']}/parts/{number}/"


def pieces(content: bytes, upload: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
    size = upload["part_bytes"]
    for number in range(1, upload["parts"] + 1):
        yield number, content[(number - 1) * size : number * size]


def put(client: Client, upload: dict[str, Any], number: int, data: bytes) -> int:
    return client.put(part_url(upload, number), data, content_type="application/octet-stream").status_code


@pytest.mark.usefixtures("small_parts")
def test_parts_in_any_order_become_the_same_file(staff: Client, content: bytes, media_root: Path) -> None:
    upload = begin(staff, content, title="Ovarian reserve")
    assert (upload["parts"], upload["done"], upload["part_bytes"]) == (-(-len(content) // PART), [], PART)
    for number, data in reversed(list(pieces(content, upload))):
        where = json.loads(post(staff, part_url(upload, number)).content)
        assert where == {"url": "", "size": len(data)}
        assert put(staff, upload, number, data) == 200
    finished = post(staff, upload["complete_url"])
    video = Video.objects.get()
    assert json.loads(finished.content) == {"video": video.pk, "url": f"/admin/media/video/{video.pk}/change/"}
    assert (video.title, video.status, video.source_bytes) == ("Ovarian reserve", VideoStatus.QUEUED, len(content))
    assert (media_root / video.source_key).read_bytes() == content
    assert files_of(media_root) == {video.source_key}
    assert transcode_video(video_id=video.pk) is True


@pytest.mark.usefixtures("small_parts")
def test_choosing_the_same_file_again_goes_on_where_it_stopped(staff: Client, content: bytes) -> None:
    upload = begin(staff, content)
    parts = dict(pieces(content, upload))
    assert [put(staff, upload, number, parts[number]) for number in (1, 3)] == [200, 200]
    again = begin(staff, content)
    assert (again["id"], again["done"]) == (upload["id"], [1, 3])
    early = post(staff, upload["complete_url"])
    assert early.status_code == 409
    assert json.loads(early.content)["missing"] == [n for n in parts if n not in {1, 3}]
    assert begin(staff, content, fingerprint="another file")["id"] != upload["id"]
    assert Video.objects.count() == 2


@pytest.mark.usefixtures("small_parts")
def test_a_part_sent_twice_counts_once(staff: Client, content: bytes, media_root: Path) -> None:
    upload = begin(staff, content)
    for number, data in pieces(content, upload):
        assert put(staff, upload, number, data) == 200
        assert put(staff, upload, number, bytes(len(data))) == 200, "answered as done, not written over"
    assert UploadPart.objects.count() == upload["parts"]
    first, second = post(staff, upload["complete_url"]), post(staff, upload["complete_url"])
    assert first.content == second.content
    assert (media_root / Video.objects.get().source_key).read_bytes() == content
    assert put(staff, upload, 1, content[:PART]) == 409, "a late part cannot change a finished file"
    assert (media_root / Video.objects.get().source_key).read_bytes() == content


@pytest.mark.usefixtures("small_parts")
def test_parts_of_the_wrong_size_or_number_are_refused(staff: Client, content: bytes) -> None:
    upload = begin(staff, content)
    last = upload["parts"]
    wrong = [(1, content[: PART - 1]), (1, content[: PART + 1]), (1, b""), (last, content[:PART]), (0, b"x")]
    wrong += [(last + 1, b"x"), (10**9, b"x")]
    assert {put(staff, upload, number, data) for number, data in wrong} == {400}
    assert not UploadPart.objects.exists()
    assert post(staff, part_url(upload, last + 1)).status_code == 400


def test_a_part_that_ends_early_is_not_recorded(staff: Client, content: bytes) -> None:
    upload = Upload.objects.get(pk=begin(staff, content)["id"])
    with pytest.raises(PartRejected, match="10 bytes are missing"):
        receive_part(upload=upload, number=1, size=len(content), read=BytesIO(content[:-10]).read, now=now())
    assert not UploadPart.objects.exists()


def test_memory_does_not_grow_with_the_part(staff: Client, media_root: Path, db: None) -> None:
    from media.storages import media_storage
    from media.storages.parts import part_store

    asked: list[int] = []

    def read(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    store = part_store(media_storage())
    store.begin("sources/x/y.mp4")
    store.write("sources/x/y.mp4", offset=5, size=5_000_000, read=read)
    assert max(asked) <= 256 * 1024
    assert (media_root / "sources/x/y.mp4").stat().st_size == 5_000_005


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "slides.pptx"}, "not a video file"),
        ({"name": "lecture.mp4.exe"}, "not a video file"),
        ({"size": 0}, "empty"),
        ({"size": -1}, "size"),
        ({"size": 31 * 2**30}, "larger than 30 GB"),
        ({"size": "many"}, "size"),
        ({"name": ""}, "name"),
        ({"name": "x" * 300 + ".mp4"}, "name"),
        ({"fingerprint": "x" * 201}, "fingerprint"),
        ({"title": "x" * 201}, "title"),
    ],
)
def test_sec_23_what_is_wrong_with_a_file_is_said_before_it_is_sent(
    changes: dict[str, Any], message: str, staff: Client, media_root: Path
) -> None:
    asked = {"name": "lecture.mp4", "size": 10, "fingerprint": "x", **changes}
    response = post(staff, BEGIN, asked)
    assert response.status_code == 400
    assert message in json.loads(response.content)["error"]
    assert not Video.objects.exists()
    assert files_of(media_root) == set()


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '"x"', "x" * 20_000])
def test_a_beginning_that_is_no_json_object_is_refused(body: str, staff: Client) -> None:
    assert staff.post(BEGIN, body, content_type="application/json").status_code == 400


def test_sec_23_the_stored_name_is_ours(staff: Client, content: bytes) -> None:
    begin(staff, content, name="../../../etc/cron.d/évil name.MP4")
    upload = Upload.objects.get()
    assert upload.storage_key.startswith(f"sources/{upload.video.key}/")
    assert upload.storage_key.removeprefix(f"sources/{upload.video.key}/")[32:] == ".mp4"


def test_a_text_file_with_a_video_name_fails_at_once(staff: Client, media_root: Path) -> None:
    text = b"Dear colleagues, " * 100
    upload = begin(staff, text)
    assert put(staff, upload, 1, text) == 200
    assert post(staff, upload["complete_url"]).status_code == 200
    video = Video.objects.get()
    assert (video.status, video.error_code) == (VideoStatus.FAILED, VideoError.NOT_A_VIDEO)
    sweep_media(now=now())
    assert files_of(media_root) == set()


def test_sec_19_somebody_elses_upload_is_not_there(staff: Client, content: bytes) -> None:
    upload = begin(staff, content)
    other = signed_in(operator())
    unknown = {**upload, "id": str(uuid4())}
    for one in (upload, unknown):
        assert put(other, one, 1, content) == 404
        assert post(other, part_url(one, 1)).status_code == 404
        assert other.get(f"{BEGIN}{one['id']}/").status_code == 404
        assert {post(other, f"{BEGIN}{one['id']}/{end}/").status_code for end in ("complete", "cancel")} == {404}
    assert begin(other, content)["id"] != upload["id"], "the same file of another person is another upload"
    assert Upload.objects.get(pk=upload["id"]).status == UploadStatus.OPEN


def test_sec_19_only_staff_who_work_on_videos_may_upload(db: None, media_root: Path) -> None:
    presenter = RoleGrantFactory.create(role=Role.PRESENTER).user
    moderator = RoleGrantFactory.create(role=Role.MODERATOR).user
    nobody_in_particular = UserFactory.create(is_staff=True)
    asked = {"name": "lecture.mp4", "size": 10, "fingerprint": "x"}
    answers = {
        "anonymous": post(Client(), BEGIN, asked).status_code,
        "doctor": post(signed_in(UserFactory.create()), BEGIN, asked).status_code,
        "presenter": post(signed_in(presenter), BEGIN, asked).status_code,
        "staff without a role": post(signed_in(nobody_in_particular), BEGIN, asked).status_code,
        "without second step": post(signed_in(moderator, second_step=False), BEGIN, asked).status_code,
        "moderator": post(signed_in(moderator), BEGIN, asked).status_code,
    }
    assert answers.pop("moderator") == 200
    assert set(answers.values()) <= {302, 403}
    assert Upload.objects.count() == 1


def test_sec_21_every_unsafe_step_needs_the_csrf_token(media_root: Path, db: None, content: bytes) -> None:
    client = signed_in(operator(), enforce_csrf_checks=True)
    assert post(client, BEGIN, {"name": "a.mp4", "size": 1, "fingerprint": "x"}).status_code == 403
    plain = signed_in(operator())
    upload = begin(plain, content)
    assert put(client, upload, 1, content) == 403


def test_cancelling_removes_what_was_sent(staff: Client, content: bytes, media_root: Path) -> None:
    upload = begin(staff, content)
    assert put(staff, upload, 1, content) == 200
    assert post(staff, upload["cancel_url"]).status_code == 200
    sweep_media(now=now())
    assert files_of(media_root) == set()
    assert Video.objects.get().status == VideoStatus.EMPTY
    assert put(staff, upload, 1, content) == 409
    assert {post(staff, upload[f"{end}_url"]).status_code for end in ("complete", "cancel")} == {409}


def test_an_abandoned_upload_is_swept(staff: Client, content: bytes, media_root: Path) -> None:
    upload = begin(staff, content)
    put(staff, upload, 1, content)
    assert sweep_media(now=now() + timedelta(days=project.MEDIA_UPLOAD_DAYS - 1)).expired_uploads == 0
    assert sweep_media(now=now() + timedelta(days=project.MEDIA_UPLOAD_DAYS + 1)).expired_uploads == 1
    assert Upload.objects.get().status == UploadStatus.EXPIRED
    assert files_of(media_root) == set()
    assert not StoredTree.objects.exists()
    assert begin(staff, content)["id"] != upload["id"]


def test_replacing_a_file_keeps_the_video_watchable(staff: Client, content: bytes, media_root: Path) -> None:
    upload = begin(staff, content)
    put(staff, upload, 1, content)
    post(staff, upload["complete_url"])
    video = Video.objects.get()
    transcode_video(video_id=video.pk)
    video.refresh_from_db()
    first = (video.published_version, video.source_key)
    new = begin(staff, content, fingerprint="second take", video=video.pk)
    video.refresh_from_db()
    assert (video.status, video.is_published) == (VideoStatus.UPLOADING, True)
    third = {"name": "b.mp4", "size": 5, "fingerprint": "third", "video": video.pk}
    assert "still open" in json.loads(post(signed_in(operator()), BEGIN, third).content)["error"]
    put(staff, new, 1, content)
    post(staff, new["complete_url"])
    transcode_video(video_id=video.pk)
    video.refresh_from_db()
    assert video.status == VideoStatus.READY
    assert video.published_version != first[0]
    sweep_media(now=now())
    assert [name for name in files_of(media_root) if name.startswith("sources/")] == [video.source_key]


@pytest.mark.parametrize(
    "wrong",
    [{"number": 0}, {"number": 10_001}, {"size_bytes": 0}, {"number": 1}],
    ids=["zero", "beyond", "empty", "twice"],
)
def test_the_database_refuses_impossible_parts(wrong: dict[str, Any], staff: Client, content: bytes) -> None:
    upload = Upload.objects.get(pk=begin(staff, content)["id"])
    UploadPart.objects.create(upload=upload, number=1, size_bytes=1, checksum="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        UploadPart.objects.create(**{"upload": upload, "number": 2, "size_bytes": 1, "checksum": "x", **wrong})
