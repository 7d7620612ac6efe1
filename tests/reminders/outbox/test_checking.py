"""In the moment of sending everything is asked again: what happened, who the doctor is now, and what they want."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from accounts.models import User
from courses.models import Enrolment
from reminders.domain.checking import AGAIN, check
from reminders.domain.outbox import claim_due
from reminders.domain.planning import plan
from reminders.domain.revisions import notice_changes
from reminders.enums import CampaignState, Channel, DeliveryState, Kind, SkipReason
from reminders.models import Campaign, Delivery, Journey, MessagePolicy
from tests.factories.accounts import UserFactory
from tests.reminders.factories import (
    NOW,
    ChannelChoiceFactory,
    DeliveryFactory,
    JourneyFactory,
    Scene,
    scene,
    suppressed,
)
from webinars.enums import Phase
from webinars.models import Registration, Visit, Webinar

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sink")]
HOUR = timedelta(hours=1)


def ready(kind: Kind = Kind.HOUR_BEFORE, *, doctors: int = 1, **values: Any) -> Scene:
    """Planned for everybody, and due."""
    found = scene(doctors=doctors, starts_at=NOW + HOUR)
    notice_changes(now=NOW - timedelta(days=20))
    offset = {Kind.HOUR_BEFORE: -60, Kind.SOON: -60, Kind.DAY_BEFORE: -60}.get(kind, 0)
    JourneyFactory.create(programme=found.programme, kind=kind, offset_minutes=offset, **values)
    if kind == Kind.LIVE:
        Webinar.objects.filter(pk=found.webinar.pk).update(live_at=NOW)
    plan(now=NOW)
    assert Delivery.objects.count() == doctors
    return found


def verdict(*, now: datetime = NOW, channel: str = Channel.EMAIL) -> dict[int, str]:
    """By person: "go", the reason, or the time at which it may go."""
    rows = claim_due(channel=channel, now=now).deliveries
    found = check(rows, channel=channel, now=now)
    assert len(found.go) + len(found.skip) + len(found.later) == len(rows)
    people = {one.pk: one.user_id for one in rows}
    return (
        {one.user_id: "go" for one in found.go}
        | {people[pk]: reason.value for pk, reason in found.skip.items()}
        | {people[pk]: f"{at:%d %H:%M}" for pk, at in found.later.items()}
    )


def test_nothing_changed_so_it_goes() -> None:
    found = ready(doctors=2)
    assert verdict() == {doctor.pk: "go" for doctor in found.doctors}


def _cancel(found: Scene) -> None:
    Webinar.objects.filter(pk=found.webinar.pk).update(cancelled_at=NOW)


def _move(found: Scene) -> None:
    Webinar.objects.filter(pk=found.webinar.pk).update(starts_at=NOW + 2 * HOUR)


def _move_away(found: Scene) -> None:
    Webinar.objects.filter(pk=found.webinar.pk).update(starts_at=None)


def _policy_off(found: Scene) -> None:
    MessagePolicy.objects.filter(pk=found.policy.pk).update(is_on=False)


def _journey_off(found: Scene) -> None:
    Journey.objects.filter(programme=found.programme).update(is_on=False)


def _withdraw(found: Scene) -> None:
    Enrolment.objects.filter(user=found.doctors[0]).update(status="withdrawn")


def _disable(found: Scene) -> None:
    User.objects.filter(pk=found.doctors[0].pk).update(is_active=False)


def _opt_out(found: Scene) -> None:
    ChannelChoiceFactory.create(user=found.doctors[0], channel=Channel.EMAIL, is_on=False)


def _suppress(found: Scene) -> None:
    suppressed(Channel.EMAIL, found.doctors[0].email.upper())


def _started(found: Scene) -> None:
    Webinar.objects.filter(pk=found.webinar.pk).update(live_at=NOW - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (_cancel, SkipReason.CANCELLED),
        (_move, SkipReason.MOVED),
        (_move_away, SkipReason.MOVED),
        (_policy_off, SkipReason.SWITCHED_OFF),
        (_journey_off, SkipReason.SWITCHED_OFF),
        (_withdraw, SkipReason.NOT_ENROLLED),
        (_disable, SkipReason.NOT_ENROLLED),
        (_opt_out, SkipReason.OPTED_OUT),
        (_suppress, SkipReason.SUPPRESSED),
        (_started, SkipReason.GONE),
    ],
)
def test_what_happened_meanwhile_is_the_reason(happened: Callable[[Scene], None], expected: SkipReason) -> None:
    """The other doctor's message goes where the change is about one person only."""
    found = ready(doctors=2)
    happened(found)
    said = verdict()
    assert said[found.doctors[0].pk] == expected
    about_one = happened in {_withdraw, _disable, _opt_out, _suppress}
    assert said[found.doctors[1].pk] == ("go" if about_one else expected)


def test_too_late_is_too_late() -> None:
    found = ready()
    assert verdict(now=NOW + timedelta(minutes=50)) == {found.doctors[0].pk: SkipReason.TOO_LATE}


def test_who_is_in_the_room_needs_no_call() -> None:
    found = ready(Kind.LIVE, doctors=2)
    Visit.objects.create(webinar=found.webinar, user=found.doctors[0], joined_at=NOW, seen_at=NOW)
    assert verdict() == {found.doctors[0].pk: SkipReason.DONE, found.doctors[1].pk: "go"}


def test_who_gave_the_place_back_is_not_reminded() -> None:
    found = scene(doctors=1, starts_at=NOW + HOUR, needs_registration=True)
    notice_changes(now=NOW - timedelta(days=20))
    JourneyFactory.create(programme=found.programme, kind=Kind.HOUR_BEFORE, offset_minutes=-60)
    row = Registration.objects.create(
        webinar=found.webinar, user=found.doctors[0], registered_at=NOW - timedelta(days=2)
    )
    plan(now=NOW)
    Registration.objects.filter(pk=row.pk).update(cancelled_at=NOW)
    assert verdict() == {found.doctors[0].pk: SkipReason.GONE}


def test_quiet_hours_wait_until_morning_in_the_doctors_zone() -> None:
    """12:00 UTC is 02:00 on the next day in Kiritimati, and noon in London."""
    found = scene(doctors=2, zones=["Pacific/Kiritimati", "Europe/London"], starts_at=NOW + 30 * HOUR)
    notice_changes(now=NOW - timedelta(days=20))
    JourneyFactory.create(programme=found.programme, kind=Kind.DAY_BEFORE, offset_minutes=-1800)
    MessagePolicy.objects.update(quiet_from=time(21), quiet_until=time(8))
    plan(now=NOW)
    assert verdict() == {found.doctors[0].pk: "12 18:00", found.doctors[1].pk: "go"}


def test_what_is_of_no_use_in_the_morning_is_too_late_and_what_is_urgent_goes() -> None:
    found = scene(doctors=2, zones=["Pacific/Kiritimati"], starts_at=NOW + HOUR)
    notice_changes(now=NOW - timedelta(days=20))
    JourneyFactory.create(programme=found.programme, kind=Kind.HOUR_BEFORE, offset_minutes=-60)
    MessagePolicy.objects.update(quiet_from=time(21), quiet_until=time(8))
    plan(now=NOW)
    calm, urgent = found.doctors
    Delivery.objects.filter(user=urgent).update(is_urgent=True)
    assert verdict() == {calm.pk: SkipReason.TOO_LATE, urgent.pk: "go"}


def sent(found: Scene, user: User, hours_ago: int, **values: Any) -> None:
    at = NOW - hours_ago * HOUR
    given = {"kind": Kind.CAMPAIGN, "state": DeliveryState.SENT} | values
    DeliveryFactory.create(programme=found.programme, user=user, due_at=at, **given)


def test_enough_is_enough_for_a_day_and_a_week() -> None:
    found = ready(doctors=5)
    MessagePolicy.objects.update(most_a_day=2, most_a_week=4)
    day, week, free, others, unsure = found.doctors
    for hours in (1, 23):
        sent(found, day, hours)
    for hours in (1, 40, 80, 120):
        sent(found, week, hours)
    for hours in (25, 26, 169, 170):  # two within the week, none today
        sent(found, free, hours)
    foreign = scene()
    for hours in (1, 2):
        sent(foreign, others, hours)
        sent(found, others, hours, channel=Channel.INBOX)
        sent(found, others, hours, state=DeliveryState.FAILED)
        sent(found, unsure, hours, state=DeliveryState.UNKNOWN)
    assert verdict() == {
        day.pk: SkipReason.CAPPED, week.pk: SkipReason.CAPPED, free.pk: "go", others.pk: "go",
        unsure.pk: SkipReason.CAPPED,
    }  # fmt: skip


def test_what_is_over_the_limit_waits_as_long_as_it_is_of_use() -> None:
    found = scene(doctors=1)
    MessagePolicy.objects.update(most_a_day=1, quiet_from="00:00", quiet_until="00:00")
    [doctor] = found.doctors
    sent(found, doctor, 20)
    campaign = Campaign.objects.create(
        programme=found.programme, title="News", channels=["email"], made_at=NOW, state=CampaignState.RUNNING
    )
    row = DeliveryFactory.create(
        programme=found.programme,
        user=doctor,
        kind=Kind.CAMPAIGN,
        campaign=campaign,
        expires_at=NOW + timedelta(days=2),
    )
    assert verdict() == {doctor.pk: f"{NOW + AGAIN:%d %H:%M}"}
    Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.PLANNED, claim=None)
    assert verdict(now=NOW + timedelta(hours=5)) == {doctor.pk: "go"}


def test_urgent_and_asked_for_messages_know_no_limit() -> None:
    found = ready(Kind.LIVE, is_urgent=True)
    MessagePolicy.objects.update(most_a_day=1)
    sent(found, found.doctors[0], 1)
    assert verdict() == {found.doctors[0].pk: "go"}


def test_two_at_once_count_each_other() -> None:
    found = ready()
    MessagePolicy.objects.update(most_a_day=1)
    campaign = Campaign.objects.create(programme=found.programme, title="News", channels=["email"], made_at=NOW)
    DeliveryFactory.create(
        programme=found.programme,
        user=found.doctors[0],
        kind=Kind.CAMPAIGN,
        campaign=campaign,
        due_at=NOW + timedelta(seconds=1),
    )
    rows = claim_due(channel=Channel.EMAIL, now=NOW + timedelta(seconds=1)).deliveries
    found_verdict = check(rows, channel=Channel.EMAIL, now=NOW + timedelta(seconds=1))
    assert [one.kind for one in found_verdict.go] == [Kind.HOUR_BEFORE]
    assert list(found_verdict.skip.values()) == [SkipReason.CAPPED]


def test_a_stopped_campaign_and_one_for_somebody_who_left() -> None:
    found = scene(doctors=3)
    invited, gone, fine = found.doctors
    running = Campaign.objects.create(
        programme=found.programme,
        title="News",
        channels=["email"],
        audience={"places": ["invited", "active"]},
        made_at=NOW,
        state=CampaignState.RUNNING,
    )
    stopped = Campaign.objects.create(
        programme=found.programme,
        title="Old",
        channels=["email"],
        made_at=NOW,
        state=CampaignState.STOPPED,
        ended_at=NOW,
    )
    Enrolment.objects.filter(user=invited).update(status="invited")
    Enrolment.objects.filter(user=gone).update(status="suspended")
    for doctor in (invited, gone):
        DeliveryFactory.create(programme=found.programme, user=doctor, kind=Kind.CAMPAIGN, campaign=running)
    DeliveryFactory.create(programme=found.programme, user=fine, kind=Kind.CAMPAIGN, campaign=stopped)
    assert verdict() == {invited.pk: "go", gone.pk: SkipReason.NOT_ENROLLED, fine.pk: SkipReason.STOPPED}


def test_without_an_address_there_is_nothing_to_send() -> None:
    found = ready(doctors=2, channels=["sms"])
    number, none = found.doctors
    User.objects.filter(pk=number.pk).update(phone="+919876543210")
    for doctor in found.doctors:
        ChannelChoiceFactory.create(user=doctor, channel=Channel.SMS)
    assert verdict(channel=Channel.SMS) == {number.pk: "go", none.pk: SkipReason.NO_ADDRESS}


def test_a_test_goes_to_its_author_whatever_they_have_chosen() -> None:
    author = UserFactory.create()
    found = scene()
    ChannelChoiceFactory.create(user=author, channel=Channel.EMAIL, is_on=False)
    MessagePolicy.objects.update(quiet_from=time(0), quiet_until=time(23, 59), is_on=False)
    DeliveryFactory.create(programme=found.programme, user=author, kind=Kind.TEST, subject="test/1")
    assert verdict() == {author.pk: "go"}


def test_the_next_channel_is_not_needed_once_the_first_was_read() -> None:
    found = ready(Kind.LIVE, doctors=4, is_urgent=True, channels=["email", "sms"], fallback_minutes=5)
    User.objects.filter(pk__in=[one.pk for one in found.doctors]).update(phone="+919876543210")
    marks: list[dict[str, Any]] = [
        {"read_at": NOW}, {"followed_at": NOW}, {"delivered_at": NOW}, {"delivered_at": NOW, "bounced_at": NOW}
    ]  # fmt: skip
    for doctor, mark in zip(found.doctors, marks, strict=True):
        before = Delivery.objects.get(user=doctor)
        Delivery.objects.filter(pk=before.pk).update(state=DeliveryState.SENT, ended_at=NOW, **mark)
        ChannelChoiceFactory.create(user=doctor, channel=Channel.SMS)
        DeliveryFactory.create(
            programme=found.programme, user=doctor, kind=Kind.LIVE, subject=before.subject, slot=before.slot,
            channel=Channel.SMS, fallback_of=before, is_urgent=True,
        )  # fmt: skip
    read, followed, arrived, bounced = found.doctors
    assert verdict(channel=Channel.SMS) == {
        read.pk: SkipReason.NOT_NEEDED, followed.pk: SkipReason.NOT_NEEDED, arrived.pk: "go", bounced.pk: "go"
    }  # fmt: skip
    Delivery.objects.filter(channel=Channel.SMS).update(
        is_urgent=False, state=DeliveryState.PLANNED, claim=None, claimed_at=None
    )
    assert verdict(channel=Channel.SMS)[arrived.pk] == SkipReason.NOT_NEEDED


def test_queries_do_not_grow_with_the_batch(django_assert_num_queries: Any) -> None:
    for doctors in (1, 3):
        ready(doctors=doctors)
        rows = claim_due(channel=Channel.EMAIL, now=NOW).deliveries
        with django_assert_num_queries(7):
            assert len(check(rows, channel=Channel.EMAIL, now=NOW).go) == doctors
        Delivery.objects.all().delete()
        Journey.objects.all().delete()


def test_whoever_watches_live_is_there_already() -> None:
    """Kept for the phase: a session on the recording of another day is no presence."""
    from accounts.models import Device
    from webinars.models import PlaySession

    found = ready(Kind.LIVE, doctors=2)
    for doctor, phase, epoch in zip(found.doctors, (Phase.LIVE, Phase.ON_DEMAND), (NOW, None), strict=True):
        device = Device.objects.create(
            user=doctor, session_key=f"k{doctor.pk}", name="Phone", created_at=NOW, last_seen_at=NOW, method="link"
        )
        PlaySession.objects.create(
            user=doctor, webinar=found.webinar, phase=phase, device=device, media_seconds=3600, required_seconds=10,
            epoch=epoch, started_at=NOW,
        )  # fmt: skip
    assert verdict() == {found.doctors[0].pk: SkipReason.DONE, found.doctors[1].pk: "go"}


def test_done_is_what_the_doctor_did_and_gone_is_what_others_did() -> None:
    """The recording: watched by one, taken from one, and there for one."""
    from tests.factories.media import VideoFactory
    from tests.factories.webinars import WatchRecordFactory
    from webinars.enums import Restriction
    from webinars.models import PersonRestriction

    found = scene(doctors=3, starts_at=NOW - 3 * HOUR, ended_at=NOW - 2 * HOUR, live_at=NOW - 3 * HOUR)
    Webinar.objects.update(video=VideoFactory.create(published_at=NOW))
    JourneyFactory.create(programme=found.programme, kind=Kind.RECORDING_READY, offset_minutes=0)
    plan(now=NOW)
    watched, removed, missed = found.doctors
    WatchRecordFactory.create(user=watched, webinar=found.webinar, coverage=((0, 1450),), last_beat_at=NOW)
    PersonRestriction.objects.create(webinar=found.webinar, user=removed, kind=Restriction.REMOVED, at=NOW)
    assert verdict() == {watched.pk: SkipReason.DONE, removed.pk: SkipReason.GONE, missed.pk: "go"}
    Webinar.objects.update(video=None)
    Delivery.objects.update(state=DeliveryState.PLANNED, claim=None)
    assert set(verdict().values()) == {SkipReason.GONE}


def test_who_watches_again_is_not_told_that_they_left() -> None:
    from tests.factories.media import VideoFactory
    from tests.factories.webinars import WatchRecordFactory
    from webinars.models import WatchRecord

    found = scene(doctors=2, starts_at=NOW - 30 * HOUR, ended_at=NOW - 29 * HOUR, live_at=NOW - 30 * HOUR)
    Webinar.objects.update(video=VideoFactory.create(published_at=NOW - 28 * HOUR))
    JourneyFactory.create(programme=found.programme, kind=Kind.LEFT_EARLY, offset_minutes=24 * 60)
    for doctor in found.doctors:
        WatchRecordFactory.create(
            user=doctor, webinar=found.webinar, coverage=((0, 1450),), last_beat_at=NOW - 24 * HOUR
        )
    plan(now=NOW)
    back, away = found.doctors
    WatchRecord.objects.filter(user=back).update(last_beat_at=NOW - timedelta(seconds=20))
    assert verdict() == {back.pk: SkipReason.DONE, away.pk: "go"}


def test_the_slot_of_a_begin_is_written_alike_by_both() -> None:
    """PostgreSQL writes it when planning, Python reads it when checking."""
    found = ready()
    assert Delivery.objects.get().slot == f"{found.webinar.starts_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"  # type: ignore[union-attr]
