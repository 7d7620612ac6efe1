"""Countries in which a live webinar keeps stopping, as Prometheus is told."""

from datetime import datetime, timedelta

import pytest
from django.utils.timezone import now

from analytics.models import QualityMinute, RollupState
from operations.domain.gauges import read_database
from tests.analytics.quality_world import tell_live
from tests.factories.webinars import LiveWebinarFactory
from tests.webinars.watching import open_player
from webinars.enums import Phase
from webinars.models import Broadcast, Webinar

pytestmark = pytest.mark.django_db(transaction=True)
LOUD = 20 * 60_000


def on_air(*, ended_at: datetime | None = None) -> Webinar:
    webinar = LiveWebinarFactory.create()
    Broadcast.objects.create(webinar=webinar, started_at=now() - timedelta(hours=1), ended_at=ended_at)
    return webinar


def minute(webinar: Webinar, country: str, *, play: int, stall: int, ago: int = 1, phase: Phase = Phase.LIVE) -> None:
    sums = dict.fromkeys(("plays", "sessions", "starts", "start_ms_sum", "stalls", "kbits", "errors"), 0)
    at = (now() - timedelta(minutes=ago)).replace(second=0, microsecond=0)
    QualityMinute.objects.create(
        webinar=webinar, phase=phase, at=at, country=country, play_ms=play, stall_ms=stall, start_buckets=[], **sums
    )


def test_a_country_counts_when_a_tenth_of_enough_playing_was_waiting_just_now_and_live() -> None:
    webinar, over = on_air(), on_air(ended_at=now())
    minute(webinar, "IN", play=LOUD, stall=LOUD // 8, ago=1)
    minute(webinar, "IN", play=LOUD, stall=LOUD // 8, ago=3)
    minute(webinar, "BR", play=LOUD, stall=LOUD)
    minute(webinar, "DE", play=LOUD, stall=LOUD // 10)  # an eleventh
    minute(webinar, "FR", play=60_000, stall=600_000)  # of one person
    minute(webinar, "IT", play=LOUD, stall=LOUD, ago=12)
    minute(webinar, "ES", play=LOUD, stall=LOUD, phase=Phase.ON_DEMAND)
    minute(over, "PT", play=LOUD, stall=LOUD)

    assert read_database()["lms_playback_degraded"] == 2


def test_a_country_counts_where_players_have_errors_and_no_picture() -> None:
    webinar, over = on_air(), on_air(ended_at=now())
    tell_live(webinar, "KE", 5, errors=4)
    tell_live(webinar, "UG", 5, players=3, errors=1)
    minute(webinar, "UG", play=LOUD, stall=LOUD)  # once
    tell_live(webinar, "TZ", 1, players=9, errors=20)  # one person again and again
    tell_live(webinar, "RW", 5, errors=1, play=60_000)  # it plays all the same
    tell_live(webinar, "IN", 5, errors=1)
    tell_live(webinar, "IN", 45, play=60_000)  # a tenth
    tell_live(webinar, "BR", 5, errors=1, ago=12)
    tell_live(over, "PT", 5, errors=1)

    assert read_database()["lms_playback_degraded"] == 2


def test_figures_are_as_old_as_those_of_the_webinar_that_waits_longest() -> None:
    assert read_database()["lms_rollups_lag_seconds"] == 0

    fresh, late = open_player(), open_player()
    for session, opened, seen in ((fresh, 60, 20), (late, 300, 240)):
        session.started_at = now() - timedelta(seconds=opened)
        session.save()
        RollupState.objects.create(webinar=session.webinar, seen_through=now() - timedelta(seconds=seen))
    assert 240 <= read_database()["lms_rollups_lag_seconds"] < 280

    RollupState.objects.filter(webinar=late.webinar).delete()
    assert 300 <= read_database()["lms_rollups_lag_seconds"] < 340
