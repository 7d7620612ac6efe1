"""Doctors by the thousand, made in bulk: signed in, enrolled, and with the player open since two hours."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.enums import SignInMethod
from accounts.models import Device, User
from courses.models import Enrolment
from tests.factories.courses import LessonFactory
from tests.factories.webinars import WebinarFactory
from webinars.enums import Phase
from webinars.models import PlaySession, Webinar

WATCHING_FOR = timedelta(hours=2)
MEDIA_SECONDS, REQUIRED_SECONDS = 3600, 3240


@dataclass(frozen=True)
class Audience:
    webinar: Webinar
    sessions: list[PlaySession]

    def viewers(self) -> list[dict[str, str]]:
        path = f"/ws/webinars/{self.webinar.pk}/"
        return [{"path": path, "cookie": one.device.session_key, "session": str(one.pk)} for one in self.sessions]


def make_audience(count: int) -> Audience:
    """A lecture of one hour and `count` people in it."""
    now = timezone.now()
    webinar = WebinarFactory(lesson=LessonFactory())
    programme = webinar.lesson.course.programme
    known = User.objects.count()
    users = User.objects.bulk_create(
        [User(email=f"viewer{known + n}@example.org", first_name="Meera", last_name=f"Nair {n}") for n in range(count)]
    )
    devices = Device.objects.bulk_create(
        [
            Device(
                user=user,
                session_key=f"bench{user.pk:035d}",
                name="Chrome on Windows",
                method=SignInMethod.LINK,
                created_at=now,
                last_seen_at=now,
            )
            for user in users
        ]
    )
    enrolments = Enrolment.objects.bulk_create(
        [Enrolment(user=user, programme=programme, status="active", enrolled_at=now) for user in users]
    )
    sessions = PlaySession.objects.bulk_create(
        [
            PlaySession(
                user=user,
                webinar=webinar,
                phase=Phase.ON_DEMAND,
                device=device,
                enrolment=enrolment,
                media_seconds=MEDIA_SECONDS,
                required_seconds=REQUIRED_SECONDS,
                started_at=now - WATCHING_FOR,
            )
            for user, device, enrolment in zip(users, devices, enrolments, strict=True)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Audience(webinar, sessions)


def make_login(user: User, session_key: str) -> None:
    """A session row for tiers that read sessions (the sockets ask for the device only)."""
    login_row(user, session_key).save(force_insert=True)


def login_row(user: User, session_key: str) -> Session:
    content = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    return Session(
        session_key=session_key,
        session_data=SessionStore().encode(content),
        expire_date=timezone.now() + timedelta(days=1),
    )
