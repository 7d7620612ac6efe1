"""The browser that tests drive."""

import shutil

from playwright.sync_api import Browser, Playwright

# The shell renders and scripts as the whole browser does and has no window around the page: half of the work.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--disable-dev-shm-usage",
    "--disable-gpu",
]


def start_chromium(playwright: Playwright) -> Browser:
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        raise RuntimeError("No Chromium is installed; script/test installs it.")
    return playwright.chromium.launch(executable_path=path, args=FLAGS)
