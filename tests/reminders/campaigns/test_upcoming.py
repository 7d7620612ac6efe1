"""What would begin, for whoever rehearses: how many and when; nothing is written."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.models import Course
from reminders.domain.campaigns import Upcoming, run_due, schedule, upcoming
from reminders.models import Campaign, Delivery, MessagePolicy
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, CampaignFactory, Scene, scene

pytestmark = pytest.mark.django_db
NINE = "2027-01-14T09:00"


def on_the_clock(found: Scene, local_at: str = NINE, **values: object) -> Campaign:
    row: Campaign = CampaignFactory.create(programme=found.programme, **values)
    schedule(campaign=row, local_at=local_at, actor=UserFactory.create(), now=NOW)
    return row


def test_the_first_to_begin_first_with_number_and_moments() -> None:
    there = scene(doctors=3, zones=("Asia/Kolkata", "America/New_York", "Pacific/Kiritimati"))
    later = on_the_clock(there, title="Later")
    CampaignFactory.create(programme=there.programme)  # a draft
    started = on_the_clock(scene(doctors=1), local_at="")
    run_due(now=NOW)
    soon = on_the_clock(scene(doctors=2), local_at="2027-01-12T17:30", title="Soon")

    assert upcoming(now=NOW) == [
        Upcoming(
            soon.pk, "Soon", soon.programme.title, 2,
            datetime(2027, 1, 12, 12, 0, tzinfo=UTC), datetime(2027, 1, 12, 12, 0, tzinfo=UTC), begins=True,
        ),
        Upcoming(
            later.pk, "Later", there.programme.title, 3,
            datetime(2027, 1, 13, 19, 0, tzinfo=UTC), datetime(2027, 1, 14, 14, 0, tzinfo=UTC), begins=False,
        ),
    ]  # fmt: skip
    assert [one.begins for one in upcoming(now=datetime(2027, 1, 13, 18, 45, tzinfo=UTC))] == [True, True]
    started.refresh_from_db()
    assert Delivery.objects.count() == 1


def test_what_it_would_do_is_what_happens() -> None:
    row = on_the_clock(scene(doctors=2, zones=("Asia/Kolkata", "UTC")))
    at = datetime(2027, 1, 14, 3, 30, tzinfo=UTC)
    (told,) = upcoming(now=at)

    assert run_due(now=at) == told.doctors == 2
    due = Delivery.objects.filter(campaign=row).order_by("due_at").values_list("due_at", flat=True)
    assert (told.first_at, told.last_at) == (due[0], due[1])


def test_why_one_would_be_stopped_instead() -> None:
    there = scene(doctors=1)
    extra = Course.objects.create(programme=there.programme, position=9, title="Extra")
    on_the_clock(there, audience={"courses_not_completed": [extra.pk]})
    extra.delete()
    MessagePolicy.objects.update(is_on=False)
    (told,) = upcoming(now=NOW + timedelta(days=3))

    assert (told.doctors, told.first_at, told.begins) == (0, None, True)
    assert told.problems == (
        "The programme sends no messages: switch them on first.", "One of these is not in this programme.",
    )  # fmt: skip


def test_as_many_questions_for_three_doctors_as_for_one() -> None:
    asked = []
    for doctors in (1, 3):
        Campaign.objects.all().delete()
        on_the_clock(scene(doctors=doctors))
        with CaptureQueriesContext(connection) as found:
            assert [one.doctors for one in upcoming(now=NOW)] == [doctors]
        asked.append(len(found))

    assert asked[0] == asked[1]


def test_the_rehearsal_of_the_command_lists_them() -> None:
    there = scene(doctors=2)
    row = on_the_clock(there, title="Come back")
    other = on_the_clock(scene(doctors=1), title="Never")
    other.programme.message_policy.delete()
    out = StringIO()
    call_command("sendreminders", "--dry-run", "--at", "2027-01-13T12:00", stdout=out)

    assert out.getvalue().splitlines() == [
        f"On the clock: campaign {row.pk}, 2027-01-14 03:30 UTC, 2 doctors: Come back",
        f"On the clock: campaign {other.pk}, 2027-01-14 03:30 UTC, 1 doctors: Never",
        "    would be stopped instead: The programme sends no messages: switch them on first.",
        "Nothing is to be planned.",
    ]
    assert not Delivery.objects.exists()
