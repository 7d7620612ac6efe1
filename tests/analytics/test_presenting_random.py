"""What a presenter reads besides who came, on random data: questions, polls, tests, feedback; beside the reference."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from analytics.domain.presenting.items import items_of
from analytics.domain.presenting.overview import overview_of
from analytics.domain.presenting.polls import latest_polls_of
from analytics.domain.presenting.questions import questions_of
from analytics.domain.presenting.report import report_of
from analytics.views import feedback_charts
from assessments.enums import Dimension, Outcome, QuestionKind
from assessments.models import Answer, Evaluation, ItemVersion
from tests.analytics import reference
from tests.assessments.feedback import hand_in
from tests.assessments.figures_world import sat, versions_of
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, make_evaluation, make_item, make_quiz
from tests.factories.courses import CourseFactory, LessonFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.webinars.watching import NOON
from webinars.enums import Phase, PollKind, PollState, QuestionState
from webinars.models import Poll, PollVote, Question, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

questions = st.fixed_dictionaries(
    {
        "who": st.integers(0, 2),
        "state": st.sampled_from(QuestionState),
        "phase": st.sampled_from(Phase),
        "second": st.none() | st.floats(0, 900, allow_nan=False),
        "answered": st.none() | st.integers(1, 900),
        "is_elsewhere": st.sampled_from((False, False, False, True)),
    }
)


PUT_ASIDE = {"who": 0, "state": QuestionState.DISMISSED, "phase": Phase.LIVE, "second": 3.0, "answered": 30}
LATER = {**PUT_ASIDE, "state": QuestionState.ANSWERED, "answered": 900}


@given(drawn=st.lists(questions, max_size=8))
@example(drawn=[{**one, "is_elsewhere": False} for one in (PUT_ASIDE, LATER)])
@some
def test_questions(drawn: list[dict[str, Any]]) -> None:
    webinar, elsewhere = WebinarFactory.create(), WebinarFactory.create()
    people: list[User] = UserFactory.create_batch(3)
    first: dict[int, Question] = {}
    for one in drawn:
        where = elsewhere if one["is_elsewhere"] else webinar
        state = one["state"] if one["state"] != QuestionState.MERGED or where.pk in first else QuestionState.NEW
        made = Question.objects.create(
            webinar=where,
            author=people[one["who"]],
            text="Why?",
            state=state,
            merged_into=first[where.pk] if state == QuestionState.MERGED else None,
            phase=one["phase"],
            asked_at=NOON,
            asked_seconds=one["second"],
            answered_at=None if one["answered"] is None else NOON + timedelta(seconds=one["answered"]),
            published_at=NOON if state == QuestionState.PUBLISHED else None,
        )
        if state != QuestionState.MERGED:
            first.setdefault(where.pk, made)
    got, places = questions_of(webinar.pk)
    assert {name: getattr(got, name) for name in reference.asked(webinar)} == reference.asked(webinar)
    assert sorted((one.seconds, one.is_live) for one in places) == sorted(
        (one.asked_seconds, one.phase == Phase.LIVE)
        for one in reference.roots(webinar)
        if one.asked_seconds is not None
    )


votes = st.tuples(
    st.lists(st.integers(1, 4), max_size=3, unique=True),
    st.lists(st.sampled_from(("hope", "pain", "Pain")), max_size=3),
).filter(lambda vote: bool(vote[0] or vote[1]))
Drawn = tuple[PollKind, PollState, list[tuple[list[int], list[str]]]]
polls = st.tuples(st.sampled_from(PollKind), st.sampled_from((PollState.DRAFT, PollState.CLOSED)), st.lists(votes))


@given(drawn=st.lists(polls, max_size=4))
@some
def test_polls(drawn: list[Drawn]) -> None:
    webinar = WebinarFactory.create()
    shown = []
    for number, one in enumerate(drawn):
        poll = _poll(webinar, number, one)
        if poll.state != PollState.DRAFT:
            shown.append(poll)
    _check_polls(report_of(webinar, now=NOON).polls, shown)


@given(drawn=st.lists(st.tuples(st.integers(0, 2), polls), max_size=5), most=st.integers(1, 4))
@some
def test_the_newest_polls_of_several_lectures(drawn: list[tuple[int, Drawn]], most: int) -> None:
    """The third lecture is somebody else's. Two polls of one moment stand in the order of being made."""
    lectures: list[Webinar] = WebinarFactory.create_batch(3)
    made = [(which, _poll(lectures[which], number // 2, one)) for number, (which, one) in enumerate(drawn)]
    shown = [poll for which, poll in made if which < 2 and poll.state != PollState.DRAFT]
    newest = sorted(shown, key=lambda poll: (poll.opened_at, poll.pk), reverse=True)[:most]
    found, asked = latest_polls_of([one.pk for one in lectures[:2]], most=most)
    assert asked == len(shown)
    assert [one.webinar_id for one in found] == [poll.webinar_id for poll in newest]
    _check_polls([one.asked for one in found], newest)


def _poll(webinar: Webinar, number: int, drawn: Drawn) -> Poll:
    kind, state, given_votes = drawn
    opened = None if state == PollState.DRAFT else NOON + timedelta(minutes=number)
    poll = Poll.objects.create(
        webinar=webinar, kind=kind, question="Which?", state=state, opened_at=opened, closed_at=opened
    )
    for choices, words in given_votes:
        PollVote.objects.create(poll=poll, user=UserFactory.create(), choices=choices, words=words, at=NOON)
    return poll


def _check_polls(got: Sequence[dict[str, Any]], shown: Sequence[Poll]) -> None:
    assert [one["id"] for one in got] == [poll.pk for poll in shown]
    for one, poll in zip(got, shown, strict=True):
        expected = reference.poll_results(poll)
        mean = pytest.approx(expected.pop("mean"), abs=0.005) if expected["mean"] else expected.pop("mean")
        assert one["results"] == {"id": poll.pk, **expected, "mean": mean}


papers = st.tuples(
    st.lists(st.sampled_from(("a", "b", None)), min_size=4, max_size=4),
    st.booleans() | st.just(True),  # whether it counts
    st.none() | st.tuples(st.integers(0, 3), st.sampled_from(("waiting", "costs"))),
)


@given(drawn=st.lists(papers, min_size=4, max_size=9))
@some
def test_items_that_send_back_to_the_lecture(drawn: list[Any]) -> None:
    here, other = LessonFactory.create(), LessonFactory.create()
    bank = BankFactory.create()
    items = [make_item(bank=bank, watch=watch) for watch in ((here, 30), (here, None), (other, 30), (None, None))]
    quiz = make_quiz(items=items)
    for choices, counts, twist in drawn:
        attempt = sat(quiz, versions_of(items), choices, counts=counts)
        if twist is not None:
            position, how = twist
            change = (
                {"outcome": Outcome.WAITING, "share": None, "points": None}
                if how == "waiting"
                else {"outcome": Outcome.WRONG, "share": -0.5, "points": -0.5}
            )
            Answer.objects.filter(attempt=attempt, position=position).update(**change)
    for lessons in ([here], [here, other]):
        got = [
            (one.lesson_id, one.name, one.second, one.answers, one.right_percent, one.left_blank)
            for one in items_of([lesson.pk for lesson in lessons])
        ]
        expected = reference.items(*lessons)
        assert got == [(*line[:4], pytest.approx(line[4]), line[5]) for line in expected]


def test_a_question_that_was_moved_to_another_lecture_counts_with_each() -> None:
    """Once five have answered it there; its number of answers is that of its version."""
    here, other = LessonFactory.create(), LessonFactory.create()
    item = make_item(bank=BankFactory.create(), watch=(here, 30))
    quiz, (old,) = make_quiz(items=[item]), versions_of([item])
    new = ItemVersion.objects.create(
        item=item, number=2, stem="Moved?", shown=old.shown, key=old.key, made_at=NOON, watch_lesson=other
    )
    for version, choices in ((old, "aaabb"), (new, "abbbbb")):
        for choice in choices:
            sat(quiz, [version], [choice])
    found = [(one.lesson_id, one.second, one.answers) for one in items_of([here.pk, other.pk])]
    assert found == [line[:1] + line[2:4] for line in reference.items(here, other)]
    assert sorted(found, key=lambda one: one[2]) == [(here.pk, 30, 5), (other.pk, None, 6)]


ASKED: tuple[dict[str, Any], ...] = (
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.CONTENT, "text": "Sound?", "is_required": False},
    {"kind": QuestionKind.STARS, "dimension": Dimension.CONTENT, "text": "New?", "is_required": False},
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.DELIVERY, "text": "Clear?", "is_required": False},
    {"kind": QuestionKind.NPS, "dimension": Dimension.RECOMMENDATION, "text": "Recommend?", "is_required": False},
    {"kind": QuestionKind.TEXT, "dimension": Dimension.OTHER, "text": "Else?", "is_required": False},
)
step = st.none() | st.integers(1, 5)
sheets = st.lists(st.tuples(step, step, step, st.none() | st.integers(0, 10)), max_size=8)
FEW_OF_MANY = [(5, 1, None, 9), (5, 1, 4, None), *[(4, None, 3, 0)] * 4]


@given(drawn=st.lists(st.tuples(sheets, st.booleans()), min_size=1, max_size=3))
@example(drawn=[(FEW_OF_MANY, True), (FEW_OF_MANY[:5], True), (FEW_OF_MANY[:4], False)])
@settings(some, max_examples=8)
def test_feedback_on_the_page_in_the_list_and_beside_the_others(drawn: list[Any]) -> None:
    """The two questions on the contents may be left out, by all but a few: those few stand nowhere."""
    grant = RoleGrantFactory.create(role="presenter")
    lectures, evaluations = [], []
    for number, (filled, is_anonymous) in enumerate(drawn):
        webinar, evaluation = _lecture(
            grant.user, number, is_anonymous, CourseFactory.create(programme=grant.programme)
        )
        for sheet in filled:
            hand_in(evaluation, *sheet, "Well.")
        lectures.append(webinar)
        evaluations.append(evaluation)
    for line in overview_of(grant.user).lectures:
        assert line.webinar is not None
        assert line.mean == _near(reference.mean([evaluations[lectures.index(line.webinar)]]))
    for webinar, evaluation in zip(lectures, evaluations, strict=True):
        report = report_of(webinar, now=NOON)
        stacks = {one.label: list(one.counts or ()) for one in feedback_charts.feedback(report)}
        bars = reference.distribution(evaluation)
        assert stacks == {str(Dimension(name).label): counts for name, counts in bars.items()}
        for one in report.feedback.comparisons:
            others = [other for other in evaluations if other != evaluation]
            assert one.here == _near(reference.mean([evaluation], one.dimension))
            assert one.theirs == _near(reference.mean(others, one.dimension))
            assert one.programme == _near(reference.mean(evaluations, one.dimension))
        assert report.feedback.programme == _near(reference.mean(evaluations))


def _lecture(presenter: User, number: int, is_anonymous: bool, course: Any) -> tuple[Webinar, Evaluation]:
    webinar: Webinar = WebinarFactory.create(
        lesson=LessonFactory.create(course=course), starts_at=NOON + timedelta(days=number)
    )
    webinar.presenters.add(presenter)
    fields = {"lesson__course": course, "about": webinar.lesson, "is_anonymous": is_anonymous}
    return webinar, make_evaluation(questions=ASKED, **fields)


def _near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value)
