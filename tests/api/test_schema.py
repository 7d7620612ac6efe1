"""The description of the API: complete, committed, and shown to those who are signed in."""

import io
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from tests.api.openapi import document
from tests.factories.accounts import UserFactory
from tests.matrix.walk import all_routes
from tests.signing_in import signed_in

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
REFRESH = "manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"


@pytest.fixture
def browser(db: None) -> Client:
    return signed_in(UserFactory.create())


def test_the_committed_document_is_the_present_one() -> None:
    generated = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=generated)

    assert yaml.safe_load(COMMITTED.read_text()) == yaml.safe_load(generated.getvalue()), f"run: {REFRESH}"


def test_every_route_of_the_api_is_described() -> None:
    from tests.api.openapi import operation_path

    routes = {operation_path(route.path) for route in all_routes() if route.path.startswith("api/v1/")}

    assert routes - set(document()["paths"]) == {"/api/v1/schema/", "/api/v1/docs/", "/api/v1/^.*$"}


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            assert operation["description"], (method, path)
            assert any(status.startswith("2") for status in responses), (method, path)
            assert {"400", "401", "406", "429"} <= set(responses), (method, path)
            assert operation["security"] == [{"session": []}], (method, path)
            for status, response in responses.items():
                assert status < "400" or list(response["content"]) == ["application/problem+json"], (method, path)


class TestPages:
    def test_the_document_needs_a_sign_in(self, client: Client, db: None) -> None:
        assert client.get("/api/v1/schema/").status_code == 401
        assert client.get("/api/v1/docs/")["Location"] == "/sign-in/?next=/api/v1/docs/"

    def test_the_document_comes_as_yaml_and_as_json(self, browser: Client) -> None:
        plain = yaml.safe_load(browser.get("/api/v1/schema/").content)
        as_json = browser.get("/api/v1/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()

        assert plain == as_json == yaml.safe_load(COMMITTED.read_text())

    @pytest.mark.parametrize("query", ["lang=xx", "lang=" + "x" * 9_000, "version=%0d%0aX-Evil:1", "format=html"])
    def test_its_address_takes_no_parameters(self, browser: Client, query: str) -> None:
        response = browser.get(f"/api/v1/schema/?{query}")

        assert response.status_code == 200
        assert response["Content-Disposition"] == f'inline; filename="{settings.SITE_NAME} API.yaml"'

    def test_sec_34_the_page_keeps_the_strict_policy(self, browser: Client) -> None:
        response = browser.get("/api/v1/docs/")

        assert response.status_code == 200
        assert "unsafe" not in response["Content-Security-Policy"]
        assert b"<style" not in response.content
        assert b" style=" not in response.content
        assert response.content.count(b"<script") == response.content.count(b' src="/static/')
