"""Grants for a small site and for development: Django checks the cookie and sends the file itself."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

from media.storages import media_storage
from media.storages.base import CONTENT_TYPES, PUBLIC_PATH, Grant, GrantBackend
from media.storages.cookies import set_cookie, verify_cookie

# Nothing under a version ever changes; private, because a shared cache asks nobody for a grant.
SEGMENT_CACHE_SECONDS = 600
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_BLOCK = 256 * 1024


class LocalGrants(GrantBackend):
    def issue(self, response: HttpResponse, *, grant: Grant, now: datetime) -> None:
        set_cookie(response, grant)

    def url(self, key: UUID, name: str) -> str:
        return f"{PUBLIC_PATH}/{key}/{name}"

    def serve(self, request: HttpRequest, *, key: UUID, name: str, now: datetime) -> HttpResponseBase:
        verify_cookie(request, key=key, now=now)
        return describe(request, name, self.respond(request, key=key, name=name))

    def respond(self, request: HttpRequest, *, key: UUID, name: str) -> HttpResponseBase:
        try:
            file = media_storage().open(f"videos/{key}/{name}")
        except (FileNotFoundError, IsADirectoryError) as error:
            raise Http404 from error
        return send_range(request, file, file.size)


def describe(request: HttpRequest, name: str, response: HttpResponseBase) -> HttpResponseBase:
    suffix = name.rpartition(".")[2]
    response["Content-Type"] = CONTENT_TYPES[suffix]
    if suffix == "m3u8" or response.status_code >= 400:
        patch_cache_control(response, private=True, no_store=True)
    else:
        patch_cache_control(response, private=True, max_age=SEGMENT_CACHE_SECONDS)
    if suffix == "mp4" and request.GET.get("download") == "1":
        response["Content-Disposition"] = 'attachment; filename="lecture.mp4"'
    elif "Content-Disposition" in response:
        del response["Content-Disposition"]
    return response


def send_range(request: HttpRequest, file: IO[bytes], size: int) -> HttpResponseBase:
    """One range or the whole file; several ranges at once are answered with the whole file, as RFC 9110 allows."""
    wanted = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if not wanted or wanted.group() == "bytes=-":
        whole = FileResponse(file)
        whole["Content-Length"] = str(size)
        whole["Accept-Ranges"] = "bytes"
        return whole
    start, end = _bounds(*wanted.groups(), size=size)
    if start >= min(end, size):
        file.close()
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    part = StreamingHttpResponse(_Part(file, start, end), status=206)
    part["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    part["Content-Length"] = str(end - start)
    part["Accept-Ranges"] = "bytes"
    return part


def _bounds(first: str, last: str, *, size: int) -> tuple[int, int]:
    """Half-open; `bytes=-500` means the last 500."""
    if not first:
        return max(0, size - int(last)), size if int(last) else 0
    return int(first), min(size, int(last) + 1) if last else size


class _Part:
    """Bytes `start` to `end` of a file. A class, because Django closes it even when nobody read from it (HEAD)."""

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self.file, self.start, self.end = file, start, end

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.start)
        left = self.end - self.start
        while left and (block := self.file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block

    def close(self) -> None:
        self.file.close()
