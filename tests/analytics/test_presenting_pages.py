"""The presenter's pages: what stands on them, for whom, and what they cost."""

from typing import Any

import pytest
from django.core.cache import cache
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from analytics.domain.presenting.report import report_of
from analytics.models import PlaybackReport
from assessments.models import EvaluationAnswer
from courses.domain.roles import revoke_role
from courses.models import RoleGrant
from tests.analytics.lecture_world import well_visited
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, RoleGrantFactory
from tests.signing_in import signed_in
from tests.webinars.watching import NOON
from webinars.models import Chapter, WatchRecord, Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def presenter() -> User:
    course = CourseFactory.create()
    user: User = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    well_visited(course, user)
    return user


def _text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_a_presenter_reads_the_numbers_of_their_own_lecture(presenter: User) -> None:
    webinar = Webinar.objects.get()
    page = _text(signed_in(presenter).get(f"/presenting/{webinar.pk}/"))
    for words in (
        "Watched live",
        "of 40 doctors in the programme",
        "left within a minute",
        "By country",
        "India",
        "Which test first?",
    ):
        assert words in page
    assert "Was it clear?" not in page  # the dimension stands there, not the question
    for email in User.objects.exclude(pk=presenter.pk).values_list("email", flat=True):
        assert email not in page


def test_new_numbers_stand_on_the_page(presenter: User) -> None:
    webinar = Webinar.objects.get()
    page = _text(signed_in(presenter).get(f"/presenting/{webinar.pk}/"))
    for words in (
        "At most 30 people were there in the same minute, at 17:35 on 21 Nov.",
        "Known of 26 of 40 viewings",
        "13 doctors again",
        "14:19–15:19",
        "case studies",
        "of 9 who wrote something",
    ):
        assert words in page, words


def test_all_minutes_different_minutes_and_the_share_of_answers_stand_on_the_page(presenter: User) -> None:
    """Of fourteen questions nine are answered. Thirty live, ten in the recording alone, and some in both."""
    webinar = Webinar.objects.get()
    report = report_of(webinar, now=NOON)
    page = _text(signed_in(presenter).get(f"/presenting/{webinar.pk}/"))
    assert 0 < report.unique_minutes < report.audience.total.minutes
    assert f'<b class="num">{report.audience.total.minutes:,}</b>' in page
    assert f"<p>{report.unique_minutes:,} if what a doctor saw twice counts once</p>" in page
    assert "<p>9 answered (64 %)" in page
    everything = sum(WatchRecord.objects.values_list("seen_seconds", flat=True))
    assert report.audience.total.minutes == everything // 60
    assert "presenters and staff without one do not" in page


def test_who_stayed_to_the_end_is_said_when_there_is_one(presenter: User) -> None:
    webinar = Webinar.objects.get()
    assert "known when it has ended" not in _text(signed_in(presenter).get(f"/presenting/{webinar.pk}/"))
    Webinar.objects.update(ended_at=None)
    cache.clear()
    page = _text(signed_in(presenter).get(f"/presenting/{webinar.pk}/"))
    assert '<p>Stayed to the end</p><b class="num">–</b><p>known when it has ended</p>' in page


def test_a_lecture_whose_players_told_nothing_says_so(presenter: User) -> None:
    PlaybackReport.objects.all().delete()
    page = _text(signed_in(presenter).get(f"/presenting/{Webinar.objects.get().pk}/"))
    assert "Known of 0 of 40 viewings" in page
    assert "doctors again" not in page


def test_what_doctors_wrote_is_text(presenter: User) -> None:
    EvaluationAnswer.objects.exclude(text="").update(text="</bdi><script>alert(1)</script> slides")
    page = _text(signed_in(presenter).get(f"/presenting/{Webinar.objects.get().pk}/"))
    assert "<script>alert" not in page
    assert "&lt;/bdi&gt;&lt;script&gt;alert(1)" in page


def test_titles_of_chapters_and_polls_are_text(presenter: User) -> None:
    Chapter.objects.update(title="<script>alert(1)</script>")
    page = _text(signed_in(presenter).get(f"/presenting/{Webinar.objects.get().pk}/"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_who_only_attends_sees_no_numbers(presenter: User) -> None:
    webinar = Webinar.objects.get()
    doctor = EnrolmentFactory.create(programme=webinar.lesson.course.programme).user
    another = RoleGrantFactory.create(programme=webinar.lesson.course.programme, role=Role.PRESENTER).user
    assert signed_in(doctor).get(f"/presenting/{webinar.pk}/").status_code == 403
    assert signed_in(another).get(f"/presenting/{webinar.pk}/").status_code == 403
    assert signed_in(UserFactory.create()).get(f"/presenting/{webinar.pk}/").status_code == 404
    assert "You are not named as a presenter yet" in _text(signed_in(doctor).get("/presenting/"))


def test_sec_19_who_is_a_presenter_no_more_reads_no_numbers_also_of_lectures_they_gave(presenter: User) -> None:
    """The lecture goes on saying who gave it; the place as a doctor stays."""
    webinar = Webinar.objects.get()
    programme = webinar.lesson.course.programme
    EnrolmentFactory.create(user=presenter, programme=programme)
    addresses = [f"/presenting/{webinar.pk}/{rest}" for rest in ("", "report.pdf", "export/questions.csv")]
    addresses.append(f"/api/v1/reports/webinars/{webinar.pk}/questions/")
    browser = signed_in(presenter)
    assert [browser.get(address).status_code for address in addresses] == [200, 200, 200, 200]
    revoke_role(grant=RoleGrant.objects.get(user=presenter), revoked_by=None, now=now())
    RoleGrantFactory.create(user=presenter, role=Role.PRESENTER)
    assert list(webinar.presenters.all()) == [presenter]
    assert [browser.get(address).status_code for address in addresses] == [403, 403, 403, 403]
    RoleGrantFactory.create(user=presenter, programme=programme, role=Role.PRESENTER)
    assert browser.get(addresses[0]).status_code == 200


def test_the_numbers_are_made_once_for_all_who_look(presenter: User, django_assert_max_num_queries: Any) -> None:
    webinar = Webinar.objects.get()
    browser = signed_in(presenter)
    first = browser.get(f"/presenting/{webinar.pk}/")
    with django_assert_max_num_queries(12):
        again = browser.get(f"/presenting/{webinar.pk}/", headers={"x-fragment": "1"})
    numbers, over = again.content.decode().rsplit("<span data-over", 1)
    assert numbers in first.content.decode()
    assert over == " hidden></span>"  # it is not live: who asks again may stop


def test_a_lecture_in_the_list_costs_its_curve_and_its_polls_and_no_more(
    presenter: User, django_assert_num_queries: Any
) -> None:
    """One sweep for each, and three queries for each poll, of which ten are shown at most."""
    browser = signed_in(presenter)
    browser.get("/presenting/")
    course = Webinar.objects.get().lesson.course
    for number, title in ((2, "Second of them"), (3, "Third of them")):
        well_visited(course, presenter, title=title)
        with django_assert_num_queries(23 + 4 * number):
            page = _text(browser.get("/presenting/"))
        assert title in page
