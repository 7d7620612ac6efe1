"""Dates in the admin are the programme's, not those of the moderator's own clock."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from courses.models import Cohort, Course, Lesson, Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import (
    CohortFactory,
    CourseFactory,
    LessonFactory,
    ProgrammeFactory,
    RoleGrantFactory,
)
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
NINE_IN_BERLIN = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
NINE = {"opens_at_0": "2027-01-15", "opens_at_1": "09:00:00"}
ZONE = "In the programme's home time zone: Europe/Berlin."


@pytest.fixture
def programme() -> Programme:
    one: Programme = ProgrammeFactory(timezone="Europe/Berlin")
    return one


@pytest.fixture
def kolkata(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory(programme=programme, user__timezone="Asia/Kolkata").user)


def address(row: Programme | Course | Lesson) -> str:
    return reverse(f"admin:courses_{row._meta.model_name}_change", args=(row.pk,))


def rows(prefix: str, *given: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(given), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(given):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def form_of(programme: Programme, courses: list[dict[str, Any]], cohorts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": programme.title, "slug": programme.slug, "summary": "", "society": "", "completion_rule": "all",
        "timezone": programme.timezone,
        **rows("courses", *courses, initial=len(courses)),
        **rows("cohorts", *cohorts, initial=len(cohorts)),
    }  # fmt: skip


def test_nine_typed_in_kolkata_is_nine_in_berlin_on_the_programmes_page(kolkata: Client, programme: Programme) -> None:
    course, cohort = CourseFactory(programme=programme), CohortFactory(programme=programme, name="Asia")
    data = form_of(
        programme,
        [{"id": course.pk, "programme": programme.pk, "position": 1, "title": course.title, **NINE}],
        [{"id": cohort.pk, "programme": programme.pk, "name": "Asia", **NINE}],
    )
    response = kolkata.post(address(programme), data | NINE)
    assert response.status_code == 302, response.context["errors"]
    opened = [model.objects.get().opens_at for model in (Programme, Course, Cohort)]
    assert opened == [NINE_IN_BERLIN] * 3


def test_a_course_and_its_lessons_open_at_nine_in_berlin(kolkata: Client, programme: Programme) -> None:
    lesson = LessonFactory(course__programme=programme)
    course = lesson.course
    row = {"id": lesson.pk, "course": course.pk, "position": 1, "kind": "webinar", "title": lesson.title, **NINE}
    data = {"title": course.title, "summary": "", "completion_rule": "all", **rows("lessons", row, initial=1)}
    response = kolkata.post(address(course), data | NINE)
    assert response.status_code == 302, response.context["errors"]
    course.refresh_from_db()
    lesson.refresh_from_db()
    assert (course.opens_at, lesson.opens_at) == (NINE_IN_BERLIN, NINE_IN_BERLIN)
    ten = NINE | {"opens_at_1": "10:00", "title": lesson.title, "summary": ""}
    webinar = {"id": lesson.webinar.pk, "lesson": lesson.pk, "completion_percent": 90}
    response = kolkata.post(address(lesson), ten | rows("webinar", webinar, initial=1))
    assert response.status_code == 302, response.context["errors"]
    lesson.refresh_from_db()
    assert lesson.opens_at == NINE_IN_BERLIN.replace(hour=9)


def test_every_page_shows_the_home_zones_clock_and_names_it(kolkata: Client, programme: Programme) -> None:
    Programme.objects.update(opens_at=NINE_IN_BERLIN)
    lesson = LessonFactory(course__programme=programme, course__opens_at=NINE_IN_BERLIN, opens_at=NINE_IN_BERLIN)
    CohortFactory(programme=programme, opens_at=NINE_IN_BERLIN)
    for row, times in ((programme, 3), (lesson.course, 2), (lesson, 1)):
        page = kolkata.get(address(row)).content.decode()
        assert page.count('value="09:00:00"') == times
        assert 'value="13:30:00"' not in page
        assert page.count(ZONE) >= 2
        assert page.count("Opens at (Europe/Berlin)") >= times - 1
        assert 'data-admin-utc-offset="3600"' in page or 'data-admin-utc-offset="7200"' in page


def test_saving_what_is_shown_moves_nothing(kolkata: Client, programme: Programme) -> None:
    Programme.objects.update(opens_at=NINE_IN_BERLIN)
    data = form_of(programme, [], [])
    kolkata.post(address(programme), data | NINE)
    programme.refresh_from_db()
    assert programme.opens_at == NINE_IN_BERLIN


def test_a_zone_sent_with_the_dates_holds_for_them(kolkata: Client, programme: Programme) -> None:
    data = form_of(programme, [], []) | NINE | {"timezone": "Asia/Tokyo"}
    assert kolkata.post(address(programme), data).status_code == 302
    programme.refresh_from_db()
    assert (programme.timezone, programme.opens_at) == ("Asia/Tokyo", datetime(2027, 1, 15, 0, 0, tzinfo=UTC))
    assert 'value="09:00:00"' in kolkata.get(address(programme)).content.decode()


def test_a_new_programme_reads_its_dates_in_the_zone_it_names() -> None:
    operator = signed_in(
        RoleGrantFactory(role="operator", programme=None, user=UserFactory(timezone="Asia/Kolkata")).user
    )
    data = form_of(Programme(title="New", slug="new", timezone="Europe/Berlin"), [], [])
    response = operator.post(reverse("admin:courses_programme_add"), data | NINE)
    assert response.status_code == 302, response.context["errors"]
    assert Programme.objects.get(slug="new").opens_at == NINE_IN_BERLIN


def test_the_rest_of_the_admin_stays_on_the_readers_clock(kolkata: Client, programme: Programme) -> None:
    Programme.objects.update(opens_at=NINE_IN_BERLIN)
    kolkata.get(address(programme))
    assert "15 Jan 2027, 13:30 IST" in kolkata.get(reverse("admin:courses_programme_changelist")).content.decode()
