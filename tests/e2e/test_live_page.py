"""The doctor's page of a live webinar in a real browser, against a real publisher and the real ingest."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from media.ffmpeg.binary import ffmpeg_path
from tests.e2e.conftest import LAPTOP, PHONE, Complaints, OpenBrowser, Site, Watching, eventually, until
from tests.e2e.looking import BOTH, DARK_RULES, darken, take, violations

pytestmark = [pytest.mark.browser, pytest.mark.long]
TABLET = {"width": 768, "height": 1024}
DESKTOP = {"width": 1440, "height": 900}
WORLD = "tests.e2e.live_world"
PICTURE = "testsrc2=size=640x360:rate=15"


@dataclass
class Show:
    """One webinar, its people and its stream."""

    site: Site
    open_browser: OpenBrowser
    world: dict[str, Any]

    @property
    def address(self) -> str:
        return f"{self.site.url}/webinars/{self.world['webinar']}/"

    def run(self, what: str, *more: str) -> Any:
        return self.site.run(WORLD, what, str(self.world["webinar"]), *more)

    def browser(self, who: str, device: str = "phone", **options: Any) -> BrowserContext:
        context = self.open_browser("", device, **options)
        value = self.world["people"][who]["cookie"]
        context.add_cookies([{"name": "sessionid", "value": value, "url": self.site.url, "httpOnly": True}])
        return context

    def open(self, who: str, device: str = "phone", **options: Any) -> Page:
        page = self.browser(who, device, **options).new_page()
        page.goto(self.address)
        return page

    @contextmanager
    def on_air(self, picture: str = PICTURE) -> Iterator["subprocess.Popen[bytes]"]:
        """As a presenter's program sends it; killed at the end, which is what a broken line looks like."""
        command = [ffmpeg_path(), "-v", "error", "-re", "-f", "lavfi", "-i", picture]
        command += ["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=44100", "-c:v", "libx264"]
        command += ["-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "30"]
        command += ["-b:v", "500k", "-c:a", "aac", "-b:a", "64k", "-f", "flv", self.world["stream"]]
        with subprocess.Popen(command) as publisher:
            try:
                yield publisher
            finally:
                publisher.kill()

    @property
    def program_seconds(self) -> float:
        found = self.site.rows(
            "SELECT program_seconds FROM webinars_broadcast WHERE webinar_id = %s", self.world["webinar"]
        )
        return float(found[0][0])

    def position(self, who: str) -> float:
        """Where they left the live picture, in program time."""
        found = self.site.rows(
            "SELECT position_seconds FROM webinars_watchrecord"
            " WHERE user_id = %s AND webinar_id = %s AND phase = 'live'",
            self.world["people"][who]["id"],
            self.world["webinar"],
        )
        return float(found[0][0])

    def live_seconds(self, who: str) -> int:
        found = self.site.rows(
            "SELECT seen_seconds FROM webinars_watchrecord WHERE user_id = %s AND webinar_id = %s AND phase = 'live'",
            self.world["people"][who]["id"],
            self.world["webinar"],
        )
        return int(found[0][0]) if found else 0


MakeShow = Callable[..., Show]


@pytest.fixture
def make_show(site: Site, open_browser: OpenBrowser) -> MakeShow:
    return lambda *doctors: Show(site, open_browser, site.run(WORLD, "make", *doctors))


def stage_is(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


def test_a_doctor_waits_and_is_in_the_room_without_loading_the_page(
    make_show: MakeShow, complaints: Complaints
) -> None:
    """Up to the present; the journey goes on to the recording."""
    complaints.allow("status of 404", "status of 409")
    show = make_show("doctor")
    page = show.open("doctor")
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    stage_is(page, "You are in the right place.")
    expect(page.locator("[data-check=line]")).to_have_attribute("data-state", "good")
    expect(page.locator("[data-check=picture]")).to_have_attribute("data-state", "good")
    page.get_by_role("button", name="Play a test sound").click()
    page.get_by_role("button", name="I hear it").click()
    expect(page.locator("[data-check=sound]")).to_have_attribute("data-state", "good")
    expect(page.locator("[data-part=people-text]")).to_have_text("1 here")
    assert violations(page) == []
    take(page, "doors", schemes=BOTH)
    page.get_by_label("Your question").fill("Half a ques")

    watching = Watching(page, show.site)
    with show.on_air():
        expect(page.locator("#player.is-live[data-ready=true]")).to_be_visible()
        expect(page.get_by_label("Your question")).to_have_value("Half a ques")
        watching.wait_until_playing()  # the doctor had pressed a button here, so the browser lets it begin
        expect(page.locator("[data-part=edge]")).to_have_attribute("aria-pressed", "true")
        assert "Meera Nair" in (page.locator("[data-part=mark]").text_content() or "")
        room_is_alive(page, show)
        assert eventually(lambda: show.live_seconds("doctor") >= 8)
        assert violations(page) == []
        take(page, "live", schemes=BOTH)
        back_and_to_the_edge(watching)
    assert loads == []


def room_is_alive(page: Page, show: Show) -> None:
    shown = show.run("show")
    expect(page.get_by_text("The slides are on the course page.").first).to_be_visible()
    expect(page.get_by_role("link", name="Guideline 2026")).to_be_visible()
    poll = page.locator(f".poll[data-id='{shown['poll']}']")
    poll.get_by_label("It depends on AMH").check()
    poll.get_by_role("button", name="Vote").click()
    expect(poll.get_by_text("Your vote was counted.")).to_be_visible()
    expect(page.locator(".poll-cloud")).to_contain_text("pain 2")
    answer = page.locator("[data-part=published] .qa").first
    expect(answer).to_contain_text("Not routinely below 4 cm")
    answer.get_by_role("button", name="Me too").click()
    expect(answer.get_by_role("button", name="Me too")).to_have_attribute("aria-pressed", "true")
    assert show.site.rows("SELECT votes FROM webinars_question WHERE id = %s", shown["question"]) == [(1,)]
    page.get_by_label("Your question").fill("Half a question <b>and</b> the rest?")
    page.get_by_label("Without my name").check()
    page.get_by_role("button", name="Send question").click()
    own = page.locator("[data-part=own] .qa").first
    expect(own).to_contain_text("Half a question <b>and</b> the rest?")
    expect(own).to_contain_text("With the moderators")
    own.get_by_text("Write to the moderators").click()
    own.get_by_label("Message to the moderators").fill("It is about a patient of mine.")
    own.get_by_role("button", name="Send").click()
    expect(own.locator(".talk")).to_contain_text("It is about a patient of mine.")
    page.get_by_role("tab", name="Answers").click()


def back_and_to_the_edge(watching: Watching) -> None:
    page = watching.page
    watching.wait("v => v.currentTime - v.seekable.start(0) > 12")  # so much there must be to go back in
    page.locator("[data-part=range]").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-part=edge]")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-part=now]")).to_contain_text("−0:")
    page.locator("[data-part=edge]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=edge]")).to_have_attribute("aria-pressed", "true")
    watching.wait_until_playing()


def test_where_no_socket_gets_through_the_room_comes_by_polling(make_show: MakeShow, complaints: Complaints) -> None:
    complaints.allow("WebSocket", "status of 40[49]")
    show = make_show("doctor")
    context = show.browser("doctor")
    context.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
    page = context.new_page()
    page.goto(show.address)
    expect(page.get_by_text("News comes every few seconds here")).to_be_visible()
    with show.on_air():
        page.locator("#player.is-live[data-ready=true]").wait_for()
        Watching(page, show.site).wait_until_playing()
        show.run("show")
        expect(page.get_by_role("heading", name="Would you operate first?")).to_be_visible()
        assert eventually(lambda: show.live_seconds("doctor") > 3)
        show.run("end")
    stage_is(page, "The webinar has ended")


def test_without_javascript_the_room_is_forms_and_the_state_comes_by_itself(
    make_show: MakeShow, complaints: Complaints
) -> None:
    show = make_show("doctor")
    show.run("show")
    page = show.open("doctor", java_script_enabled=False)
    expect(page.get_by_text("You are in the right place.")).to_be_visible()
    refresh = page.locator("meta[http-equiv=refresh]").get_attribute("content") or ""
    assert refresh == f"20; url=/webinars/{show.world['webinar']}/"
    page.get_by_label("Your question").fill("Without a script?")
    page.get_by_role("button", name="Send question").click()
    expect(page.get_by_text("Your question was sent to the moderators.")).to_be_visible()
    expect(page.locator("#own")).to_contain_text("Without a script?")
    page.get_by_label("It depends on AMH").check()
    page.get_by_role("button", name="Vote").click()
    expect(page.locator("#polls").get_by_text("Your vote was counted.")).to_be_visible()
    page.get_by_role("button", name="Me too").click()
    expect(page.get_by_role("button", name="Me too 1")).to_be_visible()
    with show.on_air():
        page.locator("#player video").wait_for(state="attached")  # by the refresh of the page
        strip = page.frame_locator("iframe.live-strip")
        expect(strip.get_by_text("The webinar is live.")).to_be_visible()
        source = page.locator("video source").first.get_attribute("src") or ""
        assert source.endswith("/live/master.m3u8")
        # The row of the first segment is there before the playlist that names it.
        assert eventually(lambda: page.context.request.get(f"{show.site.url}{source}").ok)
        show.run("end")
    expect(strip.get_by_text("This has changed.")).to_be_visible()
    strip.get_by_role("link").click()
    expect(page.locator("iframe.live-strip")).to_have_count(0)  # ended, or its recording already
    expect(page.get_by_role("heading", name="Questions and answers")).to_be_visible()


@pytest.mark.parametrize("state", ["scheduled", "elsewhere", "register", "removed", "ended", "cancelled"])
def test_each_state_is_accessible_and_fits_each_screen(make_show: MakeShow, complaints: Complaints, state: str) -> None:
    """The page stands open and becomes it by itself; then it is looked at as it comes from the server."""
    complaints.allow("status of 404")
    show = make_show("doctor")
    page = show.open("doctor")
    page.locator("[data-part=people-text]").wait_for()
    show.run("state", state)
    until(page, f"() => JSON.parse(document.getElementById('page-config').textContent).stage === '{state}'")
    assert violations(page) == []
    for size in (PHONE, TABLET, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    take(page, state, schemes=BOTH)
    page.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    darken(page)
    assert violations(page, *DARK_RULES) == []
    if state == "register":
        page.get_by_role("button", name="Register", exact=True).click()
        expect(page.get_by_role("heading", name="Live room")).to_be_visible()
