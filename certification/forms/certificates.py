"""What staff write about certificates: why one is revoked or issued anew, and how a programme's look."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from certification.domain.templates import Signature, TemplateError
from certification.enums import Paper
from certification.models import CertificateTemplate
from certification.printing.facts import MOST_SIGNATORIES
from courses.models import Programme

MOST_BYTES = 10 * 2**20
ROWS = "signatories"
REASON_KEPT = _("Kept for years. Write nothing about health or private life.")


class CertificateReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Why? It is kept beside the ledger, and an auditor reads it."),
        help_text=REASON_KEPT,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


def picture_field(**given: Any) -> forms.FileField:
    widget = forms.FileInput(attrs={"accept": "image/png,image/jpeg", "class": "ct-file"})
    return forms.FileField(required=False, widget=widget, validators=[_not_too_large], **given)


def _not_too_large(file: Any) -> None:
    if file.size > MOST_BYTES:
        raise forms.ValidationError(_("The file is larger than 10 MB."))


class TemplateForm(forms.Form):
    """`programmes`: those that this person staffs. The programme of a template is never changed."""

    programme = forms.ModelChoiceField(Programme.objects.none(), label=_("Programme"), widget=UnfoldAdminSelectWidget())
    heading = forms.CharField(
        label=_("Heading"), max_length=80, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Empty: Certificate of Completion."),
    )  # fmt: skip
    above_name = forms.CharField(
        label=_("Line above the name"), max_length=160, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Empty: This is to certify that."),
    )  # fmt: skip
    below_name = forms.CharField(
        label=_("Line below the name"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Empty: has successfully completed."),
    )  # fmt: skip
    paper = forms.ChoiceField(label=_("Paper"), choices=Paper.choices, widget=UnfoldAdminSelectWidget())
    accent = forms.RegexField(
        r"^#[0-9a-f]{6}$", label=_("Colour"), initial="#0b5d66", widget=UnfoldAdminColorInputWidget()
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=lambda: settings.LANGUAGES, widget=UnfoldAdminSelectWidget()
    )
    logo = picture_field(label=_("Logo"), help_text=_("PNG or JPEG. Without one the society’s name stands there."))
    remove_logo = forms.BooleanField(label=_("Remove the present logo"), required=False, widget=UnfoldBooleanWidget())

    def __init__(
        self, data: Any = None, files: Any = None, *, programmes: Any, template: CertificateTemplate | None = None
    ) -> None:
        super().__init__(data, files, initial=_initial(template))
        field: Any = self.fields["programme"]
        field.queryset = programmes if template is None else programmes.filter(pk=template.programme_id)
        if template is None or not template.logo:
            del self.fields["remove_logo"]


class SignatoryForm(forms.Form):
    """`was`: the place of this signature in the template before; there is its picture."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget(),
        error_messages={"required": _("Type the name, or remove this signature.")},
    )  # fmt: skip
    role = forms.CharField(label=_("Office"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget())
    image = picture_field(label=_("Picture of the signature"))
    remove_image = forms.BooleanField(
        label=_("Remove the present picture"), required=False, widget=UnfoldBooleanWidget()
    )
    was = forms.IntegerField(
        required=False, min_value=0, max_value=MOST_SIGNATORIES - 1, widget=forms.HiddenInput(attrs={"data-was": ""})
    )


class Signatories(forms.BaseFormSet[SignatoryForm]):
    def add_fields(self, form: SignatoryForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["ORDER"].label = _("Place")
        form.fields["ORDER"].widget = UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": MOST_SIGNATORIES})
        form.fields["DELETE"].label = _("Remove this signature")
        form.fields["DELETE"].widget = UnfoldBooleanWidget()


SignatoryRows: Any = forms.formset_factory(
    SignatoryForm, formset=Signatories, extra=MOST_SIGNATORIES, max_num=MOST_SIGNATORIES, absolute_max=MOST_SIGNATORIES,
    can_order=True, can_delete=True,
)  # fmt: skip


class TemplateForms:
    """The template and the rows of its signatures, as one."""

    def __init__(
        self, data: Any = None, files: Any = None, *, programmes: Any, template: CertificateTemplate | None = None
    ) -> None:
        self.template = template
        self.form = TemplateForm(data, files, programmes=programmes, template=template)
        rows = [] if template is None else template.signatories
        initial = [{"name": one["name"], "role": one.get("role", ""), "was": at} for at, one in enumerate(rows)]
        self.rows = SignatoryRows(data, files, initial=initial, prefix=ROWS)
        self.refused: list[str] = []

    def is_valid(self) -> bool:
        """Both are asked, so that everything that is wrong is said at once."""
        return all([self.form.is_valid(), self.rows.is_valid()])

    def asked(self) -> dict[str, Any]:
        """For `save_template`."""
        given = self.form.cleaned_data
        return {
            "programme": given["programme"],
            "template": self.template,
            "values": given,
            "signatures": [_signature(row.cleaned_data) for row in self.rows.ordered_forms],
            "logo": _bytes(given["logo"]),
            "keeps_logo": not given.get("remove_logo"),
        }

    def refuse(self, error: TemplateError) -> None:
        """Beside the field that it is about."""
        if error.field in self.form.fields:
            self.form.add_error(error.field, str(error))
        else:
            label = _("Signatures") if error.field == "signatures" else ""
            self.refused.append(f"{label}: {error}" if label else str(error))

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, as (where, what)."""
        found = [(str(self.form[name].label), told) for name, errors in self._errors() for told in errors]
        for number, row in enumerate(self.rows.forms, 1):
            where = str(_("Signature %(number)d")) % {"number": number}
            if not row.data.get(row.add_prefix("DELETE")):
                found += [(where, told) for errors in row.errors.values() for told in errors]
        whole = [*self.form.non_field_errors(), *self.rows.non_form_errors(), *self.refused]
        return [*found, *(("", str(told)) for told in whole)]

    def _errors(self) -> list[tuple[str, Any]]:
        return [(name, errors) for name, errors in self.form.errors.items() if name in self.form.fields]


def _signature(row: dict[str, Any]) -> Signature:
    was = None if row["remove_image"] else row["was"]
    return Signature(row["name"], row["role"], _bytes(row["image"]), was)


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
    return {name: getattr(template, name) for name in names}
