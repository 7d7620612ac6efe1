"""What is asked every minute, and again for each handful before it leaves, must not read what others did long ago."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper

from accounts.models import User
from courses.models import LessonCompletion
from reminders.domain.planning import HORIZON
from reminders.domain.planning.statement import EVER, LOOK, parameters, statement_of, zones_of
from reminders.domain.planning.which import source_of
from reminders.enums import Kind
from tests.factories.assessments import EvaluationFactory
from tests.factories.courses import LessonFactory
from tests.factories.media import VideoFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.reminders.campaigns.playing import play
from tests.reminders.factories import NOW, JourneyFactory, Scene, scene
from webinars.models import WatchRecord, Webinar

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MANY = 3_000
AT_ANOTHER_WAY = 5  # with more rows there the planner of the database may take another index


def asked(*, about_course: bool) -> Scene:
    """A form about the webinar's lesson, or about the course with two lessons more."""
    found = scene(doctors=2)
    course = found.webinar.lesson.course
    if about_course:
        LessonFactory.create_batch(2, course=course)
    lesson = LessonFactory.create(course=course, kind="evaluation")
    EvaluationFactory.create(lesson=lesson, about=None if about_course else found.webinar.lesson)
    JourneyFactory.create(programme=found.programme, kind=Kind.EVALUATION, offset_minutes=0)
    return found


def completed(found: Scene, users: list[User], *, at: Any) -> None:
    lessons = found.webinar.lesson.course.lessons.exclude(kind="evaluation")
    LessonCompletion.objects.bulk_create(
        LessonCompletion(user=user, lesson=lesson, completed_at=at) for user in users for lesson in lessons
    )


def crowd(number: int) -> list[User]:
    return User.objects.bulk_create(User(email=f"crowd{one}@example.org", password="!") for one in range(number))


def planning(found: Scene, kind: Kind = Kind.EVALUATION) -> tuple[str, dict[str, Any]]:
    journey = found.programme.journeys.get(kind=kind)
    source = source_of(kind)
    assert source is not None
    values = parameters(journey, source=source, zones=zones_of(), horizon=HORIZON, now=NOW)
    return statement_of(source, journey, LOOK), values


def checking(found: Scene) -> tuple[str, dict[str, Any]]:
    source = source_of(Kind.EVALUATION)
    assert source is not None
    first, last = EVER
    users = [found.doctors[0].pk]
    values = {"programme": found.programme.pk, "users": users, "now": NOW, "first": first, "last": last}
    return f"{source.with_tables()} SELECT user_id FROM candidates", values


def rows_read(statement: str, values: dict[str, Any], table: str = "courses_lessoncompletion") -> tuple[int, int]:
    """Of a table: those that were looked at, by whatever way. And how many rows came of it all."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # of all tables: what earlier tests left in the statistics chooses no plan here
        for way in ("seqscan", "hashjoin", "mergejoin"):  # a small table is read whole, and a large one is meant
            cursor.execute(f"SET LOCAL enable_{way} = off")
        before = looked_at(cursor, table)
        cursor.execute(statement, values)
        rows = len(cursor.fetchall())
        return looked_at(cursor, table) - before, rows


def looked_at(cursor: CursorWrapper, table: str) -> int:
    """In this transaction, as PostgreSQL counts: an index's entry that was followed to its row, or a row of a scan."""
    cursor.execute(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = %s", [table]
    )
    return int(cursor.fetchone()[0])


@pytest.mark.parametrize("about_course", [False, True])
def test_one_message_of_feedback_reads_what_its_doctor_did(about_course: bool) -> None:
    found = asked(about_course=about_course)
    completed(found, found.doctors[:1], at=NOW)
    few, rows = rows_read(*checking(found))
    assert rows == 1
    assert few >= 1
    completed(found, crowd(MANY), at=NOW)
    many, rows = rows_read(*checking(found))
    assert rows == 1
    assert many <= few + AT_ANOTHER_WAY


@pytest.mark.parametrize("about_course", [False, True])
def test_planning_feedback_reads_what_was_done_lately(about_course: bool) -> None:
    found = asked(about_course=about_course)
    completed(found, found.doctors[:1], at=NOW)
    few, rows = rows_read(*planning(found))
    assert rows == 1
    completed(found, crowd(MANY), at=NOW - 30 * DAY)
    completed(found, found.doctors[1:], at=NOW - 30 * DAY)
    many, rows = rows_read(*planning(found))
    assert rows == 1
    assert many <= few + AT_ANOTHER_WAY


def test_planning_for_who_left_reads_what_was_watched_lately() -> None:
    """A lecture that is there since long ago."""
    found = scene(doctors=2)
    lecture = WebinarFactory.create(
        lesson=LessonFactory.create(course=found.webinar.lesson.course),
        video=VideoFactory.create(published_at=NOW - 300 * DAY),
    )
    JourneyFactory.create(programme=found.programme, kind=Kind.LEFT_EARLY, offset_minutes=24 * 60)
    lately, long_ago = found.doctors
    for doctor, days in ((lately, 1), (long_ago, 60)):
        play(lecture, doctor, at=NOW - days * DAY)
        watch(lecture, [doctor], at=NOW - days * DAY)
    few, rows = rows_read(*planning(found, Kind.LEFT_EARLY), "webinars_watchrecord")
    assert rows == 1
    assert few >= 1
    watch(lecture, crowd(MANY), at=NOW - 60 * DAY)
    many, rows = rows_read(*planning(found, Kind.LEFT_EARLY), "webinars_watchrecord")
    assert rows == 1
    assert many <= few + AT_ANOTHER_WAY


def watch(webinar: Webinar, users: list[User], *, at: Any) -> None:
    WatchRecord.objects.bulk_create(
        WatchRecordFactory.build(user=user, webinar=webinar, coverage=((0, 1450),), first_beat_at=at, last_beat_at=at)
        for user in users
    )


@pytest.mark.parametrize("of_what", [planning, checking])
def test_the_rows_are_counted_at_all(of_what: Callable[[Scene], tuple[str, dict[str, Any]]]) -> None:
    """Else the tests above could not fail."""
    found = asked(about_course=False)
    completed(found, found.doctors, at=NOW)
    whole = "SELECT * FROM courses_lessoncompletion"
    assert rows_read(whole, {}) == (2, 2)
    assert rows_read(*of_what(found))[0] > 0
