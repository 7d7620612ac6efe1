"""Which of its pages a webinar shows to one person now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import prefetch_related_objects
from django.http import HttpRequest

from accounts.models import Device, User
from courses.rules import may_preview
from media.domain.queries import VideoSources, sources
from webinars.domain.course_page import CoursePage, read_course_page
from webinars.domain.live_source import LiveSource, live_source
from webinars.domain.registrations import has_place
from webinars.domain.schedule import Schedule, schedule_of
from webinars.domain.watching import WatchError
from webinars.enums import IngestKind, Restriction, WebinarState
from webinars.models import Webinar
from webinars.rules import Part, is_restricted, part_of, presents


class DeviceRequest(HttpRequest):
    """What `login_required` lets through, behind the device middleware."""

    user: User
    device: Device


class Stage(StrEnum):
    NOT_NOW = "not_now"
    RECORDED = "recorded"
    SCHEDULED = "scheduled"
    REGISTER = "register"  # it has begun, and places are given by registration
    CANCELLED = "cancelled"
    REMOVED = "removed"
    DOORS = "doors"
    ELSEWHERE = "elsewhere"
    LIVE = "live"
    ENDED = "ended"


_NOW_ON = frozenset({WebinarState.DOORS_OPEN, WebinarState.LIVE})
_WITH_ROOM = frozenset({Stage.DOORS, Stage.ELSEWHERE, Stage.LIVE, Stage.ENDED, Stage.RECORDED})
_NOW = frozenset({Stage.DOORS, Stage.ELSEWHERE, Stage.LIVE})
_FINAL = frozenset({Stage.CANCELLED, Stage.REMOVED})


@dataclass(frozen=True, slots=True)
class Look:
    """`ahead`: to staff who look at it as a preview, dates and order are no matter."""

    webinar: Webinar
    page: CoursePage
    schedule: Schedule
    stage: Stage
    part: Part
    now: datetime
    ahead: bool
    presents: bool
    live: LiveSource | None = None
    sources: VideoSources | None = None

    @property
    def has_room(self) -> bool:
        return self.webinar.starts_at is not None and self.stage in _WITH_ROOM

    @property
    def is_now(self) -> bool:
        return self.stage in _NOW

    @property
    def starts_here(self) -> bool:
        """Whether a doctor begins to watch on this page. Who presents, moderates or only looks at it does not."""
        if self.page.is_preview or self.presents or self.part is not Part.ATTENDEE:
            return False
        return self.is_now or self.stage is Stage.RECORDED

    @property
    def follows(self) -> bool:
        """Whether an open page has something to wait for."""
        return self.webinar.starts_at is not None and self.stage not in _FINAL

    @property
    def refresh_seconds(self) -> int:
        """For browsers without JavaScript; 0 where a reload would stop the picture."""
        if not self.follows or self.stage in {Stage.LIVE, Stage.RECORDED}:
            return 0
        if self.stage is not Stage.SCHEDULED or self.schedule.doors_open_at is None:
            return 20
        left = (self.schedule.doors_open_at - self.now).total_seconds()
        return int(min(600, max(15, left + 2)))


def look(request: DeviceRequest, webinar: Webinar, *, now: datetime) -> Look:
    user = request.user
    prefetch_related_objects([webinar], "presenters")
    page = read_course_page(webinar=webinar, user=user, now=now)
    ahead = page.is_preview and may_preview(user, webinar.lesson.course.programme)
    schedule = schedule_of(webinar, now=now)
    part = part_of(user, webinar) if webinar.starts_at else Part.ATTENDEE
    presenting = part is Part.PRESENTER or presents(user, webinar)
    stage = _stage(webinar, page, schedule.state, user=user, part=part, ahead=ahead)
    live = None
    if stage is Stage.LIVE:
        try:
            live = live_source(webinar)
        except WatchError:  # declared live by hand, with no picture yet
            stage = Stage.DOORS
    shown = live.sources if live else None
    if stage is Stage.RECORDED and webinar.video:
        shown = sources(webinar.video)
    return Look(webinar, page, schedule, stage, part, now, ahead, presenting, live, shown)


def _stage(webinar: Webinar, page: CoursePage, state: WebinarState, *, user: User, part: Part, ahead: bool) -> Stage:
    if state is WebinarState.SCHEDULED:
        return Stage.SCHEDULED
    if state is WebinarState.CANCELLED:
        return Stage.CANCELLED
    if not ahead and not page.current.availability.is_open:
        return Stage.NOT_NOW
    if state in _NOW_ON:
        return _stage_now(webinar, state, user=user, part=part)
    if state is WebinarState.ENDED and not (ahead and _has_video(webinar)):
        return Stage.ENDED
    return Stage.RECORDED if _has_video(webinar) else Stage.NOT_NOW


def _stage_now(webinar: Webinar, state: WebinarState, *, user: User, part: Part) -> Stage:
    if is_restricted(user, webinar, Restriction.REMOVED):
        return Stage.REMOVED
    if not has_place(webinar=webinar, user=user, part=part):
        return Stage.REGISTER
    if webinar.ingest == IngestKind.EXTERNAL:
        return Stage.ELSEWHERE
    return Stage.LIVE if state is WebinarState.LIVE else Stage.DOORS


def _has_video(webinar: Webinar) -> bool:
    return webinar.video is not None and webinar.video.is_published
