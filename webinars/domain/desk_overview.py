"""What the moderators' desk begins with, and the list of webinars it is opened from. Events bring the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from accounts.models import AuditEvent, User
from courses.rules import programmes_staffed_by
from webinars.domain import desk_log
from webinars.domain.announcements import pins_of
from webinars.domain.desk_door import waiting_at_door
from webinars.domain.desk_people import people_with
from webinars.domain.lane_access import lane_settings
from webinars.domain.poll_results import all_polls
from webinars.domain.presence import people_in
from webinars.domain.question_lists import canned_replies, desk_questions, shown_at_desk
from webinars.domain.room_state import last_number
from webinars.domain.schedule import schedule_of, state_of
from webinars.domain.spot_queue import queue_figures
from webinars.enums import EventKind, IngestKind, QuestionState, StreamProblem, WebinarState
from webinars.models import PublishSession, Question, RoomEvent, SpotWindow, Webinar
from webinars.rules import webinars_for

OVER_SINCE = timedelta(days=30)
FRESH_REPORT = timedelta(seconds=15)
MOST_LOGGED = 100
MOST_ANNOUNCED = 50
MOST_CLAIMED = 50
MOST_DROPPED = 0.02  # of the frames
_ORDER = (WebinarState.LIVE, WebinarState.DOORS_OPEN, WebinarState.SCHEDULED)
_AUDITED = ("webinar.went_live", "webinar.ended", "webinar.cancelled", "webinar.recording_released")
_DOOR = ("spot.approved", "spot.denied", "spot.put_back")


@dataclass(frozen=True, slots=True)
class DeskRow:
    webinar: Webinar
    state: WebinarState
    new: int


def webinars_to_moderate(*, user: User, now: datetime) -> list[DeskRow]:
    """What is live, then what comes, then what was over in the last month, the latest first. One query."""
    mine = Q(lesson__course__programme__in=programmes_staffed_by(user))
    found = (
        webinars_for(user)
        .filter(mine, starts_at__isnull=False, starts_at__gt=now - OVER_SINCE)
        .annotate(new=Count("questions", filter=Q(questions__state=QuestionState.NEW), distinct=True))
        .order_by("starts_at", "pk")
        .distinct()
    )
    rows = [DeskRow(one, state_of(one, now=now), one.new) for one in found]
    coming = [row for state in _ORDER for row in rows if row.state == state]
    return coming + [row for row in reversed(rows) if row.state not in _ORDER]


def desk_overview(*, webinar: Webinar, user: User, now: datetime) -> dict[str, Any]:
    """The number of the room is read first: every event after it is still to come, at worst once more than needed."""
    number = last_number(webinar.pk)
    page = desk_questions(webinar=webinar, state=QuestionState.NEW)
    return {
        "number": number,
        "now": now,
        "me": {"id": user.pk, "name": user.get_full_name()},
        **desk_status(webinar=webinar, now=now),
        "questions": {
            "results": page.questions,
            "count": page.count,
            "page": page.page,
            "pages": page.pages,
            "by_state": page.by_state,
        },
        "mine": _claimed(webinar, user, now),
        "replies": canned_replies(webinar=webinar),
        "polls": all_polls(webinar=webinar),
        "pins": pins_of(webinar=webinar),
        "announcements": announced(webinar=webinar),
        "lanes": lane_settings(webinar=webinar),
        "people_shown": people_with(webinar=webinar, search="", now=now),
        "waiting": waiting_at_door(webinar=webinar),
        "log": activity(webinar=webinar),
    }


def desk_status(*, webinar: Webinar, now: datetime) -> dict[str, Any]:
    """What no event tells: the stream and the number of people. Asked again every few seconds."""
    schedule = schedule_of(webinar, now=now)
    dates = ("doors_open_at", "starts_at", "planned_end_at", "live_at", "ended_at")
    return {
        "state": schedule.state.value,
        "schedule": {name: getattr(schedule, name) for name in dates},
        "people": people_in(webinar.pk, now=now).number,
        "stream": stream_line(webinar=webinar, now=now),
        "door": queue_figures(webinar_id=webinar.pk) if SpotWindow.objects.filter(webinar=webinar).exists() else None,
    }


def stream_line(*, webinar: Webinar, now: datetime) -> dict[str, str]:
    """The picture in one line. `tone` is good, warn, bad or quiet; the words say the same."""
    if webinar.ingest == IngestKind.EXTERNAL:
        return {"tone": "quiet", "text": _("The picture comes from a meeting elsewhere.")}
    session = (
        PublishSession.objects.filter(broadcast__webinar=webinar, broadcast__ended_at=None)
        .order_by("-started_at")
        .first()
    )
    if session is None:
        return {"tone": "quiet", "text": _("No stream yet.")}
    if session.ended_at is not None:
        return {"tone": "bad", "text": _("The stream is interrupted; it goes on when the presenter connects again.")}
    if session.reported_at is None or session.reported_at < now - FRESH_REPORT:
        return {"tone": "warn", "text": _("The stream has not been heard of for some seconds.")}
    return _health(session.health)


def _health(health: dict[str, Any]) -> dict[str, str]:
    said = [one.get("problem") for one in health.get("problems", ())]
    if problems := [str(StreamProblem(one).label) for one in said if one in StreamProblem.values]:
        return {"tone": "warn", "text": " ".join(problems)}
    frames, dropped = health.get("frames") or 0, health.get("frames_dropped") or 0
    if frames and dropped / frames > MOST_DROPPED:
        return {"tone": "warn", "text": _("The stream loses pictures: %(n)d so far.") % {"n": dropped}}
    figures = {
        "height": health.get("height") or 0,
        "rate": round(health.get("frame_rate") or 0),
        "kbits": (health.get("video_kbits") or 0) + (health.get("audio_kbits") or 0),
    }
    text = _("The stream is fine: %(height)d lines, %(rate)d pictures a second, %(kbits)d kbit/s.")
    return {"tone": "good", "text": text % figures}


def announced(*, webinar: Webinar) -> list[dict[str, Any]]:
    """The latest first, as far as the room's events are kept."""
    events = RoomEvent.objects.filter(webinar=webinar, kind=EventKind.ANNOUNCEMENT).order_by("-number")
    return [{**event.payload, "at": event.at} for event in events[:MOST_ANNOUNCED]]


def activity(*, webinar: Webinar) -> list[dict[str, Any]]:
    """What moderators did, and from the audit trail what happened to the webinar and at its door. The latest first."""
    windows = list(webinar.spot_windows.values_list("pk", flat=True))
    of_webinar = Q(action__in=_AUDITED, subject_type=Webinar._meta.label_lower, subject_id=str(webinar.pk))
    at_door = Q(action__in=_DOOR, details__window__in=windows, actor__isnull=False)
    audited = AuditEvent.objects.filter(of_webinar | at_door).annotate(
        first=F("actor__first_name"), last=F("actor__last_name")
    )
    rows: list[dict[str, Any]] = [
        {"at": event.at, "by": f"{event.first or ''} {event.last or ''}".strip(), "did": event.action, "what": ""}
        for event in audited.order_by("-pk")[:MOST_LOGGED]
    ]
    rows += [
        {name: row[name] for name in ("at", "by", "did", "what")} for row in desk_log.latest(webinar_id=webinar.pk)
    ]
    return sorted(rows, key=lambda row: row["at"], reverse=True)[:MOST_LOGGED]


def _claimed(webinar: Webinar, user: User, now: datetime) -> list[dict[str, Any]]:
    found = Question.objects.filter(webinar=webinar, claimed_by=user, claimed_until__gt=now)
    return [shown_at_desk(one) for one in found.select_related("author", "claimed_by")[:MOST_CLAIMED]]
