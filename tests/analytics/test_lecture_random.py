"""What stands along a lecture's curve and who was expected, on random data with interruptions and cuts."""

import math
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.domain.presenting.marks import MarkKind
from analytics.domain.presenting.report import expected_of, report_of
from courses.enums import EnrolmentStatus
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WebinarFactory
from tests.webinars.on_air import make_live, publish
from tests.webinars.watching import NOON
from webinars.enums import Phase, PollKind, PollState, QuestionState
from webinars.models import Chapter, Poll, Question, Registration, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DAY = timedelta(days=1)
Parts = tuple[tuple[int, int], ...]

# When it was on air, in seconds of the broadcast; between these it was interrupted.
ON_AIR: tuple[Parts, ...] = (((0, 900),), ((0, 240), (300, 960)), ((30, 130), (145, 400), (460, 1_005)))
# What is left out of the recording, in its own seconds before anything was.
CUTS: tuple[Parts, ...] = ((), ((0, 60),), ((100, 220), (500, 560)), ((600, 900),))


def _recorded(on_air: Parts, moment: float) -> float:
    """The second of the uncut recording: as many as were on air before. Of an interruption, where it goes on."""
    return sum(min(max(moment - start, 0.0), end - start) for start, end in on_air)


def _shown(cuts: Parts, second: float) -> float:
    """As many as were not left out before. Of what was left out, where it goes on."""
    return second - sum(min(max(second - start, 0.0), end - start) for start, end in cuts)


def _uncut(cuts: Parts, length: int, shown: float) -> float:
    """Back again, half second after half second: where so many had been shown."""
    return next(
        half / 2 for half in range(2 * length + 1) if _shown(cuts, half / 2) == shown and not _is_in(cuts, half)
    )


def _is_in(cuts: Parts, half: int) -> bool:
    return any(start <= half / 2 < end for start, end in cuts)


halves = st.integers(0, 2_100).map(lambda number: number / 2)
asked = st.fixed_dictionaries(
    {
        "at": halves,
        "edition": st.none() | st.integers(0, 1),  # live, or while watching the first or the second one
        "state": st.sampled_from((QuestionState.NEW, QuestionState.NEW, QuestionState.DISMISSED)),
        "is_merged": st.sampled_from((False, False, False, True)),
    }
)


@given(
    on_air=st.sampled_from(ON_AIR),
    cuts=st.tuples(st.sampled_from(CUTS), st.sampled_from(CUTS)),
    drawn=st.lists(asked, max_size=8),
    polls=st.lists(st.tuples(halves, st.sampled_from((PollState.DRAFT, PollState.CLOSED))), max_size=2),
    chapters=st.lists(st.integers(0, 850), max_size=2, unique=True),
)
@some
def test_marks_and_questions_stand_where_the_recording_has_them(
    on_air: Parts, cuts: tuple[Parts, Parts], drawn: list[dict[str, Any]], polls: list[Any], chapters: list[int]
) -> None:
    """Live ones by the broadcast, others by the recording as it was when they were asked."""
    webinar = make_live()
    elsewhere = WebinarFactory.create()
    length = sum(end - start for start, end in on_air)
    spans = [(float(start), float(end), _recorded(on_air, start)) for start, end in on_air]
    for day, left_out in enumerate(cuts):
        publish(webinar, spans=spans, cuts=left_out, at=NOON + day * DAY)
    whole = [length - sum(min(end, length) - min(start, length) for start, end in one) for one in cuts]
    expected: Counter[int] = Counter()
    first = None
    for one in drawn:
        is_merged = one["is_merged"] and first is not None
        edition = one["edition"]
        second = one["at"] if edition is None else min(one["at"], whole[edition] - 0.5)
        for where in (webinar, elsewhere):
            made = Question.objects.create(
                webinar=where,
                author=UserFactory.create(),
                text="Why?",
                state=QuestionState.MERGED if is_merged and where == webinar else one["state"],
                merged_into=first if is_merged and where == webinar else None,
                phase=Phase.LIVE if edition is None else Phase.ON_DEMAND,
                asked_at=NOON + (edition or 0) * DAY + timedelta(hours=1),
                asked_seconds=second,
            )
            first = first or made
        if not is_merged:
            uncut = _recorded(on_air, second) if edition is None else _uncut(cuts[edition], length, second)
            expected[math.floor(_shown(cuts[1], uncut) / 60)] += 1
    marks = [(MarkKind.CHAPTER, _shown(cuts[1], min(second, length))) for second in chapters]
    for second in chapters:
        Chapter.objects.create(webinar=webinar, at_seconds=float(second), title="Case")
    for second, state in polls:
        opened = None if state == PollState.DRAFT else NOON
        Poll.objects.create(
            webinar=webinar, kind=PollKind.SINGLE, question="Which?", state=state, opened_at=opened, closed_at=opened,
            opened_seconds=None if state == PollState.DRAFT else second,
        )  # fmt: skip
        if state != PollState.DRAFT:
            marks.append((MarkKind.POLL, _shown(cuts[1], _recorded(on_air, second))))
    report = report_of(Webinar.objects.get(pk=webinar.pk), now=NOON + 2 * DAY)
    assert report.axis.length == whole[1]
    assert dict(report.questions_by_minute) == expected
    assert sorted((one.kind, one.second) for one in report.marks) == sorted(marks)


people = st.tuples(
    st.none() | st.sampled_from(EnrolmentStatus),  # no place, or one
    st.sampled_from(("", "here", "here, cancelled", "next door")),  # registered
)


@given(drawn=st.lists(people, max_size=8), needs_registration=st.booleans())
@some
def test_who_was_expected(drawn: list[Any], needs_registration: bool) -> None:
    webinar = WebinarFactory.create(needs_registration=needs_registration)
    course = webinar.lesson.course
    next_door = WebinarFactory.create(lesson=LessonFactory.create(course=course), needs_registration=True)
    for status, registered in drawn:
        place = EnrolmentFactory.create()  # of another programme, too
        if status is not None:
            EnrolmentFactory.create(
                programme=course.programme,
                user=place.user,
                status=status,
                completed_at=NOON if status == EnrolmentStatus.COMPLETED else None,
            )
        if registered:
            Registration.objects.create(
                webinar=next_door if registered == "next door" else webinar,
                user=place.user,
                registered_at=NOON,
                cancelled_at=NOON if registered.endswith("cancelled") else None,
            )
    has_place = [status in {EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED} for status, _ in drawn]
    has_registered = [registered == "here" for _, registered in drawn]
    assert expected_of(webinar) == sum(has_registered if needs_registration else has_place)
