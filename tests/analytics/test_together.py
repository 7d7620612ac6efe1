"""All lectures of a presenter together, against counts in plain Python; and the page that shows them."""

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
from analytics.domain.presenting.together import together_of
from analytics.enums import DeviceKind
from assessments.models import EvaluationAnswer
from tests.analytics.lecture_world import well_visited
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WatchRecordFactory
from tests.signing_in import signed_in
from tests.webinars.watching import NOON, make_enrolment, make_webinar
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord, Webinar

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
    with django_assert_num_queries(2):
        again = " ".join(browser.get("/presenting/").content.decode().split())
    assert "Known of 52 of 80 viewings" in again


def test_who_is_no_presenter_any_more_does_not_see_what_was_made(presenter: User) -> None:
    browser = signed_in(presenter)
    assert "First of them" in browser.get("/presenting/").content.decode()
    Webinar.objects.order_by("pk")[0].presenters.remove(presenter)
    page = browser.get("/presenting/").content.decode()
    assert "First of them" not in page
    assert "Second of them" in page
