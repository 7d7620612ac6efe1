"""A programme with doctors whom an operator of it can choose from, anew for each test. Run with the site's environment:

`python -m tests.e2e.campaign_world make`, `… silence <address>`, `… send <campaign>` (until nothing of it is left),
`… come <campaign>`, `… state <programme> <state>`.
"""

import json
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

WEBINAR = "Ovarian reserve: what the numbers mean, and what they do not"
DOCTORS = (
    # name, country, zone, specialty, registered, has watched
    ("Meera", "Nair", "IN", "Asia/Kolkata", "Gynaecology", True, False),
    ("Lakshmi", "Venkataraman", "IN", "America/New_York", "gynaecology", True, False),
    ("Ravi", "Iyer", "IN", "Asia/Kolkata", "Gynaecology", True, True),
    ("Anjali", "Deshpande", "IN", "Asia/Kolkata", "Gynaecology", False, False),
    ("Arun", "Menon", "IN", "Asia/Kolkata", "Reproductive medicine", True, False),
    ("Wanjiru", "Kamau", "KE", "Africa/Nairobi", "Gynaecology", True, False),
)  # fmt: skip


def main() -> None:
    import django

    django.setup()
    what, *arguments = sys.argv[1:]
    work: Any = {"make": make, "silence": silence, "send": send, "come": come, "state": state}[what]
    print(json.dumps(work(*arguments)))


def make() -> dict[str, Any]:
    """The programme's title is of its own: the choice of the office lists those of all tests."""
    from datetime import time

    from django.utils.timezone import now

    from accounts.enums import Role
    from accounts.models import User
    from reminders.domain.builtin_words import built_in_set
    from tests.e2e.desk_world import cookie_of, make_person
    from tests.factories.courses import LessonFactory, ProgrammeFactory
    from tests.factories.webinars import LiveWebinarFactory, WatchRecordFactory
    from tests.reminders.factories import MessagePolicyFactory
    from webinars.models import Registration

    number = uuid4().hex[:8]
    programme = ProgrammeFactory.create(slug=f"campaign-{number}", title=f"Reproductive medicine in practice {number}")
    MessagePolicyFactory.create(
        programme=programme, template_set=built_in_set(), sender_name="Society of Reproductive Medicine",
        quiet_from=time(0), quiet_until=time(0),
    )  # fmt: skip
    lesson = LessonFactory.create(course__programme=programme, course__title="Ovarian reserve", title=WEBINAR)
    webinar = LiveWebinarFactory.create(lesson=lesson, starts_at=now() - timedelta(days=2))
    operator = make_person("Tomas", "Berg", programme, Role.OPERATOR)
    emails = {}
    for first, last, country, zone, specialty, is_registered, has_watched in DOCTORS:
        doctor = make_person(first, last, programme)
        User.objects.filter(pk=doctor.pk).update(country=country, timezone=zone, specialty=specialty)
        emails[first] = doctor.email
        if is_registered:
            Registration.objects.create(webinar=webinar, user=doctor, registered_at=now() - timedelta(days=3))
        if has_watched:
            WatchRecordFactory.create(user=doctor, webinar=webinar, seen_seconds=3240, required_seconds=3240)
    return {
        "programme": programme.title,
        "webinar": f"Ovarian reserve · {WEBINAR}",
        "emails": emails,
        "cookie": cookie_of(operator),
    }


def silence(address: str) -> bool:
    """A mailbox that does not exist."""
    from reminders.enums import Channel
    from tests.reminders.factories import suppressed

    suppressed(Channel.EMAIL, address)
    return True


def send(campaign: str) -> str:
    """What the scheduler and the workers do, at once. They may do it at the same time. Returns the state it is in."""
    from django.utils.timezone import now

    from reminders.domain.campaigns import run_due
    from reminders.domain.falling_back import plan_fallbacks
    from reminders.domain.running import drain
    from reminders.models import Campaign

    run_due(now=now())
    for _channel in range(2):
        drain(clock=now)
        plan_fallbacks(now=now())
    drain(clock=now)
    run_due(now=now())
    return str(Campaign.objects.get(pk=campaign).state)


def come(campaign: str) -> int:
    """One of those who got an e-mail follows its link into the webinar. Returns how many e-mails there are."""
    from django.utils.timezone import now

    from reminders.domain.campaign_results import webinar_of
    from reminders.models import Campaign, Delivery
    from tests.reminders.campaigns.playing import play

    rows = Delivery.objects.filter(campaign=int(campaign), channel="email", state="sent").select_related("user")
    one = rows.earliest("pk")
    webinar = webinar_of(Campaign.objects.get(pk=campaign))
    if webinar is None:
        raise RuntimeError("The campaign names no webinar.")
    Delivery.objects.filter(pk=one.pk).update(read_at=now(), followed_at=now())
    play(webinar, one.user, at=now())
    return rows.count()


def state(programme: str, which: str) -> int:
    """A campaign half on its way, one that could not begin, and one that meant nobody. Returns its number."""
    from django.utils.timezone import now

    from courses.models import Enrolment, Programme
    from reminders.enums import CampaignState, DeliveryState, Kind, SkipReason
    from tests.reminders.factories import CampaignFactory, DeliveryFactory

    at = now()
    values: dict[str, Any] = {
        "running": {"state": CampaignState.RUNNING, "started_at": at, "fallback_minutes": 60},
        "stopped-by-itself": {
            "state": CampaignState.STOPPED, "ended_at": at, "why_stopped": "The programme is not published.",
        },
        "nobody": {"state": CampaignState.DONE, "started_at": at, "ended_at": at},
    }[which]  # fmt: skip
    texts = {"en": {name: {"subject": "Come back", "body": "There is news."} for name in ("email", "inbox")}}
    row = CampaignFactory.create(
        programme=Programme.objects.get(title=programme), title="Come back to the recordings", scheduled_at=at,
        local_at=f"{at:%Y-%m-%d}T09:00", channels=["email", "inbox", "sms"], texts=texts, path="/programmes/", **values,
    )  # fmt: skip
    if which != "running":
        return int(row.pk)
    ends: list[dict[str, Any]] = [
        {"channel": "email", "state": DeliveryState.SENT, "delivered_at": at, "read_at": at},
        {"channel": "email", "state": DeliveryState.SENT},
        {"channel": "inbox", "state": DeliveryState.SENT, "delivered_at": at},
        {"channel": "sms", "state": DeliveryState.SKIPPED, "skip_reason": SkipReason.GONE},
    ]
    doctors = [one.user for one in Enrolment.objects.filter(programme=row.programme).select_related("user")]
    later: dict[str, Any] = {
        "channel": "email",
        "due_at": at + timedelta(hours=5),
        "expires_at": at + timedelta(hours=29),
    }
    about = {"programme": row.programme, "campaign": row, "kind": Kind.CAMPAIGN, "subject": f"campaign/{row.pk}"}
    for number, doctor in enumerate(doctors):
        given: dict[str, Any] = {"due_at": at, "expires_at": at + timedelta(hours=24)}
        given |= ends[number] if number < len(ends) else later
        DeliveryFactory.create(user=doctor, **about, **given)
    return int(row.pk)


if __name__ == "__main__":
    main()
