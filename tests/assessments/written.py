"""Tests with answers that a person has to mark."""

from typing import Any

from accounts.enums import Role
from accounts.models import User
from assessments.domain.saving import save_answer
from assessments.enums import ItemKind
from assessments.models import Answer, Attempt, Quiz
from tests.assessments.sitting import choose, hand_in, start
from tests.factories.assessments import BankFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import RoleGrantFactory

TEXT = "Because the dose was too high."
RUBRIC = [{"id": "a", "text": "Reasoning", "points": "4"}]
TWO_CRITERIA = [
    {"id": "a", "text": "<p>Names the <em>dose</em></p>", "points": "2"},
    {"id": "b", "text": "Brief", "points": "1"},
]
SHORT_KEY: dict[str, Any] = {
    "accepted": [{"text": "granulosa cells", "share": "1"}, {"text": "theca cells", "share": "0.5"}],
    "folds": ["case", "spaces"],
    "sure": "0.9",
    "unsure": "0.3",
}


def essay_quiz(
    *, rubric: list[dict[str, str]] | None = None, key: dict[str, Any] | None = None, **settings: Any
) -> Quiz:
    """One closed question and one essay of four points."""
    return with_open(
        make_quiz(items=1, **settings), ItemKind.ESSAY, {"rubric": RUBRIC if rubric is None else rubric, **(key or {})}
    )


def short_quiz(**settings: Any) -> Quiz:
    return with_open(make_quiz(items=1, **settings), ItemKind.SHORT, SHORT_KEY)


def with_open(quiz: Quiz, kind: str, key: dict[str, Any], stem: str = "") -> Quiz:
    bank = BankFactory(programme=quiz.lesson.course.programme)
    item = make_item(bank=bank, kind=kind, shown={}, key=key, stem=stem)
    quiz.sections.get().picks.create(position=quiz.sections.get().picks.count() + 1, item=item, points=4)
    return quiz


def write(quiz: Quiz, user: User | None = None, text: str = TEXT) -> Attempt:
    attempt = start(quiz, user or candidate_of(quiz))
    choose(attempt, 0, "b")
    save_answer(attempt=attempt, position=1, raw={"text": text}, saved=1)
    return hand_in(attempt)


def open_of(attempt: Attempt) -> Answer:
    return attempt.answers.get(position=1)


def marker_of(quiz: Quiz, role: str = Role.PRESENTER) -> User:
    user: User = RoleGrantFactory(role=role, programme=quiz.lesson.course.programme).user
    return user
