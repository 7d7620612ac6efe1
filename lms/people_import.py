"""The admin's "Invite people": choose a file, read the report of a dry run, confirm.

Here and not in an app, because it joins people (accounts) with programmes (courses).
"""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from accounts.domain import imports
from accounts.domain.people_table import MOST_BYTES
from accounts.enums import ImportState, Role
from accounts.models import User
from courses.domain import people_imports
from courses.models import Programme
from courses.rules import programmes_with_role

REFRESH_SECONDS = 3
PAGES = {
    ImportState.REHEARSING: "admin/people_import/working.html",
    ImportState.REHEARSED: "admin/people_import/report.html",
    ImportState.IMPORTING: "admin/people_import/working.html",
    ImportState.DONE: "admin/people_import/report.html",
    ImportState.FAILED: "admin/people_import/unreadable.html",
}


class UploadForm(forms.Form):
    programme = forms.ModelChoiceField(Programme.objects.none(), label=_("Programme"), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        label=_("List of people (CSV)"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv"}),
        help_text=_(
            "Save the spreadsheet as “CSV UTF-8”. The first line names the columns; “email” is needed, these are "
            "understood too: title, first name, last name, specialty, country, time zone, language, phone, "
            "medical council, registration number, cohort."
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["programme"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = programmes_with_role(user, Role.OPERATOR).order_by("title")

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(most)d MB. Please split it."), params={"most": MOST_BYTES // 1024 // 1024}
            )
        return file


class ConfirmForm(forms.Form):
    send = forms.BooleanField(
        label=_("Send the invitations now"),
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Otherwise they wait; send them later in the list of invitations."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    operator = _operator(request)
    chosen = {"programme": request.GET.get("programme")}
    form = UploadForm(request.POST or None, request.FILES or None, user=operator, initial=chosen)
    if request.method == "POST" and form.is_valid():
        pending = people_imports.receive(
            programme=form.cleaned_data["programme"],
            content=form.cleaned_data["file"].read(),
            file_name=form.cleaned_data["file"].name,
            operator=operator,
            now=now(),
        )
        return redirect("people_import_report", pending.pk)
    return TemplateResponse(request, "admin/people_import/upload.html", _context(request, form=form))


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """What the row says: being worked on, rehearsed, done or useless. POST confirms; a second one only looks again."""
    operator = _operator(request)
    pending = imports.find(import_id=import_id, created_by=operator)
    programme = people_imports.programme_of(pending, operator)
    if programme is None:
        raise Http404
    if request.method == "POST":
        form = ConfirmForm(request.POST)
        if form.is_valid():
            people_imports.confirm(pending=pending, send=form.cleaned_data["send"], now=now())
        return redirect("people_import_report", pending.pk)
    context = _context(request, pending=pending, programme=programme, report=pending.report, form=ConfirmForm())
    if pending.state in imports.WORKING:
        context |= {"progress": imports.progress_of(import_id=pending.pk), "refresh_seconds": REFRESH_SECONDS}
    return TemplateResponse(request, PAGES[ImportState(pending.state)], context)


def _operator(request: HttpRequest) -> User:
    """An operator of at least one programme; of which, the form's choices and `programme_of` say."""
    if not isinstance(request.user, User) or not programmes_with_role(request.user, Role.OPERATOR).exists():
        raise PermissionDenied
    return request.user


def _context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": _("Invite people"), **more}


urlpatterns = [
    path("", admin.site.admin_view(upload), name="people_import"),
    path("<uuid:import_id>/", admin.site.admin_view(report), name="people_import_report"),
]
