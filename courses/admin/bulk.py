"""Enrolling many doctors: paste or choose a file, look at what would happen, confirm."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from accounts.enums import Role
from accounts.rules import person_of
from courses.admin.base import allowed_programmes
from courses.domain import bulk
from courses.forms import BulkEnrolForm
from courses.models import Programme

SHOWN = 50
"""Rows of each list in the preview; the numbers are always of all."""


def bulk_enrol_view(admin: ModelAdmin, request: HttpRequest, programme: Programme) -> HttpResponse:
    form = BulkEnrolForm(request.POST or None, request.FILES or None, programme=programme)
    context: dict[str, Any] = {
        **admin.admin_site.each_context(request),
        "title": _("Enrol doctors in “%(programme)s”") % {"programme": programme},
        "opts": admin.opts,
        "programme": programme,
        "form": form,
        "shown": SHOWN,
        "may_invite": programme.pk in allowed_programmes(request, frozenset({Role.OPERATOR})),
    }
    if request.method == "POST" and form.is_valid():
        if "confirmed" in request.POST:
            return _enrol(request, programme, form.cleaned_data)
        if "again" not in request.POST:
            text, actor = form.cleaned_data["text"], person_of(request)
            context |= {"plan": bulk.plan_enrolment(programme=programme, text=text, actor=actor), "text": text}
    return TemplateResponse(request, "admin/courses/programme/enrol.html", context)


def _enrol(request: HttpRequest, programme: Programme, given: dict[str, Any]) -> HttpResponse:
    enrolled = bulk.enrol_planned(
        programme=programme,
        text=given["text"],
        cohort=given["cohort"],
        status=given["status"],
        actor=person_of(request),
        request=request,
        now=timezone.now(),
    )
    number = len(enrolled.created)
    text = ngettext("%(n)d doctor is enrolled now.", "%(n)d doctors are enrolled now.", number)
    messages.success(request, text % {"n": number})
    address = reverse("admin:courses_enrolment_changelist")
    return HttpResponseRedirect(f"{address}?programme__id__exact={programme.pk}")
