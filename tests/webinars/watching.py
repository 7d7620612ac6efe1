"""What the tests of the watch engine share: somebody in front of a lecture, and beats."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from accounts.domain.devices import open_device
from accounts.enums import SignInMethod
from accounts.models import Device, User
from core.ranges import Ranges
from courses.models import Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WebinarFactory
from webinars.domain.beats import Beat, BeatResult, read_beat
from webinars.domain.watching import record_beats, start_play_session
from webinars.models import PlaySession, WatchRecord, Webinar

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(seconds: float) -> datetime:
    """So many seconds after the play session began."""
    return NOON + timedelta(seconds=seconds)


def make_device(user: User, *, now: datetime = NOON) -> Device:
    return open_device(
        request_session_key=uuid4().hex, user=user, user_agent="", address=None, method=SignInMethod.LINK, now=now
    )


def make_enrolment() -> Enrolment:
    return EnrolmentFactory.create(user=UserFactory.create(), enrolled_at=NOON)


def make_webinar(enrolment: Enrolment, *, seconds: float = 600.0, percent: int = 90) -> Webinar:
    return WebinarFactory.create(
        lesson=LessonFactory.create(course__programme=enrolment.programme),
        video__duration_seconds=seconds,
        completion_percent=percent,
    )


def open_player(
    *, seconds: float = 600.0, percent: int = 90, enrolment: Enrolment | None = None, webinar: Webinar | None = None
) -> PlaySession:
    """A doctor who opened a lecture of ten minutes at noon."""
    enrolment = enrolment or make_enrolment()
    webinar = webinar or make_webinar(enrolment, seconds=seconds, percent=percent)
    user = enrolment.user
    return start_play_session(webinar=webinar, user=user, device=make_device(user), now=NOON)


def beat(session: PlaySession, *spans: tuple[float, float], number: int = 1, position: float | None = None) -> Beat:
    if position is None:
        position = spans[-1][1] if spans else 0.0
    raw = {"n": number, "s": [list(span) for span in spans], "p": position}
    return read_beat(raw, user_id=session.user_id, webinar_id=session.webinar_id, session=str(session.pk))


def send(session: PlaySession, *spans: tuple[float, float], after: float, position: float | None = None) -> BeatResult:
    """One beat, received `after` seconds after noon."""
    return record_beats([beat(session, *spans, position=position)], now=at(after))[0]


def record_of(session: PlaySession) -> WatchRecord:
    return WatchRecord.objects.get(user=session.user_id, webinar=session.webinar_id, phase=session.phase)


def coverage_of(session: PlaySession) -> Ranges:
    found = WatchRecord.objects.filter(user=session.user_id, webinar=session.webinar_id, phase=session.phase).first()
    return found.coverage if found else ()
