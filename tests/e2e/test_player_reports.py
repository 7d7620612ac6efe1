"""How well it plays, as the player tells it: its arithmetic, run in a browser without a site, and what arrives."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import Site, eventually
from tests.e2e.test_player_units import open_page, run
from tests.e2e.test_watching import StartWatching

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    yield from open_page(chromium)


def tally(page: Page, steps: list[list[Any]], seen: list[list[int]] | None = None) -> dict[str, Any]:
    """Steps: [what happens, clock seconds, …]; "at" also has media seconds and whether it plays. A report comes out."""
    body = """const tally = new m.Tally(a.seen);
        const reports = [];
        for (const [what, second, ...more] of a.steps) {
            const now = second * 1000;
            if (what === "at") {
                tally.sample({ now, seconds: more[0], rate: 1, playing: more[1] !== false, kbit: 800 });
            } else if (what === "wait") tally.waiting(now, { seeking: more[0] === "seeking", paused: false });
            else if (what === "take") reports.push(tally.take(now));
            else tally[what](...(what === "failed" ? more : [now]));
        }
        return reports;"""
    given = {"steps": [*steps, ["take", steps[-1][1]]], "seen": seen or []}
    reports: list[dict[str, Any]] = run(page, "reports", body, given)
    return reports[-1] if len(reports) == 1 else {"all": reports}


def test_the_start_is_from_the_tap_to_the_first_picture(page: Page) -> None:
    report = tally(page, [["tapped", 1], ["tapped", 2], ["playing", 3.4], ["at", 3.4, 0], ["at", 13.4, 10]])
    assert {name: report[name] for name in ("start_ms", "play_ms", "kbits", "stalls")} == {
        "start_ms": 2_400,
        "play_ms": 10_000,
        "kbits": 8_000,
        "stalls": 0,
    }


def test_a_second_tap_after_one_gave_up_begins_anew(page: Page) -> None:
    assert tally(page, [["tapped", 1], ["gaveUp", 2], ["tapped", 50], ["playing", 51]])["start_ms"] == 1_000


def test_a_later_beginning_is_no_start(page: Page) -> None:
    first, second = tally(page, [["tapped", 0], ["playing", 1], ["take", 2], ["tapped", 9], ["playing", 30]])["all"]
    assert (first["start_ms"], second["start_ms"]) == (1_000, None)


def test_waiting_counts_while_it_interrupts(page: Page) -> None:
    """Not before the first picture, not after a jump; and it is not playing meanwhile."""
    report = tally(
        page,
        [
            ["tapped", 0], ["wait", 0.5], ["playing", 2], ["at", 2, 0], ["at", 12, 10], ["wait", 12],
            ["at", 12, 10, False], ["at", 15, 10, False], ["playing", 16.5], ["at", 16.5, 10],
            ["wait", 20, "seeking"], ["at", 26.5, 20],
        ],
    )  # fmt: skip
    assert (report["stalls"], report["stall_ms"], report["play_ms"]) == (1, 4_500, 20_000)


def test_a_wait_that_goes_on_is_told_as_far_as_it_has_come(page: Page) -> None:
    steps = [["tapped", 0], ["playing", 0], ["wait", 10], ["take", 30], ["playing", 45]]
    first, second = tally(page, steps)["all"]
    assert (first["stalls"], first["stall_ms"]) == (1, 20_000)
    assert (second["stalls"], second["stall_ms"]) == (0, 15_000)


def test_a_laptop_that_slept_has_not_played(page: Page) -> None:
    assert tally(page, [["tapped", 0], ["playing", 0], ["at", 0, 0], ["at", 30_000, 0.3]])["play_ms"] == 70_000


def test_errors_are_counted_and_the_last_one_named(page: Page) -> None:
    report = tally(page, [["failed", 1, "network"], ["failed", 2, "broken"]])
    assert (report["errors"], report["error_kind"]) == (2, "broken")


def test_what_was_seen_before_and_plays_again_is_told(page: Page) -> None:
    report = tally(page, [["at", 0, 90], ["at", 20, 110], ["at", 30, 120]], seen=[[0, 100], [115, 117]])
    assert report["replayed"] == [[90, 100], [115, 117]]


def test_what_plays_for_the_first_time_is_no_replay_until_one_jumps_back(page: Page) -> None:
    steps = [["at", 0, 0], ["at", 30, 30], ["take", 30], ["at", 60, 60], ["cut", 60], ["at", 61, 20], ["at", 91, 50]]
    first, second = tally(page, steps)["all"]
    assert (first["replayed"], second["replayed"]) == ([], [[20, 50]])


def test_a_third_time_is_told_again_in_the_next_report(page: Page) -> None:
    steps = [["at", 0, 10], ["at", 5, 15], ["take", 5], ["cut", 5], ["at", 6, 10], ["at", 11, 15]]
    first, second = tally(page, steps, seen=[[0, 100]])["all"]
    assert (first["replayed"], second["replayed"]) == ([[10, 15]], [[10, 15]])


def test_while_live_time_is_not_known_only_the_clock_counts(page: Page) -> None:
    report = tally(page, [["playing", 0], ["at", 0, None], ["at", 9, None]], seen=[[0, 100]])
    assert (report["play_ms"], report["replayed"]) == (9_000, [])


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        (None, "unknown"),
        ({}, "unknown"),
        ({"effectiveType": "4g"}, "4g"),
        ({"effectiveType": "slow-2g", "type": "cellular"}, "slow-2g"),
        ({"effectiveType": "4g", "type": "wifi"}, "wifi"),
        ({"type": "ethernet"}, "wired"),
        ({"effectiveType": "5g", "type": "none"}, "unknown"),
    ],
)
def test_the_line_is_named_in_the_servers_words(page: Page, connection: Any, said: str) -> None:
    assert run(page, "reports", "return m.networkOf(a);", connection) == said


STAND = """
    const fake = () => new EventTarget();
    const player = fake(), source = fake(), session = fake();
    const video = player.video = fake();
    Object.assign(video, { paused: false, ended: false, seeking: false, readyState: 4, playbackRate: 1 });
    Object.assign(source, { seconds: 1, kbit: 0 });
    session.id = "s1";
    const posted = [];
    const answers = a.answers.slice();
    const note = (where, body) => posted.push([where, body.session, body.reports.map(({ number }) => number)]);
    const wire = {
        post(url, body) {
            note(url, body);
            const status = answers.shift();
            return status === 200 ? Promise.resolve({}) : Promise.reject(Object.assign(new Error("no"), { status }));
        },
        beacon(url, body) { note("beacon", body); return a.takes; },
    };
    const reports = new m.Reports({ player, source, session, wire, url: "/r/", seen: [] });
    const once = async () => {
        reports.tally.failed("network");
        reports.cut();
        await reports.tell();
    };
"""


def stand(page: Page, body: str, answers: list[int], *, takes: bool = True) -> Any:
    return run(page, "reports", STAND + body, {"answers": answers, "takes": takes})


def test_what_was_not_taken_goes_with_the_next_and_keeps_its_number(page: Page) -> None:
    posted = stand(page, "await once(); await once(); await once(); return posted;", [0, 503, 200])
    assert posted == [["/r/", "s1", [1]], ["/r/", "s1", [1, 2]], ["/r/", "s1", [1, 2, 3]]]


def test_what_the_server_does_not_want_at_all_is_let_go(page: Page) -> None:
    assert stand(page, "await once(); await once(); return posted;", [404, 200]) == [
        ["/r/", "s1", [1]],
        ["/r/", "s1", [2]],
    ]


def test_no_more_is_kept_than_a_request_may_carry(page: Page) -> None:
    body = "for (let i = 0; i < 30; i++) await once(); return posted[posted.length - 1][2].length;"
    assert stand(page, body, [0] * 30) == 10


def test_another_session_has_numbers_of_its_own_and_an_earlier_ones_go_first(page: Page) -> None:
    body = """await once(); session.id = "s2"; session.dispatchEvent(new Event("opened"));
        await once(); await once(); return posted;"""
    assert stand(page, body, [0, 200, 200]) == [["/r/", "s1", [1]], ["/r/", "s1", [1]], ["/r/", "s2", [1, 2]]]


def test_the_page_that_goes_leaves_a_beacon_and_nothing_where_nothing_was(page: Page) -> None:
    body = """window.dispatchEvent(new Event("pagehide")); reports.tally.failed("network");
        window.dispatchEvent(new Event("pagehide")); return [posted, reports.waiting.length];"""
    assert stand(page, body, []) == [[["beacon", "s1", [1]]], 0]
    assert stand(page, body, [], takes=False) == [[["beacon", "s1", [1]]], 1]


def test_the_two_events_of_a_page_that_goes_are_one_report(page: Page) -> None:
    body = """reports.tally.failed("network"); window.dispatchEvent(new Event("pagehide"));
        reports.tally.play = 5; window.dispatchEvent(new Event("pagehide")); return posted;"""
    assert stand(page, body, []) == [["beacon", "s1", [1]]]


def test_whatever_goes_wrong_here_the_player_does_not_notice(page: Page) -> None:
    body = """Object.defineProperty(source, "seconds", { get() { throw new Error("broken"); } });
        let failed = 0;
        window.addEventListener("error", () => { failed += 1; });
        const names = ["playing", "waiting", "timeupdate", "seeking", "pause"];
        for (const name of names) video.dispatchEvent(new Event(name));
        player.dispatchEvent(new Event("beforeseek")); reports.finish(); return failed;"""
    assert stand(page, body, []) == 0


def test_a_doctor_who_watches_and_leaves_has_told_how_it_played(watching: StartWatching, site: Site) -> None:
    laptop = watching("units").open()
    laptop.play()
    laptop.play_until(3)
    laptop.seek(1)
    laptop.play_until(3)
    laptop.page.goto(f"{site.url}/programmes/")

    query = (
        "SELECT r.number, r.start_ms, r.play_ms, r.stall_ms, r.device, r.kbits, r.replayed::text"
        " FROM analytics_playbackreport r JOIN webinars_playsession s ON s.id = r.session_id WHERE s.user_id = %s"
        " ORDER BY r.number"
    )
    rows = eventually(lambda: site.rows(query, int(site.world["doctors"]["units"]["id"])))
    number, start, play, stall, device, kbits, replayed = rows[0]
    assert (number, device) == (1, "computer")
    assert 0 < start < 30_000
    assert 2_500 < play < 60_000
    assert 0 <= stall < 30_000
    assert kbits > 0
    assert re.fullmatch(r"\{\[1,[2-9]\)\}", replayed)
