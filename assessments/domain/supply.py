"""Whether draws find what they want. Pure: a paper's draws follow each other, and no question is on it twice."""

from collections import Counter, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Graph = dict[Hashable, dict[Hashable, int]]
SOURCE, SINK = "source", "sink"


@dataclass(frozen=True, slots=True)
class Draw:
    """So many of these. A question chosen by name is a draw of one from one."""

    count: int
    offered: frozenset[int]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How many of a draw are missing: on every paper, and on the unluckiest one."""

    always: int
    at_worst: int


def shortfalls(draws: Sequence[Draw]) -> list[Shortfall]:
    """Of each draw, in the order in which they are made."""
    found = []
    for number, draw in enumerate(draws):
        taken = most_taken(draws[:number], draw.offered)
        always = max(0, draw.count - len(draw.offered))
        found.append(Shortfall(always, max(always, draw.count - (len(draw.offered) - taken))))
    return found


def most_taken(before: Sequence[Draw], wanted: frozenset[int]) -> int:
    """How many of `wanted` the draws before may take away in the worst case: a maximum flow from draws to questions.

    Questions that the same draws offer are one node: a bank of thousands is a graph of a few.
    """
    overlapping = [draw for draw in before if not draw.offered.isdisjoint(wanted)]
    if not overlapping:
        return 0
    alike = Counter(
        frozenset(number for number, draw in enumerate(overlapping) if one in draw.offered) for one in wanted
    )
    graph: Graph = {SOURCE: {}, SINK: {}}
    for number, draw in enumerate(overlapping):
        graph[SOURCE][number] = draw.count
        graph[number] = {SOURCE: 0}
    for takers, how_many in alike.items():
        graph[takers] = {SINK: how_many}
        graph[SINK][takers] = 0
        for number in takers:
            graph[number][takers] = how_many
            graph[takers][number] = 0
    return _maximum_flow(graph)


def _maximum_flow(graph: Graph) -> int:
    """Edmonds and Karp: shortest augmenting paths until there is none. Uses up `graph`."""
    total = 0
    while (path := _path(graph)) is not None:
        steps = list(pairwise(path))
        least = min(graph[one][other] for one, other in steps)
        for one, other in steps:
            graph[one][other] -= least
            graph[other][one] += least
        total += least
    return total


def _path(graph: Graph) -> list[Hashable] | None:
    came_from: dict[Hashable, Hashable] = {SOURCE: SOURCE}
    queue: deque[Hashable] = deque([SOURCE])
    while queue:
        here = queue.popleft()
        for there, room in graph[here].items():
            if room and there not in came_from:
                came_from[there] = here
                queue.append(there)
    if SINK not in came_from:
        return None
    path: list[Hashable] = [SINK]
    while path[-1] != SOURCE:
        path.append(came_from[path[-1]])
    return path[::-1]
