"""Rows that are typed in, with spare ones at the end: no script is needed to have more of them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import QueryDict

from assessments.forms.writing.base import RowForm, TableOf
from assessments.items.base import Json
from assessments.items.exchange import letters

_NAME = re.compile(r"[a-z0-9]{1,8}\Z")


class Table:
    """`data` is a copy that may be written into: a row without an identifier gets one, and keeps it from then on."""

    def __init__(
        self,
        of: TableOf,
        *,
        initial: Sequence[Json] = (),
        is_new: bool = False,
        data: QueryDict | None = None,
        files: Any = None,
        adds: bool = False,
    ) -> None:
        self.of = of
        self.errors: list[str] = []
        if data is None:
            count = len(initial) + (of.new if is_new else of.spare)
            names = _named([str(one.get("name", "")) for one in initial], count)
            self.rows = [
                of.row(
                    prefix=f"{of.name}-{index}",
                    initial={**(initial[index] if index < len(initial) else {}), "name": name, "place": index + 1},
                )
                for index, name in enumerate(names[: of.most])
            ]
            return
        count = min(_count(data, of.name) + (max(2, of.spare) if adds else 0), of.most)
        names = _named([data.get(f"{of.name}-{index}-name", "") for index in range(count)], count)
        for index, name in enumerate(names):
            data[f"{of.name}-{index}-name"] = name
            data.setdefault(f"{of.name}-{index}-place", str(index + 1))
        self.rows = [of.row(data, files, prefix=f"{of.name}-{index}") for index in range(count)]

    @property
    def can_grow(self) -> bool:
        return len(self.rows) < self.of.most

    def filled(self) -> list[RowForm]:
        """Those that count, in the order of their places."""
        found = [row for row in self.rows if _is_typed(row) and not row["gone"].value()]
        return sorted(found, key=lambda row: (_place(row), row.index)) if self.of.is_ordered else found

    def is_valid(self) -> bool:
        return not any(row.errors for row in self.filled()) and not self.errors

    def values(self) -> list[Json]:
        """What is valid of them; a field that is not is as if it were empty."""
        rows = self.filled()
        self.is_valid()  # reads them
        return [{name: row.cleaned_data.get(name, "") for name in row.fields} for row in rows]

    def __iter__(self) -> Iterator[RowForm]:
        return iter(self.rows)

    def tell(self, text: str) -> None:
        if text not in self.errors:
            self.errors.append(text)


def _is_typed(row: RowForm) -> bool:
    return any(str(row[name].value() or "").strip() for name in row.typed)


def _place(row: RowForm) -> int:
    text = str(row["place"].value() or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else row.index + 1


def _count(data: QueryDict, name: str) -> int:
    text = data.get(f"{name}-count", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _named(given: Sequence[str], count: int) -> list[str]:
    """Each with an identifier that no other has; those that are there stay."""
    taken: set[str] = set()
    names = []
    for name in given:
        known = name if _NAME.match(name) and name not in taken else ""
        taken.add(known)
        names.append(known)
    free = (name for name in letters(count + len(taken) + 1) if name not in taken)
    names = [name or next(free) for name in names]
    return names + [next(free) for _ in range(count - len(names))]
