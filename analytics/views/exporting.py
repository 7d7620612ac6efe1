"""Tables to take along: of a webinar for its presenters and staff, of a programme's doctors for its staff."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.rules import person_of
from analytics.domain.exporting.catalogue import DATASETS, find_dataset
from analytics.domain.exporting.datasets import Dataset, Scope, Source
from analytics.domain.exporting.files import FORMS, chunks_of, file_name, record_export, xlsx_of
from analytics.rules import get_reported_programme, get_reported_webinar, sees_all_of
from core.clock import now
from core.exports import TooManyRowsError


@require_safe
@login_required
def of_webinar(request: HttpRequest, webinar_id: int, webinar_dataset: str, form: str) -> HttpResponseBase:
    webinar = get_reported_webinar(request.user, webinar_id)
    source = Source(webinar.lesson.course.programme, webinar, sees_all=sees_all_of(request, webinar))
    return _answer(request, find_dataset(webinar_dataset, Scope.WEBINAR), source, form)


@require_safe
@login_required
def of_programme(request: HttpRequest, slug: str, programme_dataset: str, form: str) -> HttpResponseBase:
    source = Source(get_reported_programme(request, slug), sees_all=True)
    return _answer(request, find_dataset(programme_dataset, Scope.PROGRAMME), source, form)


@require_safe
@login_required
def definitions(request: HttpRequest) -> HttpResponse:
    return render(request, "analytics/definitions.html", {"datasets": DATASETS.values()})


def _answer(request: HttpRequest, dataset: Dataset | None, source: Source, form: str) -> HttpResponseBase:
    if dataset is None or form not in FORMS:
        raise Http404
    moment = now()
    record_export(dataset=dataset, source=source, form=form, actor=person_of(request), request=request, now=moment)
    name = file_name(dataset, source, form)
    if form == "xlsx":
        try:
            return FileResponse(xlsx_of(dataset, source), as_attachment=True, filename=name, content_type=FORMS[form])
        except TooManyRowsError:
            words = _("This table has more rows than an Excel file can hold. Please take it as CSV.")
            return HttpResponse(words, status=413, content_type="text/plain; charset=utf-8")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    chunks = chunks_of(dataset, source, form=form, now=moment)
    return StreamingHttpResponse(chunks, content_type=FORMS[form], headers=headers)
