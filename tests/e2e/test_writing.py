"""Questions are written in the office in a real browser: with the preview that follows, and without scripts."""

from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e.conftest import OpenBrowser, Site
from tests.e2e.looking import DARK_RULES, darken, lighten, take, violations

pytestmark = pytest.mark.browser
KINDS = ("single", "multiple", "true_false", "matching", "ordering", "numeric", "short", "essay", "hotspot", "vignette")


def bank(site: Site) -> str:
    return str(site.world["office"]["assessments.bank"])


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[name=look]")


def look(page: Page, name: str) -> None:
    lighten(page)
    assert violations(page) == []
    take(page, name)
    take(page, name, schemes=("dark",), widths=(1440,))
    darken(page)
    assert violations(page, *DARK_RULES) == []
    lighten(page)


def test_what_is_typed_is_seen_at_once_and_saved(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("office").new_page()
    page.goto(f"{site.url}/admin/assessments/item/add/?bank={bank(site)}")
    page.get_by_role("button", name="Single best answer").click()
    page.get_by_label("Question", exact=True).fill("Which hormone surges <strong>before</strong> ovulation?")
    page.locator("#id_options-0-text").fill("FSH")
    expect(frame(page).get_by_text("Which hormone surges before ovulation?").first).to_be_visible()
    expect(frame(page).get_by_text("Not finished yet")).to_be_visible()
    page.locator("#id_options-1-text").fill("LH")
    page.locator("#id_options-1-right").check()
    page.locator("#id_options-1-why").fill("The surge begins\n\n36 hours before.")
    expect(frame(page).get_by_text("gives 1 of 1")).to_be_visible()
    expect(frame(page).get_by_role("radio", name="LH")).to_be_visible()

    page.get_by_role("button", name="More rows").click()
    expect(page.locator("#id_options-5-text")).to_be_focused()
    expect(page.locator("#id_options-1-text")).to_have_value("LH")
    page.locator("#table-options [data-row]").nth(1).get_by_role("button", name="Move up 2").click()
    expect(frame(page).locator(".quiz-option").first).to_contain_text("LH")
    look(page, "writing-single")

    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Saved as a draft.")).to_be_visible()
    options, right = site.rows(
        "SELECT shown -> 'options', key ->> 'right' FROM assessments_itemversion ORDER BY id DESC LIMIT 1"
    )[0]
    assert ([one["text"] for one in options], right) == (["LH", "FSH"], "b")


def test_areas_of_a_picture_are_chosen_in_it(open_browser: OpenBrowser, site: Site, tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "scan.png"
    Image.effect_noise((800, 600), 60).save(picture)
    page = open_browser("office").new_page()
    page.goto(f"{site.url}/admin/assessments/item/add/?bank={bank(site)}&kind=hotspot")
    page.get_by_label("Question", exact=True).fill("Where is the follicle?")
    page.locator("#id_target-0-description").fill("An ultrasound picture")
    page.locator("#id_target-0-file").set_input_files(picture)
    expect(page.locator("[data-picker]")).to_be_visible()
    page.locator("[data-cell=C3] rect").click()
    page.locator("[data-cell=D4] rect").click()
    expect(page.locator("#id_areas-0-last")).to_have_value("D4")
    expect(page.locator("[data-picker] .right")).to_have_count(4)
    expect(frame(page).get_by_text("gives 1 of 1")).to_be_visible()
    look(page, "writing-hotspot")


def test_every_kind_without_a_script(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("office", java_script_enabled=False).new_page()
    for kind in KINDS:
        page.goto(f"{site.url}/admin/assessments/item/add/?bank={bank(site)}&kind={kind}")
        stem = page.get_by_label("Story" if kind == "vignette" else "Question", exact=True)
        stem.fill(f"What is right here, in {kind}?")
        page.get_by_role("button", name="Preview").click()
        shown = "Choose the picture." if kind == "hotspot" else f"What is right here, in {kind}?"
        expect(frame(page).get_by_text(shown).first).to_be_visible()
        if kind not in ("true_false", "vignette"):
            page.get_by_role("button", name="More rows").first.click()
        expect(stem).to_have_value(f"What is right here, in {kind}?")


def test_questions_that_are_there(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("office").new_page()
    for kind in ("vignette", "matching", "short"):
        ((item,),) = site.rows("SELECT id FROM assessments_item WHERE kind = %s ORDER BY id LIMIT 1", kind)
        page.goto(f"{site.url}/admin/assessments/item/{item}/write/")
        expect(frame(page).locator(".quiz-story, .quiz-stem").first).to_be_visible()
        look(page, f"writing-{kind}")
    page.get_by_label("Question", exact=True).fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Not saved yet. Please mend what is marked.")).to_be_visible()
    look(page, "writing-refused")


def test_two_who_write_at_once(open_browser: OpenBrowser, site: Site) -> None:
    """The second one sees what the first one changed, keeps every word, and may leave only after a question."""
    context = open_browser("office")
    mine, theirs = context.new_page(), context.new_page()
    ((item,),) = site.rows("SELECT id FROM assessments_item WHERE kind = 'true_false' ORDER BY id LIMIT 1")
    for page in (mine, theirs):
        page.goto(f"{site.url}/admin/assessments/item/{item}/write/")
    theirs.get_by_label("Why the right answer is right").fill("Theirs")
    theirs.get_by_role("button", name="Save", exact=True).click()
    expect(theirs.get_by_text("Saved as version 2.")).to_be_visible()
    mine.get_by_label("Said to who chose “true”").fill("Mine")
    mine.get_by_role("button", name="Save", exact=True).click()
    expect(mine.get_by_role("heading", name="Somebody was faster")).to_be_visible()
    expect(mine.locator("ins")).to_contain_text("Theirs")
    expect(mine.get_by_label("Said to who chose “true”")).to_have_value("Mine")
    look(mine, "writing-newer")
    mine.get_by_role("button", name="Save mine in its place").click()
    expect(mine.get_by_text("Saved as version 3.")).to_be_visible()
    mine.goto(f"{site.url}/admin/assessments/item/{item}/versions/")
    expect(mine.get_by_role("heading", name="Version 3")).to_be_visible()
    look(mine, "versions")
