"""All figures of a test in one object that can be kept, shown and sent: seconds of work for 100,000 papers."""

import dataclasses
import json
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Prefetch

from assessments.domain.analysis import irt
from assessments.domain.analysis.classical import Classical, Reliability, classical_of, reliability_of, rest_of
from assessments.domain.analysis.distractors import Choice, choices_of, groups_of, values_of
from assessments.domain.analysis.flags import Flag, flags_of
from assessments.domain.analysis.gain import Gain, gain_of
from assessments.domain.analysis.reading import Answers, read_answers
from assessments.domain.keys import current_key
from assessments.domain.ranking import state_of_attempts
from assessments.enums import ItemKind
from assessments.items import type_of
from assessments.items.base import Category
from assessments.models import AnalysisReport, ItemVersion, KeyRevision, Quiz
from core.richtext import plain_text

BINS = 20
# More people make estimates of the model no better than authors need, only slower. Chosen by chance, always the same.
MOST_FITTED, FITTED_PER_ITEM = 20_000, 1_000
_VALUES = """
SELECT n.attempt_id, n.version_id, n.value FROM assessments_answer n
JOIN unnest(%s::bigint[], %s::bigint[]) AS w (attempt_id, version_id) USING (attempt_id, version_id)
"""


@dataclass(frozen=True, slots=True)
class Model:
    """One question in the two-parameter model; see `irt`."""

    discrimination: float
    discrimination_error: float
    difficulty: float
    difficulty_error: float
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Item:
    version: int
    item: int
    number: int  # of the version
    name: str
    kind: str
    stem: str
    figures: Classical
    alpha_without: float | None
    choices: list[Choice]
    model: Model | None
    flags: list[Flag]


@dataclass(frozen=True, slots=True)
class Fitted:
    people: int
    iterations: int
    has_converged: bool
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Report:
    people: int
    length: float  # questions on a paper, on average
    mean: float | None  # percent
    deviation: float | None
    bins: list[int]  # people by result, in steps of five percent
    reliability: Reliability
    items: list[Item]
    model: Fitted | None
    gain: Gain | None
    seconds: float
    state: str  # of the attempts, to see later whether they have changed

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def analyse(*, quiz: Quiz) -> Report:
    """By the attempts that count, as they are marked now. A handful of queries, whatever the number of questions."""
    began, state = time.monotonic(), state_of_attempts(quiz.pk)
    answers = read_answers(quiz=quiz)
    fitted = _fit(answers)
    percent = np.divide(
        answers.total * 100, answers.total_most, out=np.zeros(answers.people), where=answers.total_most > 0
    )
    bins = np.bincount(np.clip(percent // (100 / BINS), 0, BINS - 1).astype(int), minlength=BINS)
    reliability = reliability_of(answers)
    return Report(
        people=answers.people,
        length=len(answers.person) / answers.people if answers.people else 0.0,
        mean=float(percent.mean()) if answers.people else None,
        deviation=float(percent.std(ddof=1)) if answers.people > 1 else None,
        bins=[int(count) for count in bins],
        reliability=reliability,
        items=_items(answers, reliability, fitted),
        model=_fitted(fitted),
        gain=gain_of(quiz=quiz),
        seconds=round(time.monotonic() - began, 1),
        state=state,
    )


def make_report(*, quiz: Quiz, now: datetime) -> AnalysisReport:
    """Analysed and kept, for the page of the authors."""
    kept = {"report": analyse(quiz=quiz).to_json(), "made_at": now, "asked_at": None}
    report, _ = AnalysisReport.objects.update_or_create(quiz=quiz, defaults=kept)
    return report


def _items(answers: Answers, reliability: Reliability, fitted: irt.Fit | None) -> list[Item]:
    newest_first = Prefetch("revisions", queryset=KeyRevision.objects.order_by("-number"))
    versions = (
        ItemVersion.objects.select_related("item")
        .prefetch_related(newest_first)
        .in_bulk([int(one) for one in answers.versions])
    )
    ordered = [versions[int(one)] for one in answers.versions]
    categories = [_categories(version) for version in ordered]
    chosen = _chosen(answers, ordered, categories)
    groups = groups_of(answers)
    rests = (rest_of(answers, number) for number in range(answers.items))
    found: list[tuple[Classical, list[Choice]]] = []
    for number, rest in enumerate(rests):
        choices: list[Choice] = []
        if categories[number]:
            choices = choices_of(
                answers, number, rest=rest, groups=groups, categories=categories[number], chosen=chosen[number]
            )
        found.append((classical_of(answers, number, rest), choices))
    times = [figures.seconds for figures, _ in found if figures.seconds is not None]
    usual = float(np.median(times)) if times else None
    return [
        Item(
            version=version.pk,
            item=version.item_id,
            number=version.number,
            name=version.item.name,
            kind=version.item.kind,
            stem=plain_text(version.stem)[:300],
            figures=figures,
            alpha_without=reliability.without[number],
            choices=choices,
            model=_model(fitted, number),
            flags=flags_of(figures=figures, choices=choices, usual_seconds=usual),
        )
        for number, (version, (figures, choices)) in enumerate(zip(ordered, found, strict=True))
    ]


def _categories(version: ItemVersion) -> list[Category]:
    """Options by letter, in the author's order: the order on papers differs from doctor to doctor."""
    kind = version.item.kind
    found = type_of(kind).categories(shown=version.shown, key=current_key(version))
    if kind in {ItemKind.SINGLE, ItemKind.MULTIPLE}:
        return [
            Category(one.name, f"{chr(ord('A') + place)}: {one.label}"[:120], one.is_right)
            for place, one in enumerate(found)
        ]
    return found


def _chosen(
    answers: Answers, versions: Sequence[ItemVersion], categories: Sequence[Sequence[Category]]
) -> list[dict[int, Collection[str]]]:
    """For each question: what the answers with a hash chose. Each different answer is read once, in one query."""
    wanted: dict[tuple[int, int], tuple[int, int]] = {}
    for number in range(answers.items):
        if categories[number]:
            hashes, people = values_of(answers, number)
            for one, person in zip(hashes, people, strict=True):
                wanted[int(answers.attempts[person]), int(answers.versions[number])] = (number, int(one))
    found: list[dict[int, Collection[str]]] = [{} for _ in range(answers.items)]
    with connection.cursor() as cursor:
        cursor.execute(_VALUES, [[attempt for attempt, _ in wanted], [version for _, version in wanted]])
        for attempt, version, value in cursor:
            number, one = wanted[attempt, version]
            kind = type_of(versions[number].item.kind)
            given = value if isinstance(value, dict) else _parsed(value)
            found[number][one] = frozenset(kind.chosen(shown=versions[number].shown, value=given))
    return found


def _parsed(value: str) -> Any:
    """Past the ORM JSON comes as text."""
    return json.loads(value)


def _fit(answers: Answers) -> irt.Fit | None:
    """Full marks are right, everything else is wrong, blanks included."""
    item = answers.item_of_rows()
    person, right = answers.person, answers.share >= 1 - 1e-6
    length = len(person) / max(1, answers.people)
    most = max(MOST_FITTED, math.ceil(FITTED_PER_ITEM * answers.items / max(1.0, length)))
    if answers.people > most:
        taken = np.zeros(answers.people, dtype=np.bool_)
        taken[np.random.default_rng(0).choice(answers.people, most, replace=False)] = True
        kept = taken[person]
        person, item, right = person[kept], item[kept], right[kept]
    return irt.fit(irt.sorted_by_person(person=person, item=item, is_right=right, items=answers.items))


def _fitted(found: irt.Fit | None) -> Fitted | None:
    return None if found is None else Fitted(found.people, found.iterations, found.has_converged, found.likelihood)


def _model(fitted: irt.Fit | None, number: int) -> Model | None:
    if fitted is None or not math.isfinite(fitted.discrimination[number]):
        return None
    return Model(
        discrimination=float(fitted.discrimination[number]),
        discrimination_error=_finite(fitted.discrimination_error[number]),
        difficulty=_finite(fitted.difficulty[number]),
        difficulty_error=_finite(fitted.difficulty_error[number]),
        is_settled=bool(fitted.is_settled[number]),
    )


def _finite(value: float) -> float:
    """JSON knows no infinity; a slope of nothing has its difficulty there. It is not settled then."""
    return float(np.nan_to_num(value, nan=0.0, posinf=999.0, neginf=-999.0))
