"""The watch page as the server gives it: what it says in every state, whom it lets at the video, and what it costs."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from courses.domain.completion import complete_lesson
from courses.models import Course, Lesson
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, RoleGrantFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.signing_in import signed_in
from webinars.models import PlaySession, Webinar

pytestmark = pytest.mark.django_db
QUERIES = 10  # one of them for whether there is credit for it


@pytest.fixture
def doctor() -> User:
    return UserFactory.create(medical_council="KMC", registration_number="48213", first_name="Meera", timezone="UTC")


@pytest.fixture
def course(doctor: User) -> Course:
    course: Course = CourseFactory.create(title="Endometriosis")
    EnrolmentFactory.create(user=doctor, programme=course.programme)
    return course


def make_webinar(course: Course, title: str = "The evidence", video: Any = ..., **lesson: Any) -> Webinar:
    options = {} if video is ... else {"video": video}
    made: Webinar = WebinarFactory.create(lesson=LessonFactory.create(course=course, title=title, **lesson), **options)
    return made


def read(client: Client, webinar: Webinar) -> str:
    response = client.get(f"/webinars/{webinar.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def settings_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="player-config" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    settings: dict[str, Any] = json.loads(found[1])
    return settings


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_page_says_where_to_continue_and_lets_the_browser_at_the_video(doctor: User, course: Course) -> None:
    webinar = make_webinar(course)
    presenter = UserFactory.create(first_name="Ana", last_name="Ribeiro")
    webinar.presenters.add(presenter)
    WatchRecordFactory.create(user=doctor, webinar=webinar, coverage=((0, 1440),), position_seconds=1450.25)
    client = signed_in(doctor)
    page = read(client, webinar)
    assert "24 min seen" in words(page)
    assert "36 min still unseen" in words(page)
    assert "Dr Ana Ribeiro · recorded lecture, 1 h · counts when you have watched 90 %" in words(page)
    assert '<p class="player-mark" data-part="mark" aria-hidden="true">Dr Meera Nair · KMC 48213</p>' in page
    settings = settings_of(page)
    assert settings["position"] == 1450.25
    assert settings["coverage"] == [[0, 1440]]
    assert (settings["duration"], settings["required"], settings["is_done"]) == (3600, 3240, False)
    assert f'<source src="{settings["sources"]["mp4"]}#t=1450" type="video/mp4">' in page
    assert set(client.cookies) == {"sessionid", "csrftoken", f"media_{webinar.video.key}"}  # type: ignore[union-attr]


def test_nothing_of_the_page_is_kept_anywhere(doctor: User, course: Course) -> None:
    """sec_35: a shared computer must not show it to the next person."""
    response = signed_in(doctor).get(f"/webinars/{make_webinar(course).pk}/")
    assert "no-store" in response["Cache-Control"]


def test_the_cost_is_the_same_for_one_lesson_and_for_many(doctor: User, course: Course) -> None:
    webinar = make_webinar(course)
    client = signed_in(doctor)
    read(client, webinar)
    with CaptureQueriesContext(
        connection,
    ) as one:
        read(client, webinar)
    for number in range(5):
        other = make_webinar(course, title=f"Lecture {number}")
        other.presenters.add(UserFactory.create())
        webinar.presenters.add(UserFactory.create())
        WatchRecordFactory.create(user=doctor, webinar=other)
        before: Course = CourseFactory.create(programme=course.programme)
        course.prerequisites.add(before)
        complete = LessonFactory.create(course=before)
        complete_lesson(user_id=doctor.pk, lesson_id=complete.pk, evidence={}, now=now())
    with CaptureQueriesContext(connection) as many:
        read(client, webinar)
    assert len(many) == len(one) == QUERIES, [query["sql"] for query in many]


@pytest.mark.parametrize(
    ("lesson", "expected"),
    [
        ({"opens_at": timedelta(days=2)}, "This lecture opens on "),
        ({"closes_at": timedelta(days=-2)}, "This lecture closed on "),
        ({"video": None}, "The recording of this lecture is being prepared."),
    ],
)
def test_a_lecture_that_cannot_be_watched_now_says_why(
    doctor: User, course: Course, lesson: dict[str, Any], expected: str
) -> None:
    values = {name: value and now() + value for name, value in lesson.items()}
    webinar = make_webinar(course, **values)
    client = signed_in(doctor)
    page = read(client, webinar)
    assert expected in words(page)
    assert "player-config" not in page
    assert not [name for name in client.cookies if name.startswith("media_")]
    assert client.get(f"/webinars/{webinar.pk}/keep-alive/").status_code == 404


def test_a_locked_lecture_names_what_comes_first(doctor: User, course: Course) -> None:
    first: Course = CourseFactory.create(programme=course.programme, title="Preconception counselling")
    course.prerequisites.add(first)
    client = signed_in(doctor)
    webinar = make_webinar(course)
    page = read(client, webinar)
    assert "Please complete first: Preconception counselling" in words(page)
    complete = LessonFactory.create(course=first)
    complete_lesson(user_id=doctor.pk, lesson_id=complete.pk, evidence={}, now=now())
    assert "player-config" in read(client, webinar)


def test_the_lessons_of_the_course_stand_beside_it_with_the_next_one(doctor: User, course: Course) -> None:
    first, second = make_webinar(course, "One"), make_webinar(course, "Two")
    make_webinar(course, "Three", opens_at=now() + timedelta(days=40))
    hidden = make_webinar(CourseFactory.create(programme=course.programme), "Elsewhere")
    client = signed_in(doctor)
    page = read(client, first)
    assert re.findall(r'<h3><a href="/webinars/(\d+)/"', page) == [str(second.pk)]
    assert hidden.lesson.title not in page
    assert "Next lesson" in words(page)
    complete_lesson(user_id=doctor.pk, lesson_id=second.lesson_id, evidence={}, now=now())
    page = read(client, first)
    assert "Next lesson" not in words(page)
    assert "Two Completed" in words(page)


def test_a_completed_lecture_says_so(doctor: User, course: Course) -> None:
    webinar = make_webinar(course)
    complete_lesson(user_id=doctor.pk, lesson_id=webinar.lesson_id, evidence={}, now=now())
    page = read(signed_in(doctor), webinar)
    assert 'data-part="done">' in page
    assert settings_of(page)["is_done"] is True


def test_foreign_and_absent_webinars_look_the_same(doctor: User, course: Course) -> None:
    foreign = make_webinar(CourseFactory.create())
    client = signed_in(doctor)
    answers = [
        client.get(f"/webinars/{pk}/{page}") for pk in (foreign.pk, 10**9, 10**30) for page in ("", "keep-alive/")
    ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert not [name for name in client.cookies if name.startswith("media_")]


def test_strangers_are_sent_to_sign_in_and_nobody_posts(doctor: User, course: Course) -> None:
    address = f"/webinars/{make_webinar(course).pk}/"
    for path in (address, f"{address}keep-alive/"):
        assert Client().get(path)["Location"] == f"/sign-in/?next={path}"
        assert signed_in(doctor).post(path).status_code == 405


def test_the_hidden_frame_renews_the_grant_and_may_only_be_framed_here(doctor: User, course: Course) -> None:
    webinar = make_webinar(course)
    client = signed_in(doctor)
    response = client.get(f"/webinars/{webinar.pk}/keep-alive/")
    assert f"media_{webinar.video.key}" in response.cookies  # type: ignore[union-attr]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert '<meta http-equiv="refresh" content="240">' in response.content.decode()


def test_sec_22_names_and_titles_are_shown_as_they_are_written(course: Course) -> None:
    nasty = "</script><img src=x onerror=alert(1)>"
    doctor = UserFactory.create(first_name=nasty, registration_number=nasty[:60])
    EnrolmentFactory.create(user=doctor, programme=course.programme)
    Course.objects.filter(pk=course.pk).update(title=nasty)
    webinar = make_webinar(course, title=nasty, summary=nasty)
    page = read(signed_in(doctor), webinar)
    assert "<img src=x" not in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page


def test_without_a_registration_number_the_mark_names_the_address(course: Course) -> None:
    doctor = UserFactory.create(first_name="Noor", last_name="Haddad", registration_number="")
    EnrolmentFactory.create(user=doctor, programme=course.programme)
    assert f">Dr Noor Haddad · {doctor.email}</p>" in read(signed_in(doctor), make_webinar(course))


CLOSED_TO_DOCTORS = (
    ({"opens_at": timedelta(days=30)}, "Preview: doctors cannot open it before "),
    ({"closes_at": timedelta(days=-2)}, "Preview: for doctors this lecture is closed."),
)


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
@pytest.mark.parametrize(("window", "banner"), CLOSED_TO_DOCTORS)
def test_staff_look_at_a_lecture_outside_its_dates(
    course: Course, role: str, window: dict[str, timedelta], banner: str
) -> None:
    webinar, other = make_webinar(course), make_webinar(course, "Another")
    Lesson.objects.update(**{name: now() + value for name, value in window.items()})
    client = signed_in(RoleGrantFactory.create(programme=course.programme, role=role).user)
    page = read(client, webinar)
    assert banner in words(page)
    assert "Nothing you do here is counted." in words(page)
    assert settings_of(page)["webinar"] == webinar.pk
    assert f'<a href="/webinars/{other.pk}/">' in page
    assert f'<a href="/webinars/{webinar.pk}/">' in client.get(f"/programmes/{course.programme.slug}/").content.decode()
    assert f"media_{webinar.video.key}" in client.cookies  # type: ignore[union-attr]
    assert client.get(f"/webinars/{webinar.pk}/keep-alive/").status_code == 200
    started = client.post(f"/api/v1/webinars/{webinar.pk}/play-sessions/", {}, content_type="application/json")
    assert started.status_code == 201
    assert PlaySession.objects.get().enrolment is None


def test_staff_look_at_a_lecture_that_waits_for_another_course(course: Course) -> None:
    course.prerequisites.add(CourseFactory.create(programme=course.programme))
    webinar = make_webinar(course)
    page = read(signed_in(RoleGrantFactory.create(programme=course.programme).user), webinar)
    assert "Preview: doctors have to complete other parts first." in words(page)
    assert "player-config" in page


def test_nobody_else_looks_at_a_lecture_outside_its_dates(doctor: User, course: Course) -> None:
    """Not a doctor, not staff who are enrolled as one, not staff of another programme, not the other roles here."""
    webinar = make_webinar(course, opens_at=now() + timedelta(days=30))
    enrolled = RoleGrantFactory.create(programme=course.programme).user
    EnrolmentFactory.create(user=enrolled, programme=course.programme)
    elsewhere = RoleGrantFactory.create(user=UserFactory.create()).user
    EnrolmentFactory.create(user=elsewhere, programme=course.programme)
    presenter = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    for person in (doctor, enrolled, elsewhere, presenter):
        client = signed_in(person)
        page = read(client, webinar)
        assert "This lecture opens on " in words(page)
        assert "player-config" not in page
        programme = client.get(f"/programmes/{course.programme.slug}/").content.decode()
        assert f'href="/webinars/{webinar.pk}/"' not in programme
        assert client.get(f"/webinars/{webinar.pk}/keep-alive/").status_code == 404
        started = client.post(f"/api/v1/webinars/{webinar.pk}/play-sessions/", {}, content_type="application/json")
        assert started.status_code == 409
        assert not [name for name in client.cookies if name.startswith("media_")]


def test_a_preview_by_staff_says_that_nothing_counts(course: Course) -> None:
    superuser = User.objects.create_superuser("chief@example.org")
    page = read(signed_in(superuser), make_webinar(course))
    assert "You see this lecture as a preview. Nothing you do here is counted." in words(page)


class TestAskedStart:
    """`?at=` is where other pages link to; where one continues is another thing."""

    def start(self, client: Client, webinar: Webinar, at: str) -> tuple[Any, str]:
        page = client.get(f"/webinars/{webinar.pk}/?at={at}").content.decode()
        source = re.search(r'<source src="[^"]*\.mp4#t=(\d+)"', page)
        assert source
        return settings_of(page)["start"], source[1]

    def test_the_player_begins_there_and_the_place_to_continue_stays(self, doctor: User, course: Course) -> None:
        webinar = make_webinar(course)
        record = WatchRecordFactory.create(user=doctor, webinar=webinar, coverage=((0, 40),), position_seconds=40.0)
        client = signed_in(doctor)
        before = settings_of(read(client, webinar))

        assert (before["start"], before["position"]) == (None, 40.0)
        assert self.start(client, webinar, "25") == (25, "25")
        assert settings_of(client.get(f"/webinars/{webinar.pk}/?at=25").content.decode())["position"] == 40.0
        record.refresh_from_db()
        assert (record.position_seconds, record.coverage) == (40.0, ((0, 40),))

    @pytest.mark.parametrize("odd", ["", "x", "-5", "1e3", "99999999", "999999", "١٢"])
    def test_what_is_no_place_in_it_is_ignored(self, doctor: User, course: Course, odd: str) -> None:
        webinar = make_webinar(course)
        WatchRecordFactory.create(user=doctor, webinar=webinar, coverage=((0, 40),), position_seconds=40.0)
        assert self.start(signed_in(doctor), webinar, odd) == (None, "40")
