"""A question's form on a doctor's page. It has a file of its own because it is made in a way of its own: mostly not anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from assessments.domain.sheet import Line
from assessments.items.base import Json

register = template.Library()

# Stand for what is each doctor's own. No text can hold them: NUL is in no text of PostgreSQL.
TOKEN, ADDRESS = "\0token\0", "\0address\0"


@dataclass(frozen=True, slots=True)
class Untouched:
    """A question that nobody has answered: on every paper with this order of its options it is the same text."""

    wording: tuple[object, ...]
    position: int
    total: int
    section: tuple[str, str]
    is_one_way: bool
    language: str
    line: Line = field(compare=False)


@register.simple_tag(takes_context=True)
def question_form(context: Mapping[str, Any], line: Line) -> SafeString:
    """A thousand doctors ask for forty each in the same minute: a template for each would take most of a save's time."""
    sheet, total = context["sheet"], context["total"]
    one_way = sheet.attempt.is_one_way
    section: Json = sheet.sections[line.section]
    token, address = str(context["csrf_token"]), context["questions_url"]
    if not _is_untouched(line) or settings.DEBUG:
        return _render(line, total, section, one_way, token, address)
    titles = (section.get("title", ""), section.get("instructions", ""))
    made = _made(Untouched(line.wording, line.position, total, titles, one_way, get_language(), line))
    return SafeString(made.replace(TOKEN, token).replace(ADDRESS, address))


def _is_untouched(line: Line) -> bool:
    """Pictures are looked up: their words may change."""
    shown = line.view.get("shown", {})
    has_pictures = bool(line.story_images or shown.get("images") or shown.get("image"))
    return line.value is None and not line.saved and not line.is_flagged and line.is_open and not has_pictures


@lru_cache(maxsize=4_096)
def _made(one: Untouched) -> SafeString:
    title, instructions = one.section
    section = {"title": title, "instructions": instructions}
    return _render(one.line, one.total, section, one.is_one_way, TOKEN, ADDRESS)


def _render(line: Line, total: int, section: Json, is_one_way: bool, token: str, address: str) -> SafeString:
    return render_to_string(
        "assessments/_question.html",
        {
            "line": line,
            "total": total,
            "section": section,
            "is_one_way": is_one_way,
            "csrf_token": token,
            "questions_url": address,
        },
    )
