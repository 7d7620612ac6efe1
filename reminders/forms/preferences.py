"""The form of a person's page of messages."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from accounts.domain.secrets import CODE_DIGITS
from reminders.domain.consent import BY_NUMBER
from reminders.domain.preferences import Way, wording
from reminders.enums import Channel
from reminders.models import PhoneCode

EXAMPLE_NUMBER = "\u2066+91 98765 43210\u2069"  # isolated, as in the profile


class NumberCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code from the message"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code", "pattern": r"[0-9\s]*"}
        ),
    )

    def clean_code(self) -> str:
        """People copy it with spaces; telephones type other scripts' digits."""
        digits = "".join(str(int(sign)) for sign in self.cleaned_data["code"] if sign.isdecimal())
        if len(digits) != CODE_DIGITS:
            raise forms.ValidationError(_("The code has six digits."), code="length")
        return digits


class PreferencesForm(forms.Form):
    """A box for each way there is here, and the number where one of them needs it.

    What waits for its code stands there as it was filled in: saving it once more changes nothing.
    """

    def __init__(
        self, *args: Any, ways: list[Way], phone: str, waiting: PhoneCode | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ways = ways
        self.waiting = waiting
        wanted = set(waiting.channels) if waiting else set()
        phone = waiting.number if waiting and wanted else phone
        words = wording()
        for way in ways:
            is_on = way.is_on or way.channel in wanted
            self.fields[way.channel] = forms.BooleanField(label=words[way.channel], required=False, initial=is_on)
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
