"""Programmes, courses and lessons over the API: who sees what, in what order, at what cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import User
from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor() -> User:
    return UserFactory.create()


@pytest.fixture
def as_doctor(client: Client, doctor: User) -> Client:
    client.force_login(doctor)
    return client


@pytest.fixture
def programme(doctor: User) -> Programme:
    programme = ProgrammeFactory.create()
    EnrolmentFactory.create(user=doctor, programme=programme)
    return programme


def slugs(body: dict[str, Any]) -> list[str]:
    return [row["slug"] for row in body["results"]]


class TestProgrammes:
    def test_lists_exactly_the_doctors_own(self, as_doctor: Client, doctor: User, programme: Programme) -> None:
        EnrolmentFactory.create(programme=ProgrammeFactory.create())  # somebody else's
        EnrolmentFactory.create(user=doctor, status=EnrolmentStatus.SUSPENDED)
        EnrolmentFactory.create(user=doctor, programme=ProgrammeFactory.create(status=PublishStatus.DRAFT))

        assert slugs(as_doctor.get("/api/v1/programmes/").json()) == [programme.slug]

    def test_pages_by_cursor_without_gap_or_repeat_while_rows_are_added(self, as_doctor: Client, doctor: User) -> None:
        made = [EnrolmentFactory.create(user=doctor).programme.slug for _ in range(5)]
        first = as_doctor.get("/api/v1/programmes/?page_size=2").json()
        EnrolmentFactory.create(user=doctor)  # newest first: it would push every numbered page by one
        second = as_doctor.get(first["next"]).json()
        third = as_doctor.get(second["next"]).json()

        assert slugs(first) + slugs(second) + slugs(third) == made[::-1]
        assert third["next"] is None
        assert slugs(as_doctor.get(third["previous"]).json()) == slugs(second)

    @pytest.mark.parametrize("cursor", ["x", "cD0x", "%00", "é", "bz0xMDAwMDAwMDAwMDAwMDA=", "1" * 9000])
    def test_a_made_up_cursor_is_a_bad_request(self, as_doctor: Client, cursor: str) -> None:
        response = as_doctor.get(f"/api/v1/programmes/?cursor={cursor}")

        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"

    def test_a_cursor_of_another_list_is_a_bad_request(self, as_doctor: Client, programme: Programme) -> None:
        CourseFactory.create_batch(2, programme=programme)
        following = as_doctor.get(f"/api/v1/programmes/{programme.slug}/courses/?page_size=1").json()["next"]

        response = as_doctor.get("/api/v1/programmes/?" + following.partition("?")[2])

        assert response.status_code == 400

    @pytest.mark.parametrize("size", ["0", "-1", "abc", "9" * 40])
    def test_an_odd_page_size_falls_back(self, as_doctor: Client, programme: Programme, size: str) -> None:
        assert slugs(as_doctor.get(f"/api/v1/programmes/?page_size={size}").json()) == [programme.slug]

    def test_shows_own_progress_and_none_to_the_presenter(self, client: Client, programme: Programme) -> None:
        presenter = RoleGrantFactory.create(role=Role.PRESENTER, programme=programme).user
        client.force_login(presenter)

        body = client.get(f"/api/v1/programmes/{programme.slug}/").json()

        assert body["title"] == programme.title
        assert body["progress"] is None

    def test_detail_of_a_foreign_programme_is_as_absent(self, as_doctor: Client) -> None:
        foreign = ProgrammeFactory.create()

        one, two = (as_doctor.get(f"/api/v1/programmes/{slug}/") for slug in (foreign.slug, "no-such"))

        assert one.status_code == two.status_code == 404
        assert {**one.json(), "instance": 0, "request_id": 0} == {**two.json(), "instance": 0, "request_id": 0}


class TestCoursesAndLessons:
    def test_courses_come_in_order_with_state(self, as_doctor: Client, programme: Programme) -> None:
        later = CourseFactory.create(programme=programme, position=2, opens_at=now() + timedelta(days=3))
        first = CourseFactory.create(programme=programme, position=1)
        CourseFactory.create(programme=programme, position=3, status=PublishStatus.DRAFT)
        CourseFactory.create()  # foreign

        rows = as_doctor.get(f"/api/v1/programmes/{programme.slug}/courses/").json()["results"]

        assert [(row["id"], row["state"], row["availability"]["state"]) for row in rows] == [
            (first.pk, "not_started", "open"),
            (later.pk, "later", "not_yet"),
        ]

    def test_a_locked_lesson_names_what_comes_first(self, as_doctor: Client, programme: Programme) -> None:
        course = CourseFactory.create(programme=programme, is_sequential=True)
        one, two = LessonFactory.create_batch(2, course=course)

        rows = as_doctor.get(f"/api/v1/courses/{course.pk}/lessons/").json()["results"]

        assert [(row["id"], row["availability"]["state"], row["availability"]["waits_for"]) for row in rows] == [
            (one.pk, "open", []),
            (two.pk, "locked", [one.title]),
        ]
        assert as_doctor.get(f"/api/v1/lessons/{two.pk}/").json() == rows[1]

    def test_an_archived_course_is_gone_for_its_presenter_too(self, client: Client, programme: Programme) -> None:
        course = CourseFactory.create(programme=programme, status=PublishStatus.ARCHIVED)
        lesson = LessonFactory.create(course=course)
        client.force_login(RoleGrantFactory.create(role=Role.PRESENTER, programme=programme).user)

        assert client.get(f"/api/v1/courses/{course.pk}/").status_code == 404
        assert client.get(f"/api/v1/lessons/{lesson.pk}/").status_code == 404
        assert client.get(f"/api/v1/programmes/{programme.slug}/courses/").json()["results"] == []

    @pytest.mark.parametrize("path", ["courses/{}/", "courses/{}/lessons/", "lessons/{}/"])
    def test_a_number_no_database_can_hold_is_absent(self, as_doctor: Client, path: str) -> None:
        assert as_doctor.get("/api/v1/" + path.format(10**30)).status_code == 404


class TestCost:
    """The same number of queries for one row and for three."""

    @pytest.mark.parametrize("rows", [1, 3])
    def test_programmes(
        self, as_doctor: Client, doctor: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(rows):
            LessonFactory.create(course__programme=EnrolmentFactory.create(user=doctor).programme)
        as_doctor.get("/api/v1/programmes/")

        with django_assert_num_queries(QUERIES_SESSION + 8):
            response = as_doctor.get("/api/v1/programmes/")

        assert len(response.json()["results"]) == rows

    @pytest.mark.parametrize("rows", [1, 3])
    def test_courses(
        self, as_doctor: Client, programme: Programme, rows: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(rows):
            LessonFactory.create(course__programme=programme)
        as_doctor.get(f"/api/v1/programmes/{programme.slug}/courses/")

        with django_assert_num_queries(QUERIES_SESSION + 9):
            response = as_doctor.get(f"/api/v1/programmes/{programme.slug}/courses/")

        assert len(response.json()["results"]) == rows

    @pytest.mark.parametrize("rows", [1, 3])
    def test_lessons(
        self, as_doctor: Client, programme: Programme, rows: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        course = CourseFactory.create(programme=programme)
        LessonFactory.create_batch(rows, course=course)
        as_doctor.get(f"/api/v1/courses/{course.pk}/lessons/")

        with django_assert_num_queries(QUERIES_SESSION + 9):
            response = as_doctor.get(f"/api/v1/courses/{course.pk}/lessons/")

        assert len(response.json()["results"]) == rows


# The person; the session itself comes from the cache.
QUERIES_SESSION = 1
