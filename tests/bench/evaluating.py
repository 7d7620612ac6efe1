"""Ten thousand doctors in ten accredited courses: how long it takes to say what each of them has earned."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

PEOPLE, COURSES = 10_000, 10
STARTED = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
# A course each, in turn: authority, council and what is asked for besides watching.
AUTHORITIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("accme", "", {"needs_test": True}),
    ("eaccme", "", {}),
    ("india", "maharashtra", {"needs_test": True, "counting": "share"}),
    ("attendance", "", {"needs_evaluation": True}),
)


def measure_evaluating(people: int = PEOPLE, courses: int = COURSES) -> dict[str, Any]:
    """Django is set up, and its database is this measurement's own. Seconds of the clock, in one process and thread."""
    from django.db import connection

    from certification.domain.evaluating import evaluate_accreditation
    from certification.domain.granting import grant_for

    accreditations, before = fill(people, courses)
    later = STARTED + timedelta(hours=5)
    began = time.perf_counter()
    granted = grant_for(accreditation=before, now=later, since=None)
    grant_seconds = time.perf_counter() - began
    found: Counter[str] = Counter()
    queries = 0

    def count(execute: Any, *given: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*given)

    began = time.perf_counter()
    with connection.execute_wrapper(count):
        for one in accreditations:
            for evaluated in evaluate_accreditation(accreditation=one, now=later):
                found["granted" if evaluated.decision.is_granted else "missing"] += 1
    seconds = time.perf_counter() - began
    return {
        "doctors": people,
        "courses": courses,
        "evaluations": found.total(),
        "evaluations_granted": found["granted"],
        "evaluate_100k_s": round(seconds * 100_000 / max(1, found.total()), 1),
        "queries_per_1000": round(queries * 1_000 / max(1, found.total()), 1),
        "grant_people": granted,
        "grant_10k_s": round(grant_seconds * 10_000 / max(1, granted), 1),
    }


def fill(people: int, courses: int) -> tuple[list[Any], Any]:
    """Real rows of everything that is evidence. Also a course before, for which all have earned credit."""
    from django.db import connection

    from accounts.models import User
    from certification.models import Accreditation
    from courses.enums import EnrolmentStatus
    from courses.models import Enrolment
    from tests.factories.courses import ProgrammeFactory

    programme = ProgrammeFactory.create(timezone="Asia/Kolkata")
    made = User.objects.bulk_create(
        [
            User(
                email=f"doctor{number}@hospital.example",
                password="!",
                medical_council="Maharashtra Medical Council",
                registration_number=str(number),
            )
            for number in range(people)
        ],
        batch_size=5_000,
    )
    Enrolment.objects.bulk_create(
        [Enrolment(user=one, programme=programme, status=EnrolmentStatus.ACTIVE, enrolled_at=STARTED) for one in made],
        batch_size=5_000,
    )
    ids = [_course(programme, number, AUTHORITIES[number % len(AUTHORITIES)]) for number in range(courses)]
    whole = _course(programme, courses, ("india", "maharashtra", {}), share=1.0)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    found = Accreditation.objects.select_related("activity__lesson__course__programme").in_bulk([*ids, whole])
    return [found[one] for one in ids], found[whole]


def _course(programme: Any, number: int, of: tuple[str, str, dict[str, Any]], share: float = 0.8) -> int:
    """A live webinar with a test and a feedback form; `share` of the doctors did each of what there is to do."""
    from assessments.models import Evaluation, Quiz
    from certification.models import DisclosureSheet
    from tests.factories.assessments import EvaluationFactory, QuizFactory
    from tests.factories.courses import CourseFactory
    from tests.factories.deeds import accredit, make_live
    from webinars.models import Webinar

    authority, council, parameters = of
    course = CourseFactory.create(programme=programme)
    live = make_live(starts_at=STARTED, course=course)
    live.assessment = QuizFactory.create(lesson__course=course).lesson
    live.evaluation = EvaluationFactory.create(lesson__course=course).lesson
    live.save()
    sheet = DisclosureSheet.objects.create(activity=live, digest=b"d" * 32, content=[], made_at=STARTED)
    _done(
        programme=programme.pk,
        webinar=Webinar.objects.get(lesson=live.lesson).pk,
        quiz=Quiz.objects.get(lesson=live.assessment).pk,
        evaluation=Evaluation.objects.get(lesson=live.evaluation).pk,
        sheet=sheet.pk,
        at=STARTED,
        number=number,
        share=share,
    )
    credits = Decimal(0) if authority == "attendance" else Decimal(1)  # noqa: A001
    made = accredit(live, authority=authority, council=council, credits=credits, parameters=parameters)
    return int(made.pk)


def _done(**given: Any) -> None:
    """The same every time: which doctor did what follows from numbers."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.25)")
        for statement in (_WATCHED, _TESTS, _FEEDBACK, _READ):
            cursor.execute(statement, given)


_DOCTORS = "FROM courses_enrolment e WHERE e.programme_id = %(programme)s"
_WATCHED = f"""
INSERT INTO webinars_watchrecord (user_id, webinar_id, phase, coverage, excess, seen_seconds, required_seconds,
    position_seconds, clock, first_beat_at, last_beat_at)
SELECT user_id, %(webinar)s, 'live', int4multirange(int4range(0, seen / 3), int4range(seen / 3 + 60, seen + 60)),
    '{{}}', seen, 3240, seen, tstzmultirange(tstzrange(%(at)s, %(at)s + interval '1 hour')),
    %(at)s + interval '30 seconds', %(at)s + interval '1 hour'
FROM (SELECT user_id, CASE WHEN %(share)s = 1 OR random() < %(share)s THEN 3540 ELSE 1800 END AS seen {_DOCTORS}) w
"""
_TESTS = f"""
INSERT INTO assessments_attempt (quiz_id, user_id, number, seed, paper, is_one_way, wrong_share, state, started_at,
    grace_seconds, reached, submitted_at, ended_by, most_points, score, counts)
SELECT %(quiz)s, user_id, 1, 1, '{{"sections": [], "items": []}}', false, 0, 'marked', %(at)s, 0, 0, %(at)s, 'person',
    10, CASE WHEN random() < %(share)s THEN 8 ELSE 5 END, true {_DOCTORS}
"""
_FEEDBACK = f"""
INSERT INTO assessments_evaluationreceipt (id, evaluation_id, user_id, answered_on)
SELECT gen_random_uuid(), %(evaluation)s, user_id, %(at)s::date {_DOCTORS} AND random() < %(share)s
"""
_READ = f"""
INSERT INTO certification_acknowledgement (user_id, sheet_id, shown_at, acknowledged_at)
SELECT user_id, %(sheet)s, %(at)s - interval '1 hour', %(at)s - interval '1 hour' {_DOCTORS} AND random() < %(share)s
"""
