"""The page of a recording leads to its credit."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from certification.enums import ActivityState
from certification.models import Activity
from courses.domain.credited import credit_page_of
from courses.models import Lesson
from tests.factories.certification import AccreditationFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.deeds import accredit, doctor_of, make_enduring
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
WORDS = "Your credit for this webinar"


@pytest.fixture
def recording() -> Activity:
    return make_enduring(starts_at=timezone.now() - timedelta(days=1))


def page_of(browser: Client, lesson: Lesson) -> str:
    answer = browser.get(f"/webinars/{Webinar.objects.get(lesson=lesson).pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_to_the_only_one_and_to_the_list_where_there_are_several(recording: Activity) -> None:
    only, browser = accredit(recording), signed_in(doctor_of(recording))
    text = page_of(browser, recording.lesson)
    assert (f'href="/credits/{only.pk}/"' in text, WORDS in text) == (True, True)
    assert browser.get(f"/credits/{only.pk}/").status_code == 200
    accredit(recording, authority="attendance", credits=0, parameters={})
    text = page_of(browser, recording.lesson)
    assert (f'href="/credits/{only.pk}/"' in text, WORDS in text) == (False, True)


@pytest.mark.parametrize("state", [ActivityState.DRAFT, ActivityState.CLOSED, None])
def test_nowhere_where_nothing_is_granted(recording: Activity, state: str | None) -> None:
    """Also where another webinar of the course has credit."""
    if state is not None:
        accredit(recording)
        Activity.objects.update(state=state, closed_at=timezone.now())
    AccreditationFactory.create(activity__lesson__course=recording.lesson.course)
    assert WORDS not in page_of(signed_in(doctor_of(recording)), recording.lesson)


def test_it_costs_one_query_and_none_for_what_is_no_webinar(
    recording: Activity, django_assert_num_queries: Any
) -> None:
    accredit(recording)
    credit_page_of(lesson=recording.lesson)
    with django_assert_num_queries(1):
        assert credit_page_of(lesson=recording.lesson) is not None
    quiz = LessonFactory.create(course=recording.lesson.course, kind="quiz")
    with django_assert_num_queries(0):
        assert credit_page_of(lesson=quiz) is None


def test_a_webinar_without_any_activity_has_none() -> None:
    webinar = WebinarFactory.create()
    user = EnrolmentFactory.create(programme=webinar.lesson.course.programme).user
    assert WORDS not in page_of(signed_in(user), webinar.lesson)
