"""Poor lines, blocked sockets, expired grants, meddling: nothing watched is lost, nothing unwatched is credited."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Route, WebSocketRoute, expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, Watching, eventually, until

pytestmark = pytest.mark.browser
StartWatching = Callable[..., Watching]
OFFLINE = ("ERR_INTERNET_DISCONNECTED", "WebSocket connection to")


class Line:
    """The network cable of a browser: pulled, neither requests nor sockets get through."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.is_cut = False
        self.sockets: list[WebSocketRoute] = []
        context.route_web_socket("**/ws/**", self.connect)

    def connect(self, socket: WebSocketRoute) -> None:
        if self.is_cut:
            socket.close()
            return
        socket.connect_to_server()
        self.sockets.append(socket)

    def cut(self) -> None:
        self.is_cut = True
        self.context.set_offline(True)
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()

    def mend(self) -> None:
        self.is_cut = False
        self.context.set_offline(False)


def play_on_without(line: Line, watching: Watching) -> float:
    """Three seconds from what is loaded. Returns where it was when the line was cut: by then the server may know of
    some seconds already.
    """
    watching.wait("v => v.buffered.length && v.buffered.end(0) > v.currentTime + 10")
    line.cut()
    cut_at = watching.at
    watching.play_until(cut_at + 3)
    return cut_at


def is_behind(site: Site, cut_at: float, doctor: str, name: str = "lecture") -> bool:
    """The server has heard of nothing that was played since."""
    return (site.position(doctor, name) or 0) <= cut_at and max(site.seen(doctor, name), default=0) <= cut_at


def kill(page: Page) -> None:
    """Without a farewell: what a page sends while it is closed outlives it, and with it the pulled cable."""
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")
    page.close()


def test_a_dropped_connection_loses_nothing(watching: StartWatching, site: Site, complaints: Complaints) -> None:
    complaints.allow(*OFFLINE)
    laptop = watching("drop")
    line = Line(laptop.page.context)
    laptop.open().play()
    cut_at = play_on_without(line, laptop)
    laptop.pause()
    expect(laptop.page.locator("[data-part=saved-text]")).to_contain_text("kept on this device")
    assert is_behind(site, cut_at, "drop")
    line.mend()
    laptop.wait_until_saved()
    assert set(range(int(laptop.at))) <= site.seen("drop")
    assert site.position("drop") == pytest.approx(laptop.at, abs=0.05)
    expect(laptop.page.locator("[data-part=saved-text]")).to_contain_text("saved")


def test_what_a_closed_laptop_could_not_send_goes_at_the_next_visit(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    complaints.allow(*OFFLINE)
    context = open_browser("drop", "phone")
    line = Line(context)
    before = Watching(context.new_page(), site).open("second")
    before.play()
    cut_at = play_on_without(line, before)
    before.pause()
    left_at = before.at
    expect(before.page.locator("[data-part=saved-text]")).to_contain_text("kept on this device")
    before.wait_until_kept()
    kill(before.page)
    assert is_behind(site, cut_at, "drop", "second")
    line.mend()
    after = Watching(context.new_page(), site).open("second")
    after.wait_until_saved()
    assert set(range(int(left_at))) <= site.seen("drop", "second")
    assert site.position("drop", "second") == pytest.approx(left_at, abs=0.05)
    expect(after.page.locator("[data-part=start-label]")).to_have_text(f"Continue from 0:{int(left_at):02}")


def test_what_arrives_late_does_not_undo_what_was_watched_elsewhere_since(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    complaints.allow(*OFFLINE)
    context = open_browser("late")
    line = Line(context)
    laptop = Watching(context.new_page(), site).open()
    laptop.play()
    cut_at = play_on_without(line, laptop)
    laptop.page.close()  # while it plays: the page has no time left for anything that waits

    phone = Watching(open_browser("late", "phone").new_page(), site).open()
    phone.seek(40)
    phone.play_until(42)
    phone.pause()
    left_at = phone.at
    phone.wait_until_saved()

    line.mend()
    again = Watching(context.new_page(), site).open()
    again.wait_until_saved()
    assert set(range(int(cut_at + 3))) <= site.seen("late")
    assert site.position("late") == pytest.approx(left_at, abs=0.05)
    expect(again.page.locator("[data-part=start-label]")).to_have_text(f"Continue from 0:{int(left_at):02}")


def test_a_session_the_server_ended_is_followed_by_a_new_one(watching: StartWatching, site: Site) -> None:
    laptop = watching("late", "phone").open("second")
    doctor = int(site.world["doctors"]["late"]["id"])
    laptop.play()
    with laptop.page.expect_response(lambda response: response.url.endswith("/play-sessions/")):
        ended = site.rows(
            "UPDATE webinars_playsession SET ended_at = now() WHERE user_id = %s AND webinar_id = %s RETURNING id",
            doctor,
            site.world["webinars"]["second"],
        )
        laptop.pause()
    assert len(ended) == 1
    begun = laptop.at
    laptop.page.locator("[data-do=toggle]").click()
    laptop.play_until(begun + 4)
    laptop.pause()
    laptop.wait_until_saved()
    assert set(range(round(begun) + 1, round(begun) + 3)) <= site.seen("late", "second")
    expect(laptop.page.get_by_role("alert")).to_be_hidden()


def test_where_websockets_are_blocked_requests_carry_the_beats(
    watching: StartWatching, site: Site, complaints: Complaints
) -> None:
    complaints.allow("WebSocket connection to")
    laptop = watching("http")
    laptop.page.context.route_web_socket("**/ws/**", lambda socket: socket.close())
    with laptop.page.expect_request(lambda request: request.url.endswith("/beats/")):
        laptop.open().play()
        laptop.play_until(3)
        laptop.pause()
    laptop.wait_until_saved()
    assert {0, 1, 2} <= site.seen("http")


def test_an_expired_grant_is_renewed_without_a_word(
    watching: StartWatching, site: Site, complaints: Complaints
) -> None:
    """A laptop that slept: the page is there, the media cookie is not."""
    complaints.allow("status of 403", "status of 503")
    laptop = watching("grant").open()
    context = laptop.page.context
    kept = [cookie for cookie in context.cookies() if not cookie["name"].startswith("media_")]
    context.clear_cookies()
    context.add_cookies(kept)  # type: ignore[arg-type]  # what was read may be written
    answered: list[int] = []

    def busy_at_first(route: Route) -> None:
        """The site is being restarted while the laptop wakes up."""
        answered.append(503)
        if len(answered) == 1:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    laptop.page.route("**/play-sessions/", busy_at_first)
    laptop.play()
    laptop.play_until(1)
    assert len(answered) >= 2
    expect(laptop.page.get_by_role("alert")).to_be_hidden()


def mark_of(watching: Watching) -> str:
    return watching.page.locator(".player-stage > [data-part=mark]").inner_text()


def test_sec_15_the_name_mark_moves_comes_back_and_stops_the_credit_while_hidden(
    watching: StartWatching, site: Site
) -> None:
    laptop = watching("mark").open()
    laptop.play()
    assert "Dr Meera Nair · KMC 48213 · " in mark_of(laptop)
    laptop.page.evaluate("document.querySelector('[data-part=mark]').remove()")
    assert "Dr Meera Nair" in mark_of(laptop)
    laptop.page.evaluate("document.querySelector('[data-part=mark]').textContent = 'nobody'")
    assert "Dr Meera Nair" in mark_of(laptop)
    laptop.page.evaluate("document.querySelector('[data-part=mark]').style.setProperty('opacity', '0')")
    expect(laptop.page.locator("[data-part=mark]")).to_have_css("opacity", "1")

    laptop.page.evaluate(
        """() => { const sheet = new CSSStyleSheet(); sheet.replaceSync('.player-mark { display: none !important }');
            document.adoptedStyleSheets = [sheet];
            window.hiddenMark = document.querySelector('[data-part=mark]'); }"""
    )
    until(laptop.page, "() => document.querySelector('[data-part=mark]') !== window.hiddenMark")  # it was noticed
    hidden_from = laptop.at
    laptop.play_until(hidden_from + 3)
    hidden_until = laptop.at
    laptop.page.evaluate("document.adoptedStyleSheets = []")
    laptop.play_until(hidden_until + 6)  # it looks once a second
    laptop.pause()
    laptop.wait_until_saved()
    seen = site.seen("mark")
    assert not seen & set(range(round(hidden_from) + 1, round(hidden_until) - 1))
    assert round(hidden_until) + 4 in seen


def test_sec_15_the_name_mark_goes_full_screen_with_the_picture(watching: StartWatching) -> None:
    laptop = watching("mark", "phone").open("second")
    laptop.play()
    laptop.page.keyboard.press("f")
    laptop.page.locator(".player-stage:fullscreen > [data-part=mark]").wait_for()
    assert "Dr Meera Nair" in mark_of(laptop)


def test_sec_15_who_keeps_removing_the_name_mark_is_told_that_nothing_counts(watching: StartWatching) -> None:
    laptop = watching("mark", "phone").open("second")
    laptop.play()
    for _ in range(5):
        laptop.page.evaluate("document.querySelector('[data-part=mark]').remove()")
    expect(laptop.page.get_by_role("alert")).to_contain_text("The name mark was removed")
    expect(laptop.page.locator("[data-part=saved-text]")).to_contain_text("not counted")
    laptop.wait("v => v.paused")


def test_a_missing_stream_falls_back_to_the_mp4(watching: StartWatching, complaints: Complaints) -> None:
    complaints.allow("status of 404")
    laptop = watching("states")
    laptop.page.route("**/*.m3u8", lambda route: route.fulfill(status=404))
    laptop.open().play()
    assert laptop.value("v => v.currentSrc.split('/').pop()").endswith(".mp4")


def test_without_media_source_the_browsers_own_hls_plays_or_the_mp4(watching: StartWatching) -> None:
    """An iPhone has no MediaSource. What this Chromium can do without it decides which of the two it gets."""
    phone = watching("states", "phone")
    phone.page.add_init_script("for (const name of ['MediaSource', 'ManagedMediaSource']) delete window[name];")
    phone.open().play()
    phone.play_until(1)
    claims_hls = phone.value("v => v.canPlayType('application/vnd.apple.mpegurl') !== ''")
    name = str(phone.value("v => v.currentSrc.split('/').pop()"))
    assert name.endswith(".m3u8" if claims_hls else ".mp4")
    assert phone.page.evaluate("typeof window.MediaSource") == "undefined"


def test_when_nothing_can_be_played_it_says_so_and_tries_again(watching: StartWatching, complaints: Complaints) -> None:
    complaints.allow("status of 404")
    laptop = watching("states")
    for kind in ("m3u8", "mp4"):
        laptop.page.route(f"**/*.{kind}", lambda route: route.fulfill(status=404))
    laptop.open("second")
    laptop.page.locator("[data-part=start] button").click()
    expect(laptop.page.get_by_role("alert")).to_contain_text("The video cannot be played just now")
    for kind in ("m3u8", "mp4"):
        laptop.page.unroute(f"**/*.{kind}")
    laptop.page.get_by_role("button", name="Try again").click()
    laptop.wait_until_playing()
    assert eventually(lambda: laptop.page.get_by_role("alert").is_hidden())
