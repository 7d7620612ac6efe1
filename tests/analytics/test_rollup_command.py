"""Refreshing from outside: the command, the doorbells, two at once, and a process that dies in the middle."""

from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from analytics.domain.rollups import audience
from analytics.models import AudienceHour, AudienceMinute, RollupState
from analytics.tasks import refresh_rollups, sweep_rollups
from lms.schedule import SCHEDULE
from tests.analytics.audience import Person, check, make, watch
from tests.factories.accounts import UserFactory
from tests.factories.webinars import WebinarFactory
from tests.webinars.watching import open_player
from webinars.enums import Phase
from webinars.models import WatchRecord, Webinar


def rollup(*options: str) -> str:
    out = StringIO()
    call_command("rollup", *options, stdout=out)
    return out.getvalue()


def somebody_watches(webinar: Webinar) -> None:
    """Since five minutes, by a player that was opened then."""
    session = open_player(webinar=webinar)
    session.started_at = now() - timedelta(minutes=5)
    session.save()
    WatchRecord.objects.create(
        user=session.user,
        webinar=webinar,
        phase=Phase.ON_DEMAND,
        required_seconds=1,
        clock=((session.started_at, now()),),
        first_beat_at=session.started_at,
        last_beat_at=now(),
    )


@pytest.mark.django_db
class TestCommand:
    def test_the_first_time_takes_everything_and_then_only_what_is_new(self) -> None:
        old, other = (make([Person("DE", "UTC", "", pieces=[(0, 60)])]) for _ in range(2))
        assert rollup().startswith("2 webinars looked at, ")
        assert rollup() == "0 webinars looked at, 0 rows made\n"

        watched = WebinarFactory.create()
        somebody_watches(watched)
        assert rollup().startswith("1 webinars looked at, ")

        for webinar in (old, other, watched):
            check(webinar)

    def test_rebuild_makes_every_row_anew_of_one_or_of_all(self) -> None:
        first, second = (make([Person("DE", "UTC", "", pieces=[(0, 60)])]) for _ in range(2))
        rollup()
        AudienceMinute.objects.update(people=77)

        rollup("--rebuild", "--webinar", str(first.pk))
        check(first)
        assert set(AudienceMinute.objects.filter(webinar=second).values_list("people", flat=True)) == {77}

        rollup("--rebuild")
        check(second)

    def test_a_number_that_is_no_webinars_is_said(self) -> None:
        with pytest.raises(CommandError, match="There is no webinar 77"):
            rollup("--webinar", "77")

    def test_one_that_fails_does_not_stop_the_others(self) -> None:
        """Somebody dropped a table's part by hand, and one webinar's rows do not fit any more."""
        fine, broken = (make([Person("DE", "UTC", "", pieces=[(0, 60)])]) for _ in range(2))
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE analytics_audiencehour ADD CONSTRAINT never CHECK (webinar_id <> %s)", [broken.pk]
            )

        with pytest.raises(CommandError, match="1 failed"):
            rollup()

        check(fine)
        assert not AudienceMinute.objects.filter(webinar=broken).exists()


@pytest.mark.django_db
class TestDoorbells:
    def test_are_rung_by_the_schedule_every_minute_and_every_day(self) -> None:
        rung = {one["task"]: one["schedule"] for one in SCHEDULE.values()}
        assert (rung["analytics.refresh_rollups"], rung["analytics.sweep_rollups"]) == (60.0, 86_400.0)

    def test_do_what_the_domain_does(self) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)])])
        assert refresh_rollups() > 0
        check(webinar)
        assert refresh_rollups() == 0

        AudienceHour.objects.update(seconds=1)
        RollupState.objects.update(whole_at=None)
        assert sweep_rollups() > 0
        check(webinar)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_the_second_leaves_the_webinar_to_the_first(self) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)])])
        with psycopg.connect(**connection.get_connection_params()) as first:
            first.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('analytics.rollup:' || %s::int8, 0))", [webinar.pk]
            )
            assert rollup() == "1 webinars looked at, 0 rows made\n1 left alone: another process is at them\n"
            assert not RollupState.objects.exists()
        rollup()
        check(webinar)

    def test_what_dies_half_way_leaves_the_old_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The connection is gone after the rows of the live phase are made, before the others."""
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)], live=[(0, 60)])])
        rollup()
        kept = list(AudienceMinute.objects.order_by("phase", "at").values())
        before = RollupState.objects.get().seen_through
        watch(webinar, UserFactory.create(), Phase.LIVE, [(0, 300)])
        real = audience.make

        def dying(*, webinar_id: int, phase: Phase, **given: object) -> int:
            if phase is Phase.ON_DEMAND:
                with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
                    assert connection.connection is not None
                    other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
            return real(webinar_id=webinar_id, phase=phase, **given)  # type: ignore[arg-type]

        monkeypatch.setattr(audience, "make", dying)
        with pytest.raises(CommandError, match="1 failed"):
            rollup("--rebuild")
        connection.close()
        monkeypatch.undo()

        assert list(AudienceMinute.objects.order_by("phase", "at").values()) == kept
        assert RollupState.objects.get().seen_through == before
        rollup("--rebuild")
        check(webinar)
