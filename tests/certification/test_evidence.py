"""From what other apps keep to evidence: seconds of one's own format, within the window, on a day at home."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from assessments.models import Attempt, Quiz
from certification.authorities.base import Evidence
from certification.domain.chain import canonical
from certification.domain.evidence import Gatherer, council_key, data_of, percent_of
from certification.domain.terms import terms_of
from certification.models import Accreditation, Activity, DisclosureSheet
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.certification import AccreditationFactory, grant
from tests.factories.deeds import (
    accredit,
    acknowledged,
    doctor_of,
    evaluated,
    feedback_form,
    make_enduring,
    make_live,
    passed,
    watch,
)
from webinars.domain.attendance import merge
from webinars.enums import IngestKind
from webinars.models import Broadcast, Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def of(accreditation: Accreditation, user: User) -> Evidence:
    return Gatherer([accreditation]).gather([user.pk])[accreditation.pk, user.pk]


def at_home_in(activity: Activity, zone: str) -> None:
    Programme.objects.filter(pk=activity.lesson.course.programme_id).update(timezone=zone)
    activity.lesson.course.programme.timezone = zone


class TestWatching:
    def test_each_format_has_only_its_own_seconds(self) -> None:
        live = make_live(starts_at=NINE)
        recording = make_enduring(starts_at=NINE + HOUR, lesson=live.lesson)
        user = doctor_of(live)
        watch(live, user, minutes=40)
        watch(recording, user, minutes=15)
        assert of(accredit(live), user).watched_seconds == 2400
        assert of(accredit(recording), user).watched_seconds == 900

    def test_live_is_cut_to_the_length_of_the_broadcast(self) -> None:
        live = make_live(starts_at=NINE)
        user = doctor_of(live)
        WatchRecord.objects.filter(pk=watch(live, user).pk).update(coverage=((0, 4000),))
        found = of(accredit(live), user)
        assert (found.watched_seconds, found.media_seconds) == (3600, 3600)

    def test_live_counts_the_program_within_the_window_only(self) -> None:
        """Ten minutes were on air before the event began, five after it had ended."""
        live = make_live(starts_at=NINE)
        Activity.objects.filter(pk=live.pk).update(starts_at=NINE + 10 * MINUTE, ends_at=NINE + 55 * MINUTE)
        user = doctor_of(live)
        watch(live, user)
        found = of(accredit(Activity.objects.get(pk=live.pk)), user)
        assert (found.watched_seconds, found.media_seconds) == (45 * 60, 45 * 60)

    def test_who_left_before_the_event_began_was_not_there(self) -> None:
        live = make_live(starts_at=NINE)
        Activity.objects.filter(pk=live.pk).update(starts_at=NINE + 10 * MINUTE)
        user = doctor_of(live)
        watch(live, user, minutes=9, at=NINE)
        found = of(accredit(Activity.objects.get(pk=live.pk)), user)
        assert (found.watched_seconds, found.took_part_on) == (0, None)

    def test_a_recording_is_cut_to_its_length(self) -> None:
        recording = make_enduring(starts_at=NINE)
        user = doctor_of(recording)
        WatchRecord.objects.filter(pk=watch(recording, user).pk).update(coverage=((0, 9000),))
        found = of(accredit(recording), user)
        assert (found.watched_seconds, found.media_seconds) == (3600, 3600)

    @pytest.mark.parametrize(
        ("start", "minutes", "expected"),
        [
            (NINE, 60, 3600),  # within
            (NINE - 2 * HOUR, 60, 0),  # before the release
            (NINE - HOUR + 5 * MINUTE, 60, 5 * 60 * 2 + 10),  # five minutes within: at double speed, and the slack
            (NINE + timedelta(days=365) - 40 * MINUTE, 60, 3600),  # forty minutes allow all of it
            (NINE + timedelta(days=365), 60, 0),  # the end is not in it
        ],
    )
    def test_a_recording_counts_within_the_window(self, start: datetime, minutes: int, expected: int) -> None:
        recording = make_enduring(starts_at=NINE)
        user = doctor_of(recording)
        watch(recording, user, minutes=minutes, at=start)
        assert of(accredit(recording), user).watched_seconds == expected

    def test_who_watched_faster_within_the_window_has_all_of_it(self) -> None:
        recording = make_enduring(starts_at=NINE)
        user = doctor_of(recording)
        watch(recording, user, minutes=60, at=NINE, until=NINE + 30 * MINUTE)
        assert of(accredit(recording), user).watched_seconds == 3600

    def test_a_meeting_elsewhere_counts_the_time_of_being_there(self) -> None:
        live = make_live(starts_at=NINE)
        Broadcast.objects.all().delete()
        Webinar.objects.update(ingest=IngestKind.EXTERNAL, external_url="https://meet.example/1")
        webinar, user = Webinar.objects.get(), doctor_of(live)
        for joined, left in ((-10, 20), (15, 30), (40, 90)):  # minutes; two tabs; open after the end
            Visit.objects.create(
                user=user,
                webinar=webinar,
                joined_at=NINE + joined * MINUTE,
                seen_at=NINE + left * MINUTE,
                left_at=NINE + left * MINUTE,
            )
        assert of(accredit(live), user).watched_seconds == (30 + 20) * 60

    def test_somebody_else_has_watched_nothing(self) -> None:
        live = make_live(starts_at=NINE)
        watch(live, doctor_of(live))
        assert of(accredit(live), doctor_of(live)).watched_seconds == 0


class TestTheDay:
    @pytest.mark.parametrize(
        ("zone", "expected"),
        [
            ("UTC", date(2026, 12, 31)),
            ("Asia/Kolkata", date(2027, 1, 1)),
            ("America/New_York", date(2026, 12, 31)),
            ("Pacific/Kiritimati", date(2027, 1, 1)),
        ],
    )
    def test_is_that_on_the_wall_of_the_programme(self, zone: str, expected: date) -> None:
        live = make_live(starts_at=datetime(2026, 12, 31, 18, 15, tzinfo=UTC), minutes=30)
        at_home_in(live, zone)
        user = doctor_of(live, timezone="Australia/Sydney")
        watch(live, user, minutes=30)
        assert of(accredit(live), user).took_part_on == expected

    def test_who_is_there_until_midnight_was_not_there_on_the_next_day(self) -> None:
        live = make_live(starts_at=datetime(2026, 12, 31, 23, 0, tzinfo=UTC))
        user = doctor_of(live)
        watch(live, user)
        assert of(accredit(live), user).took_part_on == date(2026, 12, 31)

    def test_a_beat_that_came_days_later_makes_no_later_day_of_a_live_event(self) -> None:
        live = make_live(starts_at=NINE)
        Activity.objects.filter(pk=live.pk).update(ends_at=NINE + timedelta(days=30))
        user = doctor_of(live)
        watch(live, user, until=NINE + timedelta(days=3))
        found = of(accredit(Activity.objects.get(pk=live.pk)), user)
        assert (found.took_part_on, found.watched_seconds) == (NINE.date(), 3600)

    def test_of_several_days_it_is_the_last_within_the_window(self) -> None:
        recording = make_enduring(starts_at=NINE, days=10)
        user = doctor_of(recording)
        record = watch(recording, user)
        clock = merge(
            [
                (NINE + timedelta(days=day), NINE + timedelta(days=day) + HOUR)
                for day in (0, 4, 20)  # the last is after the end
            ]
        )
        WatchRecord.objects.filter(pk=record.pk).update(clock=clock)
        assert of(accredit(recording), user).took_part_on == date(2026, 11, 24)

    @pytest.mark.parametrize(
        ("grew", "expected"),
        [(None, 24), (4, 24), (1, 21), (0, 20), (-1, 24), (9, 24)],
    )
    def test_who_plays_a_second_again_has_finished_no_later(self, grew: int | None, expected: int) -> None:
        """Watched from the 20th to the 24th; what grew outside of that says nothing of it."""
        recording = make_enduring(starts_at=NINE, days=10)
        user = doctor_of(recording)
        record = watch(recording, user, until=NINE + timedelta(days=4))
        grew_at = None if grew is None else NINE + timedelta(days=grew)
        WatchRecord.objects.filter(pk=record.pk).update(grew_at=grew_at)
        assert of(accredit(recording), user).took_part_on == date(2026, 11, expected)


class TestTheRest:
    def test_the_attempt_that_counts_is_the_result(self) -> None:
        recording = make_enduring(starts_at=NINE)
        accreditation, user = accredit(recording), doctor_of(recording)
        assert (of(accreditation, user).has_assessment, of(accreditation, user).best_percent) == (True, None)
        passed(recording, user, points="4", at=NINE)
        passed(recording, user, points="9.5", at=NINE)
        assert of(accreditation, user).best_percent == Decimal(40)
        Attempt.objects.filter(number=1).update(counts=False)
        Attempt.objects.filter(number=2).update(counts=True)
        assert of(accreditation, user).best_percent == Decimal(95)
        assert of(accreditation, doctor_of(recording)).best_percent is None

    @pytest.mark.parametrize(
        ("score", "most", "expected"),
        [("2", "3", "66.6666"), ("0", "10", "0"), ("7", "10", "70"), ("0", "0", "100")],
    )
    def test_a_result_is_cut_so_that_nobody_passes_by_rounding(self, score: str, most: str, expected: str) -> None:
        assert percent_of(Decimal(score), Decimal(most)) == Decimal(expected)

    def test_the_day_of_the_test_is_that_of_handing_it_in_at_home(self) -> None:
        recording = make_enduring(starts_at=NINE)
        at_home_in(recording, "Asia/Kolkata")
        accreditation, user = accredit(recording), doctor_of(recording)
        assert of(accreditation, user).tested_on is None
        passed(recording, user, at=datetime(2026, 12, 31, 18, 45, tzinfo=UTC))
        assert of(accreditation, user).tested_on == date(2027, 1, 1)

    @pytest.mark.parametrize(
        ("counting", "attempts", "expected"),  # points and days from the end; the one that counts has a star
        [
            ("best", ["7 -9", "9* 3"], (70, -9)),  # the better one came too late
            ("best", ["6 -9", "8 -2", "9* 3"], (80, -2)),
            ("best", ["8* -9", "9 3"], (80, -9)),
            ("best", ["9* 3"], (90, 3)),  # which the rules refuse
            ("last", ["9 -9", "7 -2", "8* 3"], (70, -2)),
            ("first", ["7* -9", "9 3"], (70, -9)),
            ("first", ["7* 3", "9 4"], (70, 3)),
        ],
    )
    def test_of_several_attempts_one_in_time(self, counting: str, attempts: list[str], expected: Any) -> None:
        recording = make_enduring(starts_at=NINE, days=100)
        accreditation, user = accredit(recording), doctor_of(recording)
        assert recording.ends_at
        chosen: dict[int, bool] = {}
        for one in attempts:
            points, after = one.split()
            made = passed(recording, user, points=points.strip("*"), at=recording.ends_at + timedelta(days=int(after)))
            chosen[made.pk] = "*" in points
        Attempt.objects.update(counts=False)
        Attempt.objects.filter(pk__in=[pk for pk, counts in chosen.items() if counts]).update(counts=True)
        Quiz.objects.update(counting=counting)
        found = of(accreditation, user)
        day = recording.ends_at.date() + timedelta(days=expected[1])
        assert (found.best_percent, found.tested_on) == (expected[0], day)

    def test_days_and_moments_of_the_rest(self) -> None:
        live = make_live(starts_at=NINE)
        feedback_form(live)
        user = doctor_of(live)
        watch(live, user)
        acknowledged(live, user, at=NINE - MINUTE)
        evaluated(live, user, at=NINE + timedelta(days=2))
        found = of(accredit(live), user)
        assert (found.acknowledged_at, found.began_at) == (NINE - MINUTE, NINE)
        assert found.evaluated_on == date(2026, 11, 22)

    def test_feedback_counts_of_the_form_of_this_activity(self) -> None:
        live, other = make_live(starts_at=NINE), make_live(starts_at=NINE)
        feedback_form(live)
        feedback_form(other)
        accreditation, user = accredit(live), doctor_of(live)
        evaluated(other, user, at=NINE)
        assert of(accreditation, user).is_evaluated is False
        evaluated(live, user, at=NINE)
        assert of(accreditation, user).is_evaluated is True

    @pytest.mark.parametrize(("minutes", "expected"), [(-5, True), (0, True), (1, False)])
    def test_disclosures_are_acknowledged_before_the_first_beat(self, minutes: int, expected: bool) -> None:
        live = make_live(starts_at=NINE)
        user = doctor_of(live)
        watch(live, user)
        acknowledged(live, user, at=NINE + minutes * MINUTE)
        assert of(accredit(live), user).has_acknowledged is expected

    @pytest.mark.parametrize(("changed", "expected"), [(-2 * HOUR, False), (-30 * MINUTE, True), (MINUTE, True)])
    def test_the_wording_that_held_at_the_start_is_what_counts(self, changed: timedelta, expected: bool) -> None:
        """Who skips the page has not read what was added since; who had just read it is not caught out."""
        live = make_live(starts_at=NINE)
        user = doctor_of(live)
        watch(live, user)
        acknowledged(live, user, at=NINE - 24 * HOUR)
        DisclosureSheet.objects.create(activity=live, digest=b"n" * 32, content=[], made_at=NINE + changed)
        found = of(accredit(live), user)
        assert (found.has_acknowledged, found.acknowledged_at) == (expected, NINE - 24 * HOUR)

    def test_who_has_not_begun_acknowledges_any_time(self) -> None:
        live = make_live(starts_at=NINE)
        user, other = doctor_of(live), doctor_of(live)
        acknowledged(live, user, at=NINE + HOUR)
        assert of(accredit(live), user).has_acknowledged is True
        assert of(accredit(live, authority="eaccme"), other).has_acknowledged is False

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("Maharashtra Medical Council", "maharashtra"),
            ("  maharashtra   MEDICAL council ", "maharashtra"),
            ("General Medical Council", "General Medical Council"),
            ("", ""),
        ],
    )
    def test_the_council_of_a_profile_is_found_in_the_table(self, written: str, expected: str) -> None:
        assert council_key(written) == expected

    def test_what_was_granted_before_is_of_this_authority_and_across_programmes(self) -> None:
        live = make_live(starts_at=NINE)
        user = doctor_of(live)
        elsewhere = AccreditationFactory.create()
        line = grant(credit="0.50", accreditation=elsewhere, user=user)
        grant(credit="3.00", accreditation=AccreditationFactory.create(authority="eaccme"), user=user)
        grant(credit="5.00", accreditation=AccreditationFactory.create(), user=UserFactory.create())
        found = of(accredit(live), user)
        assert [(one.credit, one.event) for one in found.granted] == [
            (Decimal("0.50"), f"lesson-{line.claim.lesson_id if line.claim else 0}")
        ]
        assert found.other_format_credit == 0

    def test_the_other_format_of_the_webinar_is_apart(self) -> None:
        live = make_live(starts_at=NINE)
        recording = make_enduring(starts_at=NINE, lesson=live.lesson)
        user = doctor_of(live)
        grant(credit="0.75", accreditation=accredit(live), user=user)
        found = of(accredit(recording), user)
        assert (found.other_format_credit, found.granted) == (Decimal("0.75"), ())

    def test_it_can_be_written_in_one_way_and_without_a_name(self) -> None:
        live = make_live(starts_at=NINE)
        user = doctor_of(live, registration_number="MMC-778899", first_name="Zebediah")
        watch(live, user)
        grant(credit="0.50", accreditation=AccreditationFactory.create(), user=user)
        accreditation = accredit(live)
        text = canonical(data_of(of(accreditation, user), terms_of(accreditation))).decode()
        assert '"registration_number":"…"' in text
        assert '"credit":"0.50"' in text
        assert "778899" not in text
        assert "Zebediah" not in text


@pytest.mark.parametrize("people", [1, 3])
def test_the_number_of_queries_grows_with_nothing(people: int, django_assert_num_queries: Any) -> None:
    live = make_live(starts_at=NINE)
    recording = make_enduring(starts_at=NINE, lesson=live.lesson)
    feedback_form(live)
    for number in range(people):
        accredit(live, authority="india", council=f"council-{number}")
    accredit(recording)
    users = [doctor_of(live) for _ in range(people)]
    for user in users:
        watch(live, user)
    accreditations = list(Accreditation.objects.select_related("activity__lesson__course__programme"))
    with django_assert_num_queries(1):
        gatherer = Gatherer(accreditations)
    with django_assert_num_queries(6):
        assert len(gatherer.gather([user.pk for user in users])) == people * len(accreditations)


def test_a_thousand_people_are_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    live = make_live(starts_at=NINE)
    accreditation = Accreditation.objects.select_related("activity__lesson__course__programme").get(
        pk=accredit(live).pk
    )
    User.objects.bulk_create(User(email=f"one{number}@hospital.example", password="!") for number in range(1000))
    ids = list(User.objects.values_list("pk", flat=True))
    with django_assert_num_queries(5):
        assert len(Gatherer([accreditation]).gather(ids)) == len(ids)
