"""Who is behind a socket, whether they may stay, and what greets them. Every function is one or two queries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.domain.devices import could_be_session_key, is_expired
from accounts.enums import DeviceEnd
from accounts.models import Device, User
from core.languages import spoken
from core.prepared import Prepared
from webinars.domain.queries import playback_state
from webinars.enums import Refusal
from webinars.models import PlaySession
from webinars.realtime.frames import Bye
from webinars.realtime.ring import Reader
from webinars.rules import Part


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a socket was let in for. The device and the way into the webinar can be taken away while it is open."""

    user_id: int
    device_id: UUID
    webinar_id: int
    language: str
    part: Part = Part.ATTENDEE
    country: str = ""
    reads: bool = True  # published questions
    has_place: bool = True
    is_held_back: bool = False  # staff, whose second step this device has not taken: what the desk hears waits for it

    @property
    def reader(self) -> Reader:
        part = Part.ATTENDEE if self.is_held_back else self.part
        return Reader(part, self.user_id, self.reads and self.has_place, self.has_place)


@dataclass(frozen=True, slots=True)
class Greeting:
    phase: str
    position: float
    seen: int
    required: int


class SessionRefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Knock:
    """A socket that wants to be let in."""

    session_key: str
    webinar_id: int


def admit(knocks: Sequence[Knock], *, now: datetime) -> list[Viewer | Bye]:
    """All who knocked in the same moments, in one query; for each who it is, or why not."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ADMITTED,
            [
                list(range(len(knocks))),
                [one.session_key if could_be_session_key(one.session_key) else "" for one in knocks],
                [one.webinar_id for one in knocks],
            ],
        )
        rows = cursor.fetchall()
    found: list[Viewer | Bye] = [Bye.SIGNED_OUT] * len(knocks)
    for (
        index,
        device_id,
        user_id,
        created_at,
        seen_at,
        is_staff,
        language,
        country,
        enters,
        removed,
        part,
        reads,
        has_place,
        is_held_back,
    ) in rows:
        device = Device(created_at=created_at, last_seen_at=seen_at)
        if is_expired(device, user=User(is_staff=is_staff), now=now):
            continue
        if not enters:
            found[index] = Bye.NOT_ENROLLED
        elif removed:
            found[index] = Bye.REMOVED
        else:
            of = (user_id, device_id, knocks[index].webinar_id, spoken(language), Part(part), country)
            found[index] = Viewer(*of, reads=reads, has_place=has_place, is_held_back=is_held_back)
    return found


_session = Prepared[PlaySession](
    lambda session, user, webinar: PlaySession.objects.filter(pk=session, user=user, webinar=webinar).select_related(
        "webinar__video", "device", "user"
    )
)


def greet(*, viewer: Viewer, session: str) -> Greeting:
    """Checks the play session of a hello; a foreign one is as unknown as one that never was."""
    found = _session.first(session=UUID(session), user=viewer.user_id, webinar=viewer.webinar_id)
    if found is None:
        raise SessionRefusedError(Refusal.UNKNOWN_SESSION)
    if found.ended_at is not None or found.device.ended_at is not None:
        raise SessionRefusedError(Refusal.SESSION_ENDED)
    state = playback_state(webinar=found.webinar, user=found.user)
    return Greeting(found.phase, state.position, state.seen, found.required_seconds)


# What `rules.webinars_for`, `part_of` and `is_restricted` say, for many people at once; tests hold them together.
_ENTERS = """(
    u.is_superuser
    OR c.status = 'published' AND p.status = 'published' AND EXISTS (
        SELECT FROM courses_enrolment e
        WHERE e.user_id = u.id AND e.programme_id = p.id AND e.status IN ('active', 'completed')
    )
    OR EXISTS (
        SELECT FROM courses_rolegrant g
        WHERE g.user_id = u.id AND (g.programme_id IS NULL OR g.programme_id = p.id)
            AND g.role IN ('presenter', 'moderator', 'operator')
    )
)"""
_PART = """CASE
    WHEN u.is_superuser OR EXISTS (
        SELECT FROM courses_rolegrant g
        WHERE g.user_id = u.id AND (g.programme_id IS NULL OR g.programme_id = p.id)
            AND g.role IN ('moderator', 'operator')
    ) THEN 'moderator'
    WHEN EXISTS (SELECT FROM webinars_webinar_presenters m WHERE m.webinar_id = w.id AND m.user_id = u.id)
        AND EXISTS (
            SELECT FROM courses_rolegrant g
            WHERE g.user_id = u.id AND (g.programme_id IS NULL OR g.programme_id = p.id) AND g.role = 'presenter'
        )
        THEN 'presenter'
    ELSE 'attendee'
END"""
_IS_REMOVED = """EXISTS (
    SELECT FROM webinars_personrestriction r
    WHERE r.webinar_id = w.id AND r.user_id = u.id AND r.kind = 'removed' AND r.lifted_at IS NULL
)"""
# As `domain.registrations.has_place` says it.
_HAS_PLACE = f"""(
    NOT w.needs_registration OR w.starts_at IS NULL OR w.ended_at IS NOT NULL OR {_PART} <> 'attendee'
    OR EXISTS (
        SELECT FROM webinars_registration t
        WHERE t.webinar_id = w.id AND t.user_id = u.id AND t.cancelled_at IS NULL
    )
)"""
# As `domain.lanes` says it: a person's own row comes before that of their part, and without one everybody reads.
_READS = f"""(
    SELECT a.level FROM webinars_laneaccess a
    WHERE a.webinar_id = w.id AND a.lane = 'published' AND (a.user_id = u.id OR a.role = {_PART})
    ORDER BY a.user_id NULLS LAST LIMIT 1
) IS DISTINCT FROM 'none'"""  # noqa: S608  # put together from the constant above
_WEBINAR = """
LEFT JOIN webinars_webinar w ON w.id = v.webinar_id
LEFT JOIN courses_lesson l ON l.id = w.lesson_id
LEFT JOIN courses_course c ON c.id = l.course_id
LEFT JOIN courses_programme p ON p.id = c.programme_id
"""
# Who may go on with a live picture that was opened before, for rows `v` with a device and a webinar.
STAYS = f"(d.ended_at IS NULL AND u.is_active AND {_ENTERS} AND NOT {_IS_REMOVED} AND {_HAS_PLACE})"
OF_A_DEVICE = f"""
LEFT JOIN accounts_device d ON d.id = v.device_id
LEFT JOIN accounts_user u ON u.id = d.user_id
{_WEBINAR}
"""
# An absent webinar is one that the person may not enter, whoever it is.
_ADMITTED = f"""
SELECT v.i, d.id, u.id, d.created_at, d.last_seen_at, u.is_staff, u.language, u.country,
    w.id IS NOT NULL AND {_ENTERS}, {_IS_REMOVED}, {_PART}, {_READS}, {_HAS_PLACE},
    u.is_staff AND d.mfa_at IS NULL
FROM unnest(%s::int4[], %s::text[], %s::int8[]) AS v (i, session_key, webinar_id)
JOIN accounts_device d ON d.session_key = v.session_key AND d.ended_at IS NULL
JOIN accounts_user u ON u.id = d.user_id AND u.is_active
{_WEBINAR}
"""  # noqa: S608  # put together from the constants above
# One query for all sockets of a process. A device that was deleted counts as ended.
_REVOKED = f"""
SELECT v.i, d.ended_reason, d.id IS NULL OR d.ended_at IS NOT NULL OR NOT u.is_active,
    w.id IS NOT NULL AND {_ENTERS}, {_IS_REMOVED}, v.part <> {_PART} OR v.has_place <> {_HAS_PLACE}, {_READS}
FROM unnest(%s::int4[], %s::uuid[], %s::int8[], %s::int8[], %s::text[], %s::bool[], %s::bool[])
    AS v (i, device_id, user_id, webinar_id, part, reads, has_place)
LEFT JOIN accounts_device d ON d.id = v.device_id
LEFT JOIN accounts_user u ON u.id = v.user_id
{_WEBINAR}
WHERE d.id IS NULL OR d.ended_at IS NOT NULL OR NOT u.is_active OR w.id IS NULL
    OR NOT {_ENTERS} OR {_IS_REMOVED} OR v.part <> {_PART} OR v.reads <> ({_READS}) OR v.has_place <> {_HAS_PLACE}
"""  # noqa: S608


def revoked(viewers: Sequence[Viewer]) -> dict[Viewer, Viewer | Bye | None]:
    """Those who may not stay, and why; None where their part, or whether they have a place, has changed: they come back
    as what they are now.

    Who stays and only begins or ceases to read published questions is answered as what they are now: a lane that is
    closed to a whole hall must not make the whole hall connect again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _REVOKED,
            [
                list(range(len(viewers))),
                [one.device_id for one in viewers],
                [one.user_id for one in viewers],
                [one.webinar_id for one in viewers],
                [one.part.value for one in viewers],
                [one.reads for one in viewers],
                [one.has_place for one in viewers],
            ],
        )
        rows = cursor.fetchall()
    found: dict[Viewer, Viewer | Bye | None] = {}
    for index, ended_reason, signed_out, enters, removed, is_another, reads in rows:
        one = viewers[index]
        reason = _reason(ended_reason or "", signed_out=signed_out, enters=enters, removed=removed)
        found[one] = reason if reason or is_another else replace(one, reads=reads)
    return found


def _reason(ended_reason: str, *, signed_out: bool, enters: bool, removed: bool) -> Bye | None:
    if signed_out:
        return Bye.SIGNED_OUT if ended_reason == DeviceEnd.SIGNED_OUT else Bye.DEVICE_ENDED
    if not enters:
        return Bye.NOT_ENROLLED
    return Bye.REMOVED if removed else None
