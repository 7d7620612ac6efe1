"""The campaign desk in a browser: chosen, counted, shown, put on the clock and stopped; sent, and what came of it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, eventually, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = [pytest.mark.browser, pytest.mark.long]
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
WORLD = "tests.e2e.campaign_world"
World = dict[str, Any]
Office = Callable[..., Page]


@pytest.fixture
def world(site: Site) -> World:
    return dict(site.run(WORLD, "make"))


@pytest.fixture
def office(site: Site, open_browser: OpenBrowser, world: World, complaints: Complaints) -> Office:
    complaints.allow("Failed to execute 'postMessage'")  # axe asks the frame, which may run nothing

    def start(**options: Any) -> Page:
        context = open_browser(viewport={"width": 1440, "height": 900}, **options)
        context.add_cookies([{"name": "sessionid", "value": world["cookie"], "url": site.url, "httpOnly": True}])
        return context.new_page()

    return start


def look(page: Page, name: str) -> None:
    """At three widths, by axe in light and dark."""
    lighten(page)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        until(page, FITS)
        take(page, f"campaign-{name}", widths=[width])
    assert (name, violations(page)) == (name, [])
    darken(page)
    assert (name, violations(page, *DARK_RULES)) == (name, [])
    lighten(page)


def press(field: Locator, key: str = "Enter") -> None:
    """As somebody without a mouse."""
    field.focus()
    field.press(key)


def field(page: Page, name: str) -> Locator:
    return page.locator(f"[name='{name}']")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def begin(page: Page, site: Site, world: World, title: str) -> str:
    """Returns the new campaign's number."""
    page.goto(f"{site.url}/admin/reminders/campaign/add/")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Programme").select_option(label=world["programme"])
    press(button(page, "Begin"))
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    found = re.search(r"/campaign/(\d+)/", page.url)
    assert found
    return found[1]


def test_begun_from_the_numbers_of_the_programme(office: Office, site: Site, world: World) -> None:
    """The page at its start: with nothing chosen, with somebody chosen, with what is missing said."""
    page = office()
    page.goto(f"{site.url}/admin/reminders/campaign/add/?risk=any&step=attended")
    expect(field(page, "risk")).to_have_value("any")
    expect(field(page, "step")).to_have_value("attended")
    look(page, "new-chosen")
    page.goto(f"{site.url}/admin/reminders/campaign/add/")
    look(page, "new")
    page.locator("form.mt-box").evaluate("form => form.noValidate = true")
    press(button(page, "Begin"))
    says(page, "This field is required.")
    look(page, "new-refused")
    page.get_by_label("Title").fill("Come back")
    page.get_by_label("Programme").select_option(label=world["programme"])
    field(page, "risk").select_option("any")
    press(button(page, "Begin"))
    expect(field(page, "audience.risk")).to_have_value("any")
    look(page, "at-risk")


def choose_them(page: Page, world: World) -> None:
    """Registered, not watched, India, gynaecology: however they write it."""
    press(page.get_by_label("India", exact=True), "Space")
    for name in ("Gynaecology", "gynaecology"):
        boxes = page.get_by_label(name, exact=True)
        if boxes.count():
            press(boxes.first, "Space")
    press(page.locator("summary", has_text="A webinar"))
    field(page, "audience.webinar").select_option(label=world["webinar"])
    field(page, "audience.registered").select_option("yes")
    field(page, "audience.watched_less_than").fill("10")


def says(page: Page, *words: str) -> None:
    for one in words:
        expect(page.get_by_text(one).locator("visible=true").first).to_be_visible()


def figures(page: Page) -> dict[str, list[str]]:
    """Of the table, by the name of each line."""
    lines = page.locator(".cp-table tbody tr")
    found = {}
    for at in range(lines.count()):
        label = lines.nth(at).locator("th").inner_text()
        found[label] = lines.nth(at).locator("td").all_inner_texts()
    return found


def test_chosen_counted_shown_put_on_the_clock_and_stopped_without_a_mouse(
    office: Office, site: Site, world: World
) -> None:
    page = office()
    begin(page, site, world, "Come and watch the recording")
    expect(page.locator(".cp-number")).to_have_text("6 doctors today")
    choose_them(page, world)
    expect(page.locator(".cp-number")).to_have_text("2 doctors today")
    says(page, "Dr Meera Nair", "Dr Lakshmi Venkataraman")

    subject = field(page, "texts.en.email.subject")
    subject.focus()
    subject.press_sequentially("Your recording, {{doctor.sh")
    expect(page.locator(".mt-choices:not([hidden]) li")).to_have_count(1)
    subject.press("Enter")
    expect(subject).to_have_value("Your recording, {{ doctor.short_name }}")
    field(page, "texts.en.email.body").fill("Dear {{ doctor.name }},\n\nthe recording is ready for you.")
    field(page, "doctor").fill(world["emails"]["Lakshmi"])
    letter = page.frame_locator("iframe.mt-page")
    expect(letter.get_by_text("Dear Dr Lakshmi Venkataraman,")).to_be_visible()
    expect(page.locator("[data-channel=email] .mt-subject")).to_contain_text("Your recording, Dr Venkataraman")
    look(page, "form")

    press(button(page, "Save and choose the hour"))
    expect(page.get_by_role("heading", name="When should it go out?")).to_be_visible()
    day = datetime.now(UTC) + timedelta(days=5)
    page.get_by_label("Day and hour").fill(f"{day:%Y-%m-%d}T09:00")
    press(button(page, "Show what will happen"))
    says(page, "UTC: 2 doctors, each at that hour of their own day.")
    look(page, "schedule")
    press(button(page, "Yes, send it"))
    says(page, "It goes out to 2 doctors.", "Nothing has left yet.", "each at that hour of their own day")
    look(page, "scheduled")

    press(page.get_by_role("link", name="Stop", exact=True))
    expect(page.get_by_role("heading", name="Stop this campaign?")).to_be_visible()
    look(page, "stop")
    press(button(page, "Stop it"))
    says(page, "Stopped before it began: nobody gets it.", "Nothing was sent.")
    look(page, "stopped")

    press(button(page, "Make a copy"))
    expect(page.get_by_role("heading", name="Copy of Come and watch the recording")).to_be_visible()
    expect(page.locator(".cp-number")).to_have_text("2 doctors today")
    press(page.get_by_role("link", name="Delete this draft"))
    look(page, "discard")
    press(button(page, "Delete it"))
    says(page, "The draft is deleted.")
    look(page, "list")


def test_what_was_sent_says_what_came_of_it_and_what_nobody_knows(office: Office, site: Site, world: World) -> None:
    """By e-mail; whose mailbox does not exist finds it on the site. The page follows by itself."""
    page = office()
    number = begin(page, site, world, "Come and watch the recording")
    press(page.locator("summary", has_text="A webinar"))
    field(page, "audience.webinar").select_option(label=world["webinar"])
    field(page, "audience.registered").select_option("yes")
    page.get_by_label("Next channel", exact=True).select_option("inbox")
    press(page.locator("summary", has_text="Messages on this site · English"))
    for channel in ("email", "inbox"):
        field(page, f"texts.en.{channel}.subject").fill("Your recording is ready")
        field(page, f"texts.en.{channel}.body").fill("Dear {{ doctor.name }},\n\none tap leads to it.")
    expect(page.locator(".cp-number")).to_have_text("5 doctors today")
    button(page, "Save and choose the hour").click()
    button(page, "Show what will happen").click()
    says(page, "At once: 5 doctors.")
    site.run(WORLD, "silence", world["emails"]["Arun"])
    button(page, "Yes, send it").click()
    says(page, "It goes out to 5 doctors.")  # it may have begun by now
    assert eventually(lambda: site.run(WORLD, "send", number) == "done")
    assert site.run(WORLD, "come", number) == 4

    expect(page.locator(".cp-state")).to_contain_text("Done")  # without loading it again
    page.reload()
    assert page.locator(".cp-people dd").all_inner_texts() == ["5", "5", "1"]
    assert page.locator(".cp-table thead th").all_inner_texts()[1:] == ["E-mail", "Messages on this site"]
    found = figures(page)
    assert {name: found[name] for name in ("Planned still", "Sent", "Delivered", "Link followed")} == {
        "Planned still": ["0", "0"], "Sent": ["4", "1"], "Delivered": ["not told", "1"], "Link followed": ["1", "0"],
    }  # fmt: skip
    assert found["Opened (e-mail: only what loads pictures)"] == ["1", "0"]
    assert found["Came within 24 hours"] == ["1", "0"]
    assert found["Not sent, for a reason"] == ["1", "0"]
    says(page, "opened the webinar “Ovarian reserve", "They may have come without it.", "does not take messages: 1")
    look(page, "results")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 7
    assert "Came to “Ovarian reserve" in lines[0]


def test_without_a_script_buttons_do_the_same(office: Office, site: Site, world: World) -> None:
    page = office(java_script_enabled=False)
    begin(page, site, world, "News of the programme")
    page.get_by_label("India", exact=True).check()
    field(page, "texts.en.email.subject").fill("News")
    field(page, "texts.en.email.body").fill("Dear {{ doctor.nam }}, there is news.")
    button(page, "Show whom it means and how it looks").click()
    says(page, "5 doctors today")
    button(page, "Save").click()
    says(page, "Is it “doctor.name”?")
    field(page, "texts.en.email.body").fill("Dear {{ doctor.name }}, there is news.")
    button(page, "Save and choose the hour").click()
    button(page, "Show what will happen").click()
    says(page, "At once: 5 doctors.")
    page.get_by_role("link", name="Back", exact=True).click()
    button(page, "Make a copy").click()
    page.get_by_role("link", name="Delete this draft").click()
    button(page, "Delete it").click()
    says(page, "The draft is deleted.")


@pytest.mark.parametrize("state", ["running", "stopped-by-itself", "nobody"])
def test_how_it_looks_on_the_way(office: Office, site: Site, world: World, state: str) -> None:
    page = office()
    number = site.run(WORLD, "state", world["programme"], state)
    page.goto(f"{site.url}/admin/reminders/campaign/{number}/change/")
    said = {
        "running": "doctors wait for their hour or the next channel.",
        "stopped-by-itself": "It was stopped when it was to begin",
        "nobody": "the filters meant nobody in the moment in which it began",
    }
    says(page, said[state])
    look(page, state)
