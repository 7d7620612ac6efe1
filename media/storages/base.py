"""What every kind of grant does, and the names that media may have."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

PUBLIC_PATH = "/media/videos"
CONTENT_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "ts": "video/mp2t",
    "mp4": "video/mp4",
    "jpg": "image/jpeg",
    "vtt": "text/vtt; charset=utf-8",
}
# Every name this app writes fits; anything else (dots, encoded slashes, NUL, absolute paths) is refused unseen.
_NAME = re.compile(r"[a-z0-9]{1,40}(/[a-z0-9]{1,40}){0,2}/[a-z0-9][a-z0-9-]{0,60}\.(m3u8|ts|mp4|jpg|vtt)")


class GrantRefused(Exception):  # noqa: N818 - named after what happens, like the other refusals
    """No valid grant. The reason goes to the log; the viewer only learns 403."""


@dataclass(frozen=True)
class Grant:
    """Who may see one asset until when."""

    key: UUID
    user_id: int
    device_id: UUID | None
    expires_at: datetime


class GrantBackend(ABC):
    """Lets a browser at the files of one video for at most ten minutes."""

    @abstractmethod
    def issue(self, response: HttpResponse, *, grant: Grant, now: datetime) -> None:
        """Puts the grant into the response's cookies."""

    @abstractmethod
    def url(self, key: UUID, name: str) -> str:
        """The address of a file, which works only with a grant."""

    @abstractmethod
    def serve(self, request: HttpRequest, *, key: UUID, name: str, now: datetime) -> HttpResponseBase:
        """Answers a request for a file that reached Django, or raises `GrantRefused`."""


def require_media_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise GrantRefused("no name of ours")
