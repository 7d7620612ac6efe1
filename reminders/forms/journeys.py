"""One message of a programme in the office: when it goes out, and by which channels in which order."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from reminders.domain.journeys import problem_with
from reminders.domain.planning.which import planned_kinds
from reminders.domain.sponsors import problems_of_policy
from reminders.enums import Channel, Kind
from reminders.models import Journey, MessagePolicy

PLACES = ("first", "second", "third")


class PolicyForm(forms.ModelForm[MessagePolicy]):
    """What the domain would refuse is said beside its field."""

    class Meta:
        model = MessagePolicy
        fields = (
            "programme", "is_on", "template_set", "sender_name", "reply_to", "quiet_from", "quiet_until", "most_a_day",
            "most_a_week", "may_name_sponsors", "sponsors",
        )  # fmt: skip

    def _post_clean(self) -> None:
        """Here the row has what was typed."""
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            for field, told in problems_of_policy(self.instance):
                self.add_error(field, told)


class JourneyForm(forms.ModelForm[Journey]):
    """The channels are three choices in order; the column is a list."""

    kind = forms.ChoiceField(label=_("message"), widget=UnfoldAdminSelectWidget)
    first = forms.ChoiceField(label=_("channel"), choices=Channel.choices, widget=UnfoldAdminSelectWidget)
    second = forms.ChoiceField(label=_("second channel"), required=False, widget=UnfoldAdminSelectWidget)
    third = forms.ChoiceField(label=_("third channel"), required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Journey
        fields = ("kind", "is_on", "offset_minutes", "local_time", "fallback_minutes", "is_urgent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = set(planned_kinds())
        self.fields["kind"].choices = [one for one in Kind.choices if one[0] in known]  # type: ignore[attr-defined]
        for name in PLACES[1:]:
            self.fields[name].choices = [("", "–"), *Channel.choices]  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial.update(zip(PLACES, self.instance.channels, strict=False))
            self.fields["kind"].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        channels = [cleaned[name] for name in PLACES if cleaned.get(name)]
        offset = cleaned.get("offset_minutes")
        if offset is None or not channels or not cleaned.get("kind"):
            return cleaned
        problem = problem_with(
            kind=cleaned["kind"],
            offset_minutes=offset,
            channels=channels,
            local_time=cleaned.get("local_time"),
            is_urgent=bool(cleaned.get("is_urgent")),
        )
        if problem:
            raise ValidationError(problem)
        if cleaned.get("fallback_minutes") and len(channels) == 1:
            self.add_error("fallback_minutes", _("There is no next channel to wait for."))
        self.instance.channels = channels
        return cleaned
