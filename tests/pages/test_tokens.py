"""WCAG 2.2 AA for the colours themselves: text 4.5 : 1, edges and drawings 3 : 1, in light and in dark."""

import math
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static/css"
TEXT = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunken"), ("ink", "warm-wash"), ("ink", "live-wash"),
    ("ink", "accent-wash"), ("ink-soft", "paper"), ("ink-soft", "surface"), ("ink-soft", "sunken"),
    ("ink-soft", "warm-wash"), ("accent-strong", "paper"), ("accent-strong", "surface"),
    ("accent-strong", "accent-wash"), ("on-accent", "accent"), ("on-accent", "accent-strong"), ("warm", "warm-wash"),
    ("warm", "surface"), ("warm", "paper"),
    *((f"on-heat-{n}", f"heat-{n}") for n in range(1, 6)),
    ("live", "live-wash"), ("live", "surface"), ("surface", "live"),
]  # fmt: skip
SHAPES = [
    ("line-strong", "surface"), ("line-strong", "paper"), ("accent", "surface"), ("accent", "sunken"),
    ("seen", "unseen"),
    ("focus", "paper"), ("focus", "surface"), ("live", "surface"),
    *((f"chart-{n}", ground) for n in range(1, 7) for ground in ("surface", "paper")), ("heat-5", "surface"),
    ("heat-5", "heat-2"), ("heat-4", "heat-1"),
]  # fmt: skip


def tokens(scheme: str) -> dict[str, str]:
    light, _, dark = (CSS / "tokens.css").read_text().partition("(prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", dark))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


OFFICE_SHEETS = (
    "campaign.css", "certificate-template.css", "credit-office.css", "evaluation-results.css", "figures.css",
    "item-editor.css", "key.css", "message-template.css", "queue.css", "recording.css", "tests-office.css",
)  # fmt: skip


def test_contrast_is_measured_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_contrast(scheme: str) -> None:
    colours = tokens(scheme)
    weak = [(a, b, 4.5) for a, b in TEXT if contrast(colours[a], colours[b]) < 4.5]
    weak += [(a, b, 3.0) for a, b in SHAPES if contrast(colours[a], colours[b]) < 3.0]
    assert weak == []


# How eyes without one of the three receptors see a linear colour (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def product(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix]


def seen(colour: str, eye: str) -> list[float]:
    """In CIELAB, where a distance of 2 is just noticed by trained eyes side by side."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    xyz = product(TO_XYZ, [min(1.0, max(0.0, value)) for value in product(EYES[eye], linear)])
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        (value / one) ** (1 / 3) if value / one > 0.008856 else 7.787 * value / one + 16 / 116
        for value, one in zip(xyz, white, strict=True)
    )
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_charts_are_told_apart_by_every_eye(scheme: str, eye: str) -> None:
    colours = tokens(scheme)
    shades = {n: seen(colours[f"chart-{n}"], eye) for n in range(1, 7)}
    close = [(a, b) for a, b in combinations(shades, 2) if math.dist(shades[a], shades[b]) < 15]
    assert close == []
    # A heat map is read by lightness: every step goes the same way, and far enough to be seen.
    steps = [seen(colours[f"heat-{n}"], eye)[0] for n in range(1, 6)]
    way = 1 if scheme == "dark" else -1
    assert all(way * (after - before) > 8 for before, after in pairwise(steps))


def test_sheets_use_tokens_that_exist_and_only_logical_directions() -> None:
    own = re.compile(r"(--[\w-]+):")
    tokens = set(own.findall((CSS / "tokens.css").read_text()))
    # admin.css dresses the admin's theme, and these are pages of it: the theme brings its own colours.
    sheets = {path.name: path.read_text() for path in CSS.rglob("*.css") if path.name != "admin.css"}
    used = {name: set(re.findall(r"var\((--[\w-]+)\)", text)) for name, text in sheets.items()}
    for name in OFFICE_SHEETS:
        used[name] = {variable for variable in used[name] if not variable.startswith("--color-")}
    unknown = {name: names - tokens - set(own.findall(sheets[name])) for name, names in used.items()}
    assert {name: names for name, names in unknown.items() if names} == {}
    physical = re.compile(r"(margin|padding|border)-(left|right)|text-align:\s*(left|right)|float:")
    assert [name for name, text in sheets.items() if physical.search(text)] == []
    modern = re.compile(r":has\(|color-mix\(|@layer|@container|^\s*&", re.MULTILINE)
    assert [name for name, text in sheets.items() if modern.search(text)] == []
