"""A paper as a doctor would see it, for authors. Drawn anew from a seed; nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from assessments.domain.papers import draw_paper, make_blueprint
from assessments.domain.questions import questions_of
from assessments.domain.sheet import Line, line_of
from assessments.items.base import Json
from assessments.models import ItemVersion, Quiz

MOST_SEED = 2**62


@dataclass(frozen=True, slots=True)
class Previewed:
    """One question, and where an author finds it."""

    line: Line
    item_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Preview:
    seed: int
    sections: Sequence[Json]
    questions: Sequence[Previewed]
    points: Decimal


def preview_of(*, quiz: Quiz, seed: int) -> Preview:
    """By the banks as they are this moment: an author who has just mended something sees it. Raises PaperError."""
    paper = draw_paper(quiz=quiz, blueprint=make_blueprint(quiz=quiz), seed=seed)
    wanted = {entry["v"] for entry in paper.items} | {entry["g"] for entry in paper.items if "g" in entry}
    asked = questions_of(wanted)
    items = {
        pk: (item_id, name)
        for pk, item_id, name in ItemVersion.objects.filter(pk__in=wanted).values_list("pk", "item_id", "item__name")
    }
    questions = [
        Previewed(line_of(position, entry, asked, None, is_open=True), *items[entry["v"]])
        for position, entry in enumerate(paper.items)
    ]
    return Preview(seed, paper.sections, questions, paper.most_points)
