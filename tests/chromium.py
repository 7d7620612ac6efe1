"""The browser that tests drive."""

import shutil

from playwright.sync_api import Browser, Playwright, expect

# The shell renders and scripts as the whole browser does and has no window around the page: half of the work.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--disable-dev-shm-usage",
    "--disable-gpu",
]
PATIENCE_SECONDS = 90  # for whatever a busy machine has to do; a test that waits for nothing costs it
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


def start_chromium(playwright: Playwright) -> Browser:
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        raise RuntimeError("No Chromium is installed; script/test installs it.")
    return playwright.chromium.launch(executable_path=path, args=FLAGS)
