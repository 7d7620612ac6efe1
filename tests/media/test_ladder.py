import pytest

from media.ffmpeg.ladder import Rung, base_frame_rate, ladder_for
from media.ffmpeg.probe import Source, in_clock_words
from media.ffmpeg.stills import sprite_interval, sprite_vtt


def source(width: int, height: int, rate: float = 25.0) -> Source:
    return Source(
        duration_seconds=60,
        width=width,
        height=height,
        frame_rate=rate,
        has_audio=True,
        video_index=0,
        interlaced=False,
    )


def names(rungs: tuple[Rung, ...]) -> list[str]:
    return [rung.name for rung in rungs]


def test_full_hd_gets_every_rung_with_the_documented_rates() -> None:
    rungs = ladder_for(source(1920, 1080, 30))
    assert [(r.name, r.height, r.frame_rate, r.video_kbit) for r in rungs] == [
        ("240p5", 240, 5, 60),
        ("240p15", 240, 15, 120),
        ("360p", 360, 30, 300),
        ("480p", 480, 30, 600),
        ("720p", 720, 30, 1400),
        ("1080p", 1080, 30, 2800),
    ]


@pytest.mark.parametrize(
    ("width", "height", "best"),
    [
        (1920, 1080, (1920, 1080)),
        (3840, 2160, (1920, 1080)),
        (1280, 720, (1280, 720)),
        (1024, 768, (960, 720)),
        (640, 360, (640, 360)),
        (320, 180, (320, 180)),
        (321, 181, (320, 180)),
        (1080, 1920, (1080, 1920)),
        (1000, 700, (1000, 700)),
        (64, 64, (64, 64)),
    ],
)
def test_never_enlarges_and_keeps_the_shape(width: int, height: int, best: tuple[int, int]) -> None:
    rungs = ladder_for(source(width, height))
    assert (rungs[-1].width, rungs[-1].height) == best
    for rung in rungs:
        assert rung.width <= width
        assert rung.height <= height
        assert rung.width % 2 == rung.height % 2 == 0
        assert abs(rung.width / rung.height - width / height) < 0.05 * width / height


def test_an_operator_may_cap_the_ladder() -> None:
    assert names(ladder_for(source(1920, 1080), max_height=480)) == ["240p5", "240p15", "360p", "480p"]
    assert names(ladder_for(source(1920, 1080), max_height=240)) == ["240p5", "240p15"]


@pytest.mark.parametrize(
    ("given", "whole"),
    [(29.97, 30), (23.976, 24), (25, 25), (59.94, 30), (50, 25), (48, 24), (120, 30), (28.31, 28), (10, 10), (0.2, 1)],
)
def test_frame_rates_become_whole_so_that_every_second_has_a_frame(given: float, whole: int) -> None:
    assert base_frame_rate(given) == whole
    assert all(rung.frame_rate <= whole for rung in ladder_for(source(640, 360, given)))


def test_sprite_keeps_to_keyframes_and_a_bounded_number_of_thumbnails() -> None:
    assert [sprite_interval(seconds) for seconds in (6, 120, 121, 7200, 6 * 3600)] == [2, 2, 10, 10, 30]
    vtt = sprite_vtt(1005.5, interval=10, width=160, height=90)
    assert vtt.count("-->") == 101
    assert "00:16:40.000 --> 00:16:45.500\nsprite-002.jpg#xywh=0,0,160,90" in vtt
    assert "00:01:50.000 --> 00:02:00.000\nsprite-001.jpg#xywh=160,90,160,90" in vtt


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0:00"), (61, "1:01"), (3600, "1:00:00"), (7325.6, "2:02:06")])
def test_lengths_are_told_as_clocks(seconds: float, words: str) -> None:
    assert in_clock_words(seconds) == words
