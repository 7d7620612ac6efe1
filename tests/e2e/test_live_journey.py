"""A whole webinar with a doctor, a moderator and a presenter at once, over a real stream, to the recording."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Complaints, OpenBrowser, Site, Watching, eventually
from tests.e2e.looking import BOTH, take
from tests.e2e.numbered import NUMBER, numbered_picture
from tests.e2e.test_desk import Room, row, told
from tests.e2e.test_live_page import TABLET, WORLD, Show, stage_is
from tests.recording.camera import RATE

pytestmark = [pytest.mark.browser, pytest.mark.long]
ASKED = "Which AMH would you still operate on?"
WORDING = "AMH before surgery: which cut-off?"
AFTER_THE_BREAK = 10_000  # the number of the first frame that the second connection sends


class Cast:
    """One webinar, and the pages of its three people."""

    def __init__(self, show: Show, room: Room) -> None:
        self.show = show
        self.desk = room.desk("moderator")
        self.presenter = show.browser("presenter", viewport=TABLET).new_page()
        self.presenter.goto(f"{show.address}stage/")
        self.doctor = show.open("doctor", viewport=PHONE)
        self.watching = Watching(self.doctor, show.site)
        self.loads: list[str] = []
        self.doctor.on("framenavigated", lambda frame: self.loads.append(frame.url))


@pytest.fixture
def cast(site: Site, open_browser: OpenBrowser, complaints: Complaints) -> Cast:
    complaints.allow("status of 40[349]")  # before the first playlist, and of a broadcast that is over
    world = site.run(WORLD, "make", "doctor")
    return Cast(Show(site, open_browser, world), Room(site, open_browser, world))


def test_a_webinar_from_the_doors_to_the_recording(cast: Cast) -> None:
    """Nobody loads a page again."""
    show, doctor, watching = cast.show, cast.doctor, cast.watching
    stage_is(doctor, "You are in the right place.")
    expect(cast.desk.locator("[data-part=state]").first).to_have_text("Doors open")
    doctor.get_by_role("button", name="Play a test sound").click()  # touched: the browser lets the picture begin
    with show.on_air(numbered_picture(0)):
        expect(doctor.locator("#player.is-live[data-ready=true]")).to_be_visible()
        watching.wait_until_playing()
        expect(cast.desk.locator("[data-part=state]").first).to_have_text("Live")
        expect(cast.presenter.get_by_text("Time left")).to_be_visible()
        answered_at = a_question_is_answered_live(cast)
        a_poll_is_held(cast)
    expect(doctor.get_by_text("The presenter's line was interrupted")).to_be_visible()
    take(doctor, "interrupted", schemes=BOTH)
    with show.on_air(numbered_picture(AFTER_THE_BREAK)):
        left = goes_on_and_leaves(cast)
        cast.presenter.locator("#sure-end summary").click()
        cast.presenter.get_by_role("button", name="Yes, end it now").click()
        expect(cast.presenter.get_by_text("This webinar is over.")).to_be_visible()
    stage_is(doctor, "The webinar has ended")
    take(doctor, "ended", schemes=BOTH)
    expect(cast.desk.locator("[data-part=state]").first).to_have_text("Ended")
    expect(doctor.locator("#player:not(.is-live)[data-ready=true]")).to_be_visible(timeout=120_000)
    expect(doctor.locator("[data-part=start-label]")).to_contain_text("Continue from")
    take(doctor, "recording", schemes=BOTH)
    the_answer_is_on_the_timeline(cast, answered_at)
    assert abs(first_frame(watching) - left) / RATE < 1
    assert cast.loads == []


def a_question_is_answered_live(cast: Cast) -> float:
    """Asked, claimed, forwarded, answered on stage, published, read. Gives its program time."""
    doctor, desk, presenter = cast.doctor, cast.desk, cast.presenter
    doctor.get_by_label("Your question").fill(ASKED)
    doctor.get_by_role("button", name="Send question").click()
    row(desk, ASKED).click()
    desk.get_by_role("button", name="Take it").click()
    told(desk, "You are on it.")
    desk.get_by_role("button", name="Forward …").click()
    desk.get_by_label("Wording for presenters").fill(WORDING)
    desk.get_by_role("button", name="Forward to the presenters").click()
    told(desk, "Forwarded to the presenters.")
    card = presenter.locator(".stage-questions li").filter(has_text=WORDING)
    card.get_by_role("button", name="I am answering this now").click()
    expect(presenter.get_by_text("1 answered", exact=True)).to_be_visible()
    expect(desk.get_by_text("Answered live at minute")).to_be_visible()
    desk.locator("article [data-move=publish]:not([data-with-wording])").click()
    told(desk, "Published for everybody.")
    doctor.get_by_role("tab", name="Answers").click()
    published = doctor.locator("#published .qa").filter(has_text=WORDING)
    expect(published.get_by_text("Answered live")).to_be_visible()
    found = cast.show.site.rows(
        "SELECT answered_seconds FROM webinars_question WHERE webinar_id = %s", cast.show.world["webinar"]
    )
    return float(found[0][0])


def a_poll_is_held(cast: Cast) -> None:
    doctor, desk = cast.doctor, cast.desk
    desk.get_by_text("Prepare a poll").click()
    desk.get_by_role("textbox", name="Question", exact=True).fill("Which first?")
    desk.get_by_label("Answers, one a line").fill("Surgery\nIVF")
    desk.get_by_role("button", name="Save").click()
    poll = desk.locator(".dk-poll").filter(has_text="Which first?")
    poll.get_by_role("button", name="Open").click()
    told(desk, "The poll is open.")
    mine = doctor.locator(".poll").filter(has_text="Which first?")
    mine.get_by_label("IVF").check()
    mine.get_by_role("button", name="Vote").click()
    expect(mine.get_by_text("Your vote was counted.")).to_be_visible()
    expect(mine.locator(".poll-results")).to_have_count(0)
    poll.get_by_role("button", name="Show results").click()
    expect(mine.locator(".poll-results li").nth(1)).to_contain_text("1 · 100 %")
    expect(poll.locator(".dk-bars li").nth(1)).to_contain_text("1 · 100 %")
    expect(cast.presenter.locator(".stage-poll")).to_contain_text("1 answer")


def goes_on_and_leaves(cast: Cast) -> int:
    """Called to a patient in the second part; the webinar goes on. Gives the frame that stood on the screen."""
    show, watching = cast.show, cast.watching
    expect(cast.doctor.locator("[data-part=notice]")).to_be_hidden()
    watching.wait(f"v => !v.paused && {NUMBER}(v) > {AFTER_THE_BREAK + 3 * RATE}")
    watching.pause()
    watching.wait_until_saved()
    assert show.live_seconds("doctor") >= 8
    left = int(watching.value(NUMBER))
    at = show.position("doctor")
    # The last five seconds of a recording are no place to go on from.
    assert eventually(lambda: show.program_seconds > at + 8)
    return left


def the_answer_is_on_the_timeline(cast: Cast, answered_at: float) -> None:
    show, doctor = cast.show, cast.doctor
    [(spans,)] = show.site.rows(
        "SELECT e.spans FROM webinars_edition e JOIN webinars_broadcast b ON b.id = e.broadcast_id"
        " WHERE b.webinar_id = %s",
        show.world["webinar"],
    )
    start, end, offset = spans[0]
    assert start <= answered_at <= end
    expected = offset + answered_at - start
    doctor.get_by_role("tab", name="Answers").click()
    button = doctor.locator("#published").get_by_role("button", name=re.compile("Watch the answer"))
    expect(button).to_be_visible()
    assert abs(float(button.get_attribute("data-seconds") or "nan") - expected) <= 1
    mark: Any = doctor.locator("[data-part=coverage] .timeline-marks i")
    expect(mark).to_have_count(1)
    expect(mark).to_have_attribute("style", re.compile(r"left: \d"))


def first_frame(watching: Watching) -> int:
    """That is shown after the tap on "Continue"."""
    watching.value(
        "v => v.addEventListener('playing', () => v.requestVideoFrameCallback(() => {"
        f" v.dataset.first = {NUMBER}(v); }}), {{ once: true }})"
    )
    watching.page.locator("[data-part=start] button").click()
    watching.wait("v => v.dataset.first !== undefined")
    return int(watching.value("v => v.dataset.first"))
