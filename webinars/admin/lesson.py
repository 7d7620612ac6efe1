from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.decorators import display

from core.time import when
from courses.admin import LessonAdmin
from courses.enums import LessonKind
from courses.models import Course
from media.models import Video
from media.rules import videos_for
from webinars.admin.people import object_id, people_of
from webinars.domain.lessons import WebinarLessons
from webinars.forms import WebinarForm, WebinarFormSet
from webinars.models import Webinar


class WebinarInline(StackedInline):
    """The video side of a lesson: which video, who speaks, how much of it has to be watched."""

    lesson_kind = LessonKind.WEBINAR
    model = Webinar
    form = WebinarForm
    formset = WebinarFormSet
    fields = ("live", "video", "video_state", "same_recording", "presenters", "completion_percent")
    readonly_fields = ("live", "video_state")
    autocomplete_fields = ("video",)
    filter_horizontal = ("presenters",)
    can_delete = False
    max_num = 1
    extra = 1
    verbose_name = _("webinar")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Saving the lesson makes its webinar: there is always exactly one to fill in."""
        return False

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        made = super().get_formset(request, obj, **kwargs)
        made.request = request
        return made

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nobody is asked about a recording that nobody has watched."""
        asked = obj is not None and WebinarLessons().is_used(lesson=obj)
        return [name for name in super().get_fields(request, obj) if asked or name != "same_recording"]

    @display(description=_("Live webinar"))
    def live(self, webinar: Webinar) -> SafeString:
        """Its date and everything about the day have a page of their own."""
        address = reverse("admin:webinars_webinar_change", args=(webinar.pk,))
        text = when(webinar.starts_at) if webinar.starts_at else _("None")
        label = _("Change") if webinar.starts_at else _("Plan a live webinar")
        return format_html('{} · <a class="underline" href="{}">{}</a>', text, address, label)

    @display(description=_("State of the video"))
    def video_state(self, webinar: Webinar) -> SafeString:
        video = webinar.video
        if video is None:
            return format_html("{}", _("Choose one, or upload it with the + beside the list."))
        if video.is_busy:
            return format_html("{} · {} %", video.get_status_display(), video.progress_percent)
        if video.error_message:
            return format_html("{}: {}", video.get_status_display(), video.error_message)
        minutes = round((video.duration_seconds or 0) / 60)
        return format_html("{} · {} min", video.get_status_display(), minutes)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Videos this person may see, and the one that is shown already, whoever uploaded it."""
        if db_field.name == "video":
            mine = videos_for(request.user).values("pk")
            kwargs["queryset"] = Video.objects.filter(
                Q(pk__in=mine) | Q(webinars__lesson=object_id(request))
            ).distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Presenters of this programme, not a directory of everybody."""
        if db_field.name == "presenters":
            kwargs["queryset"] = people_of(Course.objects.filter(lessons=object_id(request)), part="presenters")
        return super().formfield_for_manytomany(db_field, request, **kwargs)


LessonAdmin.inlines += (WebinarInline,)
