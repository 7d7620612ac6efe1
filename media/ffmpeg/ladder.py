"""Which qualities a source gets. Rates are caps in kbit/s: slides stay far below them (240p at 5 fps took 46)."""

from dataclasses import dataclass

from media.ffmpeg.probe import Source

MAX_FRAME_RATE = 30
KEYFRAME_SECONDS = 2
SEGMENT_SECONDS = 4
# A source a little smaller than a rung still deserves its rate: it is kept at its own size, never enlarged.
NEARLY = 1.2


@dataclass(frozen=True)
class Step:
    """A quality on offer: `height` lines of a 16:9 picture, at most `frame_rate`."""

    name: str
    height: int
    frame_rate: int
    video_kbit: int
    audio_kbit: int


@dataclass(frozen=True)
class Rung:
    """A quality that a source gets. A whole frame rate puts a frame on every second: keyframes of all rungs meet."""

    name: str
    width: int
    height: int
    frame_rate: int
    video_kbit: int
    audio_kbit: int


STEPS = (
    Step("240p5", 240, 5, 60, 32),
    Step("240p15", 240, 15, 120, 32),
    Step("360p", 360, MAX_FRAME_RATE, 300, 64),
    Step("480p", 480, MAX_FRAME_RATE, 600, 64),
    Step("720p", 720, MAX_FRAME_RATE, 1400, 64),
    Step("1080p", 1080, MAX_FRAME_RATE, 2800, 64),
)


def ladder_for(source: Source, *, max_height: int = 1080) -> tuple[Rung, ...]:
    """Lowest first. Even the smallest source gets both 240p rungs, at its own size."""
    full_rate = base_frame_rate(source.frame_rate)
    rungs = []
    for step in STEPS:
        scale = _scale_into(source, step.height)
        if step.height > 240 and (scale > NEARLY or step.height > max_height):
            continue
        shrink = min(1.0, scale)
        rungs.append(
            Rung(
                name=step.name,
                width=_even(source.width * shrink),
                height=_even(source.height * shrink),
                frame_rate=min(step.frame_rate, full_rate),
                video_kbit=step.video_kbit,
                audio_kbit=step.audio_kbit,
            )
        )
    return tuple(rungs)


def base_frame_rate(rate: float) -> int:
    """29.97 → 30, 23.976 → 24, a phone's variable 28.3 → 28; 60 → 30, 50 → 25 and 48 → 24 by dropping every other."""
    whole = max(1, round(rate))
    if whole <= MAX_FRAME_RATE:
        return whole
    return whole // 2 if whole in {48, 50} else MAX_FRAME_RATE


def _scale_into(source: Source, height: int) -> float:
    """Factor that fits the source into the step's 16:9 box; the box stands upright for an upright picture."""
    box = (height * 16 / 9, height)
    box_width, box_height = box if source.width >= source.height else (box[1], box[0])
    return min(box_width / source.width, box_height / source.height)


def _even(pixels: float) -> int:
    """4:2:0 colour needs even sides. Rounded down: up would enlarge."""
    return max(2, 2 * int(pixels / 2))
