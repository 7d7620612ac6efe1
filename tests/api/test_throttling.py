"""Who is slowed down, and who never is."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.api.views import MeView
from accounts.models import User
from core import limits
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
HOSPITAL = "192.0.2.7"
PATH = "/api/v1/programmes/"


@pytest.fixture
def rates(settings: Settings) -> Settings:
    settings.API_RATES = {"api": ((3, 60), (100, 3600)), "beats": ((6, 60),), "anonymous": ((4, 60),)}
    return settings


@pytest.fixture
def _no_redis(settings: Settings) -> Iterator[None]:
    default = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": default}
    limits._breaker.open_until = 0.0
    limits._local.windows.clear()
    yield
    limits._breaker.open_until = 0.0
    limits._local.windows.clear()


def browser(user: User | None, address: str = HOSPITAL) -> Client:
    client = Client(REMOTE_ADDR=address)
    if user:
        client.force_login(user)
    return client


def test_a_person_over_the_rate_is_told_when_to_come_back(rates: Settings) -> None:
    client = browser(UserFactory.create())

    statuses = [client.get(PATH).status_code for _ in range(3)]
    refused = client.get(PATH)

    assert statuses == [200, 200, 200]
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused.json()["code"] == "throttled"


def test_the_sustained_rate_holds_when_the_burst_does_not(rates: Settings) -> None:
    rates.API_RATES = {**rates.API_RATES, "api": ((100, 60), (2, 3600))}
    client = browser(UserFactory.create())

    assert [client.get(PATH).status_code for _ in range(3)] == [200, 200, 429]
    assert int(client.get(PATH)["Retry-After"]) > 3500


def test_one_person_counts_once_over_all_devices(rates: Settings) -> None:
    user = UserFactory.create()
    one, two = browser(user), browser(user, "198.51.100.9")

    assert [client.get(PATH).status_code for client in (one, two, one, two)] == [200, 200, 200, 429]


def test_strangers_are_counted_by_address(rates: Settings) -> None:
    assert [browser(None).get(PATH).status_code for _ in range(5)] == [401, 401, 401, 401, 429]
    assert browser(None, "198.51.100.9").get(PATH).status_code == 401


def test_strangers_are_counted_on_addresses_that_are_nobodys(rates: Settings) -> None:
    assert [browser(None).get("/api/v1/no-such/").status_code for _ in range(5)] == [404, 404, 404, 404, 429]


def test_a_stranger_does_not_get_a_fresh_count_by_a_forged_header(rates: Settings) -> None:
    forged = [browser(None).get(PATH, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code for n in range(5)]

    assert forged == [401, 401, 401, 401, 429]


def test_sec_33_five_hundred_doctors_behind_one_address_are_not_slowed_down() -> None:
    """With the real rates, and while a stranger at the same address is being refused."""
    burst, _ = django_settings.API_RATES["anonymous"][0]
    stranger = browser(None)
    assert [stranger.get(PATH).status_code for _ in range(burst + 1)][-1] == 429

    me, requests = MeView.as_view(), APIRequestFactory(REMOTE_ADDR=HOSPITAL)
    statuses = []
    for doctor in UserFactory.create_batch(500):
        request = requests.get("/api/v1/me/")
        force_authenticate(request, doctor)  # 500 whole sign-ins would be the slowest test of all
        statuses += [me(request).status_code for _ in range(3)]

    assert statuses == [200] * 1500


@pytest.mark.usefixtures("_no_redis")
def test_sec_33_the_rates_hold_without_redis(rates: Settings) -> None:
    client = browser(UserFactory.create())
    cache.delete("anything")  # the cache itself is gone, too, and says nothing

    assert [client.get(PATH).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert [browser(None).get(PATH).status_code for _ in range(5)] == [401, 401, 401, 401, 429]
