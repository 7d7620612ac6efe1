"""Where numbered pins and their labels stand over a curve, so that none covers another one, at any width.

A place is found for the narrowest picture. x stands in per cent of the width and a label has the same pixels
everywhere, so every distance between two labels, and from a label to the edge it grows towards, only becomes greater
in a wider picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analytics.rendering.text import shorten, width

PIN_PX = 20
GAP_PX = 8
LEAST_LABEL_PX = 64
NARROW_LANES, WIDE_LANES = 2, 4
MOST_PINS = 9


@dataclass(frozen=True)
class Wish:
    """A pin at `share` per cent of the width."""

    share: float
    text: str
    weight: float


@dataclass(frozen=True)
class Place:
    """`lane` 0 is nearest to the curve. `text` is what of the label fits beside the pin, "" for the number alone;
    `side` "start" when it stands after the pin, "end" before it."""

    wish: int
    share: float
    lane: int
    text: str = ""
    side: str = "start"
    is_whole: bool = False

    def box(self, room: float) -> tuple[float, float]:
        at, half = self.share * room / 100, PIN_PX / 2
        if not self.text:
            return at - half, at + half
        reach = half + GAP_PX / 2 + width(self.text)
        return (at - half, at + reach) if self.side == "start" else (at - reach, at + half)


def choose(wishes: Sequence[Wish], room: float) -> list[Place]:
    """The heaviest pins that fit as numbers alone, in order of time."""
    chosen: list[Place] = []
    order = sorted(range(len(wishes)), key=lambda n: (-wishes[n].weight, wishes[n].share, n))
    for wish in order:
        if len(chosen) == MOST_PINS:
            break
        for lane in range(NARROW_LANES):
            place = Place(wish, wishes[wish].share, lane)
            if all(_are_apart(place, other, room) for other in chosen):
                chosen.append(place)
                break
    return sorted(chosen, key=lambda place: (place.share, place.wish))


def label(places: Sequence[Place], wishes: Sequence[Wish], room: float, margin: float) -> list[Place]:
    """The same pins in a picture of `room` pixels or more, with as much of their labels as fits; `margin` pixels
    beside the picture may be used. Every pin keeps its place while the heavier ones look for theirs, so none is ever
    lost."""
    placed = list(places)
    order = sorted(range(len(placed)), key=lambda n: -wishes[placed[n].wish].weight)
    # Twice: what moved up in the first round has left room for others further down.
    for index in [*order, *order]:
        others = placed[:index] + placed[index + 1 :]
        found = [
            candidate
            for lane in range(WIDE_LANES)
            for side in ("start", "end")
            if (candidate := _with_label(replace(placed[index], lane=lane, side=side), wishes, others, room, margin))
        ]
        if found:
            placed[index] = max(
                found, key=lambda one: (one.is_whole, len(one.text) if not one.is_whole else 0, -one.lane)
            )
    return placed


def _with_label(
    place: Place, wishes: Sequence[Wish], others: Sequence[Place], room: float, margin: float
) -> Place | None:
    bare, lane, side = replace(place, text="", is_whole=False), place.lane, place.side
    if not all(_are_apart(bare, other, room) for other in others):
        return None
    at, half = bare.share * room / 100, PIN_PX / 2 + GAP_PX / 2
    # What stops the label: the edge, the next box in its lane, the next line that comes down from a lane above.
    edge = room + margin - at if side == "start" else at + margin
    for other in others:
        near, far = other.box(room) if other.lane == lane else (other.share * room / 100,) * 2
        if other.lane < lane:
            continue
        distance = near - at if side == "start" else at - far
        if distance > 0:
            edge = min(edge, distance - GAP_PX)
    whole = wishes[place.wish].text
    text = whole if width(whole) <= edge - half else shorten(whole, edge - half)
    if not text or (text != whole and edge - half < LEAST_LABEL_PX):
        return None
    return replace(bare, text=text, is_whole=text == whole)


def _are_apart(one: Place, other: Place, room: float) -> bool:
    """No box touches another one of its lane, and no line down from a pin crosses a box under it."""
    low, high = sorted((one, other), key=lambda place: place.lane)
    start, end = low.box(room)
    if low.lane == high.lane:
        other_start, other_end = high.box(room)
        return end + GAP_PX / 2 <= other_start or other_end + GAP_PX / 2 <= start
    at = high.share * room / 100
    return not start - GAP_PX / 4 < at < end + GAP_PX / 4
