"""What the presenter is told, from counted tags."""

import pytest

from webinars.enums import StreamProblem
from webinars.ingest.flv import AUDIO, VIDEO, Tag
from webinars.ingest.health import Meter
from webinars.ingest.ladder import STEPS, cost, live_ladder, named_ladder, target_frame_rate

KEY, INTER, SOUND = b"\x17\x01", b"\x27\x01", b"\xaf\x01"


def stream(
    seconds: float, *, rate: int = 25, keys: float = 2, size: int = 5000, sound: bool = True, skip: int = 0
) -> Meter:
    meter = Meter(100.0)
    meter.metadata = {"framerate": rate, "width": 1280, "height": 720}
    every = round(keys * rate)
    for frame in range(int(seconds * rate)):
        at = frame / rate
        if not (skip and frame % skip == skip - 1):
            head = KEY if frame % every == 0 else INTER
            meter.note(Tag(VIDEO, round(at * 1000), head + bytes(size - 2)), 100 + at)
        if sound:
            meter.note(Tag(AUDIO, round(at * 1000), SOUND + bytes(638)), 100 + at)
    return meter


def problems(meter: Meter, at: float, most: int = 3000) -> list[StreamProblem]:
    return [problem for problem, _ in meter.problems(100 + at, most_kbits=most)]


def test_a_good_stream_has_no_problems_and_true_figures() -> None:
    meter = stream(20)
    figures = meter.report(120.0)

    assert problems(meter, 20) == []
    assert figures["video_kbits"] == pytest.approx(1000, abs=10)
    assert figures["audio_kbits"] == pytest.approx(128, abs=3)
    assert figures["frame_rate"] == pytest.approx(25, abs=0.3)
    assert (figures["key_frame_interval"], figures["key_frame_age"]) == (2.0, 2.0)
    assert (figures["frames"], figures["frames_dropped"]) == (500, 0)
    assert (figures["video_codec"], figures["audio_codec"], figures["height"]) == ("avc1", "mp4a", 720)


def test_frames_that_do_not_come_are_counted() -> None:
    assert stream(20, skip=10).report(120.0)["frames_dropped"] == pytest.approx(50, abs=1)


@pytest.mark.parametrize(
    ("meter", "at", "expected"),
    [
        (stream(20, size=20_000), 20, [StreamProblem.BITRATE_TOO_HIGH]),
        (stream(20, size=40, sound=False), 20, [StreamProblem.NO_SOUND, StreamProblem.BITRATE_LOW]),
        (stream(20, keys=8), 20, [StreamProblem.KEYFRAMES_RARE]),
        (stream(20, sound=False), 20, [StreamProblem.NO_SOUND]),
        (Meter(100.0), 6, [StreamProblem.NO_VIDEO, StreamProblem.NO_SOUND, StreamProblem.BITRATE_LOW]),
        (Meter(100.0), 4, []),
    ],
)
def test_each_problem_is_found(meter: Meter, at: float, expected: list[StreamProblem]) -> None:
    assert problems(meter, at) == expected


def test_foreign_codecs_are_found_at_once() -> None:
    meter = Meter(100.0)
    meter.note(Tag(VIDEO, 0, b"\x90hvc1\x01"), 100.0)
    meter.note(Tag(AUDIO, 0, b"\x2f\xff\xfb"), 100.0)

    assert meter.problems(100.1, most_kbits=3000) == [
        (StreamProblem.WRONG_VIDEO, "hvc1"),
        (StreamProblem.WRONG_SOUND, "mp3"),
    ]


def test_the_ladder_follows_cpu_and_source() -> None:
    def names(cores: float, height: int) -> list[str]:
        return [rung.name for rung in live_ladder(cores=cores, height=height)]

    assert names(1, 0) == ["240p5", "240p15", "360p"]
    assert names(2, 1080) == [step.name for step in STEPS]
    assert names(2, 480) == ["240p5", "240p15", "360p", "480p"]
    assert names(8, 180) == names(0.1, 1080) == ["240p5", "240p15"]
    assert named_ladder(["audio", "360p", "240p5"]) == (STEPS[0], STEPS[2])
    for cores in range(1, 9):
        rungs = live_ladder(cores=cores, height=1080)
        assert len(rungs) == 2 or cost(rungs) <= cores * 0.6


@pytest.mark.parametrize(("given", "target"), [(29.97, 30), (60, 30), (50, 25), (24, 24), (0, 25), (10, 10), (1e9, 25)])
def test_frame_rates_become_whole(given: float, target: int) -> None:
    assert target_frame_rate(given) == target
