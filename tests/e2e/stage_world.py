"""A programme with a webinar that starts in some minutes, its presenter, and an open door."""

from datetime import timedelta
from typing import Any

NAMES = (("Asha", "Menon"), ("Wanjiru", "Kamau"), ("Otto", "Weiß"))


def build_stage() -> dict[str, Any]:
    from django.conf import settings
    from django.utils.timezone import now

    from accounts.enums import Role
    from tests.factories.accounts import UserFactory
    from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
    from tests.factories.webinars import WebinarFactory
    from tests.signing_in import signed_in
    from webinars.models import SpotRequest, SpotWindow

    programme = ProgrammeFactory.create(slug="stage", title="On stage", society="Society of Reproductive Medicine")
    course = CourseFactory.create(programme=programme, title="Live")
    webinars = {}
    for name, title in (("show", "Endometriosis and fertility: what the evidence says"), ("air", "A stream on air")):
        lesson = LessonFactory.create(course=course, title=title)
        webinars[name] = WebinarFactory.create(lesson=lesson, video=None, starts_at=now() + timedelta(minutes=12))
    person = UserFactory.create(email="stage@example.org", first_name="Ana", last_name="Ribeiro", timezone="UTC")
    moderator = UserFactory.create(email="desk@example.org", first_name="Ben", last_name="Okoro", timezone="UTC")
    RoleGrantFactory.create(user=person, role=Role.PRESENTER, programme=programme)
    RoleGrantFactory.create(user=moderator, role=Role.MODERATOR, programme=programme)
    for webinar in webinars.values():
        webinar.presenters.add(person)
    window, later = (
        SpotWindow.objects.create(
            webinar=webinars["show"],
            opens_at=now() + timedelta(hours=hours),
            closes_at=now() + timedelta(hours=hours + 6),
            capacity=50,
            created_at=now(),
        )
        for hours in (-1, 5)
    )
    for number, (first, last) in enumerate(NAMES):
        SpotRequest.objects.create(
            window=window, email=f"asker{number}@example.net", first_name=first, last_name=last, country="IN",
            medical_council="KMC", registration_number=str(number), ticket=f"{number:064}", created_at=now(),
            duplicate_reason="Same name and country as Dr Meera Nair." if number == 1 else "",
        )  # fmt: skip
    fill_board(webinars["show"])
    cookie = settings.SESSION_COOKIE_NAME
    return {
        "webinars": {name: webinar.pk for name, webinar in webinars.items()},
        "door": window.slug,
        "later": later.slug,
        "window": window.pk,
        "presenter": signed_in(person).cookies[cookie].value,
        "moderator": signed_in(moderator).cookies[cookie].value,
    }


def fill_board(webinar: Any) -> None:
    """Questions and a poll, as in the middle of a webinar."""
    from django.utils.timezone import now

    from tests.factories.accounts import UserFactory
    from webinars.enums import QuestionState, StreamProblem
    from webinars.models import CannedReply, Poll, PollOption, PollVote, Question, StreamNotice

    texts = ("Does surgery before IVF still make sense when AMH is below one?", "Which dose do you start with?")
    for number, text in enumerate(texts):
        Question.objects.create(
            webinar=webinar, author=UserFactory.create(country="KE"), text=text, asked_at=now(), forwarded_at=now(),
            state=QuestionState.FORWARDED, is_priority=number == 0, is_anonymous=number == 1,
        )  # fmt: skip
    poll = Poll.objects.create(
        webinar=webinar, question="How many cycles do you offer?", state="closed", opened_at=now(), closed_at=now()
    )
    for position, text in enumerate(("One or two", "Three", "More"), 1):
        PollOption.objects.create(poll=poll, position=position, text=text)
    for choice in (1, 2, 2, 3, 2):
        PollVote.objects.create(poll=poll, user=UserFactory.create(), choices=[choice], at=now())
    CannedReply.objects.create(title="Soon", text="Thank you, this is answered in the next part.")
    StreamNotice.objects.create(webinar=webinar, problem=StreamProblem.NO_SOUND, at=now())
