"""Who is behind a socket, whether they may stay, and what greets them. Every function is one or two queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.domain.devices import device_of_session
from accounts.enums import DeviceEnd
from core.languages import spoken
from webinars.domain.queries import playback_state
from webinars.enums import Refusal
from webinars.models import PlaySession
from webinars.realtime.frames import Bye
from webinars.rules import get_webinar_for


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a socket was let in for. The device and the way into the webinar can be taken away while it is open."""

    user_id: int
    device_id: UUID
    webinar_id: int
    language: str


@dataclass(frozen=True, slots=True)
class Greeting:
    phase: str
    position: float
    seen: int
    required: int


class NotSignedInError(Exception):
    """The session cookie belongs to no open device."""


class SessionRefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def admit(*, session_key: str, webinar_id: int, now: datetime) -> Viewer:
    """Raises NotSignedInError, and Http404 for a webinar that is absent or not for this person."""
    device = device_of_session(session_key, now=now)
    if device is None:
        raise NotSignedInError
    webinar = get_webinar_for(device.user, webinar_id)
    language = spoken(device.user.language)
    return Viewer(device.user_id, device.pk, webinar.pk, language)


def greet(*, viewer: Viewer, session: str) -> Greeting:
    """Checks the play session of a hello; a foreign one is as unknown as one that never was."""
    found = (
        PlaySession.objects.filter(pk=session, user=viewer.user_id, webinar=viewer.webinar_id)
        .select_related("webinar__video", "device", "user")
        .first()
    )
    if found is None:
        raise SessionRefusedError(Refusal.UNKNOWN_SESSION)
    if found.ended_at is not None or found.device.ended_at is not None:
        raise SessionRefusedError(Refusal.SESSION_ENDED)
    state = playback_state(webinar=found.webinar, user=found.user)
    return Greeting(found.phase, state.position, state.seen, found.required_seconds)


# One query for all sockets of a process: `rules.webinars_for`, for many people at once; a test holds the two together.
# A device that was deleted counts as ended.
_REVOKED = """
SELECT v.i, d.ended_reason, d.id IS NULL OR d.ended_at IS NOT NULL OR NOT u.is_active
FROM unnest(%s::int4[], %s::uuid[], %s::int8[], %s::int8[]) AS v (i, device_id, user_id, webinar_id)
LEFT JOIN accounts_device d ON d.id = v.device_id
LEFT JOIN accounts_user u ON u.id = v.user_id
LEFT JOIN webinars_webinar w ON w.id = v.webinar_id
LEFT JOIN courses_lesson l ON l.id = w.lesson_id
LEFT JOIN courses_course c ON c.id = l.course_id
LEFT JOIN courses_programme p ON p.id = c.programme_id
WHERE d.id IS NULL OR d.ended_at IS NOT NULL OR NOT u.is_active OR w.id IS NULL
    OR NOT (
        u.is_superuser
        OR c.status = 'published' AND p.status = 'published' AND EXISTS (
            SELECT FROM courses_enrolment e
            WHERE e.user_id = v.user_id AND e.programme_id = p.id AND e.status IN ('active', 'completed')
        )
        OR EXISTS (
            SELECT FROM courses_rolegrant g
            WHERE g.user_id = v.user_id AND (g.programme_id IS NULL OR g.programme_id = p.id)
                AND g.role IN ('presenter', 'moderator', 'operator')
        )
    )
"""


def revoked(viewers: Sequence[Viewer]) -> dict[Viewer, Bye]:
    """Those who may not stay, and why."""
    with connection.cursor() as cursor:
        cursor.execute(
            _REVOKED,
            [
                list(range(len(viewers))),
                [one.device_id for one in viewers],
                [one.user_id for one in viewers],
                [one.webinar_id for one in viewers],
            ],
        )
        rows = cursor.fetchall()
    return {
        viewers[index]: _reason(ended_reason or "", signed_out=signed_out) for index, ended_reason, signed_out in rows
    }


def _reason(ended_reason: str, *, signed_out: bool) -> Bye:
    if not signed_out:
        return Bye.NOT_ENROLLED
    return Bye.SIGNED_OUT if ended_reason == DeviceEnd.SIGNED_OUT else Bye.DEVICE_ENDED
