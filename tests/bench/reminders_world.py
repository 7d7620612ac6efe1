"""Fifteen thousand doctors and twenty journeys that all have something to say at this moment, for `script/bench`.

Three programmes of the same people: one in which they are, with everything that happens in it; one to which they are
invited; and one beside these with three webinars ahead. Besides what is due there is what was long ago, as a programme
of a year has it: completions and records that no statement should read again each minute.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

ZONES = ("Asia/Kolkata", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Sydney", "Africa/Lagos")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MANY = 5_000
OLD_LESSONS = 4
AHEAD = {"week_before": -10_080, "day_before": -1_440, "hour_before": -60, "soon": -10}
BESIDE = {"week_before": -10_080, "day_before": -1_440, "hour_before": -60}


@dataclass(frozen=True)
class World:
    programmes: list[int]
    live: str  # what the burst is about


def fill(doctors: int, *, now: datetime) -> World:
    from accounts.models import User
    from reminders.domain.revisions import notice_changes

    people = User.objects.bulk_create(
        [
            User(
                email=f"doctor{number}@hospital.example", password="!", first_name="Meera", last_name=f"Nair{number}",
                timezone=ZONES[number % len(ZONES)],
            )
            for number in range(doctors)
        ],
        batch_size=MANY,
    )  # fmt: skip
    here, invited, beside = (_programme(now) for _ in range(3))
    for programme, status in ((here, "active"), (invited, "invited"), (beside, "active")):
        _enrol(programme, status, now=now)
    for kind, minutes in AHEAD.items():
        _webinar(here, starts_at=now - minutes * MINUTE)
        _journey(here, kind, minutes)
    for kind, minutes in BESIDE.items():
        _webinar(beside, starts_at=now - minutes * MINUTE)
        _journey(beside, kind, minutes)
    live = _webinar(here, starts_at=now)
    changing = _changing(here, now=now)
    notice_changes(now=now - 20 * DAY)
    type(live).objects.filter(pk=live.pk).update(live_at=now)
    _journey(here, "live", 0, is_urgent=True)
    _change(here, *changing, now=now)
    _what_doctors_did(here, people, now=now)
    _each_week_and_at_the_end(here, now=now)
    _nudges(invited, people, now=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return World([here.pk, invited.pk, beside.pk], f"webinar/{live.pk}")


def _programme(now: datetime) -> Any:
    from reminders.domain.builtin_words import built_in_set
    from reminders.models import MessagePolicy
    from tests.factories.courses import ProgrammeFactory

    programme = ProgrammeFactory.create(timezone="Asia/Kolkata")
    MessagePolicy.objects.create(
        programme=programme, template_set=built_in_set(), is_on=True, sender_name="The society",
        quiet_from="00:00", quiet_until="00:00", most_a_day=20, most_a_week=70,
    )  # fmt: skip
    return programme


def _enrol(programme: Any, status: str, *, now: datetime) -> None:
    """Everybody, a month ago."""
    from accounts.models import User
    from courses.models import Enrolment

    ago = now - 30 * DAY
    Enrolment.objects.bulk_create(
        [
            Enrolment(
                user_id=pk, programme=programme, status=status, enrolled_at=ago,
                activated_at=ago if status == "active" else None,
            )
            for pk in User.objects.filter(email__startswith="doctor").values_list("pk", flat=True)
        ],
        batch_size=MANY,
    )  # fmt: skip


def _journey(programme: Any, kind: str, minutes: int, **values: Any) -> None:
    from reminders.models import Journey

    Journey.objects.create(programme=programme, kind=kind, offset_minutes=minutes, channels=["email"], **values)


def _webinar(programme: Any, **values: Any) -> Any:
    from tests.factories.courses import CourseFactory, LessonFactory
    from tests.factories.webinars import LiveWebinarFactory

    return LiveWebinarFactory.create(
        lesson=LessonFactory.create(course=CourseFactory.create(programme=programme)), **values
    )


def _changing(programme: Any, *, now: datetime) -> tuple[Any, Any]:
    """Two webinars in which everybody has a place."""
    moved, cancelled = (_webinar(programme, starts_at=now + days * DAY) for days in (10, 11))
    for webinar in (moved, cancelled):
        _register(webinar, at=now - 15 * DAY)
    return moved, cancelled


def _register(webinar: Any, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO webinars_registration (webinar_id, user_id, registered_at)"
            " SELECT %s, id, %s FROM accounts_user WHERE email LIKE 'doctor%%'",
            [webinar.pk, at],
        )


def _change(programme: Any, moved: Any, cancelled: Any, *, now: datetime) -> None:
    from reminders.domain.revisions import notice_changes

    rows = type(moved).objects
    rows.filter(pk=moved.pk).update(starts_at=now + 12 * DAY)
    rows.filter(pk=cancelled.pk).update(cancelled_at=now)
    notice_changes(now=now)
    _register(_webinar(programme, starts_at=now + 9 * DAY), at=now - MINUTE)
    notice_changes(now=now)
    for kind in ("moved", "cancelled", "registered"):
        _journey(programme, kind, 0)


def _what_doctors_did(programme: Any, people: list[Any], *, now: datetime) -> None:
    """Of two recordings each has left one and missed the other; one lecture everybody has completed, and a course."""
    from assessments.models import EvaluationReceipt
    from tests.factories.assessments import EvaluationFactory
    from tests.factories.courses import CourseFactory, LessonFactory
    from tests.factories.media import VideoFactory
    from tests.factories.webinars import WebinarFactory

    begin = now - 3 * HOUR
    for odd in (0, 1):
        lecture = _webinar(
            programme,
            starts_at=begin,
            live_at=begin,
            ended_at=begin + HOUR,
            video=VideoFactory.create(published_at=now),
        )
        _watch(lecture, people[odd::2], at=begin + HOUR / 2)
    _watch(
        WebinarFactory.create(
            lesson=LessonFactory.create(course=CourseFactory.create(programme=programme)),
            video=VideoFactory.create(published_at=now - 300 * DAY),
        ),
        people,
        at=now - 60 * DAY,
    )
    _journey(programme, "recording_ready", 0)
    _journey(programme, "left_early", 0)
    course = CourseFactory.create(programme=programme)
    lecture, *old = LessonFactory.create_batch(1 + OLD_LESSONS, course=course)
    for lesson in old:
        _complete(lesson, at=now - 60 * DAY)
    _complete(lecture, at=now - 2 * HOUR)
    form = EvaluationFactory.create(lesson=LessonFactory.create(course=course, kind="evaluation"), about=lecture)
    EvaluationFactory.create(lesson=LessonFactory.create(course=course, kind="evaluation"), about=old[0])
    EvaluationReceipt.objects.bulk_create(
        [EvaluationReceipt(evaluation=form, user=one, answered_on=now.date()) for one in people[::10]], batch_size=MANY
    )
    _journey(programme, "evaluation", 120)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO courses_coursecompletion (user_id, course_id, completed_at)"
            " SELECT id, %s, %s FROM accounts_user WHERE email LIKE 'doctor%%'",
            [course.pk, now],
        )
    _journey(programme, "course_completed", 0)
    _certify(programme, people, now=now)


def _complete(lesson: Any, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO courses_lessoncompletion (user_id, lesson_id, completed_at, evidence)"
            " SELECT id, %s, %s, '{}' FROM accounts_user WHERE email LIKE 'doctor%%'",
            [lesson.pk, at],
        )


def _watch(webinar: Any, people: list[Any], *, at: datetime) -> None:
    from tests.factories.webinars import WatchRecordFactory
    from webinars.models import WatchRecord

    WatchRecord.objects.bulk_create(
        [
            WatchRecordFactory.build(
                user=one, webinar=webinar, phase="live", coverage=((0, 1450),), first_beat_at=at, last_beat_at=at
            )
            for one in people
        ],
        batch_size=MANY,
    )


def _certify(programme: Any, people: list[Any], *, now: datetime) -> None:
    """As rows: nobody looks at what stands on them."""
    from certification.models import Certificate
    from tests.factories.certification import CertificateTemplateFactory

    template = CertificateTemplateFactory.create(programme=programme)
    Certificate.objects.bulk_create(
        [
            Certificate(
                kind="programme", programme=programme, user=one, public_id=f"{number:026}", serial=number,
                number=f"BENCH-{number}", template=template, facts={"title": "Fertility"}, key_fingerprint="0" * 64,
                signature=b"0" * 64, issued_at=now,
            )
            for number, one in enumerate(people, 1)
        ],
        batch_size=MANY,
    )  # fmt: skip
    _journey(programme, "certificate_ready", 0)


def _each_week_and_at_the_end(programme: Any, *, now: datetime) -> None:
    """Due within the last two days everywhere; before their Monday has begun, doctors in the west get none."""
    since_monday = now - (now - now.weekday() * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    _journey(programme, "weekly_progress", max(0, int((since_monday - DAY) / MINUTE)))
    type(programme).objects.filter(pk=programme.pk).update(closes_at=now + 14 * DAY)
    _journey(programme, "programme_closing", -14 * 1_440)


def _nudges(programme: Any, people: list[Any], *, now: datetime) -> None:
    """Half of them were invited three days ago, half ten."""
    from accounts.models import Invitation

    Invitation.objects.bulk_create(
        [
            Invitation(
                user=one, token_hash=hashlib.sha256(one.email.encode()).digest(), created_at=now - days * DAY,
                sent_at=now - days * DAY, expires_at=now + 30 * DAY,
            )
            for number, one in enumerate(people)
            if (days := 3 if number % 2 else 10)
        ],
        batch_size=MANY,
    )  # fmt: skip
    _journey(programme, "invitation_nudge", 3 * 1_440)
    _journey(programme, "invitation_last", 10 * 1_440)
