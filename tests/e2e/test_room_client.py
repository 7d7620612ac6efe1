"""The shared client of a room, in a page of a real browser, against a server that the test plays."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.test_player_units import open_page

pytestmark = pytest.mark.browser
SETUP = """
const seen = [], sent = [];
const room = new m.Room({ since: a.since || 0, eventsUrl: a.url || "", fetchIt: a.fetchIt, backoff: a.backoff });
for (const kind of ["state", "event", "presence", "reload", "bye", "mode"]) {
  room.addEventListener(kind, ({ detail }) => seen.push([kind, detail.number || detail.reason || detail]));
}
const event = (number) => ({ t: "event", number, kind: "desk", at: "", data: {} });
const open = () => room.opened((frame) => sent.push(frame));
"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    yield from open_page(chromium)


def run(page: Page, body: str, **given: Any) -> Any:
    source = f"async a => {{ const m = await import('/js/live/room.js'); {SETUP} {body} }}"
    return page.evaluate(source, given)


def test_it_asks_for_what_was_missed_and_tells_each_event_once(page: Page) -> None:
    seen, sent = run(
        page,
        """
        open();
        room.receive({ t: "room_state", number: 7 });
        [6, 7, 7, 6, 8].forEach((number) => room.receive(event(number)));
        return [seen.filter(([kind]) => kind === "event"), sent];
        """,
        since=5,
    )

    assert sent == [{"t": "room", "since": 5}]
    assert seen == [["event", 6], ["event", 7], ["event", 8]]


def test_who_is_behind_the_count_asks_again_but_not_at_every_count(page: Page) -> None:
    sent = run(
        page,
        """
        open();
        room.receive({ t: "room_state", number: 9 });
        room.receive(event(9));
        for (let n = 0; n < 2; n++) room.receive({ t: "presence", people: 3, number: 12 });
        return sent;
        """,
        since=8,
    )

    assert sent == [{"t": "room", "since": 8}, {"t": "room", "since": 9}]


def test_too_old_a_number_loads_the_page_again_and_ends_everything(page: Page) -> None:
    seen = run(page, 'open(); room.receive({ t: "reload" }); room.receive(event(3)); room.lost(); return seen;')

    assert seen == [["reload", {}]]


def test_a_removed_person_is_told_and_a_restart_is_no_goodbye(page: Page) -> None:
    seen = run(page, 'open(); room.goodbye("restarting"); room.goodbye("removed"); return seen;')

    assert seen == [["bye", "removed"]]


def test_frames_of_the_player_are_not_the_rooms(page: Page) -> None:
    assert run(page, 'open(); return [room.receive({ t: "ack", n: [1] }), room.receive(event(1))];') == [False, True]


def test_after_two_losses_it_polls_from_where_it_was_until_a_socket_stands(page: Page) -> None:
    asked, numbers, modes = run(
        page,
        """
        const asked = [];
        const told = new Promise((done) => room.addEventListener("presence", done));
        room.fetchIt = async (url) => {
          asked.push(url);
          return new Response(JSON.stringify({ number: 6, state: "live", people: 4, events: [event(5), event(6)] }));
        };
        room.eventsUrl = "/events/";
        room.receive(event(4));
        room.lost();
        room.lost();
        await told;
        open();
        room.receive({ t: "room_state", number: 6 });
        const told_ = (wanted) => seen.filter(([kind]) => kind === wanted).map((one) => one[1]);
        return [asked, told_("event"), told_("mode")];
        """,
    )

    assert asked == ["/events/?since=4"]
    assert numbers == [4, 5, 6]
    assert modes == ["polling", "socket"]


@pytest.mark.parametrize(("status", "kind"), [(410, "reload"), (401, "bye"), (404, "bye")])
def test_polling_ends_where_the_server_says_so(page: Page, status: int, kind: str) -> None:
    seen = run(
        page,
        f"""
        const over = new Promise((done) => room.addEventListener("{kind}", done));
        room.fetchIt = async () => new Response("{{}}", {{ status: {status} }});
        room.eventsUrl = "/events/";
        room.lost();
        room.lost();
        await over;
        return seen.map((one) => one[0]);
        """,
    )

    assert seen == [kind]


def test_the_line_comes_back_with_jitter_and_not_after_a_refusal(page: Page) -> None:
    opened, bye = run(
        page,
        """
        const lines = [];
        const backoff = { next: () => 1, reset: () => {} };
        const open_ = () => { const line = { send: () => {}, close: () => {} }; lines.push(line); return line; };
        const line = new m.RoomLine({ url: "ws://x/", room, backoff, open: open_ });
        line.start();
        lines[0].onclose({ code: 1012 });
        await new Promise((done) => setTimeout(done, 50));
        lines[1].onclose({ code: 4403 });
        await new Promise((done) => setTimeout(done, 50));
        return [lines.length, seen.filter(([kind]) => kind === "bye").map((one) => one[1])];
        """,
    )

    assert (opened, bye) == (2, ["removed"])


@pytest.mark.parametrize(("talks", "cut_after"), [(True, [8000, 40000]), (False, [8000, 0])])
def test_a_line_is_cut_when_nothing_comes_back_or_a_room_goes_silent(
    page: Page, talks: bool, cut_after: list[int]
) -> None:
    """The page's own clock is played by the test: `wait` says how long a silence is borne from now on."""
    waits, losses = page.evaluate(
        """async ([talks]) => {
            const { Line } = await import("/js/line.js");
            const lines = [], waits = [], real = window.setTimeout;
            const timers = [];
            window.setTimeout = (work, milliseconds) => timers.push({ work, milliseconds });
            try {
                const open = () => { const line = { send() {}, close() {} }; lines.push(line); return line; };
                const line = new Line({ url: "ws://x/", talks, open });
                const wait = line.wait.bind(line);
                line.wait = (milliseconds) => { waits.push(milliseconds); wait(milliseconds); };
                const losses = [];
                line.addEventListener("lost", ({ detail }) => losses.push(detail.tries));
                line.start();
                lines[0].onmessage({ data: '{"t":"room_state"}' });
                timers.filter(({ milliseconds }) => milliseconds === 40000).forEach(({ work }) => work());
                line.stop();
                return [waits, losses];
            } finally {
                window.setTimeout = real;
            }
        }""",
        [talks],
    )

    assert waits == cut_after
    assert losses == ([1] if talks else [])


def test_the_waiting_page_asks_less_often_the_longer_it_takes(page: Page) -> None:
    pauses = page.evaluate(
        """async () => {
            const { pause } = await import("/js/stage/door.js");
            return [0, 1, 5, 50].map((number) => pause(number, () => 0.5));
        }"""
    )

    assert pauses == sorted(pauses)
    assert 2500 < pauses[0] < 3500
    assert pauses[-1] < 16_000
