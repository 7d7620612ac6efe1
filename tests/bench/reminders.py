"""`script/bench reminders`: planning for 15,000 doctors and 20 journeys, and a burst of 15,000 "we are live" by SMTP.

Planned at once: five kinds of messages about four webinars each, for everybody. The burst goes through as many workers
as there are cores, each a process of its own that claims, checks, words and hands over, to a mail server on this
machine that writes down what it was given. `--scale 0.01` tries it with few doctors and no limits.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.certification import AT_MOST, say
from tests.bench.stage import HOST, ROOT, free_port, stage

DOCTORS, WEBINARS = 15_000, 4
ZONES = ("Asia/Kolkata", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Sydney", "Africa/Lagos")
LIMITS: dict[str, tuple[str, float]] = {
    "drain_15000_s": (AT_MOST, 180),
    "duplicates": (AT_MOST, 0),
    "lost": (AT_MOST, 0),
}
ROWS = (
    ("doctors", "doctors"),
    ("planned", "messages planned"),
    ("plan_s", "s to plan them"),
    ("plan_again_s", "s to find that nothing is new, as every minute does"),
    ("drained", "messages of a burst"),
    ("drain_15000_s", "s for 15,000 of them, from due to accepted by a mail server here"),
    ("workers", "workers"),
    ("per_worker_per_s", "messages a second and worker"),
    ("duplicates", "messages that the mail server has twice"),
    ("lost", "messages that ended nowhere, or were sent and are not there"),
)
# One process: it claims and sends until nothing is due.
WORKER = """
import django; django.setup()
from core.clock import asked_now
from reminders.domain.running import drain
drain(clock=asked_now)
"""


def measure(directory: Path, *, doctors: int) -> dict[str, Any]:
    from django.utils.timezone import now

    programme, live = _fill(doctors, now=now())
    figures = _plan(now())
    figures |= _drain(directory, live)
    return {"doctors": doctors, **figures, "programme": programme}


def _fill(doctors: int, *, now: datetime) -> tuple[int, list[str]]:
    """People with places since a month, and webinars at whose times five journeys are due at this moment."""
    from accounts.models import User
    from courses.enums import EnrolmentStatus
    from courses.models import Enrolment
    from reminders.domain.builtin_words import built_in_set
    from reminders.domain.revisions import notice_changes
    from reminders.enums import Kind
    from reminders.models import Journey, MessagePolicy
    from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory
    from tests.factories.webinars import LiveWebinarFactory

    ago = now - timedelta(days=30)
    programme = ProgrammeFactory.create(timezone="Asia/Kolkata")
    made = User.objects.bulk_create(
        [
            User(
                email=f"doctor{number}@hospital.example", password="!", first_name="Meera", last_name=f"Nair{number}",
                timezone=ZONES[number % len(ZONES)],
            )
            for number in range(doctors)
        ],
        batch_size=5_000,
    )  # fmt: skip
    Enrolment.objects.bulk_create(
        [
            Enrolment(user=one, programme=programme, status=EnrolmentStatus.ACTIVE, enrolled_at=ago, activated_at=ago)
            for one in made
        ],
        batch_size=5_000,
    )
    MessagePolicy.objects.create(
        programme=programme, template_set=built_in_set(), is_on=True, sender_name="The society",
        quiet_from="00:00", quiet_until="00:00", most_a_day=20, most_a_week=70,
    )  # fmt: skip
    course = CourseFactory.create(programme=programme)
    offsets = {Kind.WEEK_BEFORE: -10_080, Kind.DAY_BEFORE: -1_440, Kind.HOUR_BEFORE: -60, Kind.SOON: -10, Kind.LIVE: 0}
    for kind, minutes in offsets.items():
        for _ in range(WEBINARS):
            starts_at = now + timedelta(minutes=-minutes)
            LiveWebinarFactory.create(lesson=LessonFactory.create(course=course), starts_at=starts_at)
        Journey.objects.create(
            programme=programme, kind=kind, offset_minutes=minutes, channels=["email"], is_urgent=kind == Kind.LIVE
        )
    notice_changes(now=ago)
    from webinars.models import Webinar

    live = Webinar.objects.filter(starts_at__lte=now)
    live.update(live_at=now)
    return programme.pk, [f"webinar/{pk}" for pk in live.order_by("pk").values_list("pk", flat=True)]


def _plan(now: datetime) -> dict[str, Any]:
    from reminders.domain.planning import plan

    began = time.perf_counter()
    planned = sum(one.number for one in plan(now=now))
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    again = sum(one.number for one in plan(now=now + timedelta(seconds=1)))
    if again:
        raise RuntimeError(f"{again:,} were planned a second time")
    return {
        "planned": planned,
        "plan_s": round(seconds, 2),
        "plan_again_s": round(time.perf_counter() - began, 2),
    }


def _drain(directory: Path, live: list[str]) -> dict[str, Any]:
    """Of one webinar's "we are live"; all others wait meanwhile, as they would."""
    from django.utils.timezone import now

    from reminders.enums import DeliveryState
    from reminders.models import Delivery

    burst = Delivery.objects.filter(subject=live[0], kind="live")
    Delivery.objects.exclude(pk__in=burst.values("pk")).update(
        due_at=now() + timedelta(hours=2), expires_at=now() + timedelta(hours=3)
    )
    number = burst.count()
    workers = os.cpu_count() or 1
    port = free_port()
    with _mail_server(port, directory / "mail"):
        environment = {
            **os.environ, "EMAIL_HOST": HOST, "EMAIL_PORT": str(port), "MESSAGES_EMAIL": "smtp",
            "MESSAGES_EMAIL_RATE": "10000",
        }  # fmt: skip
        began = time.perf_counter()
        processes = [
            subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment) for _ in range(workers)
        ]
        codes = [process.wait() for process in processes]
        seconds = time.perf_counter() - began
    if any(codes):
        raise RuntimeError(f"Sending ended with {codes}")
    taken = Counter((directory / "mail").read_text().split())
    ended = Counter(burst.values_list("state", flat=True))
    sent = {one.hex for one in burst.filter(state=DeliveryState.SENT).values_list("key", flat=True)}
    over = {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.SKIPPED}
    return {
        "drained": number,
        "drain_15000_s": round(seconds * 15_000 / max(1, number), 1),
        "workers": workers,
        "per_worker_per_s": round(number / seconds / workers),
        "duplicates": sum(times - 1 for times in taken.values()),
        "lost": sum(times for state, times in ended.items() if state not in over) + len(sent - set(taken)),
        "sent": ended[DeliveryState.SENT],
    }


@contextmanager
def _mail_server(port: int, kept: Path) -> Iterator[None]:
    """A process of its own, so that it costs the workers nothing but the core that it runs on."""
    kept.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.mail_sink", str(port), str(kept)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        if process.stdout is None or process.stdout.readline().strip() != b"ready":
            raise RuntimeError("The mail server did not start")
        yield
    finally:
        process.terminate()
        process.wait(20)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench reminders", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--scale", type=float, default=1.0, help="of the doctors; limits count for all of them only")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): everything will take longer.")
    with tempfile.TemporaryDirectory(prefix="lms-mail-") as name, stage():
        figures = measure(Path(name), doctors=max(20, int(DOCTORS * options.scale)))
    figures |= {"load_before": round(busy, 2), "scale": options.scale}
    too_far = [
        f"BEYOND ITS LIMIT: {name} is {figures[name]}, {how} {limit:,} was wanted"
        for name, (how, limit) in LIMITS.items()
        if options.scale >= 1 and figures[name] > limit
    ]
    for line in [*(f"  {figures[name]:>10,}  {words}" for name, words in ROWS), "", *too_far]:
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 1 if too_far else 0


if __name__ == "__main__":
    sys.exit(main())
