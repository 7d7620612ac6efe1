from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from media.domain.captions import CaptionsRejected
from media.ffmpeg.captions import MAX_CAPTION_BYTES, to_webvtt
from media.models import Caption

LANGUAGES = (
    ("en", "English"),
    ("ar", "العربية"),
    ("bn", "বাংলা"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("hi", "हिन्दी"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ru", "Русский"),
    ("sw", "Kiswahili"),
    ("ta", "தமிழ்"),
    ("th", "ไทย"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("ur", "اردو"),
    ("vi", "Tiếng Việt"),
    ("zh", "中文"),
)


class BeginUploadForm(forms.Form):
    """What the browser knows of a file before it sends a byte."""

    name = forms.CharField(max_length=255)
    size = forms.IntegerField(min_value=0)
    fingerprint = forms.CharField(max_length=200)
    title = forms.CharField(max_length=200, required=False)
    video = forms.IntegerField(required=False, min_value=1)


class CaptionForm(forms.ModelForm[Caption]):
    """A row of the captions table. The file is converted here already, so that its faults appear beside its field."""

    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, widget=UnfoldAdminSelectWidget)
    label = forms.CharField(
        label=_("Label"),
        max_length=60,
        required=False,
        help_text=_("Shown in the player's menu. Empty: the language's own name."),
        widget=UnfoldAdminTextInputWidget,
    )
    file = forms.FileField(
        label=_("Caption file"), help_text=_("A .vtt or .srt file."), widget=UnfoldAdminFileFieldWidget
    )

    class Meta:
        model = Caption
        fields = ("language", "label")

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > MAX_CAPTION_BYTES:
            raise ValidationError(_("The caption file is larger than 5 MB. Choose a .vtt or .srt file."))
        data: bytes = file.read()
        try:
            to_webvtt(data)
        except CaptionsRejected as error:
            raise ValidationError(str(error)) from error
        return data

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("label"):
            cleaned["label"] = dict(LANGUAGES).get(cleaned.get("language", ""), "")
        return cleaned
