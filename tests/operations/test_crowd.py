"""The crowd's own parts: who may be called, when doctors come, how figures add up, what is sent again."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from operations.domain.crowd.arrivals import arrival_seconds
from operations.domain.crowd.browser import Browser, GaveUpError, Page, RefusedError
from operations.domain.crowd.ledger import Ledger
from operations.domain.crowd.lines import Answer, Frames, Reading
from operations.domain.crowd.measure import CrowdReport, Histogram, Operation, merged
from operations.domain.crowd.plan import Behaviour, CrowdError, CrowdPlan, Member, Shape, place_of
from operations.domain.crowd.room import Room
from operations.domain.crowd.run import run_crowd

PEOPLE = [Member(number, session_key=f"key{number}") for number in range(1, 4_001)]


def make_plan(**given: object) -> CrowdPlan:
    made = {"base_url": "http://127.0.0.1:1", "webinar_id": 7, "audience": PEOPLE, "minutes": 2.0, **given}
    return CrowdPlan(**made)  # type: ignore[arg-type]


# Whom it calls


@pytest.mark.parametrize(
    "url",
    [
        "https://rounds.example",
        "http://10.0.0.1",
        "http://127.0.0.1.example.org",
        "http://[fe80::1]",
        "ftp://127.0.0.1",
    ],
)
def test_a_crowd_is_sent_to_nobody_who_was_not_named(url: str) -> None:
    with pytest.raises(CrowdError):
        run_crowd(make_plan(base_url=url))
    with pytest.raises(CrowdError):
        run_crowd(make_plan(media_base=url))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "http://127.9.0.1"])
def test_this_machine_may_be_called(url: str) -> None:
    assert place_of(url, ()).origin == url


def test_a_named_host_may_be_called_but_none_beside_it() -> None:
    assert place_of("https://Staging.example/", ["staging.example"]).port == 443
    with pytest.raises(CrowdError, match="is neither this machine nor"):
        place_of("https://other.example", ["staging.example"])


async def test_an_address_in_an_answer_is_no_way_out() -> None:
    browser = make_browser(make_plan())
    with pytest.raises(GaveUpError):
        await browser.ask("segment", "GET", "http://10.0.0.1/live.ts", headers={}, tries=1)
    assert browser.ledger.report.operation("segment").failed == {"not allowed": 1}


@pytest.mark.parametrize(
    "given",
    [
        {"minutes": 0.0}, {"minutes": 500.0}, {"multiple": 0.0}, {"multiple": 99.0}, {"stay_seconds": -1.0},
        {"audience": []}, {"shape": Shape(peak=3.0)}, {"most_doctors": 100}, {"timeout_seconds": 0.0},
    ],
)  # fmt: skip
def test_a_crowd_is_bounded(given: dict[str, object]) -> None:
    with pytest.raises(CrowdError):
        make_plan(**given)


def test_source_addresses_are_loopback_only() -> None:
    with pytest.raises(CrowdError, match="loopback"):
        run_crowd(make_plan(source_addresses=["192.0.2.1"]))


def test_a_plan_survives_its_way_to_a_process() -> None:
    plan = make_plan(
        behaviour=Behaviour(home_share=0.7),
        shape=Shape(peak=1.2),
        allowed_hosts=["a.example"],
        source_addresses=["127.0.0.2"],
    )
    assert CrowdPlan.from_json(plan.to_json()) == plan


# When they come


def test_arrivals_have_the_rate_of_the_case_study() -> None:
    times = arrival_seconds(make_plan(multiple=2.0))
    assert len(times) == 4_000  # two minutes at twice a thousand a minute
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= 120


def test_most_come_in_the_middle() -> None:
    times = arrival_seconds(make_plan(multiple=2.0, shape=Shape(peak=1.5)))
    tenths = [sum(12 * part <= at < 12 * (part + 1) for at in times) for part in range(10)]
    assert tenths[0] < 300 > tenths[9]  # about half of the mean of 400, and rising
    assert 500 < max(tenths) < 680
    assert tenths.index(max(tenths)) in {4, 5}


def test_a_flat_shape_is_flat() -> None:
    times = arrival_seconds(make_plan(multiple=2.0, shape=Shape(peak=1.0)))
    assert all(320 < sum(12 * part <= at < 12 * (part + 1) for at in times) < 480 for part in range(10))


def test_the_same_seed_is_the_same_crowd() -> None:
    assert (
        arrival_seconds(make_plan(seed=3)) == arrival_seconds(make_plan(seed=3)) != arrival_seconds(make_plan(seed=4))
    )


def test_nobody_waits_for_those_before() -> None:
    gaps = [after - before for before, after in pairwise(arrival_seconds(make_plan()))]
    assert min(gaps) < 0.002  # as independent people come, not as a clock ticks
    assert max(gaps) > 0.2


# What is counted


@given(some.lists(some.floats(1e-4, 60), min_size=1, max_size=300), some.integers(0, 300))
def test_histograms_of_parts_are_the_histogram_of_the_whole(values: list[float], cut: int) -> None:
    whole, first, second = Histogram(), Histogram(), Histogram()
    for index, value in enumerate(values):
        whole.add(value)
        (first if index < cut else second).add(value)
    both = Histogram.from_dict(first.to_dict())
    both.merge(second)
    assert (both.buckets, both.count, both.longest) == (whole.buckets, whole.count, whole.longest)
    assert both.total == pytest.approx(whole.total)


@given(some.lists(some.floats(1e-4, 60), min_size=1, max_size=300), some.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_right_to_two_per_cent(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(1, -int(-len(values) * share // 1)) - 1]
    assert histogram.quantile(share) == pytest.approx(exact, rel=0.02)


def test_nothing_measured_is_no_time() -> None:
    assert (Histogram().quantile(0.95), Histogram().mean) == (0.0, 0.0)


def test_reports_of_processes_add_up() -> None:
    parts = []
    for number in (1, 2):
        ledger = Ledger(None)
        for _ in range(number):
            ledger.came()
            ledger.ok("page", 0.1 * number)
            ledger.ok("join", 0.5)
        ledger.failed("page", "502", "Bad Gateway")
        ledger.unknown("question", "timeout")
        ledger.shed("page")
        parts.append(CrowdReport.from_dict(ledger.close().to_dict()))
    whole = merged(parts)
    page = whole.operation("page")
    assert (page.ok, page.failed, page.shed, page.latency.count) == (3, {"502": 2}, 2, 3)
    assert (whole.arrived, whole.errors, whole.shed, len(whole.failures)) == (3, 4, 2, 4)
    assert whole.operation("never") == Operation() or whole.operation("never").ok == 0


# The wire


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_answer_is_read_however_it_is_cut(size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=1; Path=/x\r\nSet-Cookie: b=2\r\n\r\n"
    data, reading = head + b"5\r\nhello\r\n6;x=y\r\n, all!\r\n0\r\n\r\n", Reading()
    found = [answer for at in range(0, len(data), size) if (answer := reading.feed(data[at : at + size]))]
    assert [(one.status, one.body, one.cookies) for one in found] == [(200, b"hello, all!", ["a=1; Path=/x", "b=2"])]


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536, 100_000])
def test_frames_of_every_length_are_read(length: int) -> None:
    size = (
        bytes([length]) if length < 126
        else b"\x7e" + length.to_bytes(2, "big") if length < 65_536
        else b"\x7f" + length.to_bytes(8, "big")
    )  # fmt: skip
    data, frames = (b"\x81" + size + b"x" * length) * 2, Frames()
    found = [frame for at in range(0, len(data), 977) for frame in frames.feed(data[at : at + 977])]
    assert found == [(1, b"x" * length)] * 2


def test_a_page_says_what_it_needs() -> None:
    page = Page(
        '<link href="/static/css/a.1.css"><script src="/static/js/b.js"></script><a href="/programmes/">'
        '<script id="page-config" type="application/json">{"csrf": "x", "number": 4}</script>'
        '<input type="hidden" name="csrfmiddlewaretoken" value="tok">'
    )
    assert page.files == ["/static/css/a.1.css", "/static/js/b.js"]
    assert (page.settings["page-config"]["number"], page.form_token) == (4, "tok")


# What a browser does with each kind of answer


def make_browser(plan: CrowdPlan) -> Browser:
    draw = random.Random(1)
    return Browser(plan, PEOPLE[0], Ledger(None), draw, address="")


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[Browser, list[bytes]]]:
    """A server that gives these answers, one a request; an empty one cuts the line."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
                answer = answers[min(len(heard), len(answers)) - 1]
                writer.write(answer)
                if not answer:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    browser = make_browser(make_plan(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    try:
        yield browser, heard
    finally:
        browser.close()
        server.close()
        await server.wait_closed()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: place=7; Path=/\r\n\r\nok"
WAIT = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 503 Broken\r\nContent-Length: 0\r\n\r\n"
LATE = b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"
GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"


async def ask(browser: Browser, method: str = "GET") -> Answer:
    return await browser.ask("page", method, "/", headers={})


async def test_who_is_asked_to_wait_waits_and_comes_again() -> None:
    async with answering(WAIT, WAIT, OK) as (browser, heard):
        assert (await ask(browser)).text == "ok"
    page = browser.ledger.report.operation("page")
    assert (page.ok, page.shed, page.errors, len(heard)) == (1, 2, 0, 3)


async def test_a_503_that_names_no_time_is_an_error() -> None:
    async with answering(BROKEN, OK) as (browser, _):
        await ask(browser)
    assert browser.ledger.report.operation("page").failed == {"503": 1}


async def test_who_votes_after_a_poll_was_closed_was_late_and_that_is_no_error() -> None:
    async with answering(LATE) as (browser, heard):
        with pytest.raises(RefusedError) as refused:
            await browser.send("vote", "PUT", "/", {}, late="vote_late")
        assert (refused.value.status, len(heard)) == (409, 1)
        assert (browser.ledger.report.errors, browser.ledger.report.operation("vote_late").ok) == (0, 1)
        with pytest.raises(RefusedError):
            await browser.send("play_session", "POST", "/", {})
    assert browser.ledger.report.operation("play_session").failed == {"409": 1}


async def test_a_refusal_is_final() -> None:
    async with answering(GONE) as (browser, heard):
        with pytest.raises(RefusedError) as refused:
            await ask(browser)
    assert (refused.value.status, refused.value.is_uncertain, len(heard)) == (410, False, 1)


async def test_of_a_lost_answer_to_a_write_nobody_knows() -> None:
    async with answering(b"", GONE) as (browser, _):
        with pytest.raises(RefusedError) as refused:
            await ask(browser, "POST")
    page = browser.ledger.report.operation("page")
    assert (page.unknown, page.failed, refused.value.is_uncertain) == (1, {"410": 1}, True)


async def test_a_lost_answer_to_a_read_failed() -> None:
    async with answering(b"", OK) as (browser, _):
        await ask(browser)
    page = browser.ledger.report.operation("page")
    assert (page.ok, page.unknown, page.failed) == (1, 0, {"closed": 1})


async def test_a_kept_line_that_ended_meanwhile_is_no_failure() -> None:
    async with answering(OK, b"", OK) as (browser, heard):
        await ask(browser)
        await ask(browser)
    page = browser.ledger.report.operation("page")
    assert (page.ok, page.errors, len(heard)) == (2, 0, 3)


async def test_requests_at_the_same_time_go_by_lines_of_their_own() -> None:
    async with answering(OK) as (browser, _):
        await asyncio.gather(*(ask(browser) for _ in range(5)))
        await ask(browser)
        assert sum(map(len, browser.lines.values())) == 5
    assert browser.ledger.report.operation("page").ok == 6


async def test_the_journal_has_the_seconds_that_were_said() -> None:
    """A third of a millisecond decides to which whole second a span is rounded: both sides must see the same number."""
    browser = make_browser(make_plan())
    settings = {"urls": {}, "number": 0, "state": "live", "webinar": 7}
    room = Room(browser, settings, random.Random(1), polls=False)
    await room.beat((1, [(123.49967, 130.1)], 130.1))
    assert room.unacked[1].beat == (1, [(123.5, 130.1)], 130.1)


async def test_cookies_are_brought_back_where_they_belong() -> None:
    scoped = OK.replace(b"place=7; Path=/", b"media=1; Path=/media/videos/x/")
    async with answering(OK, scoped, OK) as (browser, heard):
        for path in ("/", "/", "/media/videos/x/a.ts", "/other/"):
            await browser.ask("page", "GET", path, headers={})
    cookies = [line for one in heard for line in one.decode().split("\r\n") if line.startswith("Cookie: ")]
    assert cookies == [
        "Cookie: sessionid=key1",
        "Cookie: sessionid=key1; place=7",
        "Cookie: sessionid=key1; place=7; media=1",
        "Cookie: sessionid=key1; place=7",
    ]
