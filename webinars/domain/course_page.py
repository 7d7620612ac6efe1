"""What stands around the player: the lessons of the course, what is open, what comes next. Four queries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q

from accounts.models import User
from core.prepared import Prepared
from courses.domain.availability import Availability, state_of_course, state_of_lesson
from courses.domain.lesson_kinds import asked_about
from courses.enums import PublishStatus
from courses.models import Cohort, Course, CourseCompletion, Lesson
from courses.rules import get_enrolment_for
from webinars.domain.queries import WatchSummary, watch_summary
from webinars.models import Webinar


@dataclass(frozen=True, slots=True)
class LessonBeside:
    """`watched` is empty for a lesson that is not a webinar, or has no settings yet."""

    lesson: Lesson
    availability: Availability
    completed_at: datetime | None
    watched: WatchSummary | None
    is_current: bool

    @property
    def webinar_id(self) -> int | None:
        return self.watched.webinar_id if self.watched else None

    @property
    def can_be_opened(self) -> bool:
        return self.webinar_id is not None and self.availability.is_open


@dataclass(frozen=True, slots=True)
class CoursePage:
    lessons: tuple[LessonBeside, ...]
    is_preview: bool

    @property
    def current(self) -> LessonBeside:
        return next(one for one in self.lessons if one.is_current)

    @property
    def watched(self) -> WatchSummary:
        watched = self.current.watched
        assert watched is not None  # noqa: S101 - the current lesson is the one whose webinar made this page
        return watched

    @property
    def resume_at(self) -> float:
        return self.watched.resume_at

    @property
    def next(self) -> LessonBeside | None:
        """The first open lesson behind this one that is not done; when all are, nothing is pressed on anybody."""
        behind = (one for one in self.lessons if one.lesson.position > self.current.lesson.position)
        return next((one for one in behind if one.can_be_opened and one.completed_at is None), None)


def follow_up_of(page: CoursePage) -> LessonBeside | None:
    """The feedback form, or what else asks about the current lesson: open now, or as soon as that is completed.

    One query, and none where the course has no such lesson or it is done.
    """
    if page.is_preview:
        return None
    current = page.current.lesson.pk
    waiting = [one for one in page.lessons if one.completed_at is None and one.availability.opens_after(current)]
    about = asked_about(lessons=[one.lesson for one in waiting])
    return next((one for one in waiting if about.get(one.lesson.pk) == current), None)


def read_course_page(*, webinar: Webinar, user: User, now: datetime) -> CoursePage:
    """The webinar must come with lesson, course and programme, as `rules.get_webinar_for` gives it."""
    course = webinar.lesson.course
    enrolment = get_enrolment_for(user, course.programme)
    course_state = _course_state(course, user=user, cohort=enrolment.cohort if enrolment else None, now=now)
    lessons = _lessons(course, user=user)
    completed = {lesson.pk: lesson.completed_at for lesson in lessons if lesson.completed_at}
    watched = watch_summary(user=user, webinar_ids=[lesson.webinar_id for lesson in lessons if lesson.webinar_id])
    return CoursePage(
        lessons=tuple(
            LessonBeside(
                lesson=lesson,
                availability=state_of_lesson(
                    lesson=lesson,
                    course=course,
                    course_state=course_state,
                    lessons=lessons,
                    completed_lesson_ids=completed,
                    now=now,
                ),
                completed_at=lesson.completed_at,
                watched=watched.get(lesson.webinar_id),
                is_current=lesson.pk == webinar.lesson_id,
            )
            for lesson in lessons
        ),
        is_preview=enrolment is None,
    )


_lessons_with_mine = Prepared[Any](
    lambda course, user: (
        Lesson.objects.filter(course=course)
        .annotate(
            mine=FilteredRelation("completions", condition=Q(completions__user=user)),
            webinar_id=F("webinar__pk"),
            completed_at=F("mine__completed_at"),
        )
        .order_by("position")
    )
)


def _lessons(course: Course, *, user: User) -> list[Any]:
    """With `webinar_id` and `completed_at` (both may be None) from the same query."""
    return _lessons_with_mine.rows(course=course.pk, user=user.pk)


_with_prerequisites = Prepared[Any](
    lambda course, user: (
        Course.objects.filter(Q(unlocks=course, status=PublishStatus.PUBLISHED) | Q(pk=course))
        .annotate(is_done=Exists(CourseCompletion.objects.filter(course=OuterRef("pk"), user=user)))
        .distinct()
    )
)


def _course_state(course: Course, *, user: User, cohort: Cohort | None, now: datetime) -> Availability:
    """The course is read once more together with its prerequisites: one query says which of them are completed."""
    known = _with_prerequisites.rows(course=course.pk, user=user.pk)
    return state_of_course(
        course=course,
        programme=course.programme,
        cohort=cohort,
        prerequisites=[one for one in known if one.pk != course.pk],
        completed_course_ids={one.pk for one in known if one.is_done},
        now=now,
    )
