"""What the office types about a campaign. What may stand in it is said by the domain; fields are called as its problems
are: "audience.countries", "texts.en.email.subject"."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from certification.enums import RiskReason
from core.languages import own_name
from courses.models import Programme
from reminders.domain import audiences
from reminders.domain.audiences import ANY_RISK, NO, PLACES, YES
from reminders.domain.campaigns import WAITS, CampaignError
from reminders.domain.templates import FIELDS
from reminders.enums import Channel, Step
from reminders.forms.templates import COMPLETED
from reminders.models import Campaign

PLACES_OF_CHANNELS = ("first", "second", "third")
PEOPLE = (
    "places", "cohorts", "countries", "specialties", "languages", "signed_in_within_days", "not_signed_in_for_days",
    "messages",
)  # fmt: skip
LEARNING = (
    "step", "risk", "courses_started", "courses_completed", "courses_not_completed", "evaluations_missing",
    "certificate",
)  # fmt: skip
WEBINAR = ("webinar", *audiences.OF_WEBINAR)
ANY = ("", _("All the same"))
RISKS = ((ANY_RISK, _("For any reason")), *RiskReason.choices)
AFTER: Mapping[int, Any] = {
    15: _("also where it failed, or did not arrive within 15 minutes"),
    60: _("also where it failed, or did not arrive within an hour"),
    180: _("also where it failed, or did not arrive within 3 hours"),
    360: _("also where it failed, or did not arrive within 6 hours"),
    720: _("also where it failed, or did not arrive within 12 hours"),
}
LABELS: Mapping[str, Any] = {
    "subject": _("Subject"),
    "preheader": _("Line shown beside the subject"),
    "body": _("Text"),
    "button": _("Words on the button"),
    "approved_name": _("Approved template"),
    "approved_places": _("Placeholders in order, one a line"),
}


def _choice(label: Any, *choices: tuple[Any, Any]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[ANY, *choices], widget=UnfoldAdminSelectWidget())


def _several(label: Any, choices: list[tuple[Any, Any]], help_text: Any = "") -> forms.MultipleChoiceField:
    widget = UnfoldAdminCheckboxSelectMultipleWidget()
    return forms.MultipleChoiceField(label=label, required=False, choices=choices, widget=widget, help_text=help_text)


def _rows(label: Any, rows: QuerySet[Any], name: Any = str, help_text: Any = "") -> forms.MultipleChoiceField:
    return _several(label, [(row.pk, name(row)) for row in rows], help_text)


def _days(label: Any, most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=most, widget=UnfoldAdminIntegerFieldWidget()
    )


def _of_lesson(row: Any) -> str:
    return f"{row.lesson.course.title} · {row.lesson.title}"


def filters_of(programme: Programme) -> dict[str, forms.Field]:
    """Only what this programme has: a filter of which there is no choice is not shown. A query for each list."""
    names, codes = dict(countries), audiences.countries_in(programme)
    usual = [str(one) for one in audiences.USUAL_PLACES]
    webinars = [(row.pk, _of_lesson(row)) for row in audiences.webinars_in(programme)]
    courses = audiences.courses_in(programme)
    found: dict[str, forms.Field] = {
        "places": _several(_("Place in the programme"), [(str(one), one.label) for one in PLACES]),
        "cohorts": _rows(_("Cohort"), audiences.cohorts_in(programme)),
        "countries": _several(_("Country"), [(code, names.get(code, code)) for code in codes]),
        "specialties": _several(_("Specialty"), [(one, one) for one in audiences.specialties_in(programme)]),
        "languages": _several(_("Language"), [(code, own_name(code)) for code, _name in settings.LANGUAGES]),
        "signed_in_within_days": _days(_("Signed in within the last … days"), audiences.LONGEST_DAYS),
        "not_signed_in_for_days": _days(_("Not signed in for … days, or never"), audiences.LONGEST_DAYS),
        "messages": _choice(
            _("Messages of this programme"),
            ("never_received", _("Never received one")),
            ("never_opened", _("Received some, opened none that we know of")),
        ),
        "step": _choice(_("Last step on the way to the certificate"), *Step.choices),
        "risk": _choice(_("May not reach the certificate"), *RISKS),
        "courses_started": _rows(_("Began a course"), courses, help_text=_("One of these.")),
        "courses_completed": _rows(_("Completed a course"), courses, help_text=_("All of these.")),
        "courses_not_completed": _rows(_("Has not completed"), courses, help_text=_("At least one of these.")),
        "evaluations_missing": _rows(_("Feedback is missing"), audiences.evaluations_in(programme), _of_lesson),
        "certificate": _choice(_("Certificate"), (YES, _("Has one")), (NO, _("Has none"))),
        "webinar": _choice(_("About the webinar"), *webinars),
        "registered": _choice(_("Registered for it"), (YES, _("Yes")), (NO, _("No"))),
        "attended": _choice(_("Came while it was live"), (YES, _("Yes")), (NO, _("No"))),
        "watched_at_least": _days(_("Watched at least … % of what it asks for"), 100),
        "watched_less_than": _days(_("Watched less than … % of what it asks for"), 100),
        "recording_opened": _choice(_("Opened its recording"), (YES, _("Yes")), (NO, _("No"))),
    }
    found["places"].initial = usual
    alone = {"languages"} if len(settings.LANGUAGES) < 2 else set()
    hidden = {name for name in WEBINAR if not webinars} | alone
    return {
        name: field
        for name, field in found.items()
        if name not in hidden and not (isinstance(field, forms.MultipleChoiceField) and not field.choices)
    }


class NewCampaignForm(forms.Form):
    title = forms.CharField(
        label=_("Title"), max_length=120, widget=UnfoldAdminTextInputWidget(),
        help_text=_("For the office. Doctors do not see it."),
    )  # fmt: skip
    programme = forms.ModelChoiceField(
        label=_("Programme"), queryset=Programme.objects.none(), widget=UnfoldAdminSelectWidget()
    )
    step = forms.ChoiceField(
        label=_("For doctors whose last step was"), required=False, choices=[ANY, *Step.choices],
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    risk = forms.ChoiceField(
        label=_("For doctors who may not reach the certificate"), required=False, choices=[ANY, *RISKS],
        widget=UnfoldAdminSelectWidget(), help_text=_("Whom it is for can be narrowed on the next page."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, initial: Any = None, programmes: QuerySet[Programme]) -> None:
        super().__init__(data, initial=initial)
        self.fields["programme"].queryset = programmes  # type: ignore[attr-defined]


class CampaignForm(forms.Form):
    """Everything of a draft but its hour."""

    title = forms.CharField(label=_("Title"), max_length=120, widget=UnfoldAdminTextInputWidget())
    path = forms.CharField(
        label=_("Page it leads to"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Of this site, beginning with a slash. Empty: the programme."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, campaign: Campaign) -> None:
        super().__init__(data)
        self.campaign = campaign
        none: list[tuple[str, Any]] = [("", "–")]
        labels = (_("Channel"), _("Next channel"), _("And after that"))
        for name, label in zip(PLACES_OF_CHANNELS, labels, strict=True):
            choices = [*(none if name != "first" else []), *Channel.choices]
            self.fields[name] = forms.ChoiceField(
                label=label, choices=choices, required=name == "first", widget=UnfoldAdminSelectWidget()
            )
        self.fields["fallback_minutes"] = forms.ChoiceField(
            label=_("When the next channel follows"), required=False, widget=UnfoldAdminSelectWidget(),
            choices=[("", _("only for whom the one before is no way")), *((one, AFTER[one]) for one in WAITS)],
            help_text=_("Whether it arrived is known only where the provider tells it. Who opened one gets no second."),
        )  # fmt: skip
        self.filters = filters_of(campaign.programme)
        for name, field in self.filters.items():
            self.fields[f"audience.{name}"] = field
        for language, channel in self._ways():
            for name in FIELDS[channel]:
                self.fields[f"texts.{language}.{channel}.{name}"] = _words(name)
        self.initial = self._saved()

    @staticmethod
    def _ways() -> list[tuple[str, str]]:
        return [(code, str(channel)) for code, _name in settings.LANGUAGES for channel in Channel]

    def _saved(self) -> dict[str, Any]:
        row = self.campaign
        found: dict[str, Any] = {"title": row.title, "path": row.path, "fallback_minutes": row.fallback_minutes or ""}
        found |= dict(zip(PLACES_OF_CHANNELS, row.channels, strict=False))
        found |= {f"audience.{name}": value for name, value in row.audience.items()}
        for language, channel in self._ways():
            for name, value in row.texts.get(language, {}).get(channel, {}).items():
                found[f"texts.{language}.{channel}.{name}"] = "\n".join(value) if isinstance(value, list) else value
        return found

    def values(self) -> dict[str, Any]:
        """As the domain takes them. Only when the form is valid."""
        given = self.cleaned_data
        texts: dict[str, Any] = {}
        for language, channel in self._ways():
            said = {name: given[f"texts.{language}.{channel}.{name}"] for name in FIELDS[channel]}
            if "approved_places" in said:
                lines = (line.strip().strip("{}").strip() for line in said["approved_places"].splitlines())
                said["approved_places"] = [line for line in lines if line]
            texts.setdefault(language, {})[channel] = {
                name: value.replace("\r\n", "\n") if isinstance(value, str) else value for name, value in said.items()
            }
        return {
            "title": given["title"],
            "path": given["path"],
            "channels": list(dict.fromkeys(given[name] for name in PLACES_OF_CHANNELS if given[name])),
            "fallback_minutes": int(given["fallback_minutes"]) if given["fallback_minutes"] else None,
            "audience": self.audience(),
            "texts": texts,
        }

    def audience(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.filters:
            value = self.cleaned_data.get(f"audience.{name}")
            if value in ("", None, []):
                continue
            if name in _NUMBERS:
                value = [int(one) for one in value] if isinstance(value, list) else int(str(value))
            found[name] = value
        return found

    def refuse(self, error: CampaignError) -> None:
        for name, told in error.problems:
            self.add_error("first" if name == "channels" else name if name in self.fields else None, told)

    # For the page

    def group(self, names: tuple[str, ...]) -> list[forms.BoundField]:
        return [self[f"audience.{name}"] for name in names if name in self.filters]

    @property
    def people(self) -> list[forms.BoundField]:
        return self.group(PEOPLE)

    @property
    def learning(self) -> list[forms.BoundField]:
        return self.group(LEARNING)

    @property
    def webinar(self) -> list[forms.BoundField]:
        return self.group(WEBINAR)

    def _is_set(self, names: tuple[str, ...]) -> bool:
        """Nothing that narrows the audience is out of sight."""
        return any(field.value() or field.errors for field in self.group(names))

    @property
    def asks_webinar(self) -> bool:
        return self._is_set(WEBINAR)

    @property
    def asks_learning(self) -> bool:
        return self._is_set(LEARNING)

    @property
    def head(self) -> list[forms.BoundField]:
        return [self[name] for name in ("title", "path", *PLACES_OF_CHANNELS, "fallback_minutes")]

    @property
    def words(self) -> list[tuple[str, bool, list[forms.BoundField]]]:
        """(name of the channel and the language, whether it is open, its fields)."""
        found = []
        chosen = set(self.campaign.channels)
        many = len(settings.LANGUAGES) > 1
        for language, channel in self._ways():
            fields = [self[f"texts.{language}.{channel}.{name}"] for name in FIELDS[channel]]
            label = str(Channel(channel).label)
            is_open = any(one.errors for one in fields) or (channel in chosen and language == settings.LANGUAGE_CODE)
            found.append((f"{label} · {own_name(language)}" if many else label, is_open, fields))
        return found


_NUMBERS = frozenset({
    "cohorts", "courses_started", "courses_completed", "courses_not_completed", "evaluations_missing", "webinar",
    "signed_in_within_days", "not_signed_in_for_days", "watched_at_least", "watched_less_than",
})  # fmt: skip


def _words(name: str) -> forms.CharField:
    attrs: dict[str, Any] = {} if name.startswith("approved") else {**COMPLETED}
    if name in {"body", "approved_places"}:
        rows = 8 if name == "body" else 3
        return forms.CharField(
            label=LABELS[name], required=False, max_length=8_000,
            widget=UnfoldAdminTextareaWidget(attrs={**attrs, "rows": rows}),
        )  # fmt: skip
    most = {"button": 60, "approved_name": 120}.get(name, 200)
    return forms.CharField(
        label=LABELS[name], required=False, max_length=most, widget=UnfoldAdminTextInputWidget(attrs=attrs),
    )  # fmt: skip


class AsDoctorForm(forms.Form):
    """As whom the words are shown. Empty: an invented doctor."""

    doctor = forms.EmailField(
        label=_("Show it as this doctor"), required=False,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("E-mail address of a doctor of this programme. Empty: an invented one."),
    )  # fmt: skip


class ScheduleForm(forms.Form):
    """`local_at`: a wall clock time, as the browser's own field writes it. Empty: at once."""

    local_at = forms.CharField(
        label=_("Day and hour, on each doctor's own clock"), required=False, max_length=16,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text=_("Empty: at once."),
    )  # fmt: skip
