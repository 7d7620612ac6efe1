"""An attempt as its doctor sees it: the open sheet, and what the review policy shows afterwards.

The sheet is made of `questions`, which know no key. Only `review_of` reads keys, and only when the policy allows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Prefetch

from assessments.domain.keys import current_key, last_revision
from assessments.domain.questions import Question, questions_of
from assessments.enums import FINISHED_STATES, AttemptState, Review
from assessments.items import type_of
from assessments.items.base import Json, Row
from assessments.models import Answer, Attempt, Item, ItemVersion, KeyRevision
from assessments.models.bank import ItemTopic
from core.clock import database_now
from core.prepared import Prepared

_answers = Prepared[Answer](lambda attempt: Answer.objects.filter(attempt=attempt))
_MOMENT = """
SELECT clock_timestamp(), (SELECT reason FROM assessments_pause WHERE quiz_id = %s AND ended_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One question on the sheet. `view` is what its kind's template takes; empty where it is not open (one way)."""

    position: int
    section: int
    points: str
    kind: str
    stem: str
    story: str  # of the vignette it belongs to
    story_images: Sequence[int]
    view: Json
    value: Json | None
    saved: int
    is_flagged: bool
    is_open: bool
    wording: tuple[object, ...] = ()  # versions and points: all but the order follows from it

    @property
    def number(self) -> int:
        return self.position + 1

    @property
    def template(self) -> str:
        return f"assessments/items/{self.kind}.html"

    @property
    def is_answered(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True)
class Sheet:
    attempt: Attempt
    sections: list[Json]
    lines: list[Line]
    now: datetime
    held: str  # why the test is being held; empty while it runs

    @property
    def seconds_left(self) -> int | None:
        if self.attempt.deadline_at is None:
            return None
        return max(0, int((self.attempt.deadline_at - self.now).total_seconds()))

    @property
    def answered(self) -> int:
        return sum(line.is_answered for line in self.lines)


def sheet_of(*, attempt: Attempt, is_new: bool = False) -> Sheet:
    """Two queries, whatever the length, where the questions are known; none for one that was begun just now."""
    items = attempt.paper["items"]
    wanted = {entry["v"] for entry in items} | {entry["g"] for entry in items if "g" in entry}
    questions = questions_of(wanted)
    given = {} if is_new else {answer.position: answer for answer in _answers.rows(attempt=attempt.pk)}
    moment, held = (attempt.started_at, "") if is_new else _moment(attempt.quiz_id)
    lines = [
        line_of(position, entry, questions, given.get(position), is_open=_is_open(attempt, position))
        for position, entry in enumerate(items)
    ]
    return Sheet(attempt, attempt.paper["sections"], lines, moment, held)


def _moment(quiz_id: int) -> tuple[datetime, str]:
    """The database's time, and why the test is being held just then; empty while it runs."""
    with connection.cursor() as cursor:
        cursor.execute(_MOMENT, [quiz_id])
        moment, held = cursor.fetchone()
    return moment, held or ""


def _is_open(attempt: Attempt, position: int) -> bool:
    return not attempt.is_one_way or position == attempt.reached


def line_of(position: int, entry: Json, questions: dict[int, Question], given: Answer | None, *, is_open: bool) -> Line:
    """`questions` by version; `given` is what was answered, if anything."""
    question = questions[entry["v"]]
    story = questions[entry["g"]] if is_open and "g" in entry else None
    value = given.value if given else None
    return Line(
        position=position,
        section=entry["s"],
        points=entry["p"],
        kind=question.type.kind,
        stem=question.stem if is_open else "",
        story=story.stem if story else "",
        story_images=story.shown.get("images", ()) if story else (),
        view=question.type.view(shown=question.shown, order=entry.get("o", ()), value=value) if is_open else {},
        value=value,
        saved=given.saved if given else 0,
        is_flagged=given.is_flagged if given else False,
        is_open=is_open,
        wording=(entry["v"], entry.get("g"), entry["p"]),
    )


# Afterwards


@dataclass(frozen=True, slots=True)
class Filed:
    topics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One question afterwards. `rows`, `rationale` and `references` are empty where right answers are not shown yet.

    `filed` are its topics of curricula and its tags: where results are not shown they are not either.
    """

    position: int
    stem: str
    mine: str
    outcome: str
    points: Any
    most: str
    rows: Sequence[Row]
    rationale: str
    references: Sequence[str]
    watch_lesson_id: int | None
    watch_seconds: int | None
    story: str = ""
    story_images: Sequence[int] = ()
    story_version: int | None = None  # questions of one vignette have the same
    filed: Filed = Filed()
    is_given: bool = False  # everybody got the points, whatever was answered

    @property
    def number(self) -> int:
        return self.position + 1


@dataclass(frozen=True, slots=True)
class Policy:
    marks: bool
    answers: bool


def policy_of(
    *, attempt: Attempt, attempts: Sequence[Attempt], attempts_left: int | None, closes_at: datetime | None
) -> Policy:
    """What this doctor may see now of a finished attempt, by all their `attempts` in this test.

    Right answers are never shown while an attempt of one's own is open: the same questions may be on it.
    """
    has_passed = any(one.is_passed for one in attempts if one.state in FINISHED_STATES)
    is_sitting = any(one.state == AttemptState.OPEN for one in attempts)

    def holds(when: str) -> bool:
        if attempt.state not in FINISHED_STATES or attempt.submitted_at is None:
            return False
        if when == Review.SUBMITTED:
            return True
        if when == Review.DONE:
            return has_passed or attempts_left == 0
        return when == Review.CLOSED and closes_at is not None and closes_at <= database_now()

    return Policy(marks=holds(attempt.quiz.marks_when), answers=holds(attempt.quiz.answers_when) and not is_sitting)


def review_of(*, attempt: Attempt, policy: Policy) -> list[Reviewed]:
    """Question by question; nothing at all where the policy shows no marks. Four queries, and one for new stories."""
    if not (policy.marks or policy.answers) or attempt.state == AttemptState.OPEN:
        return []
    answers = attempt.answers.select_related("version__item__vignette").order_by("position")
    if policy.answers:
        newest_first = KeyRevision.objects.order_by("-number")
        answers = answers.prefetch_related(Prefetch("version__revisions", queryset=newest_first))
    else:
        answers = answers.defer("version__key")
    listed = list(answers)
    stories = questions_of({entry["g"] for entry in attempt.paper["items"] if "g" in entry})
    filed = _filed([answer.version.item for answer in listed]) if policy.marks else {}
    return [_reviewed(attempt, answer, policy, stories, filed) for answer in listed]


def _is_given(version: ItemVersion) -> bool:
    last = last_revision(version)
    return last is not None and last.gives_everybody


def _filed(items: Sequence[Item]) -> dict[int, Filed]:
    """By item: what it is filed under itself, or else its vignette. One query."""
    whole = {item.pk: item.vignette for item in items}
    ids = {*whole, *(one.pk for one in whole.values() if one)}
    rows = ItemTopic.objects.filter(item__in=ids).order_by("topic__code").values_list("item_id", "topic__title")
    topics: dict[int, list[str]] = {}
    for pk, title in rows:
        topics.setdefault(pk, []).append(title)
    found = {}
    for item in items:
        story = whole[item.pk]
        titles = topics.get(item.pk) or (topics.get(story.pk) if story else None) or ()
        found[item.pk] = Filed(tuple(titles), tuple(item.tags or (story.tags if story else ())))
    return found


def _reviewed(
    attempt: Attempt, answer: Answer, policy: Policy, stories: dict[int, Question], filed: dict[int, Filed]
) -> Reviewed:
    version = answer.version
    kind = type_of(version.item.kind)
    key = current_key(version) if policy.answers else {}
    entry = attempt.paper["items"][answer.position]
    story = stories.get(entry.get("g"))
    return Reviewed(
        position=answer.position,
        stem=version.stem,
        mine=kind.describe(shown=version.shown, value=answer.value),
        outcome=answer.outcome if policy.marks else "",
        points=answer.points if policy.marks else None,
        most=entry["p"],
        rows=kind.rows(shown=version.shown, key=key, value=answer.value) if policy.answers else (),
        rationale=key.get("rationale", ""),
        references=key.get("references", ()),
        watch_lesson_id=version.watch_lesson_id if policy.answers else None,
        watch_seconds=version.watch_seconds if policy.answers else None,
        story=story.stem if story else "",
        story_images=story.shown.get("images", ()) if story else (),
        story_version=story.version if story else None,
        filed=filed.get(version.item_id, Filed()),
        is_given=policy.answers and _is_given(version),
    )
