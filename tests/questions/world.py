"""A room with everybody in it: who asks, who moderates, who presents, and who hears what."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from accounts.enums import Role
from accounts.models import User
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from webinars.domain.lanes import lanes_of
from webinars.domain.questions import ask
from webinars.enums import Audience
from webinars.models import Broadcast, Question, RoomEvent, Webinar
from webinars.rules import Part, may_see, webinars_for

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ON_AIR_SECONDS = 600.0


def at(seconds: float) -> datetime:
    """So many seconds after noon, when the webinar is on air since ten minutes."""
    return NOON + timedelta(seconds=seconds)


@dataclass
class World:
    webinar: Webinar
    programme: Programme
    doctor: User
    other: User
    moderator: User
    second: User
    presenter: User

    def fresh(self) -> Webinar:
        """As a request gets it from its door."""
        return webinars_for(self.moderator).get(pk=self.webinar.pk)

    def asked(self, *, text: str = "Is it safe?", author: User | None = None, **values: Any) -> Question:
        return ask(
            webinar=self.webinar,
            author=author or self.doctor,
            text=text,
            client_key=values.pop("client_key", uuid4()),
            now=values.pop("now", NOON),
            **values,
        )

    def number(self) -> int:
        return RoomEvent.objects.filter(webinar=self.webinar).count()

    def heard(self, since: int = 0) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        """What each person in the room got to hear, by the one rule that decides it."""
        parts = {
            "doctor": (Part.ATTENDEE, self.doctor),
            "other": (Part.ATTENDEE, self.other),
            "presenter": (Part.PRESENTER, self.presenter),
            "moderator": (Part.MODERATOR, self.moderator),
        }
        events = RoomEvent.objects.filter(webinar=self.webinar, number__gt=since).order_by("number")
        return {
            name: [
                (event.kind, event.payload)
                for event in events
                if may_see(
                    kind=event.kind,
                    audience=event.audience,
                    person_id=event.person_id,
                    part=part,
                    user_id=user.pk,
                    reads=lanes_of(webinar=self.webinar, user=user, part=part, now=NOON).may_read,
                    has_place=True,
                )
            ]
            for name, (part, user) in parts.items()
        }

    def kinds(self, since: int = 0) -> dict[str, list[str]]:
        return {name: [kind for kind, _ in events] for name, events in self.heard(since).items()}

    def everything_for(self, audience: Audience) -> str:
        return repr([one.payload for one in RoomEvent.objects.filter(webinar=self.webinar, audience=audience)])


def make_world(*, live: bool = True) -> World:
    programme = ProgrammeFactory.create()
    webinar = WebinarFactory.create(
        lesson=LessonFactory.create(course__programme=programme),
        video=None,
        starts_at=NOON - timedelta(seconds=ON_AIR_SECONDS),
        live_at=NOON - timedelta(seconds=ON_AIR_SECONDS) if live else None,
    )
    world = World(
        webinar=webinar,
        programme=programme,
        doctor=doctor_of(programme, first_name="Quiet", last_name="Asker"),
        other=doctor_of(programme),
        moderator=UserFactory.create(first_name="Mo", last_name="One"),
        second=UserFactory.create(first_name="Mo", last_name="Two"),
        presenter=UserFactory.create(first_name="Pre", last_name="Senter"),
    )
    for moderator in (world.moderator, world.second):
        RoleGrantFactory.create(user=moderator, role=Role.MODERATOR, programme=programme)
    RoleGrantFactory.create(user=world.presenter, role=Role.PRESENTER, programme=programme)
    webinar.presenters.add(world.presenter)
    if live:
        Broadcast.objects.create(
            webinar=webinar,
            started_at=NOON - timedelta(seconds=ON_AIR_SECONDS),
            epoch=NOON - timedelta(seconds=ON_AIR_SECONDS),
            program_seconds=ON_AIR_SECONDS - 2,
        )
    return world


def doctor_of(programme: Programme, **values: Any) -> User:
    user = UserFactory.create(**values)
    EnrolmentFactory.create(user=user, programme=programme)
    return user


def end(webinar: Webinar, *, now: datetime) -> Webinar:
    webinar.ended_at = now
    webinar.save()
    webinar.broadcasts.update(ended_at=now)
    return webinar
