"""What doctors have watched and completed, for many at once: the figures in messages. A constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from courses.enums import CompletionRule, PublishStatus
from courses.models import Course, CourseCompletion, Lesson, LessonCompletion, Programme
from webinars.domain.queries import NOTHING_WATCHED, WatchSummary, summarise_each
from webinars.domain.timelines import on_air
from webinars.models import WatchRecord, Webinar

NO_RECORD = (None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Watching:
    """`facts` of a webinar and `records` of a person and a webinar, as `summarise_each` reads them."""

    facts: Mapping[int, tuple[Any, ...]]
    records: Mapping[tuple[int, int], Sequence[tuple[Any, ...]]]

    def of(self, user_id: int, webinar_id: int) -> WatchSummary:
        facts = self.facts.get(webinar_id)
        if facts is None:
            return NOTHING_WATCHED
        rows = [(*facts, *record) for record in self.records.get((user_id, webinar_id), (NO_RECORD,))]
        return summarise_each(rows)[0][0]


def watching(*, user_ids: Collection[int], webinar_ids: Collection[int]) -> Watching:
    """Two queries, none without webinars."""
    if not webinar_ids:
        return Watching({}, {})
    facts = {
        row[0]: row
        for row in Webinar.objects.filter(pk__in=webinar_ids).values_list(
            "pk", "video__published_version", "video__duration_seconds", "completion_percent", on_air()
        )
    }
    records: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
    for user_id, webinar_id, *record in WatchRecord.objects.filter(
        user__in=user_ids, webinar__in=webinar_ids
    ).values_list("user_id", "webinar_id", "phase", "coverage", "position_seconds", "reached_at", "last_beat_at"):
        records[user_id, webinar_id].append(tuple(record))
    return Watching(facts, records)


@dataclass(frozen=True, slots=True)
class Standing:
    """Courses done of those needed, and the least watching that completes the programme, in seconds.

    Lectures that have no recording yet, and tests, take time that nobody can say: they add nothing.
    """

    done: int
    needed: int
    seconds: int

    @property
    def left(self) -> int:
        return max(0, self.needed - self.done)


@dataclass(frozen=True, slots=True)
class Outline:
    """A programme's published courses with their lessons, in order."""

    programme: Programme
    courses: list[tuple[Course, list[Lesson]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Completions:
    courses: set[tuple[int, int]]
    lessons: set[tuple[int, int]]


def outlines(programmes: Iterable[Programme]) -> dict[int, Outline]:
    """Two queries, none without programmes."""
    found = {programme.pk: Outline(programme) for programme in programmes}
    if not found:
        return {}
    lessons: dict[int, list[Lesson]] = defaultdict(list)
    published = {"course__programme__in": found, "course__status": PublishStatus.PUBLISHED}
    for lesson in Lesson.objects.filter(**published).select_related("webinar").order_by("position"):
        lessons[lesson.course_id].append(lesson)
    for course in Course.objects.filter(programme__in=found, status=PublishStatus.PUBLISHED).order_by("position"):
        found[course.programme_id].courses.append((course, lessons[course.pk]))
    return found


def completions(*, user_ids: Collection[int], programme_ids: Collection[int]) -> Completions:
    """Two queries, none without programmes."""
    if not programme_ids:
        return Completions(set(), set())
    courses = CourseCompletion.objects.filter(user__in=user_ids, course__programme__in=programme_ids)
    lessons = LessonCompletion.objects.filter(user__in=user_ids, lesson__course__programme__in=programme_ids)
    return Completions(
        set(courses.values_list("user_id", "course_id")), set(lessons.values_list("user_id", "lesson_id"))
    )


def webinar_ids_of(outlined: Iterable[Outline]) -> set[int]:
    return {
        lesson.webinar.pk
        for outline in outlined
        for _course, lessons in outline.courses
        for lesson in lessons
        if hasattr(lesson, "webinar")
    }


def standing_of(user_id: int, outline: Outline, done: Completions, watched: Watching) -> Standing:
    """As the pages count (`courses.domain.queries`, `analytics.domain.progress`)."""
    counted = [pair for pair in outline.courses if pair[0].is_required] or outline.courses
    complete = sum((user_id, course.pk) in done.courses for course, _lessons in counted)
    needed = len(counted)
    if outline.programme.completion_rule == CompletionRule.N_OF_M and outline.programme.required_count:
        needed = outline.programme.required_count
    ahead = sorted(
        _seconds(user_id, course, lessons, done, watched)
        for course, lessons in counted
        if (user_id, course.pk) not in done.courses
    )
    complete = min(complete, needed)
    return Standing(done=complete, needed=needed, seconds=sum(ahead[: max(0, needed - complete)]))


def _seconds(user_id: int, course: Course, lessons: Sequence[Lesson], done: Completions, watched: Watching) -> int:
    """The least watching that completes the course: of `n of m` lessons, the shortest ones."""
    counted = [lesson for lesson in lessons if lesson.is_required] or lessons
    ahead = sorted(
        watched.of(user_id, lesson.webinar.pk).needed if hasattr(lesson, "webinar") else 0
        for lesson in counted
        if (user_id, lesson.pk) not in done.lessons
    )
    if course.completion_rule == CompletionRule.N_OF_M:
        ahead = ahead[: max(0, (course.required_count or 0) - (len(counted) - len(ahead)))]
    return sum(ahead)
