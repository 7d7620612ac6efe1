"""Doctors by the ten thousand and a webinar on air for them, in the cluster's database. Run with its environment:

`python -m tests.bench.surge_world make 20000` prints where the webinar is and who may come;
`… poll <webinar>` opens a poll, `… announce <webinar> <times>` tells everybody the time, `… number <webinar>` says how
far the room is.
"""

import json
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import django

COURSES, LESSONS = 3, 4
BATCH = 5_000
PAUSE_SECONDS = 3.0  # between two announcements
SINCE = timedelta(minutes=20)  # on air
SEGMENTS, SEGMENT_SECONDS, SEGMENT_BYTES = 5, 2, 60_000
RENDITIONS = {"240p5": 92_000, "360p": 364_000}


def main() -> None:
    django.setup()
    what, *arguments = sys.argv[1:]
    work: Any = {"make": make, "poll": open_poll, "announce": announce, "number": number}[what]
    sys.stdout.write(json.dumps(work(*arguments)) + "\n")


def make(count: str) -> dict[str, Any]:
    from django.db import connection
    from django.utils.timezone import now

    from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory
    from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
    from webinars.models import Broadcast

    begun = now() - SINCE
    programme = ProgrammeFactory.create(slug=f"surge-{uuid4().hex[:8]}")
    lessons = [
        LessonFactory.create(course=course)
        for course in (CourseFactory.create(programme=programme) for _ in range(COURSES))
        for _ in range(LESSONS)
    ]
    webinar = LiveWebinarFactory.create(lesson=lessons[0], starts_at=begun, live_at=begun)
    for lesson in lessons[1:]:
        WebinarFactory.create(lesson=lesson)
    broadcast = Broadcast.objects.create(webinar=webinar, started_at=begun, epoch=begun, program_seconds=86_400)
    _write_media(str(broadcast.key), begun)
    members = [one for start in range(0, int(count), BATCH) for one in _people(programme, start, int(count))]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"webinar": webinar.pk, "members": members}


def _write_media(key: str, begun: Any) -> None:
    """A playlist of the latest segments, as the packager writes it. It stands still: nobody decodes it here."""
    from django.conf import settings

    folder = settings.MEDIA_ROOT / "videos" / key / "live"
    master = ["#EXTM3U", "#EXT-X-VERSION:6"]
    for name, rate in RENDITIONS.items():
        folder.joinpath(name).mkdir(parents=True)
        lines = ["#EXTM3U", "#EXT-X-VERSION:6", f"#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}", "#EXT-X-MEDIA-SEQUENCE:0"]
        for number in range(SEGMENTS):
            at = begun + timedelta(seconds=number * SEGMENT_SECONDS)
            lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat()}", f"#EXTINF:{SEGMENT_SECONDS:.3f},"]
            lines.append(f"{name}/{number}.ts")
            folder.joinpath(name, f"{number}.ts").write_bytes(b"G" * SEGMENT_BYTES)
        folder.joinpath(f"{name}.m3u8").write_text("\n".join([*lines, ""]))
        master += [f"#EXT-X-STREAM-INF:BANDWIDTH={rate}", f"{name}.m3u8"]
    folder.joinpath("master.m3u8").write_text("\n".join([*master, ""]))


def _people(programme: Any, start: int, count: int) -> list[dict[str, Any]]:
    """Signed in and enrolled, by a handful of statements."""
    from django.contrib.sessions.models import Session
    from django.utils.timezone import now

    from accounts.enums import SignInMethod
    from accounts.models import Device, User
    from courses.models import Enrolment
    from tests.bench.people import login_row

    numbers = range(start, min(count, start + BATCH))
    tag = uuid4().hex[:8]
    users = User.objects.bulk_create(
        [User(email=f"{tag}-{n}@example.org", first_name="Meera", last_name=f"Nair {n}") for n in numbers]
    )
    keys = [f"{tag}{user.pk:024d}" for user in users]
    given = {"name": "Chrome on Windows", "method": SignInMethod.LINK, "created_at": now(), "last_seen_at": now()}
    Device.objects.bulk_create(
        [Device(user=user, session_key=key, **given) for user, key in zip(users, keys, strict=True)]
    )
    Enrolment.objects.bulk_create(
        [Enrolment(user=user, programme=programme, status="active", enrolled_at=now()) for user in users]
    )
    Session.objects.bulk_create([login_row(user, key) for user, key in zip(users, keys, strict=True)])
    return [{"user_id": user.pk, "session_key": key} for user, key in zip(users, keys, strict=True)]


def _webinar(number: str) -> Any:
    from webinars.models import Webinar

    return Webinar.objects.select_related("lesson__course__programme", "video").get(pk=number)


def open_poll(webinar_id: str) -> dict[str, Any]:
    from django.utils.timezone import now

    from accounts.enums import Role
    from tests.e2e.desk_world import make_person
    from webinars.domain.polls import open_poll as opened
    from webinars.domain.polls import save_poll
    from webinars.enums import PollKind

    webinar = _webinar(webinar_id)
    moderator = make_person("Tomas", "Berg", webinar.lesson.course.programme, Role.MODERATOR)
    given: dict[str, Any] = {"webinar": webinar, "actor": moderator, "now": now()}
    poll = save_poll(kind=PollKind.SINGLE, question="Would you operate first?", options=["Yes", "No"], **given)
    opened(poll_id=poll.pk, **given)
    return {"poll": poll.pk}


def announce(webinar_id: str, times: str) -> dict[str, Any]:
    """The text is the moment at which it was posted."""
    from tests.bench.room import post

    webinar = _webinar(webinar_id)
    for _ in range(int(times)):
        post(webinar, str(time.time()))
        time.sleep(PAUSE_SECONDS)
    return {}


def number(webinar_id: str) -> dict[str, Any]:
    from webinars.domain.room_state import last_number

    return {"number": last_number(int(webinar_id))}


if __name__ == "__main__":
    main()
