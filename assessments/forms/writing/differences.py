"""What one version of a question says otherwise than another one, in the words of the form."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from assessments.domain.keys import current_key
from assessments.forms.writing import form_of
from assessments.forms.writing.base import TableOf
from assessments.forms.writing.fields import clock
from assessments.items.base import Json
from assessments.models import ItemVersion
from core.richtext import as_typed, plain_text


@dataclass(frozen=True, slots=True)
class Difference:
    """Either side may be empty: something is new, or gone."""

    where: str
    before: str
    after: str


Said = tuple[str, str, str]
"""What it is, told apart from all others; what it is called; what it says."""


def differences(*, kind: str, old: ItemVersion, new: ItemVersion) -> list[Difference]:
    before = {what: (where, text) for what, where, text in _said(kind, old)}
    after = {what: (where, text) for what, where, text in _said(kind, new)}
    found = []
    for what in [*after, *(one for one in before if one not in after)]:
        (where, now), (was_where, was) = after.get(what, ("", "")), before.get(what, ("", ""))
        if now != was:
            found.append(Difference(where or was_where, was, now))
    return [*found, *_reordered(kind, old, new)]


def _said(kind: str, version: ItemVersion) -> Iterator[Said]:
    form, key = form_of(kind), current_key(version)
    filled = form.write(shown=version.shown, key=key)
    yield "stem", _("Question"), as_typed(version.stem)
    for of in form.tables:
        yield from _rows(of, filled.rows.get(of.name, ()))
    fields = form.details.base_fields
    for name, value in filled.details.items():
        yield f"kind-{name}", str(fields[name].label), _words(fields[name], value)
    yield "rationale", _("Why the right answer is right"), as_typed(key.get("rationale", ""))
    yield "references", _("References"), "\n".join(key.get("references", ()))
    pictures = [*([version.shown["image"]] if "image" in version.shown else []), *version.shown.get("images", ())]
    yield "pictures", _("Pictures"), ", ".join(_("No. %(number)d") % {"number": pk} for pk in pictures)
    lecture = version.watch_lesson.title if version.watch_lesson else ""
    moment = "" if version.watch_seconds is None else clock(version.watch_seconds)
    yield "watch", _("Explained in the lecture"), f"{lecture} {moment}".strip()


def _rows(of: TableOf, rows: Sequence[Mapping[str, Any]]) -> Iterator[Said]:
    fields = of.row.base_fields
    for number, row in enumerate(rows, 1):
        name = str(row.get("name") or number)
        label = name.upper() if of.row.has_letter else str(number)
        for field, value in row.items():
            if field != "name" and not fields[field].widget.is_hidden:
                where = f"{of.label} {label} · {fields[field].label}"
                yield f"{of.name}-{name}-{field}", where, _words(fields[field], value)


def _reordered(kind: str, old: ItemVersion, new: ItemVersion) -> Iterator[Difference]:
    """Of rows that both have; a row that came or went is told of by itself."""
    form = form_of(kind)
    before, after = (form.write(shown=one.shown, key=current_key(one)).rows for one in (old, new))
    for of in form.tables:
        was, now = ({row["name"]: row for row in rows.get(of.name, ()) if "name" in row} for rows in (before, after))
        if of.is_ordered and [name for name in was if name in now] != [name for name in now if name in was]:
            where = _("%(list)s: order") % {"list": of.label}
            yield Difference(where, _texts(was.values()), _texts(now.values()))


def _texts(rows: Iterable[Mapping[str, Any]]) -> str:
    return " · ".join(Truncator(plain_text(row.get("text", ""))).chars(40) for row in rows)


def _words(field: Any, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else ""
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        names: Json = {str(name): str(label) for name, label in choices}
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(names.get(str(one), str(one)) for one in chosen if one != "")
    return str(value)
