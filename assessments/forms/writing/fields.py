"""Fields of the questions' forms: texts that become HTML, moments of a lecture, one choice among rows."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.richtext import from_typed

_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)|(\d{1,3})")
_ROW = re.compile(r"(.+)-(\d+)-([a-z_]+)\Z")


class TypedField(forms.CharField):
    """A text that people type, cleaned to HTML. `data-rich` lets the script put buttons above it."""

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "dir": "auto", "data-rich": ""})
        super().__init__(**{"required": False, "widget": widget, "strip": False, **kwargs})

    def clean(self, value: Any) -> str:
        return from_typed(super().clean(value))


class LineField(forms.CharField):
    """A text in one line."""

    def __init__(self, *, size: int = 0, **kwargs: Any) -> None:
        attrs: dict[str, Any] = {"autocomplete": "off"} | ({"size": size} if size else {"dir": "auto"})
        super().__init__(**{"required": False, "widget": forms.TextInput(attrs=attrs), **kwargs})


class MomentField(forms.CharField):
    """Whole seconds, written 1:02:03 or 4:30; a number alone is minutes."""

    default_error_messages = {"moment": _("Write a time like 4:30 or 1:02:03.")}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"placeholder": "4:30", "size": 8, "autocomplete": "off", "dir": "ltr"})
        super().__init__(**{"required": False, "max_length": 9, "widget": widget, **kwargs})

    def clean(self, value: Any) -> int | None:
        text = super().clean(value).strip()
        if not text:
            return None
        found = _CLOCK.fullmatch(text)
        if found is None:
            raise forms.ValidationError(self.error_messages["moment"], code="moment")
        hours, minutes, seconds, plain = found.groups()
        return int(plain) * 60 if plain else int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)


class OneOfRows(forms.CheckboxInput):
    """A yes that only one row of a table has: `options-2-right` is sent as `options-right`, with the value 2."""

    input_type = "radio"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        table, number, field = _row(name)
        context["widget"] |= {"name": f"{table}-{field}", "value": number}
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        table, number, field = _row(name)
        return bool(data.get(f"{table}-{field}") == number)


def _row(name: str) -> tuple[str, str, str]:
    found = _ROW.match(name)
    if found is None:
        raise ValueError(name)
    return found[1], found[2], found[3]


def clock(seconds: int) -> str:
    """1:02:03 or 4:30."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
