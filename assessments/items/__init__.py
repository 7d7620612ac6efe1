"""The kinds of item: one folder a kind, found by its value in `assessments.enums.ItemKind`."""

from assessments.items.base import ItemType
from assessments.items.essay import Essay
from assessments.items.hotspot import Hotspot
from assessments.items.matching import Matching
from assessments.items.multiple import Multiple
from assessments.items.numeric import Numeric
from assessments.items.ordering import Ordering
from assessments.items.short import Short
from assessments.items.single import Single
from assessments.items.true_false import TrueFalse
from assessments.items.vignette import Vignette

_TYPES: dict[str, ItemType] = {
    one.kind: one
    for one in (
        Single(),
        Multiple(),
        TrueFalse(),
        Matching(),
        Ordering(),
        Numeric(),
        Short(),
        Essay(),
        Hotspot(),
        Vignette(),
    )
}


def type_of(kind: str) -> ItemType:
    return _TYPES[kind]
