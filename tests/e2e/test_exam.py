"""A doctor takes a test in a real browser: with a line that breaks, on two devices, with and without scripts."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, eventually
from tests.e2e.looking import DARK_RULES, darken, lighten, take, violations

pytestmark = pytest.mark.browser
LOST = "Failed to load resource|ERR_INTERNET_DISCONNECTED"


def answers(site: Site, doctor: str) -> dict[int, object]:
    rows = site.rows(
        "SELECT position, value FROM assessments_answer JOIN assessments_attempt a ON a.id = attempt_id"
        " WHERE user_id = %s AND quiz_id = %s AND value IS NOT NULL",
        int(site.world["doctors"][doctor]["id"]),
        site.world["assessments"]["exam"],
    )
    return dict(rows)


def look(page: Page, name: str) -> None:
    lighten(page)
    assert violations(page) == []
    darken(page)
    assert violations(page, *DARK_RULES) == []
    lighten(page)
    take(page, name)


def question(page: Page, number: int) -> None:
    expect(page.get_by_text(f"Question {number} of 9")).to_be_visible()


def test_a_line_that_breaks_another_device_and_handing_in(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    complaints.allow(LOST)
    front = f"{site.url}/tests/{site.world['assessments']['exam']}/"
    laptop = open_browser("exam")
    page = laptop.new_page()
    page.goto(front)
    look(page, "front")
    page.get_by_role("button", name="Start the test").click()
    question(page, 1)
    look(page, "single")
    page.get_by_label("How many oocytes a stimulation would yield").check()
    eventually(lambda: answers(site, "exam") == {0: {"choice": "b"}})
    expect(page.locator("form.quiz-question")).to_have_count(9)  # the first answer fetched the others
    page.get_by_role("button", name="Next").click()
    question(page, 2)

    laptop.set_offline(True)
    page.get_by_label("Ovarian surgery").check()
    expect(page.get_by_text("No connection. Your answer is kept on this device")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    question(page, 3)
    page.get_by_label("False").check()
    assert set(answers(site, "exam")) == {0}
    laptop.set_offline(False)
    eventually(lambda: set(answers(site, "exam")) == {0, 1, 2})
    page.close()

    phone = open_browser("exam", "phone").new_page()
    phone.goto(front)
    phone.get_by_role("button", name="Go on with your attempt").click()
    question(phone, 4)
    look(phone, "matching")
    for number, name in ((5, "ordering"), (6, "numeric"), (7, "short"), (8, "vignette")):
        phone.get_by_role("link", name=f"{number} not answered").click()
        question(phone, number)
        look(phone, name)
    phone.get_by_label("Talk about IVF soon").check()
    expect(phone.locator("#q7 [data-state]")).to_have_text("Saved")
    phone.get_by_role("link", name="Hand in").click()
    expect(phone.get_by_role("heading", name="Hand in now?")).to_be_visible()
    expect(phone.locator(".quiz-count")).to_contain_text("4 / 9")
    look(phone, "finish")
    phone.get_by_role("button", name="Hand in").click()
    expect(phone.get_by_role("heading", name="Not passed this time")).to_be_visible()
    look(phone, "result")
    assert site.rows(
        "SELECT state, score, ended_by FROM assessments_attempt WHERE user_id = %s AND quiz_id = %s",
        int(site.world["doctors"]["exam"]["id"]),
        site.world["assessments"]["exam"],
    ) == [("marked", pytest.approx(3.5), "person")]


def test_by_keyboard_and_without_a_script(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("script", java_script_enabled=False).new_page()
    page.goto(f"{site.url}/tests/{site.world['assessments']['exam']}/")
    page.get_by_role("button", name="Start the test").press("Enter")
    question(page, 1)
    page.get_by_label("How many oocytes a stimulation would yield").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # a form is sent by its first button
    question(page, 2)
    assert answers(site, "script") == {0: {"choice": "b"}}
    page.get_by_role("checkbox", name="Come back to it").check()
    page.get_by_role("button", name="Next").click()
    question(page, 3)
    page.get_by_role("button", name="Back").click()
    question(page, 2)
    expect(page.get_by_role("checkbox", name="Come back to it")).to_be_checked()
    page.get_by_role("link", name="Hand in").click()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", name="Not passed this time")).to_be_visible()


def test_what_is_ticked_before_the_script_is_here_is_saved_when_it_comes(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("early").new_page()
    held: list[Route] = []
    page.route("**/js/quiz/page*.js", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks what it is given
    page.goto(f"{site.url}/tests/{site.world['assessments']['exam']}/")
    # The page's own "load" waits for the script, and so would a click that waits for the page.
    with page.expect_request("**/js/quiz/page*.js"):
        page.get_by_role("button", name="Start the test").click(no_wait_after=True)
    question(page, 1)
    page.get_by_label("How many oocytes a stimulation would yield").check()
    assert len(held) == 1
    assert answers(site, "early") == {}
    held[0].continue_()
    eventually(lambda: answers(site, "early") == {0: {"choice": "b"}})
    expect(page.locator("#q0 [data-state]")).to_have_text("Saved")
    # The page was the answer to the button: it is asked for again, and not sent again.
    assert "/attempts/" in page.url
    page.unroute_all()
    page.reload()
    question(page, 2)
