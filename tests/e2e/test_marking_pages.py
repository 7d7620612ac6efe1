"""The marking desk and the correction of a key in real browsers: by keyboard, without a script, on every screen."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import LAPTOP, OpenBrowser, Site, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def enter(open_browser: OpenBrowser, site: Site, who: str, **options: object) -> BrowserContext:
    context = open_browser(**options)
    value = site.world["marking"]["people"][who]
    context.add_cookies([{"name": "sessionid", "value": value, "url": site.url, "httpOnly": True}])
    return context


def look(page: Page, name: str) -> None:
    """At three widths, by axe in light and dark."""
    lighten(page)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        until(page, FITS)
        take(page, name, widths=[width])
    assert (name, violations(page)) == (name, [])
    darken(page)
    assert (name, violations(page, *DARK_RULES)) == (name, [])
    take(page, name, schemes=["dark"], widths=[1440])
    page.set_viewport_size(LAPTOP)  # type: ignore[arg-type]


def test_the_desk_is_accessible_and_fits_each_screen(open_browser: OpenBrowser, site: Site) -> None:
    world = site.world["marking"]
    third = enter(open_browser, site, "marker-three").new_page()
    pages = {
        "programmes": "/programmes/",
        "desks": "/marking/",
        "desk": f"/marking/{world['exam']}/",
        "essay": f"/marking/answers/{world['essay']}/",
        "short": f"/marking/answers/{world['short']}/",
        "disputed": f"/marking/answers/{world['disputed']}/",
    }
    for name, address in pages.items():
        third.goto(site.url + address)
        look(third, name)
    one = enter(open_browser, site, "marker-one").new_page()
    one.goto(f"{site.url}/marking/answers/{world['disputed']}/")
    look(one, "own-mark")
    one.goto(f"{site.url}/marking/answers/{world['short']}/")
    one.get_by_label("Points, 0 to 4").fill("five")
    one.keyboard.press("Enter")
    expect(one.get_by_text("This is no number.")).to_be_visible()
    look(one, "no-number")


def marks(site: Site, who: str) -> list[float]:
    rows = site.rows(
        "SELECT h.points FROM assessments_handmark h JOIN accounts_user u ON u.id = h.marker_id"
        " JOIN assessments_answer w ON w.id = h.answer_id JOIN assessments_attempt a ON a.id = w.attempt_id"
        " WHERE u.email = %s AND a.quiz_id = %s ORDER BY h.at",
        f"{who}@example.org",
        site.world["marking"]["exam"],
    )
    return [float(points) for (points,) in rows]


def test_an_exam_is_marked_by_keyboard(open_browser: OpenBrowser, site: Site) -> None:
    """By a third marker: two essays that nobody has begun, and the one where two disagree."""
    page = enter(open_browser, site, "marker-three").new_page()
    page.goto(f"{site.url}/marking/{site.world['marking']['exam']}/")
    page.get_by_role("button", name="Begin to mark").press("Enter")
    first = page.get_by_label("Names the granulosa cells of small follicles, 0 to 2 points")
    expect(first).to_be_focused()
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("1,5")
    page.keyboard.press("Tab")
    page.keyboard.type("1")
    expect(page.get_by_text("Together: 4.5 / 5")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("A good one.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Your mark before this one: 3.6")).to_be_visible()
    page.get_by_role("button", name="Skip for now").click()
    expect(page.get_by_role("heading", name="Your last marks")).to_be_visible()  # the only one was put off
    page.get_by_role("button", name="Go on marking").click()
    expect(first).to_be_focused()
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.type("0")
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Decide where two disagree")).to_be_visible()
    page.get_by_role("button", name="Decide where two disagree").press("Enter")
    expect(page.get_by_text("Too short for an exam.")).to_be_visible()
    expect(page.get_by_text("The second half is missing.")).to_be_visible()
    for field in ("a", "b", "c"):
        page.locator(f"[name=criterion-{field}]").fill("1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 3 marked")).to_be_visible()
    assert marks(site, "marker-three") == [3.6, 0, 2.4]


def test_short_answers_without_a_script_and_a_mark_that_was_a_slip(open_browser: OpenBrowser, site: Site) -> None:
    page = enter(open_browser, site, "marker-two", java_script_enabled=False).new_page()
    page.goto(f"{site.url}/marking/")
    page.get_by_role("button", name="Mark After the lecture: in your own words").click()
    expect(page.get_by_text("theca cell", exact=True)).to_be_visible()
    page.get_by_role("button", name="As the key suggests: 2").click()
    expect(page.get_by_text("1 of 3 marked")).to_be_visible()
    page.get_by_role("button", name="All: 4").click()
    expect(page.get_by_text("2 of 3 marked")).to_be_visible()
    page.get_by_label("Points, 0 to 4").fill("0.5")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_text("Nothing waits here. Thank you.")).to_be_visible()
    page.get_by_role("region", name="Your last marks").get_by_role("link").first.click()
    page.get_by_label("Points, 0 to 4").fill("3")
    page.get_by_label("Why it is changed").fill("I misread it.")
    page.get_by_role("button", name="Change my mark").click()
    expect(page.get_by_text("Your mark is changed.")).to_be_visible()
    rows = site.rows(
        "SELECT c.reason, c.score_after - c.score_before FROM assessments_scorechange c"
        " JOIN assessments_attempt a ON a.id = c.attempt_id WHERE a.quiz_id = %s",
        site.world["marking"]["words"],
    )
    assert [(reason, float(more)) for reason, more in rows] == [("I misread it.", 2.5)]


def test_a_wrong_key_is_corrected_in_the_office(open_browser: OpenBrowser, site: Site) -> None:
    page = enter(open_browser, site, "marking-office").new_page()
    address = f"{site.url}/admin/assessments/item/{site.world['marking']['item']}"
    page.goto(f"{address}/key/")
    look(page, "key")
    page.get_by_role("radio", name="Option C").check()
    page.get_by_role("button", name="See who would change").click()
    expect(page.get_by_text("Say why: doctors whose result changes will ask")).to_be_visible()
    look(page, "key-no-reason")
    page.get_by_label("Why it is corrected").fill("Two experts say C, and the reference does too.")
    page.get_by_role("button", name="See who would change").click()
    expect(page.get_by_role("heading", name="Whose result changes")).to_be_visible()
    look(page, "key-preview")
    page.get_by_role("button", name="Back to the key").click()
    expect(page.get_by_role("radio", name="Option C")).to_be_checked()
    page.get_by_role("button", name="See who would change").click()
    page.get_by_role("button", name="Correct the key and mark everybody again").click()
    expect(page.get_by_text("Two experts say C, and the reference does too.")).to_be_visible()
    expect(page.get_by_role("link", name="5 changed results")).to_be_visible()
    page.get_by_role("link", name="5 changed results").click()
    expect(page.get_by_text("passes now").first).to_be_visible()
    look(page, "corrections")
