"""What the office types about the words of messages."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

from reminders.domain.sponsors import Unwanted
from reminders.domain.templates import FIELDS, problems_of
from reminders.enums import Channel

COMPLETED: Mapping[str, str] = {"data-completes": "", "autocomplete": "off", "spellcheck": "true"}
ROWS: Mapping[str, int] = {Channel.EMAIL: 14, Channel.INBOX: 10}


def _subject(channel: str) -> forms.Field:
    label = _("Title") if channel == Channel.PUSH else _("Subject")
    return forms.CharField(label=label, max_length=200, required=False, widget=TextInput(attrs={**COMPLETED}))


def _preheader(channel: str) -> forms.Field:
    return forms.CharField(
        label=_("Line shown beside the subject"), max_length=200, required=False, widget=TextInput(attrs={**COMPLETED}),
        help_text=_("Mail programs show it in the list of messages."),
    )  # fmt: skip


def _body(channel: str) -> forms.Field:
    help_text = {
        Channel.SMS: _("The link is put behind it. Letters outside the basic alphabet halve what fits into a part."),
        Channel.WHATSAPP: _("As it was approved, with names of placeholders in place of the numbers. It is not sent."),
    }.get(Channel(channel), _("An empty line begins a paragraph. A line of which nothing is known is left out."))
    return forms.CharField(
        label=_("Text"), max_length=8_000, required=False, help_text=help_text,
        widget=UnfoldAdminTextareaWidget(attrs={**COMPLETED, "rows": ROWS.get(channel, 5)}),
    )  # fmt: skip


def _button(channel: str) -> forms.Field:
    return forms.CharField(
        label=_("Words on the button"), max_length=60, required=False, widget=TextInput(attrs={**COMPLETED})
    )


def _approved_name(channel: str) -> forms.Field:
    return forms.CharField(
        label=_("Approved template"), max_length=120, required=False, widget=TextInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Its name at Meta, or its number (HX…) at Twilio. WhatsApp sends nothing else. Approved at Meta in another"
            " spelling of the language: day_before/en_GB."
        ),
    )  # fmt: skip


class LinesField(forms.CharField):
    """A name a line, written with or without its braces; a list of names in Python."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return [name for line in text.splitlines() if (name := line.strip().strip("{}").strip())]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value


def _approved_places(channel: str) -> forms.Field:
    return LinesField(
        label=_("Placeholders in order"), required=False, max_length=600,
        help_text=_("One a line: the first is place 1 of the approved template."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "data-names": ""}),
    )  # fmt: skip


_MADE: Mapping[str, Callable[[str], forms.Field]] = {
    "subject": _subject,
    "preheader": _preheader,
    "body": _body,
    "button": _button,
    "approved_name": _approved_name,
    "approved_places": _approved_places,
}


class TemplateForm(forms.Form):
    """The fields of one channel. What may stand in them is said by the domain."""

    def __init__(
        self,
        data: Any = None,
        *,
        kind: str,
        channel: str,
        initial: Mapping[str, Any],
        unwanted: Collection[Unwanted] = (),
    ) -> None:
        super().__init__(data, initial=dict(initial))
        self.kind, self.channel, self.unwanted = kind, channel, unwanted
        for name in FIELDS[channel]:
            self.fields[name] = _MADE[name](channel)

    def clean(self) -> dict[str, Any]:
        given = {name: value.replace("\r\n", "\n") if isinstance(value, str) else value
                 for name, value in self.cleaned_data.items()}  # fmt: skip
        for field, told in problems_of(given, kind=self.kind, channel=self.channel, unwanted=self.unwanted):
            self.add_error(field, told)
        return given


class DoctorForm(forms.Form):
    """As whom the words are shown. Empty: an invented doctor."""

    doctor = forms.EmailField(
        label=_("Show it as this doctor"), required=False,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("E-mail address of a doctor of your programmes. Empty: an invented one."),
    )  # fmt: skip


class CopyForm(forms.Form):
    title = forms.CharField(label=_("Title of the copy"), max_length=120, widget=TextInput())


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"), choices=lambda: settings.LANGUAGES, widget=UnfoldAdminSelectWidget()
    )
