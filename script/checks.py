"""The steps of `script/test`: all run, also after a failure; the end says what failed and how long each step took."""

import json
import os
import re
import secrets
import subprocess
import sys
import sysconfig
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from system_packages import provide  # noqa: E402  # the path is set above

from lms.embedded import Embedded  # noqa: E402

PATIENCE = 40 * 60  # seconds for one run of pytest: a single test has its own limit in pyproject.toml
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FAKETIME = f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/faketime/libfaketime.so.1"
RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
PLUGINS = ("-p", "tests.taken")


@dataclass(frozen=True)
class Part:
    """The files that hold one of `marks` are collected; none: all files, which takes half a minute of every worker."""

    name: str
    expression: str
    options: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    def files(self) -> list[str]:
        if not self.marks:
            return []
        wanted = re.compile(rf"\bmark\.({'|'.join(self.marks)})\b")
        return [str(path) for path in sorted((ROOT / "tests").rglob("test_*.py")) if wanted.search(path.read_text())]


# First what computes, a worker a core. Then what waits for programs and browsers, in its order: where a browser was, no
# asynchronous test can run; file by file, because many prepare a site of their own. Then, alone, what measures how fast
# something is.
PARTS = (
    Part(
        "tests",
        "not (browser or site or serial)",
        ("-n", "auto", "--dist", "worksteal", "-p", "tests.covering"),
    ),
    Part(
        "tests with whole programs and browsers",
        "(browser or site) and not serial",
        ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"),
        ("browser", "site"),
    ),
    Part("tests alone", "serial", marks=("serial",)),
)


def busy_seconds() -> float:
    """Of all cores since the machine began: servers of the tests are nobody's children."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


@dataclass
class Report:
    failed: list[str] = field(default_factory=list)
    seconds: list[tuple[str, float]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("tests", "failures", "errors", "skipped"), 0))
    busy_before: float = field(default_factory=busy_seconds)

    def step(self, name: str, work: Callable[[], bool]) -> None:
        print(f"\n=== {name}", flush=True)
        started = time.monotonic()
        if not work():
            self.failed.append(name)
            print(f"!!! {name} FAILED", flush=True)
        self.seconds.append((name, time.monotonic() - started))

    def print_summary(self) -> None:
        print("\n=== Summary")
        for name, seconds in self.seconds:
            print(f"{seconds:7.1f} s  {name}{'  FAILED' if name in self.failed else ''}")
        print(f"{sum(seconds for _, seconds in self.seconds):7.1f} s  all together")
        print(f"{busy_seconds() - self.busy_before:7.1f} s  of {os.cpu_count()} cores, whoever used them")
        bad = self.counts["failures"] + self.counts["errors"]
        passed = self.counts["tests"] - bad - self.counts["skipped"]
        print(f"Tests: {passed} passed, {bad} failed, {self.counts['skipped']} skipped")
        print("FAILED: " + ", ".join(self.failed) if self.failed else "Everything passed.", flush=True)


def run(*command: str, **environment: str) -> bool:
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False).returncode == 0


def tool(module: str, *arguments: str) -> bool:
    return run(sys.executable, "-m", module, *arguments)


def manage(*arguments: str, **environment: str) -> bool:
    return run(sys.executable, "manage.py", *arguments, **environment)


def programs() -> bool:
    """Chromium and its libraries for the browser tests, gettext for translations, nginx, PgBouncer, wrong clocks."""
    there = provide("chromium", *BROWSERS) and provide("gettext", "msgfmt")
    if there and not provide("chromium-headless-shell", "chromium-headless-shell"):
        print("Without it the whole Chromium runs the same tests in twice the time.")
    there = there and provide("nginx", "nginx") and provide("libnginx-mod-rtmp", RTMP_MODULE)
    there = there and provide("libfaketime", FAKETIME)
    return there and provide("pgbouncer", "pgbouncer")


def deployment() -> bool:
    return manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        DJANGO_ENV="production",
        SECRET_KEY=secrets.token_urlsafe(64),
        ALLOWED_HOSTS="learn.example.org",
        SITE_URL="https://learn.example.org",
        TRUSTED_PROXIES="1",
    )


def tests(report: Report, *arguments: str) -> bool:
    """A skipped test counts as a failure: what is not run is not known to work."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        command = [sys.executable, "-m", "pytest", f"--junitxml={file.name}", *arguments]
        try:
            status = subprocess.run(command, cwd=ROOT, env=os.environ, check=False, timeout=PATIENCE).returncode
        except subprocess.TimeoutExpired:
            print(f"Not ready after {PATIENCE // 60} minutes: ended.", flush=True)
            status = 1
        try:
            suite = ET.parse(file.name).getroot().find("testsuite")  # noqa: S314  # written by our own pytest
        except ET.ParseError:
            suite = None
    skipped = 0
    if suite is not None:
        for name in report.counts:
            report.counts[name] += int(suite.get(name, "0"))
        skipped = int(suite.get("skipped", "0"))
    return status == 0 and not skipped


def said(started: "subprocess.Popen[str]") -> bool:
    """The end of what runs beside the steps before it: a minute of one core."""
    print(started.communicate()[0], end="")
    return started.returncode == 0


def coverage(directory: Path) -> bool:
    files = [str(path) for path in sorted(directory.glob("*.json"))]
    show = ("--branch", "--skip-covered", "--missing-width", "40")
    return tool("slipcover", *show, "--out", str(directory / "merged"), "--merge", *files)


def each_in_one(directory: Path) -> bool:
    """That the parts together are all tests, and none is in two of them."""
    taken: Counter[str] = Counter()
    known: set[str] = set()
    for number in range(len(PARTS)):
        found = [json.loads(path.read_text()) for path in directory.glob(f"{number}-*.taken")]
        taken.update({name for one in found for name in one["taken"]})
        known.update(name for one in found for name in (*one["taken"], *one["left"]))
    wrong = sorted(name for name in known if taken[name] != 1)
    print(f"{len(known) - len(wrong)} of {len(known)} tests are in one part.", *wrong, sep="\n")
    return bool(known) and not wrong


def all_tests(report: Report, types: "subprocess.Popen[str]") -> None:
    with tempfile.TemporaryDirectory(prefix="lms-coverage-") as name:
        os.environ["COVERAGE_DIR"] = name
        for number, part in enumerate(PARTS):
            os.environ.update(TAKEN=f"{name}/{number}")
            given = (*part.files(), "-m", part.expression, *part.options, *PLUGINS)
            report.step(part.name, partial(tests, report, *given))
            if not number:
                report.step("mypy", lambda: said(types))
        report.step("each test in one part", lambda: each_in_one(Path(name)))
        report.step("coverage", lambda: coverage(Path(name)))


def main() -> int:
    report = Report()
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "DJANGO_SETTINGS_MODULE",
        "DJANGO_ENV",
        "DEBUG",
        "VAR_DIR",
        "MIGRATED_CLUSTER",
        "PYTHONDONTWRITEBYTECODE",  # each of some hundred programs would compile the product for itself
    ):
        os.environ.pop(name, None)
    if sys.argv[1:]:
        report.step("pytest", lambda: tests(report, *sys.argv[1:]))
        report.print_summary()
        return 1 if report.failed else 0
    types = subprocess.Popen((sys.executable, "-m", "mypy", "."), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    report.step("Chromium, gettext and nginx", programs)
    report.step("ruff", lambda: tool("ruff", "check", "."))
    report.step("ruff format", lambda: tool("ruff", "format", "--check", "."))
    report.step(
        "import-linter",
        lambda: run(sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"),
    )
    report.step("djlint", lambda: tool("djlint", "templates", "--lint", "--quiet"))
    with tempfile.TemporaryDirectory(prefix="lms-checks-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's unprivileged user must pass
        with Embedded(directory, durable=False) as urls:
            os.environ.update(urls.environment(), VAR_DIR=name)
            report.step("migrate", lambda: manage("migrate", "--verbosity=0"))
            report.step("makemigrations --check", lambda: manage("makemigrations", "--check", "--dry-run"))
            report.step("check --deploy", deployment)
            report.step("API schema", lambda: manage("spectacular", "--validate", "--fail-on-warn", "--file=/dev/null"))
            for variable in (*urls.environment(), "VAR_DIR"):
                del os.environ[variable]
        if "migrate" not in report.failed:
            os.environ["MIGRATED_CLUSTER"] = name  # where the parts begin: to migrate for each tells nothing new
        all_tests(report, types)
    report.print_summary()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
