"""The watch page, and the little page that keeps its media grant alive where no script runs."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts.models import Device, User
from courses.rules import may_preview
from media.domain.grants import issue
from media.domain.queries import VideoSources, sources
from webinars.domain.course_page import CoursePage, read_course_page
from webinars.models import Webinar
from webinars.rules import get_webinar_for

SPEEDS = (0.75, 1, 1.25, 1.5, 1.75, 2)
# Well inside the shortest grant: a page that comes back a little late still finds the old one valid.
KEEP_ALIVE_SHARE = 0.4


class DeviceRequest(HttpRequest):
    """What `login_required` lets through, behind the device middleware."""

    user: User
    device: Device


@require_safe
@login_required
def watch(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    now = timezone.now()
    webinar = get_webinar_for(request.user, webinar_id)
    page = read_course_page(webinar=webinar, user=request.user, now=now)
    ahead = page.is_preview and may_preview(request.user, webinar.lesson.course.programme)
    context: dict[str, Any] = {
        "webinar": webinar,
        "page": page,
        "may_preview": ahead,
        "presenters": [person.get_full_name() for person in webinar.presenters.all()],
    }
    if not is_playable(webinar, page, ahead):
        return render(request, "webinars/not_now.html", context)
    found = sources(webinar.video) if webinar.video else None
    context |= {"sources": found, "mark": mark_of(request.user), "speeds": SPEEDS}
    context["player"] = player_settings(request, webinar, page, found)
    response = render(request, "webinars/watch.html", context)
    return with_grant(response, request, webinar)


@require_safe
@login_required
@xframe_options_sameorigin
def keep_alive(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    """Shown in an invisible frame of the watch page to browsers without JavaScript; renews the grant by reloading."""
    webinar = get_webinar_for(request.user, webinar_id)
    page = read_course_page(webinar=webinar, user=request.user, now=timezone.now())
    ahead = page.is_preview and may_preview(request.user, webinar.lesson.course.programme)
    if not is_playable(webinar, page, ahead):
        raise Http404
    refresh = int(settings.MEDIA_GRANT_SECONDS * KEEP_ALIVE_SHARE)
    response = render(request, "webinars/keep_alive.html", {"refresh_seconds": refresh})
    return with_grant(response, request, webinar)


def is_playable(webinar: Webinar, page: CoursePage, ahead: bool) -> bool:
    """`ahead`: to staff who look at it as a preview, dates and order are no matter."""
    return webinar.video is not None and webinar.video.is_published and (ahead or page.current.availability.is_open)


def with_grant(response: HttpResponse, request: DeviceRequest, webinar: Webinar) -> HttpResponse:
    if webinar.video:
        device, now = request.device, timezone.now()
        issue(response, video=webinar.video, user_id=request.user.pk, device_id=device.pk, now=now)
    return response


def mark_of(user: User) -> str:
    """What moves over the picture: enough to find the person who filmed the screen."""
    number = " ".join(part for part in (user.medical_council, user.registration_number) if part)
    return f"{user.get_full_name()} · {number or user.email}"


def player_settings(
    request: HttpRequest, webinar: Webinar, page: CoursePage, found: VideoSources | None
) -> dict[str, Any]:
    """Everything the scripts need, so that they ask for nothing before the first play."""
    api = f"/api/v1/webinars/{webinar.pk}"
    return {
        "webinar": webinar.pk,
        "user": str(request.user.pk),
        "csrf": get_token(request),
        "duration": webinar.video.duration_seconds if webinar.video else 0,
        "position": page.resume_at,
        "coverage": page.watched.coverage,
        "required": page.watched.required,
        "is_done": page.current.completed_at is not None,
        "grant_seconds": settings.MEDIA_GRANT_SECONDS,
        "sources": {name: getattr(found, name) for name in ("hls", "mp4", "audio", "poster", "sprite")},
        "urls": {
            "sessions": f"{api}/play-sessions/",
            "beats": "/api/v1/webinars/{webinar}/beats/",
            "playback": "/api/v1/webinars/{webinar}/playback/",
            "socket": f"/ws/webinars/{webinar.pk}/",
            "keep_alive": reverse("webinars:keep_alive", args=[webinar.pk]),
        },
    }
