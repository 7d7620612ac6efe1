"""A database that is away is said with 503 and when to come again, and is never mixed up with our own mistakes."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.utils import ConnectionHandler
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from core.api.views import ApiView
from core.outage import is_database_away
from lms import errors, urls


def unreachable() -> Any:
    """As the site's own, but where nobody listens."""
    there = {**connections["default"].settings_dict, "HOST": "127.0.0.1", "PORT": 1, "OPTIONS": {}}
    return ConnectionHandler({"default": there})["default"]


class AwayView(ApiView):
    permission_classes = [AllowAny]

    def get(self, _request: Request) -> None:
        unreachable().ensure_connection()


def away_page(_request: HttpRequest) -> HttpResponse:
    unreachable().ensure_connection()
    return HttpResponse()


@pytest.fixture
def visitor(client: Client, settings: Any) -> Client:
    routes = [path("away/", away_page), path("api/away/", AwayView.as_view()), path("api/away-page/", away_page)]
    settings.ROOT_URLCONF = type(
        "urls", (), {"urlpatterns": [*routes, *urls.urlpatterns], "handler500": errors.server_error}
    )
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
class TestAnswers:
    def test_a_page_tries_again_by_itself(self, visitor: Client) -> None:
        answer = visitor.get("/away/")

        assert answer.status_code == 503
        assert 3 <= int(answer["Retry-After"]) <= 9
        assert answer["Refresh"] == answer["Retry-After"]
        assert b"We are back in a moment" in answer.content
        assert "Refresh" not in visitor.post("/away/"), "what was sent is not sent again by the browser"

    @pytest.mark.parametrize("address", ["/api/away/", "/api/away-page/"])
    def test_programs_get_a_problem_document(self, visitor: Client, address: str) -> None:
        answer = visitor.get(address)

        assert (answer.status_code, answer.json()["code"]) == (503, "away")
        assert 3 <= int(answer["Retry-After"]) <= 9
        assert answer["Content-Type"] == "application/problem+json"


def error_of(query: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query)
    return caught.value


@pytest.mark.django_db(transaction=True)
class TestCodes:
    def test_a_server_that_is_stopped_is_away(self) -> None:
        assert is_database_away(error_of("SELECT pg_terminate_backend(pg_backend_pid())"))
        connection.close()

    @pytest.mark.parametrize(
        "query", ["SELECT 1 / 0", "SELECT nothing", "SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)"]
    )
    def test_our_own_mistakes_are_not(self, query: str) -> None:
        assert not is_database_away(error_of(query))
