"""People and webinars for one round, as JSON: `python -m tests.faults.population 60`, in the site's environment.

All is in one programme: a lecture to watch, a live webinar with its doors open, one with too few places, two short
recordings, and an exam. Every round has a programme of its own, so what an earlier one left disturbs nobody.
"""

import json
import sys
from datetime import timedelta
from typing import Any

import django

MODERATORS = 2
VOTED, MOVED = 6, 6  # questions that doctors vote for, and those that moderators publish and take back
SHORT_SECONDS = 20
CANDIDATES = 12  # the last of the doctors; half of them have begun the exam already


def main(count: int) -> None:
    django.setup()
    from django.utils.timezone import now

    from accounts.enums import Role
    from courses.models import Programme
    from tests.bench.people import make_audience, make_login
    from tests.factories.accounts import UserFactory
    from tests.factories.courses import LessonFactory, ProgrammeFactory, RoleGrantFactory
    from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
    from tests.faults.exam import make_exam
    from tests.faults.mailing import make_mailing
    from tests.webinars.watching import make_device

    ProgrammeFactory.reset_sequence(Programme.objects.count())  # the rounds before had some
    audience = make_audience(count)
    programme: Programme = audience.webinar.lesson.course.programme
    course = audience.webinar.lesson.course
    doors = {"doors_minutes": 240, "starts_at": now() + timedelta(hours=3)}
    live = LiveWebinarFactory.create(lesson=LessonFactory.create(course=course), **doors)
    scarce = LiveWebinarFactory.create(
        lesson=LessonFactory.create(course=course), needs_registration=True, capacity=count // 2, **doors
    )
    fresh = WebinarFactory.create(lesson=LessonFactory.create(course=course))
    short = WebinarFactory.create(
        lesson=LessonFactory.create(course=course), video__duration_seconds=float(SHORT_SECONDS)
    )
    doctors: list[dict[str, Any]] = []
    for viewer, session in zip(audience.viewers(), audience.sessions, strict=True):
        make_login(session.user, viewer["cookie"])
        doctors.append({**viewer, "user": session.user_id, "short": str(_open_short(session, short))})
    moderators: list[dict[str, Any]] = []
    for _ in range(MODERATORS):
        user = UserFactory.create(email=f"moderator{programme.pk}.{len(moderators)}@example.org")
        RoleGrantFactory.create(user=user, role=Role.MODERATOR, programme=programme)
        device = make_device(user, now=now())
        device.mfa_at = now()
        device.save()
        make_login(user, device.session_key)
        moderators.append({"user": user.pk, "cookie": device.session_key})
    found = {
        "webinar": audience.webinar.pk,
        "live": live.pk,
        "scarce": scarce.pk,
        "fresh": fresh.pk,
        "short": short.pk,
        "short_lesson": short.lesson_id,
        "doctors": doctors,
        "moderators": moderators,
        **_questions(live, doctors[0]["user"], moderators[0]["user"]),
        "door": _door(live, moderators[0]["user"]),
        "candidates": doctors[-CANDIDATES:],
        **make_mailing(programme=programme, webinar=live),
        **make_exam(course=course, late=[one.user for one in audience.sessions[-CANDIDATES::2]]),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _open_short(session: Any, short: Any) -> Any:
    """Open for so long that the whole recording may be credited in one beat."""
    from webinars.models import PlaySession

    return PlaySession.objects.create(
        user=session.user,
        webinar=short,
        phase=session.phase,
        device=session.device,
        enrolment=session.enrolment,
        media_seconds=SHORT_SECONDS,
        required_seconds=SHORT_SECONDS - 2,
        started_at=session.started_at,
    ).pk


def _questions(live: Any, author: int, moderator: int) -> dict[str, Any]:
    from django.utils.timezone import now

    from accounts.models import User
    from webinars.domain import answers, polls
    from webinars.enums import PollKind
    from webinars.models import Question

    person = User.objects.get(pk=moderator)
    made = [
        Question.objects.create(webinar=live, author_id=author, text=f"Question {number}", asked_at=now())
        for number in range(VOTED + MOVED)
    ]
    for question in made[:VOTED]:
        answers.publish(webinar=live, question_id=question.pk, actor=person, version=question.version, now=now())
    poll = polls.save_poll(
        webinar=live, kind=PollKind.SINGLE, question="Which?", options=["One", "Two"], actor=person, now=now()
    )
    polls.open_poll(webinar=live, poll_id=poll.pk, actor=person, now=now())
    return {
        "voted": [one.pk for one in made[:VOTED]],
        "moved": [one.pk for one in made[VOTED:]],
        "poll": poll.pk,
    }


def _door(live: Any, moderator: int) -> dict[str, Any]:
    from django.utils.timezone import now

    from webinars.models import SpotWindow

    made = SpotWindow.objects.create(
        webinar=live,
        opens_at=now() - timedelta(hours=1),
        closes_at=now() + timedelta(hours=6),
        capacity=100_000,
        created_by_id=moderator,
        created_at=now(),
    )
    return {"id": made.pk, "slug": made.slug}


if __name__ == "__main__":
    main(int(sys.argv[1]))
