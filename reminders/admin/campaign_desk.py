"""A campaign while it is written: its form, whom it means, whom it is shown to, and what would happen when."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.rules import person_of
from core.clock import now
from courses.models import Enrolment
from reminders.admin.shared import record_look
from reminders.domain.audiences import AudienceError, examples_of, number_of
from reminders.domain.campaign_results import Results, results_of
from reminders.domain.campaigns import (
    LOCAL,
    CampaignError,
    Forecast,
    forecast,
    may_stop,
    not_ready,
    save_campaign,
)
from reminders.domain.previewing import campaign_shown_to
from reminders.enums import CampaignState, Kind
from reminders.forms.campaigns import AsDoctorForm, CampaignForm
from reminders.models import Campaign
from reminders.rendering.placeholders import allowed


class Desk:
    def __init__(self, request: HttpRequest, campaign: Campaign) -> None:
        self.request, self.campaign = request, campaign
        data = request.POST if request.method == "POST" else None
        self.form = CampaignForm(data, campaign=campaign)
        self.doctor_form = AsDoctorForm(data)
        self.doctor: User | None = None
        if data is not None and self.doctor_form.is_valid():
            self._find_doctor(self.doctor_form.cleaned_data["doctor"])

    def _find_doctor(self, email: str) -> None:
        """Of this programme: everybody else does not exist."""
        if not email:
            return
        rows = Enrolment.objects.filter(user__email=email.strip().lower(), programme=self.campaign.programme_id)
        found = rows.select_related("user").first()
        if found is None:
            self.doctor_form.add_error("doctor", _("No doctor of this programme has this address."))
        else:
            self.doctor = found.user
            about = {"campaign": self.campaign.pk}
            key = f"{found.user_id}:{self.campaign.pk}"
            record_look(self.request, "campaign.doctor_looked", key=key, subject=found.user, details=about)

    def saved(self) -> bool:
        if not self.form.is_valid():
            return False
        campaign, actor, values = self.campaign, person_of(self.request), self.form.values()
        asked: dict[str, Any] = {"programme": campaign.programme, "values": values, "actor": actor}
        try:
            save_campaign(campaign=campaign, **asked, request=self.request, now=now())
        except CampaignError as refused:
            self.form.refuse(refused)
            return False
        return True

    def context(self) -> dict[str, Any]:
        campaign = self._as_typed()
        told: dict[str, Any] = {"number": None, "examples": []}
        wrong: dict[str, str] = {}
        try:
            told["number"] = number_of(campaign.audience, programme=campaign.programme, now=now())
            told["examples"] = examples_of(campaign.audience, programme=campaign.programme, now=now())
        except AudienceError as error:
            wrong = error.problems
        if told["examples"]:
            key, about = str(self.campaign.pk), {"doctors": len(told["examples"])}
            record_look(self.request, "campaign.looked", key=key, subject=self.campaign, details=about)
        return {
            "form": self.form,
            "doctor_form": self.doctor_form,
            "campaign": self.campaign,
            "problems": self._problems(wrong),
            "shown": campaign_shown_to(campaign, doctor=self.doctor, now=now()),
            "placeholders": list(allowed(Kind.CAMPAIGN).values()),
            **told,
        }

    def _as_typed(self) -> Campaign:
        """Not a row: what stands in the form, where it can be read."""
        if not self.form.is_bound or not self.form.is_valid():
            return self.campaign
        return Campaign(pk=self.campaign.pk, programme=self.campaign.programme, **self.form.values())

    def _problems(self, wrong: dict[str, str]) -> list[tuple[str, str]]:
        """(the field's name, what is wrong). Those of the filters once, whoever found them."""
        found = [
            (str(form.fields[name].label) if name in form.fields else "", str(told))
            for form in (self.form, self.doctor_form)
            if form.is_bound
            for name, all_told in form.errors.items()
            for told in all_told
        ]
        known = {told for _name, told in found}
        return [*found, *(("", told) for told in wrong.values() if told not in known)]


def foretold(campaign: Campaign, *, local_at: str) -> dict[str, Any]:
    """One plain sentence of what would happen, or why nothing can."""
    try:
        found = forecast(campaign, local_at=local_at, now=now())
    except AudienceError as error:
        return {"problems": [str(error)]}
    except (ValueError, OverflowError):
        return {"problems": [_("Please give a day and an hour.")]}
    if not found.doctors:
        return {"problems": [_("These filters leave no doctor.")]}
    if local_at and found.last_at is not None and found.last_at < now():
        return {"problems": [_("That hour has passed for everybody.")]}
    return {"sentence": sentence(found, is_local=bool(local_at)), "later": _later(found)}


def hour_of(campaign: Campaign) -> str:
    """'1 December 2026, 09:00', on nobody's clock yet. Empty where there is none."""
    wall = datetime.strptime(campaign.local_at, LOCAL) if campaign.local_at else None  # noqa: DTZ007
    return date_format(wall, "j F Y, H:i") if wall else ""


def sentence(found: Forecast, *, is_local: bool) -> str:
    """'Between 12 January 2027, 3:30 and 16:00 UTC: 1,204 doctors, each at that hour of their own day.'"""
    number = number_format(found.doctors, force_grouping=True)
    doctors = ngettext("%(n)s doctor", "%(n)s doctors", found.doctors) % {"n": number}
    if not is_local or found.first_at is None or found.last_at is None:
        return _("At once: %(doctors)s.") % {"doctors": doctors}
    first, last = found.first_at.astimezone(UTC), found.last_at.astimezone(UTC)
    begin = date_format(first, "j F Y, H:i")
    if first == last:
        return _("On %(begin)s UTC: %(doctors)s.") % {"begin": begin, "doctors": doctors}
    end = date_format(last, "H:i" if first.date() == last.date() else "j F Y, H:i")
    told = {"begin": begin, "end": end, "doctors": doctors}
    return _("Between %(begin)s and %(end)s UTC: %(doctors)s, each at that hour of their own day.") % told


def _later(found: Forecast) -> str:
    if not found.next_day:
        return ""
    told = ngettext(
        "For %(n)d of them that hour has passed already: the message comes a day later.",
        "For %(n)d of them that hour has passed already: the message comes a day later.",
        found.next_day,
    )
    return told % {"n": found.next_day}


# What came of it


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, a value for each channel. Of what no provider tells there is none."""

    label: str
    note: str
    values: list[str | None]


def told_of(campaign: Campaign, *, now: datetime) -> dict[str, Any]:
    """Everything that the page of its results says, in each state."""
    results = results_of(campaign)
    state = campaign.state
    found: dict[str, Any] = {
        "results": results,
        "lines": _lines(results),
        "people": {name: _number(getattr(results.people, name)) for name in ("meant", "left", "reached", "came")},
        "is_under_way": state in (CampaignState.SCHEDULED, CampaignState.RUNNING),
        "may_stop": may_stop(campaign),
    }
    if state == CampaignState.SCHEDULED:
        found |= _expected(campaign, now=now)
    return found


def _expected(campaign: Campaign, *, now: datetime) -> dict[str, Any]:
    """Of whom it would mean if it began today, and why it would not begin."""
    problems = not_ready(campaign)
    try:
        found = forecast(campaign, local_at=campaign.local_at, since=campaign.scheduled_at, now=now)
    except AudienceError as error:
        return {"problems": [*problems, str(error)]}
    said = sentence(found, is_local=bool(campaign.local_at)) if found.doctors else ""
    return {"problems": problems, "sentence": said, "later": _later(found)}


def _lines(results: Results) -> list[Line]:
    rows = results.channels
    note = next((one.opened_note for one in rows if one.opened_note), "")
    email = _("e-mail: %(note)s") % {"note": note} if note and len(rows) > 1 else note

    def line(label: str, name: str, note: str = "") -> Line:
        values = (getattr(one, name) for one in rows)
        return Line(label, note, [None if value is None else _number(value) for value in values])

    return [
        line(_("Planned still"), "left"),
        line(_("Sent"), "sent"),
        line(_("Delivered"), "delivered"),
        line(_("Opened"), "opened", email),
        line(_("Link followed"), "followed"),
        line(_("Came within 24 hours"), "came"),
        line(_("Failed"), "failed"),
        line(_("Not known whether sent"), "unknown"),
        line(_("Not sent, for a reason"), "skipped"),
    ]


def _number(value: int) -> str:
    return str(number_format(value, force_grouping=True))
