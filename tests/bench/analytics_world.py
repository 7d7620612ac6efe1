"""Doctors and what they watched, written by SQL: 15,000 people × 10 webinars × 3 ranges, and one webinar of a million.

Everything that looks random is a function of the row's number, so every run counts the same. A webinar was live for an
hour with one interruption, its recording has one cut, and it is asked, voted on and thought of like `lecture_world`.
Each last name is another one, every eighth of two words.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

BEGAN = datetime(2026, 9, 1, 17, 0, tzinfo=UTC)
SPANS = [(0.0, 1500.0, 0.0), (1560.0, 3660.0, 1500.0)]
CUTS = ((10, 40),)
COUNTRIES = ["IN", "BR", "KE", "DE", "VN", "FR", "ES", "IT", "NG", "PH"]
MANY = 100_000

_PEOPLE = """
INSERT INTO accounts_user (password, email, title, first_name, last_name, specialty, country, timezone, language, phone,
    medical_council, registration_number, is_active, is_staff, is_superuser, created_at)
SELECT '!', %(prefix)s || n || '@hospital.example', '', 'Meera',
    CASE WHEN n %% 8 = 0 THEN 'Nair-' ELSE 'Nair' END || translate(n::text, '0123456789', 'abcdefghij'),
    (ARRAY['Gynaecology', 'Cardiology', 'Endocrinology', ''])[n %% 4 + 1], (%(countries)s::text[])[n %% 10 + 1],
    'Asia/Kolkata', 'en', '', '', '', true, false, false, %(now)s
FROM generate_series(1, %(number)s) AS n
RETURNING id
"""
_ENROLLED = """
INSERT INTO courses_enrolment (user_id, programme_id, status, enrolled_at, activated_at)
SELECT id, %(programme)s, 'active', %(now)s, %(now)s FROM accounts_user WHERE email LIKE %(prefix)s || '%%'
"""
# Three ranges each, within the hour, at places that follow from the person and the webinar; the clock is one piece.
_WATCHED = """
INSERT INTO webinars_watchrecord (user_id, webinar_id, phase, coverage, excess, seen_seconds, required_seconds,
    position_seconds, clock, first_beat_at, last_beat_at, grew_at)
SELECT s.id, %(webinar)s, %(phase)s, s.coverage, '{}', s.seen, 3240, s.high,
    tstzmultirange(tstzrange(s.began, s.began + make_interval(secs => s.high))), s.began,
    s.began + make_interval(secs => s.high), s.began
FROM (
    SELECT id, high, %(began)s::timestamptz + make_interval(secs => id * 37 %% 600) AS began,
        int4multirange(int4range(low, low + 600), int4range(low + 700, low + 1400), int4range(low + 1500, high))
            AS coverage, 600 + 700 + high - low - 1500 AS seen
    FROM (
        SELECT id, (id * 13 %% 300)::int4 AS low, (id * 13 %% 300 + 1600 + id * 29 %% 1500)::int4 AS high
        FROM accounts_user
        WHERE email LIKE %(prefix)s || '%%' AND id %% %(of)s < %(share)s
    ) AS place
) AS s
"""
# One player a person and phase, and four reports of it; in the last one every fourth played half a minute again.
_DEVICES = """
INSERT INTO accounts_device (id, user_id, session_key, name, user_agent, method, created_at, last_seen_at, ended_reason)
SELECT gen_random_uuid(), id, 'bench-' || id, '', '', 'link', %(began)s, %(began)s, ''
FROM accounts_user WHERE email LIKE %(prefix)s || '%%'
"""
_PLAYED = """
INSERT INTO webinars_playsession (id, user_id, webinar_id, phase, device_id, enrolment_id, media_seconds,
    required_seconds, epoch, started_at)
SELECT gen_random_uuid(), w.user_id, w.webinar_id, w.phase, d.id, e.id, 3660, 3240,
    CASE WHEN w.phase = 'live' THEN w.first_beat_at END, w.first_beat_at
FROM webinars_watchrecord w JOIN accounts_device d ON d.user_id = w.user_id
JOIN courses_enrolment e ON e.user_id = w.user_id AND e.programme_id = %(programme)s
WHERE w.webinar_id = %(webinar)s
"""
_TOLD = """
INSERT INTO analytics_playbackreport (session_started_at, session_id, number, webinar_id, phase, received_at, country,
    device, network, start_ms, play_ms, stall_ms, stalls, kbits, errors, error_kind, replayed)
SELECT s.started_at, s.id, n, s.webinar_id, s.phase, s.started_at + n * interval '4 minutes', 'IN',
    (ARRAY['phone', 'computer', 'tablet'])[s.user_id %% 3 + 1], 'wifi', 800, 240000, 0, 0, 0, 0, '',
    CASE WHEN n = 4 AND s.user_id %% 4 = 0
        THEN int4multirange(int4range((s.user_id * 7 %% 3000)::int4, (s.user_id * 7 %% 3000 + 30)::int4))
        ELSE '{}' END
FROM webinars_playsession s CROSS JOIN generate_series(1, 4) AS n WHERE s.webinar_id = %(webinar)s
"""
_ANSWERED = """
WITH given AS (
    INSERT INTO assessments_evaluationresponse (id, evaluation_id, form_id, answered_on)
    SELECT gen_random_uuid(), %(evaluation)s, %(form)s, '2026-09-02' FROM generate_series(1, %(number)s)
    RETURNING id
)
INSERT INTO assessments_evaluationanswer (id, response_id, question_id, number, chosen, text)
SELECT gen_random_uuid(), given.id, q.id,
    CASE WHEN q.kind <> 'text' THEN (hashtext(given.id::text || q.id) & 3) + 2 END, '{}',
    CASE WHEN q.kind = 'text' THEN (ARRAY['The slides were too small to read, otherwise very clear.',
        'More case studies please, and more time for questions at the end.', 'Excellent speaker, thank you.',
        'The audio was poor in the second half of the lecture.'])[(hashtext(given.id::text) & 3) + 1] ELSE '' END
FROM given CROSS JOIN assessments_evaluationquestion q WHERE q.form_id = %(form)s
"""


@dataclass(frozen=True)
class World:
    presenter: Any
    webinars: list[Any]
    largest: Any  # the webinar of a million
    one: Any  # of ten thousand viewers


def fill(*, doctors: int, webinars: int, viewers: int, crowd: int) -> World:
    """`viewers`: of the webinar whose curve is measured; `crowd`: of the one that shows how it grows."""
    from accounts.enums import Role
    from analytics.domain import partitions
    from tests.factories.accounts import UserFactory
    from tests.factories.courses import CourseFactory, ProgrammeFactory, RoleGrantFactory

    partitions.keep(now=BEGAN)  # months are made ahead of what is written into them
    programme = ProgrammeFactory.create(title="A year of fertility")
    course = CourseFactory.create(programme=programme)
    presenter = UserFactory.create()
    RoleGrantFactory.create(user=presenter, programme=programme, role=Role.PRESENTER)
    people("doctor", doctors, programme.pk)
    made = [_webinar(course, presenter, f"Lecture {number}") for number in range(webinars)]
    for webinar in made:
        watched(webinar, "doctor", "live", share=3, of=4)
        watched(webinar, "doctor", "on_demand", share=1, of=3, began=BEGAN + timedelta(days=3))
    one = _webinar(course, presenter, "Ten thousand")
    watched(one, "doctor", "live", share=viewers, of=doctors)
    crowded = ProgrammeFactory.create(title="A million")
    people("crowd", crowd, crowded.pk)
    largest = _webinar(CourseFactory.create(programme=crowded), presenter, "A million")
    watched(largest, "crowd", "live", share=1, of=1)
    played([*made, one], "doctor", programme.pk)
    for webinar in made:
        _evaluated(webinar, doctors // 3)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return World(presenter, made, largest, one)


def people(prefix: str, number: int, programme: int) -> None:
    given: dict[str, Any] = {
        "prefix": prefix,
        "countries": COUNTRIES,
        "now": BEGAN,
        "programme": programme,
        "number": number,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, given)
        cursor.execute(_ENROLLED, given)


def watched(webinar: Any, prefix: str, phase: str, *, share: int, of: int, began: datetime = BEGAN) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WATCHED,
            {"webinar": webinar.pk, "prefix": prefix, "phase": phase, "share": share, "of": of, "began": began},
        )


def played(webinars: list[Any], prefix: str, programme: int) -> None:
    """One webinar after the other: what its players tell lies together, as it came."""
    with connection.cursor() as cursor:
        cursor.execute(_DEVICES, {"began": BEGAN, "prefix": prefix})
        for webinar in webinars:
            cursor.execute(_PLAYED, {"programme": programme, "webinar": webinar.pk})
            cursor.execute(_TOLD, {"webinar": webinar.pk})


def _evaluated(webinar: Any, people: int) -> None:
    """Every third doctor has given feedback, with a text."""
    from tests.analytics.lecture_world import QUESTIONS
    from tests.factories.assessments import make_evaluation

    made = make_evaluation(questions=QUESTIONS, lesson__course=webinar.lesson.course, about=webinar.lesson)
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, {"evaluation": made.pk, "form": made.form_id, "number": people})


def _webinar(course: Any, presenter: Any, title: str) -> Any:
    from tests.factories.courses import LessonFactory
    from tests.factories.webinars import WebinarFactory
    from tests.webinars.on_air import make_live, publish
    from webinars.models import Broadcast, Chapter

    webinar = make_live(
        epoch=BEGAN, webinar=WebinarFactory.create(lesson=LessonFactory.create(course=course, title=title))
    )
    webinar.presenters.add(presenter)
    Broadcast.objects.filter(webinar=webinar).update(program_seconds=3660.0)
    publish(webinar, spans=SPANS, cuts=CUTS, at=BEGAN + timedelta(hours=2))
    for at in range(0, 3600, 600):
        Chapter.objects.create(webinar=webinar, at_seconds=float(at), title=f"Part {at // 600 + 1}")
    return type(webinar).objects.get(pk=webinar.pk)
