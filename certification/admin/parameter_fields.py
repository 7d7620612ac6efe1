"""An authority's settings as form fields, made from the description of its rule pack."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from certification.authorities.parameters import CHOICE, FLAG, Parameter, ParameterError, clean
from certification.authorities.rounding import plain


class ParametersWidget(forms.Widget):
    """One control for each, with its label and help: `<name>-<parameter>`."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__()
        self.parameters = parameters

    def id_for_label(self, id_: str) -> str:
        """A group has no field that its label could lead to."""
        return ""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in self.parameters:
            key = f"{name}-{one.name}"
            found[one.name] = key in data if one.kind == FLAG else data.get(key, "")
        return found

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        known = value if isinstance(value, dict) else {}
        rows = [self._row(one, f"{name}-{one.name}", known.get(one.name, one.default)) for one in self.parameters]
        html = render_to_string("admin/certification/activity/_parameters.html", {"rows": rows})
        return mark_safe(html)  # noqa: S308  # by a template, which escapes

    def _row(self, one: Parameter, key: str, value: Any) -> dict[str, Any]:
        has_help = bool(str(one.help))
        attrs = {"id": f"id_{key}"} | ({"aria-describedby": f"id_{key}_help"} if has_help else {})
        if self.is_disabled:
            attrs["disabled"] = "disabled"
        widget: Any
        shown: Any
        if one.kind == FLAG:
            widget, shown = UnfoldBooleanWidget(), bool(value)
        elif one.kind == CHOICE:
            widget, shown = UnfoldAdminSelectWidget(choices=one.choices), value
        else:
            limits = {"min": one.least, "max": one.most, "step": "any"}
            widget, shown = UnfoldAdminIntegerFieldWidget(attrs=limits), _number(value)
        control = widget.render(key, shown, attrs)
        return {
            "control": control,
            "id": attrs["id"],
            "label": one.label,
            "help": one.help,
            "is_flag": one.kind == FLAG,
        }

    @property
    def is_disabled(self) -> bool:
        return bool(self.attrs.get("disabled"))


def _number(value: Any) -> str:
    text = str(value)
    return plain(Decimal(text)) if text.replace(".", "", 1).isdigit() else text


class ParametersField(forms.Field):
    def __init__(self, parameters: Sequence[Parameter], **named: Any) -> None:
        self.parameters = parameters
        super().__init__(required=False, label=_("Settings"), widget=ParametersWidget(parameters), **named)

    def clean(self, value: Any) -> dict[str, Any]:
        try:
            values = clean(self.parameters, value or {})
        except ParameterError as error:
            labels = {one.name: str(one.label) for one in self.parameters}
            raise forms.ValidationError(f"{labels.get(error.name, error.name)}: {error}") from error
        return {name: str(one) if isinstance(one, Decimal) else one for name, one in values.items()}

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        try:
            return bool(clean(self.parameters, initial or {}) != clean(self.parameters, data or {}))
        except ParameterError:
            return True
