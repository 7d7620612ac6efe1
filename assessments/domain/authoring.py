"""Writing questions. What one says is in versions that never change: only a changed content makes a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from assessments.domain.formats.base import named, tags_of
from assessments.domain.keys import current_key, stand_of
from assessments.enums import ItemKind, ItemState
from assessments.items import type_of
from assessments.items.base import Draft, ItemError, Json
from assessments.models import Bank, Item, ItemImage, ItemVersion
from courses.models import Lesson


class AuthoringError(ValueError):
    """The text is for the author."""


class NewerError(AuthoringError):
    """Somebody has saved another version, or corrected the key, since the author began to write."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything an author writes of one question. `shown` names pictures by the numbers of this bank's."""

    kind: ItemKind
    name: str
    stem: str
    shown: Json
    key: Json
    tags: tuple[str, ...] = ()
    difficulty: int | None = None
    watch_lesson: Lesson | None = None
    watch_seconds: int | None = None

    @classmethod
    def of(cls, draft: Draft, *, shown: Json | None = None) -> "Content":
        shown = draft.shown if shown is None else shown
        return cls(draft.kind, draft.name, draft.stem, shown, draft.key, draft.tags, draft.difficulty)


@dataclass(frozen=True, slots=True)
class Saved:
    item: Item
    is_new: bool
    is_changed: bool  # anything at all
    has_new_version: bool


@transaction.atomic
def save_item(
    *,
    bank: Bank,
    content: Content,
    item: Item | None = None,
    vignette: Item | None = None,
    stand: str | None = None,
    actor: User | None,
    now: datetime,
    keeps_watch: bool = False,
) -> Saved:
    """A new question, or the next version of `item`, whose state stays as it is.

    Raises ItemError for a content that the kind refuses, AuthoringError for a name that is taken or a kind that was
    another one. `keeps_watch`: the content does not know of a lecture that explains it; what is there stays. `stand`:
    what the content was written from; raises NewerError where it is not what stands any more.
    """
    content = _cleaned(bank, content)
    if item is None:
        return _create(bank, content, vignette=vignette, actor=actor, now=now)
    # Its version is read by a statement of its own: one that waited for the lock would join what it saw before.
    locked = Item.objects.select_for_update().get(pk=item.pk, bank=bank)
    if locked.kind != content.kind:
        raise AuthoringError(
            _("“%(name)s” is a question of another kind. Give one of them another name.") % _name(locked)
        )
    if stand is not None and stand != stand_of(locked.version):
        raise NewerError(_("“%(name)s” was changed by somebody else meanwhile.") % _name(locked))
    has_new_version = not _says(locked.version, content, keeps_watch=keeps_watch)
    fields = {"name": content.name, "tags": list(content.tags), "difficulty": content.difficulty}
    changed = [name for name, value in fields.items() if getattr(locked, name) != value]
    if has_new_version:
        old = locked.version if keeps_watch else None
        locked.version = _version(locked, content, old=old, actor=actor, now=now)
        changed.append("version")
    if changed:
        for name, value in fields.items():
            setattr(locked, name, value)
        _save(locked, update_fields=[*changed, "updated_at"])
    return Saved(locked, is_new=False, is_changed=bool(changed), has_new_version=has_new_version)


@transaction.atomic
def set_state(*, item: Item, state: ItemState) -> Item:
    """With the questions of a vignette: a paper takes only ready ones. Raises AuthoringError."""
    locked = Item.objects.select_for_update().get(pk=item.pk)
    parts = list(Item.objects.select_for_update().filter(vignette=locked).order_by("position"))
    if state == ItemState.READY:
        if locked.version_id is None or any(part.version_id is None for part in parts):
            raise AuthoringError(_("“%(name)s” has no text yet.") % _name(locked))
        if locked.kind == ItemKind.VIGNETTE and not parts:
            raise AuthoringError(_("“%(name)s” is a vignette without questions.") % _name(locked))
    for one in (locked, *parts):
        one.state = state
        one.save(update_fields=["state", "updated_at"])
    return locked


def _cleaned(bank: Bank, content: Content) -> Content:
    """By the kind's own rules; pictures have to be of this bank. Raises ItemError."""
    shown, key = type_of(content.kind).clean(shown=content.shown, key=content.key)
    ids = set(image_ids(shown))
    if ItemImage.objects.filter(bank=bank, pk__in=ids).count() != len(ids):
        raise ItemError(_("Choose pictures of this question bank."), field="images")
    name, stem = named(content.name, content.stem, difficulty=content.difficulty)
    return Content(
        kind=content.kind,
        name=name,
        stem=stem,
        shown=shown,
        key=key,
        tags=tags_of(content.tags),
        difficulty=content.difficulty,
        watch_lesson=content.watch_lesson,
        watch_seconds=content.watch_seconds if content.watch_lesson is not None else None,
    )


def image_ids(shown: Json) -> list[int]:
    """In the order in which a draft has them: what a hotspot is drawn on comes first."""
    first = [shown["image"]] if "image" in shown else []
    return [*first, *shown.get("images", ())]


def _create(bank: Bank, content: Content, *, vignette: Item | None, actor: User | None, now: datetime) -> Saved:
    item = Item(bank=bank, kind=content.kind, name=content.name, tags=list(content.tags), difficulty=content.difficulty)
    if vignette is not None:
        if vignette.kind != ItemKind.VIGNETTE or vignette.bank_id != bank.pk or content.kind == ItemKind.VIGNETTE:
            raise AuthoringError(_("Questions belong to a vignette of the same bank, and no vignette to another one."))
        Item.objects.select_for_update().get(pk=vignette.pk)
        last = Item.objects.filter(vignette=vignette).order_by("-position").values_list("position", flat=True).first()
        item.vignette, item.position = vignette, (last or 0) + 1
    _save(item)
    item.version = _version(item, content, old=None, actor=actor, now=now)
    item.save(update_fields=["version", "updated_at"])
    return Saved(item, is_new=True, is_changed=True, has_new_version=True)


def _save(item: Item, update_fields: Sequence[str] | None = None) -> None:
    try:
        with transaction.atomic():
            item.save(update_fields=update_fields)
    except IntegrityError as error:
        if "assessments_item_name" not in str(error):
            raise
        raise AuthoringError(_("The bank has another question called “%(name)s”.") % _name(item)) from error


def _name(item: Item) -> dict[str, str]:
    return {"name": item.name}


def _says(version: ItemVersion | None, content: Content, *, keeps_watch: bool) -> bool:
    if version is None:
        return False
    watch = (version.watch_lesson_id, version.watch_seconds)
    wanted = (content.watch_lesson.pk if content.watch_lesson else None, content.watch_seconds)
    same = version.stem == content.stem and version.shown == content.shown and current_key(version) == content.key
    return same and (keeps_watch or watch == wanted)


def _version(
    item: Item, content: Content, *, old: ItemVersion | None, actor: User | None, now: datetime
) -> ItemVersion:
    """The item's row is locked, or is of this transaction: two at once do not get the same number."""
    last = item.versions.order_by("-number").values_list("number", flat=True).first()
    version: ItemVersion = ItemVersion.objects.create(
        item=item,
        number=(last or 0) + 1,
        stem=content.stem,
        shown=content.shown,
        key=content.key,
        watch_lesson=old.watch_lesson if old is not None else content.watch_lesson,
        watch_seconds=old.watch_seconds if old is not None else content.watch_seconds,
        made_by=actor,
        made_at=now,
    )
    return version
