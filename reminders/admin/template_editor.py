"""One message in one channel and language while it is written: its form, whom it is shown to, what comes of it."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.enums import STAFF_ROLES
from accounts.models import User
from accounts.rules import person_of
from core.clock import now
from core.languages import is_known
from courses.admin.base import allowed_programmes
from courses.models import Enrolment, Programme
from reminders.admin.shared import record_look
from reminders.domain.previewing import Place, Shown, shown_to
from reminders.domain.sponsors import unwanted_of_set
from reminders.domain.templates import FIELDS, TemplateError, library, save_template
from reminders.enums import Channel
from reminders.forms.templates import DoctorForm, TemplateForm
from reminders.models import MessageTemplate, TemplateSet
from reminders.rendering.builtin import WRITTEN


class Editor:
    """Who may not save it sees and tries the words as they are, whatever is posted."""

    def __init__(self, request: HttpRequest, *, row: MessageTemplate | None, place: Place, may_save: bool) -> None:
        self.request, self.row, self.place, self.may_save = request, row, place, may_save
        data = request.POST if request.method == "POST" and may_save else None
        begun = row or library([place.template_set.pk], kinds=[place.kind]).find(
            place.template_set.pk, place.kind, place.channel, place.language
        )
        initial = {name: getattr(begun, name) for name in FIELDS[place.channel]} if begun else {}
        self.form = TemplateForm(
            data,
            kind=place.kind,
            channel=place.channel,
            initial=initial,
            unwanted=unwanted_of_set(place.template_set) if data is not None else (),
        )
        self.doctor_form = DoctorForm(request.POST if request.method == "POST" else None)
        self.doctor: User | None = None
        self.programme: Programme | None = None
        self.shown: list[Shown] = []
        if self.doctor_form.is_bound and self.doctor_form.is_valid():
            self._find_doctor(self.doctor_form.cleaned_data["doctor"])

    def _find_doctor(self, email: str) -> None:
        """Of the programmes that this person staffs: everybody else does not exist."""
        if not email:
            return
        programmes = allowed_programmes(self.request, frozenset(STAFF_ROLES))
        found = (
            Enrolment.objects.filter(user__email=email.strip().lower(), programme__in=programmes)
            .select_related("user", "programme__message_policy")
            .order_by("-enrolled_at", "-pk")
            .first()
        )
        if found is None:
            self.doctor_form.add_error("doctor", _("No doctor of your programmes has this address."))
        else:
            self.doctor, self.programme = found.user, found.programme
            about = {"kind": self.place.kind, "programme": found.programme_id}
            key = f"{found.user_id}:{self.place.kind}"
            record_look(self.request, "message_template.looked", key=key, subject=found.user, details=about)

    def look(self) -> None:
        values = self._values()
        if values is not None and not self.doctor_form.errors:
            self.shown = shown_to(self.place, values, doctor=self.doctor, programme=self.programme, now=now())

    def _values(self) -> Mapping[str, Any] | None:
        if not self.form.is_bound:
            return self.form.initial
        return self.form.cleaned_data if self.form.is_valid() else None

    def saved(self) -> MessageTemplate | None:
        if not self.form.is_valid():
            return None
        place = self.place
        try:
            return save_template(
                template_set=place.template_set,
                kind=place.kind,
                channel=place.channel,
                language=place.language,
                values=self.form.cleaned_data,
                actor=person_of(self.request),
                request=self.request,
                now=now(),
            )
        except TemplateError as error:
            for field, told in error.problems:
                self.form.add_error(field or None, told)
            return None

    def context(self) -> dict[str, Any]:
        forms = (self.form, self.doctor_form)
        bound = [form for form in forms if form.is_bound]
        problems = [
            (form.fields[name].label if name in form.fields else "", told)
            for form in bound
            for name, all_told in form.errors.items()
            for told in all_told
        ]
        return {
            "form": self.form,
            "doctor_form": self.doctor_form,
            "place": self.place,
            "shown": self.shown,
            "problems": problems,
        }


def place_of(row: MessageTemplate) -> Place:
    return Place(row.template_set, row.kind, row.channel, row.language)


def place_in(given: Mapping[str, Any]) -> Place:
    """Of an address or a form: 404 for what is no place."""
    number, language = str(given.get("set", "")), str(given.get("language", ""))
    kind, channel = str(given.get("kind", "")), str(given.get("channel", ""))
    is_place = kind in WRITTEN and channel in Channel.values and is_known(language)
    if not is_place or not number.isascii() or not number.isdecimal() or len(number) > 18:
        raise Http404
    template_set = TemplateSet.objects.filter(pk=int(number)).first()
    if template_set is None:
        raise Http404
    return Place(template_set, kind, channel, language)
