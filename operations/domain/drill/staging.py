"""Sets the scene in the copy: the webinar about to begin, and everybody who will come signed in.

Runs inside the copy (`stagehand`); what it finds there is what the site had, without what scrubbing took.
"""

import random
import secrets
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from accounts.enums import SignInMethod
from accounts.models import Device, User
from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Cohort, Course, Enrolment, Lesson, Programme
from media.enums import VideoStatus
from media.models import Video
from operations.domain.crowd.plan import Member
from operations.domain.drill import audience
from operations.domain.drill.newcomers import at_the_doors, send_links, spread_over_doors
from operations.domain.drill.scrubbing import DOMAIN
from webinars.enums import IngestKind, RecordingPolicy
from webinars.models import (
    Broadcast,
    Cut,
    Edition,
    PersonRestriction,
    PlaySession,
    Poll,
    PublishSession,
    Registration,
    Segment,
    WatchRecord,
    Webinar,
)

BATCH = 1_000
LETTERS = string.ascii_lowercase + string.digits
RECORDING_SECONDS = 3_600.0
RECORDING_VERSION = "drill"


@dataclass(frozen=True)
class Order:
    """What the drill wants; travels as JSON."""

    webinar_id: int
    synthetic: int  # 0: the real audience
    multiple: int
    minutes: float
    within: float
    seed: int
    spot_percent: float
    link_percent: float
    has_mailboxes: bool  # who comes can read what the copy sends


@dataclass(frozen=True)
class Scene:
    """What there is then. `members` in the order in which they come."""

    kind: str
    people: int
    members: list[Member]
    countries: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@transaction.atomic
def set_scene(order: Order, *, now: datetime) -> Scene:
    webinar = audience.find_webinar(order.webinar_id)
    _open_everything(webinar, now=now)
    _rewind(webinar, now=now)
    kind, people = _people(webinar, order, now=now)
    size = audience.Size(order.multiple, order.minutes, order.within, order.spot_percent)
    count = size.doctors(len(people))
    invited = list(people)
    draw = random.Random(order.seed)  # noqa: S311 - the same people again, not a secret
    draw.shuffle(invited)
    coming = invited[:count]
    coming += _clones(webinar, [user.country.code for user in invited], count - len(coming), now=now)
    linked, signed_in = _divide(coming, order.link_percent)
    members = [member for part in _parts(signed_in) for member in _sign_in(part, now=now)]
    members += [member for part in _parts(linked) for member in send_links(webinar, part, now=now)]
    guests = spread_over_doors(size.at_door(len(people)), has_mailboxes=order.has_mailboxes)
    members += at_the_doors(webinar, [user.country.code for user in invited], guests, now=now)
    draw.shuffle(members)
    _analyze()
    countries = Counter(member.country or "?" for member in members)
    return Scene(kind, len(people), members, dict(countries.most_common()))


def _divide(users: Sequence[User], percent: float) -> tuple[list[User], list[User]]:
    """Those who come by a link, and the others. Staff would be asked for a second step, which the copy has not."""
    count = round(len(users) * percent / 100)
    linked = [user for user in users if not user.is_staff][:count]
    taken = {user.pk for user in linked}
    return linked, [user for user in users if user.pk not in taken]


def _open_everything(webinar: Webinar, *, now: datetime) -> None:
    """Today is the day: no window, no order of lessons and no number of places keeps anybody out."""
    lesson, course = webinar.lesson, webinar.lesson.course
    windowless = {"opens_at": None, "closes_at": None}
    Programme.objects.filter(pk=course.programme_id).update(status=PublishStatus.PUBLISHED, **windowless)
    Cohort.objects.filter(programme=course.programme_id).update(**windowless)
    Course.objects.filter(pk=course.pk).update(status=PublishStatus.PUBLISHED, is_sequential=False, **windowless)
    course.prerequisites.clear()
    Lesson.objects.filter(pk=lesson.pk).update(**windowless)
    PersonRestriction.objects.filter(webinar=webinar, lifted_at=None).update(lifted_at=now)


def _rewind(webinar: Webinar, *, now: datetime) -> None:
    """To the minute before it begins, with nothing watched yet. Its recording is there already, or a placeholder is."""
    broadcasts = Broadcast.objects.filter(webinar=webinar)
    for rows in (Edition.objects, Cut.objects, Segment.objects, PublishSession.objects):
        rows.filter(broadcast__in=broadcasts).delete()
    broadcasts.delete()
    PlaySession.objects.filter(webinar=webinar).delete()
    WatchRecord.objects.filter(webinar=webinar).delete()
    Poll.objects.filter(webinar=webinar).delete()
    if webinar.video is None or not webinar.video.is_published:
        webinar.video = _placeholder(now=now)
    webinar.starts_at, webinar.live_at, webinar.ended_at, webinar.cancelled_at = now, None, None, None
    webinar.planned_minutes, webinar.capacity, webinar.is_rehearsal = 720, None, False
    webinar.ingest, webinar.external_url = IngestKind.RTMP, ""
    webinar.recording_policy, webinar.recording_opens_at = RecordingPolicy.AUTOMATIC, None
    webinar.save()


def _placeholder(*, now: datetime) -> Video:
    return Video.objects.create(
        title="Recording of a drill",
        status=VideoStatus.READY,
        duration_seconds=RECORDING_SECONDS,
        width=640,
        height=360,
        published_version=RECORDING_VERSION,
        published_at=now,
        created_at=now,
        updated_at=now,
    )


def _people(webinar: Webinar, order: Order, *, now: datetime) -> tuple[str, list[User]]:
    if order.synthetic:
        countries = audience.spread(audience.synthetic_countries(), order.synthetic)
        return audience.SYNTHETIC, _make_people(webinar, countries, name="synthetic", now=now)
    kind = audience.kind_of(webinar)
    people = list(audience.people_of(webinar, kind))
    programme = webinar.lesson.course.programme
    Enrolment.objects.filter(programme=programme, user__in=people, status=EnrolmentStatus.INVITED).update(
        status=EnrolmentStatus.ACTIVE, activated_at=now
    )
    return kind, people


def _clones(webinar: Webinar, countries: Sequence[str], count: int, *, now: datetime) -> list[User]:
    """From the second multiple on: people like those who registered."""
    return _make_people(webinar, audience.spread(countries, count), name="clone", now=now) if count > 0 else []


def _make_people(webinar: Webinar, countries: Sequence[str], *, name: str, now: datetime) -> list[User]:
    stem = uuid4().hex[:8]
    users = User.objects.bulk_create(
        [
            User(
                email=f"{name}-{stem}-{number}@{DOMAIN}",
                first_name="Doctor",
                last_name=f"{name} {number}",
                password="!drill",  # noqa: S106 - no password at all
                country=country,
                last_login=now,
            )
            for number, country in enumerate(countries)
        ],
        batch_size=BATCH,
    )
    programme = webinar.lesson.course.programme
    Enrolment.objects.bulk_create(
        [
            Enrolment(user=user, programme=programme, status=EnrolmentStatus.ACTIVE, enrolled_at=now, activated_at=now)
            for user in users
        ],
        batch_size=BATCH,
    )
    Registration.objects.bulk_create(
        [Registration(webinar=webinar, user=user, registered_at=now) for user in users], batch_size=BATCH
    )
    return users


def _parts(users: Sequence[User]) -> Iterator[Sequence[User]]:
    for begin in range(0, len(users), BATCH):
        yield users[begin : begin + BATCH]


def _sign_in(users: Sequence[User], *, now: datetime) -> list[Member]:
    """A session and a device for each, in the copy only: nobody's browser holds these keys."""
    keys = ["".join(secrets.choice(LETTERS) for _ in range(32)) for _ in users]
    store, backend = SessionStore(), settings.AUTHENTICATION_BACKENDS[0]
    expires = now + timedelta(days=1)
    Session.objects.bulk_create(
        [
            Session(
                session_key=key,
                session_data=store.encode(
                    {
                        SESSION_KEY: str(user.pk),
                        BACKEND_SESSION_KEY: backend,
                        HASH_SESSION_KEY: user.get_session_auth_hash(),
                    }
                ),
                expire_date=expires,
            )
            for user, key in zip(users, keys, strict=True)
        ]
    )
    Device.objects.bulk_create(
        [
            Device(
                user=user,
                session_key=key,
                name="Drill",
                method=SignInMethod.LINK,
                created_at=now,
                last_seen_at=now,
                mfa_at=now,
            )
            for user, key in zip(users, keys, strict=True)
        ]
    )
    return [
        Member(user.pk, session_key=key, country=user.country.code or "") for user, key in zip(users, keys, strict=True)
    ]


def _analyze() -> None:
    """So many new rows: the first queries would be planned blindly."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
