"""A learner's progress, as home and the programme page show it: one read model, a constant number of queries.

`courses.domain.queries` says what is open and done; this adds what was watched, and works out the words' figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject

from accounts.models import User
from analytics.enums import Standing, State, Step
from core.prepared import Prepared
from core.ranges import Ranges, normalise
from courses.domain.availability import Availability, state_of_programme
from courses.domain.availability import State as Open
from courses.domain.queries import CourseOutline, LessonOutline, ProgrammeOutline, outline_of, outlines_of
from courses.enums import OPEN_ENROLMENTS, CompletionRule, LessonKind, PublishStatus
from courses.models import Enrolment, Programme
from webinars.domain.queries import NOBODY, NOTHING_WATCHED, WatchSummary, summarise_each, watched_rows
from webinars.models import Webinar

CLOSED_STATES = {Open.CLOSED: State.CLOSED, Open.NOT_YET: State.LATER, Open.LOCKED: State.LOCKED}


@dataclass(frozen=True, slots=True)
class LessonProgress:
    id: int
    position: int
    title: str
    summary: str
    kind: str
    is_required: bool
    availability: Availability
    state: State
    completed_at: datetime | None = None
    webinar_id: int | None = None
    presenters: tuple[str, ...] = ()
    completion_percent: int = 0
    watched: WatchSummary = NOTHING_WATCHED

    @property
    def is_open(self) -> bool:
        return self.availability.is_open

    @property
    def has_page(self) -> bool:
        """A lesson that is no webinar but opens somewhere: `/lessons/<id>/` knows where."""
        return self.kind in {LessonKind.QUIZ, LessonKind.EVALUATION}

    @property
    def kind_label(self) -> str:
        return str(LessonKind(self.kind).label)

    @property
    def total_seconds(self) -> int:
        return self.watched.length

    @property
    def coverage(self) -> Ranges:
        return self.watched.coverage

    @property
    def seen_seconds(self) -> int:
        return self.watched.seen

    @property
    def unseen_seconds(self) -> int:
        return self.watched.unseen

    @property
    def needed_seconds(self) -> int:
        """Seconds still to watch until the lesson counts; 0 once it is completed."""
        return 0 if self.completed_at else self.watched.needed

    @property
    def resume_seconds(self) -> float:
        """Where "continue" starts, as the player will."""
        return self.watched.resume_at

    @property
    def watched_at(self) -> datetime | None:
        return self.watched.last_beat_at


@dataclass(frozen=True, slots=True)
class CourseProgress:
    id: int
    position: int
    title: str
    summary: str
    rule: str
    required_count: int | None
    is_sequential: bool
    is_required: bool
    is_draft: bool
    availability: Availability
    state: State
    completed_at: datetime | None
    lessons: tuple[LessonProgress, ...]

    @property
    def is_open(self) -> bool:
        return self.availability.is_open

    @property
    def total_seconds(self) -> int:
        return sum(lesson.total_seconds for lesson in self.lessons)

    @property
    def seen_seconds(self) -> int:
        return sum(lesson.seen_seconds for lesson in self.lessons)

    @property
    def needed_seconds(self) -> int:
        """The least watching that completes the course: of `n of m` lessons, the shortest ones."""
        if self.completed_at:
            return 0
        open_lessons = sorted(lesson.needed_seconds for lesson in self.counted if not lesson.completed_at)
        if self.rule == CompletionRule.N_OF_M:
            done = len(self.counted) - len(open_lessons)
            open_lessons = open_lessons[: max(0, (self.required_count or 0) - done)]
        return sum(open_lessons)

    @property
    def coverage(self) -> Ranges:
        """The lessons' coverage laid end to end: one bar for the course."""
        start, parts = 0, []
        for lesson in self.lessons:
            parts += [(start + low, start + high) for low, high in lesson.coverage]
            start += lesson.total_seconds
        return normalise(parts)

    @property
    def counted(self) -> tuple[LessonProgress, ...]:
        """The required lessons; all of them where none is required."""
        return tuple(lesson for lesson in self.lessons if lesson.is_required) or self.lessons

    @property
    def start_webinar_id(self) -> int | None:
        """The lecture to begin with: the first open one that is not completed."""
        ahead = (lesson for lesson in self.lessons if lesson.is_open and not lesson.completed_at)
        return next((lesson.webinar_id for lesson in ahead if lesson.webinar_id), None)

    @property
    def is_single_lecture(self) -> bool:
        return len(self.lessons) == 1 and self.lessons[0].webinar_id is not None

    @property
    def bar(self) -> tuple[Ranges, int]:
        """Parts and length of the bar in a list: full once completed (90 % is enough), lessons if nothing plays."""
        if self.completed_at:
            return ((0, 1),), 1
        if self.total_seconds:
            return self.coverage, self.total_seconds
        return ((0, self.lessons_done),), max(1, len(self.lessons))

    @property
    def lessons_done(self) -> int:
        return sum(1 for lesson in self.lessons if lesson.completed_at)

    @property
    def only_webinar_id(self) -> int | None:
        """A course of one lecture opens that lecture at once."""
        return self.lessons[0].webinar_id if len(self.lessons) == 1 and self.lessons[0].is_open else None


@dataclass(frozen=True, slots=True)
class ProgrammeProgress:
    id: int
    slug: str
    title: str
    summary: str
    society: str
    rule: str
    availability: Availability
    standing: Standing
    completed_at: datetime | None
    done: int
    needed: int
    courses: tuple[CourseProgress, ...]

    @property
    def counted(self) -> tuple[CourseProgress, ...]:
        """The required courses; all of them where none is required."""
        return tuple(course for course in self.courses if course.is_required) or self.courses

    @property
    def remaining(self) -> int:
        return max(0, self.needed - self.done)

    @property
    def is_started(self) -> bool:
        return any(course.completed_at or course.seen_seconds or course.lessons_done for course in self.courses)

    @property
    def needed_seconds(self) -> int:
        """The least watching that completes the programme."""
        ahead = sorted(course.needed_seconds for course in self.counted if not course.completed_at)
        return sum(ahead[: self.remaining])

    @property
    def watched_at(self) -> datetime | None:
        moments = (lesson.watched_at for course in self.courses for lesson in course.lessons)
        return max((at for at in moments if at), default=None)

    @property
    def current(self) -> tuple[CourseProgress, LessonProgress] | None:
        """The lecture watched last that is open and not completed."""
        candidates = [
            (lesson.watched_at, course, lesson)
            for course in self.courses
            for lesson in course.lessons
            if lesson.watched_at and lesson.state == State.UNDER_WAY
        ]
        if not candidates:
            return None
        _, course, lesson = max(candidates, key=lambda found: (found[0], found[2].id))
        return course, lesson

    @property
    def next_course(self) -> CourseProgress | None:
        """What to do after `current`: the first open course, else the one that opens soonest."""
        current = self.current
        busy = current[0].id if current else None
        for course in self.courses:
            if course.id != busy and course.state in (State.UNDER_WAY, State.NOT_STARTED):
                return course
        later = [
            (course.availability.opens_at, course.position, course)
            for course in self.courses
            if course.state is State.LATER and course.availability.opens_at
        ]
        return min(later)[2] if later else None

    @property
    def step(self) -> Step:
        """The one obvious next thing, which the start page shows largest."""
        if self.standing is Standing.LATER:
            return Step.BEGINS_LATER
        if self.standing is Standing.ENDED:
            return Step.ENDED
        if self.standing is Standing.COMPLETED:
            return Step.FINISHED
        if self.current:
            return Step.CONTINUE
        ahead = self.next_course
        if ahead is None:
            return Step.NOTHING_OPEN
        return Step.START if ahead.is_open else Step.WAIT

    def days_left(self, *, now: datetime, zone: tzinfo) -> int | None:
        """Nights until it closes, on the reader's own calendar; 0 is today."""
        closes_at = self.availability.closes_at
        if closes_at is None or closes_at <= now:
            return None
        return (closes_at.astimezone(zone).date() - now.astimezone(zone).date()).days


@dataclass(frozen=True, slots=True)
class _Lecture:
    """The video side of one lesson, for one person."""

    webinar_id: int
    completion_percent: int
    presenters: tuple[str, ...]
    watched: WatchSummary


NO_LECTURE = _Lecture(0, 0, (), NOTHING_WATCHED)


def pick_first(programmes: Sequence[ProgrammeProgress]) -> ProgrammeProgress | None:
    """The programme the start page is about: of those in the best standing, the one watched last."""
    order = (Standing.RUNNING, Standing.LATER, Standing.COMPLETED, Standing.ENDED)

    def rank(programme: ProgrammeProgress) -> tuple[int, float]:
        watched = programme.watched_at
        return order.index(programme.standing), -watched.timestamp() if watched else 0.0

    return min(programmes, key=rank, default=None)


_enrolments = Prepared[Enrolment](
    lambda user: Enrolment.objects.filter(
        user=user, status__in=OPEN_ENROLMENTS, programme__status=PublishStatus.PUBLISHED
    ).select_related("programme", "cohort")
)


def read_home(*, user: User, now: datetime) -> list[ProgrammeProgress]:
    """Every published programme the person is enrolled in, the latest enrolment first. Seven queries, however many."""
    enrolments = _enrolments.rows(user=user.pk)
    if not enrolments:
        return []
    outlines = outlines_of(user_id=user.pk, enrolments=enrolments, now=now)
    lectures = _lectures(programme_ids=[enrolment.programme_id for enrolment in enrolments], user_id=user.pk)
    return [_programme(outline, lectures, now) for outline in outlines]


def read_programme(
    *, programme: Programme, enrolment: Enrolment | None, user: User, now: datetime
) -> ProgrammeProgress:
    """One programme. Without an enrolment (a moderator's look): as a doctor who has done nothing, drafts included."""
    user_id = user.pk if enrolment else None
    outline = outline_of(programme=programme, user_id=user_id, enrolment=enrolment, now=now, drafts=enrolment is None)
    lectures = _lectures(programme_ids=[programme.pk], user_id=user_id)
    return _programme(outline, lectures, now)


def _lecture_rows(programmes: Sequence[int], user: int) -> QuerySet[Any, tuple[Any, ...]]:
    """The names come as JSON, because only their model knows how a full name is written."""
    presenters = User.objects.filter(presented_webinars=OuterRef("pk")).order_by("last_name", "first_name", "pk")
    webinars = Webinar.objects.filter(lesson__course__programme__in=programmes).annotate(
        names=ArraySubquery(
            presenters.values(name=JSONObject(title="title", first_name="first_name", last_name="last_name"))
        )
    )
    return watched_rows(webinars, "lesson_id", "completion_percent", "names", user=user)


_of_programmes = Prepared(_lecture_rows)


def _lectures(*, programme_ids: Sequence[int], user_id: int | None) -> dict[int, _Lecture]:
    """By lesson; one query."""
    found = summarise_each(_of_programmes.rows(programmes=programme_ids, user=user_id or NOBODY))
    return {lesson_id: _lecture(watched, *rest) for watched, (lesson_id, *rest) in found}


def _lecture(watched: WatchSummary, percent: int, names: Sequence[Mapping[str, Any]]) -> _Lecture:
    return _Lecture(
        webinar_id=watched.webinar_id,
        completion_percent=percent,
        presenters=tuple(name for name in (User(**parts).get_full_name() for parts in names) if name),
        watched=watched,
    )


def _programme(outline: ProgrammeOutline, lectures: Mapping[int, _Lecture], now: datetime) -> ProgrammeProgress:
    programme = outline.programme
    availability = state_of_programme(programme=programme, cohort=outline.cohort, now=now)
    if outline.completed_at:
        standing = Standing.COMPLETED
    elif availability.state is Open.CLOSED:
        standing = Standing.ENDED
    else:
        standing = Standing.RUNNING if availability.is_open else Standing.LATER
    return ProgrammeProgress(
        id=programme.pk,
        slug=programme.slug,
        title=programme.title,
        summary=programme.summary,
        society=programme.society,
        rule=programme.completion_rule,
        availability=availability,
        standing=standing,
        completed_at=outline.completed_at,
        done=outline.done,
        needed=outline.needed,
        courses=tuple(_course(course, lectures) for course in outline.courses),
    )


def _course(outline: CourseOutline, lectures: Mapping[int, _Lecture]) -> CourseProgress:
    course = outline.course
    lessons = tuple(_lesson(lesson, lectures.get(lesson.lesson.pk, NO_LECTURE)) for lesson in outline.lessons)
    touched = any(lesson.seen_seconds or lesson.completed_at for lesson in lessons)
    return CourseProgress(
        id=course.pk,
        position=course.position,
        title=course.title,
        summary=course.summary,
        rule=course.completion_rule,
        required_count=course.required_count,
        is_sequential=course.is_sequential,
        is_required=course.is_required,
        is_draft=course.status != PublishStatus.PUBLISHED,
        availability=outline.availability,
        state=_state(outline.completed_at, outline.availability, touched=touched),
        completed_at=outline.completed_at,
        lessons=lessons,
    )


def _lesson(outline: LessonOutline, lecture: _Lecture) -> LessonProgress:
    lesson = outline.lesson
    return LessonProgress(
        id=lesson.pk,
        position=lesson.position,
        title=lesson.title,
        summary=lesson.summary,
        kind=lesson.kind,
        is_required=lesson.is_required,
        availability=outline.availability,
        state=_state(outline.completed_at, outline.availability, touched=bool(lecture.watched.coverage)),
        completed_at=outline.completed_at,
        webinar_id=lecture.webinar_id or None,
        presenters=lecture.presenters,
        completion_percent=lecture.completion_percent,
        watched=lecture.watched,
    )


def _state(completed_at: datetime | None, availability: Availability, *, touched: bool) -> State:
    if completed_at:
        return State.COMPLETED
    if availability.is_open:
        return State.UNDER_WAY if touched else State.NOT_STARTED
    return CLOSED_STATES[availability.state]
