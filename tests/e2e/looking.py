"""A look at a loaded page: by axe, in light, and then in the dark without loading it again; and pictures for people."""

import os
from collections.abc import Sequence
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script
# Only colours differ in the dark.
DARK_RULES = ("color-contrast", "link-in-text-block")
# Colours that change in place pass through shades that nobody sees. What ends may start another one further in.
END_TRANSITIONS = """() => {
    for (let round = 0; round < 20; round++) {
        const running = document.getAnimations().filter((one) => one instanceof CSSTransition);
        if (!running.length) return;
        for (const one of running) one.finish();
    }
    throw new Error("Transitions without end");
}"""
# The theme of the admin asks the device once, while it loads, and writes the answer there.
FOLLOW_IN_THE_THEME = "() => document.querySelector('html[x-data]')?.classList.add('dark')"
BOTH = ("light", "dark")
WIDTHS = {360: 740, 768: 1024, 1440: 900}
LOOK = Path(__file__).with_suffix(".js").read_text()
GOOD: dict[str, None] = {}  # how texts stand whose contrast axe measured and found good in this run


def violations(page: Page, *rules: str) -> list[str]:
    """Serious and critical ones of axe, with the first offending element of each. Without rules: by all of them."""
    seen = page.evaluate(LOOK, [rules, list(GOOD)])
    if seen is None:
        page.evaluate(AXE)
        seen = page.evaluate(LOOK, [rules, list(GOOD)])
    GOOD.update(dict.fromkeys(seen["good"]))
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary'][:200]}"
        for one in seen["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


def darken(page: Page) -> None:
    """What is open stays as it is: half of the time of a look is loading."""
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.evaluate(FOLLOW_IN_THE_THEME)
    page.evaluate(END_TRANSITIONS)


def lighten(page: Page) -> None:
    """Before a page loads; also at the start, so that nothing moves."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.evaluate(END_TRANSITIONS)


def take(page: Page, name: str, *, schemes: Sequence[str] = ("light",), widths: Sequence[int] = tuple(WIDTHS)) -> None:
    """Pictures for a person to look at, where somebody asks for them with LOOK=<folder>. Leaves the page light."""
    folder = os.environ.get("LOOK")
    if not folder:
        return
    before = page.viewport_size
    for scheme in schemes:
        (darken if scheme == "dark" else lighten)(page)
        for width in widths:
            page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            page.screenshot(path=str(Path(folder) / f"{name}-{width}-{scheme}.png"), full_page=True)
    lighten(page)
    if before:
        page.set_viewport_size(before)
