"""Where to continue, what is unseen, and the two reads that pages and the API use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ranges import Ranges, intersect, normalise
from tests.factories.webinars import WatchRecordFactory
from tests.webinars.watching import make_enrolment, make_webinar, open_player, send
from webinars.domain.queries import playback_state, watch_summary
from webinars.domain.resume import (
    media_seconds,
    next_unseen,
    required_seconds,
    resume_point,
    unseen_parts,
    unseen_seconds,
)
from webinars.enums import Phase
from webinars.models import Webinar

coverages = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), max_size=6).map(normalise)


@given(coverages)
def test_unseen_parts_are_outside_the_coverage_and_worth_a_jump(coverage: Ranges) -> None:
    parts = unseen_parts(coverage, length=600)
    assert intersect(coverage, parts) == ()
    assert all(end - start >= 2 for start, end in parts)
    part = next_unseen(coverage, after=300, length=600)
    assert (part is None) == (parts == ())
    assert unseen_seconds(coverage, length=600) == sum(end - start for start, end in parts)


@given(st.floats(0, 594), coverages)
def test_inside_the_lecture_the_position_is_kept_exactly(position: float, coverage: Ranges) -> None:
    assert resume_point(position=position, coverage=coverage, length=600) == position


def test_at_the_end_the_first_unseen_part_comes_next() -> None:
    assert resume_point(position=599, coverage=((0, 100), (160, 600)), length=600) == 100
    assert resume_point(position=600, coverage=((0, 600),), length=600) == 0
    assert resume_point(position=9999, coverage=(), length=600) == 0


def test_the_next_unseen_part_is_ahead_or_else_the_first() -> None:
    coverage = ((50, 100), (200, 300))
    assert next_unseen(coverage, after=60, length=400) == (100, 200)
    assert next_unseen(coverage, after=350, length=400) == (0, 50)
    assert next_unseen(((0, 400),), after=0, length=400) is None
    assert next_unseen(((0, 99), (100, 400)), after=0, length=400) is None  # one second is no part


@pytest.mark.parametrize(("duration", "whole"), [(180.0, 180), (180.49, 180), (180.5, 181), (0.2, 1)])
def test_a_duration_in_whole_seconds(duration: float, whole: int) -> None:
    assert media_seconds(duration) == whole


@pytest.mark.parametrize(
    ("length", "percent", "needed"), [(600, 90, 540), (601, 90, 541), (1, 1, 1), (3600, 100, 3600)]
)
def test_the_threshold_is_rounded_up(length: int, percent: int, needed: int) -> None:
    assert required_seconds(length, percent) == needed


@pytest.mark.django_db
def test_playback_state_after_watching() -> None:
    session = open_player(seconds=600.2)
    send(session, (0, 30), (60, 90.25), after=100)
    state = playback_state(webinar=session.webinar, user=session.user)
    assert (state.phase, state.position, state.coverage) == (Phase.ON_DEMAND, 90.25, ((0, 30), (60, 90)))
    assert (state.duration, state.seen, state.required, state.unseen) == (600.2, 60, 540, 540)
    assert state.next_unseen == (30, 60)  # the doctor stands in the other one already


@pytest.mark.django_db
def test_a_summary_of_many_webinars_is_one_query_and_only_ones_own(django_assert_num_queries: object) -> None:
    enrolment, stranger = make_enrolment(), make_enrolment()
    watched, fresh, foreign = (make_webinar(enrolment) for _ in range(3))
    empty = make_webinar(enrolment)
    Webinar.objects.filter(pk=empty.pk).update(video=None)
    WatchRecordFactory.create(user=enrolment.user, webinar=watched, coverage=((0, 300),))
    for webinar in (watched, fresh, foreign):
        WatchRecordFactory.create(user=stranger.user, webinar=webinar, coverage=((0, 600),))
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = watch_summary(user=enrolment.user, webinar_ids=[watched.pk, fresh.pk, empty.pk])
    assert set(found) == {watched.pk, fresh.pk, empty.pk}
    assert (found[watched.pk].seen, found[watched.pk].percent, found[watched.pk].unseen) == (300, 50, 300)
    assert (found[fresh.pk].seen, found[fresh.pk].is_started, found[fresh.pk].unseen) == (0, False, 600)
    assert (found[empty.pk].length, found[empty.pk].required, found[empty.pk].percent) == (0, 0, 0)


@pytest.mark.django_db
def test_live_seconds_without_a_timeline_are_no_seconds_of_the_recording() -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    WatchRecordFactory.create(user=enrolment.user, webinar=webinar, phase=Phase.LIVE, coverage=((0, 500),))
    WatchRecordFactory.create(user=enrolment.user, webinar=webinar, coverage=((0, 60),))
    assert watch_summary(user=enrolment.user, webinar_ids=[webinar.pk])[webinar.pk].coverage == ((0, 60),)
