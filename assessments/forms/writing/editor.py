"""One question being written: all its forms together, and the content that stands in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from assessments.domain.authoring import Content
from assessments.domain.images import MOST_BYTES, ImageError, add_image
from assessments.domain.keys import current_key, stand_of
from assessments.domain.writing import Filing
from assessments.enums import ItemKind
from assessments.forms.writing import form_of
from assessments.forms.writing.fields import clock
from assessments.forms.writing.general import PICTURES, TARGET, GeneralForm, PictureRow
from assessments.forms.writing.tables import Table
from assessments.items.base import ItemError, Json
from assessments.items.hotspot import cells
from assessments.items.hotspot.areas import areas_of, holds
from assessments.items.shapes import storable
from assessments.models import Bank, Item, ItemImage, ItemVersion
from core.richtext import as_typed, is_same_text

Sent = tuple[QueryDict, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Written:
    """As it stands in the form; nothing of it has been looked at by the kind yet."""

    stem: str
    shown: Json
    key: Json


@dataclass(frozen=True, slots=True)
class Cell:
    name: str
    left: int
    top: int
    width: int
    height: int
    across: int
    down: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A picture and the fields over it, in its pixels; `letters` is the height of their names."""

    picture: ItemImage
    cells: list[Cell]
    letters: int

    @classmethod
    def over(cls, picture: ItemImage, written: Written) -> "Grid":
        columns, rows = written.shown["grid"]
        size = [picture.width, picture.height]
        width, height = picture.width // columns, picture.height // rows
        try:
            areas = areas_of(written.key["areas"], size=size, in_shares=False)
        except ItemError:
            areas = []  # told beside the rows, once they are saved
        found = [
            Cell(name, x - width // 2, y - height // 2, width, height, x, y, any(holds(one, (x, y)) for one in areas))
            for name, (x, y) in cells(size=size, grid=(columns, rows))
        ]
        return cls(picture, found, max(6, min(width, height) // 3))


class Editor:
    """`sent` are data and files of a form that came back; `adds` is the table that shall have more rows.

    Files are stored as they come. What the author did not change keeps its HTML to the letter, so that saving an
    untouched form makes no new version.
    """

    def __init__(
        self,
        *,
        bank: Bank,
        kind: str,
        item: Item | None = None,
        vignette: Item | None = None,
        sent: Sent | None = None,
        adds: str = "",
    ) -> None:
        self.bank, self.item, self.vignette = bank, item, vignette
        self.kind = form_of(kind)
        self.problems: list[str] = []
        self.has_errors = False
        data, files = (sent[0].copy(), sent[1]) if sent else (None, {})
        self.stand: str = data.get("stand", "") if data is not None else stand_of(item.version if item else None)
        self.base = _base(item, self.stand)
        refused = self._take_pictures(data, files) if data is not None else {}
        filled = self._written()
        is_part = vignette is not None or (item is not None and item.vignette_id is not None)
        self.general = GeneralForm(
            data, initial=filled["general"], bank=bank, is_part=is_part, is_story=kind == ItemKind.VIGNETTE
        )
        self.details = self.kind.details(data, prefix="kind", initial=filled["details"])
        extra = (TARGET, PICTURES) if kind == ItemKind.HOTSPOT else (PICTURES,)
        self.tables = {
            of.name: Table(
                of,
                initial=filled["rows"].get(of.name, ()),
                is_new=self.base is None,
                data=data,
                files=files,
                adds=adds == of.name,
            )
            for of in (*self.kind.tables, *extra)
        }
        for name, text in refused.items():
            self.tables[name].tell(text)

    @property
    def own_tables(self) -> list[Table]:
        return [self.tables[of.name] for of in self.kind.tables]

    @property
    def target(self) -> Table | None:
        return self.tables.get("target")

    @property
    def grid(self) -> Grid | None:
        """The fields over the picture as it stands in the form."""
        if self.target is None or not (pictures := self.pictures()["target"]):
            return None
        if self.general.is_bound:
            return Grid.over(pictures[0], self.written())
        base = self.base
        return Grid.over(pictures[0], Written(base.stem, base.shown, current_key(base))) if base else None

    def _written(self) -> Json:
        item, base = self.item, self.base
        if item is None:
            return {"general": {}, "details": {}, "rows": {}}
        general: Json = {
            "name": item.name,
            "tags": ", ".join(item.tags),
            "difficulty": item.difficulty or "",
            "exposure_percent": item.exposure_percent,
            "topics": [str(pk) for pk in item.topics.values_list("pk", flat=True)],
        }
        if base is None:
            return {"general": general, "details": {}, "rows": {}}
        key = current_key(base)
        filled = self.kind.write(shown=base.shown, key=key)
        general |= {
            "stem": as_typed(base.stem),
            "rationale": as_typed(key.get("rationale", "")),
            "references": "\n".join(key.get("references", ())),
            "watch_lesson": base.watch_lesson_id,
            "watch_seconds": "" if base.watch_seconds is None else clock(base.watch_seconds),
        }
        images = base.shown.get("images", [])
        target = [base.shown["image"]] if "image" in base.shown else []
        words = dict(ItemImage.objects.filter(pk__in=[*images, *target]).values_list("pk", "description"))
        rows = {
            name: [{"image": pk, "description": words.get(pk, "")} for pk in ids]
            for name, ids in (("pictures", images), ("target", target))
        }
        return {"general": general, "details": filled.details, "rows": {**filled.rows, **rows}}

    def _take_pictures(self, data: QueryDict, files: Mapping[str, Any]) -> dict[str, str]:
        """Into the bank, and their numbers into the form. By table, why one was refused."""
        refused = {}
        for field, file in files.items():
            prefix, _dash, last = field.rpartition("-")
            table = prefix.partition("-")[0]
            if last != "file" or table not in ("pictures", "target"):
                continue
            try:
                words = storable(data.get(f"{prefix}-description", ""))
                image = add_image(bank=self.bank, data=file.read(MOST_BYTES + 1), description=words)
            except ImageError as problem:
                refused[table] = str(problem)
            else:
                data[f"{prefix}-image"] = str(image.pk)
                if not words.strip():
                    data[f"{prefix}-description"] = image.description
        return refused

    # What stands in it

    def written(self) -> Written:
        """Of fields that are not valid yet what is not there: enough to look at the question."""
        general, details = self._cleaned(self.general), self._cleaned(self.details)
        rows = {of.name: self.tables[of.name].values() for of in self.kind.tables}
        pictures = self.pictures()
        if self.target is not None:
            details["size"] = next(([one.width, one.height] for one in pictures["target"]), None)
        shown, key = self.kind.read(details=details, rows=rows)
        if pictures["pictures"]:
            shown["images"] = [one.pk for one in pictures["pictures"]]
        if details.get("size"):
            shown |= {"image": pictures["target"][0].pk, "size": details["size"]}
        references = str(general.get("references", "")).splitlines()
        key |= {"rationale": general.get("rationale", ""), "references": references}
        return self._kept(Written(general.get("stem", ""), shown, key))

    def pictures(self) -> dict[str, list[ItemImage]]:
        """Of this bank, by table, in their order."""
        wanted = {
            name: [row.picture for row in table.filled() if isinstance(row, PictureRow) and row.picture]
            for name, table in self.tables.items()
            if table.of.row is PictureRow
        }
        ids = {pk for listed in wanted.values() for pk in listed}
        found = {image.pk: image for image in ItemImage.objects.filter(bank=self.bank, pk__in=ids)} if ids else {}
        return {name: [found[pk] for pk in listed if pk in found] for name, listed in wanted.items()}

    def picture_rows(self) -> list[PictureRow]:
        rows = [row for table in self.tables.values() for row in table.filled()]
        return [row for row in rows if isinstance(row, PictureRow)]

    def is_valid(self) -> bool:
        forms = [self.general.is_valid(), self.details.is_valid()]
        tables = [table.is_valid() for table in self.tables.values()]
        self.has_errors = not all([*forms, *tables, self._pictures_have_words()])
        return not self.has_errors

    def content(self) -> Content:
        """For a valid form."""
        given, written = self.general.cleaned_data, self.written()
        return Content(
            kind=self.kind.kind,
            name=given["name"],
            stem=written.stem,
            shown=written.shown,
            key=written.key,
            tags=tuple(given["tags"].split(",")),
            difficulty=int(given["difficulty"]) if given["difficulty"] else None,
            watch_lesson=given["watch_lesson"],
            watch_seconds=given["watch_seconds"],
        )

    def filing(self) -> Filing:
        given = self.general.cleaned_data
        words = {row.picture: row.cleaned_data["description"] for row in self.picture_rows()}
        return Filing(
            topics=frozenset(int(pk) for pk in given["topics"]),
            exposure_percent=given.get("exposure_percent"),
            descriptions={pk: text for pk, text in words.items() if pk},
        )

    def tell(self, problem: ItemError) -> None:
        """What the kind or the bank refuses, where the author can mend it."""
        self.has_errors = True
        field = problem.field if problem.field in self.tables else self._place_of(problem.field)
        if field in self.tables:
            self.tables[field].tell(str(problem))
        elif field in self.general.fields:
            self.general.add_error(field, str(problem))
        elif field in self.details.fields:
            self.details.add_error(field, str(problem))
        else:
            self.problems.append(str(problem))

    def _place_of(self, field: str) -> str:
        if field in self.details.fields:
            return field
        return {"rationales": "rationale", "images": "pictures", **self.kind.fields_of_errors}.get(field, field)

    def _pictures_have_words(self) -> bool:
        good = True
        for table in self.tables.values():
            for row in table.filled() if table.of.row is PictureRow else ():
                if not str(row["description"].value() or "").strip():
                    table.tell(_("Say what the picture shows, for those who cannot see it."))
                    good = False
        return good

    def _cleaned(self, form: Any) -> Json:
        """With every field, empty where it is not valid."""
        form.is_valid()
        return {name: form.cleaned_data.get(name, "") for name in form.fields}

    def _kept(self, written: Written) -> Written:
        base = self.base
        if base is None:
            return written
        stem = base.stem if is_same_text(written.stem, base.stem) else written.stem
        return Written(stem, kept(written.shown, base.shown), kept(written.key, current_key(base)))


def kept(new: Any, old: Any) -> Any:
    """`new`, with those texts of `old` that look the same: what nobody changed stays to the letter."""
    if isinstance(new, str) and isinstance(old, str):
        return old if is_same_text(new, old) else new
    if isinstance(new, dict) and isinstance(old, dict):
        return {name: kept(value, old.get(name)) for name, value in new.items()}
    if isinstance(new, list) and isinstance(old, list):
        by_name = {one["id"]: one for one in old if isinstance(one, dict) and "id" in one}
        return [kept(one, by_name.get(one.get("id"))) if isinstance(one, dict) else one for one in new]
    return new


def _base(item: Item | None, stand: str) -> ItemVersion | None:
    """The version the author began with, if there is one of that number."""
    if item is None or item.version is None:
        return None
    number = stand.partition(".")[0]
    if number == str(item.version.number) or not (number.isascii() and number.isdigit() and len(number) < 5):
        return item.version
    return item.versions.filter(number=int(number)).first() or item.version
