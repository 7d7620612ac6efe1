"""The moderators' desk in real browsers: three moderators, a presenter and a doctor at once; the keyboard alone."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.conftest import PHONE, Complaints, OpenBrowser, Site, eventually, until
from tests.e2e.looking import DARK_RULES, darken, violations

pytestmark = pytest.mark.browser
DESK = {"width": 1440, "height": 900}
LISTEN = """([id]) => {
    window.heard = [];
    window.closedWith = null;
    const socket = new WebSocket(`ws://${location.host}/ws/webinars/${id}/`);
    socket.onopen = () => socket.send(JSON.stringify({ t: "room", since: 0 }));
    socket.onmessage = (event) => window.heard.push(JSON.parse(event.data));
    socket.onclose = (event) => { window.closedWith = event.code; };
}"""


class Room:
    """One webinar and its people, each in a browser of their own."""

    def __init__(self, site: Site, open_browser: OpenBrowser, world: dict[str, Any]) -> None:
        self.site, self.open_browser, self.world = site, open_browser, world

    def page(self, who: str, **options: Any) -> Page:
        context = self.open_browser(**{"viewport": DESK} | options)
        cookie = self.world["people"][who]["cookie"]
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.site.url, "httpOnly": True}])
        return context.new_page()

    def desk(self, who: str, **options: Any) -> Page:
        page = self.page(who, **options)
        page.goto(f"{self.site.url}/admin/webinars/desk/{self.world['webinar']}/")
        page.locator("#desk[data-ready=true]").wait_for()
        expect(page.get_by_text("Connected", exact=True)).to_be_visible()
        return page

    def listener(self, who: str) -> Page:
        """A page that hears what the room tells this person."""
        page = self.page(who)
        page.goto(f"{self.site.url}/account/")
        self.listen(page)
        return page

    def listen(self, page: Page) -> None:
        page.evaluate(LISTEN, [self.world["webinar"]])
        until(page, "() => window.heard.some((frame) => frame.t === 'room_state')")

    def knock(self, first: str, last: str) -> Page:
        """A doctor without an account asks at the door."""
        page = self.open_browser(viewport=PHONE).new_page()
        page.goto(f"{self.site.url}/door/{self.world['door']}/")
        email = f"{first}.{uuid4().hex}@example.org".lower()
        fields = {"First name": first, "Last name": last, "E-mail address": email, "Medical council": "KMC"}
        for label, value in {**fields, "Registration number": uuid4().hex[:12]}.items():
            page.get_by_label(label).fill(value)
        page.get_by_label("Country where you practise").select_option("IN")
        page.get_by_role("button", name="Ask to be let in").click()
        page.wait_for_load_state()
        return page

    def call(self, page: Page, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """As the page of a doctor does it."""
        token = page.context.cookies(self.site.url)
        csrf = next((one["value"] for one in token if one["name"] == "csrftoken"), "")
        headers = {"X-CSRFToken": csrf, "Referer": self.site.url, "Content-Type": "application/json"}
        url = f"{self.site.url}/api/v1/webinars/{self.world['webinar']}/{path}"
        answer = page.context.request.fetch(url, method=method, headers=headers, data=json.dumps(body or {}))
        assert answer.ok, (answer.status, answer.text())
        return answer.json() if answer.text() else None


MakeRoom = Callable[..., Room]


@pytest.fixture
def room(site: Site, open_browser: OpenBrowser) -> MakeRoom:
    def make(*questions: str) -> Room:
        return Room(site, open_browser, site.run("tests.e2e.desk_world", *questions))

    return make


def row(page: Page, text: str) -> Locator:
    return page.locator(".dk-row").filter(has_text=text)


def heard(page: Page, kind: str, condition: str = "true") -> None:
    until(page, f"() => window.heard.some(({{ kind, data }}) => kind === '{kind}' && ({condition}))")


def told(page: Page, text: str) -> None:
    expect(page.locator("[data-part=told]")).to_have_text(text)


FIRST, SECOND = "Is there a place for repeated surgery?", "Which AMH would you still operate on?"


def take_at_once(live: Room, desks: dict[str, Page], text: str) -> None:
    """All press the button in the same moment: one is on it, and the others see who."""
    buttons = []
    for page in desks.values():
        row(page, text).click()
        buttons.append(page.get_by_role("button", name="Take it").element_handle())
    for button in buttons:
        button.evaluate("(button) => button.click()")
    found = (
        "SELECT u.last_name FROM webinars_question q JOIN accounts_user u ON u.id = q.claimed_by_id WHERE q.text = %s"
    )
    ((winner,),) = eventually(lambda: live.site.rows(found + " AND q.webinar_id = %s", text, live.world["webinar"]))
    for name, page in desks.items():
        if name.endswith(winner):
            told(page, "You are on it.")
    for name, page in desks.items():
        if not name.endswith(winner):
            expect(row(page, text).get_by_text(f"{winner} is on it")).to_be_visible()
            expect(page.locator("[data-part=told]")).not_to_have_text("You are on it.")


def test_a_question_goes_from_the_doctor_by_three_moderators_to_the_presenter_and_to_everybody(
    room: MakeRoom, complaints: Complaints
) -> None:
    complaints.allow("status of 409", "status of 40[34]")  # nobody streams: there is no playlist yet
    live = room(FIRST)
    ana, tomas, lucia = live.desk("ana"), live.desk("tomas"), live.desk("lucia")
    presenter, doctor = live.listener("presenter"), live.listener("doctor")
    phone = live.page("doctor", viewport=PHONE)
    phone.goto(f"{live.site.url}/webinars/{live.world['webinar']}/")
    phone.get_by_label("Your question").fill(SECOND)
    phone.get_by_role("button", name="Send question").click()
    for page in (ana, tomas, lucia):
        expect(row(page, SECOND)).to_be_visible()
        expect(page.locator("[data-tab=new] [data-count]")).to_have_text("2")
    take_at_once(live, {"Ana Ribeiro": ana, "Tomas Berg": tomas, "Lucía Ortega": lucia}, FIRST)

    row(ana, SECOND).click()
    ana.get_by_role("button", name="Take it").click()
    told(ana, "You are on it.")
    expect(row(tomas, SECOND).get_by_text("Dr Ana Ribeiro is on it")).to_be_visible()
    row(tomas, SECOND).click()
    tomas.get_by_role("button", name="Put aside", exact=False).and_(tomas.locator("[data-move]")).click()
    expect(tomas.get_by_role("alert")).to_contain_text("Somebody else is working on this question.")

    ana.get_by_role("button", name="Forward …").click()
    ana.get_by_label("Wording for presenters").fill("AMH before surgery: which cut-off?")
    ana.get_by_label("Ask this one first").check()
    ana.get_by_role("button", name="Forward to the presenters").click()
    told(ana, "Forwarded to the presenters.")
    heard(presenter, "forwarded", "data.text === 'AMH before surgery: which cut-off?' && data.is_priority")
    for page in (tomas, lucia):
        expect(row(page, SECOND)).to_have_count(0)
        expect(page.locator("[data-tab=forwarded] [data-count]")).to_have_text("1")

    phone.get_by_role("tab", name="Answers").click()
    tomas.keyboard.press("l")
    told(tomas, "Marked as answered live.")
    expect(tomas.get_by_text("Answered live at minute 20:00")).to_be_visible()
    tomas.get_by_role("button", name="Publish", exact=False).and_(
        tomas.locator("[data-move]:not([data-with-wording])")
    ).click()
    told(tomas, "Published for everybody.")
    heard(doctor, "published", "data.text === 'AMH before surgery: which cut-off?' && data.answered_seconds === 1200")
    assert (
        doctor.evaluate("window.heard.filter((frame) => ['question', 'forwarded', 'desk'].includes(frame.kind))") == []
    )

    published = phone.locator("#published")
    expect(published.get_by_text("AMH before surgery: which cut-off?")).to_be_visible()

    tomas.get_by_role("button", name="Undo").click()
    told(tomas, "Not public any more.")
    heard(doctor, "published", "data.removed")
    expect(published.get_by_text("AMH before surgery: which cut-off?")).to_have_count(0)
    expect(ana.locator("[data-tab=published] [data-count]")).to_have_text("0")


def test_what_somebody_else_did_is_shown_and_what_was_typed_is_kept(room: MakeRoom, complaints: Complaints) -> None:
    complaints.allow("status of 409", "ERR_INTERNET_DISCONNECTED")
    live = room(FIRST)
    ana, tomas = live.desk("ana"), live.desk("tomas")
    for page in (ana, tomas):
        row(page, FIRST).click()
    ana.context.set_offline(True)  # her claim does not arrive, and neither does the news
    ana.get_by_role("button", name="Answer …").click()
    ana.get_by_label("Answer to the doctor").fill("Only for pain.")
    tomas.get_by_role("button", name="Answer …").click()
    tomas.get_by_label("Ready answer").select_option(label="Slides")
    tomas.get_by_label("Answer to the doctor").press("Control+Enter")
    told(tomas, "Answered.")
    ana.context.set_offline(False)
    expect(ana.locator("article [data-part=answer]")).to_have_text("The slides are on the course page.")
    expect(ana.get_by_label("Answer to the doctor")).to_have_value("Only for pain.")
    ana.get_by_role("button", name="Answer", exact=False).and_(ana.locator("[type=submit]")).click()
    alert = ana.get_by_role("alert").filter(visible=True)
    expect(alert).to_contain_text("Somebody else has changed this question meanwhile.")
    expect(alert).to_contain_text("Dr Tomas Berg: answered in text.")
    expect(alert).to_contain_text("What you typed is kept.")
    expect(ana.get_by_label("Answer to the doctor")).to_have_value("Only for pain.")
    ana.get_by_role("button", name="Answer", exact=False).and_(ana.locator("[type=submit]")).click()
    told(ana, "Answered.")
    expect(tomas.locator("article [data-part=answer]")).to_have_text("Only for pain.")


def test_everything_goes_by_keyboard(room: MakeRoom) -> None:
    live = room(FIRST, SECOND, "Will the slides be there?", "Are the slides available?")
    page = live.desk("ana")
    press = page.keyboard.press
    press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press("j")
    press("j")
    expect(row(page, SECOND)).to_be_focused()
    press("k")
    expect(row(page, FIRST)).to_be_focused()
    press("Enter")
    expect(page.locator("#dk-card-title")).to_be_focused()
    press("c")
    told(page, "You are on it.")
    press("f")
    page.keyboard.type(" (c d p are letters here)")
    expect(page.get_by_label("Wording for presenters")).to_have_value(f"{FIRST} (c d p are letters here)")
    press("Control+Enter")
    told(page, "Forwarded to the presenters.")
    press("j")
    expect(row(page, SECOND)).to_be_focused()
    press("a")
    page.keyboard.type("Below 1.2 we do not.")
    press("Control+Enter")
    told(page, "Answered.")
    press("p")
    told(page, "Published for everybody.")
    press("j")
    press("d")
    told(page, "Put aside.")
    press("z")
    told(page, "Back in the queue.")
    expect(row(page, "Will the slides be there?")).to_be_visible()
    press("m")
    page.keyboard.type("available")
    found = page.locator("[data-part=found]")
    expect(found.get_by_text("Are the slides available?")).to_be_visible()
    expect(found.locator("li")).to_have_count(1)
    press("Tab")
    press("Enter")
    told(page, "Merged.")
    press("/")
    page.keyboard.type("amh")
    expect(page.locator(".dk-row")).to_have_count(0)
    press("Escape")
    press("5")
    expect(row(page, SECOND)).to_be_visible()
    expect(page.locator(".dk-row")).to_have_count(1)
    press("j")
    press("l")
    told(page, "Marked as answered live.")


def test_an_answer_waits_for_the_taking_that_typing_began(room: MakeRoom, complaints: Complaints) -> None:
    """On a poor line the answer would come first, and the late taking would be refused as somebody else's change."""
    page = room(SECOND).desk("ana")
    held: list[Route] = []
    answers: list[str] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/claim/", hold)
    page.on("request", lambda request: answers.append(request.url) if request.url.endswith("/answer/") else None)
    row(page, SECOND).click()
    with page.expect_request("**/claim/"):
        page.keyboard.press("a")
        page.keyboard.type("Below 1.2 we do not.")
    page.keyboard.press("Control+Enter")
    assert page.evaluate("new Promise((done) => setTimeout(() => done(1)))") == 1  # a task later nothing has left
    assert answers == []
    held[0].continue_()
    told(page, "Answered.")
    assert len(held) == len(answers) == 1


def test_polls_are_prepared_opened_answered_closed_and_shown(room: MakeRoom, complaints: Complaints) -> None:
    complaints.allow("status of 400")
    live = room()
    page, other = live.desk("ana"), live.desk("tomas")
    doctor = live.listener("doctor")
    page.get_by_text("Prepare a poll").click()
    page.get_by_role("textbox", name="Question", exact=True).fill("Which first?")
    page.get_by_label("Answers, one a line").fill("Surgery")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give 2 to 12 different answers.")).to_be_visible()
    page.get_by_label("Answers, one a line").fill("Surgery\nIVF\n")
    page.get_by_role("button", name="Save").click()
    told(page, "Prepared. Nobody sees it before you open it.")
    poll = other.locator(".dk-poll").filter(has_text="Which first?")
    poll.get_by_role("button", name="Open").click()
    told(other, "The poll is open.")
    heard(doctor, "poll", "data.state === 'open'")
    number = doctor.evaluate("window.heard.find((frame) => frame.kind === 'poll').data.id")
    live.call(doctor, "PUT", f"polls/{number}/vote/", {"choices": [2]})
    mine = page.locator(".dk-poll").filter(has_text="Which first?")
    expect(mine.locator(".dk-bars li").nth(1)).to_contain_text("1 · 100 %")
    mine.get_by_role("button", name="Show results").click()
    heard(doctor, "poll_results", "data.counts['2'] === 1")
    mine.get_by_role("button", name="Close the poll").click()
    expect(poll.locator("[data-part=state]")).to_have_text("Closed")
    page.get_by_label("Kind").evaluate("(field) => field.closest('details').open = true")
    page.get_by_label("Kind").select_option("words")
    page.get_by_role("textbox", name="Question", exact=True).fill("In one word?")
    page.get_by_role("button", name="Save").click()
    draft = page.locator(".dk-poll").filter(has_text="In one word?")
    draft.get_by_role("button", name="Delete …").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(draft).to_have_count(0)
    expect(other.locator(".dk-poll").filter(has_text="In one word?")).to_have_count(0)


def test_who_is_removed_loses_the_socket_and_can_be_let_back(room: MakeRoom) -> None:
    live = room(FIRST)
    page, other, doctor = live.desk("ana"), live.desk("tomas"), live.listener("doctor")
    row(page, FIRST).click()
    page.locator("article").get_by_role("button", name="Mute …").click()
    page.get_by_label("Reason, for the log").filter(visible=True).fill("Advertising")
    page.get_by_role("dialog").get_by_role("button", name="Mute").click()
    told(page, "Dr Meera Nair is muted.")
    heard(doctor, "restricted", "data.kind === 'muted' && !data.lifted")
    page.get_by_role("button", name="Undo").click()
    heard(doctor, "restricted", "data.kind === 'muted' && data.lifted")
    page.locator("article").get_by_role("button", name="Remove …").click()
    page.get_by_role("dialog").get_by_role("button", name="Do nothing").click()
    page.locator("article").get_by_role("button", name="Remove …").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    until(doctor, "() => window.closedWith === 4403")
    other.locator("summary", has_text="People").click()
    person = other.locator(".dk-person").filter(has_text="Dr Meera Nair")
    expect(person.get_by_text("removed", exact=True)).to_be_visible()
    person.get_by_role("button", name="Let back").click()
    told(other, "Dr Meera Nair may come back.")
    live.listen(doctor)


def test_announcements_links_lanes_and_the_end_reach_everybody(room: MakeRoom) -> None:
    live = room(FIRST)
    page, other, doctor = live.desk("ana"), live.desk("tomas"), live.listener("doctor")
    page.get_by_label("Announce to everybody").fill("The break is at eight.")
    page.get_by_role("button", name="Announce", exact=True).click()
    heard(doctor, "announcement", "data.text === 'The break is at eight.'")
    page.get_by_text("Show a link").click()
    page.get_by_label("Text", exact=True).fill("Guideline")
    page.get_by_role("textbox", name="Address", exact=True).fill("https://www.example.org/guideline")
    page.get_by_role("button", name="Show to everybody").click()
    heard(doctor, "pinned", "data.title === 'Guideline'")
    other.get_by_role("button", name="Take down").click()
    heard(doctor, "pinned", "data.removed")
    page.get_by_text("Who may write and read").click()
    page.get_by_label("Doctors ask questions").select_option("none")
    told(page, "Saved. Everybody's page follows at once.")
    heard(doctor, "lanes")
    expect(other.locator("select[name=attendee-attendee]")).to_have_value("none")
    other.locator("summary", has_text="Activity").click()
    expect(other.locator("[data-part=log]")).to_contain_text("Dr Ana Ribeiro announced The break is at eight.")
    page.locator("summary", has_text="End …").click()
    page.get_by_role("button", name="End it for everybody").click()
    heard(doctor, "state", "data.state === 'ended'")
    for desk in (page, other):
        expect(desk.locator("[data-part=state]").first).to_have_text("Ended")
        expect(desk.locator("summary", has_text="End …")).to_be_hidden()


def test_the_queue_at_the_door_is_worked_off_by_keyboard_on_every_desk_at_once(room: MakeRoom) -> None:
    live = room(FIRST)
    page, other = live.desk("ana"), live.desk("tomas")
    for desk in (page, other):
        desk.locator("summary", has_text="At the door").click()
        expect(desk.get_by_text("Nobody waits.", exact=False)).to_be_visible()
    visitor = live.knock("Asha", "Menon")
    live.knock("Wanjiru", "Kamau")
    for desk in (page, other):
        expect(desk.locator(".dk-waiting")).to_have_count(2)
        flagged = desk.locator(".dk-waiting").filter(has_text="Look twice:")
        expect(flagged).to_contain_text("Same name and country as Dr Wanjiru Kamau.")

    page.get_by_role("button", name="Let Asha Menon in", exact=True).focus()
    page.keyboard.press("Enter")
    told(page, "Asha Menon is let in.")
    expect(page.get_by_role("button", name="Let Wanjiru Kamau in", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    told(page, "Wanjiru Kamau is not let in.")
    for desk in (page, other):
        expect(desk.locator(".dk-waiting")).to_have_count(0)
    page.keyboard.press("z")
    told(page, "Wanjiru Kamau waits again.")
    for desk in (page, other):
        expect(desk.locator(".dk-waiting")).to_have_count(1)
        expect(desk.locator("[data-part=door]")).to_have_text("1 waiting, 1 of 5 let in")
    expect(visitor.get_by_role("button", name="Enter the webinar")).to_be_visible()


def test_answers_that_are_closed_to_doctors_leave_their_open_pages_and_come_back(
    room: MakeRoom, complaints: Complaints
) -> None:
    complaints.allow("status of 40[34]")  # nobody streams: there is no playlist yet
    live = room(FIRST)
    page, phone = live.desk("ana"), live.page("doctor", viewport=PHONE)
    phone.goto(f"{live.site.url}/webinars/{live.world['webinar']}/")
    phone.get_by_role("tab", name="Answers").click()
    published = phone.locator("#published").get_by_text(FIRST)
    row(page, FIRST).click()
    page.keyboard.press("p")
    expect(published).to_be_visible()
    page.get_by_text("Who may write and read").click()
    lane = page.get_by_label("Doctors read and vote for published questions")
    lane.select_option("none")
    expect(published).to_have_count(0)
    lane.select_option("")
    expect(published).to_be_visible()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_desk_is_accessible_with_everything_open(room: MakeRoom, width: int) -> None:
    live = room(FIRST, SECOND)
    page = live.desk("ana", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    live.knock("Wanjiru", "Kamau")
    row(page, FIRST).click()
    page.keyboard.press("a")
    page.locator(".dk-panel").evaluate_all("(panels) => panels.forEach((panel) => { panel.open = true; })")
    page.get_by_label("Search for a person").fill("kamau")
    expect(page.locator("[data-part=people-list] .dk-person")).to_have_count(1)
    expect(page.locator(".dk-flag")).to_contain_text("Same name and country as Dr Wanjiru Kamau.")
    assert violations(page) == []
    darken(page)
    assert violations(page, *DARK_RULES) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{live.site.url}/admin/webinars/desk/")
    expect(page.get_by_role("link", name="Surgery before IVF").first).to_be_visible()
    assert violations(page) == []
