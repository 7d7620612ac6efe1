"""What is typed about activities: which webinar by whom, the terms of each authority, who contributes."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from certification.admin.parameter_fields import ParametersField
from certification.authorities import NoPackError, pack, pack_of
from certification.authorities.base import RulePack
from certification.domain.terms import window_days
from certification.enums import AuthorityKey, Format
from certification.models import Accreditation, Activity, Claim, Contributor


def council_choices() -> list[tuple[str, Any]]:
    councils: dict[str, Any] = getattr(pack_of(AuthorityKey.INDIA, on=date.today()), "councils", {})  # noqa: DTZ011
    return [("", _("None")), *((key, one.title) for key, one in sorted(councils.items()))]


class AccreditForm(forms.ModelForm[Activity]):
    """A webinar in one step: an activity for each format, each with all the chosen authorities."""

    formats = forms.MultipleChoiceField(
        label=_("What is accredited"),
        choices=Format.choices,
        initial=list(Format.values),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("Authorities accredit the live event and its recording as two activities."),
    )
    authorities = forms.MultipleChoiceField(
        label=_("By whom"), choices=AuthorityKey.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    class Meta:
        model = Activity
        fields = ("lesson",)


class AccreditationRow(forms.ModelForm[Accreditation]):
    council = forms.ChoiceField(
        label=_("Council"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("Only for a state medical council of India."),
    )

    class Meta:
        model = Accreditation
        fields = (
            "authority", "council", "credits", "approval_code", "provider", "event", "valid_from", "valid_until",
            "parameters",
        )  # fmt: skip
        help_texts = {
            "credits": _("As the authority designated them, in advance."),
            "provider": _("As it stands on certificates and in the authority’s sentence."),
            "valid_from": _("Only where it differs from the activity’s own first day."),
            "valid_until": _("Only where it differs from the activity’s own last day."),
        }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        council: Any = self.fields["council"]
        council.choices = council_choices()
        rules = self._pack()
        self.fields["parameters"] = ParametersField(rules.parameters if rules else ())
        if self.instance.pk:
            self.fields["authority"].disabled = True
            if Claim.objects.filter(accreditation=self.instance).exists():
                for name in ("council", "credits", "event", "valid_from", "parameters"):
                    self.fields[name].disabled = True
                    self.fields[name].widget.attrs["disabled"] = True

    def _pack(self) -> RulePack | None:
        """The rules by which it is set up; a new row shows its settings after saving."""
        if not self.instance.pk:
            return None
        starts_on, _ends_on = window_days(self.instance.activity)
        try:
            return pack_of(self.instance.authority, on=starts_on or timezone.localdate())
        except NoPackError:
            pass
        try:
            return pack(self.instance.authority, version=self.instance.version)
        except NoPackError:
            return None


class ContributorRow(forms.ModelForm[Contributor]):
    class Meta:
        model = Contributor
        fields = ("person", "role")

    def __init__(self, *given: Any, **named: Any) -> None:
        """A table's heading is no label to who hears the page."""
        super().__init__(*given, **named)
        for field in self.fields.values():
            widget: Any = field.widget
            getattr(widget, "widget", widget).attrs["aria-label"] = str(field.label)
