"""Certificates for staff: to find, revoke and issue anew, and the templates they are printed with."""

import base64
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts.enums import Role
from accounts.rules import person_of
from certification.domain.issuing import IssuingError, issue_due, issuing_programmes, reissue, revoke
from certification.domain.keys import NoKeyError
from certification.domain.standing import standing_of, with_states
from certification.domain.templates import TemplateError, picture_of, save_template
from certification.enums import CertificateState
from certification.forms.certificates import CertificateReasonForm, TemplateForm
from certification.models import Certificate, CertificateTemplate
from core.clock import now
from core.time import when
from courses.admin.base import ScopedAdmin, allowed_programmes
from courses.models import Programme
from courses.rules import has_role

OPERATOR = frozenset({Role.OPERATOR})
COLOURS = {"valid": "success", "replaced": "warning", "revoked": "danger", "altered": "danger"}


@admin.register(Certificate)
class CertificateAdmin(ScopedAdmin):
    """Nothing here is changed: a mistake is put right by another edition, or revoked, by an operator."""

    list_display = ("number", "doctor", "about", "issued", "state")
    list_filter = ("kind", ("programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "programme")
    search_fields = ("number", "public_id", "user__last_name", "user__first_name", "user__email")
    fields = ("number", "doctor", "about", "kind", "edition", "issued", "standing", "history", "ways")
    readonly_fields: ClassVar[tuple[str, ...]] = fields
    actions_list: ClassVar[list[str]] = ["issue_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_states(super().get_queryset(request))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/revoke/", wrap(self.revoke), name="certification_revoke"),
            path("<path:object_id>/reissue/", wrap(self.reissue), name="certification_reissue"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("Doctor"), ordering="user__last_name")
    def doctor(self, row: Certificate) -> str:
        return row.user.get_full_name()

    @display(description=_("For"))
    def about(self, row: Certificate) -> str:
        return str(row.facts.get("facts", {}).get("title", "")) or row.programme.title

    @display(description=_("Issued"), ordering="issued_at")
    def issued(self, row: Certificate) -> str:
        return when(row.issued_at)

    @display(description=_("State"), label=COLOURS)
    def state(self, row: Any) -> tuple[str, str]:
        """For lists: without a look at signatures."""
        found = CertificateState.REPLACED if row.is_replaced else CertificateState.VALID
        found = CertificateState.REVOKED if row.is_revoked else found
        return found.value, str(found.label)

    @display(description=_("State"))
    def standing(self, row: Certificate) -> str:
        return str(standing_of(row).state.label)

    @display(description=_("In the ledger"))
    def history(self, row: Certificate) -> SafeString:
        lines = row.entries.order_by("number")
        told = ((one.number, when(one.entered_at), one.get_kind_display(), one.reason) for one in lines)
        return format_html_join(SafeString("<br>"), "{}: {} · {} {}", told)

    @display(description=_("What can be done"))
    def ways(self, row: Any) -> SafeString:
        ways = [
            (reverse("certification:certificate", args=(row.public_id,)), _("Download")),
            (reverse("certification:verify_one", args=(row.public_id,)), _("What others see")),
        ]
        if not (row.is_revoked or row.is_replaced):
            ways.append((reverse("admin:certification_reissue", args=(row.pk,)), _("Issue anew")))
        if not row.is_revoked:
            ways.append((reverse("admin:certification_revoke", args=(row.pk,)), _("Revoke")))
        return format_html_join(SafeString(" · "), '<a class="underline" href="{}">{}</a>', ways)

    @action(description=_("Issue what is due now"), url_path="issue-now")
    def issue_now(self, request: HttpRequest) -> HttpResponse:
        """Asks first: what is issued is issued."""
        mine = issuing_programmes().filter(pk__in=allowed_programmes(request, OPERATOR))
        if not allowed_programmes(request, OPERATOR):
            raise PermissionDenied
        back = reverse("admin:certification_certificate_changelist")
        if request.method == "POST":
            number = sum(self._issued(request, one) for one in mine)
            told = ngettext("%(n)d certificate was issued.", "%(n)d certificates were issued.", number)
            messages.success(request, told % {"n": number})
            return HttpResponseRedirect(back)
        title = _("Issue what is due now")
        context = {"title": title, "button": title, "back": back, "programmes": mine}
        return self._page(request, "issue", context)

    def _issued(self, request: HttpRequest, programme: Programme) -> int:
        try:
            done = issue_due(programme=programme, now=now())
        except (IssuingError, NoKeyError) as error:
            messages.error(request, f"{programme}: {error}")
            return 0
        for reason in sorted({str(error) for error in done.refused.values()}):
            messages.warning(request, f"{programme}: {reason}")
        return len(done.new)

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, _("Revoke"), revoke)

    def reissue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, _("Issue anew"), reissue)

    def _decide(self, request: HttpRequest, object_id: str, title: Any, act: Callable[..., Any]) -> HttpResponse:
        """GET asks once more and for a reason, POST does it. For operators of the programme."""
        row: Certificate = self.object_or_404(request, object_id)
        if not has_role(request.user, Role.OPERATOR, programme=row.programme):
            raise PermissionDenied
        back = reverse("admin:certification_certificate_change", args=(row.pk,))
        form = CertificateReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                act(certificate=row, reason=form.cleaned_data["reason"], actor=person_of(request), now=now())
            except (IssuingError, NoKeyError) as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("Done. It stands in the ledger."))
            return HttpResponseRedirect(back)
        context = {"title": title, "button": title, "certificate": row, "form": form, "back": back}
        return self._page(request, "decide", context)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"admin/certification/certificate/{name}.html", shared | context)


@admin.register(CertificateTemplate)
class CertificateTemplateAdmin(ScopedAdmin):
    """One form for a new one and for the next version; “Show” draws it with an invented doctor and saves nothing."""

    list_display = ("programme", "version", "used")
    list_filter = (("programme", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("programme",)

    @display(description=_("First used"), ordering="used_at")
    def used(self, row: CertificateTemplate) -> str:
        return when(row.used_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        template = self.object_or_404(request, object_id) if object_id else None
        allowed = self.has_change_permission(request, template) if template else self.has_add_permission(request)
        if not allowed:
            raise PermissionDenied
        programmes = Programme.objects.filter(pk__in=allowed_programmes(request, self.roles))
        form = TemplateForm(request.POST or None, request.FILES or None, programmes=programmes, template=template)
        picture = b""
        if request.method == "POST" and form.is_valid():
            try:
                if "_preview" not in request.POST:
                    save_template(**form.asked(template))
                    messages.success(request, _("Saved. Certificates issued from now on look like this."))
                    return HttpResponseRedirect(reverse("admin:certification_certificatetemplate_changelist"))
                picture = picture_of(**form.asked(template))
            except TemplateError as error:
                form.add_error(None, str(error))
        return self._form_page(request, template, form, picture)

    def _form_page(
        self, request: HttpRequest, template: CertificateTemplate | None, form: TemplateForm, picture: bytes
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Certificate template"),
            "opts": self.opts,
            "form": form,
            "template": template,
            "picture": format_html("data:image/png;base64,{}", base64.b64encode(picture).decode()) if picture else "",
            "back": reverse("admin:certification_certificatetemplate_changelist"),
        }
        return TemplateResponse(request, "admin/certification/certificatetemplate/form.html", context)
