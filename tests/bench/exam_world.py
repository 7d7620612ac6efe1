"""An exam of forty questions and those who sit it, in the cluster's database. Run with its environment:

`python -m tests.bench.exam_world make 1000` prints the quiz and who may come; `… check <quiz> <file>` compares what
was acknowledged (lines of user, position, choice) with what is stored.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import django

ITEMS = 40


def main() -> None:
    django.setup()
    what, *arguments = sys.argv[1:]
    work: Any = {"make": make, "check": check}[what]
    sys.stdout.write(json.dumps(work(*arguments)) + "\n")


def make(count: str) -> dict[str, Any]:
    from django.db import connection

    from tests.bench.surge_world import BATCH, _people
    from tests.factories.assessments import make_quiz

    quiz = make_quiz(items=ITEMS, time_limit_seconds=3 * 3600, shuffles_items=True, shuffles_options=True)
    programme = quiz.lesson.course.programme
    members = [one for start in range(0, int(count), BATCH) for one in _people(programme, start, int(count))]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"quiz": quiz.pk, "members": members}


def check(quiz: str, path: str) -> dict[str, Any]:
    """`lost`: acknowledged, and not what is stored. `attempts`: how many there are, of how many people."""
    from assessments.models import Answer, Attempt

    quiz_id = int(quiz)
    attempts = Attempt.objects.filter(quiz=quiz_id)
    answers: Any = Answer.objects.filter(attempt__quiz=quiz_id, value__isnull=False)
    rows = answers.values_list("attempt__user_id", "position", "value__choice")
    stored = {(user, position): choice for user, position, choice in rows}
    lost = sum(stored.get((user, position)) != choice for user, position, choice in _lines(Path(path)))
    return {
        "lost": lost,
        "stored": len(stored),
        "attempts": attempts.count(),
        "people": attempts.values("user").distinct().count(),
        "open": attempts.filter(state="open").count(),
    }


def _lines(path: Path) -> Iterable[tuple[int, int, str]]:
    for line in path.read_text().splitlines():
        user, position, choice = line.split("\t")
        yield int(user), int(position), choice


if __name__ == "__main__":
    main()
