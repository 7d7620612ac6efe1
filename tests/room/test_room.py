"""Posted events reach every socket that may hear them: in order, once, after a gap as well."""

from collections.abc import Iterator

import pytest

from tests.room.rooms import Scene, make_scene
from tests.room.tier import RunningTier, room_page, running_tier

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tier() -> Iterator[RunningTier]:
    with running_tier() as running:
        yield running


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def test_a_posted_event_reaches_two_sockets_and_is_replayed_to_a_third(tier: RunningTier, scene: Scene) -> None:
    scene.post("before")
    one, two, three = scene.doctor(), scene.doctor(), scene.doctor()
    with room_page(tier, one, scene.webinar) as first, room_page(tier, two, scene.webinar) as second:
        assert first.enter()["number"] == second.enter()["number"] == 1
        assert first.events(1) == second.events(1)
        posted = scene.post("now")
        heard = first.events(1)
        assert heard == second.events(1)
        assert heard == [
            {
                "t": "event",
                "number": 2,
                "kind": "announcement",
                "at": posted.at.isoformat(),
                "data": {"id": 1, "text": "now"},
            }
        ]
        with room_page(tier, three, scene.webinar) as third:
            assert third.enter(1)["number"] == 2
            assert third.events(1) == heard
