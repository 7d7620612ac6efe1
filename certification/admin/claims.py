"""Claims in the office: who has which credit, why, and every line about it.

Operators correct and revoke with a reason, and take lists along; auditors read. Each look is recorded.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import DecimalField, Model, OuterRef, QuerySet, Subquery
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from accounts.domain import audit
from accounts.rules import person_of
from certification.admin.shared import OPERATORS, EntryFilter, RecordedAdmin, keys_named, link
from certification.authorities.rounding import plain
from certification.domain.claiming import LONGEST_REASON, ClaimError, revoke_claim, step_of
from certification.domain.correcting import certificate_of, correct
from certification.domain.explaining import certificates_of, explain
from certification.domain.issuing import IssuingError
from certification.domain.keys import NoKeyError
from certification.domain.standing import state_in_list
from certification.enums import CREDIT_ENTRIES, EntryKind
from certification.forms.certificates import REASON_KEPT
from certification.models import Claim, LedgerEntry
from core.clock import now
from core.exports import Cell, csv_lines, xlsx_file
from core.time import when
from courses.admin.base import allowed_programmes, done

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
        help_text=REASON_KEPT,
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
    reissue = forms.BooleanField(
        label=_("Issue the certificate anew with the new credit"),
        initial=True,
        required=False,
        widget=UnfoldBooleanWidget(),
    )

    def __init__(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> None:
        """The button has asked already whether this person may decide about this claim."""
        super().__init__(request, object_id, *args, **kwargs)
        claim = Claim.objects.select_related("accreditation").get(pk=object_id)
        limits = {"most": plain(claim.accreditation.credits), "step": plain(step_of(claim))}
        self.fields["credit"].help_text = _("At most %(most)s, in steps of %(step)s.") % limits
        certificate = certificate_of(claim.pk)
        if certificate is None:
            del self.fields["reissue"]
            return
        told = _("%(number)s is replaced then. Otherwise it says to everybody that its credit was corrected.")
        self.fields["reissue"].help_text = told % {"number": certificate.number}


class WorthFilter(EntryFilter):
    """By the newest line of the ledger."""

    title = _("how it stands")
    parameter_name = "stands"
    kinds = (EntryKind.CREDIT_GRANTED, EntryKind.CREDIT_CORRECTED, EntryKind.CREDIT_REVOKED)
    lookup = "newest"


@admin.register(Claim)
class ClaimAdmin(RecordedAdmin):
    looks_at = "credits"
    list_display = ("doctor", "activity", "authority_title", "worth", "took_part", "made")
    list_filter = (
        WorthFilter,
        "authority",
        "accreditation__activity__format",
        ("programme", admin.RelatedOnlyFieldListFilter),
        ("took_part_on", RangeDateFilter),
    )
    search_fields = (
        "user__first_name", "user__last_name", "user__email", "user__registration_number",
        "accreditation__activity__title", "accreditation__approval_code", "council", "certificates__number",
        "kept_name__name", "kept_name__registration_number",
    )  # fmt: skip
    search_help_text = _("Name, e-mail address, number of the doctor or the certificate, activity, authority")
    list_select_related = ("user", "accreditation__activity", "programme", "kept_name")
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-made_at", "-pk")
    actions = ("save_csv", "save_xlsx")
    actions_detail = ("correct", "revoke")
    fields: ClassVar[Any] = (
        "doctor", "activity", "programme", "authority_title", "worth", "took_part", "made", "calculation", "rules",
        "evidence", "ledger", "certificates",
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = fields

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators of the programme; auditors read."""
        mine = allowed_programmes(request, OPERATORS)
        if obj is None:
            return bool(mine)
        found = self.get_object(request, str(obj.pk if isinstance(obj, Model) else obj))
        return found is not None and found.programme_id in mine

    def has_take_permission(self, request: HttpRequest) -> bool:
        """An auditor takes the evidence of an activity instead, from its own page."""
        return bool(allowed_programmes(request, OPERATORS))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        lines = LedgerEntry.objects.filter(claim=OuterRef("pk"), kind__in=sorted(CREDIT_ENTRIES)).order_by("-number")
        worth = Subquery(lines.values("credits")[:1], output_field=DecimalField())
        return super().get_queryset(request).annotate(worth=worth, newest=Subquery(lines.values("kind")[:1]))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Also by the name of an authority as it is shown."""
        found, repeats = super().get_search_results(request, queryset, search_term)
        keys = keys_named(search_term)
        return (found | queryset.filter(authority__in=keys), repeats) if keys else (found, repeats)

    # What is shown

    @display(description=_("Doctor"), ordering="user__last_name")
    def doctor(self, claim: Claim) -> SafeString:
        return format_html("<span><bdi>{}</bdi> · {}</span>", holder_of(claim)[0], claim.user.email)

    @display(description=_("Activity"))
    def activity(self, claim: Claim) -> SafeString:
        """To the evidence of all of it, which whoever reads claims may read."""
        found = claim.accreditation.activity
        return link(reverse("admin:certification_evidence", args=(found.pk,)), found)

    @display(description=_("Authority"), ordering="authority")
    def authority_title(self, claim: Claim) -> str:
        return " · ".join(part for part in (claim.get_authority_display(), claim.council) if part)

    @display(description=_("Credits"), ordering="worth")
    def worth(self, claim: Any) -> str:
        """A revoked one and one that was corrected say so."""
        worth = plain(claim.worth or Decimal(0))
        return worth if claim.newest == EntryKind.CREDIT_GRANTED else f"{worth} · {EntryKind(claim.newest).label}"

    @display(description=_("Took part on"), ordering="took_part_on")
    def took_part(self, claim: Claim) -> str:
        return date_format(claim.took_part_on, "j F Y")

    @display(description=_("Granted at"), ordering="made_at")
    def made(self, claim: Claim) -> str:
        return when(claim.made_at)

    @display(description=_("How it was counted"))
    def calculation(self, claim: Claim) -> str:
        return _part("calculation", claim)

    @display(description=_("Rules"))
    def rules(self, claim: Claim) -> str:
        return _part("rules", claim)

    @display(description=_("Evidence"))
    def evidence(self, claim: Claim) -> str:
        return _part("evidence", claim)

    @display(description=_("Lines of the ledger"))
    def ledger(self, claim: Claim) -> str:
        return _part("lines", claim)

    @display(description=_("Certificates"))
    def certificates(self, claim: Claim) -> str:
        rows = [{"certificate": one, "state": state_in_list(one)} for one in certificates_of(claim)]
        return render_to_string("admin/certification/claim/_certificates.html", {"rows": rows})

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
        found, chosen = self.object_or_404(request, object_id), form.cleaned_data
        given = {"credit": chosen["credit"], "reason": chosen["reason"], "is_reissued": chosen.get("reissue", False)}
        try:
            made = correct(claim_id=found.pk, actor=person_of(request), request=request, now=now(), **given)
        except ClaimError as refused:
            messages.error(request, str(refused.message))
        except (IssuingError, NoKeyError) as refused:
            told = _("Nothing was written, because the certificate could not be issued anew: %(why)s")
            messages.error(request, told % {"why": refused})
        else:
            messages.success(request, _("It is written down."))
            if made.certificate is not None:
                told = _("The certificate was issued anew: %(number)s")
                messages.success(request, told % {"number": made.certificate.number})
        return done(request, reverse("admin:certification_claim_change", args=(found.pk,)))

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
        found, reason = self.object_or_404(request, object_id), form.cleaned_data["reason"]
        try:
            revoke_claim(claim_id=found.pk, reason=reason, actor=person_of(request), request=request, now=now())
        except ClaimError as refused:
            messages.error(request, str(refused.message))
        else:
            messages.success(request, _("It is written down."))
        return done(request, reverse("admin:certification_claim_change", args=(found.pk,)))

    # Taking it along

    @admin.action(description=_("Save as CSV"), permissions=("take",))
    def save_csv(self, request: HttpRequest, rows: QuerySet[Claim]) -> HttpResponseBase:
        return self._file(request, rows, form="csv")

    @admin.action(description=_("Save as Excel"), permissions=("take",))
    def save_xlsx(self, request: HttpRequest, rows: QuerySet[Claim]) -> HttpResponseBase:
        return self._file(request, rows, form="xlsx")

    def _file(self, request: HttpRequest, rows: QuerySet[Claim], *, form: str) -> HttpResponseBase:
        """Of the programmes that this person runs: who audits another one as well takes nothing from there."""
        rows = rows.filter(programme__in=allowed_programmes(request, OPERATORS))
        told = {"form": form, "claims": rows.count()}
        audit.record("credits.exported", actor=person_of(request), request=request, details=told, now=now())
        table = table_of(rows.select_related(*self.list_select_related).iterator(1_000))
        if form == "xlsx":
            file = xlsx_file(table, sheet=str(_("Credits")))
            return FileResponse(file, as_attachment=True, filename="credits.xlsx", content_type=FILES[form])
        headers = {"Content-Disposition": 'attachment; filename="credits.csv"'}
        return StreamingHttpResponse(csv_lines(table), content_type=FILES[form], headers=headers)


def _part(name: str, claim: Any) -> str:
    """What is explained is worked out once for a page."""
    if not hasattr(claim, "explained"):
        claim.explained = explain(claim)
    return render_to_string(f"admin/certification/claim/_{name}.html", {"told": claim.explained})


def holder_of(claim: Any) -> tuple[str, str, str]:
    """Name, council and registration number; of who was erased, those that are kept beside the claim."""
    kept, person = getattr(claim, "kept_name", None), claim.user
    if kept is not None:
        return kept.name, kept.council, kept.registration_number
    return person.get_full_name(), person.medical_council, person.registration_number


def table_of(claims: Iterable[Any]) -> Iterator[tuple[Cell, ...]]:
    """With `worth` annotated. The headings first."""
    yield tuple(str(heading) for heading in HEADINGS)
    for claim in claims:
        activity = claim.accreditation.activity
        name, council, number = holder_of(claim)
        yield (
            name,
            claim.user.email,
            council,
            number,
            claim.programme.title,
            activity.title,
            str(activity.get_format_display()),
            str(claim.get_authority_display()),
            claim.council,
            claim.took_part_on.isoformat(),
            plain(claim.worth or Decimal(0)),
            f"{claim.made_at:%Y-%m-%d %H:%M:%S}",
        )
