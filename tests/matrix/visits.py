"""Every role visits every route once by every method. The tests then ask different questions about the same visits."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import connection, transaction
from jsonschema import ValidationError

from tests.matrix.walk import Route
from tests.matrix.world import World

SIGN_IN = "in"  # how the table writes a redirect to the sign-in page
DOORS = ("/sign-in/", "/admin/login/")
DESCRIBED = "api/v1/"
UNDESCRIBED = ("api/v1/schema/", "api/v1/docs/", "api/v1/^.*$")


@dataclass(frozen=True, slots=True)
class Visit:
    """`wrote` counts the rows that were inserted, updated and deleted, by table and kind."""

    route: str
    method: str
    role: str
    outcome: str
    headers: dict[str, str]
    sets_cookie: bool
    wrote: dict[str, int]
    undescribed: str

    def __str__(self) -> str:
        return f"{self.method} /{self.route} as {self.role}: {self.outcome}"


def visit_all(world: World, routes: list[Route]) -> Iterator[Visit]:
    """Each in a savepoint that is rolled back, with the cookies it began with: no visit sees another's traces."""
    addresses = {route: world.address(route) for route in routes}  # a missing value shows before the long way
    for route, address in addresses.items():
        for method in route.methods():
            for role in world.browsers:
                yield visit(world, route, address, method, role)


def visit(world: World, route: Route, address: str, method: str, role: str) -> Visit:
    browser = world.browsers[role]
    browser.cookies.clear()
    browser.cookies.load(world.cookies[role])
    before = world.written or _writes()  # what is rolled back stays counted, and nobody writes between two visits
    with _rolled_back():
        response = browser.generic(method, address, b"{}", content_type="application/json")
        world.written = _writes()
    if method != "GET" or world.written != before:  # a sign-out is rolled back in the database, but not in Valkey
        cache.clear()
        cache.set_many(world.sessions)
    return Visit(
        route=route.path,
        method=method,
        role=role,
        outcome=_outcome(response.status_code, response.get("Location", "")),
        headers=dict(response.items()),
        sets_cookie=bool(response.cookies),
        wrote=dict(world.written - before),
        undescribed=_undescribed(response, route, method),
    )


def _outcome(status: int, location: str) -> str:
    if status == HTTPStatus.FOUND and urlsplit(location).path in DOORS:
        return SIGN_IN
    return str(status)


def _undescribed(response: Any, route: Route, method: str) -> str:
    """What the answer has that the OpenAPI document does not say."""
    from tests.api.openapi import check  # reads the URLconf, which must not happen before the settings are ready

    if not route.path.startswith(DESCRIBED) or route.path in UNDESCRIBED:
        return ""
    try:
        check(response, route=route.path, method=method)
    except (AssertionError, ValidationError) as error:
        return str(error)
    return ""


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _writes() -> Counter[str]:
    """Rows written so far in this transaction, as PostgreSQL itself counts them: no query can hide from it.

    What the view pg_stat_xact_user_tables says, asked of its functions: the view costs four times as much.
    """
    counts = ", ".join(f"pg_stat_get_xact_tuples_{kind}(oid) AS {kind}" for kind in KINDS)
    tables = f"SELECT relname, {counts} FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({tables}) AS t WHERE {' + '.join(KINDS)} > 0")
        rows = cursor.fetchall()
    return Counter(
        {f"{name} {kind}": count for name, *counts in rows for kind, count in zip(KINDS, counts, strict=True) if count}
    )


KINDS = ("inserted", "updated", "deleted")
