"""The editor in a real browser, on a broadcast that was filmed: marks from the picture, and a look at the result."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import override_settings
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import start_chromium
from tests.e2e.looking import darken, violations
from tests.factories.courses import RoleGrantFactory
from tests.recording.resume_error import own_storage
from tests.recording.theatre import at, film_parts, films, finish, make_webinar_on_air, produce, send
from tests.signing_in import signed_in
from webinars.domain.live_files import write_playlists
from webinars.models import Broadcast, Edition, Webinar

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PARTS = ((0.0, 12.0), (17.0, 10.0))


@pytest.fixture
def webinar(tmp_path: Path) -> Iterator[Webinar]:
    with override_settings(**own_storage(tmp_path)):
        made = make_webinar_on_air()
        for filmed in film_parts(films(), PARTS):
            send(made, filmed)
        finish(made)
        write_playlists(broadcast_id=Broadcast.objects.get().pk)
        produce(made, now=at(200))
        yield made


@pytest.fixture
def page(webinar: Webinar, live_server: Any) -> Iterator[Page]:
    client = signed_in(RoleGrantFactory.create(programme=webinar.lesson.course.programme).user)
    cookie: Any = {"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key, "url": live_server.url}
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
        "true"  # Playwright's loop runs in this thread, which also asks the database
    )
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        context.add_cookies([cookie])
        opened = context.new_page()
        opened.goto(live_server.url + reverse("recording", args=(webinar.pk,)))
        yield opened
        browser.close()
        connections.close_all()  # what this test asked in Playwright's loop had a connection of its own
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def seek(page: Page, second: float) -> None:
    page.evaluate("(second) => { document.querySelector('video').currentTime = second; }", second)
    there = "const v = document.querySelector('video'); return !v.seeking && Math.abs(v.currentTime - second) < 0.1;"
    page.wait_for_function(f"(second) => {{ {there} }}", arg=second)


def test_marks_are_taken_from_the_picture_and_the_result_can_be_looked_at(page: Page) -> None:
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    length = page.evaluate("document.querySelector('video').duration")
    assert length == pytest.approx(22.0, abs=0.2)  # the uncut one, interruptions closed up
    seek(page, 3.4)
    page.get_by_role("button", name="Cut from here").click()
    seek(page, 6.7)
    page.get_by_role("button", name="Cut up to here").click()
    expect(page.get_by_label("From").first).to_have_value("0:04")
    expect(page.get_by_label("To", exact=True).first).to_have_value("0:06")
    expect(page.locator("[data-bar] span")).to_have_count(1)
    page.get_by_label("Play it as viewers will see it").check()
    seek(page, 3.0)
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_function("document.querySelector('video').currentTime >= 6")
    page.evaluate("document.querySelector('video').pause()")
    page.get_by_role("button", name="0:12").click()
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 12) < 0.1")
    page.get_by_role("button", name="Save and make the new version").click()
    expect(page.get_by_text("The new version is being made.").first).to_be_visible()
    assert Edition.objects.latest("number").cuts == [[4, 6]]
    expect(page.get_by_label("From").first).to_have_value("0:04")


def test_it_can_be_used_and_read_on_a_phone_and_in_the_dark(page: Page) -> None:
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []
    darken(page)
    assert violations(page, "color-contrast") == []
