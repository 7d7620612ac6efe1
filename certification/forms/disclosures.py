"""The statement's form. It needs no script: rows are there before they are needed, and more come by a button."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from certification.domain.disclosures import MOST_INTERESTS, Interest
from certification.enums import RelationshipKind
from certification.models import Disclosure

EMPTY_ROWS = 3
YES, NO = "yes", "no"


class StatementForm(forms.Form):
    has_any = forms.ChoiceField(
        label=_("Your answer"),
        choices=((NO, _("No, none")), (YES, _("Yes"))),
        widget=forms.RadioSelect,
        error_messages={"required": _("Answer yes or no.")},
    )
    signed_name = forms.CharField(
        label=_("Your full name, as your signature"),
        max_length=200,
        error_messages={"required": _("Type your name: it is your signature.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class InterestForm(forms.Form):
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    relationship = forms.ChoiceField(
        label=_("What kind of relationship"), choices=(("", _("Choose")), *RelationshipKind.choices), required=False
    )
    ended = forms.BooleanField(label=_("It has ended"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        company, kind = cleaned.get("company", "").strip(), cleaned.get("relationship", "")
        if kind and not company:
            self.add_error("company", _("Name the company, or empty this row."))
        if company and not kind and "relationship" not in self.errors:
            self.add_error("relationship", _("Choose what kind of relationship it is."))
        return cleaned

    @property
    def interest(self) -> Interest | None:
        """None: the row is empty. Of a valid form."""
        given = self.cleaned_data
        return Interest(given["company"], given["relationship"], given["ended"]) if given.get("company") else None


InterestRows = forms.formset_factory(
    InterestForm, extra=0, min_num=0, max_num=MOST_INTERESTS, absolute_max=MOST_INTERESTS, validate_max=True
)


class Statement:
    """Both parts of the page together."""

    def __init__(self, data: Any = None, *, last: Disclosure | None = None, more: bool = False) -> None:
        if data is None:
            rows = list(last.interests) if last else []
            has_any = (YES if rows else NO) if last else None
            self.form = StatementForm(initial={"has_any": has_any})
            self.rows = InterestRows(initial=[*rows, *({} for _row in range(EMPTY_ROWS))], prefix="row")
        elif more:
            kept = _kept(data)
            self.form = StatementForm(initial={name: data.get(name, "") for name in ("has_any", "signed_name")})
            self.rows = InterestRows(
                initial=[*kept, *({} for _row in range(EMPTY_ROWS))][:MOST_INTERESTS], prefix="row"
            )
        else:
            self.form = StatementForm(data)
            self.rows = InterestRows(data, prefix="row")

    def is_valid(self) -> bool:
        """All that is wrong is said at once: the answer is compared with the rows also where the name is missing."""
        valid = self.form.is_valid() & self.rows.is_valid()
        if self.rows.is_valid() and "has_any" not in self.form.errors:
            if self.has_any and not self.interests:
                self.form.add_error("has_any", _("You answered yes: name at least one company below."))
            if not self.has_any and self.interests:
                text = _("You answered no, but there are companies below. Answer yes, or empty them.")
                self.form.add_error("has_any", text)
        return valid and not self.form.errors

    @property
    def has_any(self) -> bool:
        return self.form.cleaned_data.get("has_any") == YES

    @property
    def interests(self) -> Sequence[Interest]:
        return [found for row in self.rows if (found := row.interest)]

    @property
    def has_errors(self) -> bool:
        return bool(self.form.errors) or any(row.errors for row in self.rows)


def _kept(data: Any) -> list[dict[str, Any]]:
    """What was typed so far, also where it is not right yet; empty rows are closed up."""
    rows = []
    for number in range(MOST_INTERESTS):
        company = str(data.get(f"row-{number}-company", ""))[:200]
        kind = str(data.get(f"row-{number}-relationship", ""))
        if company.strip() or kind:
            rows.append({"company": company, "relationship": kind, "ended": f"row-{number}-ended" in data})
    return rows
