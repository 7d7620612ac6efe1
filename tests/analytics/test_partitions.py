"""Months of the big tables: made ahead, and filled with what came before them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connection, models

from analytics.domain import partitions
from analytics.models import AudienceDay, AudienceMinute, PlaybackReport
from core.partitioned import REST
from tests.factories.webinars import WebinarFactory
from webinars.enums import Phase
from webinars.models import Webinar

NOW = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)


def lies_in(model: type[models.Model]) -> list[str]:
    """The part of each row, in the order of the key."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT tableoid::regclass::text FROM {table} ORDER BY "{partitions.PARTITIONED[model]}"')
        return [name.removeprefix(table) for (name,) in cursor.fetchall()]


def minute(webinar: Webinar, at: datetime) -> AudienceMinute:
    return AudienceMinute.objects.create(webinar=webinar, phase=Phase.LIVE, at=at, people=1, arrivals=0, leavings=0)


@pytest.mark.django_db
@pytest.mark.usefixtures("_without_months")
class TestMonths:
    def test_are_made_for_all_tables_over_the_turn_of_the_year(self) -> None:
        assert not partitions.are_kept(now=NOW)

        made = partitions.keep(now=NOW)

        assert partitions.are_kept(now=NOW)
        assert len(made) == 3 * len(partitions.PARTITIONED)
        for model in partitions.PARTITIONED:
            assert partitions.months_of(model) == [date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]
        assert partitions.keep(now=NOW) == []

    def test_a_row_lies_in_the_month_of_its_time_in_utc(self) -> None:
        partitions.keep(now=NOW)
        webinar = WebinarFactory.create()
        turn = datetime(2027, 1, 1, tzinfo=UTC)
        for at in (turn - timedelta(microseconds=1), turn, turn + timedelta(days=400)):
            minute(webinar, at)

        assert lies_in(AudienceMinute) == ["_202612", "_202701", REST]

    def test_rows_that_came_before_their_month_are_moved_into_it(self) -> None:
        webinar = WebinarFactory.create()
        old = datetime(2024, 2, 29, 12, tzinfo=UTC)
        minute(webinar, old)
        minute(webinar, NOW)
        AudienceDay.objects.create(webinar=webinar, phase=Phase.LIVE, on=old.date(), people=1, seconds=2, newcomers=1)
        assert (lies_in(AudienceMinute), lies_in(AudienceDay)) == ([REST, REST], [REST])

        partitions.keep(now=NOW)

        assert (lies_in(AudienceMinute), lies_in(AudienceDay)) == (["_202402", "_202612"], ["_202402"])
        assert AudienceMinute.objects.get(at=old).people == 1

    def test_only_the_month_is_read_that_is_asked_for(self) -> None:
        partitions.keep(now=NOW)
        plan = AudienceMinute.objects.filter(webinar=1, at__gte=NOW, at__lt=NOW + timedelta(minutes=1)).explain()

        assert "analytics_audienceminute_202612" in plan
        assert "_202701" not in plan
        assert REST not in plan

    def test_a_month_that_is_there_is_not_made_again(self) -> None:
        assert partitions.make(PlaybackReport, month=date(2026, 12, 1))
        assert not partitions.make(PlaybackReport, month=date(2026, 12, 1))


def drop_months() -> None:
    for model in partitions.PARTITIONED:
        for month in partitions.months_of(model):
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {partitions.name_of(model, month)}")


@pytest.fixture
def _without_months() -> Iterator[None]:
    """Another test's processes may have made some by the clock of the wall."""
    drop_months()
    yield
    drop_months()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_without_months")
def test_a_table_that_is_busy_waits_for_another_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has been writing into the rest for longer than anybody wants to wait."""
    monkeypatch.setattr(partitions, "LOCK_WAIT", "50ms")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(f"LOCK TABLE analytics_audienceminute{REST} IN ROW EXCLUSIVE MODE")

        made = partitions.keep(now=NOW)

        assert len(made) == 3 * (len(partitions.PARTITIONED) - 1)
        assert partitions.months_of(AudienceMinute) == []
    assert len(partitions.keep(now=NOW)) == 3
