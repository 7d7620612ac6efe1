"""How a number of people may be shown to those who must not recognise anybody. Pure.

Two rules, both needed. *Small cells*: groups of fewer than five are never shown; they are folded into "others", with as
many more of the smallest as it takes for "others" to have five. *Rounding*: what is shown is a multiple of five, each
total by itself; so the difference of any two numbers, of whatever two filters, is a multiple of five as well, and never
one person. (Rounding to a base, as statistical offices do: Hundepool et al., Statistical Disclosure Control, 2012.)

Where doctors have agreed to be named, the reader can take them off every number. So what has to have five are the
others: `named` is how many of a number stand on the list of names, or could have stood on an earlier one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LEAST = 5


def shown(count: int, *, named: int = 0) -> int | None:
    """None for a group that is too small to be shown; nobody at all is 0. Halves do not come up: five is odd."""
    if not 0 <= named <= count:
        raise ValueError(f"{count} people, {named} of them named")
    if count > 0 and count - named < LEAST:
        return None
    return (count + LEAST // 2) // LEAST * LEAST


@dataclass(frozen=True, slots=True)
class Cells:
    """`groups` by size, then name. `others`: those folded together; None where nobody is, or too few even together.

    Where even all together are too few there are no groups and no others.
    """

    groups: tuple[tuple[str, int], ...] = ()
    others: int | None = None


def cells_of(counts: Mapping[str, int], *, named: Mapping[str, int] | None = None) -> Cells:
    """Groups of nobody are left out. A group without a name belongs to the others."""
    known = named or {}
    people = {name: (count, count - known.get(name, 0)) for name, count in counts.items() if count > 0}
    ordered = sorted(people, key=lambda name: (people[name][1], people[name][0], name))
    folded = [name for name in ordered if people[name][1] < LEAST or not name]
    rest = [name for name in ordered if name not in folded]
    while folded and sum(people[name][1] for name in folded) < LEAST and rest:
        folded.append(rest.pop(0))
    groups = [(name, shown(people[name][0]) or 0) for name in rest]
    whole, hidden = (sum(people[name][part] for name in folded) for part in (0, 1))
    others = shown(whole, named=whole - hidden) if folded else None
    return Cells(tuple(sorted(groups, key=lambda one: (-one[1], one[0]))), others)
