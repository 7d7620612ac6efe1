"""What staff write about certificates: why one is revoked or issued anew, and how a programme's look."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from certification.domain.templates import Signature
from certification.enums import Paper
from certification.models import CertificateTemplate
from courses.models import Programme

MOST_SIGNATURES = 4
MOST_BYTES = 10 * 2**20


class CertificateReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Why? The ledger keeps it, and an auditor reads it."),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


class TemplateForm(forms.Form):
    """`programmes`: those that this person staffs. The programme of a template is never changed."""

    programme = forms.ModelChoiceField(Programme.objects.none(), label=_("Programme"), widget=UnfoldAdminSelectWidget())
    heading = forms.CharField(
        label=_("Heading"), max_length=80, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Empty: Certificate of Completion."),
    )  # fmt: skip
    above_name = forms.CharField(
        label=_("Line above the name"), max_length=160, required=False, widget=UnfoldAdminTextInputWidget()
    )
    below_name = forms.CharField(
        label=_("Line below the name"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget()
    )
    paper = forms.ChoiceField(label=_("Paper"), choices=Paper.choices, widget=UnfoldAdminSelectWidget())
    accent = forms.RegexField(
        r"^#[0-9a-f]{6}$", label=_("Colour"), initial="#0b5d66", widget=UnfoldAdminColorInputWidget()
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=lambda: settings.LANGUAGES, widget=UnfoldAdminSelectWidget()
    )
    logo = forms.FileField(
        label=_("Logo"), required=False, widget=UnfoldAdminFileFieldWidget(),
        help_text=_("PNG or JPEG. Without one the society’s name stands there. Empty keeps the present one."),
    )  # fmt: skip

    def __init__(
        self, data: Any = None, files: Any = None, *, programmes: Any, template: CertificateTemplate | None = None
    ) -> None:
        super().__init__(data, files, initial=_initial(template))
        field: Any = self.fields["programme"]
        field.queryset = programmes if template is None else programmes.filter(pk=template.programme_id)
        for number in range(1, MOST_SIGNATURES + 1):
            self._add_signature(number)

    def _add_signature(self, number: int) -> None:
        text = {"required": False, "widget": UnfoldAdminTextInputWidget()}
        self.fields[f"name_{number}"] = forms.CharField(
            label=_("Signature %(number)d: name") % {"number": number}, max_length=120, **text
        )
        self.fields[f"role_{number}"] = forms.CharField(
            label=_("Signature %(number)d: office") % {"number": number}, max_length=120, **text
        )
        self.fields[f"image_{number}"] = forms.FileField(
            label=_("Signature %(number)d: picture") % {"number": number},
            required=False,
            widget=UnfoldAdminFileFieldWidget(),
        )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name in ("logo", *(f"image_{number}" for number in range(1, MOST_SIGNATURES + 1))):
            if given.get(name) and given[name].size > MOST_BYTES:
                self.add_error(name, _("The file is larger than 10 MB."))
        return given

    def asked(self, template: CertificateTemplate | None) -> dict[str, Any]:
        """For `save_template`."""
        given = self.cleaned_data
        signatures = [
            Signature(given[f"name_{number}"], given[f"role_{number}"], _bytes(given[f"image_{number}"]))
            for number in range(1, MOST_SIGNATURES + 1)
            if given[f"name_{number}"]
        ]
        return {
            "programme": given["programme"],
            "template": template,
            "values": given,
            "signatures": signatures,
            "logo": _bytes(given["logo"]),
        }


def _bytes(file: Any) -> bytes | None:
    if not file:
        return None
    file.seek(0)
    data: bytes = file.read()
    return data


def _initial(template: CertificateTemplate | None) -> dict[str, Any]:
    if template is None:
        return {}
    names = ("programme", "heading", "above_name", "below_name", "paper", "accent", "language")
    found = {name: getattr(template, name) for name in names}
    for number, one in enumerate(template.signatories, 1):
        found |= {f"name_{number}": one["name"], f"role_{number}": one.get("role", "")}
    return found
