"""Errors are problem documents, whoever raises them, and say nothing of the inside."""

import logging

import pytest
from django.test import Client
from pytest_django import Settings

from tests.api.broken_urls import SECRET

PROBLEM = "application/problem+json"
STATUSES = {
    "bug": 500, "database": 500, "unreachable": 500, "late": 500, "absent": 404, "denied": 403, "suspicious": 400,
}  # fmt: skip
pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def _broken(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.api.broken_urls"


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nowhere/", "/api/v1/me", "/api/v9/me/", "/api/v1//me/"])
def test_an_unknown_address_is_a_problem_document(visitor: Client, path: str) -> None:
    response = visitor.get(path)

    assert response.status_code == 404
    assert response["Content-Type"] == PROBLEM
    assert response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "detail": "Not found.",
        "instance": path,
        "request_id": response["X-Request-ID"],
    }


def test_signed_out_is_401_with_a_challenge_on_every_method(visitor: Client) -> None:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        response = visitor.generic(method, "/api/v1/me/", b"{}", content_type="application/json")

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Session"
        assert response.json()["code"] == "not_authenticated"


@pytest.mark.usefixtures("_broken")
@pytest.mark.parametrize("kind", STATUSES)
@pytest.mark.parametrize("address", ["/api/broken/{}/", "/api/broken-page/{}/", "/broken/{}/"])
def test_sec_40_an_error_gives_the_request_number_and_nothing_else(
    visitor: Client, address: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the API's views, in other views below /api/, and on pages: no text of the exception, of its place or kind."""
    with caplog.at_level(logging.CRITICAL, logger="django.request"):
        response = visitor.get(address.format(kind), HTTP_X_REQUEST_ID="quote-me-4711")

    text = response.content.decode()
    assert response.status_code == STATUSES[kind]
    assert "quote-me-4711" in text
    for inside in (SECRET, "hunter2", "no_such_table", "Traceback", "RuntimeError", "broken_urls"):
        assert inside not in text
    if address.startswith("/api/"):
        assert response["Content-Type"] == PROBLEM
        assert response.json()["request_id"] == "quote-me-4711"


@pytest.mark.usefixtures("_broken")
def test_sec_40_the_log_has_what_the_answer_hides(visitor: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="core.api.problems"):
        visitor.get("/api/broken/bug/")

    [record] = [record for record in caplog.records if record.name == "core.api.problems"]
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])


def test_a_foreign_host_name_is_refused_without_detail(visitor: Client) -> None:
    response = visitor.get("/api/v1/me/", HTTP_HOST="evil.example")

    assert response.status_code == 400
    assert b"ALLOWED_HOSTS" not in response.content
