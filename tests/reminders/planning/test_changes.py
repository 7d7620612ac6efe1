"""Dates that change: often, in the night, a moment before the begin, and for whom a change is none."""

from datetime import UTC, datetime, time, timedelta

import pytest

from accounts.models import User
from reminders.domain.checking import IN_TIME, check
from reminders.domain.outbox import claim_due
from reminders.domain.planning import plan
from reminders.domain.revisions import notice_changes
from reminders.domain.running import plan_all
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Delivery, MessagePolicy
from tests.factories.media import VideoFactory
from tests.factories.webinars import WatchRecordFactory
from tests.reminders.factories import NOW, ChannelChoiceFactory, DeliveryFactory, Scene, scene
from tests.reminders.planning.test_webinar_kinds import change, known, planned, switch_on
from webinars.enums import Phase, Restriction
from webinars.models import PersonRestriction, Registration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sink")]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# 22:00 and 8:00 on the clock of a doctor in Berlin.
NIGHT = datetime(2027, 1, 12, 21, 0, tzinfo=UTC)
MORNING = datetime(2027, 1, 13, 7, 0, tzinfo=UTC)


def slot_of(begin: datetime) -> str:
    return f"{begin:%Y-%m-%dT%H:%MZ}"


def counted_on(*, doctors: int = 1, starts_at: datetime, told: str = "place") -> Scene:
    """Doctors in Berlin who know the date by their place or by the message of the week, and sleep from 21 to 8."""
    found = scene(doctors=doctors, zones=["Europe/Berlin"], starts_at=starts_at)
    notice_changes(now=NOW - 9 * DAY)
    MessagePolicy.objects.update(quiet_from=time(21), quiet_until=time(8))
    for doctor in found.doctors:
        if told == "place":
            Registration.objects.create(webinar=found.webinar, user=doctor, registered_at=NOW - 8 * DAY)
        else:
            leave(found, Kind.WEEK_BEFORE, doctor, slot_of(starts_at), at=NOW - 7 * DAY)
    switch_on(found, Kind.MOVED)
    switch_on(found, Kind.CANCELLED)
    return found


def leave(found: Scene, kind: Kind, user: User, slot: str, *, at: datetime) -> None:
    DeliveryFactory.create(
        programme=found.programme, kind=kind, user=user, subject=f"webinar/{found.webinar.pk}", slot=slot, due_at=at,
        state=DeliveryState.SENT, claimed_at=at,
    )  # fmt: skip


def move(found: Scene, begin: datetime, *, at: datetime) -> None:
    change(found.webinar, starts_at=begin)
    notice_changes(now=at)
    plan(now=at)


def verdict(now: datetime, channel: str = Channel.EMAIL) -> list[str]:
    """In the order of the rows: "go", the reason, or the time (UTC) at which it may go. All are given back."""
    rows = claim_due(channel=channel, now=now).deliveries
    found = check(rows, channel=channel, now=now)
    Delivery.objects.filter(state=DeliveryState.CLAIMED).update(state=DeliveryState.PLANNED, claim=None)
    said = {one.pk: "go" for one in found.go} | {pk: f"{at:%H:%M}" for pk, at in found.later.items()}
    said |= {pk: reason.value for pk, reason in found.skip.items()}
    return [said[pk] for pk in sorted(said)]


class TestToAndFro:
    """A is announced; what becomes of it within a night is told in the morning as it stands then."""

    A, B, C = NOW + 5 * DAY, NOW + 6 * DAY, NOW + 7 * DAY

    @pytest.mark.parametrize("told", ["place", "message"])
    def test_back_to_what_the_doctor_knows_is_no_change(self, told: str) -> None:
        found = counted_on(starts_at=self.A, told=told)
        move(found, self.B, at=NIGHT)
        move(found, self.A, at=NIGHT + HOUR)
        plan(now=MORNING)
        assert verdict(MORNING) == [SkipReason.MOVED]

    @pytest.mark.parametrize("told", ["place", "message"])
    def test_there_and_back_and_there_is_one_notice(self, told: str) -> None:
        found = counted_on(starts_at=self.A, told=told)
        for hours, begin in enumerate((self.B, self.A, self.B)):
            move(found, begin, at=NIGHT + hours * HOUR)
        plan(now=MORNING)
        assert list(Delivery.objects.filter(kind=Kind.MOVED).order_by("pk").values_list("slot", flat=True)) == [
            f"{slot_of(self.B)}#1", f"{slot_of(self.B)}#3"
        ]  # fmt: skip
        assert verdict(MORNING) == [SkipReason.GONE, "go"]

    def test_moved_on_is_told_by_the_last_date_alone(self) -> None:
        found = counted_on(starts_at=self.A)
        move(found, self.B, at=NIGHT)
        move(found, self.C, at=NIGHT + HOUR)
        assert verdict(MORNING) == [SkipReason.MOVED, "go"]

    def test_what_was_told_of_meanwhile_is_taken_back(self) -> None:
        found = counted_on(starts_at=self.A)
        move(found, self.B, at=NOW)
        Delivery.objects.update(state=DeliveryState.SENT, claimed_at=NOW + MINUTE, ended_at=NOW + MINUTE)
        move(found, self.A, at=NOW + HOUR)
        assert Delivery.objects.filter(state=DeliveryState.PLANNED).get().slot == f"{slot_of(self.A)}#2"
        assert verdict(NOW + HOUR) == ["go"]

    def test_a_reminder_of_the_new_date_moves_no_calendar(self) -> None:
        """The notice follows: it has the file."""
        found = counted_on(starts_at=self.A)
        change(found.webinar, starts_at=self.B)
        notice_changes(now=NOW)
        leave(found, Kind.DAY_BEFORE, found.doctors[0], slot_of(self.B), at=NOW + MINUTE)
        plan(now=NOW + 2 * MINUTE)
        assert verdict(NOW + 2 * MINUTE) == ["go"]

    def test_the_next_channel_follows_though_the_first_has_said_it(self) -> None:
        found = counted_on(starts_at=self.A)
        ChannelChoiceFactory.create(user=found.doctors[0], channel=Channel.SMS)
        User.objects.filter(pk=found.doctors[0].pk).update(phone="+4915112345678")
        move(found, self.B, at=NOW)
        first = Delivery.objects.get(kind=Kind.MOVED)
        Delivery.objects.filter(pk=first.pk).update(
            state=DeliveryState.SENT, claimed_at=NOW, ended_at=NOW, bounced_at=NOW
        )
        DeliveryFactory.create(
            programme=found.programme, user=found.doctors[0], kind=Kind.MOVED, subject=first.subject, slot=first.slot,
            channel=Channel.SMS, fallback_of=first,
        )  # fmt: skip
        assert verdict(NOW, Channel.SMS) == ["go"]

    def test_restored_in_the_night_is_no_news_and_after_the_notice_it_is(self) -> None:
        found = counted_on(starts_at=self.A)
        change(found.webinar, cancelled_at=NIGHT)
        notice_changes(now=NIGHT)
        plan(now=NIGHT)
        change(found.webinar, cancelled_at=None)
        notice_changes(now=NIGHT + HOUR)
        plan(now=MORNING)
        assert [one.kind for one in Delivery.objects.all()] == [Kind.CANCELLED]
        assert verdict(MORNING) == [SkipReason.GONE]
        Delivery.objects.update(state=DeliveryState.SENT, claimed_at=NIGHT, ended_at=NIGHT)
        plan(now=MORNING)
        assert Delivery.objects.filter(state=DeliveryState.PLANNED).get().kind == Kind.MOVED
        assert verdict(MORNING) == ["go"]


class TestInTheNight:
    """Whoever gets up for a webinar that is no more, was told too late."""

    def cancel(self, found: Scene) -> None:
        change(found.webinar, cancelled_at=NIGHT)
        notice_changes(now=NIGHT)
        plan(now=NIGHT)

    def to_the_phone(self, found: Scene) -> None:
        Delivery.objects.filter(state=DeliveryState.PLANNED).update(channel=Channel.SMS)
        User.objects.filter(pk=found.doctors[0].pk).update(phone="+4915112345678")
        ChannelChoiceFactory.create(user=found.doctors[0], channel=Channel.SMS)

    @pytest.mark.parametrize(
        ("begins", "mail", "phone"),
        [
            (MORNING - HOUR / 2, "go", "go"),
            (MORNING + IN_TIME - MINUTE, "go", "07:00"),
            (MORNING + IN_TIME, "07:00", "07:00"),
            (MORNING + 5 * HOUR, "07:00", "07:00"),
        ],
    )
    def test_a_cancellation_is_there_before_the_doctor_sets_out(self, begins: datetime, mail: str, phone: str) -> None:
        found = counted_on(starts_at=begins)
        self.cancel(found)
        assert verdict(NIGHT) == [mail]
        self.to_the_phone(found)
        assert verdict(NIGHT, Channel.SMS) == [phone]

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            (MORNING + 5 * HOUR, MORNING - HOUR / 2, "go"),  # earlier: else it has begun
            (MORNING - HOUR / 2, MORNING + 5 * HOUR, "go"),  # later: nobody need get up
            (MORNING + 5 * HOUR, MORNING + 8 * HOUR, "07:00"),
        ],
    )
    def test_so_is_a_change(self, before: datetime, after: datetime, expected: str) -> None:
        found = counted_on(starts_at=before)
        move(found, after, at=NIGHT)
        assert verdict(NIGHT) == [expected]

    def test_it_is_the_date_that_the_doctor_knows(self) -> None:
        """Moved away and cancelled in one night: the doctor would get up for the first date."""
        found = counted_on(starts_at=MORNING - HOUR / 2)
        move(found, MORNING + 9 * DAY, at=NIGHT - HOUR)
        self.cancel(found)
        assert Delivery.objects.get(kind=Kind.CANCELLED).expires_at == NIGHT + 3 * DAY
        assert "go" in verdict(NIGHT)

    def test_other_messages_wait(self) -> None:
        found = counted_on(starts_at=MORNING - HOUR / 2)
        switch_on(found, Kind.HOUR_BEFORE, -60)
        plan(now=MORNING - 3 * HOUR / 2)
        assert verdict(MORNING - 3 * HOUR / 2) == [SkipReason.TOO_LATE]

    def test_the_number_of_queries_does_not_grow(self) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        numbers = []
        for doctors in (1, 3):
            found = counted_on(doctors=doctors, starts_at=MORNING - HOUR / 2)
            self.cancel(found)
            Delivery.objects.exclude(programme=found.programme).delete()
            rows = claim_due(channel=Channel.EMAIL, now=NIGHT).deliveries
            with CaptureQueriesContext(connection) as seen:
                assert len(check(rows, channel=Channel.EMAIL, now=NIGHT).go) == doctors
            numbers.append(len(seen))
        assert numbers == [8, 8]


def test_moved_a_moment_before_it_went_live_everybody_is_called() -> None:
    """Nobody had looked at the new date when the camera went on."""
    found = scene(doctors=2, starts_at=NOW + HOUR)
    notice_changes(now=NOW - 20 * DAY)
    switch_on(found, Kind.LIVE)
    switch_on(found, Kind.MOVED)
    change(found.webinar, starts_at=NOW, live_at=NOW + MINUTE / 6)
    assert plan_all(now=NOW + MINUTE) == 2
    rows = Delivery.objects.order_by("user_id")
    assert [(one.user_id, one.kind, one.slot) for one in rows] == [
        (doctor.pk, Kind.LIVE, slot_of(NOW)) for doctor in found.doctors
    ]
    assert verdict(NOW + MINUTE) == ["go", "go"]


def test_made_and_live_before_anybody_looked() -> None:
    found = scene(doctors=1, starts_at=NOW, enrolled_at=NOW - DAY)
    switch_on(found, Kind.LIVE)
    change(found.webinar, live_at=NOW)
    assert plan_all(now=NOW + 3 * MINUTE) == 1
    assert verdict(NOW + 3 * MINUTE) == ["go"]


def test_who_was_removed_hears_no_more_of_it() -> None:
    found = scene(doctors=2, starts_at=NOW + HOUR)
    notice_changes(now=NOW - 20 * DAY)
    removed, other = found.doctors
    for doctor in found.doctors:
        Registration.objects.create(webinar=found.webinar, user=doctor, registered_at=NOW - 9 * DAY)
    PersonRestriction.objects.create(webinar=found.webinar, user=removed, kind=Restriction.REMOVED, at=NOW - DAY)
    for kind in (Kind.MOVED, Kind.CANCELLED, Kind.RECORDING_READY, Kind.LEFT_EARLY):
        switch_on(found, kind)
    change(found.webinar, starts_at=NOW + 2 * HOUR)
    notice_changes(now=NOW)
    plan(now=NOW)
    change(found.webinar, cancelled_at=NOW)
    notice_changes(now=NOW + MINUTE)
    plan(now=NOW + MINUTE)
    begin = NOW - 3 * HOUR
    video = VideoFactory.create(published_at=NOW)
    change(found.webinar, cancelled_at=None, starts_at=begin, live_at=begin, ended_at=begin + HOUR, video=video)
    plan(now=NOW + 2 * MINUTE)
    for doctor in found.doctors:
        WatchRecordFactory.create(
            user=doctor, webinar=found.webinar, phase=Phase.LIVE, coverage=((0, 1450),), last_beat_at=begin + HOUR
        )
    plan(now=NOW + 3 * MINUTE)
    rows = Delivery.objects.order_by("pk")
    assert [(one.kind, one.user_id) for one in rows] == [
        (kind, other.pk) for kind in (Kind.MOVED, Kind.CANCELLED, Kind.RECORDING_READY, Kind.LEFT_EARLY)
    ]


def test_who_was_told_or_has_a_place_hears_that_it_was_moved() -> None:
    found = scene(doctors=4, starts_at=NOW + 5 * DAY)
    known(found)
    switch_on(found, Kind.MOVED)
    told, has_place, planned_only, knows_nothing = found.doctors
    slot = f"{NOW + 5 * DAY:%Y-%m-%dT%H:%MZ}"
    leave(found, Kind.WEEK_BEFORE, told, slot, at=NOW - DAY)
    Registration.objects.create(webinar=found.webinar, user=has_place, registered_at=NOW - DAY)
    DeliveryFactory.create(
        programme=found.programme, user=planned_only, kind=Kind.WEEK_BEFORE, subject=f"webinar/{found.webinar.pk}",
        slot=slot, due_at=NOW,
    )  # fmt: skip
    change(found.webinar, starts_at=NOW + 6 * DAY)
    notice_changes(now=NOW)
    plan(now=NOW)
    plan(now=NOW + timedelta(minutes=1))
    assert planned(Kind.MOVED) == [(told.pk, "moved", NOW), (has_place.pk, "moved", NOW)]
    assert knows_nothing.pk not in {row[0] for row in planned(Kind.MOVED)}
    assert {one.slot for one in Delivery.objects.filter(kind=Kind.MOVED)} == {f"{NOW + 6 * DAY:%Y-%m-%dT%H:%MZ}#1"}


def test_moved_again_after_it_was_told_is_told_again_and_no_change_of_title() -> None:
    from courses.models import Lesson

    found = scene(starts_at=NOW + 5 * DAY)
    known(found)
    switch_on(found, Kind.MOVED)
    Registration.objects.create(webinar=found.webinar, user=found.doctors[0], registered_at=NOW - DAY)
    Lesson.objects.filter(pk=found.webinar.lesson_id).update(title="Another title")
    notice_changes(now=NOW)
    plan(now=NOW)
    assert planned() == []
    for hours, start in ((1, NOW + 6 * DAY), (2, NOW + 5 * DAY)):
        change(found.webinar, starts_at=start)
        notice_changes(now=NOW + timedelta(hours=hours))
        plan(now=NOW + timedelta(hours=hours))
        Delivery.objects.filter(state=DeliveryState.PLANNED).update(
            state=DeliveryState.SENT, claimed_at=NOW + timedelta(hours=hours), ended_at=NOW + timedelta(hours=hours)
        )
        plan(now=NOW + timedelta(hours=hours))
    assert [(one.slot, one.due_at) for one in Delivery.objects.order_by("pk")] == [
        (f"{NOW + 6 * DAY:%Y-%m-%dT%H:%MZ}#2", NOW + timedelta(hours=1)),
        (f"{NOW + 5 * DAY:%Y-%m-%dT%H:%MZ}#3", NOW + timedelta(hours=2)),
    ]


def test_a_cancelled_webinar_is_told_to_who_counted_on_it() -> None:
    found = scene(doctors=3, starts_at=NOW + timedelta(hours=5))
    known(found)
    switch_on(found, Kind.CANCELLED)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    told, has_place, _other = found.doctors
    leave(found, Kind.DAY_BEFORE, told, f"{found.webinar.starts_at:%Y-%m-%dT%H:%MZ}", at=NOW - DAY)
    Registration.objects.create(webinar=found.webinar, user=has_place, registered_at=NOW - DAY)
    change(found.webinar, cancelled_at=NOW)
    notice_changes(now=NOW)
    for minutes in (0, 1, 240):
        plan(now=NOW + timedelta(minutes=minutes))
    assert planned() == [(told.pk, "cancelled", NOW), (has_place.pk, "cancelled", NOW)]
