"""The file that is put together from segments: every frame where it belongs, whatever is cut, missing or different."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import av
import pytest

from core.ranges import Ranges
from tests.recording.camera import RATE, Filmed, film, frames_of
from tests.recording.theatre import film_parts, films
from webinars.domain.splicing import TICKS, Spliced, SpliceError, Stored, splice

FRAME = 1 / RATE


@pytest.fixture(scope="module")
def parts() -> list[Filmed]:
    """Twelve and ten seconds, with five in between."""
    return film_parts(films(), ((0.0, 12.0), (17.0, 10.0)))


def segments_of(parts: Sequence[Filmed]) -> list[Stored]:
    found: list[Stored] = []
    for part in parts:
        session, start = uuid4(), part.first / RATE
        for path, seconds in part.segments:
            found.append(Stored(len(found), session, start, seconds, str(path)))
            start += seconds
    return found


def joined(segments: Sequence[Stored], target: Path, cuts: Ranges = ()) -> tuple[Spliced, list[tuple[float, int]]]:
    spliced = splice(segments, cuts=cuts, fetch=_existing, target=target)
    return spliced, frames_of(target)


def _existing(key: str) -> Path:
    if not Path(key).is_file():
        raise FileNotFoundError(key)
    return Path(key)


def test_uncut_every_frame_is_there_at_its_time(parts: list[Filmed], tmp_path: Path) -> None:
    spliced, frames = joined(segments_of(parts), tmp_path / "out.ts")
    assert [number for _, number in frames] == [*range(300), *range(425, 675)]
    assert max(abs(at - index * FRAME) for index, (at, _) in enumerate(frames)) < 0.002
    assert spliced.skipped == ()
    assert spliced.uncut_seconds == pytest.approx(22.0, abs=0.01)
    (a, b) = spliced.spans
    assert a == pytest.approx((0.0, 12.0, 0.0), abs=0.01)
    assert b == pytest.approx((17.0, 27.0, 12.0), abs=0.01)


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param(((0, 3),), id="head"),
        pytest.param(((19, 22),), id="tail"),
        pytest.param(((5, 6),), id="inside one segment"),
        pytest.param(((4, 8),), id="on the borders of segments"),
        pytest.param(((9, 15),), id="over the interruption"),
        pytest.param(((0, 1), (3, 4), (5, 7), (11, 13), (20, 22)), id="many"),
    ],
)
def test_cut_to_the_frame(parts: list[Filmed], tmp_path: Path, cuts: Ranges) -> None:
    _, uncut = joined(segments_of(parts), tmp_path / "uncut.ts")
    spliced, frames = joined(segments_of(parts), tmp_path / "cut.ts", cuts)
    kept = [
        (at - sum(min(end, at) - start for start, end in cuts if start < at), number)
        for at, number in uncut
        if not any(start - FRAME / 2 <= at < end - FRAME / 2 for start, end in cuts)
    ]
    assert [number for _, number in frames] == [number for _, number in kept]
    worst = max(abs(found - (wanted - kept[0][0])) for (found, _), (wanted, _) in zip(frames, kept, strict=True))
    assert worst < FRAME
    assert spliced.uncut_seconds == pytest.approx(22.0, abs=0.01)  # cuts do not change what is measured


def test_the_sound_is_as_long_as_the_picture(parts: list[Filmed], tmp_path: Path) -> None:
    joined(segments_of(parts), tmp_path / "out.ts", ((2, 5), (11, 13)))
    with av.open(str(tmp_path / "out.ts")) as container:
        ends = [one.pts / TICKS for one in container.demux(audio=0) if one.pts is not None]
    steps = [after - before for before, after in pairwise(ends)]
    assert ends[-1] - ends[0] == pytest.approx(17.0, abs=0.1)
    assert max(steps) < 0.07  # never more than two packets of silence
    assert min(steps) > 0.005  # nothing twice


def test_a_missing_or_damaged_segment_is_named_and_the_rest_closes_up(parts: list[Filmed], tmp_path: Path) -> None:
    segments = segments_of(parts)
    (tmp_path / "damaged.ts").write_bytes(b"no video at all" * 500)
    broken = [
        Stored(one.number, one.session, one.program_start, one.seconds, key)
        for one in segments
        for key in [{2: "/nowhere/2.ts", 7: str(tmp_path / "damaged.ts")}.get(one.number, one.key)]
    ]
    spliced, frames = joined(broken, tmp_path / "out.ts")
    assert spliced.skipped == (2, 7)
    assert [number for _, number in frames] == [*range(100), *range(150, 300), *range(425, 475), *range(525, 675)]
    assert [round(offset, 1) for _, _, offset in spliced.spans] == [0.0, 4.0, 10.0, 12.0]
    assert [round(start, 1) for start, _, _ in spliced.spans] == [0.0, 6.0, 17.0, 21.0]


def test_a_connection_in_another_size_is_fitted(parts: list[Filmed], tmp_path: Path) -> None:
    small = film(films(), first=425, frames=100, size="160x90")
    spliced, frames = joined(segments_of([parts[0], small]), tmp_path / "out.ts")
    assert [number for _, number in frames] == [*range(300), *range(425, 525)]
    assert spliced.size == (320, 180)


def test_without_a_usable_segment_there_is_no_recording(tmp_path: Path) -> None:
    lost = Stored(0, uuid4(), 0.0, 2.0, "/nowhere/0.ts")
    with pytest.raises(SpliceError):
        splice([lost], cuts=(), fetch=_existing, target=tmp_path / "out.ts")


def test_announced_lengths_that_drift_are_corrected_by_the_frames(parts: list[Filmed], tmp_path: Path) -> None:
    """Every segment says it is 30 ms longer than it is: program time runs on, the frames do not."""
    session = uuid4()
    segments = [Stored(n, session, n * 2.03, 2.03, str(path)) for n, (path, _) in enumerate(parts[0].segments)]
    spliced, _ = joined(segments, tmp_path / "out.ts")
    for n in range(6):
        span = max(one for one in spliced.spans if one[0] <= n * 2.03 + 1e-6)
        assert span[2] + n * 2.03 - span[0] == pytest.approx(n * 2.0, abs=FRAME)
