"""Certificate templates in the office: one form for a new one and for the next version, with a picture beside it."""

import base64
from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from accounts.rules import person_of
from certification.domain.templates import (
    NotDrawnError,
    TemplateError,
    drawing_of,
    next_version_of,
    picture_of,
    pictures_of,
    save_template,
    small,
)
from certification.forms.certificates import TemplateForms
from certification.models import CertificateTemplate
from core.clock import now
from core.limits import hit
from core.time import when
from courses.admin.base import ScopedAdmin, allowed_programmes
from courses.models import Programme

PICTURES = (40, 60)  # a minute and person: one for each pause of somebody who types without end
LIST = "admin:certification_certificatetemplate_changelist"


@admin.register(CertificateTemplate)
class CertificateTemplateAdmin(ScopedAdmin):
    """Fixed once it was used: then it is shown, and the next version begins as a copy of it."""

    list_display = ("programme", "version", "state", "used")
    list_filter = (("programme", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("programme",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newest = CertificateTemplate.objects.filter(programme=OuterRef("programme")).order_by("-version")
        return super().get_queryset(request).annotate(newest=Subquery(newest.values("version")[:1]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.picture))
        return [path("picture/", view, name="certification_template_picture"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("State"), label={"now": "success", "before": "default"})
    def state(self, row: Any) -> tuple[str, str]:
        if row.version == row.newest:
            return "now", str(_("Certificates are issued with it"))
        return "before", str(_("Version %(version)d took its place") % {"version": row.newest})

    @display(description=_("First used"), ordering="used_at")
    def used(self, row: CertificateTemplate) -> str:
        return when(row.used_at)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        template = self.object_or_404(request, object_id) if object_id else self._begun_from(request)
        allowed = self.has_change_permission(request, template) if object_id else self.has_add_permission(request)
        if not allowed:
            raise PermissionDenied
        if object_id and template is not None and template.used_at and request.method != "POST":
            return self._fixed(request, template)
        forms = self._forms(request, template)
        shown: dict[str, Any] = {}
        if request.method == "POST" and forms.is_valid():
            if "_preview" in request.POST:
                shown = self._drawn(forms)
            elif self._saved(request, forms):
                messages.success(request, _("Saved. Certificates issued from now on look like this."))
                return HttpResponseRedirect(reverse(LIST))
        return self._form_page(request, forms, shown)

    def _begun_from(self, request: HttpRequest) -> CertificateTemplate | None:
        """`?from=`: the next version begins as a copy."""
        begun_from = request.GET.get("from", "")
        found: CertificateTemplate | None = self.object_or_404(request, begun_from) if begun_from else None
        return found

    def _forms(self, request: HttpRequest, template: CertificateTemplate | None) -> TemplateForms:
        programmes = Programme.objects.filter(pk__in=allowed_programmes(request, self.roles))
        return TemplateForms(request.POST or None, request.FILES or None, programmes=programmes, template=template)

    def _saved(self, request: HttpRequest, forms: TemplateForms) -> bool:
        """Drawn once before: what is too long for a page is told to who typed it, not to who waits for a file."""
        asked = forms.asked()
        try:
            with suppress(NotDrawnError):
                picture_of(**asked)
            save_template(**asked, actor=person_of(request), request=request, now=now())
        except TemplateError as error:
            forms.refuse(error)
            return False
        return True

    def _drawn(self, forms: TemplateForms) -> dict[str, Any]:
        try:
            return {"picture": _source(picture_of(**forms.asked()))}
        except TemplateError as error:
            forms.refuse(error)
            return {}

    def picture(self, request: HttpRequest) -> HttpResponse:
        """What stands in the form, as a picture or as what is wrong with it. Nothing is kept."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        limit, seconds = PICTURES
        decision = hit(f"certification:picture:{person_of(request).pk}", limit=limit, window_seconds=seconds)
        if not decision:
            return HttpResponse(status=429, headers={"Retry-After": str(decision.retry_after_seconds)})
        given = request.POST.get("template", "")
        template = self.get_object(request, given) if given else None
        if given and template is None:
            raise Http404
        forms = self._forms(request, template)
        shown = self._drawn(forms) if forms.is_valid() else {}
        context = {"problems": forms.problems, **shown}
        return TemplateResponse(request, "admin/certification/certificatetemplate/_picture.html", context)

    def _form_page(self, request: HttpRequest, forms: TemplateForms, shown: dict[str, Any]) -> HttpResponse:
        template = forms.template
        pictures = {at: _source(small(image)) for at, image in pictures_of(template).items()}
        rows = [{"form": row, "picture": pictures.get(_number(row["was"].value()))} for row in forms.rows]
        context = {
            "title": _("Certificate template"),
            "forms": forms,
            "rows": rows,
            "problems": forms.problems if forms.form.is_bound else [],
            "template": template,
            "logo": _source(small(bytes(template.logo))) if template is not None and template.logo else "",
            **shown,
        }
        return self._page(request, "form", context)

    def _fixed(self, request: HttpRequest, template: CertificateTemplate) -> HttpResponse:
        context: dict[str, Any] = {"title": template, "template": template, "next": next_version_of(template.programme)}
        try:
            context["picture"] = _source(drawing_of(template))
        except TemplateError as error:
            context["problems"] = [("", str(error))]
        return self._page(request, "fixed", context)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "back": reverse(LIST)}
        return TemplateResponse(request, f"admin/certification/certificatetemplate/{name}.html", shared | context)


def _source(picture: bytes) -> str:
    """For `src`: nothing that is being written has an address."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _number(given: Any) -> int:
    return int(given) if str(given).isdecimal() else -1
