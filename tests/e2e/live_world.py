"""A live webinar of its own for one test, and what its presenter and moderators do. Run with the site's environment:

`python -m tests.e2e.live_world make <doctor> …`, `… show <webinar>` (something for every part of the room),
`… state <webinar> <state>`, `… end <webinar>`.
"""

import json
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4


def main() -> None:
    import django

    django.setup()
    what, *arguments = sys.argv[1:]
    work: Any = {"make": make, "show": show, "end": end, "state": set_state}[what]
    print(json.dumps(work(*arguments)))


def make(*doctors: str) -> dict[str, Any]:
    from django.utils.timezone import now

    from accounts.enums import Role
    from tests.e2e.desk_world import cookie_of, make_person
    from tests.factories.courses import LessonFactory, ProgrammeFactory
    from tests.factories.webinars import LiveWebinarFactory
    from webinars.domain.stream_keys import make_key
    from webinars.ingest.rtmp import server_address

    programme = ProgrammeFactory.create(slug=f"live-{uuid4().hex[:12]}", title="Fertility 2026")
    lesson = LessonFactory.create(
        course__programme=programme, course__title="Endometriosis and fertility", title="Surgery before IVF",
        summary="What we know, what we believe, and what to tell the patient in front of you. With two cases.",
    )  # fmt: skip
    presenter = make_person("Ana", "Ribeiro", programme, Role.PRESENTER)
    moderator = make_person("Tomas", "Berg", programme, Role.MODERATOR)
    starts = now() + timedelta(minutes=6)
    webinar = LiveWebinarFactory.create(lesson=lesson, starts_at=starts, completion_percent=90, presenters=[presenter])
    _, key = make_key(webinar=webinar, presenter=presenter, now=now())
    people = {name: make_person("Meera", "Nair", programme) for name in doctors}
    people |= {"moderator": moderator, "presenter": presenter}
    return {
        "webinar": webinar.pk,
        "stream": f"{server_address()}/{key}",
        "people": {name: {"id": person.pk, "cookie": cookie_of(person)} for name, person in people.items()},
    }


def show(webinar_id: str) -> dict[str, Any]:
    """An announcement, a link, an answered question of a colleague, an open poll and one with results."""
    from django.utils.timezone import now

    from accounts.models import User
    from tests.e2e.desk_world import make_person
    from webinars.domain.announcements import announce, pin
    from webinars.domain.answers import answer, publish
    from webinars.domain.polls import close_poll, open_poll, save_poll, show_results, vote
    from webinars.domain.questions import ask
    from webinars.enums import PollKind
    from webinars.models import Webinar

    webinar = Webinar.objects.select_related("lesson__course__programme", "video").get(pk=webinar_id)
    moderator = User.objects.filter(
        role_grants__role="moderator", role_grants__programme=webinar.lesson.course.programme
    ).get()
    given: dict[str, Any] = {"webinar": webinar, "actor": moderator, "now": now()}
    announce(text="The slides are on the course page.", client_key=uuid4(), **given)
    pin(title="Guideline 2026", url="https://example.org/guideline", **given)
    colleague = make_person("Wanjiru", "Kamau", webinar.lesson.course.programme)
    text = "Is surgery before IVF still justified for small endometriomas?"
    question = ask(webinar=webinar, author=colleague, text=text, client_key=uuid4(), now=now())
    done = answer(
        question_id=question.pk, version=question.version,
        text="Not routinely below 4 cm: the reserve you lose outweighs the access you gain.", **given,
    )  # fmt: skip
    publish(question_id=question.pk, version=done.version, **given)
    words = save_poll(kind=PollKind.WORDS, question="What worries your patients most?", most_choices=3, **given)
    open_poll(poll_id=words.pk, **given)
    for one in (["pain"], ["pain", "time"], ["cost"]):
        vote(
            webinar=webinar,
            user=make_person("A", "B", webinar.lesson.course.programme),
            poll_id=words.pk,
            words=one,
            now=now(),
        )
    close_poll(poll_id=words.pk, **given)
    show_results(poll_id=words.pk, **given)
    poll = save_poll(
        kind=PollKind.SINGLE, question="Would you operate first?", options=["Yes", "No", "It depends on AMH"], **given
    )
    open_poll(poll_id=poll.pk, **given)
    return {"question": question.pk, "poll": poll.pk}


def end(webinar_id: str) -> dict[str, Any]:
    from django.utils.timezone import now

    from webinars.domain.schedule import end_webinar

    end_webinar(webinar_id=int(webinar_id), actor=None, now=now())
    return {}


def remove_doctors(webinar_id: str) -> dict[str, Any]:
    from django.utils.timezone import now

    from accounts.models import User
    from webinars.domain.restrictions import remove
    from webinars.models import Webinar

    webinar = Webinar.objects.select_related("lesson__course__programme", "video").get(pk=webinar_id)
    programme = webinar.lesson.course.programme
    moderator = User.objects.get(role_grants__role="moderator", role_grants__programme=programme)
    for doctor in User.objects.filter(enrolments__programme=programme):
        remove(webinar=webinar, user=doctor, actor=moderator, now=now())
    return {}


def set_state(webinar_id: str, state: str) -> dict[str, Any]:
    """For pages that are only looked at."""
    from django.utils.timezone import now

    from webinars.domain.schedule import announce_state, cancel_webinar
    from webinars.enums import IngestKind
    from webinars.models import Webinar

    changes: dict[str, dict[str, Any]] = {
        "scheduled": {"starts_at": now() + timedelta(days=2, hours=3), "capacity": 200, "needs_registration": True},
        "register": {"needs_registration": True, "capacity": 200},
        "elsewhere": {"ingest": IngestKind.EXTERNAL, "external_url": "https://meet.example.org/x"},
        "ended": {"live_at": now() - timedelta(hours=1), "ended_at": now()},
    }
    if state == "removed":
        return remove_doctors(webinar_id)
    if state == "cancelled":
        cancel_webinar(webinar_id=int(webinar_id), reason="The speaker is ill.", actor=None, now=now())
        return {}
    Webinar.objects.filter(pk=webinar_id).update(**changes[state])
    announce_state(Webinar.objects.select_related("video").get(pk=webinar_id), now=now())
    return {}


if __name__ == "__main__":
    main()
