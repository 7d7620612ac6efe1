"""The words of messages: e-mails on a phone, and the editor in the office with its look and its completion."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from reminders.enums import Channel
from reminders.rendering.builtin import all_words
from reminders.rendering.frame import Frame
from reminders.rendering.placeholders import samples
from reminders.rendering.words import render
from tests.e2e.conftest import Complaints, OpenBrowser, Site, until
from tests.e2e.looking import DARK_RULES, WIDTHS, darken, lighten, take, violations

pytestmark = pytest.mark.browser
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PHONE = {"width": 360, "height": 740}
LONG = "Preimplantationsdiagnostikverfahrensweisenvergleich " * 3
EMAILS = {one.kind: one for one in all_words() if one.channel == Channel.EMAIL and one.language == "en"}
FRAME = Frame(
    site_name="Rounds",
    sender_name="Society of Reproductive Medicine",
    programme_title="Fertility Medicine 2026",
    url="https://rounds.example/s/1000000-" + "x" * 24 + "/",
    is_personal=True,
    address="a-very-long-address-of-somebody@department.university-hospital.example.org",
    unsubscribe_url="https://rounds.example/u/e17-abcdefghijklmnopqrstuv/",
    preferences_url="https://rounds.example/account/messages/",
)


@pytest.mark.parametrize("kind", EMAILS)
def test_an_email_fits_a_phone_and_is_accessible(open_browser: OpenBrowser, kind: str) -> None:
    page = open_browser(viewport=PHONE).new_page()
    page.set_content(render(Channel.EMAIL, EMAILS[kind], samples(kind), FRAME).html)
    assert page.evaluate(FITS)
    assert violations(page) == []
    button = page.get_by_role("link").first.bounding_box()
    assert button is not None
    assert button["height"] >= 44
    take(page, f"email-{kind}", widths=[360, 768])


@pytest.mark.parametrize("is_rtl", [False, True])
def test_long_words_and_right_to_left_fit_as_well(open_browser: OpenBrowser, is_rtl: bool) -> None:
    from dataclasses import replace

    page = open_browser(viewport=PHONE).new_page()
    frame = replace(FRAME, is_rtl=is_rtl, language="ar" if is_rtl else "en", sender_name=LONG)
    values = samples("registered") | {"doctor.name": "د. ليلى حداد", "webinar.title": LONG}
    page.set_content(render(Channel.EMAIL, EMAILS["registered"], values, frame).html)
    assert page.evaluate(FITS)
    text = page.get_by_text("Your place is kept.")
    assert text.evaluate("(e) => getComputedStyle(e).direction") == ("rtl" if is_rtl else "ltr")
    assert text.evaluate("(e) => getComputedStyle(e).textAlign") == ("right" if is_rtl else "left")
    take(page, f"email-long-{'rtl' if is_rtl else 'ltr'}", widths=[360])


@pytest.fixture
def own_set(site: Site, open_browser: OpenBrowser) -> Iterator[Page]:
    """A copy of the built-in set, opened; gone afterwards."""
    page = open_browser("office").new_page()
    page.goto(f"{site.url}/admin/reminders/templateset/")
    page.get_by_role("link", name="Built-in").click()
    page.get_by_label("Title of the copy").fill("Words of the society")
    page.get_by_role("button", name="Make a copy").click()
    expect(page.get_by_text("The copy is yours to change.")).to_be_visible()
    yield page
    ((number,),) = site.rows("SELECT id FROM reminders_templateset WHERE title = %s", "Words of the society")
    site.rows("DELETE FROM reminders_messagetemplate WHERE template_set_id = %s RETURNING id", number)
    site.rows("DELETE FROM reminders_templateset WHERE id = %s RETURNING id", number)


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
    lighten(page)


def test_all_channels_follow_what_is_typed_and_two_braces_complete(
    own_set: Page, site: Site, complaints: Complaints
) -> None:
    page = own_set
    complaints.allow("Failed to execute 'postMessage'")  # axe asks the frame, which may run nothing
    look(page, "messages-set")
    page.get_by_role("link", name="We are live, E-mail").click()
    letter = page.frame_locator("iframe.mt-page")
    expect(letter.get_by_role("link", name="Join now")).to_be_visible()
    subject = page.get_by_label("Subject", exact=True)
    expect(subject).to_have_attribute("aria-controls", re.compile("choices"))  # the script is here
    subject.fill("On air: ")
    subject.press_sequentially("{{web")
    options = page.get_by_role("option")
    expect(options.first).to_contain_text("webinar.title")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(subject).to_have_value("On air: {{ webinar.title }}")
    expect(options).to_have_count(0)
    shown = page.locator("[data-channel=email] .mt-subject")
    expect(shown).to_contain_text("On air: Ovarian reserve in daily practice")
    page.get_by_label("Text", exact=True).fill("Dear {{ doctor.nam }},")
    expect(page.get_by_text("Is it “doctor.name”?")).to_be_visible()
    page.get_by_label("Text", exact=True).fill("AMH < 1 & FSH > 9: {{ doctor.name }},\n\nnow.")
    expect(letter.get_by_text("AMH < 1 & FSH > 9: Dr Meera Nair,")).to_be_visible()
    look(page, "messages-editor")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Messages from now on say it like this.")).to_be_visible()
    expect(subject).to_have_value("On air: {{ webinar.title }}")


def test_sec_22_the_frame_of_the_email_runs_nothing_and_leads_nowhere(own_set: Page, complaints: Complaints) -> None:
    page = own_set
    complaints.allow("Blocked opening")
    page.get_by_role("link", name="We are live, E-mail").click()
    page.get_by_label("Text", exact=True).fill("<img src=x onerror=document.title=1><script>document.title=1</script>")
    expect(page.get_by_text("please leave out").first).to_be_visible()
    page.get_by_label("Text", exact=True).fill("AMH < 1.")
    letter = page.frame_locator("iframe.mt-page")
    expect(letter.get_by_text("AMH < 1.")).to_be_visible()
    before = page.url
    letter.get_by_role("link", name="Join now").click()
    page.wait_for_timeout(300)
    assert page.url == before
    assert len(page.context.pages) == 1
    assert page.title() != "1"


def test_what_was_typed_before_the_script_came_is_shown(own_set: Page) -> None:
    page = own_set
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/live-look*", hold)
    page.get_by_role("link", name="We are live, SMS").click(no_wait_after=True)
    page.get_by_label("Text", exact=True).fill("Come in, {{ doctor.nam }}.")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.get_by_text("Is it “doctor.name”?")).to_be_visible()


def test_without_a_script_a_button_shows_it(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("office", java_script_enabled=False).new_page()
    ((row,),) = site.rows(
        "SELECT id FROM reminders_messagetemplate WHERE kind = 'live' AND channel = 'sms' ORDER BY id LIMIT 1"
    )
    page.goto(f"{site.url}/admin/reminders/messagetemplate/{row}/change/")
    page.get_by_role("button", name="Show how it looks").click()
    expect(page.get_by_text("We are live: Ovarian reserve in daily practice. Join here:").first).to_be_visible()
    look_at_a_builtin = page.get_by_role("button", name="Save", exact=True)
    assert look_at_a_builtin.count() == 0
