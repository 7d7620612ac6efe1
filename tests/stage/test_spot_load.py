"""Doctors ask at the door of a programme of fifteen thousand, faster than three thousand in ten minutes."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils.timezone import now

from accounts.models import User
from tests.stage.doors import ASKER, moderator_of, open_door, programme_of
from webinars.domain.spot import Asker, approve_many, ask_to_be_let_in
from webinars.enums import SpotState
from webinars.models import SpotRequest, SpotWindow

ASKED = 300
PLACES = 100
KNOWN = 15_000
THREADS = 4
LEAST_RATE = 10.0  # a second: three thousand in ten minutes are five

pytestmark = [pytest.mark.serial, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_a_crowd_asks_and_as_many_as_there_are_places_are_let_in(capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.bulk_create(
        User(email=f"k{n}@known.example", first_name=f"K{n}", last_name="N", country="IN", medical_council="KMC",
             registration_number=f"K-{n}") for n in range(KNOWN)
    )  # fmt: skip
    window = open_door(capacity=PLACES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user")  # as autovacuum does it within a minute

    began = time.monotonic()
    threads = [threading.Thread(target=ask_many, args=(window, part)) for part in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ASKED / LEAST_RATE)
    asking = time.monotonic() - began

    assert SpotRequest.objects.filter(window=window).count() == ASKED
    assert ASKED / asking > LEAST_RATE
    began = time.monotonic()
    made = approve_many(
        requests=SpotRequest.objects.filter(window=window)[: PLACES + 10],
        actor=moderator_of(programme_of(window)),
        now=now(),
    )
    approving = time.monotonic() - began
    assert (made.approved, len(made.refused)) == (PLACES, 10)
    assert SpotRequest.objects.filter(state=SpotState.APPROVED).count() == PLACES
    with capsys.disabled():
        print(f"\nasked {ASKED / asking:.0f}/s, let in {PLACES / approving:.0f}/s")


def ask_many(window: SpotWindow, part: int) -> None:
    try:
        for number in range(part, ASKED, THREADS):
            given = {**ASKER, "email": f"a{number}@new.example", "last_name": f"A{number}"}
            asker = Asker(**given | {"registration_number": f"A-{number}"})
            ask_to_be_let_in(window=window, asker=asker, address=f"192.0.2.{number % 200}", now=now())
    finally:
        connection.close()
