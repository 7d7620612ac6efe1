"""What the pages of a test need. Rich text was cleaned when it was written, and is cleaned again where it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.domain.checks import WayBack, way_back_of
from assessments.domain.images import Picture, pictures_of
from assessments.domain.sheet import Line, Sheet
from assessments.forms.marking import shown
from assessments.items.base import Json
from assessments.items.essay import count_words
from assessments.items.hotspot import cell_of, cells
from assessments.models import Quiz
from core.richtext import clean_html, plain_text

register = template.Library()

# Stand for what is each doctor's own. No text can hold them: NUL is in no text of PostgreSQL.
POSITION, NUMBER, ROWS = "\0position\0", "\0number\0", "\0rows\0"
INPUTS = {"single": "radio", "multiple": "checkbox"}  # of the kinds whose options `option_rows` makes


@dataclass(frozen=True, slots=True)
class Blank(Line):
    """A question on nobody's paper: its place, and its options in their order, are filled in afterwards."""

    @property
    def number(self) -> str:  # type: ignore[override]
        return NUMBER


@register.simple_tag
def way_back(quiz: Quiz) -> WayBack | None:
    """From a check into its webinar. Two queries, and none for other tests."""
    return way_back_of(quiz=quiz)


@register.filter
@lru_cache(maxsize=4_096)
def rich(html: str) -> SafeString:
    """A row that came by another way than an author's form is no hole then. Thousands are shown the same few texts."""
    return mark_safe(clean_html(html))  # noqa: S308


@register.filter
def plain(html: str) -> str:
    return plain_text(html)


@register.simple_tag
def option_rows(line: Line) -> SafeString:
    """The options in the order of this paper, as radio buttons or check boxes.

    Forty questions of five are on one page that thousands open in the same minute: a template would take most of it.
    """
    if isinstance(line, Blank):
        return SafeString(ROWS)
    kind = INPUTS[line.kind]
    value = line.value or {}
    chosen = {value["choice"]} if "choice" in value else set(value.get("choices", ()))
    return SafeString(
        "".join(
            _option(kind, one["id"], one["text"], number, one["id"] in chosen)
            for number, one in enumerate(ordered_options(line), 1)
        )
    )


@lru_cache(maxsize=4_096)
def _option(kind: str, value: str, text: str, number: int, is_chosen: bool) -> str:
    return format_html(
        '<label class="quiz-option"><input type="{}" name="choice" value="{}"{}>'
        '<span class="quiz-letter" aria-hidden="true">{}</span><span class="quiz-text">{}</span></label>',
        kind,
        value,
        SafeString(" checked") if is_chosen else "",
        letter(number),
        rich(text),
    )


@register.filter
def letter(number: int) -> str:
    """1 is A. What doctors call an option, by its place on their own paper."""
    return chr(ord("A") + number - 1)


@register.filter
def ordered_options(line: Line) -> list[Json]:
    """The options in the order of this paper."""
    return ordered(line, "options")


@register.filter
def ordered(line: Line, name: str) -> list[Json]:
    """Those of `shown` under that name, in the order of this paper."""
    by_name = {one["id"]: one for one in line.view["shown"][name]}
    return [by_name[one] for one in line.view["order"] or by_name]


@register.simple_tag
def pictures(ids: Sequence[int] | None) -> Sequence[Picture]:
    return pictures_of(ids or ())


@register.filter
def as_list(value: int) -> list[int]:
    return [value]


@register.simple_tag
def chosen_of(line: Line, name: str) -> Any:
    """What was chosen for one part of a question that has several: options of a stem, the place of an entry."""
    value = line.value or {}
    return (value.get("choices") or value.get("places") or {}).get(name, "")


@register.simple_tag
def places_of(line: Line) -> range:
    return range(1, len(line.view["shown"]["entries"]) + 1)


@register.filter
def words(line: Line) -> int:
    """How many stand in the saved answer."""
    return count_words(line.value["text"]) if line.value else 0


@register.filter
def grid_cells(line: Line) -> list[dict[str, Any]]:
    """The cells over a picture: name, what is sent when it is chosen, whether it is. A point that was set already is
    sent as it was, and otherwise the middle of the cell.
    """
    shown = line.view["shown"]
    points = {cell_of((across, down), shown): (across, down) for across, down in (line.value or {}).get("points", ())}
    return [
        {"name": name, "value": "{},{}".format(*points.get(name, middle)), "is_chosen": name in points}
        for name, middle in cells(size=shown["size"], grid=shown["grid"])
    ]


@register.filter
def at(values: list[Any], index: int) -> Any:
    return values[index]


@register.filter
def beside(lines: Sequence[Any], given: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Criteria of a rubric with what was given for each; none where the rubric was another one then."""
    return list(zip(lines, given, strict=True)) if len(lines) == len(given) else []


@register.filter
def points(value: Decimal) -> str:
    """1.5 and 2, not 1.50 and 2.00."""
    return shown(value)


@register.filter
def percent(share: Decimal) -> str:
    return shown(share * 100)


@register.filter
def svg_number(value: float | None) -> str:
    """With a point, whatever the language writes."""
    return f"{value or 0:.2f}"


@register.filter
def clock(seconds: int) -> str:
    """mm:ss, with hours where there are any."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


@register.filter
def minutes(seconds: int) -> str:
    """How long a test takes, as people say it; to the second where it is not a whole number of minutes."""
    whole, rest = divmod(seconds, 60)
    return clock(seconds) if rest else ngettext("%(number)d minute", "%(number)d minutes", whole) % {"number": whole}


@register.simple_tag
def palette(sheet: Sheet, here: Line) -> SafeString:
    """The numbers of all questions, as links where one may go there: a hundred entries took a third of the page."""
    words = {name: escape(text) for name, text in _palette_words().items()}
    return SafeString("".join(_entry(one, here, words, one_way=sheet.attempt.is_one_way) for one in sheet.lines))


def _palette_words() -> dict[str, str]:
    return {"answered": _("answered"), "blank": _("not answered"), "flagged": _("flagged")}


def _entry(one: Line, here: Line, words: Mapping[str, str], *, one_way: bool) -> str:
    is_here = one.position == here.position
    marks = {"answered": one.is_answered, "flagged": one.is_flagged and not one_way, "here": is_here}
    names = " ".join(["quiz-mark", *(name for name, is_so in marks.items() if is_so)])
    if one_way:
        return f'<li><span class="{names}">{one.number}</span></li>'
    said = words["answered" if one.is_answered else "blank"] + (f", {words['flagged']}" if one.is_flagged else "")
    current = ' aria-current="step"' if is_here else ""
    return (
        f'<li><a class="{names}" href="?at={one.number}" data-position="{one.position}"{current}>{one.number}'
        f'<span class="visually-hidden"> {said}</span></a></li>'
    )


@register.simple_tag
def where(line: Line, total: int) -> str:
    return _("Question %(number)s of %(total)s") % {"number": line.number, "total": total}


@register.simple_tag
def legend_of(line: Line) -> str:
    """What a screen reader says before the first option."""
    return _("Question %(number)s") % {"number": line.number}
