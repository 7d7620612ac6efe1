"""Planning live webinars: when, who, how many, where the picture comes from, and the buttons of the day."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.domain.mail import zone_of
from accounts.rules import person_of
from core.time import when
from courses.admin import beside
from courses.admin.base import done
from courses.admin.zones import HomeZoneAdmin
from courses.models import Course
from webinars.admin import attendance
from webinars.admin.people import ROLES, object_id, people_of
from webinars.domain import schedule
from webinars.domain.scheduling import save_schedule
from webinars.enums import RecordingPolicy, WebinarState
from webinars.forms import ScheduleForm
from webinars.models import Webinar

STATE_LABELS = {
    WebinarState.SCHEDULED: "info",
    WebinarState.DOORS_OPEN: "warning",
    WebinarState.LIVE: "danger",
    WebinarState.ENDED: "default",
    WebinarState.RECORDING_READY: "success",
    WebinarState.CANCELLED: "default",
    WebinarState.RECORDED: "default",
}


class WhenFilter(admin.SimpleListFilter):
    """What is coming, unless something else is asked for."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("over", _("Over or cancelled")), ("recorded", _("Recorded lectures")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Coming and live")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Webinar]) -> QuerySet[Webinar]:
        over = Q(ended_at__isnull=False) | Q(cancelled_at__isnull=False)
        match self.value():
            case "all":
                return queryset
            case "over":
                return queryset.filter(over)
            case "recorded":
                return queryset.filter(starts_at=None)
            case _:
                return queryset.filter(~over, starts_at__isnull=False)


class CancelDialog(BaseDialogForm):
    reason = forms.CharField(
        label=_("Why? Doctors and colleagues may ask."), max_length=200, widget=UnfoldAdminTextInputWidget()
    )


@admin.register(Webinar)
class WebinarAdmin(HomeZoneAdmin):
    """One page for everything about the live side of a lesson. The lesson itself stays on its own page."""

    programme_path = "lesson__course__programme"
    zone_path = "lesson__course__programme__timezone"
    form = ScheduleForm
    list_display = ("title", "programme", "starts", "state", "doors", "places", "speakers")
    list_filter = (WhenFilter, ("lesson__course__programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("lesson__course__programme", "video")
    search_fields = ("lesson__title", "lesson__course__title")
    ordering = ("starts_at", "pk")
    readonly_fields = ("lesson_link", "state_now", "links", "accreditation")
    filter_horizontal = ("presenters", "moderators")
    actions_detail = ("go_live", "end", "release", "cancel")
    fieldsets = (
        (None, {"fields": ("lesson_link", "state_now", "links", "accreditation")}),
        (_("When"), {"fields": ("starts_at", "planned_minutes", "doors_minutes")}),
        (_("Who"), {"fields": ("presenters", "moderators")}),
        (_("Places"), {"fields": ("capacity", "needs_registration")}),
        (_("Picture and sound"), {"fields": ("ingest", "external_url", "is_rehearsal", "allows_takeover")}),
        (_("Afterwards"), {"fields": ("recording_policy", "recording_opens_at", "followup_days")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        taken = Count("registrations", filter=Q(registrations__cancelled_at=None), distinct=True)
        return super().get_queryset(request).annotate(taken=taken).prefetch_related("presenters")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        page = wrap(require_safe(lambda request, webinar_id: attendance.attendance_view(self, request, webinar_id)))
        return [path("<int:webinar_id>/attendance/", page, name="webinars_webinar_attendance"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """A webinar is made with its lesson."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("Webinar"), ordering="lesson__title")
    def title(self, webinar: Webinar) -> str:
        return webinar.lesson.title

    @display(description=_("Programme"))
    def programme(self, webinar: Webinar) -> str:
        return webinar.lesson.course.programme.title

    @display(description=_("Starts (your time)"), ordering="starts_at")
    def starts(self, webinar: Webinar) -> str:
        return when(webinar.starts_at)

    @display(description=_("State"), label=STATE_LABELS)
    def state(self, webinar: Webinar) -> tuple[str, str]:
        state = schedule.state_of(webinar, now=timezone.now())
        return state, str(state.label)

    @display(description=_("Doors"))
    def doors(self, webinar: Webinar) -> str:
        opens = schedule.doors_open_at(webinar)
        return when(opens) if opens else "–"

    @display(description=_("Registered"))
    def places(self, webinar: Any) -> str:
        """'214 of 500'; without a limit the number alone."""
        if not webinar.needs_registration and not webinar.taken:
            return str(_("Not needed"))
        return f"{webinar.taken} / {webinar.capacity}" if webinar.capacity else str(webinar.taken)

    @display(description=_("Presenters"))
    def speakers(self, webinar: Webinar) -> str:
        return ", ".join(person.get_full_name() for person in webinar.presenters.all()) or "–"

    @display(description=_("Lesson"))
    def lesson_link(self, webinar: Webinar) -> SafeString:
        address = reverse("admin:courses_lesson_change", args=(webinar.lesson_id,))
        course = webinar.lesson.course
        return format_html('<a class="underline" href="{}">{}</a> · {}', address, webinar.lesson.title, course)

    @display(description=_("State"))
    def state_now(self, webinar: Webinar) -> str:
        return str(schedule.state_of(webinar, now=timezone.now()).label)

    @display(description=_("Pages"))
    def links(self, webinar: Webinar) -> SafeString:
        door = f"{reverse('admin:webinars_spotwindow_changelist')}?webinar__id__exact={webinar.pk}"
        pages = (
            (reverse("desk:page", args=(webinar.pk,)), _("Moderation desk")),
            (reverse("webinars:stage", args=(webinar.pk,)), _("Presenter’s page")),
            (reverse("webinars:watch", args=(webinar.pk,)), _("Doctors’ page")),
            (door, _("Door for uninvited doctors")),
            (reverse("admin:webinars_webinar_attendance", args=(webinar.pk,)), _("Attendance")),
            (reverse("recording", args=(webinar.pk,)), _("Recording and chapters")),
        )
        return format_html_join(SafeString(" · "), '<a class="underline" href="{}">{}</a>', pages)

    @display(description=_("Accreditation"))
    def accreditation(self, webinar: Webinar) -> SafeString:
        return beside.said_of(webinar.lesson)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The page runs in the programme's zone; what that is on the operator's own clock stands above the fields."""
        given = super().get_fieldsets(request, obj)
        if obj is None or obj.starts_at is None:
            return given
        with timezone.override(zone_of(person_of(request))):
            text = _("On your own clock it starts %(when)s.") % {"when": when(obj.starts_at)}
        return [
            (name, {**options, "description": text} if "starts_at" in options["fields"] else options)
            for name, options in given
        ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ROLES:
            course = Course.objects.filter(lessons__webinar=object_id(request))
            kwargs["queryset"] = people_of(course, part=db_field.name)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Webinar, form: Any, change: bool) -> None:
        warnings = save_schedule(
            webinar=obj,
            presenters=form.cleaned_data.get("presenters"),
            moderators=form.cleaned_data.get("moderators"),
            actor=person_of(request),
            request=request,
            now=timezone.now(),
        )
        for warning in warnings:
            messages.warning(request, warning)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that can do something now."""
        found = self.get_object(request, str(object_id))
        offered = _moves(found) if found else set()
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if one.action_name.removeprefix("webinars_webinar_") in offered]

    @action(
        description=_("Go live"),
        icon="podcasts",
        permissions=("change",),
        dialog={
            "title": _("Go live now?"),
            "description": _("Every doctor sees the webinar as live from this moment. It cannot be taken back."),
            "form_class": None,
            "form_submit_text": _("Go live"),
        },
    )
    def go_live(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, schedule.go_live, _("The webinar is live."))

    @action(
        description=_("End"),
        icon="stop_circle",
        permissions=("change",),
        dialog={
            "title": _("End this webinar?"),
            "description": _("It is over for everybody, and the recording is put together. It cannot be taken back."),
            "form_class": None,
            "form_submit_text": _("End the webinar"),
        },
    )
    def end(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, schedule.end_webinar, _("The webinar has ended."))

    @action(
        description=_("Release the recording"),
        icon="movie",
        permissions=("change",),
        dialog={
            "title": _("Release the recording?"),
            "description": _("Doctors can watch it from now on, as soon as it is ready."),
            "form_class": None,
            "form_submit_text": _("Release"),
        },
    )
    def release(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, schedule.release_recording, _("The recording is released."))

    @action(
        description=_("Cancel the webinar"),
        icon="event_busy",
        permissions=("change",),
        dialog={
            "title": _("Cancel this webinar?"),
            "description": _("Its page says so at once, and its doors stay closed. It cannot be taken back."),
            "form_class": CancelDialog,
            "form_submit_text": _("Cancel the webinar"),
        },
    )
    def cancel(self, request: HttpRequest, form: CancelDialog, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return self._move(request, object_id, schedule.cancel_webinar, _("The webinar is cancelled."), reason=reason)

    def _move(
        self, request: HttpRequest, object_id: str, move: Callable[..., Webinar], told: Any, **given: Any
    ) -> HttpResponse:
        webinar = self.object_or_404(request, object_id)
        with _telling(request):
            move(webinar_id=webinar.pk, actor=person_of(request), request=request, now=timezone.now(), **given)
            messages.success(request, told)
        return done(request, reverse("admin:webinars_webinar_change", args=(webinar.pk,)))


@contextmanager
def _telling(request: HttpRequest) -> Iterator[None]:
    """What the domain refuses is told to the person, not to the error log."""
    try:
        yield
    except schedule.ScheduleError as refused:
        messages.error(request, str(refused.message))


def _moves(webinar: Webinar) -> set[str]:
    match schedule.state_of(webinar, now=timezone.now()):
        case WebinarState.SCHEDULED | WebinarState.DOORS_OPEN:
            return {"go_live", "cancel"}
        case WebinarState.LIVE:
            return {"end"}
        case WebinarState.ENDED if webinar.recording_policy != RecordingPolicy.AUTOMATIC:
            return {"release"}
        case _:
            return set()
