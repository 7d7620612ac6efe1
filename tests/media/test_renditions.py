"""What the pipeline makes of good sources, looked at frame by frame."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from django.conf import settings
from django.test import override_settings
from django.utils.timezone import now

from media.domain.queries import sources
from media.domain.transcoding import transcode_video
from media.domain.videos import store_source
from media.enums import RenditionKind, VideoStatus
from media.models import StoredTree, Video
from tests.media.tools import Make, files_of, run_ffmpeg_tool

STREAM = re.compile(r"#EXT-X-STREAM-INF:(.+)\n(.+)\n")
Prepare = Callable[..., Video]


def version_folder(video: Video, root: Path) -> Path:
    return root / "videos" / str(video.key) / video.published_version


def master_of(folder: Path) -> list[tuple[dict[str, str], str]]:
    text = (folder / "master.m3u8").read_text()
    parse = re.compile(r'([A-Z-]+)=("[^"]*"|[^,]*)')
    return [({k: v.strip('"') for k, v in parse.findall(facts)}, uri) for facts, uri in STREAM.findall(text)]


def segments_of(playlist: Path) -> list[tuple[float, Path]]:
    text = playlist.read_text()
    assert text.endswith("#EXT-X-ENDLIST\n")
    found = re.findall(r"#EXTINF:([\d.]+),\n(.+)", text)
    return [(float(seconds), playlist.parent / uri) for seconds, uri in found]


def times(path: Path, kind: str, *, keyframes: bool = False) -> list[float]:
    with av.open(str(path)) as container:
        return sorted(
            round(float(packet.pts * packet.time_base), 3)
            for packet in container.demux(**{kind: 0})
            if packet.pts is not None and packet.time_base and (packet.is_keyframe or not keyframes)
        )


@pytest.fixture(scope="module")
def hd_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hd")


@pytest.fixture(scope="module")
def hd_made(hd_root: Path, make: Make, django_db_setup: None, django_db_blocker: Any) -> Iterator[Video]:
    """Transcoded once for all tests that only look at it; committed, so its rows are removed at the end."""
    work = {"MEDIA_ROOT": hd_root / "media", "MEDIA_WORK_DIR": hd_root / "work"}
    backend = "django.core.files.storage.FileSystemStorage"
    there = {"BACKEND": backend, "OPTIONS": {"location": str(hd_root / "media")}}
    with django_db_blocker.unblock(), override_settings(STORAGES={**settings.STORAGES, "media": there}, **work):
        path = make(size="1280x720", rate="30", seconds=6)
        video = store_source(path=path, title="Lecture", created_by=None, now=now())
        transcode_video(video_id=video.pk)
        yield video
        StoredTree.objects.filter(video=video).delete()
        video.delete()


@pytest.fixture
def hd(hd_made: Video, db: None) -> Video:
    return Video.objects.get(pk=hd_made.pk)


@pytest.fixture
def root(hd_root: Path) -> Path:
    return hd_root / "media"


def test_the_master_playlist_tells_what_the_segments_hold(hd: Video, root: Path) -> None:
    folder = version_folder(hd, root)
    entries = master_of(folder)
    assert [uri for _, uri in entries] == [
        "240p5/index.m3u8",
        "240p15/index.m3u8",
        "360p/index.m3u8",
        "480p/index.m3u8",
        "720p/index.m3u8",
        "audio/index.m3u8",
    ]
    rates = [int(facts["BANDWIDTH"]) for facts, _ in entries[:-1]]
    assert rates == sorted(rates), "players start with the first entry: it must be the lightest"
    for facts, uri in entries:
        segments = segments_of(folder / uri)
        measured = [8 * path.stat().st_size / seconds for seconds, path in segments if seconds >= 1]
        total, length = sum(p.stat().st_size for _, p in segments), sum(s for s, _ in segments)
        assert int(facts["BANDWIDTH"]) >= max(measured)
        assert int(facts["BANDWIDTH"]) <= max(measured) + 1
        assert abs(int(facts["AVERAGE-BANDWIDTH"]) - 8 * total / length) <= 1
        assert facts["CODECS"].endswith("mp4a.40.2")
        if "RESOLUTION" not in facts:
            assert (uri, facts["CODECS"]) == ("audio/index.m3u8", "mp4a.40.2")
            continue
        with av.open(str(segments[0][1])) as container:
            context = container.streams.video[0].codec_context
            assert facts["RESOLUTION"] == f"{context.width}x{context.height}"
            frames = sum(1 for packet in container.demux(video=0) if packet.size)
        assert float(facts["FRAME-RATE"]) == pytest.approx(frames / segments[0][0], abs=0.3)


def test_the_codec_string_is_the_one_the_encoder_wrote(hd: Video, root: Path) -> None:
    for facts, uri in master_of(version_folder(hd, root))[:-1]:
        segment = segments_of(version_folder(hd, root) / uri)[0][1]
        with av.open(str(segment)) as container:
            context = container.streams.video[0].codec_context
            level = bytes.fromhex(facts["CODECS"].split(",")[0].removeprefix("avc1."))[2]
            assert context.profile == "Main"
            assert 10 <= level <= 40
            assert facts["CODECS"].startswith("avc1.4d40")


def test_keyframes_and_segments_of_all_rungs_meet(hd: Video, root: Path) -> None:
    """Otherwise a switch of quality jumps or stutters."""
    folder = version_folder(hd, root)
    playlists = [folder / uri for _, uri in master_of(folder)[:-1]]
    lengths = [[seconds for seconds, _ in segments_of(playlist)] for playlist in playlists]
    assert lengths == [[4.0, 2.0]] * 5
    keyframes = [[times(path, "video", keyframes=True) for _, path in segments_of(p)] for p in playlists]
    assert keyframes[0] == [[2.4, 4.4], [6.4]]
    assert all(one == keyframes[0] for one in keyframes)


def test_every_segment_can_be_played_alone(hd: Video, root: Path) -> None:
    folder = version_folder(hd, root)
    for _, uri in master_of(folder)[:-1]:
        for _, path in segments_of(folder / uri):
            with av.open(str(path)) as container:
                assert next(iter(container.decode(video=0))).width > 0
                assert container.streams.audio[0].codec_context.name.startswith("aac")


def test_the_audio_only_variant_has_sound_and_nothing_else(hd: Video, root: Path) -> None:
    folder = version_folder(hd, root)
    segments = segments_of(folder / "audio/index.m3u8")
    assert sum(seconds for seconds, _ in segments) == pytest.approx(6, abs=0.1)
    with av.open(str(segments[0][1])) as container:
        assert (len(container.streams.video), len(container.streams.audio)) == (0, 1)
        assert next(iter(container.decode(audio=0))).samples > 0
    rendition = hd.renditions.get(kind=RenditionKind.AUDIO)
    assert rendition.bandwidth_peak is not None
    assert rendition.bandwidth_peak < 48_000


def test_the_mp4_starts_at_once_and_has_picture_and_sound(hd: Video, root: Path) -> None:
    path = version_folder(hd, root) / "video.mp4"
    head = path.read_bytes()[:4096]
    assert 0 < head.find(b"moov") < (head.find(b"mdat") if b"mdat" in head else 4096), "the index comes first"
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.height == 360
        assert float(container.duration or 0) / 1_000_000 == pytest.approx(6, abs=0.1)
        assert len(container.streams.audio) == 1


def picture(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(iter(container.decode(video=0)))


def brightness(frame: av.VideoFrame, left: int, top: int, width: int, height: int) -> float:
    plane = frame.planes[0]
    data = bytes(plane)
    rows = (data[y * plane.line_size + left : y * plane.line_size + left + width] for y in range(top, top + height))
    return sum(sum(row) for row in rows) / (width * height)


def test_poster_and_sprite_are_pictures_of_the_right_size(hd: Video, root: Path) -> None:
    folder = version_folder(hd, root)
    poster, sheet = picture(folder / "poster.jpg"), picture(folder / "sprite-001.jpg")
    assert (poster.width, poster.height) == (1280, 720)
    assert (sheet.width, sheet.height) == (1600, 900)
    assert (folder / "sprite.vtt").read_text().count("-->") == 3
    tiles = [brightness(sheet, 160 * n, 0, 160, 90) for n in range(4)]
    assert min(tiles[:3]) > 60, "a tile for every cue"
    assert tiles[3] < 20, "and none more"


def test_the_row_and_the_sources_say_what_is_there(hd: Video, root: Path) -> None:
    assert (hd.status, hd.width, hd.height, hd.has_audio) == (VideoStatus.READY, 1280, 720, True)
    assert (hd.progress_percent, hd.worker, hd.lease_until, hd.stage) == (100, "", None, "")
    assert hd.duration_seconds == pytest.approx(6.0, abs=0.05)
    found = sources(hd)
    assert found.captions == ()
    prefix = f"/media/videos/{hd.key}/"
    for url in (found.hls, found.mp4, found.audio, found.poster, found.sprite):
        assert (root / "videos" / str(hd.key) / url.removeprefix(prefix)).is_file()
    stored = {r.name: r.bytes for r in hd.renditions.all()}
    assert set(stored) == {"240p5", "240p15", "360p", "480p", "720p", "audio", "mp4", "poster", "sprite"}
    assert stored["mp4"] == (version_folder(hd, root) / "video.mp4").stat().st_size


def test_nothing_but_renditions_is_left(hd: Video, root: Path) -> None:
    folders = {name.split("/")[3] for name in files_of(root) if name.startswith("videos/") and name.count("/") > 3}
    assert folders == {"240p5", "240p15", "360p", "480p", "720p", "audio"}
    assert not [name for name in files_of(root) if name.endswith(".m4a")]
    assert list((root.parent / "work").iterdir()) == []


def test_a_silent_video_gets_a_silent_track_and_no_audio_variant(
    prepare: Prepare, make: Make, media_root: Path
) -> None:
    video = prepare(make("slides.mp4", audio=False))
    folder = version_folder(video, media_root)
    assert (video.status, video.has_audio, sources(video).audio) == (VideoStatus.READY, False, "")
    assert [uri for _, uri in master_of(folder)] == ["240p5/index.m3u8", "240p15/index.m3u8"]
    with av.open(str(segments_of(folder / "240p5/index.m3u8")[0][1])) as container:
        assert len(container.streams.audio) == 1
        assert not any(bytes(next(iter(container.decode(audio=0))).planes[0]))
    assert not (folder / "audio").exists()


@pytest.mark.parametrize(
    ("name", "given", "size"),
    [
        ("odd.mkv", {"size": "322x181", "extra": ("-c:v", "libx264", "-pix_fmt", "yuv444p")}, (322, 180)),
        ("ten-bit.mkv", {"extra": ("-c:v", "libx264", "-pix_fmt", "yuv420p10le")}, (320, 180)),
        ("anamorphic.mp4", {"size": "240x180", "extra": ("-vf", "setsar=4/3")}, (320, 180)),
        ("surround.mkv", {"extra": ("-ac", "6", "-c:a", "ac3")}, (320, 180)),
        ("browser.webm", {"size": "160x90", "extra": ("-c:v", "libvpx", "-deadline", "realtime")}, (160, 90)),
        (
            "camera.ts",
            {"rate": "50", "extra": ("-c:v", "mpeg2video", "-b:v", "2M", "-flags", "+ildct+ilme")},
            (320, 180),
        ),
    ],
)
def test_unusual_sources_become_plain_ones(  # noqa: PLR0917 - three parameters, three fixtures
    name: str, given: dict[str, object], size: tuple[int, int], prepare: Prepare, make: Make, media_root: Path
) -> None:
    video = prepare(make(name, **given))
    assert (video.status, video.error_message) == (VideoStatus.READY, "")
    assert (video.width, video.height) == size
    segment = segments_of(version_folder(video, media_root) / "240p15/index.m3u8")[0][1]
    with av.open(str(segment)) as container:
        frame = next(iter(container.decode(video=0)))
        assert (frame.format.name, frame.interlaced_frame) == ("yuv420p", False)
        assert container.streams.audio[0].codec_context.layout.nb_channels == 1


def test_a_phone_held_upright_stays_upright(prepare: Prepare, make: Make, media_root: Path, tmp_path: Path) -> None:
    turned = tmp_path / "phone.mp4"
    run_ffmpeg_tool("-display_rotation", "90", "-i", make(), "-c", "copy", turned)
    video = prepare(turned)
    assert (video.width, video.height) == (180, 320)
    poster = picture(version_folder(video, media_root) / "poster.jpg")
    assert (poster.width, poster.height) == (180, 320)


def test_a_variable_frame_rate_becomes_steady(prepare: Prepare, make: Make, media_root: Path) -> None:
    """Screen recordings write a frame only when something changes."""
    gaps = ("-vf", "select='not(mod(n,7))+lt(n,20)'", "-fps_mode", "vfr")
    video = prepare(make("screen.mkv", extra=gaps))
    assert video.duration_seconds == pytest.approx(6.0, abs=0.35)
    segment = segments_of(version_folder(video, media_root) / "240p5/index.m3u8")[0][1]
    stamps = times(segment, "video")
    assert {round(b - a, 2) for a, b in pairwise(stamps)} == {0.2}


def test_a_recording_without_a_length_in_its_header_is_measured(prepare: Prepare, make: Make, tmp_path: Path) -> None:
    """What browsers' MediaRecorder writes: a live stream to a pipe."""
    live = tmp_path / "recorded.webm"
    run_ffmpeg_tool("-i", make(), "-c:v", "libvpx", "-deadline", "realtime", "-f", "webm", "-live", "1", live)
    with av.open(str(live)) as container:
        assert container.duration is None
    assert prepare(live).duration_seconds == pytest.approx(6.0, abs=0.1)
