"""The common curve of lectures of all lengths, against a count person by person and second by second; and its words."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from analytics.domain.axis import axis_of
from analytics.domain.presenting.common import PARTS, CommonCurve, common_curve_of
from analytics.rules import presented_by
from analytics.views.together_charts import retention_words
from core.ranges import normalise
from courses.models import Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WatchRecordFactory
from tests.webinars.on_air import add_segments, make_live, publish
from tests.webinars.watching import NOON, make_enrolment, make_webinar
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
pairs = st.tuples(st.integers(0, 160), st.integers(1, 90)).map(lambda one: (one[0], one[0] + one[1]))
watched = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.sampled_from(Phase)),  # who, of which lecture, in which phase
    st.lists(pairs, max_size=2).map(normalise),
    max_size=14,
)
some = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _lectures(presenter: User, other: User) -> list[Webinar]:
    """Three with an end (cut, shorter than the parts, only broadcast), one on air, one elsewhere, one of the other."""
    places = [make_enrolment(), make_enrolment()]
    cut = make_live(webinar=make_webinar(places[0]))
    publish(cut, spans=[(0.0, 60.5, 0.0), (75.25, 160.0, 60.5)], cuts=((10, 40),))
    short = make_webinar(places[1], seconds=20.0)
    broadcast = make_live(webinar=make_webinar(places[0]), ended_at=NOON)
    on_air = make_live(webinar=make_webinar(places[0]))
    for one in (broadcast, on_air):
        add_segments(one.broadcasts.get(), [(0.0, 20), (50.0, 15)])
    elsewhere = make_webinar(places[1])
    Webinar.objects.filter(pk=elsewhere.pk).update(video=None, starts_at=NOON, live_at=NOON, ended_at=NOON)
    theirs = make_webinar(places[1], seconds=90.0)
    theirs.presenters.add(other)
    short.presenters.add(other)
    made = [cut, short, broadcast, on_air, elsewhere]
    for one in made:
        one.presenters.add(presenter)
    for programme in {one.lesson.course.programme for one in made}:
        for user in (presenter, other):
            RoleGrantFactory.create(user=user, role="presenter", programme=programme)
    return [*made, theirs]


def _expected(webinars: list[Webinar]) -> tuple[int, int, list[Fraction]]:
    lectures, viewers, sums = 0, 0, [Fraction(0)] * PARTS
    for webinar in webinars:
        axis, people = axis_of(webinar), _people(webinar)
        if not people:
            continue
        lectures, viewers = lectures + 1, viewers + len(people)
        width = Fraction(axis.length, PARTS)
        for second in (second for seen in people.values() for second in seen):
            for part in range(PARTS):
                begin, end = max(Fraction(second), part * width), min(Fraction(second + 1), (part + 1) * width)
                sums[part] += max(Fraction(0), end - begin) / width
    return lectures, viewers, [one / viewers for one in sums] if viewers else []


def _people(webinar: Webinar) -> dict[int, set[int]]:
    """By person with a place in the programme: the seconds they saw, of those that are shown."""
    axis = axis_of(webinar)
    people: dict[int, set[int]] = {}
    for record in WatchRecord.objects.filter(webinar=webinar):
        programme = webinar.lesson.course.programme
        if record.coverage and Enrolment.objects.filter(user=record.user, programme=programme).exists():
            move = axis.live_to_axis if record.phase == Phase.LIVE else axis.uncut_to_axis
            seen = {second for start, end in move(record.coverage) for second in range(start, end)}
            people.setdefault(record.user_id, set()).update(seen)
    return people


@given(watched=watched, places=st.lists(st.integers(0, 3), min_size=4, max_size=4))
@some
def test_the_common_curve_is_of_all_viewers_of_lectures_with_an_end(
    watched: dict[tuple[int, int, Phase], Any], places: list[int]
) -> None:
    presenter, other = UserFactory.create(), UserFactory.create()
    lectures = _lectures(presenter, other)
    people: list[User] = UserFactory.create_batch(4)
    programmes = [lectures[0].lesson.course.programme, lectures[1].lesson.course.programme]
    for user, where in zip(people, places, strict=True):
        for number, programme in enumerate(programmes):
            if where & 1 << number:
                EnrolmentFactory.create(user=user, programme=programme)
    for (who, which, phase), seen in watched.items():
        WatchRecordFactory.create(user=people[who], webinar=lectures[which], phase=phase, coverage=seen)
    Visit.objects.create(user=people[0], webinar=lectures[1], joined_at=NOON, seen_at=NOON)  # nobody knows what of it

    mine = Webinar.objects.in_bulk([one.pk for one in lectures])
    for user, counted in ((presenter, lectures[:3]), (other, [lectures[1], lectures[5]])):
        found = common_curve_of(list(presented_by(user)))
        number, viewers, shares = _expected([mine[one.pk] for one in counted])
        assert (found.lectures, found.viewers) == (number, viewers)
        assert list(found.shares) == [pytest.approx(float(one), abs=1e-9) for one in shares]


def test_a_short_and_a_long_lecture_weigh_as_many_viewers_as_they_have() -> None:
    place = make_enrolment()
    short, long = make_webinar(place, seconds=100.0), make_webinar(place, seconds=1000.0)
    keen = EnrolmentFactory.create(programme=place.programme).user
    for webinar, user, until in ((short, place.user, 50), (long, place.user, 500), (long, keen, 1000)):
        WatchRecordFactory.create(user=user, webinar=webinar, coverage=((0, until),))
    found = common_curve_of([short, long])
    half = PARTS // 2
    assert (found.lectures, found.viewers) == (2, 3)
    assert found.shares == (*[1.0] * half, *[pytest.approx(1 / 3)] * half)


def test_lectures_that_nobody_watched_have_no_common_curve() -> None:
    assert common_curve_of([]) == common_curve_of([make_webinar(make_enrolment())]) == CommonCurve()
    assert retention_words(CommonCurve()) == ""


def test_each_lecture_costs_one_sweep(django_assert_num_queries: Any) -> None:
    place = make_enrolment()
    for number in (1, 2, 3):
        webinar = make_webinar(place)
        WatchRecordFactory.create(user=place.user, webinar=webinar)
        webinars = list(Webinar.objects.select_related("lesson__course", "video"))
        with django_assert_num_queries(2 + number):
            assert common_curve_of(webinars).lectures == number


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.5, 0.9, 0.6, 0.5), "at 38% of a lecture: 90% of its viewers. Half of the viewers or more saw the end."),
        ((0.2, 0.7, 0.5, 0.4), "After 75% of a lecture fewer than half of them were watching."),
        ((0.6, 0.3, 0.7, 0.1), "at 62% of a lecture: 70% of its viewers. After 75% of a lecture fewer than half"),
        ((0.3, 0.4, 0.0, 0.1), "No part was seen by half of the viewers."),
    ],
)
def test_the_words_say_until_where_half_of_them_stayed(shares: tuple[float, ...], words: str) -> None:
    assert words in retention_words(CommonCurve(1, 10, shares))
