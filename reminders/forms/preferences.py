"""The form of a person's page of messages."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from reminders.domain.consent import BY_NUMBER
from reminders.domain.preferences import Way, wording
from reminders.enums import Channel

EXAMPLE_NUMBER = "\u2066+91 98765 43210\u2069"  # isolated, as in the profile


class PreferencesForm(forms.Form):
    """A box for each way there is here, and the number where one of them needs it."""

    def __init__(self, *args: Any, ways: list[Way], phone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ways = ways
        words = wording()
        for way in ways:
            self.fields[way.channel] = forms.BooleanField(label=words[way.channel], required=False, initial=way.is_on)
        if self.asks_for_number:
            self.fields["phone"] = PhoneNumberField(
                label=_("Mobile number"),
                required=False,
                initial=phone,
                help_text=format_lazy(_("With the country code, for example {number}."), number=EXAMPLE_NUMBER),
                error_messages={"invalid": _("This is no phone number. Write it with the country code.")},
                widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
            )

    @property
    def asks_for_number(self) -> bool:
        return any(way.channel in BY_NUMBER for way in self.ways)

    def boxes(self) -> list[forms.BoundField]:
        return [self[way.channel] for way in self.ways]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        wants = any(given.get(channel) for channel in (Channel.SMS, Channel.WHATSAPP))
        if wants and "phone" in given and not given["phone"]:
            self.add_error("phone", _("Please give the number that these messages go to."))
        return given

    def choices(self) -> dict[str, bool]:
        return {way.channel: bool(self.cleaned_data.get(way.channel)) for way in self.ways}
