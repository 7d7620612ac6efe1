"""Whole banks as files. A question is known by its name in the bank; nothing is ever deleted by a file."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from assessments.domain.authoring import AuthoringError, Content, Saved, image_ids, save_item
from assessments.domain.formats import Format, Reading, Remark, Writing
from assessments.domain.formats.base import PICTURES, picture_name, size_of
from assessments.domain.images import ImageError, add_image, open_image, reencode
from assessments.domain.keys import current_key
from assessments.enums import ItemKind, ItemState
from assessments.items.base import Draft, ItemError, Json
from assessments.models import Bank, Item, ItemImage, KeyRevision

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class ImportReport:
    """Names of what is new, changed and the same; `errors` were left out, with their place in the file."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.created) + len(self.changed) + len(self.unchanged) + len(self.errors)


def import_bank(
    *,
    bank: Bank,
    reading: Reading,
    actor: User | None,
    now: datetime,
    dry_run: bool = False,
    request: HttpRequest | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Each question is one transaction, a vignette with its questions too: what is good stays, and none is half there.

    The same file again changes nothing. A dry run does everything and takes it back, so it says what would happen;
    only pictures are not stored.
    """
    report = ImportReport(errors=list(reading.errors), notes=list(reading.notes))
    if dry_run:
        with transaction.atomic():
            _import(bank, reading, report, actor=actor, now=now, add=_try_image, progress=progress)
            transaction.set_rollback(True)
    else:
        _import(bank, reading, report, actor=actor, now=now, add=_add_image, progress=progress)
        details = {"new": len(report.created), "changed": len(report.changed), "errors": len(report.errors)}
        audit.record("bank.imported", actor=actor, subject=bank, request=request, details=details, now=now)
    report.errors.sort(key=lambda one: one.place)
    return report


def export_bank(
    *,
    bank: Bank,
    form: Format,
    actor: User | None,
    now: datetime,
    items: QuerySet[Item] | None = None,
    request: HttpRequest | None = None,
) -> Writing:
    """All but the retired ones, or those of `items`. Keys leave the site with it: it is audited."""
    chosen = exported_items() if items is None else items
    drafts = list(drafts_of(bank, chosen))
    writing = form.write(drafts)
    details = {"format": form.name, "questions": len(drafts)}
    audit.record("bank.exported", actor=actor, subject=bank, request=request, details=details, now=now)
    return writing


def exported_items() -> QuerySet[Item]:
    chosen: QuerySet[Item] = Item.objects.exclude(state=ItemState.RETIRED)
    return chosen


def drafts_of(bank: Bank, items: QuerySet[Item]) -> Iterator[Draft]:
    """With keys as they count today. Three queries, and one file for each picture."""
    revisions: Prefetch[Any] = Prefetch("version__revisions", KeyRevision.objects.order_by("number"))
    parts = Prefetch(
        "parts",
        Item.objects.filter(version__isnull=False)
        .exclude(state=ItemState.RETIRED)
        .select_related("version")
        .prefetch_related(revisions)
        .order_by("position"),
    )
    whole = items.filter(bank=bank, vignette=None, version__isnull=False).select_related("version")
    found = whole.prefetch_related(revisions, parts).order_by("name", "id")
    images = {image.pk: image for image in ItemImage.objects.filter(bank=bank)}
    for item in found:
        under = [_draft(part, images) for part in item.parts.all()] if item.kind == ItemKind.VIGNETTE else []
        yield _draft(item, images, under)


def _draft(item: Item, images: Mapping[int, ItemImage], parts: Sequence[Draft] = ()) -> Draft:
    version = item.version
    if version is None:
        raise ValueError(item.name)  # the query has left those out
    pictures: dict[str, bytes] = {}
    for pk in image_ids(version.shown):
        file, kind = open_image(images[pk])
        with file:
            pictures[_free(images[pk].description, kind.rpartition("/")[2], pictures)] = file.read()
    return Draft(
        kind=ItemKind(item.kind),
        name=item.name,
        stem=version.stem,
        shown={name: value for name, value in version.shown.items() if name not in PICTURES},
        key=current_key(version),
        tags=tuple(item.tags),
        difficulty=item.difficulty,
        parts=tuple(parts),
        images=pictures,
    )


def _free(description: str, ending: str, taken: Mapping[str, bytes]) -> str:
    """The name of a picture's file is what it shows: so it comes back as its description."""
    name = picture_name(f"{description[:120] or 'picture'}.{ending}")
    stem, number = name.rpartition(".")[0], 1
    while name in taken:
        number += 1
        name = f"{stem} {number}.{ending}"
    return name


Adding = Callable[[Bank, bytes, str], ItemImage]


def _import(
    bank: Bank,
    reading: Reading,
    report: ImportReport,
    *,
    actor: User | None,
    now: datetime,
    add: Adding,
    progress: Progress | None,
) -> None:
    for number, (draft, place) in enumerate(zip(reading.drafts, reading.places, strict=True), start=1):
        try:
            with transaction.atomic():
                saved = _take(bank, draft, actor=actor, now=now, add=add)
        except (ItemError, ImageError, AuthoringError) as problem:
            text = str(problem) or _("This question cannot be used.")
            report.errors.append(Remark(place, draft.name, text))
        else:
            is_new, is_changed = saved[0].is_new, any(one.is_changed for one in saved)
            kept = report.created if is_new else report.changed if is_changed else report.unchanged
            kept.append(draft.name)
        if progress is not None:
            progress(number, len(reading.drafts))


def _take(bank: Bank, draft: Draft, *, actor: User | None, now: datetime, add: Adding) -> list[Saved]:
    """The bank's row is locked: two imports at once do not make a question twice. Foreign keys pass that lock."""
    Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)
    saved = [_save(bank, draft, vignette=None, actor=actor, now=now, add=add)]
    for part in draft.parts:
        saved.append(_save(bank, part, vignette=saved[0].item, actor=actor, now=now, add=add))
    return saved


def _save(bank: Bank, draft: Draft, *, vignette: Item | None, actor: User | None, now: datetime, add: Adding) -> Saved:
    item = Item.objects.filter(bank=bank, name=draft.name).select_related("vignette").first()
    if item is not None and item.vignette_id != (vignette.pk if vignette else None):
        raise AuthoringError(_taken(item))
    shown, key = _with_pictures(bank, draft, add)
    content = Content.of(draft, shown=shown)
    return save_item(
        bank=bank,
        content=Content(content.kind, content.name, content.stem, shown, key, content.tags, content.difficulty),
        item=item,
        vignette=vignette,
        actor=actor,
        now=now,
        keeps_watch=item is not None,
    )


def _taken(item: Item) -> str:
    if item.vignette is not None:
        named = {"name": item.name, "vignette": item.vignette.name}
        return _("“%(name)s” is already a question of the vignette “%(vignette)s”: give this one another name.") % named
    return _("The bank has “%(name)s” already, outside of this vignette: give this one another name.") % {
        "name": item.name
    }


def _with_pictures(bank: Bank, draft: Draft, add: Adding) -> tuple[Json, Json]:
    """`shown` with the numbers of the stored pictures, and areas in the pixels of the stored one. Raises ImageError."""
    images = [add(bank, data, name.rpartition(".")[0] or name) for name, data in draft.images.items()]
    shown, key = dict(draft.shown), draft.key
    if draft.kind == ItemKind.HOTSPOT and images:
        first = images.pop(0)
        size = shown.get("size") or size_of(next(iter(draft.images.values())))
        shown |= {"image": first.pk, "size": [first.width, first.height]}
        if list(size) != shown["size"]:
            key = {**key, "areas": [_scaled(area, size, shown["size"]) for area in key["areas"]]}
    if images:
        shown["images"] = [image.pk for image in images]
    return shown, key


def _scaled(area: Json, old: Sequence[int], new: Sequence[int]) -> Json:
    at = [min(round(value * new[n % 2] / old[n % 2]), new[n % 2]) for n, value in enumerate(area["at"])]
    return {**area, "at": at}


def _known_image(bank: Bank, data: bytes) -> ItemImage | None:
    """What was exported from here is not encoded once more: a photograph would be another one each time."""
    return ItemImage.objects.filter(bank=bank, sha256=hashlib.sha256(data).hexdigest()).first()


def _add_image(bank: Bank, data: bytes, description: str) -> ItemImage:
    return _known_image(bank, data) or add_image(bank=bank, data=data, description=description)


def _try_image(bank: Bank, data: bytes, description: str) -> ItemImage:
    """For a dry run, which takes the row back: nothing is stored. Raises ImageError as storing it would."""
    if known := _known_image(bank, data):
        return known
    content, _suffix, (width, height) = reencode(data)
    digest = hashlib.sha256(content).hexdigest()
    image: ItemImage = ItemImage.objects.get_or_create(
        bank=bank,
        sha256=digest,
        defaults={
            "key": f"not stored {bank.pk} {digest}",
            "width": width,
            "height": height,
            "description": description[:500],
        },
    )[0]
    return image
