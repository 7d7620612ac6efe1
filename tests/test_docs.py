"""Documents that would be wrong fail here: configuration, routes, frames, commands, security requirements."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from tests import security_list
from tests.api.openapi import document
from webinars.realtime import frames

ROOT = Path(settings.BASE_DIR)
READERS = {"text", "number", "flag", "words", "choice", "path", "languages", "networks", "url", "seeds"}
GETTERS = {("os.environ", "get"), ("os", "getenv"), ("environment", "get")}
APPS = (
    "accounts",
    "analytics",
    "assessments",
    "certification",
    "core",
    "courses",
    "lms",
    "media",
    "operations",
    "reminders",
    "webinars",
)
# Set by other programs, not by whoever runs the site.
FOREIGN = {"PYTEST_XDIST_WORKER", "DJANGO_SETTINGS_MODULE", "PATH", "HOME", "PYTHONPATH"}


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def sources() -> list[Path]:
    packages = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return [*packages, *(ROOT / "deploy").rglob("*.py")]


def constant(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def variables_read(tree: ast.AST) -> set[str]:
    """`env.text("NAME")`, `os.environ["NAME"]`, `os.environ.get("NAME")`, `os.getenv("NAME")`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            found.add(constant(node.slice))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            owner = ast.unparse(node.func.value)
            reads = owner == "env" and node.func.attr in READERS
            reads = reads or (owner, node.func.attr) in GETTERS
            if reads:
                found.add(constant(node.args[0]))
    return found - {""}


@cache
def all_variables() -> frozenset[str]:
    texts = [text for path in sources() if "env" in (text := path.read_text())]  # every way of reading has it
    return frozenset(name for text in texts for name in variables_read(ast.parse(text))) - FOREIGN


class TestConfiguration:
    def test_every_variable_is_in_the_operators_table(self) -> None:
        rows = set(re.findall(r"^\| `([A-Z_]+)`", read("operating.md"), re.MULTILINE))

        assert all_variables() - rows == set()

    def test_the_table_names_no_variable_that_nothing_reads(self) -> None:
        rows = set(re.findall(r"^\| `([A-Z_]+)`", read("operating.md"), re.MULTILINE))
        scripts = " ".join(path.read_text(errors="replace") for path in (ROOT / "script").iterdir() if path.is_file())

        assert {name for name in rows - all_variables() if name not in scripts} == set()

    def test_the_walk_finds_the_ways_of_reading(self) -> None:
        code = 'env.number("ONE", 1)\nos.environ["TWO"]\nos.environ.get("THREE")\nos.getenv("FOUR")\nother.text("FIVE")'

        assert variables_read(ast.parse(code)) == {"ONE", "TWO", "THREE", "FOUR"}


class TestApi:
    def test_the_table_of_routes_is_complete_and_has_nothing_more(self) -> None:
        rows = re.findall(r"^\| ([A-Z, ]+) \| `(/api/v1/[^`]*)` \|", read("api.md"), re.MULTILINE)
        written = {(method, path) for methods, path in rows for method in methods.split(", ")}
        real = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}

        assert written == real

    def test_the_rates_are_the_real_ones(self) -> None:
        figures = [
            int(figure.replace(",", "")) for figure in re.findall(r"([\d,]+) an? (?:minute|hour)", read("api.md"))
        ]

        assert figures == [limit for rates in settings.API_RATES.values() for limit, _ in rates]


class TestProtocol:
    def test_every_frame_is_described(self) -> None:
        source = Path(frames.__file__).read_text()
        sent = set(re.findall(r'"t": ?"(\w+)"', source))
        received = {"hello", "beat", "room"}
        described = set(re.findall(r'`\{"t":"(\w+)"', read("protocol.md")))

        assert sent >= {"welcome", "ack", "refused", "bye"}
        assert described == sent | received

    def test_every_close_code_and_reason_is_described(self) -> None:
        text = read("protocol.md")

        assert [code for code in frames.Close if str(code.value) not in text] == []
        assert [reason for reason in frames.Bye if f"`{reason.value}`" not in text] == []


class TestCommands:
    @pytest.mark.parametrize("app", APPS)
    def test_every_command_is_mentioned(self, app: str) -> None:
        folder = ROOT / app / "management" / "commands"
        commands = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
        texts = " ".join(path.read_text() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

        assert [name for name in commands if not re.search(rf"manage\.py {name}\b", texts)] == []


class TestSecurity:
    def test_the_lists_of_tests_are_the_present_ones(self) -> None:
        text = security_list.DOCUMENT.read_text()

        assert security_list.rendered(text) == text, "run: python -m tests.security_list"

    def test_every_requirement_has_tests_or_says_not_yet(self) -> None:
        bodies = security_list.sections(security_list.DOCUMENT.read_text())
        tests = security_list.existing()

        assert list(bodies) == list(range(1, 41))
        assert [number for number in bodies if number not in tests and "Not yet:" not in bodies[number]] == []
        assert set(tests) <= set(bodies)


class TestLinks:
    @pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda page: page.name)
    def test_every_relative_link_and_picture_leads_somewhere(self, page: Path) -> None:
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())

        assert [to for to in targets if "://" not in to and not (page.parent / to).exists()] == []
