"""A lecture of an hour as it is a week later: live, recorded, asked, voted, tested and thought of."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from accounts.models import User
from analytics.domain.playback import Report
from analytics.domain.rollups.refreshing import refresh
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation
from core.ranges import Ranges
from courses.models import Course
from tests.analytics.reports import IPAD, IPHONE, WINDOWS, tell
from tests.assessments.feedback import hand_in
from tests.assessments.figures_world import sat, versions_of
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, make_evaluation, make_item, make_quiz
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.webinars.on_air import make_live, publish
from tests.webinars.watching import NOON, make_device
from webinars.enums import Phase, PollKind, PollState, QuestionState
from webinars.models import Broadcast, Chapter, PlaySession, Poll, PollOption, PollVote, Question, Webinar

LENGTH = 3600
COUNTRIES = (("IN", 18), ("BR", 7), ("KE", 5), ("DE", 4), ("VN", 3), ("MT", 1), ("", 2))
SPECIALTIES = ("Gynaecology", "Reproductive medicine", "Cardiology", "")
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.DELIVERY, "text": "Was it clear?"},
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.CONTENT, "text": "Was it sound?"},
    {"kind": QuestionKind.STARS, "dimension": Dimension.MATERIALS, "text": "The slides?"},
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.PACE, "text": "The pace?"},
    {"kind": QuestionKind.TEXT, "dimension": Dimension.OTHER, "text": "Anything else?", "is_required": False},
)
TEXTS = (
    "The slides were too small to read.",
    "More case studies please, and time for questions.",
    "Clear and to the point, but I could not read the small slides.",
    "The case studies were the best part.",
    "Please send the slides before the lecture. Case studies were helpful.",
)


def well_visited(course: Course, presenter: User, *, title: str = "Endometriosis: what the evidence says") -> Webinar:
    """Forty doctors, most of them live, some of them in both. Always the same."""
    draw = random.Random(7)
    webinar = make_live(webinar=WebinarFactory.create(lesson=LessonFactory.create(course=course, title=title)))
    webinar.presenters.add(presenter)
    Broadcast.objects.filter(webinar=webinar).update(program_seconds=float(LENGTH))
    publish(webinar, spans=[(0.0, 1500.0, 0.0), (1560.0, 3660.0, 1500.0)], at=NOON + timedelta(hours=1))
    doctors = _doctors(course)
    for number, doctor in enumerate(doctors):
        live, recorded = _watched(draw, number)
        for phase, seen in ((Phase.LIVE, live), (Phase.ON_DEMAND, recorded)):
            if seen:
                began = NOON if phase == Phase.LIVE else NOON + timedelta(days=1 + number * number % 9)
                WatchRecordFactory.create(
                    user=doctor,
                    webinar=webinar,
                    phase=phase,
                    coverage=seen,
                    clock=[(began + timedelta(seconds=seen[0][0]), began + timedelta(seconds=seen[-1][1]))],
                    last_beat_at=began + timedelta(seconds=seen[-1][1]),
                )
    _room(webinar, doctors)
    _told(webinar, doctors)
    _evaluated(webinar, doctors, draw)
    refresh(webinar_id=webinar.pk, now=NOON + timedelta(days=20), whole=True)
    return Webinar.objects.get(pk=webinar.pk)


def examined(webinar: Webinar, *, items: int = 3, name: str = "Question") -> None:
    """Test questions that lead back to it, answered by five: the first one is the hardest."""
    bank = BankFactory.create()
    made = [make_item(bank=bank, name=f"{name} {n}", watch=(webinar.lesson, 300 * n + 840)) for n in range(items)]
    quiz = make_quiz(items=made)
    for number in range(5):
        sat(quiz, versions_of(made), ["b" if number <= place * 4 / items else "a" for place in range(items)])


def _doctors(course: Course) -> list[User]:
    found: list[User] = []
    for country, number in COUNTRIES:
        for _ in range(number):
            doctor = UserFactory.create(country=country, specialty=SPECIALTIES[len(found) % len(SPECIALTIES)])
            EnrolmentFactory.create(user=doctor, programme=course.programme)
            found.append(doctor)
    return found


def _watched(draw: random.Random, number: int) -> tuple[Ranges, Ranges]:
    """Three in four come live; a quarter of those leave where the statistics begin; some come back to the recording."""
    if number % 4 == 3:
        return (), ((0, draw.randrange(600, LENGTH)),)
    start = draw.choice((0, 0, 20, 90, 300))
    end = 900 + draw.randrange(60) if number % 4 == 0 else draw.choice((2400, 3300, 3600, 3600))
    again: Ranges = ((draw.randrange(2000, 2300), 2700),) if number % 5 == 0 else ()
    return ((start, end),), again


def _room(webinar: Webinar, doctors: Sequence[User]) -> None:
    for at, title in ((0.0, "Welcome"), (840.0, "Statistics"), (2100.0, "Case 2")):
        Chapter.objects.create(webinar=webinar, at_seconds=at, title=title)
    for number, doctor in enumerate(doctors[:14]):
        asked_at = NOON + timedelta(seconds=600 + 60 * number)
        Question.objects.create(
            webinar=webinar,
            author=doctor,
            text=f"Question {number}?",
            asked_at=asked_at,
            asked_seconds=600.0 + 60 * number,
            state=QuestionState.ANSWERED if number % 3 else QuestionState.NEW,
            answer_text="Yes." if number % 3 else "",
            answered_at=asked_at + timedelta(minutes=3) if number % 3 else None,
        )
    poll = Poll.objects.create(
        webinar=webinar,
        kind=PollKind.SINGLE,
        question="Which test first?",
        state=PollState.CLOSED,
        opened_at=NOON,
        closed_at=NOON + timedelta(minutes=2),
        opened_seconds=1200.0,
    )
    for position, text in enumerate(("Ultrasound", "MRI", "Laparoscopy"), 1):
        PollOption.objects.create(poll=poll, position=position, text=text)
    for number, doctor in enumerate(doctors[:25]):
        PollVote.objects.create(poll=poll, user=doctor, choices=[number % 3 % 2 + 1], at=NOON)


def _told(webinar: Webinar, doctors: Sequence[User]) -> None:
    """Two in three players told something; around two places doctors went back."""
    for number, doctor in enumerate(doctors):
        session = PlaySession.objects.create(
            user=doctor,
            webinar=webinar,
            phase=Phase.ON_DEMAND,
            device=make_device(doctor),
            enrolment=doctor.enrolments.get(programme=webinar.lesson.course.programme),
            media_seconds=LENGTH,
            required_seconds=LENGTH,
            started_at=NOON,
        )
        if number % 3:
            back = ((840 + number, 900 + number),) if number % 2 else ((2100 + number, 2190),)
            again = Report(1, play_ms=600_000, replayed=back if number % 4 else ())
            tell(session, again, after=7200, agent=(IPHONE, WINDOWS, IPAD)[number % 7 % 3])


def _evaluated(webinar: Webinar, doctors: Sequence[User], draw: random.Random) -> Evaluation:
    evaluation = make_evaluation(questions=QUESTIONS, lesson__course=webinar.lesson.course, about=webinar.lesson)
    for number, doctor in enumerate(doctors[:12]):
        words = TEXTS[number % len(TEXTS)] if number % 4 else ""
        hand_in(evaluation, draw.choice((4, 5, 5)), 5, draw.choice((2, 3, 4)), draw.choice((3, 4)), words, user=doctor)
    return evaluation
