"""What a presenter reads of one webinar, against counts in plain Python over the raw rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.enums import Role
from accounts.models import User
from analytics.domain.axis import axis_of
from analytics.domain.presenting.audience import Group, audience_of
from analytics.domain.presenting.marks import marks_of, questions_per_minute
from analytics.domain.presenting.overview import counts_of, overview_of
from analytics.domain.presenting.questions import Asked, questions_of
from analytics.domain.presenting.report import report_of
from analytics.domain.presenting.themes import Themes
from analytics.views import feedback_charts
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationAnswer
from core.ranges import intersect, normalise, seconds
from courses.models import Enrolment, Programme
from tests.assessments.feedback import hand_in
from tests.factories.accounts import UserFactory
from tests.factories.assessments import make_evaluation
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.webinars.on_air import add_segments, make_live, publish
from tests.webinars.watching import NOON, make_enrolment, make_webinar
from webinars.enums import Phase, QuestionState
from webinars.models import Broadcast, Chapter, Question, Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
pairs = st.tuples(st.integers(0, 400), st.integers(1, 300)).map(lambda one: (one[0], one[0] + one[1]))
coverage = st.lists(pairs, max_size=3).map(normalise)
visit = st.tuples(st.integers(0, 300), st.integers(0, 300))


@st.composite
def doctors(draw: Any) -> dict[str, Any]:
    return {
        "country": draw(st.sampled_from(["IN", "BR", ""])),
        "specialty": draw(st.sampled_from(["Cardiology", "Gynaecology", ""])),
        "is_doctor": draw(st.integers(0, 4)) > 0,
        "live": draw(st.none() | coverage),
        "recorded": draw(st.none() | coverage),
        "visits": draw(st.lists(visit, max_size=2)),
    }


def _came(webinar: Webinar, one: dict[str, Any]) -> None:
    user = UserFactory.create(country=one["country"], specialty=one["specialty"])
    if one["is_doctor"]:
        EnrolmentFactory.create(user=user, programme=webinar.lesson.course.programme)
    for phase, name in ((Phase.LIVE, "live"), (Phase.ON_DEMAND, "recorded")):
        if one[name] is not None:
            WatchRecordFactory.create(user=user, webinar=webinar, phase=phase, coverage=one[name])
    for start, length in one["visits"]:
        joined = NOON + timedelta(seconds=start)
        left = joined + timedelta(seconds=length)
        Visit.objects.create(webinar=webinar, user=user, joined_at=joined, seen_at=left, left_at=left)


def _person(webinar: Webinar, user: User, length: int) -> dict[str, int]:
    """Second by second."""
    records = {record.phase: record for record in WatchRecord.objects.filter(user=user, webinar=webinar)}
    live, recorded = records.get(Phase.LIVE), records.get(Phase.ON_DEMAND)
    shown = intersect(live.coverage, ((0, length),)) if live else ()
    present = {
        int(visit.joined_at.timestamp()) + second
        for visit in Visit.objects.filter(webinar=webinar, user=user)
        for second in range(int(((visit.left_at or visit.seen_at) - visit.joined_at).total_seconds()))
    }
    was_live = bool(live and live.coverage) or Visit.objects.filter(webinar=webinar, user=user).exists()
    was_recorded = bool(recorded and recorded.coverage)
    ending = set(range(int(length * 0.95), length + 1))
    return {
        "people": int(was_live or was_recorded),
        "live": int(was_live),
        "recorded": int(was_recorded),
        "continued": int(was_live and was_recorded),
        "stayed": int(
            bool(live) and any(second in ending for start, end in live.coverage for second in range(start, end))
        )
        if live
        else 0,
        "live_seconds": seconds(shown) + len(present),
        "recorded_seconds": seconds(recorded.coverage) if recorded else 0,
    }


def _expected(webinar: Webinar, length: int, **of: str) -> Group:
    programme = webinar.lesson.course.programme
    users = {record.user for record in WatchRecord.objects.filter(webinar=webinar)}
    users |= {visit.user for visit in Visit.objects.filter(webinar=webinar)}
    counted = [
        _person(webinar, user, length)
        for user in users
        if Enrolment.objects.filter(user=user, programme=programme).exists()
        and all(str(getattr(user, name)) == value for name, value in of.items())
    ]
    counted = [one for one in counted if one["people"]]
    names = ("people", "live", "recorded", "continued", "stayed", "live_seconds", "recorded_seconds")
    total: dict[str, Any] = {name: sum(one[name] for one in counted) for name in names}
    if webinar.ended_at is None:
        total["stayed"] = None
    return Group(next(iter(of.values()), ""), *(total[name] for name in names))


JUST_CAME = {"country": "IN", "specialty": "", "is_doctor": True, "live": None, "recorded": None, "visits": [(0, 0)]}


@given(came=st.lists(doctors(), max_size=6), is_over=st.booleans())
@example(came=[JUST_CAME], is_over=True)
@some
def test_who_came_is_counted_once_a_person(came: list[dict[str, Any]], is_over: bool) -> None:
    """Who stayed to the end is known when there is one."""
    length = 500
    webinar = make_live(ended_at=NOON + timedelta(seconds=length) if is_over else None)
    Broadcast.objects.filter(webinar=webinar).update(program_seconds=float(length))
    for one in came:
        _came(webinar, one)
    found = audience_of(webinar_id=webinar.pk, programme_id=webinar.lesson.course.programme_id)
    assert found.total == _expected(webinar, length)
    stayed, live = found.total.stayed, found.total.live
    assert found.total.stayed_percent == _near(100 * stayed / live if is_over and live and stayed is not None else None)
    assert found.total.average_live_minutes == _near(found.total.live_seconds / 60 / live if live else None)
    alone = (found.total.people, found.total.live, found.total.recorded)
    seconds_of_all = found.total.live_seconds + found.total.recorded_seconds
    counted = counts_of([webinar.pk])  # the list of lectures says the same as the page of one
    assert counted.get(webinar.pk, (0, 0, 0, 0)) == counted[None] == (*alone, seconds_of_all)
    for group in found.countries:
        assert group == _expected(webinar, length, country=group.name)
    for group in found.specialties:
        assert group == _expected(webinar, length, specialty=group.name)
    for groups in (found.countries, found.specialties):
        assert sum(group.people for group in groups) == found.total.people
        assert list(groups) == sorted(groups, key=lambda one: (-one.people, one.name))


cuts = st.sampled_from([(), ((10, 40),), ((0, 5), (90, 130))])


@given(came=st.lists(doctors(), max_size=5), cuts=cuts)
@some
def test_what_a_doctor_saw_twice_counts_once(came: list[dict[str, Any]], cuts: Any) -> None:
    """Second by second of the recording as it is shown."""
    webinar = make_live()
    Broadcast.objects.filter(webinar=webinar).update(program_seconds=160.0)
    publish(webinar, spans=[(0.0, 60.0, 0.0), (75.0, 160.0, 60.0)], cuts=cuts)
    webinar = Webinar.objects.get(pk=webinar.pk)
    for one in came:
        live = None if one["live"] is None else intersect(one["live"], ((0, 160),))
        recorded = None if one["recorded"] is None else intersect(one["recorded"], ((0, 145),))
        _came(webinar, {**one, "live": live, "recorded": recorded})
    axis = axis_of(webinar)
    twice = total = 0
    for place in Enrolment.objects.filter(programme=webinar.lesson.course.programme):
        records = WatchRecord.objects.filter(webinar=webinar, user=place.user)
        shown = [
            {second for start, end in move(record.coverage) for second in range(start, end)}
            for record in records
            for move in [axis.live_to_axis if record.phase == Phase.LIVE else axis.uncut_to_axis]
        ]
        twice += len(shown[0] & shown[1]) if len(shown) == 2 else 0
        total += sum(_person(webinar, place.user, 160)[name] for name in ("live_seconds", "recorded_seconds"))
    report = report_of(webinar, now=NOON)
    assert (report.audience.total.minutes, report.unique_minutes) == (total // 60, (total - twice) // 60)


def _asked(webinar: Webinar, user: User, *, after: int = 0, answered: int | None = None, **fields: Any) -> Question:
    asked_at = NOON + timedelta(seconds=after)
    answered_at = None if answered is None else asked_at + timedelta(seconds=answered)
    return Question.objects.create(
        webinar=webinar, author=user, text="Why?", asked_at=asked_at, answered_at=answered_at, **fields
    )


def test_questions_answers_and_how_long_they_took() -> None:
    webinar = make_live()
    user, other = UserFactory.create(), UserFactory.create()
    root = _asked(webinar, user, answered=60, state=QuestionState.ANSWERED, answer_text="So.", asked_seconds=30.0)
    _asked(webinar, other, answered=200, state=QuestionState.PUBLISHED, answer_text="So.", published_at=NOON)
    _asked(webinar, other, state=QuestionState.NEW, asked_seconds=95.0)
    _asked(webinar, other, answered=9_000, state=QuestionState.DISMISSED)
    _asked(webinar, other, state=QuestionState.MERGED, merged_into=root)
    figures, asked = questions_of(webinar.pk)
    assert (figures.asked, figures.answered, figures.set_aside, figures.waiting) == (4, 2, 1, 1)
    assert (figures.askers, figures.asked_live) == (2, 4)
    assert figures.answer_seconds == 130.0
    assert figures.answered_percent == pytest.approx(200 / 3)
    assert sorted(one.seconds for one in asked) == [30.0, 95.0]
    presenter = RoleGrantFactory.create(programme=webinar.lesson.course.programme, role=Role.PRESENTER).user
    webinar.presenters.add(presenter)
    assert [one.questions for one in overview_of(presenter).lectures] == [4]  # as on the page of the lecture
    empty, _ = questions_of(make_live().pk)
    assert (empty.asked, empty.answer_seconds, empty.answered_percent) == (0, None, None)


def test_marks_stand_where_the_recording_shows_them() -> None:
    webinar = make_live()
    publish(webinar, spans=[(0.0, 100.0, 0.0), (160.0, 400.0, 100.0)], cuts=((10, 40),))
    webinar = Webinar.objects.get(pk=webinar.pk)
    Chapter.objects.create(webinar=webinar, at_seconds=50.0, title="Case <b>1</b>")
    axis = axis_of(webinar)
    assert axis.length == 310
    assert [(mark.second, mark.title) for mark in marks_of(webinar.pk, axis)] == [(20.0, "Case <b>1</b>")]
    # Program 170 is second 110 of the uncut recording, and 80 of the cut one.
    asked = [Asked(170.0, True, NOON), Asked(61.0, False, NOON), Asked(9_999.0, False, NOON)]
    assert questions_per_minute(asked, axis) == [(1, 2)]


def test_a_question_to_the_recording_stays_at_its_words_when_that_is_cut() -> None:
    webinar, user = make_live(), UserFactory.create()
    for day, cuts in enumerate((((0, 60),), ((0, 60), (120, 180)), ())):
        publish(webinar, spans=[(0.0, 600.0, 0.0)], cuts=cuts, at=NOON + timedelta(days=day))
    # The same second of three editions: 190, 250 and 130 of the uncut one, which is what is shown now.
    for day in range(3):
        _asked(webinar, user, after=86_400 * day + 1, phase=Phase.ON_DEMAND, asked_seconds=130.0)
    _asked(webinar, user, after=-1, phase=Phase.ON_DEMAND, asked_seconds=310.0)  # before there was any edition
    assert report_of(Webinar.objects.get(pk=webinar.pk), now=NOON).questions_by_minute == (
        (2, 1), (3, 1), (4, 1), (5, 1),
    )  # fmt: skip
    publish(webinar, spans=[(0.0, 600.0, 0.0)], cuts=((180, 240),), at=NOON + timedelta(days=3))
    assert report_of(Webinar.objects.get(pk=webinar.pk), now=NOON).questions_by_minute == ((2, 1), (3, 2), (5, 1))


def test_an_overview_counts_each_doctor_once_over_all_lectures() -> None:
    presenter = UserFactory.create()
    first = make_webinar(make_enrolment())
    programme = first.lesson.course.programme
    second = make_webinar(Enrolment.objects.get(programme=programme))
    RoleGrantFactory.create(user=presenter, role="presenter", programme=programme)
    for webinar in (first, second):
        webinar.presenters.add(presenter)
    foreign = make_webinar(make_enrolment())
    foreign.presenters.add(presenter)  # the role in that programme is gone
    both, one, nobody = (UserFactory.create() for _ in range(3))
    for user in (both, one):
        EnrolmentFactory.create(user=user, programme=programme)
    for user, webinar in ((both, first), (both, second), (one, first), (nobody, first)):
        WatchRecordFactory.create(user=user, webinar=webinar, coverage=((0, 120),))
    found = overview_of(presenter)
    assert {line.webinar.pk: line.people for line in found.lectures if line.webinar} == {first.pk: 2, second.pk: 1}
    assert (found.total.people, found.total.recorded, found.total.live, found.total.minutes) == (2, 2, 0, 6)


def test_the_queries_of_a_report_do_not_grow_with_the_audience(django_assert_num_queries: Any) -> None:
    webinar = make_live()
    add_segments(webinar.broadcasts.get(), [(0.0, 60)])
    _came(
        webinar,
        {"country": "IN", "specialty": "", "is_doctor": True, "live": ((0, 60),), "recorded": None, "visits": []},
    )
    with django_assert_num_queries(17):
        report_of(webinar, now=NOON)
    for _ in range(2):
        _came(
            webinar,
            {"country": "BR", "specialty": "", "is_doctor": True, "live": ((0, 60),), "recorded": None, "visits": []},
        )
    with django_assert_num_queries(17):
        report_of(webinar, now=NOON)


def _lectures(presenters: list[User], programme: Any, *answers: Sequence[int], first: int = 0) -> list[Webinar]:
    """One lecture a month, each with the answers (two questions of five steps a person) of its form."""
    found = []
    for number, given_answers in enumerate(answers, first):
        course = CourseFactory.create(programme=programme)
        webinar = WebinarFactory.create(
            lesson=LessonFactory.create(course=course), starts_at=NOON + timedelta(days=30 * number)
        )
        webinar.presenters.set(presenters)
        evaluation = make_evaluation(questions=TWO, lesson__course=course, about=webinar.lesson)
        for answer in given_answers:
            hand_in(evaluation, answer, 6 - answer if answer % 2 else answer, f"Slides too small {answer}")
        found.append(webinar)
    return found


TWO: tuple[dict[str, Any], ...] = (
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.DELIVERY, "text": "Was it clear?"},
    {"kind": QuestionKind.STARS, "dimension": Dimension.CONTENT, "text": "Was it sound?"},
    {"kind": QuestionKind.TEXT, "dimension": Dimension.OTHER, "text": "Else?", "is_required": False},
)


def _mean_of(webinars: Iterable[Webinar], *dimensions: str) -> float | None:
    """Answer by answer; a question that fewer than five people answered is left out."""
    numbers: list[int] = []
    for webinar in webinars:
        by_question: dict[tuple[int, int], list[int]] = defaultdict(list)
        for one in EvaluationAnswer.objects.filter(response__evaluation__about=webinar.lesson):
            if one.number is not None and one.question.dimension in (dimensions or Dimension.values):
                by_question[one.response.evaluation_id, one.question_id].append(one.number)
        numbers += [one for given_answers in by_question.values() if len(given_answers) >= 5 for one in given_answers]
    return sum(numbers) / len(numbers) if numbers else None


@given(answers=st.lists(st.lists(st.integers(1, 5), max_size=7), min_size=2, max_size=4), which=st.integers(0, 3))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_trend_is_that_of_their_lectures(answers: list[list[int]], which: int) -> None:
    programme = ProgrammeFactory.create()
    one, other = UserFactory.create(), UserFactory.create()
    mine = _lectures([one], programme, *answers)
    _lectures([other], programme, [1, 1, 1, 1, 1, 1])
    here = mine[which % len(mine)]
    found = report_of(here, now=NOON).feedback
    expected = [(one.starts_at, _mean_of([one]), one == here) for one in mine if _mean_of([one]) is not None]
    assert [(point.at, point.mean, point.is_here) for point in found.trend] == [
        (at, pytest.approx(mean), is_here) for at, mean, is_here in expected
    ]
    everything = Webinar.objects.filter(lesson__course__programme=programme)
    assert found.programme == pytest.approx(_mean_of(everything))
    for row in found.comparisons:
        before = [_mean_of([one], row.dimension) for one in mine[: mine.index(here)]]
        assert list(row.earlier) == [pytest.approx(value) for value in before if value is not None]
        assert row.here == _near(_mean_of([here], row.dimension))
        assert row.theirs == _near(_mean_of([one for one in mine if one != here], row.dimension))
        assert row.programme == _near(_mean_of(everything, row.dimension))


def _near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value)


def test_no_trend_shows_a_lecture_that_only_one_of_two_gave() -> None:
    programme = ProgrammeFactory.create()
    one, other = UserFactory.create(), UserFactory.create()
    both = _lectures([one, other], programme, [5] * 5, [4] * 5)
    _lectures([one], programme, [2] * 5, first=5)
    here = both[1]
    trend = report_of(here, now=NOON).feedback.trend
    assert [(point.at, point.is_here) for point in trend] == [(both[0].starts_at, False), (here.starts_at, True)]


def test_nobody_reads_of_lectures_that_somebody_else_gave() -> None:
    """Neither what one of the two gave alone, nor what both gave in another programme."""
    programme, foreign = ProgrammeFactory.create(), ProgrammeFactory.create()
    one, other = UserFactory.create(), UserFactory.create()
    here, both = _lectures([one, other], programme, [5] * 5, [4] * 5)
    _lectures([one], programme, [2] * 5, first=5)
    _lectures([one], foreign, [2] * 5, first=6)
    _lectures([one, other], foreign, [2] * 5, first=7)
    found = report_of(here, now=NOON).feedback
    assert {row.dimension: row.theirs for row in found.comparisons} == {
        Dimension.DELIVERY: _mean_of([both], Dimension.DELIVERY), Dimension.CONTENT: _mean_of([both], Dimension.CONTENT)
    }  # fmt: skip
    assert [point.at for point in found.trend] == [here.starts_at, both.starts_at]


OPTIONAL: tuple[dict[str, Any], ...] = (
    *({"kind": kind, "dimension": Dimension.CONTENT, "text": f"{number}?", "is_required": False}
      for number, kind in enumerate((QuestionKind.LIKERT, QuestionKind.STARS) * 3)),
    {"kind": QuestionKind.TEXT, "dimension": Dimension.OTHER, "text": "Else?", "is_required": False},
)  # fmt: skip


def _optional(programme: Programme, presenter: User, *sheets: Sequence[Any]) -> Webinar:
    course = CourseFactory.create(programme=programme)
    webinar: Webinar = WebinarFactory.create(lesson=LessonFactory.create(course=course), starts_at=NOON)
    webinar.presenters.add(presenter)
    evaluation = make_evaluation(questions=OPTIONAL, lesson__course=course, about=webinar.lesson)
    for sheet in sheets:
        hand_in(evaluation, *sheet, "Well.")
    return webinar


def test_what_one_doctor_marked_is_in_no_mean() -> None:
    """Six sheets, but only one of them has numbers: they are six answers, and one doctor's."""
    grant = RoleGrantFactory.create(role="presenter")
    here = _optional(grant.programme, grant.user, [1] * 6, *[[None] * 6] * 5)
    enough = _optional(grant.programme, grant.user, *[[4, *[None] * 5]] * 5)
    report = report_of(here, now=NOON)
    assert feedback_charts.feedback(report) == []
    assert [(one.dimension, one.here, one.theirs, one.programme) for one in report.feedback.comparisons] == [
        (Dimension.CONTENT, None, 4.0, 4.0)
    ]
    assert [(point.mean, point.is_here) for point in report.feedback.trend] == [(4.0, False)]
    assert report.feedback.programme == 4.0
    means = {line.webinar: line.mean for line in overview_of(grant.user).lectures}
    assert means == {here: None, enough: 4.0}


def test_a_question_that_few_answered_does_not_move_the_mean_of_the_others() -> None:
    grant = RoleGrantFactory.create(role="presenter")
    here = _optional(grant.programme, grant.user, [4, 1, *[None] * 4], *[[4, *[None] * 5]] * 4)
    (row,) = report_of(here, now=NOON).feedback.comparisons
    assert (row.here, row.programme) == (4.0, 4.0)
    assert [line.mean for line in overview_of(grant.user).lectures] == [4.0]


def test_fewer_than_five_texts_are_no_themes(django_assert_num_queries: Any) -> None:
    programme = ProgrammeFactory.create()
    (few,) = _lectures([UserFactory.create()], programme, [5] * 4)
    (enough,) = _lectures([UserFactory.create()], programme, [5, 4, 5, 4, 5])
    assert report_of(few, now=NOON).feedback.themes == Themes()
    themes = report_of(enough, now=NOON).feedback.themes
    assert (themes.writers, [(one.words, one.people) for one in themes.themes]) == (5, [("slides", 5), ("small", 5)])
    with django_assert_num_queries(29):
        report_of(Webinar.objects.get(pk=enough.pk), now=NOON)


def test_sec_39_a_text_with_the_name_of_a_doctor_of_the_programme_is_not_quoted() -> None:
    programme = ProgrammeFactory.create()
    (webinar,) = _lectures([UserFactory.create()], programme, [5] * 4)
    EnrolmentFactory.create(programme=programme, user__first_name="Meera", user__last_name="Nair")
    evaluation = Evaluation.objects.get(about=webinar.lesson)
    for text in ("Slides, Nair!", "Slides! Or small@example.org"):
        hand_in(evaluation, 4, 4, text)
    found = report_of(Webinar.objects.get(pk=webinar.pk), now=NOON).feedback.themes
    assert {one.words: (one.people, one.examples) for one in found.themes} == {
        "slides": (6, ("Slides too small 5",)), "small": (5, ("Slides too small 5",)),
    }  # fmt: skip
