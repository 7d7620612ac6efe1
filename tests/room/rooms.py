"""A room with people of every part in it, and posted events."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import Device, User
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.webinars.watching import make_device
from webinars.domain.events import SCHEMAS
from webinars.domain.room import post_event
from webinars.enums import Audience, EventKind
from webinars.models import RoomEvent, Webinar

KINDS = {
    Audience.ALL: EventKind.ANNOUNCEMENT,
    Audience.PRESENTERS: EventKind.FORWARDED,
    Audience.MODERATORS: EventKind.QUESTION,
    Audience.PERSON: EventKind.OWN_QUESTION,
}


@dataclass(frozen=True)
class Scene:
    """A webinar that is live since ten minutes."""

    webinar: Webinar

    @property
    def programme(self) -> Programme:
        return self.webinar.lesson.course.programme

    def doctor(self, **fields: Any) -> Device:
        user = UserFactory.create(**fields)
        EnrolmentFactory.create(user=user, programme=self.programme)
        return make_device(user, now=now())

    def presenter(self) -> Device:
        user = UserFactory.create()
        RoleGrantFactory.create(user=user, role=Role.PRESENTER, programme=self.programme)
        self.webinar.presenters.add(user)
        return make_device(user, now=now())

    def moderator(self) -> Device:
        user = UserFactory.create()
        RoleGrantFactory.create(user=user, role=Role.MODERATOR, programme=self.programme)
        device = make_device(user, now=now())
        device.mfa_at = now()  # without the second step the desk hears nothing
        device.save()
        return device

    def stranger(self) -> Device:
        """Enrolled in another programme."""
        user = UserFactory.create()
        EnrolmentFactory.create(user=user, programme=ProgrammeFactory.create())
        return make_device(user, now=now())

    def post(self, text: str = "", *, audience: Audience = Audience.ALL, person: User | None = None) -> RoomEvent:
        return post(self.webinar.pk, text, audience=audience, person=person)


def make_scene() -> Scene:
    moment = now()
    return Scene(
        WebinarFactory.create(
            lesson=LessonFactory.create(), starts_at=moment, live_at=moment - timedelta(minutes=10), video=None
        )
    )


def post(
    webinar_id: int, text: str = "", *, audience: Audience = Audience.ALL, person: User | None = None
) -> RoomEvent:
    kind = KINDS[audience]
    payload: dict[str, Any] = dict.fromkeys(SCHEMAS[kind][audience])
    payload |= {name: value for name, value in {"id": 1, "text": text}.items() if name in payload}
    with transaction.atomic():
        return post_event(
            webinar_id=webinar_id,
            kind=kind,
            audience=audience,
            payload=payload,
            person_id=person.pk if person else None,
            now=now(),
        )
