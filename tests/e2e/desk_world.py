"""A live webinar with people of every part, anew for each test. Run with the site's environment."""

import json
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4


def main() -> None:
    import django

    django.setup()
    print(json.dumps(build(sys.argv[1:])))


def build(questions: list[str]) -> dict[str, Any]:
    """The questions are asked by the doctor, one minute of the program after the other."""
    from django.utils.timezone import now

    from accounts.enums import Role
    from tests.factories.courses import LessonFactory, ProgrammeFactory
    from tests.factories.webinars import LiveWebinarFactory
    from webinars.domain.questions import ask
    from webinars.models import Broadcast, CannedReply, SpotWindow

    began = now() - timedelta(minutes=20)
    programme = ProgrammeFactory.create(title="Fertility 2026", slug=f"desk-{uuid4().hex[:12]}")
    lesson = LessonFactory.create(course__programme=programme, title="Surgery before IVF")
    webinar = LiveWebinarFactory.create(lesson=lesson, starts_at=began, live_at=began)
    Broadcast.objects.create(webinar=webinar, started_at=began, epoch=began, program_seconds=1200.0)
    CannedReply.objects.create(programme=programme, title="Slides", text="The slides are on the course page.")
    hour = timedelta(hours=1)
    door = SpotWindow.objects.create(
        webinar=webinar, opens_at=began - hour, closes_at=began + 2 * hour, capacity=5, created_at=began
    )
    people = {
        "ana": make_person("Ana", "Ribeiro", programme, Role.MODERATOR),
        "tomas": make_person("Tomas", "Berg", programme, Role.MODERATOR),
        "lucia": make_person("Lucía", "Ortega", programme, Role.MODERATOR),
        "presenter": make_person("Priya", "Rao", programme, Role.PRESENTER),
        "doctor": make_person("Meera", "Nair", programme),
        "colleague": make_person("Wanjiru", "Kamau", programme),
    }
    webinar.presenters.add(people["presenter"])
    for number, text in enumerate(questions):
        asked_at = began + timedelta(minutes=number)  # five a minute are allowed
        ask(
            webinar=webinar,
            author=people["doctor"],
            text=text,
            client_key=uuid4(),
            at_seconds=60.0 * number,
            now=asked_at,
        )
    return {
        "webinar": webinar.pk,
        "lesson": lesson.pk,
        "door": door.slug,
        "people": {name: {"id": user.pk, "cookie": cookie_of(user)} for name, user in people.items()},
    }


def make_person(first: str, last: str, programme: Any, role: str = "") -> Any:
    from tests.factories.accounts import UserFactory
    from tests.factories.courses import EnrolmentFactory, RoleGrantFactory

    user = UserFactory.create(
        title="Dr", first_name=first, last_name=last, country="IN", email=f"{uuid4().hex}@example.org", timezone="UTC"
    )
    if role:
        RoleGrantFactory.create(user=user, role=role, programme=programme)
    else:
        EnrolmentFactory.create(user=user, programme=programme)
    return user


def cookie_of(user: Any) -> str:
    from django.conf import settings

    from tests.signing_in import signed_in

    return str(signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value)


if __name__ == "__main__":
    main()
