"""What is planned around a webinar: for whom, when, once; and what a moved or cancelled one withdraws and tells."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from accounts.models import User
from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Course, Enrolment, LessonCompletion
from reminders.domain.planning import plan, rehearse
from reminders.domain.revisions import notice_changes
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Delivery, Journey, MessagePolicy
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.media import VideoFactory
from tests.factories.webinars import LiveWebinarFactory, WatchRecordFactory
from tests.reminders.factories import (
    NOW,
    ChannelChoiceFactory,
    JourneyFactory,
    MessagePolicyFactory,
    Scene,
    scene,
)
from webinars.enums import Phase, Restriction
from webinars.models import PersonRestriction, Registration, Visit, Webinar

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def switch_on(found: Scene, kind: Kind, offset: int = 0, **values: Any) -> Journey:
    made: Journey = JourneyFactory.create(programme=found.programme, kind=kind, offset_minutes=offset, **values)
    return made


def known(found: Scene, *, since: datetime = NOW - 20 * DAY) -> Webinar:
    """Its date was announced."""
    notice_changes(now=since)
    return found.webinar


def planned(kind: Kind | None = None) -> list[tuple[int, str, datetime]]:
    rows = Delivery.objects.filter(state=DeliveryState.PLANNED).order_by("due_at", "user_id", "pk")
    if kind:
        rows = rows.filter(kind=kind)
    return [(one.user_id, one.kind, one.due_at) for one in rows]


def change(webinar: Webinar, **values: Any) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(**values)


def test_an_hour_before_for_everybody_and_only_once() -> None:
    found = scene(doctors=3, starts_at=NOW + timedelta(hours=1))
    other = scene(doctors=1, starts_at=NOW + timedelta(hours=1))  # of a programme that has no such journey
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    plan(now=NOW)
    plan(now=NOW)
    plan(now=NOW + timedelta(minutes=1))
    expected = [(doctor.pk, "hour_before", NOW) for doctor in found.doctors]
    assert planned() == expected
    one = Delivery.objects.earliest("pk")
    assert one.subject == f"webinar/{found.webinar.pk}"
    assert one.slot == "2027-01-12T13:00Z"
    assert one.channel == Channel.EMAIL
    assert one.expires_at == NOW + timedelta(minutes=50)
    assert other.doctors[0].pk not in {row[0] for row in expected}


def test_nothing_is_planned_more_than_a_quarter_of_an_hour_ahead() -> None:
    found = scene(starts_at=NOW + timedelta(hours=1, minutes=16))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    plan(now=NOW)
    assert planned() == []
    plan(now=NOW + timedelta(minutes=1))
    assert planned() == [(found.doctors[0].pk, "hour_before", NOW + timedelta(minutes=16))]


def test_a_missed_hour_is_made_up_while_it_is_of_use() -> None:
    """Nobody planned for a while: half an hour late is better than never, after the start is worse."""
    found = scene(starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    plan(now=NOW + timedelta(minutes=51))
    assert planned() == []
    plan(now=NOW + timedelta(minutes=49))
    assert planned() == [(found.doctors[0].pk, "hour_before", NOW)]


@pytest.mark.parametrize(
    ("policy", "programme", "course", "journey"),
    [
        ({"is_on": False}, {}, {}, {}),
        ({}, {"status": PublishStatus.DRAFT}, {}, {}),
        ({}, {}, {"status": PublishStatus.DRAFT}, {}),
        ({}, {}, {}, {"is_on": False}),
        ({}, {}, {"closes_at": NOW + timedelta(minutes=30)}, {}),
    ],
)
def test_what_is_switched_off_or_not_public_plans_nothing(
    policy: dict[str, Any], programme: dict[str, Any], course: dict[str, Any], journey: dict[str, Any]
) -> None:
    found = scene(starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60, **journey)
    for rows, values in (
        (MessagePolicy.objects.filter(pk=found.policy.pk), policy),
        (type(found.programme).objects.filter(pk=found.programme.pk), programme),
        (Course.objects.filter(programme=found.programme), course),
    ):
        if values:
            rows.update(**values)
    plan(now=NOW)
    assert planned() == []


@pytest.mark.parametrize("status", [EnrolmentStatus.INVITED, EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN])
def test_only_who_may_come_in_is_told(status: str) -> None:
    found = scene(doctors=2, starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    Enrolment.objects.filter(pk=found.enrolments[0].pk).update(status=status)
    plan(now=NOW)
    assert planned() == [(found.doctors[1].pk, "hour_before", NOW)]


def test_disabled_and_removed_people_and_closed_cohorts_are_left_out() -> None:
    from courses.models import Cohort

    found = scene(doctors=4, starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    disabled, removed, early, reached = found.doctors
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    PersonRestriction.objects.create(webinar=found.webinar, user=removed, kind=Restriction.REMOVED, at=NOW - DAY)
    closed = Cohort.objects.create(programme=found.programme, name="Spring", closes_at=NOW)
    Enrolment.objects.filter(user=early).update(cohort=closed)
    plan(now=NOW)
    assert planned() == [(reached.pk, "hour_before", NOW)]


def test_where_places_are_taken_only_who_took_one_is_told() -> None:
    found = scene(doctors=3, starts_at=NOW + timedelta(hours=1), needs_registration=True)
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    comes, gave_back, _never = found.doctors
    Registration.objects.create(webinar=found.webinar, user=comes, registered_at=NOW - DAY)
    Registration.objects.create(
        webinar=found.webinar, user=gave_back, registered_at=NOW - DAY, cancelled_at=NOW - timedelta(hours=2)
    )
    plan(now=NOW)
    assert planned() == [(comes.pk, "hour_before", NOW)]


def test_who_comes_late_gets_no_message_of_before() -> None:
    """Enrolled three days ahead: "in a week" would be wrong. The next one is theirs."""
    found = scene(starts_at=NOW + 3 * DAY, enrolled_at=NOW - timedelta(hours=1))
    known(found)
    switch_on(found, Kind.WEEK_BEFORE, -7 * 1440)
    switch_on(found, Kind.DAY_BEFORE, -1440)
    plan(now=NOW)
    assert planned() == []
    plan(now=NOW + 2 * DAY)
    assert planned() == [(found.doctors[0].pk, "day_before", NOW + 2 * DAY)]


def test_a_date_that_was_set_late_has_no_messages_of_before() -> None:
    found = scene(starts_at=NOW + 3 * DAY)
    known(found, since=NOW - timedelta(minutes=1))
    switch_on(found, Kind.WEEK_BEFORE, -7 * 1440)
    plan(now=NOW)
    assert planned() == []


def test_each_at_the_hour_of_their_own_day() -> None:
    """The evening before a webinar, from −11 to +14; the day before it is another one at both ends."""
    zones = ["Pacific/Pago_Pago", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Kiritimati", "Not/AZone", ""]
    found = scene(doctors=len(zones), zones=zones, starts_at=NOW + 2 * DAY)  # 14 January, 12:00 UTC
    known(found)
    switch_on(found, Kind.DAY_BEFORE, -1440, local_time=time(18))
    moment = NOW
    while moment < NOW + 3 * DAY:
        plan(now=moment)
        moment += timedelta(hours=1)
    at = {user: due for user, _kind, due in planned()}
    assert [at[doctor.pk] for doctor in found.doctors] == [
        datetime(2027, 1, 14, 5, 0, tzinfo=UTC),
        datetime(2027, 1, 13, 23, 0, tzinfo=UTC),
        datetime(2027, 1, 13, 18, 0, tzinfo=UTC),
        datetime(2027, 1, 13, 12, 30, tzinfo=UTC),
        datetime(2027, 1, 14, 4, 0, tzinfo=UTC),
        datetime(2027, 1, 13, 18, 0, tzinfo=UTC),
        datetime(2027, 1, 13, 18, 0, tzinfo=UTC),
    ]


def test_a_webinar_moved_across_a_change_of_clocks() -> None:
    """From Friday to the Monday after clocks go forward: the evening before is at the new hour."""
    friday = datetime(2027, 3, 26, 15, 0, tzinfo=UTC)
    monday = datetime(2027, 3, 29, 14, 0, tzinfo=UTC)  # 15:00 in London, as on Friday
    found = scene(zones=["Europe/London"], starts_at=friday)
    known(found, since=friday - 20 * DAY)
    switch_on(found, Kind.DAY_BEFORE, -1440, local_time=time(18))
    switch_on(found, Kind.HOUR_BEFORE, -60)
    change(found.webinar, starts_at=monday)
    notice_changes(now=friday - 3 * DAY)
    moment = friday - 3 * DAY
    while moment < monday:
        plan(now=moment)
        moment += timedelta(hours=1)
    assert planned() == [
        (found.doctors[0].pk, "day_before", datetime(2027, 3, 28, 17, 0, tzinfo=UTC)),
        (found.doctors[0].pk, "hour_before", datetime(2027, 3, 29, 13, 0, tzinfo=UTC)),
    ]


def test_we_are_live_is_for_who_is_not_there_yet() -> None:
    from accounts.models import Device
    from tests.factories.accounts import UserFactory  # noqa: F401  # people of the scene are enough
    from webinars.models import PlaySession

    found = scene(doctors=3, starts_at=NOW)
    known(found)
    switch_on(found, Kind.LIVE, is_urgent=True)
    switch_on(found, Kind.SOON, -10)
    there, visiting, missing = found.doctors
    device = Device.objects.create(
        user=there, session_key="k", name="Phone", created_at=NOW, last_seen_at=NOW, method="link"
    )
    PlaySession.objects.create(
        user=there, webinar=found.webinar, phase=Phase.LIVE, device=device, media_seconds=3600, required_seconds=10,
        epoch=NOW, started_at=NOW,
    )  # fmt: skip
    Visit.objects.create(webinar=found.webinar, user=visiting, joined_at=NOW, seen_at=NOW)
    change(found.webinar, live_at=NOW + timedelta(minutes=2))
    plan(now=NOW + timedelta(minutes=2))
    assert planned() == [(missing.pk, "live", NOW + timedelta(minutes=2))]
    one = Delivery.objects.get()
    assert one.is_urgent
    assert one.expires_at == NOW + timedelta(minutes=62)


def test_behind_a_locked_door_nobody_is_called() -> None:
    found = scene(doctors=2, starts_at=NOW)
    known(found)
    switch_on(found, Kind.LIVE)
    ready, locked = found.doctors
    first = LessonFactory.create(course=found.webinar.lesson.course)
    type(first).objects.filter(pk=found.webinar.lesson_id).update(position=9)
    Course.objects.filter(pk=first.course_id).update(is_sequential=True)
    LessonCompletion.objects.create(user=ready, lesson=first, completed_at=NOW - DAY)
    change(found.webinar, live_at=NOW)
    plan(now=NOW)
    assert planned() == [(ready.pk, "live", NOW)]
    assert locked.pk != ready.pk


def test_a_course_before_this_one_locks_it() -> None:
    from courses.models import CourseCompletion

    found = scene(doctors=2, starts_at=NOW)
    known(found)
    switch_on(found, Kind.LIVE)
    before = CourseFactory.create(programme=found.programme)
    found.webinar.lesson.course.prerequisites.add(before)
    CourseCompletion.objects.create(user=found.doctors[1], course=before, completed_at=NOW - DAY)
    change(found.webinar, live_at=NOW)
    plan(now=NOW)
    assert planned() == [(found.doctors[1].pk, "live", NOW)]


def test_registration_is_confirmed_once_for_each_time_it_was_made() -> None:
    found = scene(doctors=2, starts_at=NOW + 3 * DAY, needs_registration=True)
    known(found)
    switch_on(found, Kind.REGISTERED)
    row = Registration.objects.create(webinar=found.webinar, user=found.doctors[0], registered_at=NOW)
    plan(now=NOW)
    plan(now=NOW)
    assert planned() == [(found.doctors[0].pk, "registered", NOW)]
    later = NOW + timedelta(hours=3)
    Registration.objects.filter(pk=row.pk).update(registered_at=later, cancelled_at=None)
    plan(now=later)
    assert planned() == [(found.doctors[0].pk, "registered", NOW), (found.doctors[0].pk, "registered", later)]


def test_a_moved_webinar_has_its_reminders_anew_and_moved_back_again() -> None:
    found = scene(starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    plan(now=NOW - timedelta(minutes=10))
    withdrawn = Delivery.objects.get()
    Delivery.objects.update(state=DeliveryState.SKIPPED, skip_reason=SkipReason.MOVED, ended_at=NOW)
    change(found.webinar, starts_at=NOW + timedelta(hours=9))
    notice_changes(now=NOW - timedelta(minutes=8))
    plan(now=NOW - timedelta(minutes=8))
    assert planned() == []
    change(found.webinar, starts_at=NOW + timedelta(hours=1))
    notice_changes(now=NOW - timedelta(minutes=6))
    plan(now=NOW - timedelta(minutes=6))
    assert planned() == [(found.doctors[0].pk, "hour_before", NOW)]
    assert Delivery.objects.get().key == withdrawn.key  # one row: at most one message for it


def after(found: Scene, *, ended_at: datetime, published_at: datetime) -> None:
    video = VideoFactory.create(published_at=published_at)
    change(found.webinar, live_at=found.webinar.starts_at, ended_at=ended_at, video=video)


def test_the_recording_is_for_who_missed_it_and_the_rest_for_who_left() -> None:
    begin = NOW - timedelta(hours=3)
    found = scene(doctors=4, starts_at=begin)
    known(found)
    switch_on(found, Kind.RECORDING_READY)
    switch_on(found, Kind.LEFT_EARLY, 60)
    missed, left_early, stayed, looked_in = found.doctors
    WatchRecordFactory.create(
        user=left_early,
        webinar=found.webinar,
        phase=Phase.LIVE,
        coverage=((0, 1450),),
        last_beat_at=begin + timedelta(minutes=25),
    )
    WatchRecordFactory.create(user=stayed, webinar=found.webinar, phase=Phase.LIVE, coverage=((0, 3600),))
    LessonCompletion.objects.create(user=stayed, lesson=found.webinar.lesson, completed_at=NOW)
    WatchRecordFactory.create(
        user=looked_in, webinar=found.webinar, phase=Phase.LIVE, coverage=((0, 20),), last_beat_at=begin
    )
    after(found, ended_at=begin + timedelta(hours=1), published_at=NOW)
    plan(now=NOW)
    assert planned() == [(missed.pk, "recording_ready", NOW), (looked_in.pk, "recording_ready", NOW)]
    plan(now=NOW + timedelta(hours=1))
    assert planned(Kind.LEFT_EARLY) == [(left_early.pk, "left_early", NOW + timedelta(hours=1))]


def test_who_pauses_or_is_back_has_not_left() -> None:
    begin = NOW - timedelta(hours=3)
    found = scene(doctors=2, starts_at=begin)
    known(found)
    switch_on(found, Kind.LEFT_EARLY)
    after(found, ended_at=begin + timedelta(hours=1), published_at=NOW - timedelta(hours=1))
    pauses, left_early = found.doctors
    for doctor, minutes in ((pauses, 14), (left_early, 15)):
        WatchRecordFactory.create(
            user=doctor, webinar=found.webinar, coverage=((0, 1450),), last_beat_at=NOW - timedelta(minutes=minutes)
        )
    plan(now=NOW)
    assert [user for user, _kind, _due in planned()] == [left_early.pk]
    plan(now=NOW + timedelta(minutes=1))
    assert [user for user, _kind, _due in planned()] == [left_early.pk, pauses.pk]


def test_a_recording_that_waits_for_its_release_is_not_ready() -> None:
    found = scene(starts_at=NOW - timedelta(hours=3), recording_policy="on_release")
    known(found)
    switch_on(found, Kind.RECORDING_READY)
    after(found, ended_at=NOW - timedelta(hours=2), published_at=NOW - timedelta(hours=1))
    plan(now=NOW)
    assert planned() == []
    change(found.webinar, recording_opens_at=NOW + timedelta(minutes=5))
    plan(now=NOW + timedelta(minutes=5))
    assert planned() == [(found.doctors[0].pk, "recording_ready", NOW + timedelta(minutes=5))]


def channels() -> list[tuple[int, str]]:
    return list(Delivery.objects.order_by("user_id").values_list("user_id", "channel"))


def test_the_first_channel_that_a_doctor_wants_and_has_an_address_for() -> None:
    found = scene(doctors=4, starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60, channels=["whatsapp", "sms", "email"])
    plain, texts, no_number, nothing = found.doctors
    for doctor in (texts, nothing):
        User.objects.filter(pk=doctor.pk).update(phone="+919876543210")
    ChannelChoiceFactory.create(user=texts, channel=Channel.SMS)
    ChannelChoiceFactory.create(user=no_number, channel=Channel.SMS)
    for channel in (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP):
        ChannelChoiceFactory.create(user=nothing, channel=channel, is_on=False)
    plan(now=NOW)
    assert channels() == [
        (plain.pk, "email"), (texts.pk, "sms"), (no_number.pk, "email"), (nothing.pk, "whatsapp")
    ]  # fmt: skip


def test_another_choice_meanwhile_makes_no_second_message() -> None:
    found = scene(starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60, channels=["email", "inbox"])
    plan(now=NOW)
    ChannelChoiceFactory.create(user=found.doctors[0], channel=Channel.EMAIL, is_on=False)
    plan(now=NOW)
    assert channels() == [(found.doctors[0].pk, "email")]


def test_a_journey_that_cannot_be_planned_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """An offset beyond what the database's calendar has."""
    found = scene(starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.DAY_BEFORE, -2_000_000_000)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    plan(now=NOW)
    assert planned() == [(found.doctors[0].pk, "hour_before", NOW)]


def test_a_rehearsal_says_what_would_be_planned_and_writes_nothing() -> None:
    found = scene(doctors=2, starts_at=NOW + timedelta(hours=1))
    known(found)
    switch_on(found, Kind.HOUR_BEFORE, -60)
    found_out = rehearse(now=NOW)
    assert [(one.kind, one.user_id, one.channel, one.due_at) for one in found_out.messages] == [
        ("hour_before", doctor.pk, "email", NOW) for doctor in found.doctors
    ]
    assert found_out.failed == []
    assert not Delivery.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_doctors(django_assert_num_queries: Any) -> None:
    known_at: Sequence[int] = (1, 3)
    for doctors in known_at:
        found = scene(doctors=doctors, starts_at=NOW + timedelta(hours=1))
        known(found)
        switch_on(found, Kind.HOUR_BEFORE, -60)
        MessagePolicy.objects.exclude(pk=found.policy.pk).update(is_on=False)
        with django_assert_num_queries(6):  # zones, journeys; savepoint, turn, the statement, release
            assert [one.number for one in plan(now=NOW)] == [doctors]


def test_every_kind_can_be_planned_where_there_is_nothing() -> None:
    """Each statement with and without an hour of the day: a mistake in one is a mistake for ever."""
    from reminders.domain.planning.which import planned_kinds

    programme = ProgrammeFactory.create()
    MessagePolicyFactory.create(programme=programme)
    EnrolmentFactory.create(programme=programme)
    LiveWebinarFactory.create(lesson=LessonFactory.create(course=CourseFactory.create(programme=programme)))
    for local_time in (None, time(18)):
        for kind in planned_kinds():
            JourneyFactory.create(programme=programme, kind=kind, offset_minutes=0, local_time=local_time)
        found_out = rehearse(now=NOW)
        assert found_out.failed == []
        assert [one.kind for one in found_out.messages] == ["weekly_progress"]
        Journey.objects.all().delete()
