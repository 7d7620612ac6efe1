"""Every chart once and in its corner cases, on one page, for the eye, for axe and for measuring what covers what."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.template import Context, Template
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from analytics.rendering.data import Bar, Bin, FunnelStep, Mark, MarkKind, Series, Stack

RUBBISH = "<script>alert(1)</script>\"'&> \u202egnihtemos\u0000 {{ x }} %s"
LONG = "Endometriosis-associated infertility: an evidence-based and thoroughly multidisciplinary approach, day by day"
ARABIC = "بطانة الرحم المهاجرة والخصوبة: ما تقوله الأدلة"
PAGE = """<!doctype html><html lang="{lang}" dir="{direction}"><head><meta charset="utf-8"><title>Charts</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/css/tokens.css"><link rel="stylesheet" href="/css/base.css">
<link rel="stylesheet" href="/css/components.css"><link rel="stylesheet" href="/css/charts.css"></head>
<body><div class="page"><main><h1>Charts</h1>{parts}</main></div>
<script type="module" src="/js/charts.js"></script></body></html>"""


def retention() -> list[Series]:
    live = [
        (t, min(1.0, 1 - t / 9000 - (0.09 if t > 870 else 0) - max(0, t - 3300) / 1200)) for t in range(0, 3601, 10)
    ]
    again = [(t, 0.45 + 0.12 * math.sin(t / 500) - t / 14000) for t in range(0, 3601, 10)]
    return [Series("Live", live, is_area=True, is_step=True), Series("Recording", again)]


def marks() -> list[Mark]:
    slides = [Mark(t, f"Slide {n}", MarkKind.SLIDE) for n, t in enumerate(range(0, 3600, 140), 1)]
    chapters = [
        Mark(0, "Welcome", MarkKind.CHAPTER), Mark(300, LONG, MarkKind.CHAPTER), Mark(1500, ARABIC, MarkKind.CHAPTER),
        Mark(2700, RUBBISH, MarkKind.CHAPTER), Mark(3450, "End", MarkKind.CHAPTER),
    ]  # fmt: skip
    questions = [Mark(t, "Question", MarkKind.QUESTION) for t in (420, 432, 440, 1300, 2210, 2900, 2950)]
    polls = [Mark(1200, "Which stage?", MarkKind.POLL, 2, "72% answered"), Mark(2520, "And now?", MarkKind.POLL)]
    pins = [
        Mark(870, "Slide 9 · statistics", MarkKind.NOTE, 9, "9% left"),
        Mark(905, LONG, MarkKind.REPLAY, 5, "replayed by 612"),
        Mark(2880, "Case 2", MarkKind.REPLAY, 8, "replayed by 611"),
        Mark(3560, RUBBISH, MarkKind.NOTE, 4),
        Mark(5, ARABIC, MarkKind.REPLAY, 3, "×12"),
    ]
    return [*slides, *chapters, *questions, *polls, *pins]


def crowd() -> list[Mark]:
    return [Mark(60 * n, f"Moment {n}: {LONG}", MarkKind.REPLAY, 60 - n) for n in range(60)]


def audience() -> list[Series]:
    start = datetime(2026, 11, 24, 18, 15, tzinfo=UTC).timestamp()
    people = [
        (start + 60 * n, float(max(0, int(7960 * math.sin(min(1.57, n / 14)) - 40 * max(0, n - 60)))))
        for n in range(95)
    ]
    coming = [(start + 60 * n, float(int(900 * math.exp(-((n - 10) ** 2) / 60)))) for n in range(95)]
    return [
        Series("Watching", people, is_step=True, is_area=True),
        Series("Arriving a minute", coming, on_second_axis=True, is_step=True),
    ]


def trend() -> list[Series]:
    days = [datetime(2026, month, 3, 12, tzinfo=UTC).timestamp() for month in range(3, 12)]
    return [
        Series("Yours", [(day, None if n == 3 else 4 + 0.6 * math.sin(n)) for n, day in enumerate(days)]),
        Series("Programme", [(day, 4.2 + n / 60) for n, day in enumerate(days)]),
    ]


def many() -> list[Series]:
    return [
        Series(f"Course {n}", [(t, 100 * n + 60 * math.sin(t / 40 + n)) for t in range(0, 400, 5)]) for n in range(1, 7)
    ]


COUNTRIES = [
    Bar("India", 5310),
    Bar("Brazil", 1004),
    Bar("Kenya", 612),
    Bar(LONG, 471, "mostly at night"),
    Bar(RUBBISH, 420, url="/x/"),
    Bar("San Marino", None),
]
STACKS = [
    Stack(
        "Medical content", (4, 12, 90, 900, 2896), history=(4.1, 4.4, 4.3, 4.6),
        notes=("programme 4.3", "your others 4.5"),
    ),
    Stack(LONG, (220, 340, 800, 1300, 1240), history=(3.9, 3.2)),
    Stack("Nobody answered", (0, 0, 0, 0, 0)),
    Stack("Few answered", None, mean=None),
    Stack("All agree", (0, 0, 0, 0, 12)),
]  # fmt: skip
ANSWERS = ["Not at all", "Hardly", "Partly", "Mostly", "Fully"]
BINS = [
    Bin(n * 300.0, n * 300.0 + 300, c) for n, c in enumerate([120, 80, 60, 90, 140, 200, 310, 420, 380, 260, 900, 2400])
]
PARTS = [Bar("Live", 8214), Bar("Recording", 1873), Bar("Both", 611), Bar(RUBBISH, 40)]
HEAT: dict[tuple[int, int], float | None] = {
    (d, h): float(int(900 * math.exp(-((h - 19) ** 2) / 9) * (0.2 if d > 4 else 1)))
    for d in range(7)
    for h in range(24)
}
HEAT |= {(6, 3): None}
WORLD: dict[str, float | None] = {
    "IN": 5310, "BR": 1004, "KE": 612, "DE": 471, "VN": 420, "US": 90, "SG": 64, "MT": 12, "LU": 7, "MU": 31, "PF": 3,
    "": 14, "XK": 2, "FR": 88, "ZA": 230, "NO": None, "ZZ": 1,
}  # fmt: skip
STEPS = [
    FunnelStep("Invited", 15000), FunnelStep("Joined", 10420, "/message/", "Write to them"),
    FunnelStep("Attended", 8214),
    FunnelStep(LONG, 4902, "/message/", "Write to them"), FunnelStep("Certified", 3900),
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    tag: str
    data: Callable[[], Any]
    title: str = "A chart"


TIMELINE = 'line_chart data key=key title=title marks=marks x="clock" y="percent"'
EVENING = 'line_chart data key=key title=title x="time" second="number" y_title="People" second_title="a minute"'
STAYED = 'histogram_chart data key=key title=title x="duration" x_title="Minutes watched" marked=2700'
RINGS = "ring_chart data key=key title=title"
CASES: Mapping[str, Case] = {
    "retention": Case(
        TIMELINE + " has_reader=True y_high=1",
        lambda: {"data": retention(), "marks": marks()},
        "Who was watching, minute by minute",
    ),
    "crowd": Case(TIMELINE, lambda: {"data": retention()[:1], "marks": crowd()}, "More pins than there is room for"),
    "audience": Case(EVENING, lambda: {"data": audience()}, "The evening"),
    "trend": Case(
        'line_chart data key=key title=title x="date" y="mean" y_low=1 y_high=5', lambda: {"data": trend()}, "The year"
    ),
    "many": Case('line_chart data key=key title=title x="number"', lambda: {"data": many()}, "Six lines"),
    "single": Case(
        'line_chart data key=key title=title y="percent"', lambda: {"data": [Series("Live", [(0, 0.5)])]}, "One point"
    ),
    "empty": Case("line_chart data key=key title=title", lambda: {"data": []}, "Nothing"),
    "bars": Case("bar_chart data key=key title=title whole=7817", lambda: {"data": COUNTRIES}, "Where they were"),
    "stacked": Case(
        "stacked_chart data answers key=key title=title",
        lambda: {"data": STACKS, "answers": ANSWERS},
        "What they thought",
    ),
    "histogram": Case(STAYED, lambda: {"data": BINS}, "How long they stayed"),
    "ring": Case(RINGS + ' middle="81%" under="live"', lambda: {"data": PARTS}, "Live or later"),
    "whole": Case(RINGS + ' middle="100%"', lambda: {"data": PARTS[:1]}, "One part"),
    "heat": Case("heat_map data key=key title=title", lambda: {"data": HEAT}, "When they are there"),
    "world": Case("world_map data key=key title=title", lambda: {"data": WORLD}, "Countries"),
    "funnel": Case("funnel_chart data key=key title=title", lambda: {"data": STEPS}, "From invited to certified"),
    "rubbish": Case(
        "bar_chart data key=key title=title summary=title", lambda: {"data": [Bar(RUBBISH, 1, RUBBISH)]}, RUBBISH
    ),
}
HALVES = {
    "half-curve": Case(
        TIMELINE + ' size="half" heading=3', lambda: {"data": retention(), "marks": marks()}, "In half a page"
    ),
    "half-bars": Case(
        'bar_chart data key=key title=title size="half" heading=3', lambda: {"data": COUNTRIES}, "Bars in half a page"
    ),
}


def draw(case: Case, key: str = "one") -> SafeString:
    source = "{% load charts %}{% " + case.tag + " %}"
    return Template(source).render(Context({"key": key, "title": case.title, **case.data()}))


def page(language: str = "en", zone: str = "Asia/Kolkata") -> str:
    with translation.override(language), timezone.override(zone):
        cards = "".join(f'<section class="card">{draw(case, key)}</section>' for key, case in CASES.items())
        halves = "".join(f'<section class="card">{draw(case, key)}</section>' for key, case in HALVES.items())
        spark = Template("{% load charts %}{% spark_line values 'Average' y='mean' low=1 high=5 %}").render(
            Context({"values": [3.9, 4.1, 4.0, 4.4]})
        )
        parts = f'{cards}<div class="split even">{halves}</div><p>Average {spark} 4.4</p>'
        direction = "rtl" if translation.get_language_bidi() else "ltr"
    return PAGE.format(lang=language, direction=direction, parts=parts)
