"""Whatever the order: completing is monotone, and its end does not depend on the way there."""

from datetime import UTC, datetime
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from courses.domain.completion import Done, complete_lesson, complete_lessons
from courses.enums import CompletionRule, EnrolmentStatus
from courses.models import CourseCompletion, Enrolment, LessonCompletion
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
COURSES, LESSONS = 3, 3


@st.composite
def programmes(draw: st.DrawFn) -> dict[str, object]:
    """Rules and required flags of three courses of three lessons, and an order in which a doctor completes some."""
    cells = st.lists(st.booleans(), min_size=COURSES * LESSONS, max_size=COURSES * LESSONS)
    return {
        "needed": draw(st.lists(st.none() | st.integers(1, 3), min_size=COURSES + 1, max_size=COURSES + 1)),
        "required": draw(cells),
        "order": draw(st.lists(st.integers(0, COURSES * LESSONS - 1), max_size=12)),
        "cut": draw(st.integers(0, 12)),
    }


def rule(needed: int | None) -> dict[str, object]:
    return {
        "completion_rule": CompletionRule.N_OF_M if needed else CompletionRule.ALL,
        "required_count": needed,
    }


def expected(done: set[int], required: list[bool], needed: list[int | None]) -> tuple[set[int], bool]:
    """The rules again, in the plainest way: which subsets of parts are enough."""
    courses = set()
    for number in range(COURSES):
        cells = range(number * LESSONS, (number + 1) * LESSONS)
        counted = {cell for cell in cells if required[cell]} or set(cells)
        enough = [set(subset) for subset in combinations(counted, needed[number] or len(counted))]
        if any(subset <= done for subset in enough):
            courses.add(number)
    return courses, len(courses) >= (needed[COURSES] or COURSES)


class CompletionProperties(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(programmes())
    def test_monotone_and_independent_of_order(self, world: dict[str, list[int]]) -> None:
        required, needed, order = world["required"], world["needed"], world["order"]
        one = EnrolmentFactory(**{f"programme__{name}": value for name, value in rule(needed[COURSES]).items()})
        another = EnrolmentFactory(programme=one.programme)
        courses = [CourseFactory(programme=one.programme, **rule(needed[number])) for number in range(COURSES)]
        lessons = [
            LessonFactory(course=courses[cell // LESSONS], is_required=bool(required[cell]))
            for cell in range(COURSES * LESSONS)
        ]
        seen: set[int] = set()
        for cell in order:
            complete_lesson(user_id=one.user_id, lesson_id=lessons[cell].pk, evidence={}, now=NOW)
            now_done = self.courses_of(one)
            assert seen <= now_done
            seen = now_done
        mixed = sorted(order, key=lambda cell: (cell * 7) % 9)
        cut = int(world["cut"])  # type: ignore[call-overload]
        for part in (mixed[:cut], mixed[cut:]):
            complete_lessons([Done(another.user_id, lessons[cell].pk) for cell in part], now=NOW)
        right, is_over = expected(set(order), [bool(cell) for cell in required], list(needed))
        for person in (one, another):
            assert self.courses_of(person) == {courses[number].pk for number in right}
            person.refresh_from_db()
            assert (person.status == EnrolmentStatus.COMPLETED) is (is_over and bool(order))
            assert LessonCompletion.objects.filter(user=person.user).count() == len(set(order))

    @staticmethod
    def courses_of(person: Enrolment) -> set[int]:
        return set(CourseCompletion.objects.filter(user=person.user).values_list("course_id", flat=True))
