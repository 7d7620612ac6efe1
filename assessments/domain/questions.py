"""What versions ask, kept by every process: a version never changes, so it is read once."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock

from assessments.items import type_of
from assessments.items.base import ItemType, Json
from assessments.models import ItemVersion

MOST_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Question:
    """Nothing of the key is in here, and nothing that makes a paper reads one."""

    version: int
    type: ItemType
    stem: str
    shown: Json


_kept: OrderedDict[int, Question] = OrderedDict()
_guard = Lock()


def questions_of(version_ids: Collection[int]) -> dict[int, Question]:
    """By version. No query where all are known, otherwise one."""
    with _guard:
        found = {one: _kept[one] for one in version_ids if one in _kept}
        for one in found:
            _kept.move_to_end(one)
    missing = set(version_ids) - found.keys()
    if not missing:
        return found
    rows = ItemVersion.objects.filter(pk__in=missing).values_list("pk", "item__kind", "stem", "shown")
    read = {pk: Question(pk, type_of(kind), stem, shown) for pk, kind, stem, shown in rows}
    with _guard:
        _kept.update(read)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found | read


def question_of(version_id: int) -> Question:
    return questions_of([version_id])[version_id]
