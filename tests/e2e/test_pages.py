"""Every page a doctor can see, in a real browser: accessible in light, dark and narrow, the console silent."""

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import LAPTOP, PHONE, Complaints, OpenBrowser, Site, Watching, eventually
from tests.e2e.looking import DARK_RULES, darken, lighten, violations
from tests.matrix.walk import all_routes

pytestmark = [pytest.mark.browser, pytest.mark.long]

# Route of the URLconf → where to look at it. A route in neither of the three lists fails the test below.
ANONYMOUS = {
    "sign-in/": "/sign-in/",
    "sign-in/password/": "/sign-in/password/",
    "sign-in/link/<str:token>/": "/sign-in/link/used-long-ago/",
    "invitation/<str:token>/": "/invitation/unknown/",
    "status/": "/status/",
    "ledger/": "/ledger/",
    "verify/": "/verify/",
    "verify/<str:public_id>/": "/verify/{certificate}/",
    "verify/<str:public_id>/ (revoked)": "/verify/{certificate_revoked}/",
    "m/<str:token>/": "/m/{link}/",
    "m/<str:token>/ (used)": "/m/1-used-long-ago/",
    "u/<str:token>/": "/u/{unsubscribe}/",
    "u/<str:token>/ (not complete)": "/u/e1-half/",
    "door/<str:slug>/": "/door/{door}/",
    "door/<str:slug>/ (not open yet)": "/door/{door_later}/",
}
DOCTOR = {
    "": "/",
    "programmes/": "/programmes/",
    "programmes/<slug:slug>/": "/programmes/fertility/",
    "progress/<slug:slug>/": "/progress/fertility/",
    "account/": "/account/",
    "account/devices/": "/account/devices/",
    "account/password/": "/account/password/",
    "account/second-step/": "/account/second-step/",
    "account/messages/": "/account/messages/",
    "account/messages/number/": "/account/messages/number/",
    "messages/": "/messages/",
    "account/data/": "/account/data/",
    "account/data/erasure/": "/account/data/erasure/",
    "account/sharing/": "/account/sharing/",
    "numbers/": "/numbers/",
    "webinars/<int:webinar_id>/": "/webinars/{lecture}/",
    "webinars/<int:webinar_id>/ (not open yet)": "/webinars/{later}/",
    "webinars/<int:webinar_id>/ (closed)": "/webinars/{closed}/",
    "webinars/<int:webinar_id>/ (locked)": "/webinars/{locked}/",
    "webinars/<int:webinar_id>/ (being prepared)": "/webinars/{preparing}/",
    "tests/<int:quiz_id>/": "/tests/{quiz}/",
    "tests/<int:quiz_id>/ranking/": "/tests/{ranked}/ranking/",
    "attempts/<int:attempt_id>/": "/attempts/{attempt}/",
    "attempts/<int:attempt_id>/finish/": "/attempts/{attempt}/finish/",
    "attempts/<int:attempt_id>/result/": "/attempts/{result}/result/",
    "evaluations/<int:evaluation_id>/": "/evaluations/{evaluation}/",
    "credits/": "/credits/",
    "credits/<int:accreditation_id>/": "/credits/{granted}/",
    "credits/<int:accreditation_id>/ (ready)": "/credits/{ready}/",
    "credits/<int:accreditation_id>/ (missing)": "/credits/{missing}/",
    "certificates/": "/certificates/",
    "^api/": "/nowhere/",
}
# Answers to forms and requests of scripts; an invisible frame; the development mail. The admin and what stands behind a
# second step have tests/e2e/test_office.py, what presenters see test_stage.py and test_marking_pages.py, live webinars
# test_live_page.py, disclosures test_disclosures.py, numbers test_reports.py.
NO_PAGES = (
    "admin/", "api/", "dev/mail/", "media/", "readyz", "healthz", "status.json", "language/", "sign-out/",
    "tests/images/", "account/sign-out/",
    "account/data/download/", "account/data/erasure/withdraw/",
    "account/time-zone/", "account/devices/<uuid:device_id>/end/", "account/devices/end-others/",
    "account/reauthenticate/", "account/second-step/", "invitation/<str:token>/new/", "sign-in/link/<str:token>/new/",
    "sign-in/code/", "static/", "webinars/<int:webinar_id>/keep-alive/", "door/<str:slug>/enter/",
    "door/<str:slug>/state/", "internal/rtmp/", "callbacks/", "webinars/<int:webinar_id>/calendar", "calendar/",
    "notices.js", "messages/read/", "messages/<int:message_id>/open/", "account/messages/try-again/",
    "account/messages/calendar/", "account/messages/notices/", "account/messages/number/code/",
    "webinars/<int:webinar_id>/registration/", "webinars/<int:webinar_id>/questions/",
    "webinars/<int:webinar_id>/polls/", "webinars/<int:webinar_id>/meeting/", "webinars/<int:webinar_id>/stage/",
    "lessons/", "tests/<int:quiz_id>/start/", "tests/<int:quiz_id>/ranking/name/",
    "attempts/<int:attempt_id>/questions/", "marking/", "disclosures/", "activities/",
    "credits/transcript.csv", "credits/transcript.pdf",
    "credits/<int:accreditation_id>/claim/",
    "presenting/", "progress/<slug:slug>/comparison/", "reports/", "shared/", "account/sharing/<slug:slug>/",
    "certificates/<str:public_id>/", "verify/check/", "verify/<str:public_id>/badge/", ".well-known/",
)  # fmt: skip
EXPECTED_STATUS = {
    "/nowhere/": 404,
    "/sign-in/link/used-long-ago/": 410,
    "/m/1-used-long-ago/": 410,
    "/u/e1-half/": 404,
    "/invitation/unknown/": 410,
}


def test_every_page_of_the_urlconf_is_looked_at() -> None:
    known = {name.split(" ")[0] for name in (*ANONYMOUS, *DOCTOR)}
    unknown = [route.path for route in all_routes() if route.path not in known and not route.path.startswith(NO_PAGES)]
    assert unknown == []


def look(page: Page, address: str) -> dict[str, list[str]]:
    """Light on a phone, dark on a laptop, and no sideways scrolling at 360 px."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    lighten(page)
    load(page, address)
    width = page.evaluate("document.documentElement.scrollWidth")
    problems = {"light": violations(page), "too wide": [] if width <= PHONE["width"] else [f"{width} px"]}
    page.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    darken(page)
    return problems | {"dark": violations(page, *DARK_RULES)}


def load(page: Page, address: str) -> None:
    """Fails where the address leads elsewhere, such as to the sign-in: that page would be looked at in its place."""
    response = page.goto(address)
    path = urlsplit(address).path
    assert response is not None
    assert (urlsplit(page.url).path, response.status) == (path, EXPECTED_STATUS.get(path, 200))
    if page.locator("#player").count():
        page.locator("#player[data-ready=true]").wait_for()


def test_pages_are_accessible_to_everybody(open_browser: OpenBrowser, site: Site, complaints: Complaints) -> None:
    complaints.allow("status of 404", "status of 410")
    found: dict[str, list[str]] = {}
    stage = site.world["stage"]
    doors = {"door": stage["door"], "door_later": stage["later"]}
    places = {**doors}
    for part in ("webinars", "assessments", "credits", "certificates", "messages"):
        places |= site.world[part]
    for context, pages in ((open_browser(), ANONYMOUS), (open_browser("axe"), DOCTOR)):
        page = context.new_page()
        for address in pages.values():
            problems = look(page, site.url + address.format(**places))
            found |= {f"{address} {kind}": texts for kind, texts in problems.items() if texts}
    assert found == {}, json.dumps(found, indent=1)


def test_the_pages_of_the_code_and_of_the_link_are_accessible(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser().new_page()
    address = site.world["doctors"]["axe"]["email"]
    page.goto(f"{site.url}/sign-in/")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button", name="Send me a sign-in e-mail").click()
    expect(page.get_by_role("heading", name="Look in your mailbox")).to_be_visible()
    assert violations(page) == []
    page.goto(eventually(lambda: site.newest_link(address)))
    expect(page.get_by_role("button", name="Sign in now")).to_be_visible()
    assert violations(page) == []


def test_the_player_is_accessible_while_it_plays(open_browser: OpenBrowser, site: Site) -> None:
    watching = Watching(open_browser("axe", "phone").new_page(), site).open()
    watching.play()
    watching.show_controls()
    watching.page.get_by_role("button", name="Quality and speed").click()
    assert violations(watching.page) == []
    watching.page.keyboard.press("Escape")
    watching.page.keyboard.press("?")
    assert violations(watching.page) == []


def focused(page: Page) -> str:
    """The accessible name of what has the focus, and whether one can see that it has."""
    name: str = page.evaluate(
        """() => { const e = document.activeElement;
            return (e.getAttribute("aria-label") || e.textContent || "").trim().replace(/\\s+/g, " "); }"""
    )
    return name


def tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page).startswith(name):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"{name!r} cannot be reached by the keyboard")


def test_a_doctor_needs_no_mouse(open_browser: OpenBrowser, site: Site) -> None:
    page = open_browser("keys").new_page()
    page.goto(f"{site.url}/")
    tab_to(page, "Programmes")
    watching = Watching(page, site).open()
    tab_to(page, "Start watching")
    page.keyboard.press("Enter")
    watching.wait_until_playing()
    page.keyboard.press("k")
    watching.wait("v => v.paused")
    before = watching.at
    page.keyboard.press("l")
    watching.wait(f"v => Math.abs(v.currentTime - {before} - 10) < 0.5 && !v.seeking")
    page.keyboard.press(">")
    watching.wait("v => v.playbackRate === 1.25")
    page.keyboard.press("m")
    watching.wait("v => v.muted")
    page.keyboard.press("c")
    watching.wait("v => v.textTracks[0].mode === 'showing'")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    tab_to(page, "Position")
    page.keyboard.press("ArrowRight")
    watching.wait(f"v => Math.abs(v.currentTime - {before} - 15) < 0.5")
    assert "of 1:00" in (page.locator("[data-part=range]").get_attribute("aria-valuetext") or "")
    tab_to(page, "Quality and speed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Automatic")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Quality and speed")).to_be_focused()
    tab_to(page, "Seen and unseen parts")
    page.keyboard.press("Home")
    watching.wait("v => v.currentTime < 0.5")
    assert page.locator(".player.is-idle").count() == 0


def without_script(open_browser: OpenBrowser, doctor: str) -> BrowserContext:
    return open_browser(doctor, "phone", java_script_enabled=False)


def test_without_javascript_the_mp4_plays_and_the_page_is_usable(open_browser: OpenBrowser, site: Site) -> None:
    page = without_script(open_browser, "plain").new_page()
    frames: list[str] = []
    page.on("frameattached", lambda frame: frames.append(frame.name))
    page.goto(site.watch())
    note = page.locator("noscript .alert")  # Playwright looks for text everywhere but in there
    expect(note).to_be_visible()
    expect(note).to_contain_text("Your progress is saved only with JavaScript")
    expect(page.get_by_role("heading", name="Endometriosis: what the evidence says", level=1)).to_be_visible()
    expect(page.locator("[data-part=controls]")).to_be_hidden()
    expect(page.locator("[data-part=mark]")).to_contain_text("Dr Meera Nair")
    video = page.locator("video")
    video.focus()
    page.keyboard.press("Space")
    assert eventually(lambda: video.evaluate("v => v.currentTime > 1"))
    assert video.evaluate("v => v.currentSrc").split("#")[0].endswith(".mp4")
    assert len(frames) == 1
    page.get_by_role("link", name="Next lesson").click()
    expect(page.get_by_role("heading", name="Surgery before IVF", level=1)).to_be_visible()


def test_without_javascript_the_hidden_frame_renews_the_grant(open_browser: OpenBrowser, site: Site) -> None:
    context = without_script(open_browser, "plain")
    page = context.new_page()
    answer = page.goto(f"{site.watch()}keep-alive/")
    assert answer is not None
    assert any(cookie["name"].startswith("media_") for cookie in context.cookies())
    refresh = page.locator("meta[http-equiv=refresh]").get_attribute("content")
    assert 60 <= int(refresh or 0) <= 300
