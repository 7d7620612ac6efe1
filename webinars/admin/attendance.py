"""Who was there, on a page and as a file."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.text import slugify
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.rules import person_of
from core.exports import csv_lines, xlsx_file
from webinars.domain.attendance import (
    Attendance,
    count_attendance,
    page_of_attendance,
    record_export,
    table_of,
)
from webinars.models import Webinar

PAGE = 50
FILES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
LONGEST_SEARCH = 100


def attendance_view(admin: Any, request: HttpRequest, webinar_id: int) -> HttpResponseBase:
    """`?as=csv` and `?as=xlsx` are the same table as a file. Looking at it, and taking it along, is recorded."""
    webinar: Webinar = admin.object_or_404(request, str(webinar_id))
    search = request.GET.get("q", "").replace("\x00", "")[:LONGEST_SEARCH].strip()
    form = request.GET.get("as", "")
    if form in FILES:
        return _file(request, webinar, form=form, search=search)
    number = count_attendance(webinar, search=search)
    audit.record("attendance.read", actor=person_of(request), subject=webinar, request=request, now=now())
    page, rows = _page(request, webinar, number=number, search=search)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Attendance"),
        "opts": admin.opts,
        "webinar": webinar,
        "search": search,
        "page": page,
        "rows": rows,
        "number": number,
    }
    return TemplateResponse(request, "admin/webinars/webinar/attendance.html", context)


def _page(request: HttpRequest, webinar: Webinar, *, number: int, search: str) -> tuple[Page[int], list[Attendance]]:
    """Numbers first: only the people of one page are read."""
    page = Paginator(range(number), PAGE).get_page(request.GET.get("page"))
    start = page.start_index() - 1 if number else 0
    return page, page_of_attendance(webinar, search=search, start=start, end=start + PAGE)


def _file(request: HttpRequest, webinar: Webinar, *, form: str, search: str) -> HttpResponseBase:
    record_export(webinar=webinar, form=form, actor=person_of(request), request=request, now=now())
    name = f"attendance-{slugify(webinar.lesson.title)[:60] or webinar.pk}.{form}"
    rows = table_of(webinar, search=search)
    if form == "xlsx":
        file = xlsx_file(rows, sheet=str(_("Attendance")))
        return FileResponse(file, as_attachment=True, filename=name, content_type=FILES[form])
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(csv_lines(rows), content_type=FILES[form], headers=headers)
