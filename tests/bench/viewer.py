"""What a doctor's browser shows, and when: the whole site, the real ingest, the real page in Chromium.

The camera draws the wall clock into every frame in the moment it is filmed; a script reads it from the picture in the
moment it is shown. The browser and the camera stand on one machine, so they have one clock.
"""

import contextlib
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.camera import CLOCK_ROUND, clock_frame, publisher_command
from tests.chromium import start_chromium
from tests.e2e.conftest import LAPTOP, Site, Watching, run_site, until
from tests.e2e.numbered import NUMBER
from tests.recording.camera import RATE

READINGS, READING_EVERY_MS = 20, 1000
STARTS = 5
DOCTOR = "glass"
# One frame: its number, and the moment of the wall clock in which it is shown.
READ = f"""async (pause) => {{
    await new Promise((done) => setTimeout(done, pause));
    const video = document.querySelector("#player video");
    return new Promise((done) => video.requestVideoFrameCallback((now, frame) =>
        done([{NUMBER}(video), (performance.timeOrigin + frame.expectedDisplayTime) / 1000])));
}}"""
LISTEN = """() => {
    const video = document.querySelector("#player video");
    document.querySelector("[data-part=start] button").addEventListener("click", ({ timeStamp }) =>
        video.requestVideoFrameCallback((now, frame) => { window.started = frame.expectedDisplayTime - timeStamp; }),
    { capture: true, once: true });
}"""


def figures() -> dict[str, Any]:
    with run_site([DOCTOR]) as site, sync_playwright() as playwright:
        browser = start_chromium(playwright)
        try:
            recorded = [_start(browser, site, _cookie(site), site.watch())[0] for _ in range(STARTS)]
            live, behind = _watch_live(browser, site)
        finally:
            browser.close()
    return {
        "glass_to_glass_s": round(statistics.median(behind), 1),
        "glass_to_glass_worst_s": round(max(behind), 1),
        "player_start_s": round(statistics.median(recorded), 2),
        "player_start_live_s": round(statistics.median(live), 2),
    }


def _watch_live(browser: Browser, site: Site) -> tuple[list[float], list[float]]:
    """Starts of the player, and how old the picture is that the last of them shows."""
    world = site.run("tests.e2e.live_world", "make", "doctor")
    cookie = world["people"]["doctor"]["cookie"]
    address = f"{site.url}/webinars/{world['webinar']}/"
    with filming(world["stream"]):
        _wait_for_picture(site, world["webinar"])
        starts = [_start(browser, site, cookie, address) for _ in range(STARTS - 1)]
        last, page = _start(browser, site, cookie, address, keep=True)
        assert page is not None
        Watching(page, site).wait_until_playing()
        readings = [page.evaluate(READ, READING_EVERY_MS) for _ in range(READINGS)]
    return [seconds for seconds, _ in starts] + [last], [_age(int(number), shown) for number, shown in readings]


def _age(number: int, shown: float) -> float:
    """Frame n was filmed in the n-th twenty-fifth of a second of the clock's round."""
    return (shown - number / RATE) % CLOCK_ROUND


def _start(browser: Browser, site: Site, cookie: str, address: str, *, keep: bool = False) -> tuple[float, Page | None]:
    """Seconds from the tap to the first frame, in a browser that has never been here."""
    context = browser.new_context(viewport=LAPTOP, locale="en-GB", timezone_id="UTC")  # type: ignore[arg-type]
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.url, "httpOnly": True}])
    page = context.new_page()
    page.goto(address)
    page.locator("#player[data-ready=true]").wait_for()
    page.evaluate(LISTEN)
    page.locator("[data-part=start] button").click()
    until(page, "() => window.started !== undefined", 30)
    seconds = float(page.evaluate("window.started")) / 1000
    if keep:
        return seconds, page
    context.close()
    return seconds, None


def _cookie(site: Site) -> str:
    return str(site.world["doctors"][DOCTOR]["laptop"])


def _wait_for_picture(site: Site, webinar: int) -> None:
    """So many segments that the player need not wait for them."""
    end = time.monotonic() + 60
    query = "SELECT program_seconds FROM webinars_broadcast WHERE webinar_id = %s"
    while not (found := site.rows(query, webinar)) or found[0][0] < 12:
        if time.monotonic() > end:
            raise RuntimeError("The stream did not come on air.")
        time.sleep(0.2)


@contextmanager
def filming(url: str) -> Iterator[None]:
    over = threading.Event()
    with subprocess.Popen(publisher_command(url), stdin=subprocess.PIPE) as publisher:
        assert publisher.stdin is not None
        camera = threading.Thread(target=_film, args=(publisher.stdin, over))
        camera.start()
        try:
            yield
        finally:
            over.set()
            publisher.kill()
            camera.join()


def _film(line: IO[bytes], over: threading.Event) -> None:
    due = time.time()
    with contextlib.suppress(BrokenPipeError):  # the publisher is killed at the end
        while not over.is_set():
            line.write(clock_frame(time.time()))
            line.flush()
            due += 1 / RATE
            time.sleep(max(0.0, due - time.time()))
