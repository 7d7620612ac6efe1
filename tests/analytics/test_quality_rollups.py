"""Sums of how well it played equal a plain reckoning from the raw reports, however these came in."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from analytics.domain.playback import Report
from analytics.domain.rollups.refreshing import refresh, refresh_all
from analytics.models import ColdFile, PlaybackReport, QualityHour, QualityMinute
from tests.analytics.audience import check_quality
from tests.analytics.reports import lecture, tell, tellings
from tests.webinars.watching import NOON, open_player

LATER = NOON + timedelta(days=3)


class TestRandom(TestCase):
    @settings(max_examples=50)
    @given(tellings, st.integers(0, 3), st.randoms(use_true_random=False))
    def test_what_is_told_twice_out_of_order_and_between_refreshes_adds_up_once(
        self, told: list[Any], every: int, chance: Any
    ) -> None:
        webinar, players = lecture()
        told = sorted(told, key=lambda one: one[1])
        for number, (who, after, country, agent, rows) in enumerate(told, 1):
            shuffled = chance.sample(rows, len(rows))
            tell(players[who], *shuffled, after=after, country=country, agent=agent)
            tell(players[who], *rows, after=after, country=country, agent=agent)
            if every and number % every == 0:
                refresh(webinar_id=webinar.pk, now=NOON + timedelta(seconds=after))

        refresh(webinar_id=webinar.pk, now=LATER)
        check_quality(webinar)
        kept = list(QualityHour.objects.order_by("pk").values())

        refresh(webinar_id=webinar.pk, now=LATER, whole=True)
        check_quality(webinar)
        assert list(QualityHour.objects.order_by("pk").values()) == kept


@pytest.mark.django_db
class TestPlain:
    def test_two_players_of_an_hour(self) -> None:
        webinar, players = lecture()
        tell(players[0], Report(1, start_ms=400, play_ms=60_000, kbits=90_000))
        tell(players[0], Report(2, play_ms=30_000, stall_ms=10_000, stalls=2, errors=1), after=360)
        tell(players[1], Report(1, start_ms=20_000, play_ms=10_000))

        refresh_all(now=LATER)

        hour = QualityHour.objects.get()
        assert (hour.plays, hour.sessions, hour.starts, hour.start_ms_sum) == (2, 2, 2, 20_400)
        assert hour.start_buckets == [0, 1, 0, 0, 0, 0, 0, 1]
        assert (hour.play_ms, hour.stall_ms, hour.stalls, hour.errors, hour.kbits) == (100_000, 10_000, 2, 1, 90_000)
        assert [one.sessions for one in QualityMinute.objects.order_by("at")] == [2, 1]
        check_quality(webinar)

    def test_what_lies_in_cold_storage_keeps_its_figures(self) -> None:
        """The reports of November are gone from the database; a rebuild leaves what was made from them."""
        session = open_player()
        tell(session, Report(1, play_ms=60_000))
        refresh_all(now=LATER, whole=True)
        PlaybackReport.objects.all().delete()
        ColdFile.objects.create(
            table="analytics_playbackreport", month=date(2026, 11, 1), key="x", rows=1, sha256="", moved_at=LATER
        )
        december = datetime(2026, 12, 5, tzinfo=UTC)

        refresh_all(now=december, whole=True)

        assert QualityHour.objects.get().play_ms == 60_000

    def test_without_cold_storage_a_rebuild_forgets_what_has_no_reports(self) -> None:
        session = open_player()
        tell(session, Report(1, play_ms=60_000))
        refresh_all(now=LATER, whole=True)
        PlaybackReport.objects.all().delete()

        refresh_all(now=LATER, whole=True)

        assert not QualityHour.objects.exists()
        assert not QualityMinute.objects.exists()
