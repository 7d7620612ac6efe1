"""The recording of a webinar, for its editors: what is cut, where chapters begin, how far the workers are."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.rules import person_of
from media.domain.grants import issue, issue_key
from media.domain.queries import sources
from media.storages import grant_backend
from media.storages.cookies import device_id_of
from webinars.domain.chapters import MOST_CHAPTERS, ChapterError, save_chapters
from webinars.domain.editing import (
    MOST_CUTS,
    EditError,
    Wanted,
    cuts_can_change,
    retry_edition,
    save_cuts,
    state_of_recording,
    undo_cuts,
)
from webinars.models import Webinar
from webinars.rules import get_moderated_webinar

PREVIEW_SECONDS = 600
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)|(\d{1,6})")


class ClockField(forms.CharField):
    """Whole seconds, written 1:02:03, 62:03 or 3723."""

    default_error_messages = {"clock": gettext_lazy("Write a time like 1:02:03 or 4:30.")}

    def clean(self, value: Any) -> int | None:
        text = super().clean(value).strip()
        if not text:
            return None
        found = _CLOCK.fullmatch(text)
        if found is None:
            raise forms.ValidationError(self.error_messages["clock"], code="clock")
        hours, minutes, seconds, plain = found.groups()
        return int(plain) if plain else int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)


def clock(seconds: float) -> str:
    """1:02:03 or 4:30."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


class CutForm(forms.Form):
    start = ClockField(label=gettext_lazy("From"), max_length=9)
    end = ClockField(label=gettext_lazy("To"), max_length=9)
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)


class ChapterForm(forms.Form):
    at = ClockField(label=gettext_lazy("At"), max_length=9)
    title = forms.CharField(label=gettext_lazy("Title"), max_length=120)


CutForms: Any = forms.formset_factory(CutForm, extra=2, can_delete=True, max_num=MOST_CUTS, validate_max=True)
ChapterForms: Any = forms.formset_factory(ChapterForm, extra=2, can_delete=True, max_num=MOST_CHAPTERS)


@require_http_methods(["GET", "HEAD", "POST"])
def editor(request: HttpRequest, webinar_id: int) -> HttpResponse:
    """The buttons are named: each form saves what is its own."""
    webinar = get_moderated_webinar(request.user, webinar_id)
    given = {"cuts": _cut_forms(webinar), "chapters": _chapter_forms(webinar)}
    if request.method == "POST":
        done = _ACTIONS.get(request.POST.get("do", ""), _nothing)(request, webinar, given)
        if done:
            return HttpResponseRedirect(reverse("recording", args=(webinar.pk,)))
    return _page(request, webinar, given)


def _save_cuts(request: HttpRequest, webinar: Webinar, given: dict[str, Any]) -> bool:
    given["cuts"] = filled = CutForms(request.POST, prefix="cuts")
    if not filled.is_valid():
        return False
    rows = [row for row in filled.cleaned_data if row and not row.get("DELETE")]
    wanted = [Wanted(row["start"], row["end"], row["reason"]) for row in rows]
    broadcast = webinar.broadcasts.get(is_rehearsal=False)
    made = _told(request, save_cuts, broadcast_id=broadcast.pk, cuts=wanted)
    if made is False:
        return False
    messages.success(
        request,
        _("The new version is being made. Viewers keep the former one until it is ready.")
        if made
        else _("Nothing was changed."),
    )
    return True


def _save_chapters(request: HttpRequest, webinar: Webinar, given: dict[str, Any]) -> bool:
    given["chapters"] = filled = ChapterForms(request.POST, prefix="chapters")
    if not filled.is_valid():
        return False
    rows = [row for row in filled.cleaned_data if row and not row.get("DELETE")]
    chapters = [(float(row["at"]), row["title"]) for row in rows]
    if _told(request, save_chapters, webinar_id=webinar.pk, chapters=chapters) is False:
        return False
    messages.success(request, _("The chapters are saved."))
    return True


def _undo(request: HttpRequest, webinar: Webinar, given: dict[str, Any]) -> bool:
    broadcast = webinar.broadcasts.get(is_rehearsal=False)
    made = _told(request, undo_cuts, broadcast_id=broadcast.pk)
    if made:
        messages.success(request, _("The cuts before the last change are back. The new version is being made."))
    return made is not False


def _retry(request: HttpRequest, webinar: Webinar, given: dict[str, Any]) -> bool:
    broadcast = webinar.broadcasts.get(is_rehearsal=False)
    if retry_edition(broadcast_id=broadcast.pk, now=now()):
        messages.success(request, _("It is tried again."))
    return True


def _nothing(request: HttpRequest, webinar: Webinar, given: dict[str, Any]) -> bool:
    return False


_ACTIONS = {"cuts": _save_cuts, "chapters": _save_chapters, "undo": _undo, "retry": _retry}


def _told(request: HttpRequest, change: Any, **what: Any) -> Any:
    """What the domain refuses is told to the person; False then."""
    try:
        return change(**what, actor=person_of(request), request=request, now=now())
    except (EditError, ChapterError) as refused:
        messages.error(request, refused.message)
        return False


def _cut_forms(webinar: Webinar) -> Any:
    broadcast = webinar.broadcasts.filter(is_rehearsal=False).first()
    cuts = broadcast.cuts.all() if broadcast else ()
    rows = [{"start": clock(cut.start), "end": clock(cut.end), "reason": cut.reason} for cut in cuts]
    return CutForms(initial=rows, prefix="cuts")


def _chapter_forms(webinar: Webinar) -> Any:
    rows = [{"at": clock(one.at_seconds), "title": one.title} for one in webinar.chapters.all()]
    return ChapterForms(initial=rows, prefix="chapters")


def _page(request: HttpRequest, webinar: Webinar, given: dict[str, Any]) -> HttpResponse:
    broadcast = webinar.broadcasts.filter(is_rehearsal=False).first()
    video = webinar.video
    state = state_of_recording(broadcast) if broadcast else None
    uncut = broadcast is not None and broadcast.epoch is not None and cuts_can_change(broadcast, now=now())
    shown = sources(video) if video and video.is_published else None
    context = {
        **admin.site.each_context(request),
        "title": _("Recording"),
        "webinar": webinar,
        "video": video,
        "broadcast": broadcast,
        "state": state,
        "can_cut": uncut and state is not None and state.uncut_seconds > 0,
        "gaps": [(clock(second), round(missing), second) for second, missing in (state.interruptions if state else ())],
        "uncut_source": grant_backend().url(broadcast.key, "live/master-full.m3u8") if uncut and broadcast else "",
        "shown": shown,
        "length": clock(state.uncut_seconds) if state else "",
        "shown_length": clock(state.shown_seconds) if state else "",
        **given,
    }
    response = TemplateResponse(request, "admin/webinars/recording.html", context)
    whose: dict[str, Any] = {"user_id": person_of(request).pk, "device_id": device_id_of(request), "now": now()}
    if uncut and broadcast:
        issue_key(response, key=broadcast.key, seconds=PREVIEW_SECONDS, **whose)
    if video and video.is_published:
        issue(response, video=video, **whose)
    return response


urlpatterns = [path("<int:webinar_id>/", admin.site.admin_view(editor), name="recording")]
