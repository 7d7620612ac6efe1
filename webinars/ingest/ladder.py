"""Which qualities a live stream is made into. Rates are caps in kbit/s: slides stay far below them.

The costs, in cores, are those of moving film at 30 frames/s with `veryfast`; slides take a quarter of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

AUDIO = "audio"
AUDIO_KBIT = 32
SEGMENT_SECONDS = 2
DECODING_CORES = 0.15
USABLE = 0.6  # of the cores: the rest is for peaks and for everything else on the machine


@dataclass(frozen=True, slots=True)
class LiveRung:
    name: str
    height: int
    frame_rate: int
    video_kbit: int
    audio_kbit: int
    cores: float


STEPS = (
    LiveRung("240p5", 240, 5, 60, 32, 0.02),
    LiveRung("240p15", 240, 15, 120, 32, 0.05),
    LiveRung("360p", 360, 30, 300, 64, 0.15),
    LiveRung("480p", 480, 30, 600, 64, 0.25),
    LiveRung("720p", 720, 30, 1400, 64, 0.5),
)


def live_ladder(*, cores: float, height: int) -> tuple[LiveRung, ...]:
    """Lowest first, two at least. `height` is the source's, 0 when the publisher does not say."""
    left = cores * USABLE - DECODING_CORES
    chosen: list[LiveRung] = []
    for step in STEPS:
        left -= step.cores
        too_large = height and step.height > max(240, height)
        if len(chosen) >= 2 and (left < 0 or too_large):
            break
        chosen.append(step)
    return tuple(chosen)


def named_ladder(names: Sequence[str]) -> tuple[LiveRung, ...]:
    """The ladder that a broadcast began with: a player must find every quality again after an interruption."""
    return tuple(step for step in STEPS if step.name in names)


def cost(rungs: Sequence[LiveRung]) -> float:
    return DECODING_CORES + sum(rung.cores for rung in rungs)


def target_frame_rate(given: float) -> int:
    """29.97 → 30, 60 → 30, 50 → 25; 25 where the publisher does not say."""
    whole = round(given) if 1 <= given <= 120 else 25
    while whole > 30:
        whole //= 2
    return max(1, whole)
