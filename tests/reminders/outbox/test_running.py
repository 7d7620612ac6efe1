"""The scheduler's minute: a part that fails is logged and holds up none of the others. And its rehearsal."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from reminders.domain.planning import WouldPlan
from reminders.domain.revisions import notice_changes
from reminders.domain.running import plan_all, rehearse_all
from reminders.enums import CampaignState, Channel, DeliveryState, Kind
from reminders.models import Campaign, Delivery, Journey, ScheduleRevision
from tests.factories.courses import LessonFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.reminders.factories import (
    NOW,
    CampaignFactory,
    ChannelChoiceFactory,
    DeliveryFactory,
    JourneyFactory,
    Scene,
    scene,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sink")]
MINUTE = timedelta(minutes=1)


@contextmanager
def without(table: str) -> Iterator[None]:
    """The database refuses whatever needs it."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO out_of_reach")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE out_of_reach RENAME TO {table}")


def everything_due() -> Scene:
    """A new date to notice, a journey's message, a next channel and a campaign."""
    found = scene(doctors=1, starts_at=NOW + timedelta(hours=1))
    notice_changes(now=NOW - timedelta(days=20))
    LiveWebinarFactory.create(
        lesson=LessonFactory.create(course=found.webinar.lesson.course), starts_at=NOW + 9 * MINUTE
    )
    doctor = found.doctors[0]
    JourneyFactory.create(programme=found.programme, kind=Kind.HOUR_BEFORE, offset_minutes=-60)
    JourneyFactory.create(
        programme=found.programme, kind=Kind.COURSE_COMPLETED, offset_minutes=0, channels=["email", "sms"],
        fallback_minutes=5,
    )  # fmt: skip
    ChannelChoiceFactory.create(user=doctor, channel=Channel.SMS)
    DeliveryFactory.create(
        programme=found.programme, user=doctor, kind=Kind.COURSE_COMPLETED, subject="course/1",
        state=DeliveryState.FAILED,
    )  # fmt: skip
    CampaignFactory.create(programme=found.programme, state=CampaignState.SCHEDULED, scheduled_at=NOW)
    return found


def done() -> set[str]:
    """What of it happened. The second webinar's date is the only one noticed at `NOW`."""
    kinds = {f"{one.kind} by {one.channel}" for one in Delivery.objects.filter(state=DeliveryState.PLANNED)}
    return kinds | ({"noticed"} if ScheduleRevision.objects.filter(noticed_at=NOW).exists() else set())


NOTICED, PLANNED, FOLLOWED, BEGUN = "noticed", "hour_before by email", "course_completed by sms", "campaign by email"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", {NOTICED, PLANNED, FOLLOWED, BEGUN}),
        ("courses_course_prerequisites", {NOTICED, FOLLOWED, BEGUN}),  # one kind of journey needs it
        ("reminders_journey", {NOTICED, BEGUN}),
        ("reminders_campaign", {NOTICED, PLANNED, FOLLOWED}),
        ("courses_lesson", {FOLLOWED, BEGUN}),
    ],
)
def test_what_fails_holds_up_nothing_else(table: str, expected: set[str]) -> None:
    everything_due()
    if not table:
        assert plan_all(now=NOW) == 3
    else:
        with without(table):
            plan_all(now=NOW)
    assert done() == expected


def test_one_journey_without_next_channels_holds_up_no_other() -> None:
    found = everything_due()
    Journey.objects.filter(kind=Kind.HOUR_BEFORE).update(channels=["pigeon", "email"])  # before the other one's row
    JourneyFactory.create(programme=found.programme, kind=Kind.CANCELLED, offset_minutes=0, channels=["pigeon", "sms"])
    plan_all(now=NOW)
    assert done() == {NOTICED, FOLLOWED, BEGUN}


def would() -> list[WouldPlan]:
    return rehearse_all(now=NOW).messages


def test_the_rehearsal_says_what_the_minute_then_does() -> None:
    everything_due()
    notice_changes(now=NOW)
    expected = [(one.kind, one.subject, one.slot, one.user_id, one.channel, one.due_at) for one in would()]
    assert Delivery.objects.exclude(state=DeliveryState.FAILED).count() == 0
    assert Campaign.objects.get().state == CampaignState.SCHEDULED
    assert plan_all(now=NOW) == 3
    rows = Delivery.objects.filter(state=DeliveryState.PLANNED).order_by("due_at", "kind", "user_id")
    assert expected == list(rows.values_list("kind", "subject", "slot", "user_id", "channel", "due_at"))
    assert {kind for kind, *_ in expected} == {Kind.HOUR_BEFORE, Kind.COURSE_COMPLETED, Kind.CAMPAIGN}
    assert would() == []


def test_what_a_provider_refuses_for_too_long_is_in_the_rehearsal() -> None:
    found = everything_due()
    Delivery.objects.update(
        state=DeliveryState.PLANNED, ended_at=None, is_urgent=True, tries=3, due_at=NOW + 20 * MINUTE
    )
    assert [(one.kind, one.channel) for one in would() if one.user_id == found.doctors[0].pk] == [
        (Kind.CAMPAIGN, "email"), (Kind.COURSE_COMPLETED, "sms"), (Kind.HOUR_BEFORE, "email")
    ]  # fmt: skip
    assert Delivery.objects.get().tries == 3


def test_one_that_cannot_be_worked_out_does_not_end_the_rehearsal() -> None:
    found = everything_due()
    Journey.objects.filter(kind=Kind.HOUR_BEFORE).update(offset_minutes=-2_000_000_000, channels=["pigeon", "email"])
    bad = CampaignFactory.create(
        programme=found.programme, state=CampaignState.SCHEDULED, scheduled_at=NOW, audience={"nonsense": 1}
    )
    told, wrong = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sendreminders", "--dry-run", "--at", "2027-01-12T12:00", stdout=told, stderr=wrong)
    assert ended.value.code == 1
    assert "1  Course completed · sms" in told.getvalue()
    assert "1  Campaign · email" in told.getvalue()
    named = [line.partition(": ")[2].partition(". ")[0] for line in wrong.getvalue().splitlines()]
    assert sorted(named) == [
        f"campaign {bad.pk}",
        f"hour_before of programme {found.programme.pk}",
        f"hour_before of programme {found.programme.pk}, next channel",
    ]
