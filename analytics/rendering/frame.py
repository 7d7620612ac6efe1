"""What stands around every picture: title, legend, summary, and the table with the same numbers."""

from collections.abc import Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.rendering.data import ISOLATES, Caption, clean
from analytics.rendering.words import Words

NOTHING = SafeString("")


def joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def figure(caption: Caption, kind: str, words: Words, picture: SafeString | None, *below: SafeString) -> SafeString:
    """`picture` None: there is nothing to show, and the words say so. Ids come from `caption.key`."""
    key = clean(caption.key)
    shown = picture if picture is not None else format_html('<p class="chart-empty">{}</p>', clean(words.empty))
    return format_html(
        '<figure class="chart kind-{}" id="{}"><figcaption>{}</figcaption>{}{}{}</figure>',
        kind,
        f"chart-{key}",
        _title(caption, key),
        shown,
        _summary(caption, key) if picture is not None else NOTHING,
        joined(below) if picture is not None else NOTHING,
    )


def _title(caption: Caption, key: str) -> SafeString:
    tag = f"h{caption.heading}" if 1 <= caption.heading <= 6 else "p"
    hidden = "" if caption.heading else " visually-hidden"
    return format_html(
        '<{0} class="chart-title{1}" id="chart-{2}-title">{3}</{0}>', tag, hidden, key, isolated(caption.title)
    )


def _summary(caption: Caption, key: str) -> SafeString:
    return format_html(
        '<p class="chart-summary" id="chart-{}-summary">{}</p>', key, clean(caption.summary, kept=ISOLATES)
    )


def named_by(caption: Caption) -> SafeString:
    """For the picture: a screen reader says the visible title and summary. (`<title>` in the picture would also open
    a tooltip over it.)"""
    key = clean(caption.key)
    return format_html('role="img" aria-labelledby="chart-{0}-title" aria-describedby="chart-{0}-summary"', key)


def plot(
    caption: Caption, *, height: int, start: int, end: int, inside: Sequence[SafeString], lanes: str = ""
) -> SafeString:
    """A drawing as wide as its place with `start` and `end` pixels beside it for the axes. Time and measures run from
    left to right in every language, so it does not turn with the page."""
    return format_html(
        '<div class="chart-plot in-{} out-{}{}" dir="ltr"><svg class="chart-svg" width="100%" height="{}" {}'
        ' focusable="false">{}</svg></div>',
        start,
        end,
        lanes,
        height,
        named_by(caption),
        joined(inside),
    )


def isolated(text: object) -> SafeString:
    return format_html("<bdi>{}</bdi>", clean(text))


def table(
    caption: Caption, words: Words, heads: Sequence[str], rows: Iterable[Sequence[object]], name: str = ""
) -> SafeString:
    """The first column names the row. Opened by the reader; it scrolls by itself where it is wider than the page."""
    body = format_html_join(
        "",
        '<tr><th scope="row">{}</th>{}</tr>',
        (
            (isolated(first), format_html_join("", "<td>{}</td>", ((isolated(cell),) for cell in rest)))
            for first, *rest in rows
        ),
    )
    return format_html(
        '<details class="chart-data"><summary>{}</summary><div class="chart-scroll" tabindex="0" role="region"'
        ' aria-label="{}"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details>',
        name or words.table,
        f"{clean(caption.title)}: {name or words.table}",
        format_html_join("", '<th scope="col">{}</th>', ((clean(head),) for head in heads)),
        body,
    )


def legend(entries: Iterable[tuple[SafeString, str]]) -> SafeString:
    """Samples and what they mean; nothing for one alone, the title says it."""
    items = [format_html("<li>{}{}</li>", sample, isolated(label)) for sample, label in entries]
    return format_html('<ul class="chart-legend">{}</ul>', joined(items)) if len(items) > 1 else NOTHING


def sample(kind: str) -> SafeString:
    """A swatch in the classes of what it explains."""
    return format_html(
        '<svg class="chart-sample" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">'
        '<rect class="{}" width="14" height="14" rx="3"/></svg>',
        kind,
    )


def decimals(value: float, places: int = 2) -> str:
    """For coordinates: '43.2', never '43.200000001' and never a comma."""
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
