"""What stands in the room when its page is opened; events bring everything after that."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import AuditEvent, User
from webinars.domain.announcements import latest_announcement, pins_of
from webinars.domain.lanes import Lanes, Window, lanes_of
from webinars.domain.poll_results import shown_polls
from webinars.domain.question_lists import questions_for_doctor
from webinars.domain.timelines import real_broadcast
from webinars.enums import PollState
from webinars.models import Webinar
from webinars.rules import Part

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RoomPage:
    """`number` was read before everything else: no event after it is missing from what is rendered."""

    number: int
    part: Part
    lanes: Lanes
    own: list[Payload]
    published: list[Payload]
    polls: list[Payload]
    pins: list[Payload]
    announcement: Payload | None
    open_until: datetime | None

    @property
    def marks(self) -> list[Payload]:
        """Published questions that have a place in the recording, in its order."""
        placed = [one for one in self.published if one["recording_seconds"] is not None]
        return sorted(placed, key=lambda one: one["recording_seconds"])

    @property
    def is_over(self) -> bool:
        """Nobody can ask any more; what was said stays readable."""
        return self.lanes.window is Window.READING

    def as_settings(self) -> Payload:
        """For the scripts."""
        return {
            "may": {**self.lanes.may(), "muted": self.lanes.is_muted},
            "own": self.own,
            "published": self.published,
            "polls": self.polls,
            "pins": self.pins,
            "announcement": self.announcement,
        }


def read_room_page(*, webinar: Webinar, user: User, part: Part, now: datetime) -> RoomPage:
    """The same number of queries for any number of questions; one for each poll whose results are shown."""
    lanes = lanes_of(webinar=webinar, user=user, part=part, now=now)
    questions = questions_for_doctor(webinar=webinar, user=user, lanes=lanes)
    return RoomPage(
        number=questions["number"],
        part=part,
        lanes=lanes,
        own=questions["own"],
        published=questions["published"],
        polls=sorted(shown_polls(webinar=webinar, user=user), key=lambda one: one["state"] != PollState.OPEN),
        pins=pins_of(webinar=webinar),
        announcement=latest_announcement(webinar=webinar),
        open_until=webinar.ended_at + timedelta(days=webinar.followup_days) if webinar.ended_at else None,
    )


def program_seconds(webinar: Webinar) -> float:
    """How long the broadcast was, interruptions included. One query."""
    broadcast = real_broadcast(webinar.pk)
    return broadcast.program_seconds if broadcast else 0.0


def reason_of_cancelling(webinar: Webinar) -> str:
    """As the organiser gave it for the audit trail, which is where it is kept. One query."""
    events = AuditEvent.objects.filter(subject_type="webinars.webinar", subject_id=str(webinar.pk))
    found = events.filter(action="webinar.cancelled").values_list("details__reason", flat=True).first()
    return found or ""
