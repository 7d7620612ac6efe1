"""All lectures of a presenter together, against counts in plain Python; and the page that shows them."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.enums import Role
from accounts.models import User
from analytics.domain.presenting.audience import Group
from analytics.domain.presenting.questions import question_figures_of, questions_of
from analytics.domain.presenting.report import report_of
from analytics.domain.presenting.themes import Themes, themes_of
from analytics.domain.presenting.together import together_of
from analytics.enums import DeviceKind
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationAnswer, EvaluationResponse
from tests.analytics import reference
from tests.analytics.lecture_world import well_visited
from tests.assessments.feedback import questions_of as asked_of
from tests.assessments.figures_world import sat, versions_of
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, make_evaluation, make_item, make_quiz
from tests.factories.courses import CourseFactory, EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.signing_in import signed_in
from tests.webinars.watching import NOON, make_enrolment, make_webinar
from webinars.enums import Phase, PollState
from webinars.models import Poll, Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
places = st.tuples(st.sampled_from(["IN", "BR", ""]), st.sampled_from(["Cardiology", ""]), st.integers(0, 2))
comings = st.sets(
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.sampled_from(["live", "on_demand", "visit", "nothing"])),
    max_size=20,
)


def _group(name: str, people: dict[int, set[str]]) -> Group:
    live = {one for one, ways in people.items() if ways & {"live", "visit"}}
    recorded = {one for one, ways in people.items() if "on_demand" in ways}
    return Group(name, len(people), len(live), len(recorded), len(live & recorded))


@given(people=st.lists(places, min_size=6, max_size=6), comings=comings)
@some
def test_a_person_counts_once_in_however_many_lectures(
    people: list[tuple[str, str, int]], comings: set[tuple[int, int, str]]
) -> None:
    webinars = [make_webinar(make_enrolment()) for _ in range(3)]  # each in a programme of its own
    users = [UserFactory.create(country=country, specialty=specialty) for country, specialty, _ in people]
    for user, (_country, _specialty, many) in zip(users, people, strict=True):
        for webinar in webinars[:many]:
            EnrolmentFactory.create(user=user, programme=webinar.lesson.course.programme)
    came: dict[int, set[str]] = {}
    for person, place, way in comings:
        user, webinar = users[person], webinars[place]
        if way == "visit":
            Visit.objects.create(user=user, webinar=webinar, joined_at=NOON, seen_at=NOON + timedelta(minutes=5))
        else:
            seen = ((0, 60),) if way != "nothing" else ()
            phase = Phase.ON_DEMAND if way == "on_demand" else Phase.LIVE
            if WatchRecord.objects.filter(user=user, webinar=webinar, phase=phase).exists():
                continue
            WatchRecordFactory.create(user=user, webinar=webinar, phase=phase, coverage=seen)
            if not seen:
                continue
        if place < min(2, people[person][2]):
            came.setdefault(person, set()).add(way)

    found = together_of(webinars[:2])

    for groups, column in ((found.countries, 0), (found.specialties, 1)):
        names = {str(people[person][column]) for person in came}
        expected = [
            _group(name, {one: ways for one, ways in came.items() if people[one][column] == name}) for name in names
        ]
        assert list(groups) == sorted(expected, key=lambda one: (-one.people, one.name))
    assert together_of([]).countries == ()


def test_what_doctors_thought_is_the_mean_of_all_their_answers(presenter: User) -> None:
    totals: dict[str, list[int]] = {}
    for answer in EvaluationAnswer.objects.exclude(number=None).select_related("question"):
        totals.setdefault(answer.question.dimension, []).append(answer.number or 0)
    assert len(totals) == 4
    thought = dict(together_of(list(Webinar.objects.all())).thought)
    assert thought == {one: pytest.approx(sum(given) / len(given)) for one, given in totals.items()}
    assert together_of([]).thought == ()


@pytest.fixture
def presenter() -> User:
    course = CourseFactory.create()
    user: User = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    for title in ("First of them", "Second of them"):
        well_visited(course, user, title=title)
    return user


def test_two_lectures_have_the_questions_and_viewings_of_both(presenter: User) -> None:
    first, second = Webinar.objects.order_by("pk")
    both = together_of([first, second])
    each = [together_of([one]) for one in (first, second)]

    assert both.questions == question_figures_of([first.pk, second.pk])
    assert both.questions.asked == sum(one.questions.asked for one in each) == 2 * questions_of(first.pk)[0].asked
    assert both.devices.viewings == sum(one.devices.viewings for one in each) == 80
    kinds: Counter[DeviceKind] = Counter()
    for one in each:
        kinds.update(dict(one.devices.kinds))
    assert dict(both.devices.kinds) == kinds


def test_the_page_shows_all_of_them_together(presenter: User, django_assert_num_queries: Any) -> None:
    browser = signed_in(presenter)
    page = " ".join(browser.get("/presenting/").content.decode().split())
    for words in (
        "Where they were",
        "By country",
        "By specialty",
        "What they thought",
        "Known of 52 of 80 viewings",
        "% answered",
    ):
        assert words in page, words
    for words in (
        "How long they stayed",
        "Of 2 lectures (viewers: 80)",
        "Which test first?",
        "25 votes",
        "of 18 who",
    ):
        assert words in page, words
    order = (
        "Doctors reached",
        "First of them",
        "How long they",
        "Where they",
        "What they thought",
        "Polls",
        "What they w",
    )
    assert sorted(page.index(words) for words in order) == [page.index(words) for words in order]
    with django_assert_num_queries(2):
        again = " ".join(browser.get("/presenting/").content.decode().split())
    assert "Known of 52 of 80 viewings" in again


sheets = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(("Small slides", "slides, too small", "Good", ""))))


@given(drawn=st.lists(st.tuples(sheets, st.booleans()), min_size=3, max_size=3))
@settings(some, max_examples=12)
def test_what_doctors_wrote_about_several_lectures(drawn: list[tuple[list[tuple[int, str]], bool]]) -> None:
    """Whoever gave their name counts once in all of them. What the last lecture was told is somebody else's."""
    people: list[User] = UserFactory.create_batch(7)
    webinars, asked = [], []
    for written, is_anonymous in drawn:
        webinar: Webinar = WebinarFactory.create()
        evaluation = make_evaluation(questions=WORDS, about=webinar.lesson, is_anonymous=is_anonymous)
        for person, text in dict(written).items():  # one sheet a person
            hand_over(evaluation, None if is_anonymous else people[person], text)
        webinars.append(webinar)
        asked.append(evaluation)
    texts = reference.written(asked[:2])
    themes = together_of(webinars[:2]).themes
    assert themes == themes_of(texts)
    assert themes.writers == len({who for who, _text in texts})
    assert report_of(webinars[0], now=NOON).feedback.themes == themes_of(reference.written(asked[:1]))


WORDS: tuple[dict[str, Any], ...] = (
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.CONTENT, "text": "Sound?", "is_required": False},
    {"kind": QuestionKind.TEXT, "dimension": Dimension.OTHER, "text": "Else?", "is_required": False},
)


def hand_over(evaluation: Evaluation, person: User | None, text: str) -> None:
    """A sheet with words, or (without any) with a mark."""
    form = evaluation.form
    assert form is not None
    response = EvaluationResponse.objects.create(evaluation=evaluation, form=form, user=person, answered_on=NOON.date())
    marked, said = asked_of(evaluation)
    if text:
        EvaluationAnswer.objects.create(response=response, question=said, text=text)
    else:
        EvaluationAnswer.objects.create(response=response, question=marked, number=4)


def test_who_writes_the_same_about_three_lectures_is_one_doctor_where_the_name_is_known() -> None:
    webinars: list[Webinar] = WebinarFactory.create_batch(3)
    person = UserFactory.create()
    for webinar in webinars:
        evaluation = make_evaluation(questions=WORDS, about=webinar.lesson, is_anonymous=False)
        hand_over(evaluation, person, "Small slides")
    assert together_of(webinars).themes == Themes(1)


def test_no_example_names_a_doctor_of_any_of_the_programmes() -> None:
    webinars: list[Webinar] = WebinarFactory.create_batch(2)
    EnrolmentFactory.create(programme=webinars[1].lesson.course.programme, user__last_name="Nair")
    evaluation = make_evaluation(questions=WORDS, about=webinars[0].lesson)
    for text in ("Slides, Nair!", *["Slides were small"] * 4):
        hand_over(evaluation, None, text)
    found = {one.words: (one.people, one.examples) for one in together_of(webinars).themes.themes}
    assert found == {"slides": (5, ("Slides were small",)), "small": (4, ("Slides were small",))}


def test_of_many_polls_and_test_questions_ten_are_shown_and_where_the_others_are() -> None:
    mine, theirs = WebinarFactory.create(starts_at=NOON), WebinarFactory.create(starts_at=NOON)
    presenter = RoleGrantFactory.create(programme=mine.lesson.course.programme, role=Role.PRESENTER).user
    mine.presenters.add(presenter)
    lessons = [mine.lesson] * 11 + [theirs.lesson]
    items = [
        make_item(bank=BankFactory.create(), name=f"Item {n:02}", watch=(one, 65)) for n, one in enumerate(lessons)
    ]
    quiz = make_quiz(items=items)
    for right in range(5):
        sat(quiz, versions_of(items), ["b" if right * 3 <= number else "a" for number in range(12)])
    for number in range(12):
        _closed(theirs if number == 11 else mine, number)

    page = " ".join(signed_in(presenter).get("/presenting/").content.decode().split())

    polls = re.findall(r">Poll (\d\d)<", page)
    assert polls == [f"{one:02}" for one in range(10, 0, -1)]
    # Twice each: in the picture and in its table. Those that equally many got right stand in the order of their names.
    assert re.findall(r">Item (\d\d)<", page) == [f"{one:02}" for one in range(10)] * 2
    assert "Earlier polls stand on the pages of their lectures." in page
    assert "All others stand on the pages of their lectures." in page
    assert f'<a href="/presenting/{mine.pk}/">' in page
    assert "at 1:05" in page


def _closed(webinar: Webinar, number: int) -> None:
    at = NOON + timedelta(minutes=number)
    Poll.objects.create(
        webinar=webinar, question=f"Poll {number:02}", state=PollState.CLOSED, opened_at=at, closed_at=at
    )


def test_who_is_no_presenter_any_more_does_not_see_what_was_made(presenter: User) -> None:
    browser = signed_in(presenter)
    assert "First of them" in browser.get("/presenting/").content.decode()
    Webinar.objects.order_by("pk")[0].presenters.remove(presenter)
    page = browser.get("/presenting/").content.decode()
    assert "First of them" not in page
    assert "Second of them" in page
