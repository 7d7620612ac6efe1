"""What was corrected of a question's keys, by whom and why; how far everybody is marked again; whose result changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from assessments.enums import FINISHED_STATES
from assessments.items import type_of
from assessments.items.base import Json, Row
from assessments.models import Answer, Attempt, Item, ItemVersion, KeyRevision, ScoreChange


@dataclass(frozen=True, slots=True)
class Correction:
    """`before` and `after` are the lines of the review that say what is right."""

    revision: KeyRevision
    before: Sequence[Row]
    after: Sequence[Row]
    gave_everybody: bool
    changed: int


@dataclass(frozen=True, slots=True)
class Remarking:
    """How many answers have been marked by the keys that count now, of all that are affected."""

    done: int
    total: int

    @property
    def is_over(self) -> bool:
        return self.done >= self.total


@dataclass(frozen=True, slots=True)
class Effect:
    """One doctor's attempt in the list of those who change, or have changed."""

    attempt: Attempt
    score_before: Decimal | None
    score_after: Decimal | None
    was_passed: bool | None
    is_passed: bool | None


def corrections_of(*, item: Item) -> list[Correction]:
    """The newest first. Three queries."""
    counted = ScoreChange.objects.values("revision").annotate(n=Count("pk"))
    changed = dict(counted.filter(revision__version__item=item).order_by().values_list("revision", "n"))
    found = []
    for version in item.versions.prefetch_related("revisions__made_by"):
        key, gave = version.key, False
        for revision in sorted(version.revisions.all(), key=lambda one: one.number):
            before, after = right_of(item.kind, version, key), right_of(item.kind, version, revision.key)
            revision.version = version
            found.append(Correction(revision, before, after, gave, changed.get(revision.pk, 0)))
            key, gave = revision.key, revision.gives_everybody
    return sorted(found, key=lambda one: one.revision.made_at, reverse=True)


def right_of(kind: str, version: ItemVersion, key: Json) -> list[Row]:
    return [row for row in type_of(kind).rows(shown=version.shown, key=key, value=None) if row.right]


def remarking_of(*, item: Item) -> Remarking:
    newest = KeyRevision.objects.filter(version=OuterRef("version")).order_by().values("version")
    stand = Coalesce(Subquery(newest.annotate(n=Max("number")).values("n")), 0)
    answers = Answer.objects.filter(
        version__in=KeyRevision.objects.filter(version__item=item).values("version"),
        attempt__state__in=FINISHED_STATES,
    ).annotate(stand=stand)
    counted = answers.aggregate(total=Count("pk"), done=Count("pk", filter=Q(key_number__gte=stand)))
    return Remarking(counted["done"], counted["total"])


def papers_of(*, version: ItemVersion) -> int:
    """Finished attempts with this question: whom a correction may change."""
    return Attempt.objects.filter(answers__version=version, state__in=FINISHED_STATES).distinct().count()


def changed_results(*, revision: KeyRevision) -> QuerySet[ScoreChange]:
    changes = ScoreChange.objects.filter(revision=revision)
    return changes.select_related("attempt__user", "attempt__quiz__lesson").order_by("attempt__user__last_name", "pk")


def attempts_of(ids: Sequence[int]) -> dict[int, Attempt]:
    """With doctor and test, for a list of them."""
    return Attempt.objects.select_related("user", "quiz__lesson").defer("paper").in_bulk(list(ids))
