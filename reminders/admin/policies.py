"""What a programme sends, in the office: switched on with a set of words, and when each message would go out."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from accounts.rules import person_of
from core.clock import now
from courses.admin.base import ScopedAdmin
from reminders.domain import journeys
from reminders.domain.builtin_words import built_in_set
from reminders.domain.times import zone_named
from reminders.enums import Channel
from reminders.forms.journeys import JourneyForm, PolicyForm
from reminders.models import Journey, MessagePolicy

STATES = {"on": "success", "off": "default"}


def _wall_clock(example: journeys.Example | None, zone: ZoneInfo) -> str:
    """As the doctor reads it, wherever the person in the office sits."""
    if example is None or example.at is None:
        return ""
    return date_format(example.at.astimezone(zone), "j M Y, H:i")


@admin.register(MessagePolicy)
class MessagePolicyAdmin(ScopedAdmin):
    form = PolicyForm
    list_display = ("title", "shown_state", "template_set", "number")
    list_display_links = ("title",)
    list_select_related = ("programme", "template_set")
    search_fields = ("programme__title",)
    fields: ClassVar[Any] = (
        "programme", "is_on", "template_set", ("sender_name", "reply_to"), ("quiet_from", "quiet_until"),
        ("most_a_day", "most_a_week"), "may_name_sponsors", "sponsors", "times",
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = ("times",)

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        on = Count("programme__journeys", filter=Q(programme__journeys__is_on=True))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(on=on)
        return rows

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "programme")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new programme begins with the words of the product, which are there from the first look on."""
        return {"template_set": built_in_set().pk, **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Switched off it sends nothing, and what it was stays known."""
        return False

    @display(description=_("Programme"), ordering="programme__title")
    def title(self, row: MessagePolicy) -> str:
        return row.programme.title

    @display(description=_("Messages"), ordering="is_on", label=STATES)
    def shown_state(self, row: MessagePolicy) -> tuple[str, str]:
        return ("on", str(_("are sent"))) if row.is_on else ("off", str(_("are not sent")))

    @display(description=_("Kinds of messages"))
    def number(self, row: Any) -> int:
        return int(row.on)

    @display(description=_("When they go out"))
    def times(self, row: MessagePolicy) -> SafeString | str:
        """For a doctor in the programme's own time zone; others by their own clocks."""
        if not row.programme_id:
            return str(_("Save first: the usual messages are added, and you change what you like."))
        zone = zone_named(row.programme.timezone)
        shown = {one.journey.pk: one for one in journeys.examples(policy=row, zone=row.programme.timezone, now=now())}
        lines = [
            {
                "journey": journey,
                "address": reverse("admin:reminders_journey_change", args=(journey.pk,)),
                "channels": " → ".join(str(Channel(one).label) for one in journey.channels),
                "at": _wall_clock(shown.get(journey.pk), zone),
                "is_late": (one := shown.get(journey.pk)) is not None and one.is_late,
            }
            for journey in Journey.objects.filter(programme=row.programme_id).order_by("offset_minutes", "kind")
        ]
        context = {"lines": lines, "zone": zone.key, "add": reverse("admin:reminders_journey_add")}
        return render_to_string("admin/reminders/_times.html", context)

    def save_model(self, request: HttpRequest, obj: MessagePolicy, form: Any, change: bool) -> None:
        made = journeys.save_policy(policy=obj, actor=person_of(request), request=request, now=now())
        if made:
            told = ngettext("%(n)d kind of message was added.", "%(n)d kinds of messages were added.", made)
            messages.success(request, told % {"n": made})


@admin.register(Journey)
class JourneyAdmin(ScopedAdmin):
    form = JourneyForm
    list_display = ("message", "programme", "is_on", "offset_minutes", "local_time")
    list_display_links = ("message",)
    list_filter = (("programme", admin.RelatedOnlyFieldListFilter), "is_on")
    list_select_related = ("programme",)
    fields: ClassVar[Any] = (
        "programme", "kind", "is_on", "offset_minutes", "local_time", "first", "second", "third", "fallback_minutes",
        "is_urgent",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("programme",)

    @display(description=_("Message"), ordering="kind")
    def message(self, row: Journey) -> str:
        return str(row.get_kind_display())

    def save_model(self, request: HttpRequest, obj: Journey, form: Any, change: bool) -> None:
        journeys.save_journey(journey=obj, actor=person_of(request), request=request, now=now())

    def delete_model(self, request: HttpRequest, obj: Journey) -> None:
        journeys.delete_journey(journey=obj, actor=person_of(request), request=request, now=now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Journey]) -> None:
        for one in queryset:
            self.delete_model(request, one)
