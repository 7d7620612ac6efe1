"""What an auditor and the authorities get of an activity: a page with its evidence packs and lists of credit."""

import tempfile
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import action

from accounts.rules import person_of
from certification.admin.shared import AUDITORS, OPERATORS
from certification.domain.credit_reports import (
    FORMS,
    Report,
    ReportError,
    missing_lines,
    record_report,
    report_of,
    tab_lines,
)
from certification.domain.pack_file import Part, write_pack
from certification.domain.pack_orders import KEPT, PackGoneError, ask_for_pack, open_pack, packs_of
from certification.domain.packing import record_pack
from certification.enums import AuthorityKey
from certification.models import Activity
from core.clock import now
from core.exports import csv_lines, xlsx_file
from courses.admin.base import allowed_programmes

MAY_READ = OPERATORS | AUDITORS

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
IN_MEMORY_BYTES = 2_000_000


class EvidencePages:
    """For the admin of activities, in front of its other base classes."""

    def get_urls(self: Any) -> list[URLPattern]:
        def at(address: str, view: Any, name: str) -> URLPattern:
            whole = f"<path:object_id>/evidence/{address}"
            return path(whole, self.admin_site.admin_view(view), name=f"certification_evidence{name}")

        return [
            at("", require_safe(self.evidence), ""),
            at("ask/", require_POST(self.evidence_ask), "_ask"),
            at("<int:pack_id>/", require_safe(self.evidence_take), "_take"),
            at("<slug:report>.<slug:form>", require_safe(self.evidence_list), "_list"),
            *super().get_urls(),  # type: ignore[misc]  # of the admin behind this class
        ]

    @action(description=_("Evidence and lists"), icon="inventory_2", permissions=("evidence",))
    def show_evidence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:certification_evidence", args=(object_id,)))

    def has_evidence_permission(self: Any, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(allowed_programmes(request, MAY_READ))

    def audited_or_404(self: Any, request: HttpRequest, object_id: str) -> Activity:
        """For operators and auditors of its programme: everybody's names, numbers, results and credit are in it.

        Who may open the activity's own page is told that this is not for them; to others it does not exist.
        """
        ids = allowed_programmes(request, MAY_READ)
        rows = Activity.objects.filter(lesson__course__programme__in=ids).select_related("lesson__course__programme")
        number = object_id if object_id.isdecimal() and len(object_id) < 18 else "0"
        found: Activity | None = rows.filter(pk=number).first()
        if found is None and self.get_object(request, object_id) is not None:
            raise PermissionDenied
        if found is None:
            raise Http404
        return found

    def evidence(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        activity = self.audited_or_404(request, object_id)
        keys = set(activity.accreditations.values_list("authority", flat=True))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Evidence and lists"),
            "opts": self.opts,
            "activity": activity,
            "is_mine": self.get_object(request, object_id) is not None,
            "packs": list(packs_of(activity)),
            "kept_days": KEPT.days,
            "has_accme": AuthorityKey.ACCME in keys,
            "has_eaccme": AuthorityKey.EACCME in keys,
        }
        return TemplateResponse(request, "admin/certification/activity/evidence.html", context)

    def evidence_ask(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        activity = self.audited_or_404(request, object_id)
        ask_for_pack(activity=activity, actor=person_of(request), request=request, now=now())
        messages.success(request, _("The evidence is being put together. Please reload this page in a minute."))
        return HttpResponseRedirect(reverse("admin:certification_evidence", args=(activity.pk,)))

    def evidence_take(self: Any, request: HttpRequest, object_id: str, pack_id: int) -> HttpResponseBase:
        """Recorded before the first byte leaves the house."""
        activity = self.audited_or_404(request, object_id)
        pack = packs_of(activity).filter(pk=pack_id).first()
        if pack is None:
            raise Http404
        try:
            file = open_pack(pack)
        except PackGoneError:
            raise Http404 from None
        record_pack(activity=activity, form=f"pack {pack.digest}", actor=person_of(request), request=request, now=now())
        name = f"evidence-{activity.pk}-{pack.made_at:%Y-%m-%d}.zip"
        return FileResponse(file, as_attachment=True, filename=name, content_type=TYPES["zip"])

    def evidence_list(self: Any, request: HttpRequest, object_id: str, report: str, form: str) -> HttpResponseBase:
        activity = self.audited_or_404(request, object_id)
        kind, forms = report, ("zip",) if report == "pars" else FORMS.get(report, ())
        if form not in forms:
            raise Http404
        try:
            found = report_of(kind=kind, activity=activity)
        except ReportError:
            raise Http404 from None
        record_report(kind=kind, activity=activity, form=form, actor=person_of(request), request=request, now=now())
        return _as_file(found, form=form, name=f"{kind}-{activity.pk}.{form}")


def _as_file(report: Report, *, form: str, name: str) -> HttpResponseBase:
    if form == "csv":
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(csv_lines(report.rows), content_type=TYPES[form], headers=headers)
    file = xlsx_file(report.rows, sheet="Credits") if form == "xlsx" else _with_missing(report)
    return FileResponse(file, as_attachment=True, filename=name, content_type=TYPES[form])


def _with_missing(report: Report) -> Any:
    """The list, and beside it what was left empty: that is known only when all of it was read."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # the response closes it
    parts = [
        Part("pars_learners.txt", 1, lambda: tab_lines(report.rows)),
        Part("MISSING.txt", 1, lambda: (f"{line}\r\n".encode() for line in missing_lines(report))),
    ]
    write_pack(file, parts, facts={"kind": "pars"})
    file.seek(0)
    return file
