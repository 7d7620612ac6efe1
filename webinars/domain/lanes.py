"""Who may use which lane of a room now: the defaults, what was granted or closed, restrictions, and the time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.prepared import Prepared
from webinars.domain.registrations import has_place
from webinars.domain.schedule import state_of
from webinars.enums import Lane, LaneAccessLevel, Restriction, WebinarState
from webinars.models import LaneAccess, PersonRestriction, Webinar
from webinars.rules import Part, part_of

NONE, READ, WRITE = LaneAccessLevel.NONE, LaneAccessLevel.READ, LaneAccessLevel.WRITE
_ORDER = (NONE, READ, WRITE)

# Without a row. Writing into the published lane is voting: what is published there moderators decide by their part.
DEFAULTS: Mapping[Part, Mapping[Lane, LaneAccessLevel]] = {
    Part.ATTENDEE: {Lane.ATTENDEE: WRITE, Lane.PRESENTER: NONE, Lane.PUBLISHED: WRITE},
    Part.PRESENTER: {Lane.ATTENDEE: NONE, Lane.PRESENTER: WRITE, Lane.PUBLISHED: READ},
    Part.MODERATOR: {Lane.ATTENDEE: WRITE, Lane.PRESENTER: WRITE, Lane.PUBLISHED: WRITE},
}
# No row goes beyond this: doctors' private talk stays hidden from presenters, and the presenters' lane from doctors.
_MOST: Mapping[Part, Mapping[Lane, LaneAccessLevel]] = {
    Part.ATTENDEE: DEFAULTS[Part.ATTENDEE],
    Part.PRESENTER: {**DEFAULTS[Part.PRESENTER], Lane.PUBLISHED: WRITE},
    Part.MODERATOR: DEFAULTS[Part.MODERATOR],
}


class LaneError(Exception):
    """The lane is closed to this person; `message` is for the person."""

    message = _("This is closed for you now.")


class MutedError(LaneError):
    message = _("A moderator has muted you in this webinar. You can go on watching.")


class FollowUpOverError(LaneError):
    message = _("The time for questions about this webinar is over.")


class NoPlaceError(LaneError):
    message = _("Please register for this webinar first: its page has the button.")


class NotYetError(LaneError):
    message = _("Questions can be asked as soon as the doors are open.")


class Window(Enum):
    """How the dates of the webinar bound what doctors may do. Moderators and presenters work before and after."""

    CLOSED = NONE
    READING = READ
    OPEN = WRITE


@dataclass(frozen=True, slots=True)
class Lanes:
    """What one person may do in one room now."""

    attendee: LaneAccessLevel
    presenter: LaneAccessLevel
    published: LaneAccessLevel
    is_muted: bool = False
    is_removed: bool = False
    window: Window = Window.OPEN
    has_place: bool = True

    @property
    def may_ask(self) -> bool:
        return self.attendee == WRITE

    @property
    def may_read(self) -> bool:
        return self.published != NONE

    @property
    def may_vote(self) -> bool:
        return self.published == WRITE

    def may(self) -> dict[str, bool]:
        """As the room's frames and the API say it."""
        return {"ask": self.may_ask, "read": self.may_read, "vote": self.may_vote}

    def require(self, lane: Lane) -> None:
        """Raises the LaneError that says why this person may not write here."""
        if self.level(lane) == WRITE:
            return
        self.require_place()
        if self.is_muted and not self.is_removed:
            raise MutedError
        if self.window is Window.READING:
            raise FollowUpOverError
        if self.window is Window.CLOSED:
            raise NotYetError
        raise LaneError

    def require_place(self) -> None:
        """For reading too. Whoever was removed hears that elsewhere, and not that they should register."""
        if not self.has_place and not self.is_removed:
            raise NoPlaceError

    def level(self, lane: Lane) -> LaneAccessLevel:
        return {Lane.ATTENDEE: self.attendee, Lane.PRESENTER: self.presenter, Lane.PUBLISHED: self.published}[lane]


def window_of(webinar: Webinar, *, now: datetime) -> Window:
    match state_of(webinar, now=now):
        case WebinarState.DOORS_OPEN | WebinarState.LIVE:
            return Window.OPEN
        case WebinarState.ENDED | WebinarState.RECORDING_READY:
            ends = webinar.ended_at + timedelta(days=webinar.followup_days) if webinar.ended_at else now
            return Window.OPEN if now < ends else Window.READING
    return Window.CLOSED


def effective_lanes(
    *,
    part: Part,
    of_role: Mapping[str, LaneAccessLevel],
    of_person: Mapping[str, LaneAccessLevel],
    restrictions: Iterable[str],
    window: Window,
    has_place: bool = True,
) -> Lanes:
    """Pure. A person's own row comes before the role's, the role's before the default; the rest only takes away."""
    restrictions = frozenset(restrictions)
    muted, removed = Restriction.MUTED in restrictions, Restriction.REMOVED in restrictions
    found = {}
    for lane in Lane:
        granted = of_person.get(lane) or of_role.get(lane) or DEFAULTS[part][lane]
        limits = [_MOST[part][lane]]
        if muted:
            limits.append(READ)
        if removed or not has_place:
            limits.append(NONE)
        if part == Part.ATTENDEE:
            limits.append(window.value)
        found[lane] = min(granted, *limits, key=_ORDER.index)
    return Lanes(found[Lane.ATTENDEE], found[Lane.PRESENTER], found[Lane.PUBLISHED], muted, removed, window, has_place)


@dataclass(frozen=True, slots=True)
class LaneRules:
    """All that was set in one room, for processes that ask for many people. Keys: (part or person, lane); person."""

    of_part: Mapping[tuple[str, str], LaneAccessLevel]
    of_person: Mapping[tuple[int, str], LaneAccessLevel]
    restrictions: Mapping[int, frozenset[str]]

    def lanes(self, *, part: Part, user_id: int, window: Window, has_place: bool = True) -> Lanes:
        return effective_lanes(
            part=part,
            of_role={lane: level for (of, lane), level in self.of_part.items() if of == part},
            of_person={lane: level for (of, lane), level in self.of_person.items() if of == user_id},
            restrictions=self.restrictions.get(user_id, frozenset()),
            window=window,
            has_place=has_place,
        )


def _rows(webinar: int, user: int | None = None) -> QuerySet[Any, tuple[Any, ...]]:
    """What is granted or closed, as (user, role, lane, level); then restrictions, as (user, kind, "", "")."""
    access = LaneAccess.objects.filter(webinar=webinar)
    restricted = PersonRestriction.objects.filter(webinar=webinar, lifted_at=None)
    if user is not None:
        access, restricted = access.filter(Q(user=user) | Q(user=None)), restricted.filter(user=user)
    nothing = Value("", CharField())
    columns = access.values_list("user", "role", "lane", "level")
    return columns.union(restricted.values_list("user", "kind", nothing, nothing), all=True)


_rules = Prepared(_rows)


def lane_rules(webinar_id: int, *, user_id: int | None = None) -> LaneRules:
    """One query, for the whole room or for one person in it."""
    rows = _rules.rows(webinar=webinar_id) if user_id is None else _rules.rows(webinar=webinar_id, user=user_id)
    of_part: dict[tuple[str, str], LaneAccessLevel] = {}
    of_person: dict[tuple[int, str], LaneAccessLevel] = {}
    restrictions: dict[int, frozenset[str]] = {}
    for user, role, lane, level in rows:
        if not level:
            restrictions[user] = restrictions.get(user, frozenset()) | {role}
        elif user is None:
            of_part[role, lane] = LaneAccessLevel(level)
        else:
            of_person[user, lane] = LaneAccessLevel(level)
    return LaneRules(of_part, of_person, restrictions)


def lanes_of(*, webinar: Webinar, user: User, part: Part | None = None, now: datetime) -> Lanes:
    """One query, beside those of `rules.part_of` where the part is not known yet, and one where doctors register."""
    part = part or part_of(user, webinar)
    rules = lane_rules(webinar.pk, user_id=user.pk)
    may_enter = has_place(webinar=webinar, user=user, part=part)
    return rules.lanes(part=part, user_id=user.pk, window=window_of(webinar, now=now), has_place=may_enter)
