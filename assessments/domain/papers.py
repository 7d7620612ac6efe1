"""What is on a paper: chosen items and random draws, in an order that follows from one seed.

A paper is made of a *blueprint*, which is the same for everybody: thousands who start in the same seconds read it once.
"""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from assessments.enums import ItemKind, ItemState
from assessments.items import type_of
from assessments.models import Item, Pick, Quiz
from core.cache import remember

BLUEPRINT_SECONDS = 5.0  # so long after an author's change papers may still be made as before
Json = dict[str, Any]


class PaperError(Exception):
    """No paper can be made; the text says to an author why."""


@dataclass(frozen=True, slots=True)
class Paper:
    """`items` as in `Attempt.paper`, one a position."""

    sections: list[Json]
    items: list[Json]

    @property
    def most_points(self) -> Decimal:
        return sum((Decimal(item["p"]) for item in self.items), Decimal(0))

    def to_json(self) -> Json:
        return {"sections": self.sections, "items": self.items}


def make_paper(*, quiz: Quiz, seed: int, seen: Collection[int] = ()) -> Paper:
    """Items of earlier attempts (`seen`: their versions) are drawn last. No query while the blueprint is fresh.

    Raises PaperError.
    """
    blueprint = remember(
        f"blueprint:{quiz.pk}:{int(quiz.updated_at.timestamp() * 1e6)}",
        lambda: make_blueprint(quiz=quiz),
        seconds=BLUEPRINT_SECONDS,
    )
    return draw_paper(quiz=quiz, blueprint=blueprint, seed=seed, seen=seen)


def draw_paper(*, quiz: Quiz, blueprint: Json, seed: int, seen: Collection[int] = ()) -> Paper:
    """No query at all. Raises PaperError."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret: nobody is told the seed
    items: list[Json] = []
    taken: set[int] = set()
    for number, section in enumerate(blueprint["sections"]):
        units: list[tuple[Json, str]] = []
        for pick in section["picks"]:
            drawn = _draw(pick, rng, taken=taken, seen=set(seen))
            taken |= {unit["i"] for unit in drawn}
            units += [(unit, pick["points"]) for unit in drawn]
        if quiz.shuffles_items:
            rng.shuffle(units)
        for unit, points in units:
            items += _entries(unit, points=points, section=number, rng=rng, shuffles=quiz.shuffles_options)
    if not items:
        raise PaperError(_("There is no question in this test yet."))
    sections = [{"title": one["title"], "instructions": one["instructions"]} for one in blueprint["sections"]]
    return Paper(sections, items)


def make_blueprint(*, quiz: Quiz) -> Json:
    """Sections with their picks, and with each pick the units it may take. Five queries at most, whatever the size.

    A unit is {"i": item, "v": version, "o": options that may be shuffled, "e": exposure in percent or none}, and for a
    vignette {"i", "v", "e", "parts": units}.
    """
    sections = list(quiz.sections.order_by("position"))
    picks = list(
        Pick.objects.filter(section__quiz=quiz).select_related("item").order_by("section__position", "position")
    )
    found = _candidates(picks)
    units = _units(found)
    by_section: dict[int, list[Json]] = {section.pk: [] for section in sections}
    for pick in picks:
        takes = [item for item in found if _fits(pick, item)]
        offered = [units[item.pk] for item in takes if item.pk in units]
        by_section[pick.section_id].append({"count": pick.count, "points": str(pick.points), "units": offered})
    return {
        "sections": [
            {"title": one.title, "instructions": one.instructions, "picks": by_section[one.pk]} for one in sections
        ]
    }


def _candidates(picks: Sequence[Pick]) -> list[Any]:
    """Every item that any pick may take, with its topics. Retired ones are on no new paper, chosen by name or not."""
    if not picks:
        return []
    wanted = Q(pk__in=[pick.item_id for pick in picks if pick.item_id])
    wanted |= Q(bank__in={pick.bank_id for pick in picks if pick.bank_id})
    items = Item.objects.ready().filter(wanted).select_related("version").defer("version__key").order_by("pk")
    return list(items.prefetch_related("topics"))


def _fits(pick: Pick, item: Item) -> bool:
    if pick.item_id:
        return item.pk == pick.item_id
    if item.bank_id != pick.bank_id or not set(pick.tags) <= set(item.tags):
        return False
    if pick.topic_id and pick.topic_id not in {topic.pk for topic in item.topics.all()}:
        return False
    if pick.difficulty_from is None and pick.difficulty_to is None:
        return True
    if item.difficulty is None:
        return False
    return (pick.difficulty_from or 1) <= item.difficulty <= (pick.difficulty_to or 5)


def _units(items: Iterable[Item]) -> dict[int, Json]:
    items = list(items)
    parts: dict[int, list[Item]] = {}
    vignettes = [item.pk for item in items if item.kind == ItemKind.VIGNETTE]
    if vignettes:
        ready = Item.objects.filter(vignette__in=vignettes, state=ItemState.READY, version__isnull=False)
        for part in ready.select_related("version").defer("version__key").order_by("vignette", "position"):
            parts.setdefault(part.vignette_id or 0, []).append(part)
    units = {}
    for item in items:
        unit = _unit(item)
        if item.kind == ItemKind.VIGNETTE:
            unit["parts"] = [_unit(part) for part in parts.get(item.pk, ())]
            if not unit["parts"]:
                continue  # a story without a question
        units[item.pk] = unit
    return units


def _unit(item: Item) -> Json:
    version = item.version
    if version is None:
        raise PaperError(_("The question %(name)s has no text.") % {"name": item.name})
    return {
        "i": item.pk,
        "v": version.pk,
        "o": type_of(item.kind).orderable(version.shown),
        "e": item.exposure_percent,
    }


def _draw(pick: Mapping[str, Any], rng: random.Random, *, taken: set[int], seen: set[int]) -> list[Json]:
    """As many as are wanted; fewer only where the bank has no more, which `domain.checklist` tells an author before.

    Exposure: an item with a limit of 20 % takes part in a draw on 20 % of papers, so it cannot be on more of them.
    When too few are left, those that had lost their own draw by least come in: a short paper would be worse.
    """
    units = [unit for unit in pick["units"] if unit["i"] not in taken]
    if len(units) <= pick["count"]:
        return units
    ranked = []
    for unit in units:
        chance = rng.random()
        over = max(0.0, chance - unit["e"] / 100) if unit["e"] else 0.0
        ranked.append((unit["v"] in seen, over, rng.random(), unit))
    ranked.sort(key=lambda one: one[:3])
    return [unit for *_, unit in ranked[: pick["count"]]]


def _entries(unit: Json, *, points: str, section: int, rng: random.Random, shuffles: bool) -> list[Json]:
    """A vignette's questions stay together and in their order: one may build on the one before."""
    if "parts" in unit:
        return [
            {**entry, "g": unit["v"]}
            for part in unit["parts"]
            for entry in _entries(part, points=points, section=section, rng=rng, shuffles=shuffles)
        ]
    entry: Json = {"v": unit["v"], "s": section, "p": points}
    if unit["o"]:
        entry["o"] = rng.sample(unit["o"], len(unit["o"])) if shuffles else list(unit["o"])
    return [entry]
