"""Each row of who was there equals what a slow reckoning from the raw rows says, on random audiences."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from analytics.domain.rollups.refreshing import MARGIN, NIGHTS, refresh, refresh_all, sweep
from analytics.models import AudienceDay, AudienceHour, AudienceMinute, RollupState
from tests.analytics import reference
from tests.analytics.audience import (
    NOON,
    Person,
    at,
    audiences,
    check,
    days,
    hours,
    lengths,
    make,
    minutes,
    watch,
)
from tests.factories.accounts import UserFactory
from tests.factories.webinars import WebinarFactory
from webinars.domain.attendance import attendance_of
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord

LATER = NOON + timedelta(days=30)
# (which person, seconds since the last step, seconds for which the player was open, live, refresh afterwards)
steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.one_of(st.sampled_from([0.0, 30.0, 3_600.0, 40_000.0]), st.floats(0, 50_000, allow_nan=False)),
        lengths,
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


class TestRandom(TestCase):
    @settings(max_examples=60)
    @given(audiences, st.one_of(st.none(), st.sampled_from([0.0, 3_600.0, 90_000.0, 90_061.5])))
    def test_a_rebuild_is_the_reference(self, audience: list[Person], ended: float | None) -> None:
        webinar = make(audience, ended=ended)

        assert refresh(webinar_id=webinar.pk, now=LATER, whole=True) is not None

        check(webinar)

    @settings(max_examples=60)
    @given(steps, st.integers(0, 59))
    def test_what_grows_and_is_refreshed_on_the_way_ends_as_the_reference(
        self, done: list[tuple[int, float, float, bool, bool]], late: int
    ) -> None:
        """Beats come in receipt order but for some seconds, and pieces may reach back behind earlier refreshes."""
        webinar = WebinarFactory.create(starts_at=NOON, live_at=NOON)
        people = [UserFactory.create(country=country) for country in ("DE", "IN", "")]
        now = 0.0
        for who, passed, length, is_live, is_refreshed in done:
            now += passed
            if is_refreshed:
                refresh(webinar_id=webinar.pk, now=at(now))
            received = max(now - late, 0.0)
            watch(webinar, people[who], Phase.LIVE if is_live else Phase.ON_DEMAND, [(received - length, length)])

        refresh(webinar_id=webinar.pk, now=at(now))

        check(webinar, known_at=at(now))

    @settings(max_examples=40)
    @given(
        st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), min_size=1, max_size=5),
        st.lists(st.integers(1, 200), min_size=1, max_size=6),
    )
    def test_while_it_is_live_nobody_leaves_who_tells_of_being_there(
        self, stays: list[tuple[int, int]], pauses: list[int]
    ) -> None:
        """Beats every ten seconds, looked at again and again without an end: whoever counts as gone had gone."""
        webinar = WebinarFactory.create(starts_at=NOON, live_at=NOON)
        people = [(UserFactory.create(), start, start + length) for start, length in stays]
        now = 0
        for pause in pauses:
            now += pause
            for user, start, end in people:
                told = (min(now, end) - start) // 10 * 10
                if told > 0:
                    watch(webinar, user, Phase.LIVE, [(start, told)])

            refresh(webinar_id=webinar.pk, now=at(now))

            check(webinar, known_at=at(now))
            ended = sum(end <= now for _, _, end in people)
            assert sum(left for _, _, left in minutes(webinar, Phase.LIVE).values()) <= ended
            for minute, (there, _, _) in minutes(webinar, Phase.LIVE).items():
                begin = (minute - NOON).total_seconds()
                assert there == sum(
                    start < begin + 60 and start + (end - start) // 10 * 10 > begin for _, start, end in people
                )

        refresh(webinar_id=webinar.pk, now=at(now + 900))
        check(webinar)

    @settings(max_examples=25)
    @given(audiences, st.sampled_from([1_800.0, 90_000.0]))
    def test_an_end_that_is_set_or_moved_cuts_what_was_counted(self, audience: list[Person], ended: float) -> None:
        webinar = make(audience)
        refresh(webinar_id=webinar.pk, now=LATER)

        for end in (ended, ended + 600, None):
            webinar.ended_at = None if end is None else at(end)
            webinar.save()
            refresh(webinar_id=webinar.pk, now=LATER + timedelta(hours=1))
            check(webinar)

    @settings(max_examples=25)
    @given(steps, st.lists(st.sampled_from([100, 50, 1]), min_size=3, max_size=3))
    def test_players_that_stand_still_are_put_right_by_night(
        self, done: list[tuple[int, float, float, bool, bool]], played: list[int]
    ) -> None:
        """What was watched of what was open changes with each beat: who was there at once, the seconds by night."""
        webinar = WebinarFactory.create(starts_at=NOON, live_at=NOON)
        people = [UserFactory.create(country=country) for country in ("DE", "IN", "")]
        now = 0.0
        for who, passed, length, is_live, is_refreshed in done:
            now += passed
            if is_refreshed:
                refresh(webinar_id=webinar.pk, now=at(now))
            phase = Phase.LIVE if is_live else Phase.ON_DEMAND
            watch(webinar, people[who], phase, [(now - length, length)], percent=played[who])
        refresh(webinar_id=webinar.pk, now=at(now))

        for phase in Phase:
            found, expected = hours(webinar, phase), reference.hours(webinar, phase)
            assert {key: row[0] for key, row in found.items()} == {key: row[0] for key, row in expected.items()}
        sweep(now=at(now + 900))
        check(webinar)

    @settings(max_examples=25)
    @given(audiences)
    def test_minutes_people_and_seconds_agree_with_one_another(self, audience: list[Person]) -> None:
        """What holds between the tables, whoever made them."""
        webinar = make(audience)
        refresh(webinar_id=webinar.pk, now=LATER, whole=True)

        for phase in Phase:
            by_minute = minutes(webinar, phase)
            assert sum(came for _, came, _ in by_minute.values()) == sum(left for _, _, left in by_minute.values())
            newcomers = sum(new for _, _, new in days(webinar, phase).values())
            assert newcomers == len(reference.there(webinar, phase))
            spent = sum(spent for _, spent in hours(webinar, phase).values())
            over_days = sum(spent for _, spent, _ in days(webinar, phase).values())
            assert abs(spent - over_days) <= len(hours(webinar, phase)) + len(days(webinar, phase))


@pytest.mark.django_db
class TestPlainCases:
    def test_an_hour_of_two_people(self) -> None:
        """One from 12:00 to 12:03, the other from 12:01:30 with half a minute's pause to 12:02:30."""
        webinar = make(
            [Person("DE", "Europe/Berlin", "", live=[(0, 180)]), Person("IN", "UTC", "", live=[(90, 10), (130, 20)])]
        )

        refresh(webinar_id=webinar.pk, now=LATER)

        rows = minutes(webinar, Phase.LIVE)
        assert {key.minute: value for key, value in rows.items()} == {
            0: (1, 1, 0),
            1: (2, 1, 0),
            2: (2, 0, 1),
            3: (0, 0, 1),
        }
        assert hours(webinar, Phase.LIVE) == {(NOON, "DE", "Europe/Berlin"): (1, 180), (NOON, "IN", "UTC"): (1, 60)}
        assert minutes(webinar, Phase.ON_DEMAND) == {}

    def test_a_player_that_stands_still_is_not_watched(self) -> None:
        """A minute and a half of twelve hours on the same page, beside somebody who watched for half an hour."""
        webinar = make(
            [
                Person("DE", "UTC", "", pieces=[(0, 43_200)], live=[(0, 7_200)], percent=50),
                Person("DE", "UTC", "", pieces=[(0, 1_800)]),
            ]
        )
        WatchRecord.objects.filter(seen_seconds=21_600).update(seen_seconds=90)

        refresh(webinar_id=webinar.pk, now=LATER)

        check(webinar)
        recorded = hours(webinar, Phase.ON_DEMAND)
        assert recorded[NOON, "DE", "UTC"] == (2, 1_808)
        assert {row for key, row in recorded.items() if key[0] > NOON} == {(1, 8)}
        assert [row for _, row in sorted(hours(webinar, Phase.LIVE).items())] == [(1, 1_800), (1, 1_800)]
        assert days(webinar, Phase.ON_DEMAND)[NOON.date(), "DE", ""] == (2, 1_890, 2)

    def test_a_device_that_delivers_after_days_adds_nothing_behind_the_end(self) -> None:
        webinar = make([Person("DE", "UTC", "", live=[(0, 86_400 * 3)])], ended=3_600)

        refresh(webinar_id=webinar.pk, now=LATER)

        assert max(minutes(webinar, Phase.LIVE)) == NOON + timedelta(hours=1)
        assert hours(webinar, Phase.LIVE) == {(NOON, "DE", "UTC"): (1, 3_600)}

    def test_who_was_there_is_who_the_list_of_attendance_names(self) -> None:
        webinar = make(
            [
                Person("DE", "UTC", "", live=[(0, 600), (630, 60), (900, 10)], visits=[(2_000, 100)]),
                Person("IN", "UTC", "", visits=[(0, 0.0), (120, 300)]),
            ],
            ended=3_600,
        )

        refresh(webinar_id=webinar.pk, now=LATER)

        listed = list(attendance_of(webinar))
        rows = minutes(webinar, Phase.LIVE).values()
        assert sum(came for _, came, _ in rows) == sum(len(one.intervals) for one in listed) == 5
        assert sum(spent for _, spent in hours(webinar, Phase.LIVE).values()) == sum(
            one.present_seconds for one in listed
        )

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
    def test_clocks_put_back_and_half_hour_zones_move_no_second(self, zone: str) -> None:
        """On 25 October 2026 the hour from 2 to 3 comes twice in Berlin: as hours of UTC they stay apart."""
        night = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
        webinar = WebinarFactory.create()
        person = UserFactory.create(country="DE", timezone=zone)
        watch(webinar, person, Phase.ON_DEMAND, [((night - NOON).total_seconds(), 3 * 3_600)])

        refresh(webinar_id=webinar.pk, now=LATER)

        check(webinar)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(hour FROM at AT TIME ZONE timezone), sum(seconds) FROM analytics_audiencehour"
                " WHERE webinar_id = %s GROUP BY 1",
                [webinar.pk],
            )
            by_local_hour = {int(hour): int(spent) for hour, spent in cursor.fetchall()}
        assert sum(by_local_hour.values()) == 3 * 3_600
        if zone == "Europe/Berlin":
            assert by_local_hour == {1: 1_800, 2: 7_200, 3: 1_800}

    def test_two_months_lie_in_two_parts_and_are_read_as_one(self) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(86_400 * 7 + 43_200 - 60, 120)])])

        refresh_all(now=LATER, whole=True)

        assert sorted(key.month for key in minutes(webinar, Phase.ON_DEMAND)) == [10, 11, 11]
        assert hours(webinar, Phase.ON_DEMAND) == {
            (datetime(2026, 10, 31, 23, tzinfo=UTC), "DE", "UTC"): (1, 60),
            (datetime(2026, 11, 1, 0, tzinfo=UTC), "DE", "UTC"): (1, 60),
        }


@pytest.mark.django_db
class TestRefreshing:
    def test_a_second_time_nothing_is_made(self) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)], live=[(0, 60)])])
        first = refresh(webinar_id=webinar.pk, now=LATER)
        changed_at = RollupState.objects.get().changed_at

        again = refresh(webinar_id=webinar.pk, now=LATER + timedelta(hours=1))

        assert first is not None
        assert first.rows > 0
        assert again is not None
        assert again.rows == 0
        state = RollupState.objects.get()
        assert (state.changed_at, state.seen_through) == (changed_at, LATER + timedelta(hours=1))

    def test_a_beat_of_today_touches_no_row_of_last_week(self) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 600)])])
        refresh(webinar_id=webinar.pk, now=at(700))
        AudienceMinute.objects.update(people=77)  # to be seen whether they are made again

        watch(webinar, UserFactory.create(country="IN"), Phase.ON_DEMAND, [(86_400 * 5, 60)])
        refresh(webinar_id=webinar.pk, now=at(86_400 * 5 + 61))

        rows = minutes(webinar, Phase.ON_DEMAND)
        assert {value[0] for key, value in rows.items() if key < at(86_400)} == {77}
        assert [value for key, value in rows.items() if key > at(86_400)] == [(1, 1, 0), (0, 0, 1)]

    def test_what_is_committed_late_is_found(self) -> None:
        """Its time is before that of the last refresh, by less than the margin."""
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)])])
        refresh(webinar_id=webinar.pk, now=at(100))

        late = MARGIN.total_seconds() - 1
        watch(webinar, UserFactory.create(), Phase.ON_DEMAND, [(0, 100 - late)])
        refresh(webinar_id=webinar.pk, now=at(160))

        check(webinar)

    def test_the_night_finds_who_moved_and_who_is_gone(self) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)]), Person("IN", "UTC", "", pieces=[(0, 60)])])
        refresh_all(now=at(100), whole=True)
        first, second = WatchRecord.objects.order_by("pk")
        first.user.country = "FR"
        first.user.save()
        second.delete()

        watch(webinar, first.user, Phase.ON_DEMAND, [(0, 120)])
        assert sweep(now=at(200)).webinars == 1

        check(webinar)
        assert {country for _, country, _ in hours(webinar, Phase.ON_DEMAND)} == {"FR"}

    def test_the_nights_of_a_week_find_who_moved_and_who_is_gone_where_nothing_happened(self) -> None:
        people = [Person("DE", "UTC", "", pieces=[(0, 60)]), Person("IN", "UTC", "", pieces=[(0, 60)])]
        quiet, other = make(people), make(people)
        refresh_all(now=LATER, whole=True)
        first, second = WatchRecord.objects.filter(webinar=quiet).order_by("pk")
        first.user.country = "FR"
        first.user.save()
        second.user.delete()

        looked_at = [sweep(now=LATER + timedelta(days=night)).webinars for night in range(1, NIGHTS + 1)]

        assert sum(looked_at) == 2  # each once
        assert {country for _, country, _ in hours(quiet, Phase.ON_DEMAND)} == {"FR"}
        for webinar in (quiet, other):
            check(webinar)

    def test_a_night_leaves_alone_what_nobody_watched_since_but_for_its_seventh(self) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)])])
        assert sweep(now=LATER).webinars == 1
        for night in range(1, NIGHTS + 1):
            moment = LATER + timedelta(days=night)
            is_its_night = (moment.toordinal() - webinar.pk) % NIGHTS == 0
            assert sweep(now=moment).webinars == int(is_its_night)

    def test_other_webinars_keep_their_rows(self) -> None:
        mine, other = (make([Person("DE", "UTC", "", pieces=[(0, 60)], live=[(0, 60)])]) for _ in range(2))
        refresh_all(now=LATER)
        kept = hours(other, Phase.ON_DEMAND) | hours(other, Phase.LIVE)
        WatchRecord.objects.filter(webinar=mine).delete()

        refresh(webinar_id=mine.pk, now=LATER, whole=True)

        assert (hours(mine, Phase.ON_DEMAND), hours(mine, Phase.LIVE)) == ({}, {})
        assert hours(other, Phase.ON_DEMAND) | hours(other, Phase.LIVE) == kept

    @pytest.mark.parametrize("people", [1, 3])
    def test_the_number_of_queries_does_not_grow_with_the_audience(self, people: int) -> None:
        webinar = make([Person("DE", "UTC", "", pieces=[(0, 60)], live=[(5, 60)]) for _ in range(people)])
        refresh(webinar_id=webinar.pk, now=at(1))

        with CaptureQueriesContext(connection) as queries:
            refresh(webinar_id=webinar.pk, now=LATER)

        assert len(queries) == 19

    def test_a_webinar_that_is_gone_is_no_error(self) -> None:
        assert refresh(webinar_id=0, now=LATER) is None


@pytest.mark.django_db
def test_a_visit_that_goes_on_is_counted_as_long_as_its_page_said() -> None:
    webinar = WebinarFactory.create(starts_at=NOON, live_at=NOON)
    visit = Visit.objects.create(webinar=webinar, user=UserFactory.create(), joined_at=NOON, seen_at=at(60))
    refresh(webinar_id=webinar.pk, now=at(61))
    check(webinar, known_at=at(61))

    Visit.objects.filter(pk=visit.pk).update(seen_at=at(400))
    refresh(webinar_id=webinar.pk, now=at(401))
    check(webinar, known_at=at(401))
    Visit.objects.filter(pk=visit.pk).update(seen_at=at(430), left_at=at(430))
    refresh(webinar_id=webinar.pk, now=at(431))
    check(webinar, known_at=at(431))
    refresh(webinar_id=webinar.pk, now=at(600))
    check(webinar)

    assert AudienceHour.objects.get().seconds == 430
    assert AudienceDay.objects.get().newcomers == 1
