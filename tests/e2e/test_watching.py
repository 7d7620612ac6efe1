"""The first journey of the product in a real browser: sign in, watch, leave, come back to the second."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, Watching, eventually

pytestmark = pytest.mark.browser
StartWatching = Callable[..., Watching]


def test_a_doctor_signs_in_by_the_mailed_link_and_plays_the_lecture(open_browser: OpenBrowser, site: Site) -> None:
    doctor = site.world["doctors"]["anna"]
    page = open_browser().new_page()
    page.goto(site.watch())
    page.get_by_label("E-mail address").fill(doctor["email"])
    page.get_by_role("button", name="Send me a sign-in e-mail").click()
    expect(page.get_by_role("heading", name="Look in your mailbox")).to_be_visible()
    page.goto(eventually(lambda: site.newest_link(doctor["email"])))
    page.get_by_role("button", name="Sign in now").click()
    page.wait_for_url(site.watch())
    watching = Watching(page, site).ready()
    watching.play()
    watching.play_until(2)


def test_leaving_a_laptop_and_continuing_on_a_phone_within_a_second(watching: StartWatching, site: Site) -> None:
    laptop = watching("resume").open()
    laptop.play()
    laptop.play_until(2)
    laptop.seek(31)
    laptop.play_until(33.5)
    laptop.pause()
    left_at = laptop.at
    laptop.wait_until_saved()
    laptop.page.close()
    assert site.position("resume") == pytest.approx(left_at, abs=0.05)

    phone = watching("resume", "phone").open()
    button = phone.page.locator("[data-part=start] button")
    assert f"Continue from 0:{int(left_at)}" in (button.text_content() or "")
    phone.value("v => v.addEventListener('playing', () => { v.dataset.first = v.currentTime; }, { once: true })")
    button.click()
    phone.wait("v => v.dataset.first")
    assert abs(float(phone.value("v => v.dataset.first")) - left_at) < 1

    phone.pause()
    phone.wait_until_saved()
    kept = site.position("resume")
    phone.page.goto(f"{site.watch()}?at=10")
    expect(phone.ready().page.locator("[data-part=start-label]")).to_have_text("Watch from 0:10")
    assert site.position("resume") == kept
    phone.play()
    phone.play_until(11)
    assert phone.at < 20
    assert phone.page.url == site.watch()


def test_closing_the_page_in_the_middle_keeps_the_second(watching: StartWatching, site: Site) -> None:
    """Nobody presses pause first; the last word is the beacon of the closing page."""
    laptop = watching("leave").open()
    laptop.play()
    laptop.play_until(4)
    laptop.value("v => addEventListener('pagehide', () => sessionStorage.setItem('left at', v.currentTime))")
    laptop.page.goto(f"{site.url}/programmes/")
    left_at = float(laptop.page.evaluate("sessionStorage.getItem('left at')"))
    assert left_at >= 4
    assert eventually(lambda: abs((site.position("leave") or 0) - left_at) < 1)
    assert eventually(lambda: site.seen("leave") >= set(range(int(left_at))))


def test_only_what_was_played_is_credited(watching: StartWatching, site: Site) -> None:
    laptop = watching("coverage").open()
    laptop.play()
    laptop.play_until(4)
    laptop.seek(40)
    begun = laptop.at
    laptop.play_until(43)
    laptop.pause()
    jumped, ended = laptop.value("v => v.played.end(0)"), laptop.at
    laptop.wait_until_saved()
    seen = site.seen("coverage")
    assert set(range(1, 3)) <= seen
    assert set(range(round(begun) + 1, round(ended) - 1)) <= seen
    assert not seen & set(range(round(jumped) + 1, 38))
    assert not seen & set(range(round(ended) + 1, 61))
    expect(laptop.page.locator("[data-part=coverage] rect.seen")).to_have_count(2)
    laptop.page.get_by_role("button", name="Skip to next unseen part").click()
    laptop.wait(f"v => v.currentTime > {ended} || v.currentTime < 12")


def test_completing_the_lecture_moves_the_ring(watching: StartWatching, site: Site) -> None:
    laptop = watching("ring")
    page = laptop.page
    page.goto(f"{site.url}/")
    ring = page.locator("svg.ring")
    before = ring.get_attribute("aria-label")
    laptop.open().play()
    expect(page.get_by_text("Completed. This lecture counts for you.").first).to_be_visible()
    done = "SELECT 1 FROM courses_coursecompletion WHERE user_id = %s"
    eventually(lambda: site.rows(done, int(site.world["doctors"]["ring"]["id"])))
    page.goto(f"{site.url}/")
    expect(ring).to_have_attribute("aria-label", re.compile("^1 of 2"))
    assert (before or "").startswith("0 of 2")


def test_speed_quality_and_captions_are_remembered(watching: StartWatching) -> None:
    laptop = watching("choices").open()
    laptop.play()
    laptop.choose("player-speed", "1.5")
    laptop.choose("player-captions", "en")
    laptop.choose("player-quality", "audio")
    laptop.wait("v => v.videoWidth === 0 && !v.paused && v.currentTime > 1")
    laptop.open()
    laptop.play()
    laptop.wait("v => v.playbackRate === 1.5 && v.videoWidth === 0")
    laptop.wait("v => v.textTracks[0]?.mode === 'showing'")
    expect(laptop.page.get_by_text("Sound only. The picture is switched off to save data.")).to_be_visible()
    laptop.choose("player-quality", "auto")
    laptop.wait("v => v.videoWidth > 0 && !v.paused")


def test_two_tabs_of_one_browser_do_not_fight(watching: StartWatching, site: Site) -> None:
    first = watching("tabs").open()
    second = Watching(first.page.context.new_page(), site).open()
    first.play()
    second.play()
    second.seek(30)
    first.play_until(3)
    second.play_until(33)
    first.pause()
    second.pause()
    first.wait_until_saved()
    assert eventually(lambda: {0, 1, 2, 31, 32} <= site.seen("tabs"))
    assert not site.seen("tabs") & set(range(round(first.at) + 1, 29))


def test_a_device_that_was_signed_out_elsewhere_stops_and_says_so(
    watching: StartWatching, open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    complaints.allow("status of 401", "status of 403")  # what it asked for before it heard of it
    laptop = watching("ended").open()
    laptop.play()
    phone = open_browser("ended", "phone").new_page()
    phone.goto(f"{site.url}/account/devices/")
    phone.get_by_role("button", name="Sign out all other devices").click()
    expect(laptop.page.get_by_role("alert")).to_contain_text("This device was signed out")
    expect(laptop.page.get_by_role("link", name="Sign in again")).to_be_visible()
    laptop.wait("v => v.paused")
