"""Every page of the office and of the second step, in a real browser. Read from the URLconf: none can be forgotten."""

import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, browsers
from tests.e2e.looking import DARK_RULES, darken, lighten, take, violations
from tests.matrix.walk import PARAMETER, all_routes

pytestmark = [pytest.mark.browser, pytest.mark.long]

TABLET = {"width": 768, "height": 1024}
MODELS = {
    "course_id": "courses.course", "webinar_id": "webinars.webinar", "window_id": "webinars.spotwindow",
    "video_id": "media.video", "evaluation_id": "assessments.evaluation", "quiz_id": "assessments.quiz",
    "attempt_id": "assessments.attempt", "user_id": "assessments.doctor",
    "campaign_id": "reminders.campaign",
}  # fmt: skip
CUT_OFF = """[...document.querySelectorAll("#result_list tbody :is(td, th)")]
    .filter((cell) => cell.scrollWidth > cell.clientWidth + 1
        || cell.scrollHeight > cell.clientHeight + 1 && getComputedStyle(cell).overflowY === "hidden")
    .map((cell) => cell.innerText)"""
# Redirects, answers to scripts and forms, and catch-alls: there is nothing to look at.
NO_PAGES = re.compile(
    r"admin/(login|logout|password_change|jsi18n|autocomplete|search|r)/|admin/\(\?P<url>|admin/\^\(app\)"
    r"|admin/webinars/desk/<int:webinar_id>/(data|status|people|state|door)/"
    r"|admin/media/video/(uploads|status)/|admin/media/video/<int:video_id>/retry/|admin/media/video/add/"
    r"|admin/assessments/item/look/|admin/certification/certificatetemplate/picture/"
    r"|admin/certification/activity/<path:object_id>/(show_evidence/|evidence/(ask/|<))"
    r"|admin/reminders/messagetemplate/(look|add)/"
    r"|admin/reminders/campaign/<int:campaign_id>/(look|stop|take-back|results|copy)/"
    r"|.*<path:object_id>/(preview/|invite/|look_at_queue/|again/|run/|back/)?$|admin/invite-people/<uuid:import_id>/"
    r"|account/second-step/(authenticate/|recovery-codes/download/|webauthn/login/)"
)
# What nobody adds, changes or deletes by hand; everything else must open.
REFUSED = re.compile(
    r"admin/accounts/(auditevent|device|invitation)/(add/|<path:object_id>/delete/)"
    r"|admin/accounts/user/<path:object_id>/delete/"
    r"|admin/courses/enrolment/(add/|<path:object_id>/delete/)"
    r"|admin/webinars/watchrecord/(add/|<path:object_id>/delete/)"
    r"|admin/webinars/webinar/(add/|<path:object_id>/delete/)"
    r"|admin/webinars/spotwindow/<path:object_id>/delete/"
    r"|admin/assessments/bank/<path:object_id>/delete/|admin/assessments/item/<path:object_id>/delete/"
    r"|admin/assessments/(quiz|section)/(add/|<path:object_id>/delete/)"
    r"|admin/assessments/analysisreport/(add/|<path:object_id>/delete/)"
    r"|admin/certification/(activity|discloser|certificatetemplate)/<path:object_id>/delete/"
    r"|admin/certification/(certificate|claim|ledgerentry)/(add/|<path:object_id>/delete/)"
    r"|admin/reminders/templateset/(add/|<path:object_id>/delete/)"
    r"|admin/reminders/(messagetemplate|messagepolicy|campaign)/<path:object_id>/delete/"
    r"|admin/reminders/(delivery|consentrecord|suppression)/(add/|<path:object_id>/delete/)"
    r"|admin/assessments/evaluation/add/|admin/assessments/evaluation(form)?/<path:object_id>/delete/"
)


def routes(prefix: str) -> list[str]:
    paths = [route.path for route in all_routes() if route.path.startswith(prefix)]
    return [path for path in paths if not NO_PAGES.match(path)]


def fill(route: str, ids: dict[str, str]) -> str:
    """With the id of the model that the parameter is named after, or of the one in admin/<app>/<model>/<id>/…"""
    app, model = (*route.split("/")[1:3], "")[:2]
    return "/" + PARAMETER.sub(lambda found: ids[MODELS.get(found["name"], f"{app}.{model}")], route)


# Without what is not seen and another one in each page, and without the codes under which refusals are found again.
PAGE = """() => document.documentElement.outerHTML
    .replace(/(name="(?:csrfmiddlewaretoken|next)" value=")[^"]*/g, "$1").replace(/\\b[0-9a-f]{32}\\b/g, "")"""


@dataclass
class Office:
    """One signed-in browser for all pages: to start one for each takes longer than to look."""

    page: Page
    complaints: Complaints
    clean: set[bytes] = field(default_factory=set)  # pages in which nothing was found, word for word


@pytest.fixture(scope="module")
def shared_office(site: Site, chromium: Browser) -> Iterator[Office]:
    complaints = Complaints()
    with browsers(site, chromium, complaints) as open_one:
        yield Office(open_one("office", viewport=TABLET).new_page(), complaints)


@pytest.fixture
def office(shared_office: Office) -> Iterator[Page]:
    """Ends with a look at the console; what one page complains about is not told of the next."""
    complaints = shared_office.complaints
    yield shared_office.page
    found, complaints.lines[:], complaints.allowed[:] = complaints.unexpected, [], []
    assert found == []


def misfits(page: Page) -> list[str]:
    """Sideways scrolling and cells that cut off what they say, on a phone, a desk and a tablet. Leaves it a tablet."""
    found = []
    for size in ({"width": 360, "height": 740}, {"width": 1440, "height": 900}, TABLET):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            found.append(f"{width} px wide on {size['width']} px")
        found += [f"cut off on {size['width']} px: {text}" for text in page.evaluate(CUT_OFF)]
    return found


def flaws(page: Page, clean: set[bytes], colours: str, *rules: str) -> list[str]:
    """By axe. The very page that was clean in the same colours is not looked at again: refusals are all the same."""
    seen = hashlib.sha256(f"{colours} {page.evaluate(PAGE)}".encode()).digest()
    if seen in clean:
        return []
    found = violations(page, *rules)
    if not found:
        clean.add(seen)
    return [f"{colours}: {text}" for text in found]


def problems(page: Page, clean: set[bytes] | None = None) -> list[str]:
    """By axe in light and dark, and what does not fit. Leaves the page dark."""
    clean = set() if clean is None else clean
    found = misfits(page) + flaws(page, clean, "light")
    darken(page)
    return found + flaws(page, clean, "dark", *DARK_RULES)


@pytest.mark.parametrize("route", routes("admin/"))
def test_the_office_is_accessible(office: Page, shared_office: Office, site: Site, route: str) -> None:
    refused = bool(REFUSED.fullmatch(route))
    if refused:
        shared_office.complaints.allow("status of 403")
    if route.startswith(("admin/reminders/messagetemplate/", "admin/reminders/campaign/")):
        shared_office.complaints.allow("Failed to execute 'postMessage'")  # axe asks the e-mail, which may run nothing
    lighten(office)
    answer = office.goto(site.url + fill(route, site.world["office"]))
    assert answer is not None
    assert (answer.status, answer.request.redirected_from) == (403 if refused else 200, None)
    take(office, route.replace("/", "-").strip("-"))
    assert problems(office, shared_office.clean) == []


def test_the_office_follows_the_device_into_the_dark(office: Page, site: Site) -> None:
    """The other tests darken a page that is open; here the theme itself does, and the colours are the same."""
    background = "getComputedStyle(document.getElementById('main')).backgroundColor"
    lighten(office)
    office.goto(f"{site.url}/admin/")
    light = office.evaluate(background)
    darken(office)
    darkened = office.evaluate(background)
    office.reload()
    assert office.locator("html.dark").count() == 1
    assert light != darkened == office.evaluate(background)


def test_the_reports_before_anybody_is_invited_or_enrolled_are_accessible(office: Page, site: Site) -> None:
    lighten(office)
    programme = site.world["office"]["courses.programme"]
    office.goto(f"{site.url}/admin/courses/programme/{programme}/enrol/")
    office.get_by_label("E-mail addresses").fill("presenter@example.org\nnobody@example.org\nnonsense")
    office.get_by_role("button", name="Look at the list").click()
    expect(office.get_by_text("doctor will be enrolled")).to_be_visible()
    assert violations(office) == []
    office.goto(f"{site.url}/admin/invite-people/?programme={programme}")
    table = b"email,first name,country\nnew@example.org,Amina,KE\nnonsense,Bo,SE\n"
    office.locator("input[type=file]").set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": table})
    office.get_by_role("button", name="Look at the list").click()
    expect(office.get_by_role("heading", name="Rows that need correcting")).to_be_visible()
    assert violations(office) == []


def test_a_question_opens_in_the_page_and_closes_by_keyboard(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("office").new_page()
    course = site.world["office"]["courses.course"]
    page.goto(f"{site.url}/admin/courses/course/{course}/change/")
    page.get_by_role("link", name="Duplicate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Duplicate this course?")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def sign_in_with_the_second_step(page: Page, site: Site, doctor: dict[str, Any]) -> None:
    page.goto(f"{site.url}/sign-in/password/")
    page.get_by_label("Your e-mail address").fill(doctor["email"])
    page.get_by_label("Password").fill(doctor["password"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("input[name=code]")).to_be_visible()
    assert violations(page) == []
    code = format_hotp_value(hotp_value(doctor["totp"], int(time.time()) // 30))
    page.locator("input[name=code]").fill(str(code))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/")


def test_everything_behind_the_second_step_is_accessible(open_browser: OpenBrowser, site: Site) -> None:
    doctor = site.world["doctors"]["guarded"]
    page = open_browser(viewport=TABLET).new_page()
    sign_in_with_the_second_step(page, site, doctor)
    pages = [route for route in routes("account/second-step/") if route != "account/second-step/totp/activate/"]
    for route in ("account/reauthenticate/", *pages):
        path = "/" + PARAMETER.sub(doctor["passkey"], route)
        lighten(page)
        page.goto(site.url + path)
        assert page.url == site.url + path
        assert (path, problems(page)) == (path, [])
    lighten(page)
    page.goto(f"{site.url}/account/second-step/totp/deactivate/")
    page.locator("main form button[type=submit]").click()
    page.goto(f"{site.url}/account/second-step/totp/activate/")
    expect(page.get_by_role("heading", name="Set up the authenticator app")).to_be_visible()
    assert problems(page) == []
