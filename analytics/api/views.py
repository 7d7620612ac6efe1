"""Programmes, courses and lessons as the caller sees them. Read only."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from django.db.models import QuerySet
from django.http import Http404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from analytics.api.serializers import CourseSerializer, LessonSerializer, ProgrammeSerializer
from analytics.domain.progress import CourseProgress, LessonProgress, ProgrammeProgress, read_home, read_programme
from core.api.pagination import CursorPagination
from core.api.views import ApiView
from courses.models import Course, Lesson, Programme
from courses.rules import (
    courses_for,
    get_course_for,
    get_enrolment_for,
    get_lesson_for,
    get_programme_for,
    lessons_for,
    programmes_for,
)

Item = TypeVar("Item", CourseProgress, LessonProgress)


class NewestFirst(CursorPagination):
    ordering = ("-created_at", "-id")


class ByPosition(CursorPagination):
    ordering = ("position", "id")


class ProgrammesView(ApiView, generics.ListAPIView[Programme]):
    """The caller's programmes, the newest first."""

    pagination_class = NewestFirst
    serializer_class = ProgrammeSerializer

    def get_queryset(self) -> QuerySet[Programme]:
        return programmes_for(self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        found = [] if getattr(self, "swagger_fake_view", False) else read_home(user=_person(self.request), now=now())
        return {**super().get_serializer_context(), "progress": {programme.id: programme for programme in found}}


class ProgrammeView(ApiView):
    @extend_schema(responses=ProgrammeSerializer, operation_id="programmes_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        """One programme with the caller's progress."""
        programme = get_programme_for(request.user, slug)
        enrolment = get_enrolment_for(request.user, programme)
        progress = {}
        if enrolment:
            progress[programme.pk] = read_programme(
                programme=programme, enrolment=enrolment, user=_person(request), now=now()
            )
        return Response(ProgrammeSerializer(programme, context={"progress": progress}).data)


class ProgrammeCoursesView(ApiView, generics.ListAPIView[Course]):
    """The courses of a programme in their order."""

    pagination_class = ByPosition
    serializer_class = CourseSerializer
    queryset = Course.objects.none()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        programme = get_programme_for(request.user, kwargs["slug"])
        seen = {course.id: course for course in _progress(request, programme).courses}
        page = self.paginate_queryset(courses_for(request.user).filter(pk__in=seen)) or ()
        return self.get_paginated_response(CourseSerializer(_pick(page, seen), many=True).data)


class CourseView(ApiView):
    @extend_schema(responses=CourseSerializer, operation_id="courses_retrieve")
    def get(self, request: Request, course_id: int) -> Response:
        """One course with the caller's progress."""
        return Response(CourseSerializer(_course(request, course_id)).data)


class CourseLessonsView(ApiView, generics.ListAPIView[Lesson]):
    """The lessons of a course in their order."""

    pagination_class = ByPosition
    serializer_class = LessonSerializer
    queryset = Lesson.objects.none()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        course = _course(request, kwargs["course_id"])
        seen = {lesson.id: lesson for lesson in course.lessons}
        page = self.paginate_queryset(lessons_for(request.user).filter(pk__in=seen)) or ()
        return self.get_paginated_response(LessonSerializer(_pick(page, seen), many=True).data)


class LessonView(ApiView):
    @extend_schema(responses=LessonSerializer, operation_id="lessons_retrieve")
    def get(self, request: Request, lesson_id: int) -> Response:
        """One lesson: whether it is open, whether it is done, how much of its lecture has been watched."""
        lesson = get_lesson_for(request.user, lesson_id)
        courses = _progress(request, lesson.course.programme).courses
        found = [one for course in courses for one in course.lessons if one.id == lesson.pk]
        if not found:
            raise Http404
        return Response(LessonSerializer(found[0]).data)


def _person(request: Request) -> User:
    """The permission class has seen to it that nobody else comes this far."""
    return cast("User", request.user)


def _progress(request: Request, programme: Programme) -> ProgrammeProgress:
    enrolment = get_enrolment_for(request.user, programme)
    return read_programme(programme=programme, enrolment=enrolment, user=_person(request), now=now())


def _course(request: Request, course_id: int) -> CourseProgress:
    """An archived course has a row but no place in the programme any more."""
    course = get_course_for(request.user, course_id)
    found = [one for one in _progress(request, course.programme).courses if one.id == course.pk]
    if not found:
        raise Http404
    return found[0]


def _pick(page: Sequence[Course | Lesson], seen: dict[int, Item]) -> list[Item]:
    return [seen[row.pk] for row in page]
