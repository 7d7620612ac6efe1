"""What was sent to whom, and what became of it. Nobody writes here; who looks is on record."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.time import when
from reminders.admin.shared import LookedAtAdmin
from reminders.domain.outbox_story import story_of
from reminders.enums import DeliveryState
from reminders.models import Delivery

COLOURS = {
    DeliveryState.PLANNED: "info", DeliveryState.CLAIMED: "info", DeliveryState.SENDING: "info",
    DeliveryState.SENT: "success", DeliveryState.FAILED: "danger", DeliveryState.UNKNOWN: "warning",
    DeliveryState.SKIPPED: "default",
}  # fmt: skip


@admin.register(Delivery)
class DeliveryAdmin(LookedAtAdmin):
    looks_at = "deliveries"
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
    fields: ClassVar[Any] = (
        "programme", "doctor", "message", "subject", "channel", "due", "expires", "state_text", "story",
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = fields

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

    @display(description=_("State"))
    def state_text(self, row: Delivery) -> str:
        return str(row.get_state_display())

    @display(description=_("What became of it"))
    def became(self, row: Delivery) -> str:
        told = story_of(row)
        return told[-1].text if told else "–"

    @display(description=_("What became of it"))
    def story(self, row: Delivery) -> SafeString:
        lines = ((when(one.at), one.text) for one in story_of(row))
        return format_html_join(SafeString("<br>"), "{} · {}", lines) or SafeString("–")
