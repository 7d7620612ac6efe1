"""Files that cannot become a lecture: a clear reason, the cure, and nothing half-written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from media.domain.queries import NotPublished, sources
from media.domain.sweeping import sweep_media
from media.domain.transcoding import transcode_video
from media.domain.videos import SourceRefused, store_source
from media.enums import VideoError, VideoStatus
from media.ffmpeg.probe import SourceRejected, probe
from media.models import Rendition, StoredTree, Video
from tests.media.tools import Make, files_of, run_ffmpeg_tool

Prepare = Callable[..., Video]
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"


def assert_refused(video: Video, code: VideoError, root: Path) -> None:
    assert (video.status, video.error_code, video.published_version) == (VideoStatus.FAILED, code, "")
    assert video.error_message.startswith(str(code.label))
    assert video.what_to_do
    assert not Rendition.objects.filter(video=video).exists()
    assert not [name for name in files_of(root) if name.startswith("videos/")]
    assert not list((root.parent / "work").glob("*"))
    with pytest.raises(NotPublished):
        sources(video)


@pytest.fixture
def moov_last(make: Make) -> bytes:
    return make(seconds=6).read_bytes()


def test_a_text_file_called_mp4_is_no_video(prepare: Prepare, media_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "lecture.mp4"
    path.write_text("Dear colleagues, please find the slides attached.\n" * 100)
    video = prepare(path)
    assert_refused(video, VideoError.NOT_A_VIDEO, media_root)
    assert video.source_key == ""


@pytest.mark.parametrize(
    "content",
    [
        PLAYLIST,
        CONCAT,
        b"GIF89a" + bytes(300),
        b"Good evening, colleagues" * 20,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        b"PK\x03\x04" + b"\0" * 64,
    ],
)
def test_sec_23_playlists_scripts_pictures_and_archives_are_never_opened(
    content: bytes, prepare: Prepare, media_root: Path, tmp_path: Path
) -> None:
    """A playlist called .mp4 would make ffmpeg read other files of this server."""
    path = tmp_path / "lecture.mp4"
    path.write_bytes(content)
    assert_refused(prepare(path), VideoError.NOT_A_VIDEO, media_root)


def test_sec_23_the_demuxers_for_playlists_are_closed_even_behind_a_video_signature(tmp_path: Path) -> None:
    path = tmp_path / "lecture.ts"
    path.write_bytes((b"G" + PLAYLIST).ljust(188) + b"G" + bytes(187))
    with pytest.raises(SourceRejected) as refused:
        probe(path, max_seconds=3600)
    assert refused.value.code == VideoError.UNREADABLE


def test_an_empty_file_is_refused_before_anything_is_stored(media_root: Path, db: None, tmp_path: Path) -> None:
    path = tmp_path / "lecture.mp4"
    path.touch()
    with pytest.raises(SourceRefused, match="empty"):
        store_source(path=path, title="", created_by=None, now=now())
    assert not Video.objects.exists()
    with pytest.raises(SourceRejected) as refused:
        probe(path, max_seconds=3600)
    assert refused.value.code == VideoError.EMPTY_FILE


def test_a_wrong_kind_of_file_is_refused_by_name(media_root: Path, db: None, tmp_path: Path) -> None:
    path = tmp_path / "slides.pptx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceRefused, match=r"slides\.pptx"):
        store_source(path=path, title="", created_by=None, now=now())
    assert not StoredTree.objects.exists()


def test_a_file_with_sound_only_is_told_apart(prepare: Prepare, media_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "podcast.mp4"
    run_ffmpeg_tool("-f", "lavfi", "-i", "sine=d=3", path)
    assert_refused(prepare(path), VideoError.AUDIO_ONLY, media_root)


def test_a_cover_picture_is_not_a_lecture(prepare: Prepare, make: Make, media_root: Path, tmp_path: Path) -> None:
    cover, path = tmp_path / "cover.jpg", tmp_path / "podcast.mp4"
    run_ffmpeg_tool("-i", make(), "-frames:v", "1", cover)
    run_ffmpeg_tool(
        *("-f", "lavfi", "-i", "sine=d=3", "-i", cover, "-map", "0", "-map", "1"),
        *("-c:v", "copy", "-disposition:v", "attached_pic", path),
    )
    assert_refused(prepare(path), VideoError.AUDIO_ONLY, media_root)


def test_a_file_cut_off_before_its_index_is_truncated(
    prepare: Prepare, moov_last: bytes, media_root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "lecture.mp4"
    path.write_bytes(moov_last[: len(moov_last) // 2])
    assert_refused(prepare(path), VideoError.TRUNCATED, media_root)


def test_a_file_whose_header_promises_more_than_it_holds_is_truncated(
    prepare: Prepare, make: Make, media_root: Path, tmp_path: Path
) -> None:
    """ffmpeg would end happily in the middle of the lecture."""
    whole = make("fast.mp4", seconds=12, extra=("-movflags", "+faststart"))
    path = tmp_path / "lecture.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    video = prepare(path)
    assert_refused(video, VideoError.TRUNCATED, media_root)
    assert "of 0:12 could be read" in video.error_message


def test_noise_behind_a_good_beginning_is_unreadable(prepare: Prepare, media_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "lecture.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 40)
    assert_refused(prepare(path), VideoError.UNREADABLE, media_root)


def test_an_over_long_file_says_how_long_it_may_be(make: Make) -> None:
    with pytest.raises(SourceRejected) as refused:
        probe(make(), max_seconds=5)
    assert refused.value.code == VideoError.TOO_LONG
    assert refused.value.detail == "0:06 instead of at most 0:05."


def test_half_a_second_is_too_short(prepare: Prepare, make: Make, media_root: Path) -> None:
    assert_refused(prepare(make(seconds=0.4)), VideoError.TOO_SHORT, media_root)


def test_a_source_that_vanished_is_said_to_be_gone(db: None, make: Make, media_root: Path) -> None:
    video = store_source(path=make(), title="Lecture", created_by=None, now=now())
    (media_root / video.source_key).unlink()
    assert transcode_video(video_id=video.pk) is False
    video.refresh_from_db()
    assert_refused(video, VideoError.SOURCE_MISSING, media_root)


def test_a_bad_replacement_leaves_the_published_version_alone(
    prepare: Prepare, make: Make, media_root: Path, tmp_path: Path
) -> None:
    from media.domain.videos import accept_source, note_tree, source_key_for
    from media.storages import media_storage
    from media.storages.trees import store_file

    video = prepare(make())
    before = sources(video)
    bad = tmp_path / "lecture.mp4"
    bad.write_bytes(make("fast.mp4", seconds=12, extra=("-movflags", "+faststart")).read_bytes()[:5000])
    key = source_key_for(video, bad.name)
    note_tree(prefix=key, video=video, now=now())
    store_file(media_storage(), bad, key)
    accept_source(video_id=video.pk, name=bad.name, key=key, size=5000, now=now())
    transcode_video(video_id=video.pk)
    video.refresh_from_db()
    assert video.status == VideoStatus.FAILED
    assert sources(video) == before
    assert (media_root / "videos" / str(video.key) / video.published_version / "master.m3u8").is_file()
    sweep_media(now=now())
    assert [name for name in files_of(media_root) if name.startswith("sources/")] == [key]


def test_the_command_ends_with_the_reason_and_the_cure(db: None, media_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "lecture.mp4"
    path.write_text("no video")
    with pytest.raises(CommandError, match=r"not a video\. Choose the video itself"):
        call_command("add_video", path)
    with pytest.raises(CommandError, match="There is no file"):
        call_command("add_video", tmp_path / "absent.mp4")


def test_the_command_stores_and_prepares(
    db: None, make: Make, media_root: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    call_command("add_video", make(), "--title", "Ovarian reserve", "--now")
    video = Video.objects.get()
    assert (video.title, video.status, video.source_name) == ("Ovarian reserve", VideoStatus.READY, "lecture.mp4")
    assert capsys.readouterr().out == f"{video.pk} {video.key} Ready\n"
