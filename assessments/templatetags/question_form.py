"""A question's form on a doctor's page; apart, because it is made in a way of its own: mostly not anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from assessments.domain.sheet import Line
from assessments.templatetags.assessments import INPUTS, NUMBER, POSITION, ROWS, Blank, option_rows

register = template.Library()

TOKEN, ADDRESS = "\0token\0", "\0address\0"


@dataclass(frozen=True, slots=True)
class Form:
    """What it looks like while nobody has answered follows from all but the line: two that are equal are one text.

    Everybody has the questions and their options in an order of their own, so neither is part of it: their places are
    filled in afterwards. `order` is that of other things than options.
    """

    wording: tuple[object, ...]
    order: tuple[object, ...]
    is_first: bool
    is_last: bool
    total: int
    title: str
    instructions: str
    is_one_way: bool
    language: str
    line: Line = field(compare=False)


@register.simple_tag(takes_context=True)
def question_form(context: Mapping[str, Any], line: Line) -> SafeString:
    """A thousand doctors ask for forty each in the same minute: templates would take most of what that costs."""
    sheet = context["sheet"]
    section = sheet.sections[line.section]
    form = Form(
        wording=line.wording,
        order=() if line.kind in INPUTS else tuple(line.view.get("order", ())),
        is_first=line.position == 0,
        is_last=line.number == context["total"],
        total=context["total"],
        title=section.get("title", ""),
        instructions=section.get("instructions", ""),
        is_one_way=sheet.attempt.is_one_way,
        language=get_language(),
        line=line,
    )
    token, address = str(context["csrf_token"]), context["questions_url"]
    if settings.DEBUG or not _is_untouched(line):
        return _render(form, line, token, address)
    text = _made(form).replace(TOKEN, token).replace(ADDRESS, address)
    text = text.replace(POSITION, str(line.position)).replace(NUMBER, str(line.number))
    return SafeString(text.replace(ROWS, option_rows(line)) if line.kind in INPUTS else text)


def _is_untouched(line: Line) -> bool:
    """Without pictures: those are looked up, and their words may change."""
    shown = line.view.get("shown", {})
    has_pictures = bool(line.story_images or shown.get("images") or shown.get("image"))
    return line.value is None and not line.saved and not line.is_flagged and line.is_open and not has_pictures


@lru_cache(maxsize=4_096)
def _made(form: Form) -> SafeString:
    own = {one.name: getattr(form.line, one.name) for one in fields(form.line)}
    return _render(form, Blank(**own | {"position": POSITION}), TOKEN, ADDRESS)


def _render(form: Form, line: Line, token: str, address: str) -> SafeString:
    context = {"form": form, "line": line, "csrf_token": token, "questions_url": address}
    return render_to_string("assessments/_question.html", context)
