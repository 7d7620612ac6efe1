"""The programme page: courses, lessons, windows and rules in plain words; and who may see it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from courses.enums import CompletionRule, EnrolmentStatus, LessonKind, PublishStatus
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, RoleGrantFactory
from tests.pages.html import Page
from tests.pages.world import DAY, World, add_lecture, complete, make_world, read, read_as, watch
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def path(world: World) -> str:
    return f"/programmes/{world.programme.slug}/"


def facts(page: Page) -> list[tuple[str, str]]:
    terms, words = ([element.text for element in page.all(tag)] for tag in ("dt", "dd"))
    return list(zip(terms, words, strict=True))


def test_a_doctor_sees_the_courses_with_their_lessons() -> None:
    world = make_world(2, title="Fertility 2026", summary="First.\n\nSecond.")
    LessonFactory.create(course=world.courses[0], kind=LessonKind.QUIZ, title="Short test", is_required=False)
    user = world.doctor()
    watch(user, world.courses[0], (0, 1450), position_seconds=1450)
    page = read_as(user, path(world))
    assert page.one("h1").text == "Fertility 2026"
    assert [paragraph.text for paragraph in page.all("p")].count("First.") == 1
    assert [heading.text for heading in page.all("h3")] == [
        "1. Fertility 2026: course 1",
        "2. Fertility 2026: course 2",
    ]
    lessons = [lesson.title for course in world.courses for lesson in course.lessons.order_by("position")]
    assert [heading.text for heading in page.all("h4")] == lessons
    watchable = {f"/webinars/{course.lessons.order_by('position')[0].webinar.pk}/" for course in world.courses}
    assert {href for href in page.links().values() if href.startswith("/webinars/")} == watchable
    assert page.links()["Continue from 24:10"] in watchable
    assert "Prof. Ana Ribeiro 1 · 1 h · counts when you have watched 90 %" in page.text
    assert "Test · optional" in page.text


def test_open_is_the_course_to_do_now_and_the_next_one() -> None:
    world = make_world(4)
    user = world.doctor()
    complete(user, world.courses[0])
    watch(user, world.courses[2], (0, 100))
    opened = ["open" in details.attrs for details in read_as(user, path(world)).all("details")[1:]]
    assert opened == [False, True, True, False]


@pytest.mark.parametrize(
    ("rule", "required", "optional", "words"),
    [
        (CompletionRule.ALL, None, 0, "Finish all 3 courses."),
        (CompletionRule.ALL, None, 1, "Finish the 3 courses that count."),
        (CompletionRule.N_OF_M, 2, 0, "Finish 2 of these 3 courses."),
    ],
)
def test_programme_rule_in_plain_words(rule: str, required: int | None, optional: int, words: str) -> None:
    world = make_world(3, completion_rule=rule, required_count=required)
    for position in range(optional):
        CourseFactory.create(programme=world.programme, position=4 + position, is_required=False)
    page = read_as(world.doctor(), path(world))
    assert words in [paragraph.text for paragraph in page.all("p")]


def test_course_rules_prerequisites_and_windows_in_plain_words() -> None:
    closes = now() + 30 * DAY
    world = make_world(3, title="F", closes_at=closes)
    first, second, third = world.courses
    add_lecture(first)
    first.is_sequential = True
    first.save()
    add_lecture(second)
    second.completion_rule, second.required_count = CompletionRule.N_OF_M, 1
    second.save()
    second.prerequisites.add(first, third)
    third.closes_at = closes - DAY
    third.save()
    found = facts(read_as(world.doctor(timezone="Asia/Kolkata"), path(world)))
    assert ("To complete it", "Finish all 2 lessons, one after the other.") in found
    assert ("To complete it", "Finish 1 of these 2 lessons.") in found
    assert ("To complete it", "Watch 90 % of the lecture.") in found
    assert ("First finish", "F: course 1, F: course 3") in found
    ends = [words for term, words in found if term == "Open until"]
    assert [("Kolkata, UTC+5:30" in words) for words in ends] == [True, True]
    local = third.closes_at.astimezone(ZoneInfo("Asia/Kolkata"))
    assert f"{local:%H:%M}" in ends[1]


def test_sequential_lessons_say_what_comes_first() -> None:
    world = make_world(1)
    course = world.courses[0]
    course.is_sequential = True
    course.save()
    course.lessons.update(title="One")
    add_lecture(course, title="Two")
    add_lecture(course, title="Three")
    page = read_as(world.doctor(), path(world))
    states = [state.text for state in page.all("p", "state")]
    assert states == ["Not started", "Locked: finish “One” first", "Locked: finish “One” first"]
    first = course.lessons.get(title="One").webinar
    assert {text for text, href in page.links().items() if href.startswith("/webinars/")} == {"One", "Start course 1"}
    assert page.links()["Start course 1"] == f"/webinars/{first.pk}/"


def test_an_empty_programme_and_an_empty_course_say_so() -> None:
    empty = make_world(0)
    assert "The courses are not published yet" in read_as(empty.doctor(), path(empty)).text
    world = make_world(0)
    CourseFactory.create(programme=world.programme)
    assert "The lessons of this course are not published yet." in read_as(world.doctor(), path(world)).text


def test_ended_and_later_programmes_open_but_nothing_in_them_does() -> None:
    for world in (make_world(2, closes_at=now() - DAY), make_world(2, opens_at=now() + DAY)):
        page = read_as(world.doctor(), path(world))
        assert [href for href in page.links().values() if href.startswith("/webinars/")] == []


@pytest.mark.parametrize("status", [EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN])
def test_without_an_open_enrolment_the_programme_is_not_found(status: EnrolmentStatus) -> None:
    world = make_world(1, title="Confidential")
    user = EnrolmentFactory.create(programme=world.programme, status=status).user
    assert "Confidential" not in read_as(user, path(world), 404).source


def test_foreign_unpublished_and_absent_programmes_are_all_not_found() -> None:
    foreign, draft = make_world(1, title="Confidential"), make_world(1, status=PublishStatus.DRAFT)
    user = make_world(1).doctor()
    EnrolmentFactory.create(user=user, programme=draft.programme)
    pages = [read_as(user, place, 404) for place in (path(foreign), path(draft), "/programmes/absent/")]
    assert len({page.text.partition("give this code")[0] for page in pages}) == 1
    assert "Confidential" not in pages[0].source


@pytest.mark.parametrize("role", [Role.SPONSOR, Role.AUDITOR])
def test_sponsors_and_auditors_do_not_look(role: Role) -> None:
    world = make_world(1)
    read_as(RoleGrantFactory.create(role=role, programme=world.programme).user, path(world), 404)


@pytest.mark.parametrize("role", [Role.PRESENTER, Role.MODERATOR, Role.OPERATOR])
def test_those_who_work_on_the_programme_may_look_and_not_at_another(role: Role) -> None:
    world, foreign = make_world(1), make_world(1)
    user = RoleGrantFactory.create(role=role, programme=world.programme).user
    page = read_as(user, path(world))
    assert "as a doctor who has not started" in page.text
    read_as(user, path(foreign), 404)


def test_a_moderator_sees_drafts_marked_and_a_doctor_none() -> None:
    world = make_world(1, title="F")
    CourseFactory.create(programme=world.programme, position=2, title="Secret draft", status=PublishStatus.DRAFT)
    moderator = RoleGrantFactory.create(role=Role.MODERATOR, programme=world.programme).user
    titles = [heading.text for heading in read_as(moderator, path(world)).all("h3")]
    assert titles == ["1. F: course 1", "2. Secret draft Draft"]
    assert "Secret draft" not in read_as(world.doctor(), path(world)).source


def test_another_doctor_s_progress_stays_theirs() -> None:
    world = make_world(2)
    busy, idle = world.doctor(), world.doctor()
    watch(busy, world.courses[0], (0, 1800))
    complete(busy, world.courses[1])
    page = read_as(idle, path(world))
    assert [state.text for state in page.all("span", "state")] == ["Not started", "Not started"]
    assert page.all("svg", "ring")[0].attrs["aria-label"] == "0 of 2 courses completed"


@pytest.mark.parametrize("size", [1, 3, 10])
def test_programme_costs_the_same_for_any_size(size: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    world = make_world(size)
    user = world.doctor()
    for course in world.courses:
        for _ in range(size - 1):
            add_lecture(course)
        watch(user, course, (0, 60))
    browser = signed_in(user)
    browser.get(path(world))
    with django_assert_num_queries(9):
        read(browser, path(world))


def test_lecture_that_is_still_prepared_has_no_length() -> None:
    from media.enums import VideoStatus
    from tests.factories.media import VideoFactory
    from tests.factories.webinars import WebinarFactory

    world = make_world(0)
    course = CourseFactory.create(programme=world.programme)
    lesson = LessonFactory.create(course=course)
    WebinarFactory.create(lesson=lesson, video=VideoFactory.create(status=VideoStatus.EMPTY))
    page = read_as(world.doctor(), path(world))
    assert "Webinar" in page.text
    assert "0 min" not in page.text


def test_times_near_midnight_fall_on_the_reader_s_day() -> None:
    opens = (now() + timedelta(days=2)).replace(hour=23, minute=30)
    world = make_world(1, closes_at=opens)
    west, east = (read_as(world.doctor(timezone=zone), path(world)) for zone in ("America/Lima", "Asia/Tokyo"))
    assert f"{opens.astimezone(ZoneInfo('America/Lima')):%A}" in dict(facts(west))["Open until"]
    assert f"{opens.astimezone(ZoneInfo('Asia/Tokyo')):%A}" in dict(facts(east))["Open until"]
    assert dict(facts(west))["Open until"] != dict(facts(east))["Open until"]
