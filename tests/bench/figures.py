"""A hundred thousand marked papers of fifty questions, and how long their ranking and their figures take."""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.stage import ROOT

ITEMS = 50
LOOKUPS = 300
COUNTRIES = "ATBEBGCHCZDEDKEEESFIFRGBGRHRHUIEITLTLULVMTNLNOPLPTROSESI"  # 28, two letters each
SPECIALTIES = ("Cardiology", "General practice", "Internal medicine", "Neurology", "Oncology", "Paediatrics")


def measure_figures(people: int) -> dict[str, Any]:
    """Django is set up, and its database is this measurement's own."""
    from assessments.domain.ranking import place_of, refresh_ranking
    from assessments.models import Attempt, Place
    from core.clock import now

    quiz = fill(people)
    began = time.perf_counter()
    refresh_ranking(quiz_id=quiz.pk, now=now())
    first = time.perf_counter() - began
    # Live: somebody's result changed, and everybody's place is made anew.
    changed = Attempt.objects.filter(quiz=quiz, counts=True).latest("pk")
    Attempt.objects.filter(pk=changed.pk).update(score=ITEMS)
    began = time.perf_counter()
    refresh_ranking(quiz_id=quiz.pk, now=now())
    again = time.perf_counter() - began
    rng = random.Random(1)
    users = [one.user for one in Place.objects.filter(quiz=quiz).select_related("user")[:: max(1, people // LOOKUPS)]]
    rng.shuffle(users)
    times = []
    for user in users:
        began = time.perf_counter()
        place_of(quiz=quiz, user=user)
        times.append((time.perf_counter() - began) * 1_000)
    analysis = _analysis(quiz.pk)
    return {
        "papers": people,
        "items_a_paper": ITEMS,
        "rank_100k_s": round(max(first, again), 2),
        "rank_first_s": round(first, 2),
        "rank_again_s": round(again, 2),
        "place_ms": round(statistics.quantiles(times, n=20)[-1], 2),
        "place_median_ms": round(statistics.median(times), 2),
        "item_analysis_100k_s": round(analysis["seconds"], 1),
        "item_analysis_peak_mb": round(analysis["peak_mb"]),
        "item_analysis_base_mb": round(analysis["base_mb"]),
    }


def fill(people: int) -> Any:
    """A real test, which one doctor takes; everybody else's rows are made of theirs by PostgreSQL.

    Abilities and difficulties are normal. Foreign keys are not checked row by row: that alone would take minutes.
    """
    from django.db import connection

    from assessments.models import Answer, Attempt, Candidate
    from courses.models import Cohort, Enrolment
    from tests.assessments.sitting import choose, hand_in, start
    from tests.factories.assessments import candidate_of, make_quiz
    from tests.factories.courses import CohortFactory

    quiz = make_quiz(items=ITEMS, has_ranking=True)
    doctor = candidate_of(quiz)
    attempt = start(quiz, doctor)
    for position in range(ITEMS):
        choose(attempt, position, "b")
    hand_in(attempt)
    cohorts = [CohortFactory.create(programme=quiz.lesson.course.programme).pk for _ in range(5)]
    assert Cohort.objects.count() >= len(cohorts)
    given: dict[str, Any] = {"people": people, "doctor": doctor.pk, "attempt": attempt.pk, "cohorts": cohorts}
    given |= {"countries": COUNTRIES, "specialties": list(SPECIALTIES), "quiz": quiz.pk}
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            """
            CREATE TEMP TABLE sitter AS
            SELECT n, nextval(pg_get_serial_sequence('accounts_user', 'id')) AS user_id,
                   nextval(pg_get_serial_sequence('assessments_attempt', 'id')) AS attempt_id,
                   sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS ability
            FROM generate_series(2, %(people)s) n
            """,
            given,
        )
        for model, changes, source in (
            (type(doctor), _USER, "t.id = %(doctor)s"),
            (Enrolment, _ENROLMENT, "t.user_id = %(doctor)s"),
            (Candidate, _CANDIDATE, "t.user_id = %(doctor)s"),
            (Attempt, _ATTEMPT, "t.id = %(attempt)s"),
        ):
            cursor.execute(_copy_of(model, changes, source), given)
        cursor.execute(_copy_of(Answer, _ANSWER, "t.attempt_id = %(attempt)s", extra=_CHANCE), given)
        cursor.execute(_SCORE, given)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM (ANALYZE)")
    return quiz


Changes = dict[str, str | None]  # a column, and what comes into it
_USER: Changes = {
    "id": "s.user_id",
    "email": "'sitter' || s.n || '@hospital.example'",
    "country": "substr(%(countries)s, 1 + 2 * (s.n %% 28)::int, 2)",
    "specialty": "(%(specialties)s::text[])[1 + s.n %% 6]",
}
_ENROLMENT: Changes = {"id": None, "user_id": "s.user_id", "cohort_id": "(%(cohorts)s::bigint[])[1 + s.n %% 5]"}
_CANDIDATE: Changes = {"id": None, "user_id": "s.user_id", "shows_name": "s.n %% 4 = 0"}
_ATTEMPT: Changes = {"id": "s.attempt_id", "user_id": "s.user_id"}
_ANSWER: Changes = {
    "id": None,
    "attempt_id": "s.attempt_id",
    "value": "jsonb_build_object('choice', CASE WHEN c.is_right THEN 'b' ELSE (ARRAY['a', 'c', 'd'])[1 + c.other] END)",
    "outcome": "CASE WHEN c.is_right THEN 'right' ELSE 'wrong' END",
    "share": "c.is_right::int",
    "points": "c.is_right::int",
    "seconds": "10 + (80 * random())::int",
}
# The difficulty of a question follows from its position; the lateral query is made anew for every row.
_CHANCE = """
CROSS JOIN LATERAL (
    SELECT
        (random() * 3)::int %% 3 AS other,
        random() < 1 / (1 + exp((0.6 + (t.position %% 7) * 0.2) * ((t.position - 25) / 12.0 - s.ability))) AS is_right
) c
"""
_SCORE = """
UPDATE assessments_attempt a SET score = n.score
FROM (SELECT attempt_id, sum(points) AS score FROM assessments_answer GROUP BY 1) n
WHERE n.attempt_id = a.id AND a.quiz_id = %(quiz)s
"""


def _copy_of(model: Any, changes: Changes, source: str, *, extra: str = "") -> str:
    """One row for every sitter as the template's, with these columns changed; none: the database numbers it."""
    columns = [field.column for field in model._meta.concrete_fields if changes.get(field.column, "") is not None]
    values = [changes.get(column) or f't."{column}"' for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    table, taken = model._meta.db_table, ", ".join(values)
    return f"INSERT INTO {table} ({names}) SELECT {taken} FROM {table} t CROSS JOIN sitter s {extra} WHERE {source}"


def _analysis(quiz_id: int) -> dict[str, float]:
    """In a process of its own, whose memory is nobody else's."""
    command = [sys.executable, "-m", "tests.bench.figures", str(quiz_id)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=900, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _analyse(quiz_id: int) -> None:
    import django

    django.setup()
    from assessments.domain.analysis.report import analyse
    from assessments.models import Quiz

    quiz = Quiz.objects.get(pk=quiz_id)
    base = _peak_mb()
    began = time.perf_counter()
    report = analyse(quiz=quiz)
    seconds = time.perf_counter() - began
    assert report.model is not None
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": _peak_mb(), "base_mb": base}) + "\n")


def _peak_mb() -> float:
    """Of this program since it began; what `getrusage` says begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


if __name__ == "__main__":
    _analyse(int(sys.argv[1]))
