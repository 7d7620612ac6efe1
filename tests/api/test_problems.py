"""Errors are problem documents, whoever raises them."""

import pytest
from django.test import Client

PROBLEM = "application/problem+json"


@pytest.mark.django_db
class TestRouter:
    @pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nowhere/", "/api/v1/me", "/api/v9/me/"])
    def test_unknown_address_is_a_problem_document(self, client: Client, path: str) -> None:
        response = client.get(path)

        assert response.status_code == 404
        assert response["Content-Type"] == PROBLEM
        body = response.json()
        assert body["instance"] == path
        assert body["code"] == "not_found"
        assert body["request_id"] == response["X-Request-ID"]
