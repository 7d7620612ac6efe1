"""Keeps the lists of tests in docs/security.md. Run `python -m tests.security_list` after adding a `test_sec_NN_…`."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "security.md"
NAME = re.compile(r"test_sec_(\d\d)_\w+")
HEADING = re.compile(r"^### (\d+)\. ", re.MULTILINE)
LIST = re.compile(r"(?<=<!-- tests -->\n).*?(?=<!-- /tests -->)", re.DOTALL)


@cache
def existing() -> dict[int, list[tuple[str, str]]]:
    """By number: (file, test), read from the sources, so that a test nobody collects is not found either way."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "test_sec_" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (named := NAME.fullmatch(node.name)):
                found[int(named[1])].append((path.relative_to(ROOT).as_posix(), node.name))
    return {number: sorted(set(tests)) for number, tests in sorted(found.items())}


def sections(text: str) -> dict[int, str]:
    parts = HEADING.split(text)[1:]
    return {int(number): body for number, body in zip(parts[::2], parts[1::2], strict=True)}


def rendered(text: str) -> str:
    """The document with every list as it has to be; the words around the lists are people's."""
    tests = existing()
    head, *parts = HEADING.split(text)
    for number, body in zip(parts[::2], parts[1::2], strict=True):
        head += f"### {number}. " + LIST.sub(lambda _, n=int(number): _listed(tests.get(n, [])), body)
    return head


def _listed(tests: list[tuple[str, str]]) -> str:
    by_file: dict[str, list[str]] = defaultdict(list)
    for path, name in tests:
        by_file[path].append(name)
    return "".join(f"- `{path}`\n" + "".join(f"  - `{name}`\n" for name in names) for path, names in by_file.items())


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text()))
