"""Figures for sponsors and auditors, each look recorded; and where doctors say whether their name may stand there."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.rules import person_of
from analytics.domain.sharing import consent, files
from analytics.domain.sharing.figures import SharedFigures, figures_of
from analytics.rendering.data import Bar, FunnelStep
from analytics.rules import get_own_place, get_shared_programme, programmes_shared_with
from core.clock import now
from core.exports import csv_lines, xlsx_file


@require_safe
@login_required
def programmes(request: HttpRequest) -> HttpResponse:
    found = programmes_shared_with(request.user).order_by("-created_at", "pk")
    files.record_look("shared_figures.listed", reader=person_of(request), programme=None, request=request, now=now())
    return render(request, "analytics/shared_list.html", {"programmes": found})


@require_safe
@login_required
def figures(request: HttpRequest, slug: str) -> HttpResponse:
    programme, reader, moment = get_shared_programme(request, slug), person_of(request), now()
    files.record_look("shared_figures.read", reader=reader, programme=programme, request=request, now=moment)
    found = figures_of(programme, now=moment)
    context = {
        "programme": programme,
        "figures": found,
        "names": _names(found),
        "mark": files.watermark(reader=reader, programme=programme, now=moment),
        **_charts(found),
    }
    return render(request, "analytics/shared.html", context)


@require_safe
@login_required
def take(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    programme, reader, moment = get_shared_programme(request, slug), person_of(request), now()
    if form not in files.FORMS:
        raise Http404
    files.record_look(
        "shared_figures.exported", reader=reader, programme=programme, form=form, request=request, now=moment
    )
    found = figures_of(programme, now=moment)
    names = _names(found)
    mark = files.watermark(reader=reader, programme=programme, now=moment)
    name = f"{programme.slug}-figures.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if form == "pdf":
        made = files.pdf_of(found, names, mark=mark, now=moment)
        return HttpResponse(made, content_type=files.FORMS[form], headers=headers)
    rows = list(files.table_of(found, names, mark=mark))
    if form == "xlsx":
        book = xlsx_file(rows, sheet="figures", header=mark)
        return FileResponse(book, as_attachment=True, filename=name, content_type=files.FORMS[form])
    return StreamingHttpResponse(csv_lines(rows), content_type=files.FORMS[form], headers=headers)


def _names(found: SharedFigures) -> list[consent.NamedDoctor]:
    return consent.named_in(found.programme, until=found.until, among=found.agreed) if found.until else []


def _charts(found: SharedFigures) -> dict[str, Any]:
    words = files.step_words()
    countries = files.lines_of(found.countries, is_country=True)
    specialties = files.lines_of(found.specialties, is_country=False)
    return {
        "funnel": [FunnelStep(words[step], number) for step, number in found.funnel],
        "map": dict(found.countries.groups),
        "countries": [Bar(name, number) for name, number in countries],
        "specialties": [Bar(name, number) for name, number in specialties],
        "means": [
            Bar(one.label, one.value, _("from %(number)d answers") % {"number": one.people}) for one in found.means
        ],
    }


@require_safe
@login_required
def consents(request: HttpRequest) -> HttpResponse:
    choices = consent.choices_of(person_of(request))
    return render(request, "analytics/sharing.html", {"choices": choices, "tab": "data"})


@require_POST
@login_required
def agree(request: HttpRequest, slug: str) -> HttpResponse:
    person = person_of(request)
    programme = get_own_place(person, slug).programme
    try:
        given = request.POST.get("wording", "")
        consent.agree(user=person, programme=programme, wording=given, request=request, now=now())
    except consent.WordsChangedError:
        messages.error(request, _("The words have changed since you opened this page. Please read them again."))
    else:
        messages.success(request, _("Saved. You can end this here at any time."))
    return redirect("analytics:sharing")


@require_POST
@login_required
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    person = person_of(request)
    place = get_own_place(person, slug, is_open=False)
    if consent.withdraw(user=person, programme=place.programme, request=request, now=now()):
        messages.success(request, _("Ended. Your name is shown to nobody any more."))
    return redirect("analytics:sharing")
