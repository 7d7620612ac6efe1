"""Every route × every role × every method, with foreign objects that really exist: `tests/matrix/table.txt`."""

import logging
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests.matrix.table import differing, gone, line, read_table, unclassified
from tests.matrix.visits import SIGN_IN, Visit, visit, visit_all
from tests.matrix.walk import Route, all_routes
from tests.matrix.world import ANONYMOUS, ROLES, Visitor, World, build_world

# Routes that answer a stranger with a page. Whatever else is open by mistake fails.
OPEN_TO_ANYBODY = {
    "sign-in/",
    "sign-in/password/",
    "sign-in/link/<str:token>/",  # with a token that works
    "invitation/<str:token>/",  # with a token that works
    "account/second-step/webauthn/login/",  # the challenge for a passkey
    "status/",
    "status.json",
    "ledger/",
    "verify/",
    "verify/<str:public_id>/",  # with the code of a certificate
    "verify/<str:public_id>/badge/",
    "verify/<str:public_id>/badge/status/",
    ".well-known/did.json",
    "disclosures/<str:token>/",  # with a token that works
    "disclosures/<str:token>/thanks/",  # with a token that works: what its person stated
    "m/<str:token>/",  # with a token that works: the link of a message
    "u/<str:token>/",  # with a token that works: no more messages this way
    "calendar/<str:token>.ics",  # with a token that works: a calendar reads it
    "notices.js",
    "door/<str:slug>/",  # with the link of a door that staff have opened
    "door/<str:slug>/state/",  # what waits behind one's own ticket; without one: "pending"
}
CLOSED = {SIGN_IN, "401", "403", "404", "405"}
# What a GET may write: the session, where a half-done second step or a challenge is kept.
# And that staff looked at personal data, a calendar read its address, somebody who is in already followed a link.
WRITTEN_BY_READING = {
    "django_session inserted", "django_session updated", "accounts_auditevent inserted",
    "reminders_calendarfeed updated", "reminders_delivery updated",
}  # fmt: skip
TENANTS = ("programmes/", "progress/", "reports/", "webinars/", "activities/", "account/devices/", "api/", "media/")
# Of no programme: nobody's are foreign.
SHARED = ("admin/assessments/board/", "admin/reminders/templateset/", "admin/reminders/messagetemplate/")
UNSUBSCRIBE = "u/<str:token>/"
IMPORT = "admin/invite-people/<uuid:import_id>/"
# Without the first pytest-django makes no database at all. Whoever comes first visits every route as every role.
pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.timeout(600)]
UNLIMITED = dict.fromkeys(("api", "beats", "polls", "reports", "anonymous"), ((10**9, 60),))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One for all tests here, in a transaction that is rolled back. The development pages are off, as in production."""
    settings = override_settings(API_RATES=UNLIMITED, SHOW_SENT_MAIL=False)
    logging.disable(logging.CRITICAL)
    try:
        with django_db_blocker.unblock(), settings, transaction.atomic():
            yield build_world()
            transaction.set_rollback(True)
    finally:
        logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def visits(world: World) -> list[Visit]:
    return list(visit_all(world, all_routes()))


def of(visits: list[Visit], *, method: str, role: str | None = None) -> list[Visit]:
    return [one for one in visits if one.method == method and role in (None, one.role)]


class TestMatrix:
    def test_sec_19_every_route_is_classified(self) -> None:
        assert unclassified(all_routes(), read_table()) == []

    def test_sec_19_no_line_is_left_of_a_route_that_is_gone(self) -> None:
        assert gone(all_routes(), read_table()) == []

    def test_sec_19_every_role_gets_exactly_what_the_table_says(self, visits: list[Visit]) -> None:
        assert "\n".join(differing(visits, read_table())) == ""

    @pytest.mark.parametrize(
        ("role", "under"),
        [("stranger", ""), ("sponsor", ""), ("auditor", ""), ("elsewhere", ""), ("elsewhere", "admin/")],
    )
    def test_sec_19_what_is_foreign_looks_like_what_is_absent(
        self, world: World, visits: list[Visit], role: str, under: str
    ) -> None:
        """Otherwise the numbers of other programmes could be counted.

        Django's history page tells them apart for staff who may not see people at all: that person no. 7 exists is all
        it says, and nothing of programmes. The same for incidents, which everybody can read.
        """
        told = {}
        outcomes = {(one.route, one.method): one.outcome for one in visits if one.role == role}
        for route in all_routes():
            if "<" not in route.path or not route.path.startswith(under or TENANTS) or route.is_regex:
                continue
            if route.path.startswith(("admin/accounts/", "admin/operations/")) and route.path.endswith("/history/"):
                continue
            if route.path.startswith(SHARED):
                continue
            for method in route.methods():
                foreign = outcomes[route.path, method]
                absent = visit(world, route, world.absent_address(route), method, role).outcome
                if foreign != absent:
                    told[f"{method} /{route.path}"] = (foreign, absent)

        assert told == {}

    def test_sec_19_nothing_fails(self, visits: list[Visit]) -> None:
        assert [str(one) for one in visits if one.outcome.startswith("5")] == []

    def test_the_check_catches_a_route_that_nobody_classified(self) -> None:
        routes = all_routes("tests.matrix.surprise_urls")

        assert unclassified(routes, read_table()) == [
            "GET /inner/surprise/<int:pk>/",
            "POST /inner/surprise/<int:pk>/",
        ]

    def test_the_check_catches_a_door_that_opens_too_wide(self, visits: list[Visit]) -> None:
        table = read_table()
        key = ("/api/v1/lessons/<int:lesson_id>/", "GET")
        right = dict(table[key])
        table[key] = {**right, "stranger": "200"}

        assert differing(visits, table) == [line(key, right)]


class TestAnybody:
    def test_sec_01_a_stranger_meets_closed_doors_only(self, visits: list[Visit]) -> None:
        opened = {one.route for one in of(visits, method="GET", role=ANONYMOUS) if one.outcome not in CLOSED}

        assert opened - {"admin/password_change/"} == OPEN_TO_ANYBODY

    def test_sec_01_no_route_makes_an_account(self, visits: list[Visit]) -> None:
        """But the import of people, by an operator."""
        made = {(one.route, one.role) for one in visits if one.wrote.get("accounts_user inserted")}

        assert made == {(IMPORT, "operator")}


class TestReading:
    def test_sec_21_get_changes_nothing(self, visits: list[Visit]) -> None:
        wrote = {str(one): sorted(set(one.wrote) - WRITTEN_BY_READING) for one in of(visits, method="GET")}

        assert {visit: tables for visit, tables in wrote.items() if tables} == {}

    def test_the_check_sees_what_is_written(self, visits: list[Visit]) -> None:
        ended = [one for one in visits if one.route == "api/v1/devices/<uuid:device_id>/" and one.method == "DELETE"]

        assert {one.role for one in ended if one.wrote.get("accounts_device updated")} == {"doctor"}


class TestForgery:
    @pytest.mark.parametrize("role", [ANONYMOUS, "doctor", "operator"])
    def test_sec_21_no_unsafe_method_works_without_the_token(self, world: World, role: str) -> None:
        """Views answer 403; the API does so for the signed-in, whose cookie is what a forger would use."""
        suspicious = {}
        world.browsers["forged"] = Visitor(enforce_csrf_checks=True)
        world.cookies["forged"] = world.cookies[role]
        try:
            for route in all_routes():
                for method in route.methods()[1:]:
                    one = visit(world, route, world.address(route), method, "forged")
                    stranger = role == ANONYMOUS and route.path.startswith(("api/", "^api/"))
                    allowed = {"401", "403", "404"} if stranger else {"403"}
                    if route.path.startswith(
                        ("internal/", "callbacks/")
                    ):  # for servers with a secret, which no browser has
                        allowed = {"404"}
                    if route.path == UNSUBSCRIBE:  # for mail providers (RFC 8058): the address itself is the token
                        assert one.outcome == "200"
                        continue
                    if one.outcome not in allowed or one.wrote:
                        suspicious[str(one)] = one.wrote
        finally:
            del world.browsers["forged"], world.cookies["forged"]

        assert suspicious == {}


class TestHeaders:
    def test_sec_34_every_answer_has_the_protective_headers(self, visits: list[Visit]) -> None:
        expected = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        bare = [str(one) for one in visits if not expected.items() <= one.headers.items()]

        assert bare == []

    def test_sec_34_the_content_policy_is_strict_outside_the_admin(self, visits: list[Visit]) -> None:
        weak = []
        for one in visits:
            policy = policy_of(one)
            strict = (
                policy.get("object-src") == ["'none'"]
                and policy.get("base-uri") == ["'none'"]
                and policy.get("frame-ancestors") in (["'self'"], ["'none'"])
                and policy.get("default-src") in (["'self'"], ["'none'"])
            )
            loose = any("unsafe" in source for sources in policy.values() for source in sources)
            if not strict or (loose and not one.route.startswith("admin/")):
                weak.append(str(one))

        assert weak == []

    def test_sec_34_the_admin_runs_no_inline_script_either(self, visits: list[Visit]) -> None:
        scripts = {tuple(policy_of(one)["script-src"]) for one in visits if one.route.startswith("admin/")}

        assert all("'unsafe-inline'" not in sources for sources in scripts)
        assert ("'self'", "'unsafe-eval'") in scripts

    def test_sec_35_no_answer_is_kept_by_anybody(self, visits: list[Visit]) -> None:
        kept = [str(one) for one in visits if "no-store" not in one.headers.get("Cache-Control", "")]

        assert kept == []

    def test_sec_35_no_answer_with_a_cookie_is_public(self, visits: list[Visit]) -> None:
        cookies = [one for one in visits if one.sets_cookie]

        assert cookies
        assert [str(one) for one in cookies if "private" not in one.headers["Cache-Control"]] == []


class TestDescription:
    def test_every_answer_of_the_api_is_as_described(self, visits: list[Visit]) -> None:
        assert {str(one): one.undescribed for one in visits if one.undescribed} == {}

    def test_every_role_has_visited_every_route(self, visits: list[Visit]) -> None:
        routes: list[Route] = all_routes()

        assert len(visits) == sum(len(route.methods()) for route in routes) * len(ROLES)


def policy_of(one: Visit) -> dict[str, list[str]]:
    parts = (part.split() for part in one.headers.get("Content-Security-Policy", "").split(";"))
    return {name: sources for name, *sources in parts}
