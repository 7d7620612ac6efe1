"""Programmes and places in them. Everything is published and open unless said otherwise."""

from typing import Any

import factory
from django.utils.timezone import now

from accounts.enums import OFFICE_ROLES, Role
from accounts.models import User
from courses.enums import EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Cohort, Course, Enrolment, Lesson, Programme, RoleGrant
from tests.factories.accounts import UserFactory


class ProgrammeFactory(factory.django.DjangoModelFactory[Programme]):
    class Meta:
        model = Programme

    slug = factory.Sequence(lambda n: f"fertility-{n}")
    title = factory.Sequence(lambda n: f"Fertility {n}")
    society = "Society of Reproductive Medicine"
    status = PublishStatus.PUBLISHED


class CourseFactory(factory.django.DjangoModelFactory[Course]):
    class Meta:
        model = Course

    programme = factory.SubFactory(ProgrammeFactory)
    position = factory.LazyAttribute(lambda course: course.programme.courses.count() + 1)
    title = factory.Sequence(lambda n: f"Course {n}")
    status = PublishStatus.PUBLISHED


class LessonFactory(factory.django.DjangoModelFactory[Lesson]):
    class Meta:
        model = Lesson

    course = factory.SubFactory(CourseFactory)
    position = factory.LazyAttribute(lambda lesson: lesson.course.lessons.count() + 1)
    kind = LessonKind.WEBINAR
    title = factory.Sequence(lambda n: f"Lesson {n}")


class CohortFactory(factory.django.DjangoModelFactory[Cohort]):
    class Meta:
        model = Cohort

    programme = factory.SubFactory(ProgrammeFactory)
    name = factory.Sequence(lambda n: f"Cohort {n}")


class EnrolmentFactory(factory.django.DjangoModelFactory[Enrolment]):
    """An active enrolment; give `status=…` for another one, and `completed_at` with completed."""

    class Meta:
        model = Enrolment

    user = factory.SubFactory(UserFactory)
    programme = factory.SubFactory(ProgrammeFactory)
    status = EnrolmentStatus.ACTIVE
    enrolled_at = factory.LazyFunction(now)
    activated_at = factory.LazyAttribute(
        lambda one: one.enrolled_at if one.status in {EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED} else None
    )


class RoleGrantFactory(factory.django.DjangoModelFactory[RoleGrant]):
    """A role, with `is_staff` kept in step as the domain does."""

    class Meta:
        model = RoleGrant

    user = factory.SubFactory(UserFactory)
    role = Role.MODERATOR
    programme = factory.SubFactory(ProgrammeFactory)
    granted_at = factory.LazyFunction(now)

    @classmethod
    def _create(cls, model_class: type[RoleGrant], *args: Any, **kwargs: Any) -> RoleGrant:
        grant = model_class.objects.create(*args, **kwargs)
        if grant.role in OFFICE_ROLES:
            User.objects.filter(pk=grant.user_id).update(is_staff=True)
            grant.user.is_staff = True
        return grant
