"""Doors, each tried with things of somebody else in the database."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.enums import Role
from accounts.models import User
from courses import rules
from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Lesson, Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme() -> Programme:
    """With two others beside it: a published one and a draft, each with a lesson."""
    for status in (PublishStatus.PUBLISHED, PublishStatus.DRAFT):
        LessonFactory(course__programme=ProgrammeFactory(status=status))
    one: Programme = ProgrammeFactory()
    return one


def seen(user: User) -> list[Programme]:
    return list(rules.programmes_for(user))


@pytest.mark.parametrize("status", EnrolmentStatus.values)
def test_only_open_enrolments_open_the_door(programme: Programme, status: str) -> None:
    completed_at = programme.created_at if status == EnrolmentStatus.COMPLETED else None
    enrolment = EnrolmentFactory(programme=programme, status=status, completed_at=completed_at)
    is_open = status in {EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED}
    assert seen(enrolment.user) == ([programme] if is_open else [])
    assert rules.get_enrolment_for(enrolment.user, programme) == (enrolment if is_open else None)


@pytest.mark.parametrize("status", [PublishStatus.DRAFT, PublishStatus.ARCHIVED])
def test_a_doctor_sees_published_programmes_only(programme: Programme, status: str) -> None:
    enrolment = EnrolmentFactory(programme=programme)
    Programme.objects.filter(pk=programme.pk).update(status=status)
    assert seen(enrolment.user) == []
    with pytest.raises(Http404):
        rules.get_programme_for(enrolment.user, programme.slug)


@pytest.mark.parametrize("role", [Role.PRESENTER, Role.MODERATOR, Role.OPERATOR])
def test_a_role_shows_its_programme_and_no_other(programme: Programme, role: str) -> None:
    Programme.objects.filter(pk=programme.pk).update(status=PublishStatus.DRAFT)
    grant = RoleGrantFactory(role=role, programme=programme)
    assert seen(grant.user) == [programme]
    assert rules.has_role(grant.user, role, programme=programme)
    assert not rules.has_role(grant.user, role, programme=ProgrammeFactory())
    assert not rules.has_role(grant.user, role, programme=None)
    other = Role.AUDITOR if role != Role.AUDITOR else Role.SPONSOR
    assert not rules.has_role(grant.user, other, programme=programme)


@pytest.mark.parametrize("role", [Role.SPONSOR, Role.AUDITOR])
@pytest.mark.parametrize("everywhere", [False, True])
def test_sponsors_and_auditors_come_to_no_content(programme: Programme, role: str, everywhere: bool) -> None:
    lesson = LessonFactory(course__programme=programme)
    user = RoleGrantFactory(role=role, programme=None if everywhere else programme).user
    assert rules.reads_reports(user)
    assert seen(user) == list(rules.courses_for(user)) == list(rules.lessons_for(user)) == []
    with pytest.raises(Http404):
        rules.get_programme_for(user, programme.slug)
    with pytest.raises(Http404):
        rules.get_lesson_for(user, lesson.pk)

    EnrolmentFactory(programme=programme, user=user)
    assert seen(user) == [programme]
    assert rules.get_lesson_for(user, lesson.pk) == lesson


def test_reports_are_for_sponsors_and_auditors_only(programme: Programme) -> None:
    for role in (Role.PRESENTER, Role.MODERATOR, Role.OPERATOR):
        assert not rules.reads_reports(RoleGrantFactory(role=role, programme=programme).user)
    disabled = RoleGrantFactory(role=Role.SPONSOR, programme=programme, user__is_active=False).user
    for person in (EnrolmentFactory(programme=programme).user, disabled, AnonymousUser()):
        assert not rules.reads_reports(person)


def test_a_role_in_all_programmes(programme: Programme) -> None:
    grant = RoleGrantFactory(role=Role.OPERATOR, programme=None)
    assert set(seen(grant.user)) == set(Programme.objects.all())
    assert rules.has_role(grant.user, Role.OPERATOR, programme=programme)
    assert rules.is_operator(grant.user)


def test_an_operator_of_one_programme_is_no_operator_of_the_site(programme: Programme) -> None:
    grant = RoleGrantFactory(role=Role.OPERATOR, programme=programme)
    assert not rules.is_operator(grant.user)
    assert list(rules.programmes_staffed_by(grant.user)) == [programme]


def test_only_moderators_and_operators_staff_a_programme(programme: Programme) -> None:
    for role in (Role.PRESENTER, Role.SPONSOR, Role.AUDITOR):
        assert list(rules.programmes_staffed_by(RoleGrantFactory(role=role, programme=programme).user)) == []
    assert list(rules.programmes_staffed_by(RoleGrantFactory(programme=programme).user)) == [programme]


@pytest.mark.parametrize("user", [AnonymousUser(), None])
def test_nobody_and_the_disabled_see_nothing(programme: Programme, user: AnonymousUser | None) -> None:
    person = user or RoleGrantFactory(role=Role.OPERATOR, programme=None, user__is_active=False).user
    lesson = LessonFactory(course__programme=programme)
    assert list(rules.programmes_for(person)) == list(rules.courses_for(person)) == []
    assert not rules.has_role(person, Role.OPERATOR, programme=programme)
    with pytest.raises(Http404):
        rules.get_lesson_for(person, lesson.pk)
    with pytest.raises(PermissionDenied):
        rules.require_role(person, Role.OPERATOR, programme=programme)


def test_the_first_account_of_an_installation_is_an_operator(programme: Programme) -> None:
    root = UserFactory(is_superuser=True, is_staff=True)
    assert rules.is_operator(root)
    assert set(rules.programmes_staffed_by(root)) == set(seen(root)) == set(Programme.objects.all())


def test_lessons_of_published_courses_only_for_doctors_all_for_staff(programme: Programme) -> None:
    published = LessonFactory(course__programme=programme)
    draft = LessonFactory(course=CourseFactory(programme=programme, status=PublishStatus.DRAFT))
    archived = LessonFactory(course=CourseFactory(programme=programme, status=PublishStatus.ARCHIVED))
    doctor = EnrolmentFactory(programme=programme).user
    moderator = RoleGrantFactory(programme=programme).user
    assert set(rules.lessons_for(doctor)) == {published}
    assert set(rules.lessons_for(moderator)) == {published, draft, archived}
    assert rules.get_lesson_for(doctor, published.pk) == published
    assert rules.get_course_for(doctor, published.course_id) == published.course
    foreign = Lesson.objects.exclude(course__programme=programme).values_list("pk", flat=True)
    for user, lesson_id in [(doctor, draft.pk), *((person, pk) for person in (doctor, moderator) for pk in foreign)]:
        with pytest.raises(Http404):
            rules.get_lesson_for(user, lesson_id)


def test_a_number_too_large_for_the_database_is_just_absent(programme: Programme) -> None:
    doctor = EnrolmentFactory(programme=programme).user
    with pytest.raises(Http404):
        rules.get_lesson_for(doctor, 2**70)


def test_a_door_costs_one_query(programme: Programme, django_assert_num_queries: object) -> None:
    assert callable(django_assert_num_queries)
    lesson = LessonFactory(course__programme=programme)
    doctor = EnrolmentFactory(programme=programme).user
    with django_assert_num_queries(1):
        found = rules.get_lesson_for(doctor, lesson.pk)
        assert found.course.programme == programme
