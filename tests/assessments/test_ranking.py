"""Places against a plain reading of the definition, what people see of them, and what they cost."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from assessments.domain.ranking import (
    BINS,
    FINAL_SECONDS,
    LIVE_SECONDS,
    NotRankedError,
    board_of,
    percentile_of,
    place_of,
    refresh_due,
    refresh_ranking,
    show_name,
    view_of,
)
from assessments.enums import AttemptState
from assessments.models import Attempt, Candidate, Place, Quiz, Ranking
from assessments.tasks import refresh_rankings
from core.clock import now
from courses.models import Cohort, Enrolment, Lesson
from tests.assessments.ranked import marked
from tests.assessments.sitting import choose, hand_in, start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import candidate_of, make_quiz
from tests.factories.courses import CohortFactory, EnrolmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def exam() -> Quiz:
    return make_quiz(has_ranking=True)


@pytest.fixture
def ten(exam: Quiz) -> list[Attempt]:
    """Seven from Germany, three from France."""
    scores = (9, 9, 8, 7, 7, 7, 4, 3, 2, 1)
    return [
        marked(exam, score, country="FR" if number % 3 == 1 else "DE", specialty=" Cardiology" if number < 5 else "GP")
        for number, score in enumerate(scores)
    ]


def by_definition(results: dict[int, Decimal]) -> dict[int, tuple[int, int, int]]:
    return {
        who: (1 + sum(other > own for other in results.values()), list(results.values()).count(own), len(results))
        for who, own in results.items()
    }


class TestPlaces:
    def test_equal_results_share_a_place_and_the_next_one_is_left_out(self, exam: Quiz, ten: list[Attempt]) -> None:
        assert refresh_ranking(quiz_id=exam.pk, now=now())
        places = [Place.objects.get(attempt=attempt) for attempt in ten]
        assert [one.place for one in places] == [1, 1, 3, 4, 4, 4, 7, 8, 9, 10]
        assert [one.equal for one in places] == [2, 2, 1, 3, 3, 3, 1, 1, 1, 1]
        assert {one.of for one in places} == {10}
        assert [one.country_place for one in places] == [1, 1, 2, 3, 2, 3, 5, 3, 6, 7]
        assert {(one.country, one.country_of) for one in places} == {("DE", 7), ("FR", 3)}

    def test_they_are_what_the_definition_says_in_every_group(self, exam: Quiz) -> None:
        """Papers of different sums too: 3 of 6 is 5 of 10. Against counting, person by person."""
        rng = random.Random(5)
        cohorts = [CohortFactory.create(programme=exam.lesson.course.programme) for _ in range(2)]
        fields: dict[int, dict[str, object]] = {}
        share: dict[int, Decimal] = {}
        for _ in range(40):
            most = rng.choice((6, 7, 10))
            score = Decimal(rng.randrange(0, most + 1))
            land, cohort = rng.choice(("DE", "FR", "")), rng.choice([None, *cohorts])
            specialty = rng.choice(("Cardiology", " cardiology ", "GP"))
            attempt = marked(exam, score, most=most, country=land, cohort=cohort, specialty=specialty)
            fields[attempt.pk] = {
                "country": land,
                "cohort": cohort and cohort.pk,
                "specialty": specialty.strip().lower(),
            }
            share[attempt.pk] = round(score / most, 9)
        refresh_ranking(quiz_id=exam.pk, now=now())
        found = {one.pk: one for one in Place.objects.filter(quiz=exam)}
        assert {pk: (one.place, one.equal, one.of) for pk, one in found.items()} == by_definition(share)
        for name in ("country", "cohort", "specialty"):
            for value in {one[name] for one in fields.values()}:
                expected = by_definition({pk: share[pk] for pk, one in fields.items() if one[name] == value})
                kept = {
                    pk: tuple(getattr(found[pk], f"{name}_{what}") for what in ("place", "equal", "of"))
                    for pk in expected
                }
                assert kept == expected

    def test_the_percentile_is_the_mid_rank(self) -> None:
        """Nine below and one's own half of ten; the middle of equals is in the middle; nobody alone is at 100."""
        assert percentile_of(place=1, equal=1, of=10) == Decimal("95.00")
        assert percentile_of(place=10, equal=1, of=10) == Decimal("5.00")
        assert percentile_of(place=1, equal=7, of=7) == Decimal("50.00")
        assert percentile_of(place=2, equal=2, of=4) == Decimal("50.00")
        assert percentile_of(place=1, equal=1, of=1) == Decimal("50.00")

    def test_bands_and_bins_follow_from_the_results(self, exam: Quiz, ten: list[Attempt]) -> None:
        refresh_ranking(quiz_id=exam.pk, now=now())
        own = [place_of(quiz=exam, user=attempt.user) for attempt in ten]
        bands = [str(one.standings[0].band) for one in own if one]
        upper = ["Top tenth", "Top tenth", "Top quarter", "Upper half", "Upper half", "Upper half"]
        assert bands == [*upper, "Middle", "Middle", "Room to grow", "Room to grow"]
        ranking = Ranking.objects.get()
        assert (sum(ranking.bins), len(ranking.bins), ranking.people) == (10, BINS, 10)
        assert [number for number, count in enumerate(ranking.bins) if count] == [2, 4, 6, 8, 14, 16, 18]
        assert [one.bin for one in own if one] == [18, 18, 16, 14, 14, 14, 8, 6, 4, 2]

    def test_only_the_attempt_that_counts_is_ranked(self, exam: Quiz) -> None:
        user = candidate_of(exam)
        for right in (1, 3, 2):
            attempt = start(exam, user)
            for position in range(right):
                choose(attempt, position, "b")
            hand_in(attempt)
        start(exam, candidate_of(exam))
        refresh_ranking(quiz_id=exam.pk, now=now())
        assert [(one.attempt.number, one.share, one.of) for one in Place.objects.all()] == [(2, 1, 1)]

    def test_one_who_is_gone_or_struck_out_leaves_no_place(self, exam: Quiz, ten: list[Attempt]) -> None:
        refresh_ranking(quiz_id=exam.pk, now=now())
        Attempt.objects.filter(pk=ten[0].pk).update(state=AttemptState.VOID, counts=False)
        assert refresh_ranking(quiz_id=exam.pk, now=now())
        ten[1].user.delete()
        assert Place.objects.count() == 8
        assert refresh_ranking(quiz_id=exam.pk, now=now())
        assert Place.objects.get(attempt=ten[2]).place == 1


class TestRefreshing:
    def test_live_at_most_every_so_often_and_only_when_something_changed(self, exam: Quiz, ten: list[Attempt]) -> None:
        began = now()
        assert refresh_due(now=began) == 1
        Attempt.objects.filter(pk=ten[9].pk).update(score=10)
        assert refresh_due(now=began + timedelta(seconds=LIVE_SECONDS - 1)) == 0
        assert refresh_due(now=began + timedelta(seconds=LIVE_SECONDS)) == 1
        assert Place.objects.get(attempt=ten[9]).place == 1
        assert refresh_due(now=began + timedelta(seconds=2 * LIVE_SECONDS)) == 0

    def test_final_once_it_has_closed_and_nobody_sits_or_waits(self, exam: Quiz, ten: list[Attempt]) -> None:
        attempt = start(exam, candidate_of(exam))
        closed = now() + timedelta(minutes=1)
        Lesson.objects.filter(pk=exam.lesson_id).update(closes_at=closed)
        for moment, is_final in ((closed - timedelta(seconds=1), False), (closed + timedelta(seconds=1), False)):
            refresh_ranking(quiz_id=exam.pk, now=moment)
            assert Ranking.objects.get().is_final is is_final
        hand_in(attempt)
        after = closed + timedelta(minutes=5)
        refresh_ranking(quiz_id=exam.pk, now=after)
        assert Ranking.objects.get().is_final
        # A key that is corrected later moves it once more.
        Attempt.objects.filter(pk=ten[5].pk).update(score=10)
        assert refresh_due(now=after + timedelta(seconds=LIVE_SECONDS)) == 0
        assert refresh_due(now=after + timedelta(seconds=FINAL_SECONDS)) == 1
        assert Place.objects.get(attempt=ten[5]).place == 1

    def test_the_sweep_ranks_what_has_a_ranking_and_results(self, exam: Quiz, ten: list[Attempt]) -> None:
        marked(make_quiz(), 5)
        make_quiz(has_ranking=True)
        assert refresh_rankings() == 1
        assert refresh_rankings() == 0
        assert list(Ranking.objects.values_list("quiz", flat=True)) == [exam.pk]
        sent = [(one["task"], one["schedule"]) for one in settings.CELERY_BEAT_SCHEDULE.values()]
        assert (refresh_rankings.name, 10.0) in sent

    def test_it_takes_as_many_queries_for_ten_as_for_twenty(self, exam: Quiz, ten: list[Attempt]) -> None:
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                refresh_ranking(quiz_id=exam.pk, now=now())
            counts.append(len(queries))
            for score in range(10):
                marked(exam, score)
        assert counts[0] <= counts[1] + 3  # the first one also makes the row
        assert counts[1] <= 10

    def test_a_place_is_read_by_key(self, exam: Quiz, ten: list[Attempt]) -> None:
        refresh_ranking(quiz_id=exam.pk, now=now())
        with CaptureQueriesContext(connection) as queries:
            place_of(quiz=exam, user=ten[0].user)
        assert len(queries) == 1
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {queries[0]['sql']}")
            assert "assessments_place_once" in "".join(row[0] for row in cursor.fetchall())


class TestSeeing:
    def test_small_groups_are_not_shown(self, exam: Quiz, ten: list[Attempt]) -> None:
        refresh_ranking(quiz_id=exam.pk, now=now())
        german, french = place_of(quiz=exam, user=ten[0].user), place_of(quiz=exam, user=ten[1].user)
        assert german is not None
        assert french is not None
        assert [one.group for one in german.standings] == ["all", "country", "specialty"]
        assert [one.group for one in french.standings] == ["all", "specialty"]

    def test_fewer_than_five_have_no_ranking_at_all(self, exam: Quiz) -> None:
        attempts = [marked(exam, score) for score in range(4)]
        refresh_ranking(quiz_id=exam.pk, now=now())
        view = view_of(quiz=exam, user=attempts[0].user, now=now())
        assert view.is_shown is False
        assert view.own is not None
        assert list(view.own.standings) == []
        show_name(quiz=exam, user=attempts[1].user, shows=True)
        assert board_of(view=view, user=attempts[0].user).rows == []

    def test_a_place_is_shown_when_the_result_is(self, exam: Quiz, ten: list[Attempt]) -> None:
        refresh_ranking(quiz_id=exam.pk, now=now())
        closes_at = now() + timedelta(hours=1)
        Lesson.objects.filter(pk=exam.lesson_id).update(closes_at=closes_at)
        Quiz.objects.filter(pk=exam.pk).update(marks_when="closed")
        quiz = Quiz.objects.select_related("lesson__course__programme").get(pk=exam.pk)
        view = view_of(quiz=quiz, user=ten[0].user, now=now())
        assert (view.own, view.is_shown) == (None, False)
        Lesson.objects.filter(pk=exam.lesson_id).update(closes_at=now() - timedelta(seconds=1))
        quiz = Quiz.objects.select_related("lesson__course__programme").get(pk=exam.pk)
        view = view_of(quiz=quiz, user=ten[0].user, now=now())
        assert view.own is not None
        assert view.is_shown
        assert view.own.standings[0].place == 1

    def test_who_has_no_result_sees_neither_a_place_nor_the_board_before_the_end(
        self, exam: Quiz, ten: list[Attempt]
    ) -> None:
        refresh_ranking(quiz_id=exam.pk, now=now())
        show_name(quiz=exam, user=ten[0].user, shows=True)
        view = view_of(quiz=exam, user=candidate_of(exam), now=now())
        assert (view.own, view.is_shown, view.is_candidate) == (None, False, False)
        assert board_of(view=view, user=UserFactory.create()).rows == []

    def test_a_test_without_a_ranking_has_none(self) -> None:
        quiz = make_quiz()
        with pytest.raises(NotRankedError):
            view_of(quiz=quiz, user=candidate_of(quiz), now=now())


class TestBoard:
    def names(self, quiz: Quiz, user: User, group: str = "all") -> list[tuple[int, str, bool]]:
        view = view_of(quiz=quiz, user=user, now=now())
        return [(row.place, row.name, row.is_mine) for row in board_of(view=view, user=user, group=group).rows]

    def test_only_who_chose_it_is_named_and_leaves_at_once(self, exam: Quiz, ten: list[Attempt]) -> None:
        refresh_ranking(quiz_id=exam.pk, now=now())
        me, other = ten[0].user, ten[2].user
        assert self.names(exam, me) == []
        show_name(quiz=exam, user=me, shows=True)
        show_name(quiz=exam, user=other, shows=True)
        assert self.names(exam, me) == [(1, me.get_full_name(), True), (3, other.get_full_name(), False)]
        show_name(quiz=exam, user=me, shows=False)
        assert self.names(exam, me) == [(3, other.get_full_name(), False)]
        refresh_ranking(quiz_id=exam.pk, now=now())
        assert self.names(exam, me) == [(3, other.get_full_name(), False)]

    def test_a_group_is_only_ones_own_and_places_are_those_of_the_group(self, exam: Quiz, ten: list[Attempt]) -> None:
        for attempt in ten:
            show_name(quiz=exam, user=attempt.user, shows=True)
        refresh_ranking(quiz_id=exam.pk, now=now())
        german, french = ten[0].user, ten[1].user
        assert [place for place, _, _ in self.names(exam, german, "country")] == [1, 2, 3, 3, 5, 6, 7]
        assert self.names(exam, french, "country") == []
        assert len(self.names(exam, french)) == 10

    def test_an_address_never_stands_for_a_name(self, exam: Quiz, ten: list[Attempt]) -> None:
        nameless = marked(exam, 10, first_name="", last_name="", title="Dr")
        show_name(quiz=exam, user=nameless.user, shows=True)
        assert refresh_ranking(quiz_id=exam.pk, now=now())
        show_name(quiz=exam, user=nameless.user, shows=True)
        assert self.names(exam, ten[0].user) == []

    def test_only_who_sits_in_the_test_has_a_name_to_show(self, exam: Quiz) -> None:
        with pytest.raises(NotRankedError):
            show_name(quiz=exam, user=candidate_of(exam), shows=True)
        assert not Candidate.objects.exists()


def test_groups_follow_enrolment(exam: Quiz) -> None:
    """The cohort is that of the test's programme, whatever other programmes a person is in."""
    cohort: Cohort = CohortFactory.create(programme=exam.lesson.course.programme)
    attempt = marked(exam, 5, cohort=cohort)
    EnrolmentFactory.create(user=attempt.user)
    refresh_ranking(quiz_id=exam.pk, now=now())
    assert [one.cohort_id for one in Place.objects.all()] == [cohort.pk]
    assert Enrolment.objects.filter(user=attempt.user).count() == 2
