"""What a doctor did for an accredited activity, as the other apps would have kept it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from assessments.enums import AttemptState
from assessments.models import Attempt, Evaluation, EvaluationReceipt, Quiz
from certification.enums import Format
from certification.models import Accreditation, Acknowledgement, Activity, DisclosureSheet
from tests.factories.assessments import EvaluationFactory, QuizFactory
from tests.factories.certification import AccreditationFactory, ActivityFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import LiveWebinarFactory, WatchRecordFactory, WebinarFactory
from webinars.enums import Phase
from webinars.models import Broadcast, WatchRecord, Webinar

EASY: dict[str, dict[str, bool]] = {
    "accme": {"needs_acknowledgement": False, "needs_evaluation": False},
    "eaccme": {"needs_acknowledgement": False},
}


def make_live(*, starts_at: datetime, minutes: int = 60, course: Any = None, **settings: Any) -> Activity:
    """A broadcast of that length that began and ended on time, and its live activity, which lasts as long."""
    ends_at = starts_at + timedelta(minutes=minutes)
    lesson = LessonFactory.create(**({"course": course} if course else {}))
    webinar = LiveWebinarFactory.create(lesson=lesson, starts_at=starts_at, live_at=starts_at, ended_at=ends_at)
    Broadcast.objects.create(
        webinar=webinar, started_at=starts_at, epoch=starts_at, ended_at=ends_at, program_seconds=minutes * 60.0
    )
    given = {"starts_at": starts_at, "ends_at": ends_at, "minutes": minutes} | settings
    made: Activity = ActivityFactory.create(lesson=lesson, **given)
    return made


def make_enduring(*, starts_at: datetime, days: int = 365, lesson: Any = None, **settings: Any) -> Activity:
    """A lecture of an hour with a test, as enduring material for a year."""
    if lesson is None:
        lesson = WebinarFactory.create().lesson
    quiz = QuizFactory.create(lesson__course=lesson.course)
    given = {"starts_at": starts_at, "ends_at": starts_at + timedelta(days=days), "assessment": quiz.lesson} | settings
    made: Activity = ActivityFactory.create(
        lesson=lesson, format=Format.ENDURING, reviewed_on=starts_at.date(), **given
    )
    return made


def accredit(activity: Activity, **settings: Any) -> Accreditation:
    """By the ACCME for one credit unless said otherwise; without disclosures to acknowledge or feedback to give."""
    authority = settings.get("authority", "accme")
    given = {"authority": authority, "parameters": EASY.get(authority, {})} | settings
    made: Accreditation = AccreditationFactory.create(activity=activity, **given)
    return made


def doctor_of(activity: Activity, **fields: Any) -> User:
    """With a place in the programme."""
    found: User = EnrolmentFactory.create(
        programme=activity.lesson.course.programme, **{f"user__{name}": value for name, value in fields.items()}
    ).user
    return found


def watch(
    activity: Activity, user: User, *, minutes: float = 60, at: datetime | None = None, until: datetime | None = None
) -> WatchRecord:
    """From the first second on; `at` is when, until `until`: otherwise within the window, and no faster than time."""
    start = at or activity.starts_at
    assert start is not None
    end = until or start + timedelta(minutes=minutes)
    live = activity.format == Format.LIVE
    made: WatchRecord = WatchRecordFactory.create(
        user=user,
        webinar=Webinar.objects.get(lesson=activity.lesson),
        phase=Phase.LIVE if live else Phase.ON_DEMAND,
        coverage=((0, int(minutes * 60)),),
        clock=((start, end),) if end > start else (),
        first_beat_at=start,
        last_beat_at=end,
    )
    return made


def passed(activity: Activity, user: User, *, points: str = "8", at: datetime) -> Attempt:
    """Of ten points."""
    quiz = Quiz.objects.get(lesson=activity.assessment)
    made: Attempt = Attempt.objects.create(
        quiz=quiz,
        user=user,
        number=Attempt.objects.filter(quiz=quiz, user=user).count() + 1,
        seed=1,
        paper={"sections": [], "items": []},
        state=AttemptState.MARKED,
        started_at=at,
        submitted_at=at,
        ended_by="person",
        most_points=Decimal(10),
        score=Decimal(points),
        counts=not Attempt.objects.filter(quiz=quiz, user=user, counts=True).exists(),
    )
    return made


def feedback_form(activity: Activity) -> Evaluation:
    made: Evaluation = EvaluationFactory.create(lesson__course=activity.lesson.course)
    activity.evaluation = made.lesson
    activity.save()
    return made


def evaluated(activity: Activity, user: User, *, at: datetime) -> EvaluationReceipt:
    evaluation = Evaluation.objects.get(lesson=activity.evaluation)
    return EvaluationReceipt.objects.create(evaluation=evaluation, user=user, answered_on=at.date())


def acknowledged(activity: Activity, user: User, *, at: datetime) -> Acknowledgement:
    sheet, _ = DisclosureSheet.objects.get_or_create(
        activity=activity, digest=b"d" * 32, defaults={"content": [], "made_at": at}
    )
    return Acknowledgement.objects.create(user=user, sheet=sheet, shown_at=at, acknowledged_at=at)
