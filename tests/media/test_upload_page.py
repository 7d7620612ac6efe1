"""The upload page in a real browser: reload in the middle, go on, and see the video being prepared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.enums import Role
from core.processes import wait_until
from media.domain import uploads
from media.domain.transcoding import transcode_video
from media.enums import UploadStatus, VideoStatus
from media.models import Upload, UploadPart, Video
from tests.chromium import start_chromium
from tests.factories.courses import RoleGrantFactory
from tests.media.tools import Make
from tests.signing_in import signed_in

pytestmark = pytest.mark.browser
SECONDS = 30_000


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Playwright's loop lives in this thread, where Django would refuse its database for as long."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, live_server: Any, media_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Signed in as an operator; fails on any error of the page's own scripts."""
    monkeypatch.setattr(uploads, "MIB", 8 * 1024)  # parts of 64 KiB
    client = signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    session = client.cookies[project.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": project.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    yield page
    context.close()
    assert trouble == []


@pytest.fixture
def lecture(make: Make) -> Path:
    return make("upload.mp4", size="640x360", seconds=6)


def parts_there() -> set[int]:
    return set(UploadPart.objects.values_list("number", flat=True))


def test_a_reload_in_the_middle_loses_nothing(page: Page, lecture: Path, media_root: Path) -> None:
    parts = -(-lecture.stat().st_size // (64 * 1024))
    blocked = True

    def some(route: Any) -> None:
        """The line breaks after the first two parts."""
        number = int(route.request.url.rstrip("/").rsplit("/", 1)[1])
        if blocked and number > 2 and route.request.method == "PUT":
            route.abort()
        else:
            route.continue_()

    page.route("**/parts/*/", some)
    page.goto("/admin/media/video/upload/")
    page.locator("[data-title]").fill("Ovarian reserve")
    page.locator("[data-file]").set_input_files(lecture)
    expect(page.locator("[data-message]")).to_contain_text("connection is gone", timeout=SECONDS)
    page.wait_for_function("document.querySelector('[data-bar]').value > 0")
    # The third may break before the second is there. Asking the page lets Playwright serve its routes meanwhile.
    assert wait_until(lambda: page.evaluate("true") and parts_there() == {1, 2}, seconds=SECONDS / 1000)
    page.reload()
    expect(page.locator(".up-pending")).to_contain_text("upload.mp4")
    assert parts_there() == {1, 2}
    blocked = False
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    page.locator("[data-file]").set_input_files(lecture)
    page.wait_for_url("**/change/")
    numbers = sorted(int(url.rstrip("/").rsplit("/", 1)[1]) for url in sent)
    assert numbers == list(range(3, parts + 1)), "what was safe is not sent again"
    video = Video.objects.get()
    assert (video.title, video.status) == ("Ovarian reserve", VideoStatus.QUEUED)
    assert (media_root / video.source_key).read_bytes() == lecture.read_bytes()
    expect(page.locator(".vp [data-label]")).to_have_text("Waiting to be prepared")
    transcode_video(video_id=video.pk)
    expect(page.get_by_role("link", name="Preview")).to_be_visible(timeout=SECONDS)
    page.get_by_role("link", name="Preview").click()
    page.wait_for_url("**/preview/")
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(6.0, abs=0.2)


def test_pause_continue_and_cancel(page: Page, lecture: Path) -> None:
    held: list[Any] = []
    page.route("**/parts/*/", lambda route: held.append(route) if route.request.method == "PUT" else route.continue_())
    page.goto("/admin/media/video/upload/")
    page.locator("[data-file]").set_input_files(lecture)
    expect(page.locator("[data-message]")).to_contain_text("Sending")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-message]")).to_have_text("Paused")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-message]")).to_contain_text("Sending")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-message]")).to_have_text("Cancelled")
    assert Upload.objects.get().status == UploadStatus.CANCELLED


def test_a_wrong_file_is_explained_and_another_can_be_chosen(page: Page, tmp_path: Path, lecture: Path) -> None:
    slides = tmp_path / "slides.pptx"
    slides.write_bytes(b"PK\x03\x04")
    page.goto("/admin/media/video/upload/")
    page.locator("[data-file]").set_input_files(slides)
    expect(page.locator("[data-title]")).to_have_value("")
    expect(page.locator("[data-error]")).to_contain_text("“slides.pptx” is not a video file. Choose an MP4")
    assert not Video.objects.exists()
    page.locator("[data-file]").set_input_files(lecture)
    page.wait_for_url("**/change/")
    assert Video.objects.get().status == VideoStatus.QUEUED
