"""The ledger in the office, line by line as it was sealed. Nobody writes here; who reads it is on record."""

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.models import User
from certification.admin.shared import EntryFilter, RecordedAdmin, link
from certification.domain.explaining import is_sealed, reason_of, worth_of
from certification.domain.publishing import newest_head
from certification.enums import EntryKind
from certification.models import LedgerEntry
from core.time import when

COLOURS = {
    EntryKind.CREDIT_GRANTED: "success",
    EntryKind.CREDIT_CORRECTED: "warning",
    EntryKind.CREDIT_REVOKED: "danger",
    EntryKind.CERTIFICATE_ISSUED: "info",
    EntryKind.CERTIFICATE_REISSUED: "info",
    EntryKind.CERTIFICATE_REVOKED: "danger",
}


class KindFilter(EntryFilter):
    title = _("what")
    parameter_name = "kind"


@admin.register(LedgerEntry)
class LedgerEntryAdmin(RecordedAdmin):
    looks_at = "ledger"
    list_display = ("line", "shown_kind", "doctor", "about", "worth", "entered", "why")
    list_display_links = ("line",)
    list_filter = (KindFilter, ("programme", admin.RelatedOnlyFieldListFilter), ("entered_at", RangeDateTimeFilter))
    search_fields = (
        "user__first_name", "user__last_name", "user__email", "user__registration_number", "certificate__number",
        "claim__accreditation__activity__title", "reason_text__text", "reason", "=number",
    )  # fmt: skip
    search_help_text = _("Name, e-mail address, number of the doctor, the certificate or the line, activity, reason")
    list_select_related = ("user", "programme", "certificate", "claim__accreditation__activity", "reason_text")
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-entered_at", "-pk")
    actions = None
    fields: ClassVar[Any] = (
        "line", "programme", "kind_text", "doctor", "about", "worth", "entered", "by", "why", "details_text", "seals",
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = fields

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("details")

    @display(description=_("Line"), ordering="number")
    def line(self, entry: LedgerEntry) -> str:
        return f"{entry.number} · {entry.programme}"

    @display(description=_("What"), ordering="kind", label=COLOURS)
    def shown_kind(self, entry: LedgerEntry) -> tuple[str, str]:
        return entry.kind, entry.get_kind_display()

    @display(description=_("What"))
    def kind_text(self, entry: LedgerEntry) -> str:
        return str(entry.get_kind_display())

    @display(description=_("Doctor"), ordering="user__last_name")
    def doctor(self, entry: LedgerEntry) -> SafeString:
        return format_html("<bdi>{}</bdi>", entry.user.get_full_name() or entry.user.email)

    @display(description=_("About"))
    def about(self, entry: LedgerEntry) -> SafeString:
        if entry.claim is not None:
            address = reverse("admin:certification_claim_change", args=(entry.claim_id,))
            return link(address, entry.claim.accreditation.activity)
        if entry.certificate is not None:
            address = reverse("certification:verify_one", args=(entry.certificate.public_id,))
            return link(address, entry.certificate.number)
        return SafeString("–")

    @display(description=_("Credits"), ordering="credits")
    def worth(self, entry: LedgerEntry) -> str:
        return worth_of(entry)

    @display(description=_("At"), ordering="entered_at")
    def entered(self, entry: LedgerEntry) -> str:
        return when(entry.entered_at)

    @display(description=_("Reason"))
    def why(self, entry: LedgerEntry) -> str:
        return reason_of(entry)

    @display(description=_("By"))
    def by(self, entry: LedgerEntry) -> str:
        """Without a constraint in the database: the account may be gone."""
        person = User.objects.filter(pk=entry.actor_id).first() if entry.actor_id else None
        return person.get_full_name() or person.email if person else str(_("by itself"))

    @display(description=_("As it was sealed"))
    def details_text(self, entry: LedgerEntry) -> SafeString:
        text = json.dumps(entry.details, ensure_ascii=False, indent=2, sort_keys=True)
        return format_html('<pre class="co-pre" dir="ltr" tabindex="0">{}</pre>', text)

    @display(description=_("Its seal"))
    def seals(self, entry: LedgerEntry) -> str:
        neighbours = {row.number: row.pk for row in _around(entry)}
        context = {
            "previous": bytes(entry.previous).hex(" ", 4),
            "hash": bytes(entry.hash).hex(" ", 4),
            "holds": is_sealed(entry),
            "chain": entry.programme.chain,
            "head": newest_head(entry.programme_id, from_line=entry.number),
            "before": neighbours.get(entry.number - 1),
            "after": neighbours.get(entry.number + 1),
        }
        return render_to_string("admin/certification/ledgerentry/_seals.html", context)


def _around(entry: LedgerEntry) -> QuerySet[LedgerEntry]:
    numbers = (entry.number - 1, entry.number + 1)
    return LedgerEntry.objects.filter(programme=entry.programme_id, number__in=numbers).only("number")
