"""Bars as lists: label, bar, number. Labels are text of the page, so that long ones wrap and the reader can copy
them."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.rendering.data import Bar, Caption, ChartError, FunnelStep, Stack, Write, clean
from analytics.rendering.facts import losses
from analytics.rendering.frame import NOTHING, decimals, figure, isolated, joined, legend, sample, table
from analytics.rendering.sparks import spark
from analytics.rendering.text import width
from analytics.rendering.words import Words

MOST_ANSWERS = 5
# The bar of a row on the narrowest screen: a number stands in a part that is wide enough even there.
ROW_PX = 254


def bar_chart(
    caption: Caption,
    words: Words,
    bars: Sequence[Bar],
    *,
    write: Write | None = None,
    whole: float | None = None,
    highest: float | None = None,
    name: str = "",
    value: str = "",
    size: str = "full",
) -> SafeString:
    """In the order given. `whole`: every number also as a share of it. `highest`: the end of the scale (5 for marks
    of 5), by default the longest bar. `name` and `value` head the columns of the table."""
    if not bars:
        return figure(caption, "bars", words, None)
    writing = write or words.number
    longest = highest or max((bar.value or 0 for bar in bars), default=0) or 1
    heads = [name or words.name, value or words.value, *([words.share] if whole else [])]
    items = [_bar(bar, longest, whole, writing, words) for bar in bars]
    return figure(
        caption,
        "bars",
        words,
        format_html('<ul class="chart-list is-{}">{}</ul>', size, joined(items)),
        table(caption, words, heads, _bar_rows(bars, writing, whole, words)),
    )


def _bar(bar: Bar, longest: float, whole: float | None, write: Write, words: Words) -> SafeString:
    return format_html(
        '<li><span class="chart-name">{}</span>{}<span class="chart-value num">{}{}</span>{}</li>',
        _linked(bar.label, bar.url),
        NOTHING if bar.value is None else _track(bar.value / longest, words),
        words.withheld if bar.value is None else write(bar.value),
        _share(bar, whole, words),
        format_html('<span class="chart-note">{}</span>', isolated(bar.note)) if bar.note else NOTHING,
    )


def _linked(label: str, url: str) -> SafeString:
    if not url:
        return isolated(label)
    if not url.startswith(("/", "?", "#", "https://")) or url.startswith("//"):
        raise ChartError(f"No address of ours: {url[:40]}")
    return format_html('<a href="{}">{}</a>', url, isolated(label))


def _share(bar: Bar, whole: float | None, words: Words) -> SafeString:
    if not whole or bar.value is None:
        return NOTHING
    return format_html(' <span class="chart-aside">{}</span>', isolated(words.percent(bar.value / whole)))


def _track(share: float, words: Words, kind: str = "fill-1") -> SafeString:
    """Decoration beside the number. Fills from where reading begins."""
    long = 100 * min(max(share, 0.0), 1.0)
    return format_html(
        '<svg class="chart-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="chart-track" width="100" height="10"/><rect class="{}" x="{}" width="{}" height="10"/></svg>',
        kind,
        decimals(100 - long if words.is_rtl else 0),
        decimals(long),
    )


def _bar_rows(bars: Sequence[Bar], write: Write, whole: float | None, words: Words) -> list[tuple[str, ...]]:
    rows = []
    for bar in bars:
        shown = words.withheld if bar.value is None else write(bar.value)
        share = [words.percent(bar.value / whole) if bar.value is not None else "–"] if whole else []
        rows.append((bar.label, shown, *share))
    return rows


def stacked(
    caption: Caption, words: Words, stacks: Sequence[Stack], *, answers: Sequence[str], highest: float | None = None
) -> SafeString:
    """How the answers are spread, one row for each dimension. `answers` name the parts from the lowest to the
    highest, at most five; `highest` is what a mean is out of, by default the number of answers. Means of earlier
    lectures become a spark line.
    """
    if not 2 <= len(answers) <= MOST_ANSWERS:
        raise ChartError(f"{len(answers)} answers")
    if any(one.counts is not None and len(one.counts) != len(answers) for one in stacks):
        raise ChartError(f"Counts for other than {len(answers)} answers")
    if not stacks:
        return figure(caption, "stacked", words, None)
    kinds = _shades(len(answers))
    key = legend((sample(kind), label) for kind, label in zip(kinds, answers, strict=True))
    rows = [_stack(one, kinds, words, highest or len(answers)) for one in stacks]
    return figure(
        caption,
        "stacked",
        words,
        format_html('{}<ul class="chart-list chart-stacks">{}</ul>', key, joined(rows)),
        _stack_table(caption, words, stacks, answers),
    )


def _shades(count: int) -> list[str]:
    """From pale to dark, whatever their number: lightness is seen by everybody."""
    return [f"likert-{round(1 + 4 * n / (count - 1))}" for n in range(count)]


def _stack(stack: Stack, kinds: Sequence[str], words: Words, highest: float) -> SafeString:
    if stack.counts is None:
        bar, count = NOTHING, words.withheld
    else:
        bar = _parts(stack, kinds, words) if stack.total else NOTHING
        count = words.answers.format(number=words.number(stack.total))
    mean = stack.average
    trend = spark([*stack.history, mean], low=1, high=highest) if stack.history and mean is not None else NOTHING
    return format_html(
        '<li><span class="chart-name">{}</span><b class="chart-mean num">{}</b>{}'
        '<span class="chart-aside num">{}</span>{}</li>',
        isolated(stack.label),
        "–" if mean is None else words.mean(mean),
        bar,
        isolated(" · ".join([count, *(clean(note) for note in stack.notes)])),
        trend,
    )


def _parts(stack: Stack, kinds: Sequence[str], words: Words) -> SafeString:
    pieces, start = [], 0.0
    for kind, count in zip(kinds, stack.counts or (), strict=True):
        share = count / stack.total
        if not share:
            continue
        at = 100 - 100 * (start + share) if words.is_rtl else 100 * start
        start += share
        pieces.append(
            format_html('<rect class="{}" x="{}%" width="{}%" height="28"/>', kind, decimals(at), decimals(100 * share))
        )
        text = words.percent(share)
        if width(text) + 8 <= share * ROW_PX:
            middle = decimals(at + 50 * share)
            pieces.append(
                format_html('<text class="on-{}" x="{}%" y="18.5" text-anchor="middle">{}</text>', kind, middle, text)
            )
    return format_html('<svg class="chart-parts" width="100%" height="28" aria-hidden="true">{}</svg>', joined(pieces))


def _stack_table(caption: Caption, words: Words, stacks: Sequence[Stack], answers: Sequence[str]) -> SafeString:
    rows = []
    for one in stacks:
        counts = (
            [words.withheld] * len(answers) if one.counts is None else [words.number(count) for count in one.counts]
        )
        rows.append((one.label, "–" if one.average is None else words.mean(one.average), *counts))
    return table(caption, words, [words.name, words.average, *answers], rows)


def funnel(caption: Caption, words: Words, steps: Sequence[FunnelStep], *, size: str = "full") -> SafeString:
    """How many came how far, and between two steps how many were lost, with what can be done for them."""
    if not steps:
        return figure(caption, "funnel", words, None)
    first = steps[0].value
    lost = [None, *losses(steps)]
    items = []
    for step, loss in zip(steps, lost, strict=True):
        between = NOTHING
        if loss and loss.people:
            text = words.lost.format(number=words.number(loss.people), share=words.percent(loss.share))
            link = _linked(step.url_label, step.url) if step.url else NOTHING
            between = format_html('<li class="chart-lost"><span class="num">{}</span>{}</li>', text, link)
        share = f" {words.percent(step.value / first)}" if first and step.value is not None else ""
        items.append(
            format_html(
                '{}<li><span class="chart-name">{}</span>{}<span class="chart-value num">{}'
                '<span class="chart-aside">{}</span></span></li>',
                between,
                isolated(step.label),
                NOTHING if step.value is None else _track(step.value / (_widest(steps) or 1), words),
                words.withheld if step.value is None else words.number(step.value),
                share,
            )
        )
    return figure(
        caption,
        "funnel",
        words,
        format_html('<ol class="chart-list is-{}">{}</ol>', size, joined(items)),
        _funnel_table(caption, words, steps),
    )


def _widest(steps: Sequence[FunnelStep]) -> float:
    return max((step.value or 0 for step in steps), default=0)


def _funnel_table(caption: Caption, words: Words, steps: Sequence[FunnelStep]) -> SafeString:
    first = steps[0].value
    rows = []
    for step, loss in zip(steps, [None, *losses(steps)], strict=True):
        rows.append(
            (
                step.label,
                words.withheld if step.value is None else words.number(step.value),
                words.percent(step.value / first) if first and step.value is not None else "–",
                f"{words.number(loss.people)} ({words.percent(loss.share)})" if loss else "–",
            )
        )
    return table(caption, words, [words.step, words.value, words.share, words.lost_head], rows)
