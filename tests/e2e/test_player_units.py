"""The pure parts of the player, run where they run: modules loaded into a page of a real browser, without a site."""

import mimetypes
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from core import ranges
from webinars.enums import QuestionState

pytestmark = pytest.mark.browser
STATIC = Path(__file__).resolve().parents[2] / "static"
ORIGIN = "https://player.test"


def answer(route: Route) -> None:
    """The page is empty; everything else comes from the source tree. https, because locks need a secure context."""
    name = route.request.url.removeprefix(f"{ORIGIN}/")
    if not name:
        route.fulfill(content_type="text/html", body="<!doctype html><html lang=en><title>units</title>")
        return
    path = STATIC / name
    if path.is_file():
        route.fulfill(content_type=mimetypes.guess_type(name)[0] or "text/plain", body=path.read_bytes())
    else:
        route.fulfill(status=404, body="")


def open_page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    context.route(f"{ORIGIN}/**", answer)
    page = context.new_page()
    page.goto(f"{ORIGIN}/")
    yield page
    context.close()


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """For modules that keep nothing: opening a browser window costs more than all of them."""
    yield from open_page(chromium)


@pytest.fixture
def own_page(chromium: Browser) -> Iterator[Page]:
    """With a storage of its own."""
    yield from open_page(chromium)


def run(page: Page, module: str, body: str, argument: Any = None) -> Any:
    """`body` is JavaScript with the module's exports as `m` and the argument as `a`."""
    source = f"async a => {{ const m = await import('/js/player/{module}.js'); {body} }}"
    return page.evaluate(source, argument)


def collect(page: Page, samples: list[tuple[float, float, float, bool] | str]) -> list[list[float]]:
    """Samples are (media seconds, clock seconds, rate, playing); "cut" is a seek."""
    spans: list[list[float]] = run(
        page,
        "spans",
        """const collector = new m.SpanCollector();
        for (const one of a) {
            if (one === "cut") collector.cut();
            else collector.sample({ time: one[0], now: one[1] * 1000, rate: one[2], playing: one[3] });
        }
        return collector.take();""",
        samples,
    )
    return spans


def test_playing_is_one_span(page: Page) -> None:
    assert collect(page, [(10 + tick / 4, tick / 4, 1, True) for tick in range(41)]) == [[10, 20]]


def test_a_seek_credits_nothing_of_the_way(page: Page) -> None:
    spans = collect(page, [(0, 0, 1, True), (5, 5, 1, True), "cut", (50, 5.2, 1, True), (52, 7.2, 1, True)])
    assert spans == [[0, 5], [50, 52]]


def test_a_jump_nobody_announced_credits_nothing(page: Page) -> None:
    spans = collect(page, [(0, 0, 1, True), (2, 2, 1, True), (40, 2.5, 1, True), (41, 3.5, 1, True)])
    assert spans == [[0, 2], [40, 41]]


def test_going_backwards_credits_nothing(page: Page) -> None:
    assert collect(page, [(30, 0, 1, True), (10, 0.5, 1, True), (11, 1.5, 1, True)]) == [[10, 11]]


def test_a_throttled_background_tab_is_credited_in_full(page: Page) -> None:
    """Chromium wakes a hidden tab once a minute."""
    assert collect(page, [(0, 0, 1, True), (60, 60, 1, True), (119.5, 120, 1, True)]) == [[0, 119.5]]


def test_double_speed_is_credited_and_nothing_beyond_it(page: Page) -> None:
    assert collect(page, [(0, 0, 2, True), (20, 10, 2, True)]) == [[0, 20]]
    assert collect(page, [(0, 0, 1, True), (20, 10, 1, True)]) == []


def test_a_change_of_speed_is_judged_by_the_speed_before_it(page: Page) -> None:
    assert collect(page, [(0, 0, 2, True), (8, 4, 1, True), (12, 8, 1, True)]) == [[0, 12]]
    assert collect(page, [(0, 0, 1, True), (8, 4, 2, True)]) == []


def test_a_pause_a_stall_and_a_sleeping_laptop_credit_only_what_moved(page: Page) -> None:
    assert collect(page, [(0, 0, 1, True), (5, 5, 1, False), (5, 500, 1, True), (6, 501, 1, True)]) == [[0, 6]]
    assert collect(page, [(0, 0, 1, True), (5, 5, 1, True), (5, 9, 1, True), (6, 10, 1, True)]) == [[0, 6]]
    assert collect(page, [(0, 0, 1, True), (0.3, 3600, 1, True)]) == [[0, 0.3]]


def test_what_moves_while_paused_credits_nothing(page: Page) -> None:
    assert collect(page, [(0, 0, 1, False), (1, 1, 1, False), (2, 2, 1, True)]) == []


def test_spans_of_consecutive_beats_tile(page: Page) -> None:
    first, second = run(
        page,
        "spans",
        """const collector = new m.SpanCollector();
        const sample = (time) => collector.sample({ time, now: time * 1000, rate: 1, playing: true });
        sample(0); sample(10.3712); const first = collector.take();
        sample(20.1); return [first, collector.take()];""",
    )
    assert (first, second) == ([[0, 10.371]], [[10.371, 20.1]])


def test_the_browser_and_the_server_agree_about_ranges(page: Page) -> None:
    """Rounding half up, merging and gaps of 300 random sets, the awkward halves included."""
    chance = random.Random(7)
    sets = [
        [
            sorted((chance.choice((0, 0.25, 0.5)) + chance.randrange(90), chance.uniform(0, 90)))
            for _ in range(chance.randrange(8))
        ]
        for _ in range(300)
    ]
    found = run(
        page,
        "ranges",
        "return a.map((spans) => { const r = m.fromSpans(spans); return [r, m.gaps(r, 60), m.seconds(r)]; });",
        sets,
    )
    expected = []
    for spans in sets:
        whole = ranges.from_spans((start, end) for start, end in spans)
        expected.append(
            [[list(one) for one in whole], [list(one) for one in ranges.gaps(whole, until=60)], ranges.seconds(whole)]
        )
    assert found == expected


@pytest.mark.parametrize(
    ("seen", "position", "expected"),
    [
        ([], 0, None),  # everything is unseen, and this is where it begins
        ([[0, 20]], 5, 20),
        ([[0, 20], [30, 40]], 20, 40),
        ([[0, 20], [30, 60]], 45, 20),  # ahead all is seen: back to what was skipped
        ([[0, 60]], 10, None),
        ([[0, 20], [21, 60]], 5, None),  # one second is a rounding, not a part
        ([[10, 60]], 55, 0),
    ],
)
def test_the_next_unseen_part(page: Page, seen: list[list[int]], position: float, expected: float | None) -> None:
    assert run(page, "ranges", "return m.nextUnseen(a[0], 60, a[1]);", [seen, position]) == expected


def test_waiting_grows_with_full_jitter_up_to_a_limit(page: Page) -> None:
    most, least, spread = run(
        page,
        "backoff",
        """const of = (random) => { const b = new m.Backoff({ base: 1000, most: 30000, random });
            return Array.from({ length: 7 }, () => b.next()); };
        const b = new m.Backoff({ base: 1000, most: 30000 });
        const many = Array.from({ length: 200 }, () => { b.reset(); b.next(); b.next(); return b.next(); });
        return [of(() => 1), of(() => 0), many];""",
    )
    assert most == [1000, 2000, 4000, 8000, 16000, 30000, 30000]
    assert least == [0] * 7
    assert 0 <= min(spread) < 800
    assert 3200 < max(spread) <= 4000


def test_whoever_is_asked_to_wait_waits_at_least_so_long_and_nobody_is_held_up_for_ever(page: Page) -> None:
    least, most, asked = run(
        page,
        "backoff",
        """const of = (random) => new m.Backoff({ base: 1000, random }).next(7000);
        const answer = (value) => m.askedToWait(new Response("", { headers: value ? { "Retry-After": value } : {} }));
        return [of(() => 0), of(() => 1), ["7", "", "Fri, 31 Dec 1999 23:59:59 GMT", "-3", "99999999"].map(answer)];""",
    )
    assert (least, most) == (7000, 8000)
    assert asked == [7000, 0, 0, 0, 120000]


def test_a_refusal_says_how_long_the_server_asked_to_wait(page: Page) -> None:
    body = """window.fetch = async () => new Response("<html>", { status: 503, headers: { "Retry-After": "4" } });
        try { await new m.Wire({ csrf: "x" }).get("/"); } catch (error) { return [error.status, error.after]; }"""
    assert run(page, "wire", body) == [503, 4000]


ADD = "await box.add({ webinar: 1, session: 's', n, s: [[0, 5]], p: 5, base: 0 });"


def test_the_outbox_survives_the_page_and_forgets_what_was_acknowledged(own_page: Page) -> None:
    run(own_page, "outbox", f"const box = await m.Outbox.open('7'); for (const n of [1, 2, 10]) {{ {ADD} }}")
    own_page.reload()
    body = """const box = await m.Outbox.open('7');
        const found = box.others(null).map((beats) => beats.map(({ session, n, s, p }) => [session, n, s, p]));
        await box.remove('s', [1, 10]); return [box.isDurable, found];"""
    rows = [["s", 1, [[0, 5]], 5], ["s", 2, [[0, 5]], 5], ["s", 10, [[0, 5]], 5]]
    assert run(own_page, "outbox", body) == [True, [rows]]
    own_page.reload()
    assert run(own_page, "outbox", body) == [True, [rows[1:2]]]


def test_what_was_on_its_way_to_the_outbox_when_the_page_went_is_there_at_the_next_visit(own_page: Page) -> None:
    """Nothing is awaited: rows are still unwritten while the page says goodbye, one is written meanwhile."""
    left = f"""const box = await m.Outbox.open('7');
        await (async () => {{ const n = 1; {ADD} }})();
        for (const n of [2, 3]) {{ {ADD.replace("await ", "")} }}
        box.leave(); box.forget();
        indexedDB.deleteDatabase("rounds-player");
        const key = Object.keys(localStorage).find((name) => name.startsWith("rounds-player-left/7/"));
        return JSON.parse(localStorage.getItem(key)).map((row) => row.n);"""
    assert run(own_page, "outbox", left) == [2, 3]
    own_page.evaluate("localStorage.setItem('rounds-player-left/7/rubbish', '{')")
    own_page.reload()
    body = """const box = await m.Outbox.open(a); return [box.isDurable, box.waiting('s').map((row) => row.n),
        Object.keys(localStorage).filter((name) => name.startsWith("rounds-player-left/" + a)).length];"""
    assert run(own_page, "outbox", body, "8") == [True, [], 0]
    assert run(own_page, "outbox", body, "7") == [True, [2, 3], 0]
    own_page.reload()
    assert run(own_page, "outbox", body, "7") == [True, [2, 3], 0]


def test_the_outbox_keeps_two_people_on_one_computer_apart(own_page: Page) -> None:
    run(own_page, "outbox", f"const n = 1; const box = await m.Outbox.open('7'); {ADD}")
    own_page.reload()
    body = "return (await m.Outbox.open(a)).others(null).length;"
    assert [run(own_page, "outbox", body, user) for user in ("7", "77", "8", "")] == [1, 0, 0, 0]


def test_without_a_database_the_outbox_works_in_memory(own_page: Page) -> None:
    body = f"""const broken = {{ open: () => {{ throw new DOMException("no", "SecurityError"); }} }};
        const box = await m.Outbox.open("7", broken); const n = 3; {ADD}
        const before = box.waiting("s").length; await box.remove("s", [3]);
        return [box.isDurable, before, box.waiting("s").length];"""
    assert run(own_page, "outbox", body) == [False, 1, 0]


def test_choices_are_kept_checked_and_harmless_without_storage(own_page: Page) -> None:
    run(own_page, "choices", "const c = m.Choices.open(); c.set('rate', 1.5); c.set('quality', 'audio');")
    own_page.reload()
    assert run(own_page, "choices", "const c = m.Choices.open(); return [c.get('rate'), c.get('quality')];") == [
        1.5,
        "audio",
    ]
    run(own_page, "choices", 'localStorage.setItem(\'rounds-player-choices\', \'{"rate": "fast", "other": 1}\');')
    assert run(own_page, "choices", "return m.Choices.open().values;") == {
        "rate": 1, "quality": "auto", "captions": "", "volume": 1, "muted": False,
    }  # fmt: skip
    refusing = """const c = new m.Choices({ getItem() { throw new Error(); }, setItem() { throw new Error(); } });
        c.set('rate', 2); return c.get('rate');"""
    assert run(own_page, "choices", refusing) == 2


def test_preview_pictures_are_found_by_time(page: Page) -> None:
    text = (
        "WEBVTT\n\n00:00.000 --> 00:02.000\nsprite-001.jpg#xywh=0,0,160,90\n\n"
        "01:00:02.000 --> 01:00:04.000\nsprite-002.jpg#xywh=160,90,160,90\n"
    )
    first, last = run(page, "sprite", "return m.parseSprite(a, 'https://x.test/v/sprite.vtt');", text)
    assert first == {"start": 0, "url": "https://x.test/v/sprite-001.jpg", "x": 0, "y": 0, "width": 160, "height": 90}
    assert (last["start"], last["url"], last["x"], last["y"]) == (3602, "https://x.test/v/sprite-002.jpg", 160, 90)


def test_scripts_have_words_for_everything_they_say() -> None:
    """Every `say("…")` of the modules stands in the template that translates them, and nothing else does."""
    scripts = " ".join(path.read_text() for path in (STATIC / "js/player").glob("*.js"))
    template = (STATIC.parent / "templates/webinars/_player_words.html").read_text()
    given = set(re.findall(r'data-word="([\w-]+)"', template))
    asked = set(re.findall(r'say\(\s*"([\w-]+)"', scripts))
    for one, other in re.findall(r'say\([^\n]*? \? "([\w-]+)" : "([\w-]+)"', scripts):
        asked |= {one, other}
    notices = (
        "lost", "broken", "refused", "mark", "device_ended", "signed_out", "not_enrolled", "removed", "interrupted",
    )  # fmt: skip
    asked |= {f"{name}-{part}" for name in notices for part in ("title", "text")}
    assert asked == given


def test_the_live_page_has_words_for_everything_it_says() -> None:
    scripts = " ".join(path.read_text() for path in (STATIC / "js/live").glob("*.js"))
    template = (STATIC.parent / "templates/webinars/live/_words.html").read_text()
    given = set(re.findall(r'data-word="([\w-]+)"', template))
    asked = set(re.findall(r'say\(\s*"([\w-]+)"', scripts))
    for one, other in re.findall(r'say\([^\n]*? \? "([\w-]+)" : "([\w-]+)"', scripts):
        asked |= {one, other}
    asked |= {f"state-{state.value}" for state in QuestionState}
    asked |= {f"page-{name}" for name in ("doors_open", "live", "ended", "recording_ready", "cancelled", "changed")}
    asked |= {f"bye-{name}" for name in ("signed_out", "device_ended", "not_enrolled")}
    assert asked == given


def test_words_that_another_desk_keeps_back_stay_so(page: Page) -> None:
    """This desk hears of the results without them, and would otherwise show the cloud again with nothing kept back."""
    asked = page.evaluate(
        """async () => {
            document.body.innerHTML = "<template id=dk-words></template>";
            const { Polls } = await import("/js/desk/polls.js");
            const desk = Object.create(Polls.prototype);
            const poll = { id: 1, kind: "words", state: "closed", is_shown: false };
            desk.polls = new Map([[1, { ...poll, hidden_words: [], results: { words: { hope: 2, rude: 1 } } }]]);
            let asked = 0;
            Object.assign(desk, { draw: () => {}, again: () => { asked += 1; } });
            desk.heard({ ...poll, is_shown: true });
            desk.counted({ id: 1, words: { hope: 2 } });
            desk.heard(poll);
            return [desk.bodyOf("show", 1), desk.polls.get(1).results.words, asked];
        }"""
    )
    assert asked == [{}, {"hope": 2, "rude": 1}, 2]


def test_the_answer_to_an_older_search_does_not_replace_a_newer_ones(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
            document.body.innerHTML = "<template id=dk-words></template>";
            const { Card } = await import("/js/desk/card.js");
            const card = Object.create(Card.prototype);
            const shown = [], answers = [];
            Object.assign(card, {
                id: 1, form: { merge: { elements: { q: { value: "" } } } }, choice: ({ id }) => id,
                requests: { get: () => new Promise((done) => answers.push(done)) },
                part: { found: { replaceChildren: (...found) => shown.push(found) } },
            });
            const first = card.find(), second = card.find();
            answers[1]({ results: [{ id: 3, state: "new" }] });
            answers[0]({ results: [{ id: 2, state: "new" }] });
            await Promise.all([first, second]);
            return shown;
        }"""
    )
    assert shown == [[3]]
