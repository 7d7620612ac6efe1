"""The presenter's page, the door and its queue in real browsers."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import OpenBrowser, Site, until
from tests.e2e.looking import take, violations

pytestmark = pytest.mark.browser
SIZES = {"phone": (360, 800), "tablet": (768, 1024), "desktop": (1440, 900)}
# Loaded with its fonts, and nothing moves any more. The stage and the queue never stop asking the server.
SETTLED = """() => document.readyState === "complete" && document.fonts.status === "loaded"
    && document.getAnimations().every(
        (one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""

FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def enter(open_browser: OpenBrowser, site: Site, who: str, size: str = "tablet") -> BrowserContext:
    width, height = SIZES[size]
    context = open_browser(viewport={"width": width, "height": height})
    if who:
        value = site.world["stage"][who]
        context.add_cookies([{"name": "sessionid", "value": value, "url": site.url, "httpOnly": True}])
    return context


def pages(world: dict[str, Any]) -> dict[str, tuple[str, str]]:
    show = world["webinars"]["show"]
    return {
        "stage": ("presenter", f"/webinars/{show}/stage/"),
        "door": ("", f"/door/{world['door']}/"),
        "door-later": ("", f"/door/{world['later']}/"),
        "queue": ("moderator", f"/admin/webinars/spotwindow/{world['window']}/queue/"),
        "window": ("moderator", f"/admin/webinars/spotwindow/{world['window']}/change/"),
        "attendance": ("moderator", f"/admin/webinars/webinar/{show}/attendance/"),
        "planning": ("moderator", f"/admin/webinars/webinar/{show}/change/"),
        "coming": ("moderator", "/admin/webinars/webinar/"),
    }


@pytest.mark.parametrize("name", ["stage", "door", "door-later", "queue", "window", "attendance", "planning", "coming"])
def test_each_page_is_accessible_and_fits_each_screen(name: str, open_browser: OpenBrowser, site: Site) -> None:
    who, address = pages(site.world["stage"])[name]
    page = enter(open_browser, site, who).new_page()
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        answer = page.goto(site.url + address)
        assert answer is not None
        assert answer.status == 200
        until(page, SETTLED)
        take(page, name, widths=[width])
        until(page, FITS)
        assert violations(page) == []


def test_a_doctor_asks_a_moderator_taps_and_the_doctor_is_in(open_browser: OpenBrowser, site: Site) -> None:
    """Neither page is loaded again by hand."""
    world = site.world["stage"]
    desk = enter(open_browser, site, "moderator").new_page()
    desk.goto(f"{site.url}/admin/webinars/spotwindow/{world['window']}/queue/")
    expect(desk.get_by_text("Look twice: Same name and country")).to_be_visible()

    doctor = enter(open_browser, site, "", "phone").new_page()
    doctor.goto(f"{site.url}/door/{world['door']}/")
    for label, value in (
        ("First name", "Lakshmi"), ("Last name", "Rao"), ("E-mail address", "lakshmi@clinic.example"),
        ("Medical council", "KMC"), ("Registration number", "99-881"),
    ):  # fmt: skip
        doctor.get_by_label(label).fill(value)
    doctor.get_by_label("Country where you practise").select_option("IN")
    doctor.get_by_role("button", name="Ask to be let in").click()
    expect(doctor.get_by_role("heading", name="You are in the queue")).to_be_visible()
    take(doctor, "door-waiting")

    desk.get_by_role("button", name="Let Lakshmi Rao in", exact=True).click()
    expect(desk.get_by_text("1 doctor was let in.")).to_be_visible()

    expect(doctor.get_by_role("heading", name="You are let in")).to_be_visible()
    take(doctor, "door-approved")
    doctor.get_by_role("button", name="Enter the webinar").click()
    doctor.wait_for_url(f"**/webinars/{world['webinars']['show']}/")
    expect(doctor.get_by_role("heading", level=1)).to_contain_text("Endometriosis and fertility")


def test_a_presenter_rehearses_with_a_real_stream_and_goes_live(
    open_browser: OpenBrowser, site: Site, tmp_path: Path
) -> None:
    """The list ticks itself while a program like OBS sends; live and over by the page's own buttons."""
    webinar = site.world["stage"]["webinars"]["air"]
    page = enter(open_browser, site, "presenter").new_page()
    page.goto(f"{site.url}/webinars/{webinar}/stage/")
    page.get_by_role("button", name="Start a rehearsal").click()
    page.get_by_role("button", name="Make a stream key").click()
    server = page.get_by_label("Server").input_value()
    key = page.get_by_label("Stream key", exact=True).input_value()
    with publish(f"{server}/{key}"):
        done = page.locator(".stage-steps li.done")
        expect(done).to_have_count(6)
        take(page, "stage-on-air")
        page.locator("#sure-live summary").click()
        page.get_by_role("button", name="Yes, go live now").click()
        expect(page.get_by_text("Time left")).to_be_visible()
        page.locator("#sure-end summary").click()
        take(page, "stage-live")
        page.get_by_role("button", name="Yes, end it now").click()
        expect(page.get_by_text("This webinar is over.")).to_be_visible()


@contextmanager
def publish(address: str) -> Iterator[None]:
    """As OBS does it: H.264 and AAC in FLV over RTMP, in real time."""
    from media.ffmpeg.binary import ffmpeg_path

    command = [ffmpeg_path(), "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15"]
    command += ["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=44100", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "30", "-b:v", "600k", "-c:a", "aac", "-b:a", "96k"]
    with subprocess.Popen([*command, "-f", "flv", address]) as publisher:
        try:
            yield
        finally:
            publisher.kill()
