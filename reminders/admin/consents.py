"""What people answered about being written to, and when: to read, and whoever reads is on record."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from core.time import when
from courses.admin.base import allowed_programmes
from courses.models import Enrolment
from reminders.admin.shared import LookedAtAdmin, runs_everything
from reminders.domain import consent, suppressions
from reminders.models import ConsentRecord

SHOWN = 100  # answers of one person
ANSWERS = {"yes": "success", "no": "default"}


@admin.register(ConsentRecord)
class ConsentRecordAdmin(LookedAtAdmin):
    """Of people with a place in the reader's programmes; of everybody for who runs them all."""

    looks_at = "consents"
    list_display = ("person", "channel", "answer", "source", "said")
    list_display_links = ("person",)
    list_filter = ("channel", "is_on", "source", ("at", RangeDateFilter))
    list_select_related = ("user",)
    search_fields = ("user__last_name", "user__first_name", "user__email")
    search_help_text = _("Name or e-mail address")
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-at", "-pk")
    fields: ClassVar[Any] = ("person", "ways", "history")
    readonly_fields: ClassVar[Any] = fields

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = ModelAdmin.get_queryset(self, request)
        if runs_everything(request):
            return rows
        ids = allowed_programmes(request, self.roles)
        return rows.filter(Exists(Enrolment.objects.filter(user=OuterRef("user"), programme__in=ids)))

    @display(description=_("Doctor"), ordering="user__last_name")
    def person(self, row: ConsentRecord) -> SafeString:
        return format_html("<bdi>{}</bdi>", row.user.get_full_name())

    @display(description=_("Answer"), ordering="is_on", label=ANSWERS)
    def answer(self, row: ConsentRecord) -> tuple[str, str]:
        return ("yes", str(_("yes"))) if row.is_on else ("no", str(_("no")))

    @display(description=_("When"), ordering="at")
    def said(self, row: ConsentRecord) -> str:
        return when(row.at)

    @display(description=_("What holds today"))
    def ways(self, row: ConsentRecord) -> str:
        held = suppressions.standing_of(row.user)
        lines = [
            {"channel": channel.label, "is_on": is_on, "held": held.get(channel)}
            for channel, is_on in consent.choices_of(row.user).items()
        ]
        return render_to_string("admin/reminders/consent/_ways.html", {"lines": lines})

    @display(description=_("What was answered"))
    def history(self, row: ConsentRecord) -> str:
        rows = ConsentRecord.objects.filter(user=row.user_id).select_related("actor").order_by("-at", "-pk")
        found = list(rows[: SHOWN + 1])
        context = {"rows": found[:SHOWN], "has_more": len(found) > SHOWN, "shown": SHOWN}
        return render_to_string("admin/reminders/consent/_history.html", context)
