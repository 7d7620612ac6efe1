from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

DESCRIBED = "api/v1/"
UNDESCRIBED = ("api/v1/schema/", "api/v1/docs/", "api/v1/.*$")


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Rates are counted in the run's one Valkey: a test must not spend another's."""
    cache.clear()


@pytest.fixture(autouse=True)
def _as_described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every answer that a test of the API gets is held against the OpenAPI document."""
    from tests.api.openapi import check  # needs the settings, which are configured after this file is read

    checked: list[str] = []
    plain = Client.request

    def request(self: Client, **environment: Any) -> Any:
        response = plain(self, **environment)
        match: Any = response.resolver_match  # none where middleware answered
        if environment["REQUEST_METHOD"] == "HEAD":
            return response
        if match and match.route.startswith(DESCRIBED) and match.route not in UNDESCRIBED:
            check(response, route=match.route, method=environment["REQUEST_METHOD"])
            checked.append(match.route)
        return response

    monkeypatch.setattr(Client, "request", request)
    return checked
