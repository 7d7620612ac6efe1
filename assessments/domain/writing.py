"""Writing one question by hand: its next version, what it is filed under, what its pictures show: all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from assessments.domain.authoring import Content, Saved, save_item, set_state
from assessments.domain.images import describe_image
from assessments.enums import AttemptState, ItemState
from assessments.models import Answer, Attempt, Bank, BoardTopic, Item, ItemImage
from assessments.models.bank import ItemTopic


@dataclass(frozen=True, slots=True)
class Filing:
    """`descriptions` are by picture."""

    topics: frozenset[int] = frozenset()
    exposure_percent: int | None = None
    descriptions: Mapping[int, str] = field(default_factory=dict)


@transaction.atomic
def write_question(
    *,
    bank: Bank,
    content: Content,
    filing: Filing,
    item: Item | None = None,
    vignette: Item | None = None,
    stand: str | None = None,
    makes_ready: bool = False,
    actor: User | None,
    now: datetime,
) -> Saved:
    """`stand` is what the author had before their eyes (`keys.stand_of`): no other version is written over unseen.

    Raises ItemError, AuthoringError, and of the latter NewerError where somebody else was faster.
    """
    saved = save_item(bank=bank, content=content, item=item, vignette=vignette, stand=stand, actor=actor, now=now)
    is_filed = _file(saved.item, filing)
    for image in ItemImage.objects.filter(bank=bank, pk__in=filing.descriptions):
        describe_image(image=image, description=filing.descriptions[image.pk])
    made = saved.item
    if makes_ready and made.state != ItemState.READY:
        made = set_state(item=made, state=ItemState.READY)
    return Saved(made, saved.is_new, saved.is_changed or is_filed, saved.has_new_version)


@transaction.atomic
def order_parts(*, vignette: Item, part_ids: Sequence[int]) -> bool:
    """The questions of a vignette, as they follow its story from now on; those that are not named come last.

    Whether anything changed. Its row orders this and a question that is added meanwhile.
    """
    Item.objects.select_for_update().get(pk=vignette.pk)
    parts = {part.pk: part for part in Item.objects.filter(vignette=vignette).order_by("position")}
    wanted = [pk for pk in dict.fromkeys(part_ids) if pk in parts]
    changed = False
    for position, pk in enumerate([*wanted, *(pk for pk in parts if pk not in wanted)], 1):
        if parts[pk].position != position:
            parts[pk].position, changed = position, True
            parts[pk].save(update_fields=["position", "updated_at"])
    return changed


def _file(item: Item, filing: Filing) -> bool:
    """The item's row is locked by who saved it."""
    has = set(ItemTopic.objects.filter(item=item).values_list("topic_id", flat=True))
    wanted = set(BoardTopic.objects.filter(pk__in=filing.topics).values_list("pk", flat=True))
    ItemTopic.objects.filter(item=item, topic__in=has - wanted).delete()
    ItemTopic.objects.bulk_create([ItemTopic(item=item, topic_id=pk) for pk in sorted(wanted - has)])
    changed = has != wanted
    if item.exposure_percent != filing.exposure_percent:
        item.exposure_percent, changed = filing.exposure_percent, True
        item.save(update_fields=["exposure_percent", "updated_at"])
    return changed


def papers_with(item: Item) -> int:
    """On how many papers doctors have had it, in whatever version. Two queries.

    Attempts that are over have an answer for every question; of open ones the paper itself is looked at.
    """
    answered = Answer.objects.filter(Q(version__item=item) | Q(version__item__vignette=item))
    over = answered.exclude(attempt__state=AttemptState.OPEN).values("attempt").distinct().count()
    shows = Q()
    for version in item.versions.values_list("pk", flat=True):
        shows |= Q(paper__items__contains=[{"v": version}]) | Q(paper__items__contains=[{"g": version}])
    return over + (Attempt.objects.filter(shows, state=AttemptState.OPEN).count() if shows else 0)
