"""The page of a recording leads to its credit, and the page of credit says until when it is to be taken."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from certification.enums import ActivityState
from certification.models import Accreditation, Activity
from courses.domain.credited import credit_page_of
from courses.models import Lesson
from tests.factories.accounts import UserFactory
from tests.factories.certification import AccreditationFactory, grant
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.deeds import accredit, doctor_of, feedback_form, make_enduring, make_live, watch
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
WORDS = "Your credit for this webinar"


@pytest.fixture
def recording() -> Activity:
    return make_enduring(starts_at=timezone.now() - timedelta(days=1))


def text_of(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def earned(**settings: Any) -> tuple[Accreditation, User]:
    """47 minutes of an event that ended two hours ago."""
    live = make_live(starts_at=timezone.now() - timedelta(hours=3))
    user = doctor_of(live)
    watch(live, user, minutes=47)
    return accredit(live, **settings), user


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


@pytest.mark.parametrize(("number", "earlier"), [(15, ""), (16, "4 earlier ones")])
def test_a_long_list_has_the_latest_first_and_the_others_behind_one_tap(number: int, earlier: str) -> None:
    user = UserFactory.create()
    for day in range(number):
        grant(user=user, took_part_on=timezone.now().date() - timedelta(days=day))
    text = text_of(signed_in(user), "/credits/")
    assert (f"<summary>{earlier}</summary>" in text, "<details" in text.partition("<main")[2]) == (bool(earlier),) * 2
    assert text.count('class="credit-row"') == number


class TestUntilWhen:
    def test_until_when_it_can_be_taken_is_said_on_the_doctor_s_own_clock(self) -> None:
        accreditation, user = earned()
        User.objects.filter(pk=user.pk).update(timezone="Asia/Kolkata")
        there = timezone.now().astimezone(ZoneInfo("Asia/Kolkata"))
        midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
        Activity.objects.update(ends_at=midnight + timedelta(days=1))
        last = midnight + timedelta(days=1, weeks=8) - timedelta(minutes=1)
        year = "" if last.year == midnight.year else f" {last.year}"
        moment = f'{last:%A} {last.day} {last:%B}{year}, 23:59 <span class="zone nowrap">(Kolkata, UTC+5:30)</span>'
        browser = signed_in(user)
        for address in ("/credits/", f"/credits/{accreditation.pk}/"):
            text = text_of(browser, address)
            assert "Take it until <time datetime=" in text
            assert moment in text
        (credit,) = browser.get("/api/v1/credits/").json()["credits"]
        assert credit["take_until"].startswith(f"{last:%Y-%m-%dT23:59:59}")

    def test_what_is_missing_says_it_on_its_own_page_and_what_comes_by_itself_nowhere(self) -> None:
        accreditation, user = earned(parameters={"needs_acknowledgement": False})
        feedback_form(accreditation.activity)
        other = accredit(accreditation.activity, authority="eaccme")
        browser = signed_in(user)
        assert "It can be taken until" in text_of(browser, f"/credits/{accreditation.pk}/")
        assert "taken until" not in text_of(browser, f"/credits/{other.pk}/")
        assert "until <time" not in text_of(browser, "/credits/")
