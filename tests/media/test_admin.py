"""The video library: what staff see, who sees which videos, and that every write goes through the domain."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.models import RoleGrant
from media import rules
from media.domain.transcoding import transcode_video
from media.domain.videos import store_source
from media.enums import Stage, VideoError, VideoStatus
from media.models import Caption, StoredTree, Video
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, LessonFactory, RoleGrantFactory
from tests.factories.media import VideoFactory
from tests.factories.webinars import WebinarFactory
from tests.media.tools import Make
from tests.signing_in import signed_in

LIST = "/admin/media/video/"
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nGood evening\n"


@pytest.fixture
def operator(db: None, media_root: Path) -> User:
    return RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user


@pytest.fixture
def staff(operator: User) -> Client:
    return signed_in(operator)


@pytest.fixture
def failed(db: None) -> Video:
    return VideoFactory.create(
        status=VideoStatus.FAILED,
        error_code=VideoError.TRUNCATED,
        error_message="The end of the file is missing. 0:30 of 1:00 could be read.",
        source_key="sources/a/b.mp4",
        source_name="b.mp4",
        source_bytes=10,
    )


def transcoding(**changes: Any) -> Video:
    made: Video = VideoFactory.create(status=VideoStatus.EMPTY, **changes)
    Video.objects.filter(pk=made.pk).update(
        status=VideoStatus.TRANSCODING,
        worker="w",
        lease_until=now(),
        queued_at=now(),
        source_key="sources/x",
        source_bytes=1,
        progress_percent=42,
        stage=Stage.PICTURE,
    )
    return made


def change(video: Video) -> str:
    return f"{LIST}{video.pk}/change/"


def caption_rows(*rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {"captions-TOTAL_FORMS": initial + len(rows), "captions-INITIAL_FORMS": initial}
    for number, row in enumerate(rows, start=initial):
        data |= {f"captions-{number}-{name}": value for name, value in row.items()}
    return data


def test_the_list_tells_the_state_of_every_video(staff: Client, failed: Video) -> None:
    VideoFactory.create(title="Ready lecture", duration_seconds=3725.0)
    moving = transcoding(title="Moving lecture")
    text = staff.get(LIST).content.decode()
    assert "1:02:05" in text
    assert "The end of the file is missing." in text
    assert f'data-video="{moving.pk}" data-busy' in text
    assert "42 % · Preparing the picture qualities" in text
    assert text.count("data-busy") == 1
    assert f'data-status-url="{LIST}status/"' in text


def test_the_list_costs_the_same_with_one_and_with_three_videos(staff: Client, operator: User) -> None:
    counts = []
    for _ in range(2):
        VideoFactory.create(created_by=operator)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert staff.get(LIST).status_code == 200
        counts.append(len(queries))
        VideoFactory.create(created_by=UserFactory.create())
    assert counts[0] == counts[1]


def test_the_bars_ask_for_what_they_show_in_one_query(staff: Client, failed: Video) -> None:
    moving = transcoding()
    found = json.loads(staff.get(f"{LIST}status/?ids={moving.pk},{failed.pk},999999,x,-1").content)["videos"]
    assert [(one["id"], one["status"], one["percent"], one["busy"]) for one in found] == [
        (failed.pk, "failed", 0, False),
        (moving.pk, "transcoding", 42, True),
    ]
    assert found[0]["what_to_do"].startswith("The recording, export or copy was probably cut off.")
    assert json.loads(staff.get(f"{LIST}status/").content) == {"videos": []}


def test_the_page_of_a_failed_video_says_what_to_do(staff: Client, failed: Video) -> None:
    text = staff.get(change(failed)).content.decode()
    assert "0:30 of 1:00 could be read." in text
    assert "Export it again and upload the new file." in text
    assert f'data-retry="{LIST}{failed.pk}/retry/"' in text


def test_trying_again_queues_once(staff: Client, failed: Video) -> None:
    first, second = staff.post(f"{LIST}{failed.pk}/retry/"), staff.post(f"{LIST}{failed.pk}/retry/")
    assert (first.status_code, json.loads(first.content)["status"], second.status_code) == (200, "queued", 409)
    assert staff.get(f"{LIST}{failed.pk}/retry/").status_code == 405


def test_adding_a_video_begins_with_its_file(staff: Client) -> None:
    response = staff.get(f"{LIST}add/")
    assert (response.status_code, response["Location"]) == (302, f"{LIST}upload/")
    text = staff.get(f"{LIST}upload/").content.decode()
    assert 'data-begin="/admin/media/video/uploads/"' in text
    assert '<script type="module" src="/static/js/upload.js">' in text
    assert "style=" not in text.split('<section class="up"')[1].split("</section>")[0]


def test_the_upload_page_for_a_replacement_names_the_video(staff: Client, failed: Video) -> None:
    text = staff.get(f"{LIST}upload/?video={failed.pk}").content.decode()
    assert f"replaces the one of “{failed.title}”" in text
    assert staff.get(f"{LIST}upload/?video=999999").status_code == 404


def test_captions_are_added_and_removed_on_the_videos_page(staff: Client, media_root: Path) -> None:
    video = VideoFactory.create()
    rows = (
        {"language": "fr", "label": "", "file": SimpleUploadedFile("fr.vtt", VTT)},
        {"language": "en", "label": "English (edited)", "file": SimpleUploadedFile("en.srt", VTT)},
    )
    assert staff.post(change(video), {"title": "New title", **caption_rows(*rows)}).status_code == 302
    video.refresh_from_db()
    made = list(Caption.objects.filter(video=video).order_by("language"))
    assert video.title == "New title"
    assert [(c.language, c.label, c.cues) for c in made] == [("en", "English (edited)", 1), ("fr", "Français", 1)]
    assert all((media_root / "videos" / str(video.key) / c.path).is_file() for c in made)
    gone = {"captions-0-id": made[0].pk, "captions-0-video": video.pk, "captions-0-DELETE": "on"}
    kept = {"captions-1-id": made[1].pk, "captions-1-video": video.pk}
    staff.post(change(video), {"title": "New title", **caption_rows(initial=2), **gone, **kept})
    assert [c.language for c in Caption.objects.filter(video=video)] == ["fr"]


def test_a_bad_caption_file_is_explained_beside_its_field(staff: Client) -> None:
    video = VideoFactory.create(title="Old title")
    row = {"language": "en", "label": "", "file": SimpleUploadedFile("en.vtt", b"%PDF-1.7 no captions")}
    response = staff.post(change(video), {"title": "New title", **caption_rows(row)})
    assert response.status_code == 200
    assert "No captions were found in the file." in response.content.decode()
    video.refresh_from_db()
    assert (video.title, Caption.objects.count(), StoredTree.objects.count()) == ("Old title", 0, 0)


def test_saving_the_title_does_not_touch_a_running_job(staff: Client) -> None:
    moving = transcoding()
    staff.post(change(moving), {"title": "Renamed", **caption_rows()})
    moving.refresh_from_db()
    assert (moving.title, moving.worker, moving.progress_percent) == ("Renamed", "w", 42)


def test_deleting_removes_the_rows_and_marks_the_files(
    staff: Client, prepare: Callable[..., Video], make: Make
) -> None:
    video = prepare(make())
    keep = VideoFactory.create()
    assert staff.post(f"{LIST}{video.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Video.objects.all()) == [keep]
    told = AuditEvent.objects.filter(action__startswith="video.").values_list("action", "subject_id")
    assert list(told) == [("video.deleted", str(video.pk))]
    assert StoredTree.objects.filter(remove_after=None).count() == 0
    bulk = {"action": "delete_selected", "_selected_action": [keep.pk], "post": "yes"}
    staff.post(LIST, bulk)
    assert not Video.objects.exists()


def test_the_preview_grants_staff_the_files_for_some_minutes(staff: Client, operator: User, make: Make) -> None:
    video = store_source(path=make(), title="Lecture", created_by=operator, now=now())
    transcode_video(video_id=video.pk)
    video.refresh_from_db()
    master = f"/media/videos/{video.key}/{video.published_version}/master.m3u8"
    assert staff.get(master).status_code == 403
    page = staff.get(f"{LIST}{video.pk}/preview/")
    assert f'data-hls="{master}"' in page.content.decode()
    assert "240p15" in page.content.decode()
    seen = [(one.action, one.actor, one.subject_id) for one in AuditEvent.objects.filter(action__startswith="video.")]
    assert seen == [("video.previewed", operator, str(video.pk))]
    response = staff.get(master)
    assert b"".join(response.streaming_content).startswith(b"#EXTM3U")  # type: ignore[attr-defined]
    unfinished = VideoFactory.create(status=VideoStatus.EMPTY)
    assert "nothing to watch yet" in staff.get(f"{LIST}{unfinished.pk}/preview/").content.decode()


def test_sec_19_moderators_do_not_see_what_others_uploaded_elsewhere(db: None, media_root: Path) -> None:
    moderator = RoleGrantFactory.create(role=Role.MODERATOR).user
    client = signed_in(moderator)
    mine, foreign = VideoFactory.create(created_by=moderator), VideoFactory.create(title="Secret lecture")
    text = client.get(LIST).content.decode()
    assert mine.title in text
    assert "Secret lecture" not in text
    found = json.loads(client.get(f"{LIST}status/?ids={mine.pk},{foreign.pk}").content)["videos"]
    assert [one["id"] for one in found] == [mine.pk]
    assert client.get(f"{LIST}{mine.pk}/preview/").status_code == 200
    assert client.get(f"{LIST}{foreign.pk}/preview/").status_code == 404
    assert client.get(f"{LIST}upload/?video={foreign.pk}").status_code == 404
    assert client.post(f"{LIST}{foreign.pk}/retry/").status_code == 404
    asked = {"name": "a.mp4", "size": 1, "fingerprint": "x", "video": foreign.pk}
    assert client.post(f"{LIST}uploads/", json.dumps(asked), content_type="application/json").status_code == 404
    assert client.get(change(foreign)).status_code in {302, 404}
    assert client.post(f"{LIST}{mine.pk}/delete/", {"post": "yes"}).status_code == 403


def seen_by(client: Client) -> set[int]:
    return {video.pk for video in client.get(LIST).context["cl"].queryset}


def test_sec_19_moderators_of_a_programme_stand_in_for_each_other(db: None, media_root: Path) -> None:
    grant = RoleGrantFactory.create(role=Role.MODERATOR)
    client, colleague = signed_in(grant.user), RoleGrantFactory.create(programme=grant.programme).user
    failed = {"error_code": VideoError.TRUNCATED, "error_message": "Cut off.", "source_key": "s/a", "source_bytes": 1}
    mine, shared, broken, unused, foreign = (
        VideoFactory.create(created_by=grant.user),
        VideoFactory.create(created_by=colleague),
        VideoFactory.create(created_by=colleague, status=VideoStatus.FAILED, **failed),
        VideoFactory.create(created_by=colleague),
        VideoFactory.create(created_by=colleague, status=VideoStatus.FAILED, **failed),
    )
    lessons = LessonFactory.create_batch(4, course=CourseFactory.create(programme=grant.programme))
    for lesson, video in zip(lessons, (shared, shared, broken, None), strict=True):
        WebinarFactory.create(lesson=lesson, video=video)
    WebinarFactory.create(video=shared)
    WebinarFactory.create(video=foreign)
    assert seen_by(client) == {mine.pk, shared.pk, broken.pk}
    asked = ",".join(str(video.pk) for video in (mine, shared, broken, unused, foreign))
    found = json.loads(client.get(f"{LIST}status/?ids={asked}").content)["videos"]
    assert {one["id"] for one in found} == {mine.pk, shared.pk, broken.pk}
    assert client.get(f"{LIST}{shared.pk}/preview/").status_code == 200
    assert client.get(f"{LIST}upload/?video={shared.pk}").status_code == 200
    assert client.get(change(shared)).status_code == 200
    assert client.post(f"{LIST}{broken.pk}/retry/").status_code == 200
    assert client.post(f"{LIST}{shared.pk}/delete/", {"post": "yes"}).status_code == 403
    for video in (unused, foreign):
        assert client.get(f"{LIST}{video.pk}/preview/").status_code == 404
        assert client.get(f"{LIST}upload/?video={video.pk}").status_code == 404
        assert client.post(f"{LIST}{video.pk}/retry/").status_code == 404
    RoleGrant.objects.filter(pk=grant.pk).update(role=Role.PRESENTER)
    assert set(rules.videos_for(User.objects.get(pk=grant.user_id))) <= {mine}


def test_sec_19_a_role_that_is_no_staff_shares_no_videos(db: None) -> None:
    """A presenter in one programme and a moderator in another see the videos of the other only."""
    grant = RoleGrantFactory.create(role=Role.MODERATOR)
    spoken = RoleGrantFactory.create(user=grant.user, role=Role.PRESENTER)
    WebinarFactory.create(lesson__course__programme=spoken.programme)
    here = WebinarFactory.create(lesson__course__programme=grant.programme)
    assert set(rules.videos_for(User.objects.get(pk=grant.user_id))) == {here.video}


@pytest.mark.parametrize("role", [None, Role.PRESENTER])
def test_doctors_and_presenters_find_no_library(role: str | None, db: None, media_root: Path) -> None:
    user = RoleGrantFactory.create(role=role).user if role else UserFactory.create()
    client, video = signed_in(user), VideoFactory.create()
    pages = [LIST, f"{LIST}upload/", f"{LIST}status/", f"{LIST}{video.pk}/preview/", change(video)]
    assert {client.get(page).status_code for page in pages} <= {302, 403}
    assert not [page for page in pages if video.title in client.get(page, follow=True).content.decode()]
