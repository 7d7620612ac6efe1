"""`table.txt`: what each role gets on each route by each method."""

from collections.abc import Iterable
from pathlib import Path

from tests.matrix.visits import Visit
from tests.matrix.walk import Route
from tests.matrix.world import ROLES

FILE = Path(__file__).with_name("table.txt")
Table = dict[tuple[str, str], dict[str, str]]


def read_table(text: str | None = None) -> Table:
    table: Table = {}
    for number, line in enumerate((text or FILE.read_text()).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        path, method, *outcomes = line.split()
        if len(outcomes) != len(ROLES):
            raise ValueError(f"line {number}: {len(outcomes)} outcomes for {len(ROLES)} roles")
        if (path, method) in table:
            raise ValueError(f"line {number}: {method} {path} stands here a second time")
        table[path, method] = dict(zip(ROLES, outcomes, strict=True))
    return table


def unclassified(routes: Iterable[Route], table: Table) -> list[str]:
    """What the URLconf has and the table has not: nobody has said yet who may go there."""
    asked = [("/" + route.path, method) for route in routes for method in route.methods()]
    return [f"{method} {path}" for path, method in asked if (path, method) not in table]


def gone(routes: Iterable[Route], table: Table) -> list[str]:
    there = {("/" + route.path, method) for route in routes for method in route.methods()}
    return [f"{method} {path}" for path, method in table if (path, method) not in there]


def differing(visits: Iterable[Visit], table: Table) -> list[str]:
    """The lines of the table as they would have to read, for those routes where they read otherwise."""
    found: Table = {}
    for visit in visits:
        found.setdefault(("/" + visit.route, visit.method), {})[visit.role] = visit.outcome
    return [line(key, outcomes) for key, outcomes in found.items() if table.get(key) != outcomes]


def line(key: tuple[str, str], outcomes: dict[str, str]) -> str:
    return f"{key[0]:<64} {key[1]:<6} " + " ".join(f"{outcomes[role]:>4}" for role in ROLES)
