"""The video library for staff: upload, progress, faults with their cure, captions, preview."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from accounts.domain.audit import record
from accounts.models import User
from core.time import when
from media import rules, views
from media.domain.captions import remove_caption, set_caption
from media.domain.grants import issue
from media.domain.queries import sources
from media.domain.videos import SUFFIXES, delete_video, rename_video
from media.enums import UploadStatus
from media.ffmpeg.probe import in_clock_words
from media.forms import CaptionForm
from media.models import Caption, Upload, Video
from media.storages.cookies import device_id_of

VideoFormSet = BaseInlineFormSet[Any, Video, Any]


class CaptionInline(TabularInline):
    """Rows are added and removed, never edited: a corrected file is a new file under a new name."""

    model = Caption
    form = CaptionForm
    fields = ("language", "label", "file")
    extra = 0
    tab = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ()


@admin.register(Video)
class VideoAdmin(ModelAdmin):
    list_display = ("title", "state", "length", "picture", "created_by", "created")
    list_filter = ("status",)
    list_per_page = 50
    search_fields = ("title", "source_name")
    fields = ("title",)
    inlines = (CaptionInline,)
    change_form_before_template = "admin/media/video/_panel.html"
    compressed_fields = True

    class Media:
        css = {"all": ["css/pages/upload.css"]}
        js = [forms.Script("js/video-status.js", type="module")]

    @admin.display(description=_("Status"), ordering="status")
    def state(self, video: Video) -> str:
        return render_to_string("admin/media/video/_status.html", {"video": video})

    @admin.display(description=_("Length"), ordering="duration_seconds")
    def length(self, video: Video) -> str:
        return in_clock_words(video.duration_seconds) if video.duration_seconds else "–"

    @admin.display(description=_("Picture"))
    def picture(self, video: Video) -> str:
        return f"{video.width} × {video.height}" if video.width else "–"

    @admin.display(description=_("Added"), ordering="created_at")
    def created(self, video: Video) -> str:
        return when(video.created_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        return rules.videos_for(request.user).select_related("created_by")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("upload/", wrap(self.upload_view), name="media_video_upload"),
            path("status/", wrap(views.status), name="media_video_status"),
            path("uploads/", wrap(views.begin), name="media_upload_begin"),
            path("uploads/<uuid:upload_id>/", wrap(views.state), name="media_upload_state"),
            path("uploads/<uuid:upload_id>/parts/<int:number>/", wrap(views.part), name="media_upload_part"),
            path("uploads/<uuid:upload_id>/complete/", wrap(views.complete), name="media_upload_complete"),
            path("uploads/<uuid:upload_id>/cancel/", wrap(views.cancel), name="media_upload_cancel"),
            path("<int:video_id>/retry/", wrap(views.retry), name="media_video_retry"),
            path("<int:video_id>/preview/", wrap(self.preview_view), name="media_video_preview"),
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        """A video begins with its file."""
        return HttpResponseRedirect(reverse("admin:media_video_upload"))

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """`?video=<id>` replaces that video's file; viewers keep the old one until the new one is ready."""
        user = rules.uploader(request.user)
        wanted = request.GET.get("video", "")
        video = rules.get_video_for(user, int(wanted)) if wanted.isdecimal() else None
        pending = Upload.objects.filter(created_by=user, status=UploadStatus.OPEN).select_related("video")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Replace the file") if video else _("Upload a video"),
            "opts": self.opts,
            "video": video,
            "pending": pending[:10],
            "accept": ",".join(sorted(SUFFIXES)),
        }
        return TemplateResponse(request, "admin/media/video/upload.html", context)

    def preview_view(self, request: HttpRequest, video_id: int) -> HttpResponse:
        """Issues the same short grant that doctors get; the page asks for itself again to renew it."""
        video = rules.get_video_for(request.user, video_id)
        context = {
            **self.admin_site.each_context(request),
            "title": video.title,
            "opts": self.opts,
            "video": video,
            "sources": sources(video) if video.is_published else None,
            "renditions": video.renditions.all(),
        }
        response = TemplateResponse(request, "admin/media/video/preview.html", context)
        user = request.user
        if video.is_published and isinstance(user, User):
            at = now()
            record("video.previewed", actor=user, subject=video, request=request, now=at)
            issue(response, video=video, user_id=user.pk, device_id=device_id_of(request), now=at)
        return response

    def save_model(self, request: HttpRequest, obj: Video, form: Any, change: bool) -> None:
        rename_video(video=obj, title=obj.title, now=now())

    def save_formset(self, request: HttpRequest, form: Any, formset: VideoFormSet, change: bool) -> None:
        at = now()
        formset.save(commit=False)
        for caption in formset.deleted_objects:
            remove_caption(caption=caption, now=at)
        for row in formset.extra_forms:
            if row.has_changed() and not row.cleaned_data.get("DELETE"):
                made = row.cleaned_data
                set_caption(
                    video=form.instance, language=made["language"], label=made["label"], data=made["file"], now=at
                )

    def delete_model(self, request: HttpRequest, obj: Video) -> None:
        at = now()
        actor = request.user if isinstance(request.user, User) else None
        record("video.deleted", actor=actor, subject=obj, request=request, details={"title": obj.title}, now=at)
        delete_video(video=obj, now=at)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        for video in queryset:
            self.delete_model(request, video)
