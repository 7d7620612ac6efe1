"""The name mark lies over the picture on the page; what would show the picture without it is refused."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Complaints, OpenBrowser, Site, Watching, until

pytestmark = pytest.mark.browser
StartWatching = Callable[..., Watching]
ATTRIBUTES = {
    "disablepictureinpicture": "",
    "disableremoteplayback": "",
    "controlslist": "nofullscreen noremoteplayback",
    "x-webkit-airplay": "deny",
}
READ_ATTRIBUTES = "v => Object.fromEntries(Array.from(v.attributes, (one) => [one.name, one.value]))"
# How it went, as an error's name; Playwright evaluates as if somebody had clicked.
OUTCOME = "v => v.{call}.then(() => 'started', (error) => error.name)"


def attributes(watching: Watching) -> dict[str, str]:
    found = watching.value(READ_ATTRIBUTES)
    return {name: found[name] for name in ATTRIBUTES if name in found}


def test_sec_15_picture_in_picture_and_casting_are_refused(watching: StartWatching) -> None:
    laptop = watching("mark").open("second")
    laptop.play()
    assert laptop.page.evaluate("document.pictureInPictureEnabled"), "the browser could"
    assert laptop.page.locator("[data-do=pip]").count() == 0
    assert attributes(laptop) == ATTRIBUTES
    assert laptop.value(OUTCOME.format(call="requestPictureInPicture()")) == "InvalidStateError"
    assert laptop.value(OUTCOME.format(call="remote.prompt()")) == "InvalidStateError"
    assert laptop.value("v => !v.paused"), "refusing disturbs nobody who watches"


def test_sec_15_an_extension_that_takes_the_refusal_away_gets_no_floating_window(watching: StartWatching) -> None:
    laptop = watching("mark").open("second")
    laptop.play()
    asked = "(v.removeAttribute('disablepictureinpicture'), v.requestPictureInPicture())"
    outcome = laptop.value(f"v => {asked}.then(() => 'started', (error) => error.name)")
    assert outcome == "InvalidStateError", "the attribute is back before the browser looks"
    assert attributes(laptop) == ATTRIBUTES


def test_sec_15_a_floating_window_that_opens_anyhow_is_closed_at_once(watching: StartWatching) -> None:
    """By a script that also keeps the attribute from coming back."""
    laptop = watching("mark").open("second")
    laptop.play()
    outcome = laptop.value(
        """(v) => {
            v.addEventListener("enterpictureinpicture", () => { v.dataset.floated = "yes"; });
            v.setAttribute = () => {};
            v.removeAttribute("disablepictureinpicture");
            return v.requestPictureInPicture().then(() => "started", (error) => error.name);
        }"""
    )
    assert outcome == "started"
    laptop.wait("v => v.dataset.floated === 'yes'")
    until(laptop.page, "() => document.pictureInPictureElement === null")


def test_sec_15_attributes_that_somebody_removes_come_back(watching: StartWatching) -> None:
    laptop = watching("mark").open("second")
    for name in ATTRIBUTES:
        laptop.value(f"v => v.removeAttribute('{name}')")
        laptop.wait(f"v => v.hasAttribute('{name}')")
    assert attributes(laptop) == ATTRIBUTES


def test_sec_15_a_connection_to_another_screen_stops_the_video(watching: StartWatching) -> None:
    """No screen to cast to here: the browser's own event is sent by hand."""
    laptop = watching("mark").open("second")
    laptop.play()
    laptop.value("v => v.remote.dispatchEvent(new Event('connecting'))")
    laptop.wait("v => v.paused")


def test_sec_15_a_window_that_cannot_be_called_back_stops_the_video(watching: StartWatching) -> None:
    laptop = watching("mark").open("second")
    laptop.play()
    laptop.value(
        """(v) => {
            document.exitPictureInPicture = () => Promise.reject(new Error("the browser says no"));
            v.dispatchEvent(new Event("enterpictureinpicture"));
        }"""
    )
    laptop.wait("v => v.paused")


def test_sec_15_the_video_element_alone_does_not_stay_full_screen(watching: StartWatching) -> None:
    """As Firefox's context menu does it; the button takes the stage, name and all."""
    laptop = watching("mark").open("second")
    laptop.play()
    laptop.value("v => document.addEventListener('fullscreenchange', () => { v.dataset.full = 'was'; })")
    laptop.value("v => v.requestFullscreen()")
    laptop.wait("v => v.dataset.full === 'was'")
    until(laptop.page, "() => document.fullscreenElement === null")
    laptop.show_controls()
    laptop.page.locator("[data-do=fullscreen]").click()
    until(laptop.page, "() => document.fullscreenElement?.matches('.player-stage') ?? false")
    mark = laptop.page.locator(".player-stage:fullscreen > [data-part=mark]")
    expect(mark).to_be_visible()
    expect(mark).to_contain_text("Dr Meera Nair")
    laptop.page.keyboard.press("f")
    until(laptop.page, "() => document.fullscreenElement === null")


def test_sec_15_without_full_screen_for_elements_the_player_fills_the_window(watching: StartWatching) -> None:
    """An iPhone: only its own player could go full screen, without the name. The stage fills the window instead."""
    phone = watching("mark", "phone")
    phone.page.add_init_script(
        "delete Element.prototype.requestFullscreen; delete Element.prototype.webkitRequestFullscreen;"
    )
    phone.open("second").play()
    phone.show_controls()
    phone.page.locator("[data-do=fullscreen]").click()
    expect(phone.page.locator("#player.is-filling .player-stage > [data-part=mark]")).to_be_visible()
    box = phone.page.locator("[data-part=stage]").bounding_box()
    assert box
    assert (round(box["width"]), round(box["height"])) == (360, 740)


def test_sec_15_the_plain_video_without_scripts_refuses_too(
    open_browser: OpenBrowser, site: Site, complaints: Complaints
) -> None:
    page = open_browser("plain", java_script_enabled=False).new_page()
    page.goto(site.watch("second"))
    for name, value in ATTRIBUTES.items():
        expect(page.locator("#player video")).to_have_attribute(name, value)
    expect(page.locator("[data-part=mark]")).to_be_visible()
