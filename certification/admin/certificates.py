"""Certificates for staff: to find, revoke and issue anew."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts.domain import audit
from accounts.enums import Role
from accounts.rules import person_of
from certification.admin.shared import OPERATORS
from certification.domain.issuing import IssuingError, issue_due, issuing_programmes, reissue, revoke
from certification.domain.keys import NoKeyError
from certification.domain.standing import standing_of, state_in_list, with_states
from certification.forms.certificates import CertificateReasonForm
from certification.models import Certificate
from certification.tasks import issue_due as issue_the_rest
from core.clock import now
from core.time import when
from courses.admin.base import ScopedAdmin, allowed_programmes
from courses.models import Programme
from courses.rules import has_role

AT_ONCE = 100  # in a request; a worker goes on
COLOURS = {
    "valid": "success", "corrected": "warning", "replaced": "warning", "revoked": "danger", "unknown_key": "danger",
    "altered": "danger",
}  # fmt: skip


@admin.register(Certificate)
class CertificateAdmin(ScopedAdmin):
    """Nothing here is changed: a mistake is put right by another edition, or revoked, by an operator."""

    list_display = ("number", "doctor", "about", "issued", "state")
    list_filter = ("kind", ("programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "programme")
    search_help_text = _("Number, code, name or e-mail address")
    search_fields = ("number", "public_id", "user__last_name", "user__first_name", "user__email")
    fields = ("number", "doctor", "about", "kind", "edition", "issued", "standing", "history", "ways")
    readonly_fields: ClassVar[tuple[str, ...]] = fields
    actions_list: ClassVar[list[str]] = ["issue_now"]

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_states(super().get_queryset(request))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/revoke/", wrap(self.revoke), name="certification_revoke"),
            path("<path:object_id>/reissue/", wrap(self.reissue), name="certification_reissue"),
            *super().get_urls(),
        ]

    def changeform_view(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> Any:
        answer = super().changeform_view(request, object_id, *args, **kwargs)
        found = self.get_object(request, str(object_id)) if object_id else None
        if found is not None and request.method == "GET":
            audit.record("certificate.read", actor=person_of(request), subject=found, request=request, now=now())
        return answer

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
        found = state_in_list(row)
        return found.value, str(found.label)

    @display(description=_("State"))
    def standing(self, row: Certificate) -> str:
        """With what can be done about it."""
        return render_to_string("admin/certification/certificate/_standing.html", {"standing": standing_of(row)})

    @display(description=_("In the ledger"))
    def history(self, row: Certificate) -> SafeString:
        lines = row.entries.select_related("reason_text").order_by("number")
        told = ((one.number, when(one.entered_at), one.get_kind_display(), one.why) for one in lines)
        return format_html_join(SafeString("<br>"), "{}: {} · {} <bdi>{}</bdi>", told)

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
        mine = issuing_programmes().filter(pk__in=allowed_programmes(request, OPERATORS))
        if not allowed_programmes(request, OPERATORS):
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
            done = issue_due(programme=programme, now=now(), limit=AT_ONCE, actor=person_of(request))
        except (IssuingError, NoKeyError) as error:
            messages.error(request, f"{programme}: {error}")
            return 0
        for reason in sorted(done.refused):
            messages.warning(request, f"{programme}: {reason}")
        told = {"programme": programme.title, "number": done.new}
        audit.record("certificates.issued", actor=person_of(request), request=request, details=told, now=now())
        if done.new == AT_ONCE:
            issue_the_rest.delay()
            messages.info(request, _("%(programme)s: the others follow within minutes.") % {"programme": programme})
        return done.new

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        told = _(
            "It says to everybody from now on that it does not count. This cannot be taken back. Credit stays as it "
            "is: to take that, revoke the credit, and its certificate goes with it."
        )
        return self._decide(request, object_id, _("Revoke"), told, revoke)

    def reissue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        told = _(
            "A new edition is made with the name, the credit and the template of today. It has an address and a "
            "number of its own, and this one says to everybody that it was replaced."
        )
        return self._decide(request, object_id, _("Issue anew"), told, reissue)

    def _decide(
        self, request: HttpRequest, object_id: str, title: Any, told: Any, act: Callable[..., Any]
    ) -> HttpResponse:
        """GET asks once more and for a reason, POST does it. For operators of the programme."""
        row: Certificate = self.object_or_404(request, object_id)
        if not has_role(request.user, Role.OPERATOR, programme=row.programme):
            raise PermissionDenied
        back = reverse("admin:certification_certificate_change", args=(row.pk,))
        form = CertificateReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                act(
                    certificate=row,
                    reason=form.cleaned_data["reason"],
                    actor=person_of(request),
                    request=request,
                    now=now(),
                )
            except (IssuingError, NoKeyError) as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("Done. It stands in the ledger."))
            return HttpResponseRedirect(back)
        context = {"title": title, "button": title, "told": told, "certificate": row, "form": form, "back": back}
        return self._page(request, "decide", context)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"admin/certification/certificate/{name}.html", shared | context)
