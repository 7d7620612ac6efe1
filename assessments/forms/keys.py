"""The form by which a key is corrected, made of what a kind of question says of it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from assessments.items import type_of
from assessments.items.base import ItemError, Json
from assessments.items.correcting import ONE, SEVERAL, TEXT, Correcting, KeyField, explaining_fields, read_key
from assessments.models import ItemVersion
from core.richtext import clean_html, plain_text

REASON = 500
LONGEST = 20_000


class Wanted(NamedTuple):
    """What the author asks for."""

    key: Json
    gives_everybody: bool
    reason: str


class KeyForm(forms.Form):
    everybody = forms.BooleanField(
        label=_("Everybody gets the points of this question"),
        required=False,
        help_text=_(
            "Whatever was answered, and also where nothing was. For a question that should not have been asked."
        ),
    )
    reason = forms.CharField(
        label=_("Why it is corrected"),
        max_length=REASON,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        error_messages={"required": _("Say why: doctors whose result changes will ask, and an auditor too.")},
    )

    def __init__(
        self, *, version: ItemVersion, key: Json, gives_everybody: bool, correcting: Correcting, data: Any = None
    ) -> None:
        super().__init__(data, initial={"everybody": gives_everybody})
        self.version, self.key, self.correcting = version, key, correcting
        self.key_names = self._add(correcting.fields(shown=version.shown, key=key))
        self.why_names = self._add(explaining_fields(correcting, shown=version.shown, key=key))

    def _add(self, fields: Sequence[KeyField]) -> list[str]:
        for one in fields:
            self.fields[one.name] = _field(one)
            self.initial[one.name] = one.value
        return [one.name for one in fields]

    def key_fields(self) -> list[BoundField]:
        return [self[name] for name in self.key_names]

    def why_fields(self) -> list[BoundField]:
        return [self[name] for name in self.why_names]

    def wanted(self) -> Wanted | None:
        """Of a valid form; none where the kind refuses the key, which then stands at its field."""
        data: Mapping[str, Sequence[str]] = dict(self.data.lists())  # type: ignore[attr-defined]  # a QueryDict
        shown = self.version.shown
        try:
            key = read_key(self.correcting, shown=shown, key=self.key, data=data)
            _shown, cleaned = type_of(self.version.item.kind).clean(shown=shown, key=key)
        except ItemError as problem:
            name = problem.field if problem.field in self.fields else self.key_names[0]
            self.add_error(name, str(problem))
            return None
        return Wanted(cleaned, self.cleaned_data["everybody"], self.cleaned_data["reason"])

    def sent(self) -> list[tuple[str, str]]:
        """Everything once more, for the page that asks whether to do it."""
        return [(name, value) for name in self.fields for value in self.data.getlist(name)]  # type: ignore[attr-defined]


def _field(one: KeyField) -> forms.Field:
    label = plain_text(one.label)
    common: dict[str, Any] = {"label": label, "help_text": one.help, "required": False}
    choices = [(value, mark_safe(clean_html(text))) for value, text in one.choices]  # noqa: S308  # cleaned right here
    if one.shape == ONE:
        return forms.ChoiceField(**common, choices=choices, widget=forms.RadioSelect)
    if one.shape == SEVERAL:
        return forms.MultipleChoiceField(**common, choices=choices, widget=forms.CheckboxSelectMultiple)
    attrs = {"dir": "auto", "rows": min(8, 2 + str(one.value).count("\n") + len(str(one.value)) // 120)}
    widget = forms.Textarea(attrs=attrs) if one.shape == TEXT else forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(**common, widget=widget, max_length=LONGEST, strip=False)
