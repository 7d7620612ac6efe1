"""What was sent to whom, and what became of it. Nobody writes here; who looks is on record."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.domain import audit
from accounts.rules import person_of
from core.clock import now
from core.time import when
from courses.admin.base import ScopedAdmin
from reminders.domain.outbox_story import story_of
from reminders.enums import DeliveryState
from reminders.models import Delivery

COLOURS = {
    DeliveryState.PLANNED: "info", DeliveryState.CLAIMED: "info", DeliveryState.SENDING: "info",
    DeliveryState.SENT: "success", DeliveryState.FAILED: "danger", DeliveryState.UNKNOWN: "warning",
    DeliveryState.SKIPPED: "default",
}  # fmt: skip


@admin.register(Delivery)
class DeliveryAdmin(ScopedAdmin):
    list_display = ("due", "doctor", "message", "channel", "shown_state", "became")
    list_display_links = ("due",)
    list_filter = (
        "state", "channel", "kind", ("programme", admin.RelatedOnlyFieldListFilter), ("due_at", RangeDateTimeFilter),
    )  # fmt: skip
    list_select_related = ("user", "programme")
    search_fields = ("user__last_name", "user__first_name", "user__email", "=subject")
    search_help_text = _("Name or e-mail address")
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-due_at", "-pk")
    actions = None
    fields: ClassVar[Any] = (
        "programme", "doctor", "message", "subject", "channel", "due", "expires", "shown_state", "story",
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = fields

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        if request.method == "GET" and response.status_code == 200:
            details = {"search": request.GET.get("q", ""), "page": request.GET.get("p", "")}
            audit.record("deliveries.listed", actor=person_of(request), request=request, details=details, now=now())
        return response

    @display(description=_("Due"), ordering="due_at")
    def due(self, row: Delivery) -> str:
        return when(row.due_at)

    @display(description=_("Of no use after"))
    def expires(self, row: Delivery) -> str:
        return when(row.expires_at)

    @display(description=_("Doctor"), ordering="user__last_name")
    def doctor(self, row: Delivery) -> SafeString:
        return format_html("<bdi>{}</bdi>", row.user.get_full_name())

    @display(description=_("Message"), ordering="kind")
    def message(self, row: Delivery) -> str:
        return str(row.get_kind_display())

    @display(description=_("State"), ordering="state", label=COLOURS)
    def shown_state(self, row: Delivery) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @display(description=_("What became of it"))
    def became(self, row: Delivery) -> str:
        told = story_of(row)
        return told[-1].text if told else "–"

    @display(description=_("What became of it"))
    def story(self, row: Delivery) -> SafeString:
        lines = ((when(one.at), one.text) for one in story_of(row))
        return format_html_join(SafeString("<br>"), "{} · {}", lines) or SafeString("–")
