"""That the list in figures.md of where each number is worked out once more is whole and true."""

import ast
import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
HERE = Path(__file__).parent
TEMPLATES = ROOT / "templates" / "analytics"
SHOWS_NUMBERS = re.compile(r"{% \w+_chart |{% (?:world|heat)_map |\|(?:number|duration|percent|roughly)\b|floatformat")


def _rows() -> list[list[str]]:
    text = (ROOT / "docs" / "figures.md").read_text().partition("<!-- recomputed -->\n")[2]
    lines = text.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _tests_on_random_data(path: Path) -> set[str]:
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    return {
        function.name
        for function in functions
        if any(isinstance(one, ast.Call) and ast.unparse(one.func) == "given" for one in function.decorator_list)
    }


def test_every_template_with_numbers_stands_in_it() -> None:
    shown = {
        str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html") if SHOWS_NUMBERS.search(path.read_text())
    }
    assert {name for templates, _, _ in _rows() for name in re.findall(r"`([^`]+)`", templates)} == shown


def test_every_test_that_it_names_is_there_and_is_given_random_data() -> None:
    named = [one for _, _, tests in _rows() for one in re.findall(r"`([^`:]+): (\w+)`", tests)]
    assert named
    assert [name for path, name in named if name not in _tests_on_random_data(HERE / path)] == []
