"""Files, functions and views stay small; what cannot be checked by ruff is checked here."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.platform.conftest import ROOT

FILE_LINES = 500
FUNCTION_LINES = 60
VIEW_LINES = 25


def sources() -> list[Path]:
    """What belongs to the project: no environment, no data, no generated migration."""
    tops = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in {"var", "static"}]
    tops = [path for path in tops if not path.name.startswith(".")]
    return [path for top in tops for path in top.rglob("*.py") if "migrations" not in path.parts]


def longer_functions(path: Path, limit: int) -> list[tuple[str, int]]:
    text = path.read_text()
    if text.count("\n") < limit:  # and so are its functions
        return []
    found = [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for node in statements(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [(name, lines) for name, lines in found if lines > limit]


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """What may hold a function; most nodes are parts of expressions, which hold none."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from statements(child)


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert len(lengths) > 50
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_functions_are_short() -> None:
    assert [one for path in sources() for one in longer_functions(path, FUNCTION_LINES)] == []


def test_views_are_short() -> None:
    files = [path for path in sources() if path.stem == "views" or path.parent.name == "views"]
    files = [path for path in files if "tests" not in path.parts]
    assert files
    assert [one for path in files for one in longer_functions(path, VIEW_LINES)] == []


def test_scripts_are_valid_shell() -> None:
    scripts = [
        path for path in (ROOT / "script").iterdir() if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh")
    ]
    assert {path.name for path in scripts} >= {"server", "test", "lock"}
    for path in scripts:
        assert subprocess.run(["/bin/sh", "-n", str(path)], check=False).returncode == 0
