from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from accounts.models import User
from webinars.domain.authoring import RecordingInUseError, check_recording, save_webinar
from webinars.domain.scheduling import SETTINGS, check_schedule
from webinars.domain.spot import Asker
from webinars.domain.spot_windows import check_window
from webinars.models import SpotWindow, Webinar


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
            language=get_language() or "",
        )


SWITCHED_ON_STAGE = ("is_rehearsal", "allows_takeover")


class ScheduleForm(forms.ModelForm[Webinar]):
    """Refuses in the words of the domain, beside the field. The domain looks again when it writes."""

    class Meta:
        model = Webinar
        fields = (*SETTINGS, "presenters", "moderators")
        help_texts = {
            "planned_minutes": _("Doctors see when it is expected to end."),
            "doors_minutes": _("From then on doctors wait on the page, and the program can connect."),
            "capacity": _("Empty: as many as come. Counted from registrations."),
            "recording_opens_at": _("Only where the recording opens on a date."),
            "external_url": _("Only for a meeting elsewhere, for example in Zoom or Teams."),
            "followup_days": _("Doctors can ask about the recording for so many days."),
        }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for name in SWITCHED_ON_STAGE:
            if name in self.fields:
                self.fields[name].show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        """The database's constraints say the same in fewer words: they are left to the database.

        A page that has been open for an hour must not switch back what presenters have switched since.
        """
        cleaned = super().clean() or {}
        self._validate_constraints = False
        now_is = Webinar.objects.filter(pk=self.instance.pk).values(*SWITCHED_ON_STAGE).first() or {}
        for name, value in now_is.items():
            if self.add_initial_prefix(name) in self.data and name not in self.changed_data:
                cleaned[name] = value
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        before = Webinar.objects.get(pk=self.instance.pk)
        for name, problem in check_schedule(before=before, after=self.instance, now=timezone.now()).items():
            if name not in self.errors:
                self.add_error(name, problem)


class SpotWindowForm(forms.ModelForm[SpotWindow]):
    """Quotas and domains as lines of text: nobody writes JSON."""

    quota = forms.CharField(
        label=_("Places by country"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("A line for each country with a limit of its own, for example “IN 200”. Others share the rest."),
    )
    domains = forms.CharField(
        label=_("Allowed e-mail domains"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("A line for each, for example “hospital.org”. Used where listed domains are let in by themselves."),
    )

    class Meta:
        model = SpotWindow
        fields = ("webinar", "opens_at", "closes_at", "capacity", "approval")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        window = self.instance
        self.fields["quota"].initial = "\n".join(f"{one} {places}" for one, places in window.country_quota.items())
        self.fields["domains"].initial = "\n".join(window.email_domains)

    def clean_quota(self) -> dict[str, int]:
        quota = {}
        for line in self.cleaned_data["quota"].splitlines():
            if not line.strip():
                continue
            country, _space, places = line.strip().upper().partition(" ")
            if not places.strip().isdecimal():
                raise forms.ValidationError(_("Write a country and a number in each line, for example IN 200."))
            quota[country] = int(places)
        return quota

    def clean_domains(self) -> list[str]:
        return [one.lstrip("@") for one in self.cleaned_data["domains"].lower().split()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._validate_constraints = False
        self.instance.country_quota = cleaned.get("quota", self.instance.country_quota)
        self.instance.email_domains = cleaned.get("domains", self.instance.email_domains)
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        before = SpotWindow.objects.get(pk=self.instance.pk) if self.instance.pk else None
        names = {"country_quota": "quota", "email_domains": "domains"}
        for name, problem in check_window(before=before, after=self.instance, now=timezone.now()).items():
            self.add_error(names.get(name, name), problem)
