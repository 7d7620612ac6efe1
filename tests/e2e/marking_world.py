"""Answers that wait for people, of an exam with two markers and of a test with one; and a question with a wrong key."""

from typing import Any

ESSAYS = (
    """AMH is made by the granulosa cells of small growing follicles, so it tells how many of them there are. It
predicts how many oocytes a stimulation yields.

It does not predict whether she will conceive naturally this year: cohorts of women without known infertility found the
same rates with a low and with a normal AMH.""",
    "It is a hormone of the ovary. A low value means that the woman will soon enter menopause and should hurry.",
    "The antral follicle count and AMH say the same in most women. Age says more about the quality of the oocytes.",
)
MODEL = (
    "<p>AMH comes from granulosa cells of preantral and small antral follicles. It reflects the number of growing "
    "follicles and predicts the <strong>response to stimulation</strong>, not natural conception.</p>"
)


def build_marking() -> dict[str, Any]:
    from accounts.enums import Role
    from tests.factories.courses import CourseFactory, ProgrammeFactory

    programme = ProgrammeFactory.create(slug="marking", title="Reproductive endocrinology", society="")
    course = CourseFactory.create(programme=programme, title="Ovarian reserve")
    essays = _exam(course)
    people = {name: _person(name, programme, Role.PRESENTER) for name in ("marker-one", "marker-two", "marker-three")}
    people["marking-office"] = _person("marking-office", programme, Role.MODERATOR)
    _disagree(essays[0], people["marker-one"], people["marker-two"])
    shorts = _words(course)
    key = _wrong_key(course)
    return {
        "exam": essays[0].quiz_id,
        "disputed": _open(essays[0]).pk,
        "essay": _open(essays[1]).pk,
        "short": _open(shorts[0]).pk,
        "words": shorts[0].quiz_id,
        "item": key,
        "people": {name: _cookie(person) for name, person in people.items()},
    }


def _exam(course: Any) -> list[Any]:
    from assessments.enums import ItemKind
    from tests.assessments.written import with_open, write
    from tests.factories.assessments import make_quiz
    from tests.factories.courses import LessonFactory

    rubric = [
        {"id": "a", "text": "Names the <strong>granulosa cells</strong> of small follicles", "points": "2"},
        {"id": "b", "text": "Says that it predicts the response to stimulation", "points": "2"},
        {"id": "c", "text": "Says that it does not predict natural conception", "points": "1"},
    ]
    lesson = LessonFactory.create(course=course, kind="quiz", title="Mock exam: the ovarian reserve")
    stem = "<p>What does AMH tell a woman of 32 with regular cycles, and what does it not tell her?</p>"
    key = {"rubric": rubric, "model": MODEL, "rationales": {"a": "Half of it for “the ovary”."}}
    quiz = with_open(make_quiz(items=1, lesson=lesson, markers_needed=2), ItemKind.ESSAY, key, stem)
    return [write(quiz, text=text) for text in ESSAYS]


def _words(course: Any) -> list[Any]:
    from assessments.enums import ItemKind
    from tests.assessments.written import SHORT_KEY, with_open, write
    from tests.factories.assessments import make_quiz
    from tests.factories.courses import LessonFactory

    lesson = LessonFactory.create(course=course, kind="quiz", title="After the lecture: in your own words")
    stem = "<p>Which cells of the follicle make AMH?</p>"
    quiz = with_open(make_quiz(items=1, lesson=lesson), ItemKind.SHORT, SHORT_KEY, stem)
    return [write(quiz, text=text) for text in ("theca cell", "granulose", "cells of granulosa")]


def _wrong_key(course: Any) -> int:
    """Most chose c, which is right; the key says b."""
    from tests.assessments.sitting import choose, hand_in, start
    from tests.factories.assessments import candidate_of, make_quiz
    from tests.factories.courses import LessonFactory

    lesson = LessonFactory.create(course=course, kind="quiz", title="Before the lecture: what do you know?")
    quiz = make_quiz(items=2, lesson=lesson, pass_percent=50)
    for number, choice in enumerate("ccbcca"):
        attempt = start(quiz, candidate_of(quiz))
        choose(attempt, 0, choice)
        choose(attempt, 1, "b" if number % 2 else "a")
        hand_in(attempt)
    pick = quiz.sections.get().picks.get(position=1)
    assert pick.item_id is not None
    return pick.item_id


def _disagree(attempt: Any, one: Any, two: Any) -> None:
    from decimal import Decimal

    from assessments.domain.marking import mark_by_hand

    given = ((one, "3.2", "2 2 0", "The second half is missing."), (two, "1.6", "1 1 0", "Too short for an exam."))
    for marker, points, rubric, comment in given:
        mark_by_hand(
            answer_id=_open(attempt).pk,
            marker=marker,
            points=Decimal(points),
            rubric=rubric.split(),
            comment=comment,
        )


def _open(attempt: Any) -> Any:
    return attempt.answers.get(position=1)


def _person(name: str, programme: Any, role: str) -> Any:
    from tests.factories.accounts import UserFactory
    from tests.factories.courses import RoleGrantFactory

    person = UserFactory.create(email=f"{name}@example.org", first_name="Ana", last_name="Ribeiro", timezone="UTC")
    RoleGrantFactory.create(user=person, role=role, programme=programme)
    person.refresh_from_db()
    return person


def _cookie(person: Any) -> str:
    from django.conf import settings

    from tests.signing_in import signed_in

    return str(signed_in(person).cookies[settings.SESSION_COOKIE_NAME].value)
