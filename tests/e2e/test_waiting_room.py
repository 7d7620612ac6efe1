"""The waiting room in a browser, answered by the real door with the real line: it is looked at, and opens by itself."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django_redis import get_redis_connection
from playwright.sync_api import Browser, Page, Route, expect

from core.shedding.line import KEYS, Line
from core.shedding.middleware import SheddingMiddleware
from core.shedding.page import CONTENT_TYPE, policy, waiting_room
from core.shedding.pressure import note_wait
from tests.e2e.looking import darken, lighten, violations

pytestmark = pytest.mark.browser
ORIGIN = "https://rounds.test"
SLOW, QUICK = 60.0, 0.0
PATIENCE = 90_000  # milliseconds


class Site:
    """One process; `waited` is how long its requests wait for a thread."""

    def __init__(self) -> None:
        self.middleware = SheddingMiddleware(self._lecture)
        self.middleware.line = Line(get_redis_connection("default"))  # with patience: this machine may be busy
        self.waited = SLOW
        self.asked: list[str] = []
        self.answered: list[int] = []

    @staticmethod
    def _lecture(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("<h1>The lecture</h1>", headers={"Cache-Control": "private, no-store"})

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        self.asked.append(path)
        headers = route.request.all_headers()
        given: dict[str, Any] = {
            "HTTP_COOKIE": headers.get("cookie", ""),
            "HTTP_ACCEPT_LANGUAGE": headers.get("accept-language", ""),
        }
        note_wait(self.waited)
        response: Any = self.middleware(RequestFactory().get(path, **given))
        self.answered.append(response.status_code)
        told = dict(response.headers) | {
            "Set-Cookie": "\n".join(cookie.OutputString() for cookie in response.cookies.values())
        }
        route.fulfill(status=response.status_code, headers=told, body=response.content)


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    settings.SHED_JOIN_MS = 500
    get_redis_connection("default").delete(*KEYS)
    yield Site()
    get_redis_connection("default").delete(*KEYS)


def opened(chromium: Browser, site: Site, **options: Any) -> Page:
    page = chromium.new_context(**options).new_page()
    page.set_default_timeout(PATIENCE)
    page.route(f"{ORIGIN}/**", site.answer)
    page.goto(f"{ORIGIN}/webinars/7/")
    return page


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_the_page_that_was_wanted_opens_by_itself(chromium: Browser, site: Site, script: bool) -> None:
    page = opened(chromium, site, java_script_enabled=script)
    assert site.answered[0] == 503
    site.waited = QUICK
    expect(page.get_by_role("heading")).to_have_text("The lecture", timeout=PATIENCE)
    assert page.url == f"{ORIGIN}/webinars/7/"
    assert ("/waiting-room/" in site.asked) == script
    assert {cookie["name"] for cookie in page.context.cookies()} == {"entered"}
    page.context.close()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_it_is_readable_on_every_screen_in_the_light_and_in_the_dark(chromium: Browser, width: int) -> None:
    """As the door sends it, but for a refresh that comes after the look."""
    said: list[str] = []
    page = chromium.new_context(viewport={"width": width, "height": 780}).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: said.append(message.text))
    for ahead in (240, None):
        body = waiting_room("en", ahead=ahead, seconds=110, refresh=3_600)
        headers = {"Content-Type": CONTENT_TYPE, "Content-Security-Policy": policy()}
        page.unroute_all()
        page.route(f"{ORIGIN}/**", partial(answer, body=body, headers=headers))
        lighten(page)
        page.goto(f"{ORIGIN}/")
        assert violations(page) == []
        darken(page)
        assert violations(page, "color-contrast") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == [], "the policy lets its own style and script run"
    page.context.close()


def answer(route: Route, *, body: str, headers: dict[str, str]) -> None:
    route.fulfill(body=body, headers=headers)
