"""How a number of people may be shown to those who must not recognise anybody. Pure.

Two rules, both needed. *Small cells*: groups of fewer than five are never shown; they are folded into "others", with as
many more of the smallest as it takes for "others" to have five. *Rounding*: what is shown is a multiple of five, each
total by itself; so the difference of any two numbers, of whatever two filters, is a multiple of five as well, and never
one person. (Rounding to a base, as statistical offices do: Hundepool et al., Statistical Disclosure Control, 2012.)
"""

from collections.abc import Mapping
from dataclasses import dataclass

LEAST = 5


def shown(count: int) -> int | None:
    """None for a group that is too small to be shown; nobody at all is 0. Halves do not come up: five is odd."""
    if count < 0:
        raise ValueError(f"{count} people")
    if 0 < count < LEAST:
        return None
    return (count + LEAST // 2) // LEAST * LEAST


@dataclass(frozen=True, slots=True)
class Cells:
    """`groups` by size, then name. `others`: those folded together; None where nobody is, or too few even together.

    Where even all together are too few there are no groups and no others.
    """

    groups: tuple[tuple[str, int], ...] = ()
    others: int | None = None


def cells_of(counts: Mapping[str, int]) -> Cells:
    """Groups of nobody are left out. A group without a name belongs to the others."""
    ordered = sorted(((count, name) for name, count in counts.items() if count > 0), key=lambda one: (one[0], one[1]))
    folded = [one for one in ordered if one[0] < LEAST or not one[1]]
    rest = [one for one in ordered if one not in folded]
    while folded and sum(count for count, _ in folded) < LEAST and rest:
        folded.append(rest.pop(0))
    groups = [(name, shown(count) or 0) for count, name in rest]
    others = shown(sum(count for count, _ in folded)) if folded else None
    return Cells(tuple(sorted(groups, key=lambda one: (-one[1], one[0]))), others)


def percent_of(part: int, whole: int) -> int | None:
    """From what is shown of both, so that nobody works back to the numbers; None where one of them is not shown."""
    above, below = shown(part), shown(whole)
    if above is None or not below:
        return None
    return min(100, round(100 * above / below))
