"""A webinar with an open door, and doctors who ask."""

from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from accounts.models import User
from courses.models import Programme
from tests.factories.courses import RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from webinars.domain.spot import Asker, ask_to_be_let_in, find_ticket
from webinars.enums import SpotApproval
from webinars.models import SpotRequest, SpotWindow, Webinar

ASKER = {
    "email": "asha@clinic.example",
    "first_name": "Asha",
    "last_name": "Menon",
    "country": "IN",
    "medical_council": "KMC",
    "registration_number": "48 213",
}


def live_webinar(**given: Any) -> Webinar:
    webinar: Webinar = WebinarFactory.create(**{"video": None, "starts_at": now() + timedelta(minutes=10)} | given)
    return webinar


def open_door(webinar: Webinar | None = None, **given: Any) -> SpotWindow:
    values: dict[str, Any] = {
        "webinar": webinar or live_webinar(),
        "opens_at": now() - timedelta(hours=1),
        "closes_at": now() + timedelta(hours=1),
        "capacity": 10,
        "approval": SpotApproval.MANUAL,
        "created_at": now(),
    }
    made: SpotWindow = SpotWindow.objects.create(**values | given)
    return made


def ask(window: SpotWindow, *, address: str = "192.0.2.7", **given: str) -> SpotRequest:
    ticket = ask_to_be_let_in(window=window, asker=Asker(**{**ASKER, **given}), address=address, now=now())
    found = find_ticket(window=window, ticket=ticket)
    assert found is not None
    return found


def moderator_of(programme: Programme) -> User:
    user: User = RoleGrantFactory.create(programme=programme).user
    return user


def programme_of(window: SpotWindow) -> Programme:
    programme: Programme = window.webinar.lesson.course.programme
    return programme
