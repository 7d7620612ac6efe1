"""The door of a webinar, from inside: its hours and places, its link as a QR code, and the queue."""

from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts.domain import audit
from accounts.rules import person_of
from core.time import when
from courses.admin.base import allowed_programmes, done
from courses.admin.zones import HomeZoneAdmin
from webinars.domain import spot, spot_windows
from webinars.domain.room_state import last_number
from webinars.domain.spot_queue import queue_figures
from webinars.enums import SpotState
from webinars.forms import SpotWindowForm
from webinars.models import SpotRequest, SpotWindow, Webinar

DOOR_LABELS = {spot.Door.NOT_YET: "info", spot.Door.OPEN: "success", spot.Door.FULL: "warning", spot.Door.CLOSED: ""}
DOOR_NAMES = {
    spot.Door.NOT_YET: _("Not open yet"),
    spot.Door.OPEN: _("Open"),
    spot.Door.FULL: _("Full"),
    spot.Door.CLOSED: _("Closed"),
}
SHOWN = 100  # of a queue; the rest follows as these are decided


@admin.register(SpotWindow)
class SpotWindowAdmin(HomeZoneAdmin):
    programme_path = "webinar__lesson__course__programme"
    zone_path = "webinar__lesson__course__programme__timezone"
    form = SpotWindowForm
    list_display = ("title", "state", "opens", "closes", "let_in", "queue")
    list_select_related = ("webinar__lesson__course__programme", "webinar__video")
    list_filter = (("webinar__lesson__course__programme", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("webinar__lesson__title",)
    ordering = ("-opens_at", "-pk")
    readonly_fields = ("shown_webinar", "link", "code", "queue")
    actions_detail = ("look_at_queue", "close_now")
    limits = ("opens_at", "closes_at", "capacity", "quota", "approval", "domains")
    fieldsets = (
        (None, {"fields": ("shown_webinar", "queue")}),
        (_("When and for whom"), {"fields": limits}),
        (_("For the screen in the hall"), {"fields": ("link", "code")}),
    )
    add_fieldsets = ((None, {"fields": ("webinar", *limits)}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        waiting = Count("requests", filter=Q(requests__state=SpotState.PENDING))
        return super().get_queryset(request).select_related("webinar__lesson").annotate(waiting=waiting)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_urls(self) -> list[URLPattern]:
        queue = self.admin_site.admin_view(self.queue_view)
        return [path("<int:window_id>/queue/", queue, name="webinars_spotwindow_queue"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its requests are evidence of who was let in and why."""
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "webinar":
            kwargs["queryset"] = Webinar.objects.filter(
                lesson__course__programme__in=allowed_programmes(request, self.roles),
                starts_at__isnull=False,
                ended_at=None,
                cancelled_at=None,
            ).select_related("lesson")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("Webinar"), ordering="webinar__lesson__title")
    def title(self, window: SpotWindow) -> str:
        return window.webinar.lesson.title

    @display(description=_("Webinar"))
    def shown_webinar(self, window: SpotWindow) -> SafeString:
        address = reverse("admin:webinars_webinar_change", args=(window.webinar_id,))
        return format_html('<a class="underline" href="{}">{}</a>', address, window.webinar.lesson.title)

    @display(description=_("Door"), label=DOOR_LABELS)
    def state(self, window: SpotWindow) -> tuple[str, str]:
        door = spot.door_of(window, now=timezone.now())
        return door, str(DOOR_NAMES[door])

    @display(description=_("Opens"), ordering="opens_at")
    def opens(self, window: SpotWindow) -> str:
        return when(window.opens_at)

    @display(description=_("Closes"), ordering="closes_at")
    def closes(self, window: SpotWindow) -> str:
        return when(window.closes_at)

    @display(description=_("Let in"))
    def let_in(self, window: SpotWindow) -> str:
        return f"{window.approved_count} / {window.capacity}"

    @display(description=_("Queue"))
    def queue(self, window: Any) -> SafeString:
        number = window.waiting if hasattr(window, "waiting") else 0
        words = ngettext("%(n)d doctor waits", "%(n)d doctors wait", number) % {"n": number}
        address = reverse("admin:webinars_spotwindow_queue", args=(window.pk,))
        return format_html('<a class="underline" href="{}">{}</a>', address, words)

    @display(description=_("Link"))
    def link(self, window: SpotWindow) -> SafeString:
        return format_html('<a class="underline door-link" href="{0}">{0}</a>', address_of(window))

    @display(description=_("QR code"))
    def code(self, window: SpotWindow) -> SafeString:
        return format_html('<div class="door-code" role="img" aria-label="{}">{}</div>', _("QR code"), qr_code(window))

    class Media:
        css = {"all": ["css/pages/queue.css"]}

    def save_model(self, request: HttpRequest, obj: SpotWindow, form: Any, change: bool) -> None:
        save = spot_windows.change_window if change else spot_windows.open_window
        save(window=obj, actor=person_of(request), request=request, now=timezone.now())

    @action(description=_("Look at the queue"), icon="group", permissions=("view",))
    def look_at_queue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        window = self.object_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:webinars_spotwindow_queue", args=(window.pk,)))

    @action(
        description=_("Close the door now"),
        icon="door_front",
        permissions=("change",),
        dialog={
            "title": _("Close the door now?"),
            "description": _("Nobody can ask any more. Those who wait can still be let in."),
            "form_class": None,
            "form_submit_text": _("Close the door"),
        },
    )
    def close_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        window = self.object_or_404(request, object_id)
        spot_windows.close_window(window=window, actor=person_of(request), request=request, now=timezone.now())
        messages.success(request, _("The door is closed."))
        return done(request, reverse("admin:webinars_spotwindow_change", args=(window.pk,)))

    def queue_view(self, request: HttpRequest, window_id: int) -> HttpResponse:
        """One tap for each; a fragment of itself for the page that stays open."""
        window = self.object_or_404(request, str(window_id))
        if request.method == "POST":
            _decide(request, window)
            tab = {"state": request.GET["state"]} if request.GET.get("state") in SpotState.values else {}
            return HttpResponseRedirect(f"{request.path}?{urlencode(tab)}" if tab else request.path)
        state = request.GET.get("state", SpotState.PENDING)
        rows = window.requests.filter(state=state).select_related("duplicate_of", "decided_by")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Queue at the door"),
            "opts": self.opts,
            "window": window,
            "door": DOOR_NAMES[spot.door_of(window, now=timezone.now())],
            "since": last_number(window.webinar_id),
            "figures": queue_figures(webinar_id=window.webinar_id),
            "tabs": SpotState.choices,
            "state": state if state in SpotState.values else SpotState.PENDING,
            "rows": rows[:SHOWN],
            "more": max(0, rows.count() - SHOWN),
        }
        if not request.headers.get("X-Fragment"):
            audit.record(
                "spot.queue_read", actor=person_of(request), subject=window, request=request, now=timezone.now()
            )
        name = "_queue.html" if request.headers.get("X-Fragment") else "queue.html"
        return TemplateResponse(request, f"admin/webinars/spotwindow/{name}", context)


def _decide(request: HttpRequest, window: SpotWindow) -> None:
    """`approve` and `deny` carry the number of one request; `many` decides on all that are ticked."""
    actor, now = person_of(request), timezone.now()
    requests = SpotRequest.objects.filter(window=window)
    ticked = [int(one) for one in request.POST.getlist("request") if one.isdecimal() and len(one) < 18]
    one = request.POST.get("approve") or request.POST.get("deny") or ""
    wanted = [int(one)] if one.isdecimal() and len(one) < 18 else ticked
    found = list(requests.filter(pk__in=wanted))
    if not found:
        messages.warning(request, _("Nothing was chosen."))
    elif request.POST.get("deny") or request.POST.get("many") == "deny":
        _deny(request, found)
    else:
        made = spot.approve_many(requests=found, actor=actor, http=request, now=now)
        if made.approved:
            text = ngettext("%(n)d doctor was let in.", "%(n)d doctors were let in.", made.approved)
            messages.success(request, text % {"n": made.approved})
        for refused, why in made.refused:
            messages.error(request, f"{refused}: {why}")


def _deny(request: HttpRequest, found: list[SpotRequest]) -> None:
    denied = 0
    for one in found:
        try:
            note = request.POST.get("note", "")
            spot.deny(request=one, actor=person_of(request), note=note, http=request, now=timezone.now())
            denied += 1
        except spot.SpotError as refused:
            messages.error(request, f"{one}: {refused.message}")
    if denied:
        text = ngettext("%(n)d doctor was not let in.", "%(n)d doctors were not let in.", denied)
        messages.success(request, text % {"n": denied})


def address_of(window: SpotWindow) -> str:
    return str(settings.SITE_URL) + reverse("door", args=(window.slug,))


def qr_code(window: SpotWindow) -> SafeString:
    """An inline drawing of our own address, in two colours that every camera reads."""
    image = segno.make(address_of(window), micro=False)
    return mark_safe(image.svg_inline(scale=10, border=3))  # noqa: S308  # made here, of an address made here
