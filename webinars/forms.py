from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanWidget

from accounts.models import User
from webinars.domain.authoring import RecordingInUseError, check_recording, save_webinar
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
