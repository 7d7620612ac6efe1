"""Addresses that take no messages: found by a person or a typed address, freed by operators with a reason."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.rules import person_of
from core.clock import now
from core.time import when
from courses.admin.base import allowed_programmes, done
from reminders.admin.shared import OPERATORS, LookedAtAdmin, runs_everything
from reminders.domain import suppressions
from reminders.domain.suppressions import LONGEST_REASON, SuppressionError
from reminders.models import Suppression

STATES = {"held": "warning", "free": "success"}


class StandingFilter(admin.SimpleListFilter):
    title = _("how it stands")
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("held", _("Takes no messages")), ("free", _("Free again"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in STATES:
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() == "held")


class WhyDialog(BaseDialogForm):
    reason = forms.CharField(
        label=_("Why? It is kept with the address and in the audit trail; please name nobody."),
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


@admin.register(Suppression)
class SuppressionAdmin(LookedAtAdmin):
    """Belongs to no programme: operators of all see every row, others those of the people of their programmes."""

    looks_at = "suppressions"
    list_display = ("whose", "channel", "reason", "since_when", "shown_state")
    list_display_links = ("whose",)
    list_filter = (StandingFilter, "channel", "reason", ("since", RangeDateFilter))
    list_select_related = ("lifted_by",)
    search_fields = ("channel",)
    search_help_text = _("Name, or the whole e-mail address or number")
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-since", "-pk")
    actions_detail = ("free", "hold")
    fields: ClassVar[Any] = ("whose", "channel", "reason", "since_when", "state_text", "story")
    readonly_fields: ClassVar[Any] = fields

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    # Which

    def _people(self, request: HttpRequest) -> Any:
        ids = None if runs_everything(request) else allowed_programmes(request, self.roles)
        return suppressions.people_of(ids)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = ModelAdmin.get_queryset(self, request)
        if runs_everything(request):
            return rows
        mine: frozenset[int] | None = request.__dict__.get("_suppressions")
        if mine is None:
            mine = frozenset(suppressions.rows_of(self._people(request)).values_list("pk", flat=True))
            request.__dict__["_suppressions"] = mine
        return rows.filter(pk__in=mine)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(suppressions.matching(search_term, self._people(request))), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: Any = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:
            rows = list(shown["cl"].result_list)
            owners = suppressions.owners_of(rows, self._people(request))
            for row in rows:
                row.owner = owners.get(row.pk)
            shown["cl"].result_list = rows
        return response  # type: ignore[no-any-return]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.owner = suppressions.owners_of([row], self._people(request)).get(row.pk)
        return row

    def told_of(self, row: Any) -> dict[str, Any]:
        return {"subject": row.owner or row, "details": {"row": row.pk}}

    def has_free_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators: of the programme of the address's person, or of all."""
        if runs_everything(request):
            return True
        mine = allowed_programmes(request, OPERATORS)
        if obj is None or not mine:
            return bool(mine)
        row = self.get_object(request, str(obj.pk if isinstance(obj, Model) else obj))
        return (
            row is not None and row.owner is not None and suppressions.people_of(mine).filter(pk=row.owner.pk).exists()
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the button that can do something now."""
        row = self.get_object(request, str(object_id))
        if row is None:
            return []
        hidden = "hold" if row.lifted_at is None else "free"
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if one.action_name.removeprefix("reminders_suppression_") != hidden]

    # What is shown

    @display(description=_("Whose"))
    def whose(self, row: Any) -> SafeString | str:
        owner = getattr(row, "owner", None)
        return format_html("<bdi>{}</bdi>", owner.get_full_name()) if owner else str(_("Nobody who is here today"))

    @display(description=_("Since"), ordering="since")
    def since_when(self, row: Suppression) -> str:
        return when(row.since)

    @display(description=_("How it stands"), label=STATES)
    def shown_state(self, row: Suppression) -> tuple[str, str]:
        return ("held", str(_("Takes no messages"))) if row.lifted_at is None else ("free", str(_("Free again")))

    @display(description=_("How it stands"))
    def state_text(self, row: Suppression) -> str:
        return str(self.shown_state(row)[1])

    @display(description=_("What happened"))
    def story(self, row: Any) -> str:
        rows = sorted([row, *suppressions.others_of(row)], key=lambda one: one.since, reverse=True)
        context = {"rows": rows, "says_no": suppressions.still_says_no(row, row.owner), "owner": row.owner}
        return render_to_string("admin/reminders/suppression/_story.html", context)

    # What is done

    @action(
        description=_("Free this address"),
        icon="mark_email_read",
        permissions=("free",),
        dialog={
            "title": _("Free this address?"),
            "description": _("Messages may go there again. What its person answered (yes or no) stays as it is."),
            "form_class": WhyDialog,
            "form_submit_text": _("Free it"),
        },
    )
    def free(self, request: HttpRequest, form: WhyDialog, object_id: str) -> HttpResponse:
        row = self.object_or_404(request, object_id)
        given = {"row": row, "why": form.cleaned_data["reason"], "actor": person_of(request), "request": request}
        try:
            suppressions.free(**given, now=now())
        except SuppressionError as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("It is free. If it does not work, the next message tells."))
        return done(request, reverse("admin:reminders_suppression_change", args=(row.pk,)))

    @action(
        description=_("Leave it alone again"),
        icon="undo",
        permissions=("free",),
        dialog={
            "title": _("Leave this address alone again?"),
            "description": _("As before it was freed: no messages go there."),
            "form_class": WhyDialog,
            "form_submit_text": _("Leave it alone"),
        },
    )
    def hold(self, request: HttpRequest, form: WhyDialog, object_id: str) -> HttpResponse:
        row = self.object_or_404(request, object_id)
        given = {"row": row, "why": form.cleaned_data["reason"], "actor": person_of(request), "request": request}
        try:
            row = suppressions.hold_again(**given, now=now())
        except SuppressionError as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("No messages go there any more."))
        return done(request, reverse("admin:reminders_suppression_change", args=(row.pk,)))
