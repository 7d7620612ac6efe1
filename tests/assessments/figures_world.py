"""Finished papers by the dozen, written as they are after marking."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from assessments.domain.submitting import mark_of, set_mark
from assessments.enums import AttemptState, EndedBy
from assessments.models import Answer, Attempt, Item, ItemVersion, Quiz
from core.clock import now
from tests.factories.accounts import UserFactory


def versions_of(items: Sequence[Item]) -> list[ItemVersion]:
    ids = [item.version_id for item in items if item.version_id]
    found = ItemVersion.objects.select_related("item").prefetch_related("revisions").in_bulk(ids)
    return [found[one] for one in ids]


def sat(quiz: Quiz, versions: Sequence[ItemVersion], choices: Sequence[str | None], **fields: Any) -> Attempt:
    """One doctor's marked attempt with these answers of single-choice questions of one point; none is a blank."""
    moment = now()
    attempt = Attempt(
        quiz=quiz,
        user=fields.pop("user", None) or UserFactory.create(),
        number=1,
        seed=1,
        paper={"sections": [{"title": "", "instructions": ""}], "items": [_entry(one) for one in versions]},
        state=AttemptState.MARKED,
        started_at=moment,
        submitted_at=moment,
        ended_by=EndedBy.PERSON,
        most_points=len(versions),
        counts=fields.pop("counts", True),
    )
    answers = []
    for position, (version, choice) in enumerate(zip(versions, choices, strict=True)):
        value = None if choice is None else {"choice": choice}
        answer = Answer(attempt=attempt, position=position, version=version, value=value, seconds=10 * (position + 1))
        set_mark(answer, mark_of(version=version, value=value, wrong_share=Decimal(0)), most=Decimal(1))
        answers.append(answer)
    attempt.score = sum((answer.points or Decimal(0) for answer in answers), Decimal(0))
    attempt.save()
    Answer.objects.bulk_create(answers)
    return attempt


def _entry(version: ItemVersion) -> dict[str, Any]:
    return {"v": version.pk, "s": 0, "p": "1.00"}
