from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from unfold.widgets import UnfoldBooleanWidget

from accounts.models import User
from webinars.domain.authoring import RecordingInUseError, check_recording, save_webinar
from webinars.domain.spot import Asker
from webinars.models import Webinar


class WebinarForm(forms.ModelForm[Webinar]):
    same_recording = forms.BooleanField(
        label=_("Same recording"),
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text=_("The new video shows the same recording, encoded again: what people have watched counts for it."),
    )

    class Meta:
        model = Webinar
        fields = ("video", "presenters", "completion_percent")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        video = cleaned.get("video")
        if "video" not in self.errors:
            try:
                check_recording(
                    webinar_id=self.instance.pk,
                    video_id=video.pk if video else None,
                    same_recording=bool(cleaned.get("same_recording")),
                )
            except RecordingInUseError as refused:
                self.add_error("video", str(refused))
        return cleaned


class WebinarFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Writes through the domain. The admin sets `request` on a class of its own for every request."""

    request: HttpRequest

    def save_existing(self, form: Any, obj: Webinar, commit: bool = True) -> Webinar:
        webinar: Webinar = form.save(commit=False)
        person = self.request.user
        save_webinar(
            webinar=webinar,
            same_recording=bool(form.cleaned_data.get("same_recording")),
            actor=person if isinstance(person, User) else None,
            request=self.request,
            now=timezone.now(),
        )
        form.save_m2m()
        return webinar


class SpotForm(forms.Form):
    """What a doctor at the door is asked. `website` is hidden from people; robots fill it."""

    first_name = forms.CharField(
        label=_("First name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}),
    )
    country = forms.ChoiceField(
        label=_("Country where you practise"),
        choices=lambda: [("", _("Choose")), *countries],
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    medical_council = forms.CharField(
        label=_("Medical council"), max_length=120, help_text=_("Where you are registered as a doctor.")
    )
    registration_number = forms.CharField(label=_("Registration number"), max_length=60)
    timezone = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput(attrs={"data-device-zone": ""}))
    website = forms.CharField(required=False, max_length=200)

    @property
    def is_robot(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    def asker(self) -> Asker:
        given = self.cleaned_data
        return Asker(
            email=given["email"],
            first_name=given["first_name"],
            last_name=given["last_name"],
            country=given["country"],
            medical_council=given["medical_council"],
            registration_number=given["registration_number"],
            time_zone=given["timezone"],
        )
