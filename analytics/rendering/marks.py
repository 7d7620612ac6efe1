"""Slides, polls, questions, chapters and replayed moments: rows under a curve, and numbered pins on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.rendering import layout
from analytics.rendering.data import Axis, Caption, Mark, MarkKind, Series, clean
from analytics.rendering.facts import value_at
from analytics.rendering.frame import NOTHING, decimals, isolated, joined, table
from analytics.rendering.layout import PIN_PX, Place, Wish
from analytics.rendering.text import shorten
from analytics.rendering.words import Words

ROW_PX, LANE_PX = 20, 26
# Room for labels beside the picture: the least that stands at its end.
MARGIN_PX = 12
# Drawn around (0, 0); shapes differ, so that no colour has to say it.
GLYPHS = {
    MarkKind.SLIDE: "M-1 -5h2v10h-2z",
    MarkKind.POLL: "M-5 5v-5h3v5zM-1.5 5v-10h3v10zM2 5v-7h3v7z",
    MarkKind.QUESTION: "M0 -5a5 5 0 1 0 .01 0z",
    MarkKind.REPLAY: "M0 -6L6 0L0 6L-6 0z",
    MarkKind.NOTE: "M0 -5L5 5H-5z",
}


class Field(Protocol):
    """The part of the picture that marks are placed in."""

    @property
    def height(self) -> int: ...
    @property
    def size(self) -> str: ...
    @property
    def narrow(self) -> float: ...
    @property
    def wide(self) -> float: ...
    def share(self, x: float) -> float: ...


@dataclass(frozen=True)
class MarkLayer:
    """What a curve draws over itself, and the pixels it has to leave for it above and below."""

    over: SafeString = NOTHING
    key: SafeString = NOTHING
    pins: Sequence[tuple[str, str]] = ()
    legend: Sequence[tuple[SafeString, str]] = ()
    height: int = 0
    narrow_lanes: int = 0
    wide_lanes: int = 0


def lay_out(
    plot: Field, marks: Sequence[Mark], curve: Series, *, y: Callable[[float], float], words: Words, x: Axis
) -> MarkLayer:
    if not marks:
        return MarkLayer()
    ordered = sorted(marks, key=lambda mark: mark.at)
    kinds = [kind for kind in MarkKind if kind is not MarkKind.NOTE and any(mark.kind is kind for mark in ordered)]
    rows = [
        _row(kind, [mark for mark in ordered if mark.kind is kind], plot, plot.height + 26 + ROW_PX * n + ROW_PX / 2)
        for n, kind in enumerate(kinds)
    ]
    pinned = [mark for mark in ordered if mark.weight > 0]
    wishes = [Wish(plot.share(mark.at), _label(mark), mark.weight) for mark in pinned]
    heights = [value_at(curve, mark.at) for mark in pinned]
    feet = [decimals(plot.height if height is None else y(height), 1) for height in heights]
    narrow = layout.choose(wishes, plot.narrow)
    wide = narrow if plot.size == "half" else layout.label(narrow, wishes, plot.wide, MARGIN_PX)
    if plot.size == "paper":
        narrow = wide
    return MarkLayer(
        over=joined([*rows, _pins(narrow, wide, feet)]),
        key=_key(pinned, narrow, x, is_labelled=wide is not narrow and all(place.is_whole for place in wide)),
        pins=[(x.write(pinned[place.wish].at), _label(pinned[place.wish])) for place in narrow],
        legend=[(_sample(kind), words.mark_kinds[kind]) for kind in kinds],
        height=ROW_PX * len(kinds),
        narrow_lanes=1 + max((place.lane for place in narrow), default=-1),
        wide_lanes=1 + max((place.lane for place in wide), default=-1),
    )


def _label(mark: Mark) -> str:
    return clean(f"{mark.label} · {mark.note}" if mark.note else mark.label)


def _row(kind: MarkKind, marks: Sequence[Mark], plot: Field, middle: float) -> SafeString:
    if kind is MarkKind.CHAPTER:
        return _chapters(marks, plot, middle)
    # Numbers of ours only; a lecture may have hundreds of them.
    y = decimals(middle, 1)
    glyphs = SafeString(
        "".join(
            f'<svg x="{decimals(plot.share(mark.at))}%" y="{y}" width="1" height="1" overflow="visible">'
            f'<path class="mark-{kind.value}" d="{GLYPHS[kind]}"/></svg>'
            for mark in marks
        )
    )
    return format_html('<line class="chart-grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>{1}', decimals(middle, 1), glyphs)


def _chapters(marks: Sequence[Mark], plot: Field, middle: float) -> SafeString:
    """Blocks from one beginning to the next, with as much of the title as fits in a wide picture."""
    ends = [*(plot.share(mark.at) for mark in marks[1:]), 100.0]
    parts = []
    for n, (mark, end) in enumerate(zip(marks, ends, strict=True)):
        start = plot.share(mark.at)
        parts.append(
            format_html(
                '<rect class="mark-chapter-{}" x="{}%" y="{}" width="{}%" height="16" rx="3"/>',
                n % 2, decimals(start), decimals(middle - 8, 1), decimals(max(0.0, end - start)),
            )
        )  # fmt: skip
        title = shorten(clean(mark.label), (end - start) * plot.wide / 100 - 10)
        if title and plot.size != "half":
            parts.append(
                format_html(
                    '<text class="chart-tick for-wide" x="{}%" transform="translate(5 4.5)" y="{}">{}</text>',
                    decimals(start), decimals(middle, 1), title,
                )
            )  # fmt: skip
    return joined(parts)


def _sample(kind: MarkKind) -> SafeString:
    if kind is MarkKind.CHAPTER:
        inside = SafeString('<rect class="mark-chapter-0" x="-7" y="-6" width="14" height="12" rx="3"/>')
    else:
        inside = format_html('<path class="mark-{}" d="{}"/>', kind.value, GLYPHS[kind])
    return format_html(
        '<svg class="chart-sample" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">{}</svg>', inside
    )


def _pins(narrow: Sequence[Place], wide: Sequence[Place], feet: Sequence[str]) -> SafeString:
    def group(places: Sequence[Place], kind: str) -> SafeString:
        # Every line first: none may run over a number.
        lines, heads = [], []
        for number, place in enumerate(places, 1):
            lines.append(_stem(place, feet[place.wish]))
            heads.append(_head(place, number))
        return format_html('<g class="chart-pins {}">{}</g>', kind, joined([*lines, *heads]))

    if not narrow:
        return NOTHING
    if wide is narrow:
        return group(narrow, "")
    return joined([group(narrow, "for-narrow"), group(wide, "for-wide")])


def _height_of(lane: int) -> int:
    return -(PIN_PX // 2 + 8) - LANE_PX * lane


def _stem(place: Place, foot: str) -> SafeString:
    return format_html(
        '<line class="chart-stem" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
        '<circle class="chart-foot" cx="{0}%" cy="{2}" r="4.5"/>',
        decimals(place.share), _height_of(place.lane), foot,
    )  # fmt: skip


def _head(place: Place, number: int) -> SafeString:
    at, middle = decimals(place.share), _height_of(place.lane)
    head = format_html(
        '<circle class="chart-pin" cx="{0}%" cy="{1}" r="{2}"/>'
        '<text class="chart-pin-number" x="{0}%" transform="translate(0 4.5)" y="{1}" text-anchor="middle">{3}</text>',
        at, middle, PIN_PX // 2, number,
    )  # fmt: skip
    if not place.text:
        return head
    is_after = place.side == "start"
    shift = PIN_PX // 2 + layout.GAP_PX // 2
    return head + format_html(
        '<text class="chart-label" x="{}%" transform="translate({} 4.5)" y="{}" text-anchor="{}">{}</text>',
        at, shift if is_after else -shift, middle, "start" if is_after else "end", place.text,
    )  # fmt: skip


def _key(marks: Sequence[Mark], places: Sequence[Place], x: Axis, *, is_labelled: bool) -> SafeString:
    """What the numbers mean. Where the wide picture says all of it, only narrow ones and screen readers need it."""
    if not places:
        return NOTHING
    items = format_html_join(
        "",
        '<li><span class="chart-number" aria-hidden="true">{}</span><span><span class="num">{}</span> {}{}</span></li>',
        (
            (
                number,
                x.write(marks[place.wish].at),
                isolated(marks[place.wish].label),
                format_html(' <span class="soft">{}</span>', isolated(marks[place.wish].note))
                if marks[place.wish].note
                else NOTHING,
            )
            for number, place in enumerate(places, 1)
        ),
    )
    return format_html('<ol class="chart-key{}">{}</ol>', " is-labelled" if is_labelled else "", items)


def mark_table(caption: Caption, words: Words, marks: Sequence[Mark], x: Axis) -> SafeString:
    """Every one, also those for which the picture has no room."""
    if not marks:
        return NOTHING
    rows = [
        (x.write(mark.at), words.mark_kinds[mark.kind], _label(mark))
        for mark in sorted(marks, key=lambda mark: mark.at)
    ]
    return table(caption, words, [words.when, words.kind, words.what], rows, words.timeline)
