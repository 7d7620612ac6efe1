"""A check within a webinar in real browsers: opened on the stage, answered in a tab of its own, and closed."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import OpenBrowser, Site, until
from tests.e2e.looking import BOTH, DARK_RULES, darken, lighten, take, violations
from tests.e2e.test_player_units import open_page

pytestmark = pytest.mark.browser
CARDS = """
<template data-words>
  <span data-word="told-check">{text}!</span><span data-word="check-questions">{questions} questions</span>
</template>
<div data-part="held">
  <section data-id="1" data-at="438.0"><b data-field="title">Asked at 7:18</b></section>
  <section data-id="2"><b data-field="title">Never asked</b></section>
  <template>
    <section><b data-field="title"></b><i data-field="questions"></i><a data-field="link"></a></section>
  </template>
</div>"""
SETUP = """async (a) => {
  document.body.innerHTML = a.cards;
  const { Held } = await import("/js/live/held.js");
  window.told = [];
  window.now = null;
  window.room = new EventTarget();
  const held = new Held({ room, seconds: () => window.now, tell: (text) => window.told.push(text) });
  held.show({ lesson: 7, stage: a.stage, isDone: a.isDone });
}"""
SHOWN = "() => [...document.querySelectorAll('[data-id]')].filter((one) => !one.hidden).map((one) => one.dataset.id)"
HEAR = "(data) => { window.room.dispatchEvent(new CustomEvent('event', { detail: { kind: 'check', data } })); }"


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    yield from open_page(chromium)


def test_beside_a_recording_a_check_appears_at_its_second_and_stays(page: Page) -> None:
    page.evaluate(SETUP, {"cards": CARDS, "stage": "recorded", "isDone": False})
    assert page.evaluate(SHOWN) == ["2"]
    page.evaluate("window.now = 437.9")
    page.evaluate(HEAR, {"id": 3, "title": "Live only", "questions": 2, "removed": False})
    page.evaluate("window.now = 438")
    until(page, "() => !document.querySelector('[data-id=\"1\"]').hidden")
    page.evaluate("window.now = 10")
    assert page.evaluate(SHOWN) == ["1", "2"]
    assert page.evaluate("[window.told, window.name]") == [["Asked at 7:18!"], "lesson-7"]
    page.evaluate(SETUP, {"cards": CARDS, "stage": "recorded", "isDone": True})
    assert page.evaluate(SHOWN) == ["1", "2"]


def test_in_the_room_a_check_comes_once_and_goes(page: Page) -> None:
    page.evaluate(SETUP, {"cards": CARDS, "stage": "live", "isDone": False})
    for _ in range(2):
        page.evaluate(HEAR, {"id": 3, "title": "<b>Which?</b>", "questions": 2, "removed": False})
    card = page.locator("[data-id='3']")
    expect(card.locator("[data-field=title]")).to_have_text("<b>Which?</b>")
    expect(card.locator("[data-field=questions]")).to_have_text("2 questions")
    assert card.locator("a").evaluate("(one) => [one.getAttribute('href'), one.target]") == ["/lessons/3/", "lesson-3"]
    assert page.evaluate("window.told") == ["<b>Which?</b>!"]
    page.evaluate(HEAR, {"id": 3, "title": "", "questions": 2, "removed": True})
    expect(card).to_have_count(0)


def look(page: Page, name: str) -> None:
    lighten(page)
    assert violations(page) == []
    darken(page)
    assert violations(page, *DARK_RULES) == []
    lighten(page)
    take(page, name, schemes=BOTH)


def enter(site: Site, open_browser: OpenBrowser, cookie: str, **options: Any) -> BrowserContext:
    context = open_browser(**options)
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.url, "httpOnly": True}])
    return context


def test_the_room_answers_while_the_webinar_goes_on(open_browser: OpenBrowser, site: Site) -> None:
    world = site.run("tests.e2e.check_world")
    address = f"{site.url}/webinars/{world['webinar']}/"
    people = world["people"]
    stage = enter(site, open_browser, people["presenter"]).new_page()
    stage.goto(f"{address}stage/")
    doctor = enter(site, open_browser, people["doctor"])
    room = doctor.new_page()
    room.goto(address)
    card = room.get_by_role("region", name="Check")
    expect(room.locator("#room")).to_be_visible()
    expect(card).to_have_count(0)
    room.evaluate("window.wasThere = true")

    stage.get_by_role("button", name="Open for everybody").click()
    expect(card.get_by_text("Three patients")).to_be_visible()
    expect(card.get_by_text("3 questions")).to_be_visible()
    look(room, "check-room")
    plain = enter(site, open_browser, people["doctor"], java_script_enabled=False).new_page()
    plain.goto(address)
    expect(plain.get_by_role("link", name="Answer")).to_be_visible()

    with doctor.expect_page() as opened:
        card.get_by_role("link", name="Answer").click()
    tab = opened.value
    tab.get_by_role("button", name="Start the test").click()
    tab.get_by_label("IVF").check()
    expect(stage.get_by_text("1 doctor has answered")).to_be_visible()
    look(stage, "check-stage-open")
    look(tab, "check-answering")

    tab.get_by_role("link", name="Back to the webinar").click()
    expect(room).to_have_url(f"{address}#webinar")
    assert len(doctor.pages) == 2
    assert room.evaluate("window.wasThere")  # it was not even loaded again

    desk = enter(site, open_browser, people["moderator"]).new_page()
    desk.goto(f"{site.url}/admin/webinars/desk/{world['webinar']}/")
    expect(desk.get_by_text("1 doctor has answered")).to_be_visible()
    look(desk, "check-desk")
    desk.get_by_role("button", name="Close the check").click()
    expect(card).to_have_count(0)
    expect(stage.get_by_text("Right answers", exact=False)).to_have_count(0)
    expect(stage.locator("[data-part=checks]").get_by_text("right", exact=True).first).to_be_attached()
    look(stage, "check-stage-closed")
