"""Signed delivery for browsers, and the upload protocol for staff. The admin gives the latter their addresses."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import resolve, reverse
from django.urls.exceptions import Resolver404
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from core.logging import get_logger
from media import rules
from media.domain.uploads import (
    UploadClosed,
    UploadIncomplete,
    begin_upload,
    cancel_upload,
    complete_upload,
    finished_parts,
    part_target,
    receive_part,
)
from media.domain.videos import NothingToRetry, SourceRefused, retry_video
from media.forms import BeginUploadForm
from media.models import Upload, Video
from media.storages import GrantRefused, grant_backend
from media.storages.base import require_media_name
from media.storages.cookies import verify_cookie
from media.storages.parts import PartRejected

log = get_logger("media")
MAX_JSON_BYTES = 16 * 1024
View = Callable[..., HttpResponseBase]


@require_safe
def deliver(request: HttpRequest, key: UUID, name: str) -> HttpResponseBase:
    """Every file of a published video. 403 for anybody without a grant, whether the file exists or not."""
    try:
        require_media_name(name)
        return grant_backend().serve(request, key=key, name=name, now=now())
    except GrantRefused as refused:
        return _refuse(key, refused)


@require_safe
@never_cache
def check_grant(request: HttpRequest) -> HttpResponse:
    """For nginx's auth_request: 204 or 403 for the address in X-Original-URI, judged as Django would route it."""
    path = unquote(request.headers.get("X-Original-URI", "").partition("?")[0])
    key = None
    try:
        asked = resolve(path)
        if asked.func is deliver:
            key = asked.kwargs["key"]
            require_media_name(asked.kwargs["name"])
            verify_cookie(request, key=key, now=now())
            return HttpResponse(status=204)
    except GrantRefused as refused:
        return _refuse(key, refused)
    except Resolver404:
        return _refuse(key, "no address of ours")
    return _refuse(key, "no media address")


def _refuse(key: UUID | None, refused: object) -> HttpResponse:
    log.info("media.refused", video=str(key), reason=str(refused))
    return HttpResponse(status=403, content_type="text/plain", headers={"Cache-Control": "private, no-store"})


def upload_protocol(view: View) -> View:
    """Refusals as JSON that the page can show: 400 for what is wrong with the file, 409 for the upload's state."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (SourceRefused, PartRejected) as error:
            return JsonResponse({"error": str(error)}, status=400)
        except UnreadablePostError:
            return JsonResponse({"error": "the connection broke"}, status=400)
        except UploadClosed:
            return JsonResponse({"error": "closed"}, status=409)
        except UploadIncomplete as error:
            return JsonResponse({"error": str(error), "missing": error.missing}, status=409)

    return wrapped


@require_POST
@upload_protocol
def begin(request: HttpRequest) -> HttpResponse:
    user = rules.uploader(request.user)
    form = BeginUploadForm(_json(request))
    if not form.is_valid():
        raise SourceRefused("; ".join(f"{field}: {errors[0]}" for field, errors in form.errors.items()))
    asked = form.cleaned_data
    video = rules.get_video_for(user, asked["video"]) if asked["video"] else None
    upload = begin_upload(
        user=user,
        name=asked["name"],
        size=asked["size"],
        fingerprint=asked["fingerprint"],
        title=asked["title"],
        video=video,
        now=now(),
    )
    return JsonResponse(_state(upload))


@require_GET
@upload_protocol
def state(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    return JsonResponse(_state(rules.get_upload_for(request.user, upload_id)))


@require_http_methods(["POST", "PUT"])
@upload_protocol
def part(request: HttpRequest, upload_id: UUID, number: int) -> HttpResponse:
    """POST asks where the part goes; PUT brings it when the answer was: here."""
    upload = rules.get_upload_for(request.user, upload_id)
    if request.method == "POST":
        target = part_target(upload=upload, number=number, now=now())
        return JsonResponse({"url": target.url, "size": target.size})
    try:
        size = int(request.headers.get("Content-Length", ""))
    except ValueError as error:
        raise PartRejected("the length of the part is missing") from error
    done = receive_part(upload=upload, number=number, size=size, read=request.read, now=now())
    return JsonResponse({"number": done.number, "checksum": done.checksum})


@require_POST
@upload_protocol
def complete(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    upload = rules.get_upload_for(request.user, upload_id)
    video = complete_upload(upload_id=upload.pk, now=now())
    return JsonResponse({"video": video.pk, "url": _change_url(video)})


@require_POST
@upload_protocol
def cancel(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    cancel_upload(upload=rules.get_upload_for(request.user, upload_id), now=now())
    return JsonResponse({})


@require_GET
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """What the bars in the admin ask for every two seconds while something moves. One query."""
    wanted = {int(one) for one in request.GET.get("ids", "").split(",")[:200] if one.isdecimal() and len(one) < 16}
    videos = rules.videos_for(request.user).filter(pk__in=wanted).order_by("pk")
    return JsonResponse({"videos": [describe_status(video) for video in videos]})


@require_POST
def retry(request: HttpRequest, video_id: int) -> HttpResponse:
    video = rules.get_video_for(request.user, video_id)
    rules.uploader(request.user)
    try:
        retry_video(video=video, now=now())
    except NothingToRetry:
        return JsonResponse({"error": "nothing to retry"}, status=409)
    video.refresh_from_db()
    return JsonResponse(describe_status(video))


def describe_status(video: Video) -> dict[str, Any]:
    return {
        "id": video.pk,
        "status": video.status,
        "label": video.get_status_display(),
        "stage": video.get_stage_display() if video.stage else "",
        "percent": video.progress_percent,
        "busy": video.is_busy,
        "error": video.error_message,
        "what_to_do": video.what_to_do,
        "published": video.is_published,
    }


def _state(upload: Upload) -> dict[str, Any]:
    return {
        "id": str(upload.pk),
        "status": upload.status,
        "size": upload.size_bytes,
        "part_bytes": upload.part_bytes,
        "parts": upload.part_count,
        "done": finished_parts(upload=upload),
        "part_url": reverse("admin:media_upload_part", args=[upload.pk, 0]),
        "complete_url": reverse("admin:media_upload_complete", args=[upload.pk]),
        "cancel_url": reverse("admin:media_upload_cancel", args=[upload.pk]),
        "video_url": _change_url(upload.video),
    }


def _change_url(video: Video) -> str:
    return reverse("admin:media_video_change", args=[video.pk])


def _json(request: HttpRequest) -> dict[str, Any]:
    if int(request.headers.get("Content-Length") or 0) > MAX_JSON_BYTES:
        raise SourceRefused("the request is too long")
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise SourceRefused("the request is no JSON") from error
    if not isinstance(body, dict):
        raise SourceRefused("the request is no JSON object")
    return body
