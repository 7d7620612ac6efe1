"""WCAG 2.2 AA for the colours themselves: text 4.5 : 1, edges and drawings 3 : 1, in light and in dark."""

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static/css"
TEXT = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunken"), ("ink", "warm-wash"), ("ink", "live-wash"),
    ("ink", "accent-wash"), ("ink-soft", "paper"), ("ink-soft", "surface"), ("ink-soft", "sunken"),
    ("ink-soft", "warm-wash"), ("accent-strong", "paper"), ("accent-strong", "surface"),
    ("accent-strong", "accent-wash"), ("on-accent", "accent"), ("on-accent", "accent-strong"), ("warm", "warm-wash"),
    ("warm", "surface"), ("warm", "paper"),
    ("live", "live-wash"), ("live", "surface"), ("surface", "live"),
]  # fmt: skip
SHAPES = [
    ("line-strong", "surface"), ("line-strong", "paper"), ("accent", "surface"), ("accent", "sunken"),
    ("seen", "unseen"),
    ("focus", "paper"), ("focus", "surface"), ("live", "surface"),
]  # fmt: skip


def tokens(scheme: str) -> dict[str, str]:
    light, _, dark = (CSS / "tokens.css").read_text().partition("@media (prefers-color-scheme: dark)")
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
