"""Stream keys: what a presenter's program signs in with. The key itself is shown once; only its SHA-256 is kept."""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from webinars.enums import StreamProblem
from webinars.models import PublishSession, StreamKey, Webinar
from webinars.rules import Part, part_of

SECRET_BYTES = 24  # 32 characters of URL-safe base64


class StreamKeyError(Exception):
    """The key was not made; `message` is for the person who wanted it."""

    message = _("Only presenters and moderators of this webinar can have a stream key.")


@transaction.atomic
def make_key(
    *, webinar: Webinar, presenter: User, actor: User | None = None, request: HttpRequest | None = None, now: datetime
) -> tuple[StreamKey, str]:
    """A new key; the one before ends with it, and so does a stream that uses it. Show the second value once."""
    if not may_stream(presenter, webinar):
        raise StreamKeyError
    Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=webinar.pk)
    for old in StreamKey.objects.filter(webinar=webinar, presenter=presenter, revoked_at=None):
        _revoke(old, now=now)
    raw = f"{webinar.pk}-{secrets.token_urlsafe(SECRET_BYTES)}"
    key = StreamKey.objects.create(
        webinar=webinar, presenter=presenter, digest=digest_of(raw), ending=raw[-4:], created_at=now
    )
    details = {"presenter": presenter.pk, "ending": key.ending}
    audit.record(
        "stream_key.made", actor=actor or presenter, subject=webinar, request=request, details=details, now=now
    )
    return key, raw


@transaction.atomic
def revoke_key(*, key: StreamKey, actor: User | None, request: HttpRequest | None = None, now: datetime) -> None:
    """A stream that uses it ends within seconds. Idempotent."""
    if _revoke(key, now=now):
        details = {"presenter": key.presenter_id, "ending": key.ending}
        audit.record("stream_key.revoked", actor=actor, subject=key.webinar, request=request, details=details, now=now)


def find_key(raw: str) -> StreamKey | None:
    """One hash and one look-up whatever is given, so an unknown key takes as long as a known one."""
    return (
        StreamKey.objects.select_related("webinar__lesson__course__programme", "webinar__video", "presenter")
        .filter(digest=digest_of(raw), revoked_at=None)
        .first()
    )


def digest_of(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


def named_webinar(raw: str) -> int | None:
    """The webinar that a key claims to be for. Not a secret, and no proof of anything."""
    number = raw.partition("-")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else None


def may_stream(user: User, webinar: Webinar) -> bool:
    """Presenters, and who runs the webinar. Asked again all the time: somebody may be taken off, or lose the role."""
    return user.is_active and part_of(user, webinar) in {Part.PRESENTER, Part.MODERATOR}


def _revoke(key: StreamKey, *, now: datetime) -> bool:
    if not StreamKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        return False
    key.revoked_at = now
    PublishSession.objects.filter(stream_key=key, ended_at=None, must_end="").update(must_end=StreamProblem.WRONG_KEY)
    return True
