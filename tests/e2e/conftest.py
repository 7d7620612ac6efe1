"""A whole site (web, realtime, worker, front door) and a real Chromium, once for all browser tests."""

import email
import email.policy
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.chromium import PATIENCE_SECONDS, start_chromium
from tests.conftest import migrated_template
from tests.e2e.beside import Beside
from tests.ports import free_port

Answer = TypeVar("Answer")
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240
STOP_SECONDS = 30
DOCTORS = (
    "anna", "resume", "coverage", "ring", "plain", "axe", "keys", "drop", "mark", "choices", "http", "grant", "ended",
    "tabs", "leave", "states", "frame", "late", "rtl", "units", "office", "guarded", "exam", "script", "early",
    "credits", "numbers", "wordless",
)  # fmt: skip
PHONE = {"width": 360, "height": 740}
LAPTOP = {"width": 1280, "height": 800}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that asks for the site also waits until its world is made and its programs have started."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and "site" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(480))


@dataclass
class Site:
    url: str
    database_url: str
    mail: Path
    log: Path
    world: dict[str, Any]
    environment: dict[str, str]
    beside: Beside

    def run(self, module: str, *arguments: str) -> Any:
        """A program beside the site, with its environment; what it prints last is JSON."""
        return json.loads(self.beside.run(module, *arguments).splitlines()[-1])

    def watch(self, name: str = "lecture") -> str:
        return f"{self.url}/webinars/{self.world['webinars'][name]}/"

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says, by a connection of its own: no part of the site answers for itself."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query, values).fetchall()

    def seen(self, doctor: str, name: str = "lecture") -> set[int]:
        """The seconds that the server has credited."""
        found = self.rows(
            "SELECT lower(part), upper(part) FROM webinars_watchrecord, unnest(coverage) AS part"
            " WHERE user_id = %s AND webinar_id = %s",
            int(self.world["doctors"][doctor]["id"]),
            self.world["webinars"][name],
        )
        return {second for start, end in found for second in range(start, end)}

    def position(self, doctor: str, name: str = "lecture") -> float | None:
        found = self.rows(
            "SELECT position_seconds FROM webinars_watchrecord WHERE user_id = %s AND webinar_id = %s",
            int(self.world["doctors"][doctor]["id"]),
            self.world["webinars"][name],
        )
        return found[0][0] if found else None

    def newest_link(self, address: str) -> str:
        """Of the newest sign-in mail to this address, as the development server keeps it; empty while none came."""
        for path in sorted(self.mail.glob("*.eml"), reverse=True):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            part = message.get_body(("plain",))
            found = re.search(r"https?://\S+/sign-in/link/\S+", part.get_content()) if part else None
            if address in str(message["To"]) and found:
                return found[0]
        return ""


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with run_site(DOCTORS) as running:
        yield running


@contextmanager
def run_site(doctors: Sequence[str]) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="lms-e2e-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        environment = make_environment(directory)
        world = furnish(environment, doctors)
        log = directory / "site.log"
        with subprocess.Popen(
            [sys.executable, "-m", "lms.supervisor"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            try:
                url = wait_for_url(process, log)
                beside = Beside(environment)
                try:
                    yield Site(url, environment["DATABASE_URL"], directory / "mail", log, world, environment, beside)
                finally:
                    beside.end()
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def furnish(environment: dict[str, str], doctors: Sequence[str]) -> dict[str, Any]:
    """The world is made once in a run, migrations and transcoding included; every site gets a copy of it."""
    shared = Path(os.environ["VAR_DIR"]) / "e2e"
    shared.mkdir(exist_ok=True)
    said = shared / "world.json"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            own = {"DATABASE_URL": database_url("e2e_world"), "VAR_DIR": str(shared)}
            template = migrated_template()
            administer(f'CREATE DATABASE "e2e_world" TEMPLATE "{template or "template1"}"')
            if not template:
                migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
                subprocess.run(migrate, cwd=ROOT, env=environment | own, check=True)
            made = subprocess.run(
                [sys.executable, "-m", "tests.e2e.world", *doctors],
                cwd=ROOT, env=environment | own, check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            said.write_text(made.stdout.splitlines()[-1])
        administer(f'CREATE DATABASE "{urlsplit(environment["DATABASE_URL"]).path[1:]}" TEMPLATE "e2e_world"')
    shutil.copytree(shared / "media", Path(environment["VAR_DIR"], "media"))
    return dict(json.loads(said.read_text()))


def administer(statement: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement.encode())


def database_url(name: str) -> str:
    """Another database of the run's PostgreSQL."""
    return re.sub(r"(//[^/]*/)[^?]*", rf"\g<1>{name}", os.environ["DATABASE_URL"], count=1)


def make_environment(directory: Path) -> dict[str, str]:
    """The run's PostgreSQL and Valkey, but a database of its own: the other tests roll theirs back or empty it."""
    others = {name: value for name, value in os.environ.items() if name not in {"SITE_URL", "ALLOWED_HOSTS"}}
    return others | {
        "DATABASE_URL": database_url(f"e2e_{os.getpid()}"),
        "REDIS_URL": re.sub(r"/\d+$", f"/{own_valkey_database()}", os.environ["REDIS_URL"]),
        "VAR_DIR": str(directory),
        "DJANGO_SETTINGS_MODULE": "lms.settings",
        "SECRET_KEY": "only-for-the-browser-tests-" + "x" * 40,
        "DEMO": "0",
        "LANGUAGES": "en,ar",
        "HOST": "127.0.0.1",
        "PORT": "0",
        "RTMP_PORT": str(free_port()),
        "MESSAGES_PUSH": "folder",
        "VAPID_PRIVATE_KEY": "AQ" * 21 + "E",
        "WEB_WORKERS": "1",
        "LOG_FORMAT": "text",
        "PYTHONUNBUFFERED": "1",
    }


def own_valkey_database() -> int:
    """From the top of the sixteen, for each process of the run another: sites must not take each other's tasks."""
    return 15 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def wait_for_url(process: "subprocess.Popen[str]", log: Path) -> str:
    """Keeps reading for ever in a thread: a full pipe would stop the site."""
    ready = threading.Event()
    found: list[str] = []

    def read() -> None:
        assert process.stdout
        with log.open("w") as file:
            for line in process.stdout:
                file.write(line)
                file.flush()
                if match := re.search(r"Ready in .*(http://\S+?)/?\s", line):
                    found.append(match[1])
                    ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    if not ready.wait(START_SECONDS) or not found:
        process.kill()
        raise RuntimeError(f"The site did not start:\n{log.read_text()[-4000:]}")
    return found[0]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = start_chromium(playwright)
    yield browser
    browser.close()


@dataclass
class Complaints:
    """What a browser writes into its console when a page is not right. Tests that provoke some allow exactly those."""

    lines: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, *patterns: str) -> None:
        self.allowed += patterns

    @property
    def unexpected(self) -> list[str]:
        return [line for line in self.lines if not any(re.search(pattern, line) for pattern in self.allowed)]


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


OpenBrowser = Callable[..., BrowserContext]


@contextmanager
def browsers(site: Site, chromium: Browser, complaints: Complaints) -> Iterator[OpenBrowser]:
    """`open("resume", "phone")` is signed in; without a doctor nobody is. Ends with a look at the console."""
    contexts: list[BrowserContext] = []

    def open_one(doctor: str = "", device: str = "laptop", **options: Any) -> BrowserContext:
        size = PHONE if device == "phone" else LAPTOP
        context = chromium.new_context(**{"viewport": size, "locale": "en-GB", "timezone_id": "UTC"} | options)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        if doctor:
            value = site.world["doctors"][doctor][device]
            context.add_cookies([{"name": "sessionid", "value": value, "url": site.url, "httpOnly": True}])
        context.on("console", lambda message: note(message.type, message.text))
        context.on("weberror", lambda error: note("error", str(error.error)))
        contexts.append(context)
        return context

    def note(kind: str, text: str) -> None:
        if kind in {"error", "warning"} or "Content Security Policy" in text:
            complaints.lines.append(f"{kind}: {text}")

    try:
        yield open_one
    finally:
        for context in contexts:
            context.close()
    assert complaints.unexpected == []


@pytest.fixture
def open_browser(site: Site, chromium: Browser, complaints: Complaints) -> Iterator[OpenBrowser]:
    with browsers(site, chromium, complaints) as open_one:
        yield open_one


def eventually(question: Callable[[], Answer], seconds: float = PATIENCE_SECONDS) -> Answer:
    """The first answer that is not empty; for what happens outside the page."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > end:
            raise AssertionError(f"Not in time: {answer!r}")
        time.sleep(0.05)
    return answer


# The beats that nobody has acknowledged yet.
OUTBOX = """async () => {
    const request = indexedDB.open("rounds-player");
    const database = await new Promise((done) => { request.onsuccess = () => done(request.result); });
    const all = database.transaction("beats").objectStore("beats").getAll();
    const rows = await new Promise((done) => { all.onsuccess = () => done(all.result); });
    database.close();
    return rows;
}"""


def until(page: Page, condition: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Playwright's own wait_for_function needs `eval` in the page, which the policy of this site rightly forbids."""
    page.evaluate(
        f"""async (seconds) => {{
            const end = performance.now() + seconds * 1000;
            while (!(await ({condition})())) {{
                if (performance.now() > end) throw new Error("Not in time: " + {json.dumps(condition)});
                await new Promise((done) => setTimeout(done, 40));
            }}
        }}""",
        seconds,
    )


@dataclass
class Watching:
    """The watch page in a browser, and what a person can do there."""

    page: Page
    site: Site

    def open(self, name: str = "lecture") -> "Watching":
        self.page.goto(self.site.watch(name))
        return self.ready()

    def ready(self) -> "Watching":
        """Before that its buttons do nothing yet."""
        self.page.locator("#player[data-ready=true]").wait_for()
        return self

    def play(self) -> None:
        self.page.locator("[data-part=start] button").click()
        self.wait_until_playing()

    def wait_until_playing(self) -> None:
        self.wait("v => !v.paused && v.readyState > 2 && !v.seeking && v.currentTime > 0")

    def wait(self, condition: str) -> None:
        """Until the video element is as `condition` says."""
        until(self.page, f"() => ({condition})(document.querySelector('#player video'))")

    def value(self, expression: str) -> Any:
        return self.page.evaluate(f"({expression})(document.querySelector('#player video'))")

    @property
    def at(self) -> float:
        return float(self.value("v => v.currentTime"))

    def play_until(self, seconds: float) -> None:
        self.wait(f"v => v.currentTime >= {seconds}")

    def seek(self, seconds: float) -> None:
        """As a finger does it on the bar under the picture."""
        bar = self.page.locator("[data-part=coverage]")
        box = bar.bounding_box()
        assert box
        self.value("v => v.addEventListener('seeked', () => { v.dataset.landed = v.currentTime; }, { once: true })")
        bar.click(position={"x": box["width"] * seconds / 60, "y": box["height"] / 2})
        self.wait("v => v.dataset.landed !== undefined && !v.seeking")
        landed = self.value("v => { const { landed } = v.dataset; delete v.dataset.landed; return Number(landed); }")
        assert abs(landed - seconds) < 1.5

    def show_controls(self) -> None:
        """They hide while somebody only watches; a moving mouse brings them back."""
        self.page.locator("[data-part=stage]").hover(position={"x": 20, "y": 40})

    def pause(self) -> None:
        self.show_controls()
        self.page.locator("[data-do=toggle]").click()
        self.wait("v => v.paused")

    def choose(self, name: str, value: str) -> None:
        """In the panel behind "Quality and speed"."""
        self.show_controls()
        if self.page.locator("#player-settings").is_hidden():
            self.page.get_by_role("button", name="Quality and speed").click()
        self.page.locator(f"input[name={name}][value='{value}']").check()

    def wait_until_saved(self) -> None:
        """Nothing is left in the outbox."""
        until(self.page, f"async () => (await ({OUTBOX})()).length === 0")

    def wait_until_kept(self) -> None:
        """What was played up to here is written: a tab that dies takes along what is not."""
        until(self.page, f"async () => (await ({OUTBOX})()).some(({{ p }}) => Math.abs(p - {self.at}) < 0.01)")


@pytest.fixture
def watching(open_browser: OpenBrowser, site: Site) -> Callable[..., Watching]:
    def start(doctor: str, device: str = "laptop", **options: Any) -> Watching:
        return Watching(open_browser(doctor, device, **options).new_page(), site)

    return start
