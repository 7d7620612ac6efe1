"""The certificates of courses and programmes that a doctor is on the way to: how far, and where to go on.

What is missing for the certificate of an activity stands with its credit (`overview`). A course's comes when the course
is completed and its feedback forms are filled in, as `issuing` has it. Only programmes that issue certificates are
spoken of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from certification.enums import CertificateKind
from certification.models import CertificateTemplate
from courses.domain.availability import State, state_of_programme
from courses.domain.queries import CourseOutline, LessonOutline, ProgrammeOutline, outlines_of
from courses.enums import CompletionRule, LessonKind, PublishStatus
from courses.models import Enrolment
from webinars.models import WatchRecord

OPENS = frozenset({LessonKind.WEBINAR.value, LessonKind.QUIZ.value, LessonKind.EVALUATION.value})


@dataclass(frozen=True, slots=True)
class Ahead:
    """`done` of `needed` courses or lessons. `lesson`: the next one, that is open; else `opens_at`, where it is known.

    `only_feedback`: the course is completed, and its certificate waits for a feedback form.
    """

    kind: CertificateKind
    title: str
    programme: str
    done: int
    needed: int
    lesson: str = ""
    lesson_id: int | None = None
    opens_at: datetime | None = None
    only_feedback: bool = False

    @property
    def address(self) -> str:
        return reverse("lesson", args=(self.lesson_id,)) if self.lesson_id else ""

    @property
    def share(self) -> Decimal:
        return Decimal(self.done) / self.needed if self.needed else Decimal(0)

    @property
    def words(self) -> str:
        values = {"done": self.done, "needed": self.needed}
        if self.only_feedback:
            return _("The course is completed. Only your feedback is missing for its certificate.")
        if self.kind == CertificateKind.PROGRAMME:
            words = ngettext(
                "%(done)s of %(needed)s course to the programme's certificate.",
                "%(done)s of %(needed)s courses to the programme's certificate.",
                self.needed,
            )
        else:
            words = ngettext(
                "%(done)s of %(needed)s part to the course's certificate.",
                "%(done)s of %(needed)s parts to the course's certificate.",
                self.needed,
            )
        return words % values


def certificates_ahead(*, user: User, now: datetime) -> list[Ahead]:
    """For each programme its own, the course that is under way, and courses that wait for feedback.

    One query where no programme issues certificates, else seven, however many there are.
    """
    issues = CertificateTemplate.objects.filter(programme=OuterRef("programme"))
    enrolments = list(
        Enrolment.objects.open()
        .filter(Exists(issues), user=user, programme__status=PublishStatus.PUBLISHED)
        .select_related("programme", "cohort")
        .order_by("-enrolled_at", "-pk")
    )
    if not enrolments:
        return []
    watched = _watched(user, [one.programme_id for one in enrolments])
    outlines = outlines_of(user_id=user.pk, enrolments=enrolments, now=now)
    return [one for outline in outlines for one in _of_programme(outline, watched, now=now)]


def _watched(user: User, programme_ids: Sequence[int]) -> list[int]:
    """Lessons, the one watched last first."""
    records = WatchRecord.objects.filter(user=user, webinar__lesson__course__programme__in=programme_ids)
    return list(records.order_by("-last_beat_at", "-pk").values_list("webinar__lesson_id", flat=True))


def _of_programme(outline: ProgrammeOutline, watched: Sequence[int], *, now: datetime) -> Iterator[Ahead]:
    programme = outline.programme
    if state_of_programme(programme=programme, cohort=outline.cohort, now=now).state == State.CLOSED:
        return
    on = _course_under_way(outline, watched)
    if outline.completed_at is None and outline.courses:
        yield _ahead(outline, on, watched)
    if on is not None and len(outline.courses) > 1:
        yield _ahead(outline, on, watched, _parts(on))
    for course in outline.courses:
        form = next((one for one in course.lessons if _is_missing_feedback(one)), None)
        if course.completed_at and form:
            title, lesson = course.course.title, form.lesson
            yield Ahead(
                CertificateKind.COURSE, title, programme.title, 1, 1, lesson.title, lesson.pk, only_feedback=True
            )


def _ahead(
    outline: ProgrammeOutline,
    course: CourseOutline | None,
    watched: Sequence[int],
    parts: tuple[int, int] | None = None,
) -> Ahead:
    """`parts`: of the course, whose certificate it is then; else it is the programme's."""
    following = _next_lesson(course, watched) if course else None
    is_course = course is not None and parts is not None
    done, needed = parts or (outline.done, outline.needed)
    return Ahead(
        kind=CertificateKind.COURSE if is_course else CertificateKind.PROGRAMME,
        title=course.course.title if course and is_course else outline.programme.title,
        programme=outline.programme.title,
        done=done,
        needed=needed,
        lesson=following.lesson.title if following else "",
        lesson_id=following.lesson.pk if following else None,
        opens_at=None if following else _opens_at(outline),
    )


def _course_under_way(outline: ProgrammeOutline, watched: Sequence[int]) -> CourseOutline | None:
    """With a lesson that can be opened: the one watched last, else the first that was begun, else the first."""
    found = [one for one in outline.courses if one.completed_at is None and _open_lessons(one)]
    for lesson_id in watched:
        for course in found:
            if any(one.lesson.pk == lesson_id for one in _open_lessons(course)):
                return course
    begun = (course for course in found if any(one.completed_at for one in course.lessons))
    return next(begun, found[0] if found else None)


def _next_lesson(course: CourseOutline, watched: Sequence[int]) -> LessonOutline | None:
    """The one watched last, else the first; those that count before the others."""
    found = _open_lessons(course)
    for lesson_id in watched:
        if last := next((one for one in found if one.lesson.pk == lesson_id), None):
            return last
    return min(found, key=lambda one: not one.lesson.is_required, default=None)


def _open_lessons(course: CourseOutline) -> list[LessonOutline]:
    return [
        one
        for one in course.lessons
        if one.completed_at is None and one.availability.is_open and one.lesson.kind in OPENS
    ]


def _is_missing_feedback(one: LessonOutline) -> bool:
    return one.lesson.kind == LessonKind.EVALUATION and one.completed_at is None and one.availability.is_open


def _parts(course: CourseOutline) -> tuple[int, int]:
    """Lessons that are done and that complete the course, as `courses.domain.completion` counts."""
    counted = [one for one in course.lessons if one.lesson.is_required] or list(course.lessons)
    needed = len(counted)
    if course.course.completion_rule == CompletionRule.N_OF_M and course.course.required_count:
        needed = course.course.required_count
    return min(needed, sum(one.completed_at is not None for one in counted)), needed


def _opens_at(outline: ProgrammeOutline) -> datetime | None:
    """The soonest."""
    states = (one.availability for one in outline.courses if one.completed_at is None)
    return min((one.opens_at for one in states if one.state == State.NOT_YET and one.opens_at), default=None)
