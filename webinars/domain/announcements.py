"""What moderators say and show to everybody in the room."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.prepared import Prepared
from webinars.domain.desk_log import log
from webinars.domain.room import post_event
from webinars.domain.texts import clean_line, clean_text
from webinars.enums import Audience, EventKind
from webinars.models import Pin, RoomEvent, Webinar

LONGEST_ANNOUNCEMENT = 500
LONGEST_TITLE = 120
LONGEST_URL = 500
_is_web_address = URLValidator(schemes=["https", "http"])


class PinError(Exception):
    message = _("Give a link that begins with https:// or http://.")


class PinNotFoundError(PinError):
    message = _("This link is not here any more.")


@transaction.atomic
def announce(
    *, webinar: Webinar, text: str, client_key: UUID, actor: User, request: HttpRequest | None = None, now: datetime
) -> dict[str, Any]:
    """To everybody, at once. The key is its number for pages: sent twice, it is said once."""
    payload = {"id": str(client_key), "text": clean_text(text, most=LONGEST_ANNOUNCEMENT)}
    # One desk after the other, so that the same key cannot be said by two requests at once.
    Webinar.objects.select_for_update(no_key=True).get(pk=webinar.pk)
    said = RoomEvent.objects.filter(webinar=webinar, kind=EventKind.ANNOUNCEMENT, payload__id=payload["id"]).first()
    if said is not None:
        return dict(said.payload)
    log("room.announced", webinar_id=webinar.pk, actor=actor, what=payload["text"], subject=webinar,
        request=request, now=now)  # fmt: skip
    post_event(webinar_id=webinar.pk, kind=EventKind.ANNOUNCEMENT, audience=Audience.ALL, payload=payload, now=now)
    return payload


_latest = Prepared[RoomEvent](
    lambda webinar: RoomEvent.objects.filter(webinar=webinar, kind=EventKind.ANNOUNCEMENT).order_by("-number")[:1]
)


def latest_announcement(*, webinar: Webinar) -> dict[str, Any] | None:
    """For a page that is opened after it was said."""
    found = _latest.first(webinar=webinar.pk)
    return {**found.payload, "at": found.at} if found else None


@transaction.atomic
def pin(
    *, webinar: Webinar, title: str, url: str, actor: User, request: HttpRequest | None = None, now: datetime
) -> Pin:
    """A link for everybody, until it is taken down. Only addresses of the web: never one that a browser would run."""
    title, url = clean_line(title, most=LONGEST_TITLE), clean_line(url, most=LONGEST_URL)
    try:
        _is_web_address(url)
    except ValidationError as error:
        raise PinError from error
    made = Pin.objects.create(webinar=webinar, title=title, url=url, created_by=actor, created_at=now)
    _tell(made, "room.pinned", actor, request, now)
    return made


@transaction.atomic
def unpin(*, webinar: Webinar, pin_id: int, actor: User, request: HttpRequest | None = None, now: datetime) -> None:
    """Idempotent: the second desk posts nothing."""
    found = Pin.objects.select_for_update().filter(pk=pin_id, webinar=webinar).first()
    if found is None:
        raise PinNotFoundError
    if found.removed_at is None:
        found.removed_at = now
        found.save(update_fields=["removed_at"])
        _tell(found, "room.unpinned", actor, request, now)


_pins = Prepared[Pin](lambda webinar: Pin.objects.filter(webinar=webinar, removed_at=None))


def pins_of(*, webinar: Webinar) -> list[dict[str, Any]]:
    return [pin_payload(one) for one in _pins.rows(webinar=webinar.pk)]


def pin_payload(one: Pin) -> dict[str, Any]:
    return {"id": one.pk, "title": one.title, "url": one.url, "removed": one.removed_at is not None}


def _tell(one: Pin, did: str, actor: User, request: HttpRequest | None, now: datetime) -> None:
    log(did, webinar_id=one.webinar_id, actor=actor, what=one.title, subject=one, request=request, now=now)
    post_event(
        webinar_id=one.webinar_id, kind=EventKind.PINNED, audience=Audience.ALL, payload=pin_payload(one), now=now
    )
