"""Claims in the office: who has which credit, why, and every line about it. Operators correct and revoke with a reason.

Reading one with its evidence, and taking a list along, is recorded.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from accounts.domain import audit
from accounts.enums import Role
from accounts.rules import person_of
from certification.authorities.rounding import plain
from certification.domain.claiming import LONGEST_REASON, ClaimError, correct_claim, revoke_claim
from certification.domain.overview import decision_of, lines_of, rules_of, said
from certification.enums import CREDIT_ENTRIES
from certification.models import Claim, LedgerEntry
from core.clock import now
from core.exports import Cell, csv_lines, xlsx_file
from core.time import when
from courses.admin.base import ScopedAdmin, done

FILES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
HEADINGS = (
    _("Name"),
    _("E-mail"),
    _("Medical council"),
    _("Registration number"),
    _("Programme"),
    _("Activity"),
    _("Format"),
    _("Authority"),
    _("Council"),
    _("Took part on"),
    _("Credits"),
    _("Granted at (UTC)"),
)


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=_("Why? The doctor reads it, and an auditor too."),
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


class RevokeDialog(BaseDialogForm):
    reason = reason_field()


class CorrectDialog(BaseDialogForm):
    credit = forms.DecimalField(
        label=_("Credits"), min_value=0, max_digits=6, decimal_places=2, widget=UnfoldAdminDecimalFieldWidget()
    )
    reason = reason_field()


@admin.register(Claim)
class ClaimAdmin(ScopedAdmin):
    roles = frozenset({Role.OPERATOR})
    list_display = ("doctor", "activity", "authority_title", "worth", "took_part_on", "made")
    list_filter = ("authority", "accreditation__activity__format")
    search_fields = ("user__first_name", "user__last_name", "user__email", "user__registration_number")
    search_help_text = _("Name, e-mail address or registration number")
    list_select_related = ("user", "accreditation__activity", "programme")
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-made_at", "-pk")
    actions = ("save_csv", "save_xlsx")
    actions_detail = ("correct", "revoke")
    fields: ClassVar[Any] = (
        "doctor", "activity", "authority_title", "worth", "took_part_on", "made", "rules", "calculation", "ledger",
        "evidence",
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = fields

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        lines = LedgerEntry.objects.filter(claim=OuterRef("pk"), kind__in=sorted(CREDIT_ENTRIES)).order_by("-number")
        worth = Subquery(lines.values("credits")[:1], output_field=DecimalField())
        return super().get_queryset(request).annotate(worth=worth)

    def changeform_view(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> Any:
        answer = super().changeform_view(request, object_id, *args, **kwargs)
        found = self.get_object(request, str(object_id)) if object_id else None
        if found is not None and request.method == "GET":
            audit.record("credits.read", actor=person_of(request), subject=found, request=request, now=now())
        return answer

    # What is shown

    @display(description=_("Doctor"), ordering="user__last_name")
    def doctor(self, claim: Claim) -> SafeString:
        return format_html("<bdi>{}</bdi> · {}", claim.user.get_full_name(), claim.user.email)

    @display(description=_("Activity"))
    def activity(self, claim: Claim) -> str:
        return str(claim.accreditation.activity)

    @display(description=_("Authority"), ordering="authority")
    def authority_title(self, claim: Claim) -> str:
        return " · ".join(part for part in (claim.get_authority_display(), claim.council) if part)

    @display(description=_("Credits"), ordering="worth")
    def worth(self, claim: Any) -> str:
        return plain(claim.worth or Decimal(0))

    @display(description=_("Granted at"), ordering="made_at")
    def made(self, claim: Claim) -> str:
        return when(claim.made_at)

    @display(description=_("Rules"))
    def rules(self, claim: Claim) -> SafeString:
        found = rules_of(claim, _lines(claim)[0])
        version = _("Version %(version)s, in force from %(day)s") % {
            "version": found.version,
            "day": found.effective_from,
        }
        sources = format_html_join("", "<li>{}: {}</li>", ((one.title, one.says) for one in found.sources))
        check = format_html_join("", "<li>{}</li>", ((one,) for one in found.to_check))
        return format_html("{}<ul>{}</ul>{}<ul>{}</ul>", version, sources, _("To be checked by a person:"), check)

    @display(description=_("How it was counted"))
    def calculation(self, claim: Claim) -> SafeString:
        decision = decision_of(_lines(claim)[0])
        parts = [*said(decision.steps), *said(decision.reasons)]
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((one,) for one in parts)))

    @display(description=_("Lines of the ledger"))
    def ledger(self, claim: Claim) -> SafeString:
        rows = (
            (
                line.number,
                line.get_kind_display(),
                plain(line.credits or Decimal(0)),
                when(line.entered_at),
                line.reason,
                bytes(line.hash).hex(" ", 4),
            )
            for line in _lines(claim)
        )
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {} · {} · {} · <bdi>{}</bdi> · {}</li>", rows))

    @display(description=_("Evidence"))
    def evidence(self, claim: Claim) -> Any:
        kept = getattr(_lines(claim)[0], "evidence", None)
        if kept is None:
            return _("Left after its retention.")
        lines = (
            (f"{part}: {name}", json.dumps(value, ensure_ascii=False))
            for part, facts in kept.evidence.items()
            for name, value in facts.items()
        )
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} = {}</li>", lines))

    # What is done

    @action(
        description=_("Correct"),
        icon="edit_note",
        permissions=("decide",),
        dialog={
            "title": _("Correct this credit?"),
            "description": _("A new line is written; the old one stays. What was revoked is given back by it."),
            "form_class": CorrectDialog,
            "form_submit_text": _("Correct it"),
        },
    )
    def correct(self, request: HttpRequest, form: CorrectDialog, object_id: str) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("credit", "reason")}
        return self._decide(request, object_id, partial(correct_claim, **given))

    @action(
        description=_("Revoke"),
        icon="block",
        permissions=("decide",),
        dialog={
            "title": _("Revoke this credit?"),
            "description": _("It is worth nothing then, and its certificate says so to everybody who looks."),
            "form_class": RevokeDialog,
            "form_submit_text": _("Revoke it"),
        },
    )
    def revoke(self, request: HttpRequest, form: RevokeDialog, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, partial(revoke_claim, reason=form.cleaned_data["reason"]))

    def _decide(self, request: HttpRequest, object_id: str, act: Callable[..., LedgerEntry]) -> HttpResponse:
        found = self.object_or_404(request, object_id)
        try:
            act(claim_id=found.pk, actor=person_of(request), request=request, now=now())
        except ClaimError as refused:
            messages.error(request, str(refused.message))
        else:
            messages.success(request, _("It is written down."))
        return done(request, reverse("admin:certification_claim_change", args=(found.pk,)))

    # Taking it along

    @admin.action(description=_("Save as CSV"), permissions=("view",))
    def save_csv(self, request: HttpRequest, rows: QuerySet[Claim]) -> HttpResponseBase:
        return self._file(request, rows, form="csv")

    @admin.action(description=_("Save as Excel"), permissions=("view",))
    def save_xlsx(self, request: HttpRequest, rows: QuerySet[Claim]) -> HttpResponseBase:
        return self._file(request, rows, form="xlsx")

    def _file(self, request: HttpRequest, rows: QuerySet[Claim], *, form: str) -> HttpResponseBase:
        told = {"form": form, "claims": rows.count()}
        audit.record("credits.exported", actor=person_of(request), request=request, details=told, now=now())
        table = table_of(rows.select_related("user", "accreditation__activity", "programme").iterator(1_000))
        if form == "xlsx":
            file = xlsx_file(table, sheet=str(_("Credits")))
            return FileResponse(file, as_attachment=True, filename="credits.xlsx", content_type=FILES[form])
        headers = {"Content-Disposition": 'attachment; filename="credits.csv"'}
        return StreamingHttpResponse(csv_lines(table), content_type=FILES[form], headers=headers)


def table_of(claims: Iterable[Any]) -> Iterator[tuple[Cell, ...]]:
    """With `worth` annotated. The headings first."""
    yield tuple(str(heading) for heading in HEADINGS)
    for claim in claims:
        person, activity = claim.user, claim.accreditation.activity
        yield (
            person.get_full_name(),
            person.email,
            person.medical_council,
            person.registration_number,
            claim.programme.title,
            activity.title,
            str(activity.get_format_display()),
            str(claim.get_authority_display()),
            claim.council,
            claim.took_part_on.isoformat(),
            plain(claim.worth or Decimal(0)),
            f"{claim.made_at:%Y-%m-%d %H:%M:%S}",
        )


def _lines(claim: Any) -> list[LedgerEntry]:
    """Read once for a page."""
    if not hasattr(claim, "read_lines"):
        claim.read_lines = lines_of([claim])[claim.pk]
    found: list[LedgerEntry] = claim.read_lines
    return found
