"""Places that are had by few at once, and chains of senders that need one: a bell more adds none."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django_redis import get_redis_connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.processes import wait_until
from core.valkey import QuickValkey
from reminders.domain import chains, places
from reminders.domain.places import PLACES, Places
from reminders.domain.rates import RATES
from reminders.domain.running import MOST_SENDERS
from reminders.enums import DeliveryState
from reminders.models import Delivery
from tests.reminders.factories import NOW
from tests.reminders.outbox.test_sending import due
from tests.reminders.sink import Sink, forget_rates, taken

UNTIL = (NOW + chains.LASTS).timestamp()


@pytest.fixture(autouse=True)
def nobody_has_a_place() -> Iterator[None]:
    client = get_redis_connection("default")
    client.delete("messages:places:email")
    yield
    client.delete("messages:places:email")


@pytest.fixture
def name() -> str:
    return f"test-{uuid4()}"


def go_on(chain: str = "a", *, until: float = UNTIL, seconds: float = 0.0) -> float | None:
    return chains.go_on(channel="email", until=until, chain=chain, clock=lambda: NOW + timedelta(seconds=seconds))


def test_so_many_and_no_more_until_one_is_free(name: str) -> None:
    assert [PLACES.take(name, who, most=2) for who in "abac"] == [True, True, True, False]
    PLACES.free(name, "a")
    assert PLACES.take(name, "c", most=2)


def test_of_one_that_was_killed_the_place_is_free_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PLACES.take(name, "a", most=1)
    assert not PLACES.take(name, "b", most=1)
    monkeypatch.setattr(places, "LEASE_SECONDS", 0.2)
    assert PLACES.take(name, "a", most=1), "for so long from now on"
    assert wait_until(lambda: PLACES.take(name, "b", most=1), seconds=60, every=0.02)


def test_of_one_that_works_for_long_it_is_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times as long as a place lasts without a sign."""
    monkeypatch.setattr(places, "LEASE_SECONDS", 1.5)
    assert PLACES.take(name, "a", most=1)
    with PLACES.kept(name, "a", most=1):
        assert not wait_until(lambda: PLACES.take(name, "b", most=1), seconds=4.5, every=0.05)


def test_without_valkey_nobody_waits(name: str) -> None:
    away = Places(QuickValkey(redis.Redis(port=1, retry=Retry(NoBackoff(), 0))))
    assert away.take(name, "a", most=1)
    assert away.take(name, "b", most=1)
    away.free(name, "a")


@pytest.mark.django_db
@pytest.mark.usefixtures("sink")
class TestChains:
    def test_a_chain_goes_on_while_there_is_something_and_ends_then(self) -> None:
        due(doctors=2)
        assert go_on() == 0.0
        assert go_on() is None
        assert set(taken().values()) == {1}

    def test_its_place_is_kept_from_one_handful_to_the_next_and_free_at_its_end(self) -> None:
        due()
        assert go_on("a") == 0.0
        others = [PLACES.take("email", f"other{number}", most=MOST_SENDERS) for number in range(MOST_SENDERS)]
        assert others.count(True) == MOST_SENDERS - 1
        assert go_on("a") is None
        assert PLACES.take("email", "one more", most=MOST_SENDERS)

    def test_a_bell_more_adds_no_sender(self) -> None:
        """All places are taken: by those that a provider keeps waiting."""
        due()
        for number in range(MOST_SENDERS):
            PLACES.take("email", f"waits{number}", most=MOST_SENDERS)
        begun = list(chains.begin(now=NOW))
        assert [(channel, until) for channel, until, _ in begun] == [("email", UNTIL)]
        assert [go_on(chain) for _, _, chain in begun] == [None]
        assert Delivery.objects.get().state == DeliveryState.PLANNED

    def test_it_ends_by_itself(self) -> None:
        due()
        assert go_on(seconds=chains.LASTS.total_seconds() + 1) is None
        assert Delivery.objects.get().state == DeliveryState.SENT

    def test_one_that_fails_leaves_its_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**_: Any) -> Any:
            raise OSError("no database")

        monkeypatch.setattr(chains, "send_some", fail)
        for number in range(MOST_SENDERS + 1):
            with pytest.raises(OSError, match="no database"):
                go_on(f"chain{number}")

    def test_held_up_by_a_rate_it_comes_back_when_there_is_something(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Sink, "rate", 0.2)
        due(doctors=2)
        assert go_on() == 0.0
        wait = go_on()
        assert wait is not None
        assert 0 < wait <= 5

    def test_held_up_by_a_rest_it_ends_and_turns_no_circles(self) -> None:
        due()
        RATES.pause("sink:email", seconds=200)
        try:
            assert go_on() is None
            assert PLACES.take("email", "b", most=1)
        finally:
            forget_rates()
