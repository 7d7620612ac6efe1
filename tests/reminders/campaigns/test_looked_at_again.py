"""Between the plan and the last zone's hour lies a day: what changed meanwhile counts, and who got none gets the next
channel."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, User
from courses.enums import PublishStatus
from courses.models import Course, Programme
from reminders.domain import outbox
from reminders.domain.campaigns import CampaignError, run_due, schedule, stop
from reminders.domain.checking import check
from reminders.domain.falling_back import plan_fallbacks
from reminders.domain.outbox import claim_due
from reminders.enums import CampaignState, Channel, DeliveryState, SkipReason
from reminders.models import Campaign, Delivery, MessagePolicy
from tests.factories.accounts import UserFactory
from tests.factories.webinars import WatchRecordFactory
from tests.reminders.factories import NOW, CampaignFactory, ChannelChoiceFactory, Scene, scene
from tests.reminders.outbox.test_falling_back import told as told_of_another

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sink")]
MINUTE = timedelta(minutes=1)
BOTH = {"en": {"email": {"subject": "News", "body": "News"}, "inbox": {"subject": "News", "body": "News"}}}


def begun(found: Scene, **values: Any) -> Campaign:
    """Planned for everybody, at once."""
    row: Campaign = CampaignFactory.create(programme=found.programme, **values)
    schedule(campaign=row, local_at="", actor=UserFactory.create(), now=NOW)
    run_due(now=NOW)
    return row


def verdict(channel: str = "email", *, now: datetime = NOW) -> dict[int, str]:
    """By person: why not, or that it goes."""
    rows = claim_due(channel=channel, now=now).deliveries
    said = check(rows, channel=channel, now=now)
    users = {one.pk: one.user_id for one in rows}
    return {one.user_id: "go" for one in said.go} | {users[pk]: str(why) for pk, why in said.skip.items()}


def ended(state: str = DeliveryState.SENT, *, channel: str = "email", **values: Any) -> None:
    rows = Delivery.objects.filter(channel=channel, state=DeliveryState.PLANNED)
    rows.update(**({"state": state, "ended_at": NOW} | values))


class TestWhomItIsFor:
    def test_who_has_watched_since_gets_none(self) -> None:
        """Registered or not, watched less than a half: the second doctor watched in the night."""
        found = scene(doctors=2)
        begun(found, audience={"webinar": found.webinar.pk, "watched_less_than": 50})
        WatchRecordFactory.create(
            user=found.doctors[1], webinar=found.webinar, seen_seconds=3000, required_seconds=3240
        )

        assert verdict() == {found.doctors[0].pk: "go", found.doctors[1].pk: SkipReason.GONE}

    def test_of_an_archived_programme_nothing_leaves(self) -> None:
        found = scene(doctors=1)
        begun(found)
        Programme.objects.filter(pk=found.programme.pk).update(status=PublishStatus.ARCHIVED)

        assert verdict() == {found.doctors[0].pk: SkipReason.SWITCHED_OFF}

    def test_when_what_it_was_about_is_gone_nobody_gets_it(self) -> None:
        found = scene(doctors=1)
        extra = Course.objects.create(programme=found.programme, position=9, title="Extra")
        begun(found, audience={"courses_not_completed": [extra.pk]})
        extra.delete()

        assert verdict() == {found.doctors[0].pk: SkipReason.STOPPED}

    def test_its_own_first_message_is_no_reason_against_its_second(self) -> None:
        found = scene(doctors=1)
        never = {"audience": {"messages": "never_received"}, "fallback_minutes": 60}
        begun(found, channels=["email", "inbox"], texts=BOTH, **never)
        ended()
        told_of_another()
        assert plan_fallbacks(now=NOW + 60 * MINUTE) == 1

        assert verdict("inbox", now=NOW + 60 * MINUTE) == {found.doctors[0].pk: "go"}

    def test_as_many_questions_for_one_doctor_as_for_three(self) -> None:
        asked = []
        for doctors in (1, 3):
            found = scene(doctors=doctors)
            begun(found, audience={"webinar": found.webinar.pk, "registered": "no"})
            rows = claim_due(channel="email", now=NOW).deliveries
            with CaptureQueriesContext(connection) as queries:
                assert len(check(rows, channel="email", now=NOW).go) == doctors
            asked.append(len(queries))

        assert asked[0] == asked[1]


class TestNotReadyAnyMore:
    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda: Programme.objects.update(status=PublishStatus.ARCHIVED), "The programme is not published."),
            (
                lambda: MessagePolicy.objects.update(is_on=False),
                "The programme sends no messages: switch them on first.",
            ),
        ],
    )
    def test_it_is_stopped_when_it_would_begin_and_says_why(self, change: Callable[[], object], why: str) -> None:
        found = scene(doctors=2)
        row = CampaignFactory.create(programme=found.programme)
        schedule(campaign=row, local_at="2027-01-14T09:00", actor=UserFactory.create(), now=NOW)
        change()

        assert run_due(now=NOW + timedelta(hours=1)) == 0  # not yet looked at: it may still be mended
        row.refresh_from_db()
        assert row.state == CampaignState.SCHEDULED
        assert run_due(now=datetime(2027, 1, 14, 3, 30, tzinfo=UTC)) == 0
        row.refresh_from_db()
        assert (row.state, row.why_stopped, row.started_at) == (CampaignState.STOPPED, why, None)
        assert not Delivery.objects.exists()
        assert AuditEvent.objects.get(action="campaign.stopped").details["why"] == why


class TestNextChannel:
    def wanting_sms(self, found: Scene) -> None:
        for doctor in found.doctors:
            User.objects.filter(pk=doctor.pk).update(phone=f"+9198765{doctor.pk:05d}")
            ChannelChoiceFactory.create(user=doctor, channel=Channel.SMS)

    def chained(self, minutes: int | None = 60, doctors: int = 1) -> tuple[Scene, Campaign]:
        found = scene(doctors=doctors)
        self.wanting_sms(found)
        texts = {"en": {**BOTH["en"], "sms": {"body": "News"}}}
        return found, begun(found, channels=["email", "sms"], texts=texts, fallback_minutes=minutes)

    def state(self, row: Campaign, *, now: datetime) -> str:
        run_due(now=now)
        row.refresh_from_db()
        return row.state

    def test_after_the_stated_wait_where_it_did_not_arrive(self) -> None:
        _found, row = self.chained()
        ended()
        told_of_another()

        assert self.state(row, now=NOW + 59 * MINUTE) == CampaignState.RUNNING
        assert plan_fallbacks(now=NOW + 59 * MINUTE) == 0
        assert plan_fallbacks(now=NOW + 60 * MINUTE) == 1
        assert self.state(row, now=NOW + 61 * MINUTE) == CampaignState.RUNNING
        ended(channel="sms", ended_at=NOW + 61 * MINUTE)
        assert self.state(row, now=NOW + 62 * MINUTE) == CampaignState.DONE
        assert plan_fallbacks(now=NOW + 300 * MINUTE) == 0

    def test_not_where_nobody_tells_and_it_is_done_after_the_wait(self) -> None:
        _found, row = self.chained()
        ended()

        assert self.state(row, now=NOW + 59 * MINUTE) == CampaignState.RUNNING
        assert plan_fallbacks(now=NOW + 60 * MINUTE) == 0
        assert self.state(row, now=NOW + 60 * MINUTE) == CampaignState.DONE

    @pytest.mark.parametrize("mark", ["delivered_at", "read_at", "followed_at"])
    def test_not_where_it_arrived(self, mark: str) -> None:
        _found, row = self.chained()
        told: dict[str, Any] = {mark: NOW}
        ended(**told)
        told_of_another()

        assert plan_fallbacks(now=NOW + 61 * MINUTE) == 0
        assert self.state(row, now=NOW + MINUTE) == CampaignState.DONE

    def test_without_a_wait_only_for_whom_the_first_is_no_way(self) -> None:
        found, row = self.chained(minutes=None, doctors=2)
        first, second = found.doctors
        Delivery.objects.filter(user=first).update(state=DeliveryState.SENT, ended_at=NOW)
        ended(DeliveryState.SKIPPED, skip_reason=SkipReason.SUPPRESSED)

        assert self.state(row, now=NOW + MINUTE) == CampaignState.RUNNING  # not done before its next channel
        assert plan_fallbacks(now=NOW + MINUTE) == 1
        assert Delivery.objects.get(channel="sms").user_id == second.pk
        ended(channel="sms")
        assert self.state(row, now=NOW + 2 * MINUTE) == CampaignState.DONE

    def test_of_a_stopped_one_there_is_no_next(self) -> None:
        _found, row = self.chained()
        ended()
        told_of_another()
        assert stop(campaign=row, actor=UserFactory.create(), now=NOW + MINUTE) == 0

        assert plan_fallbacks(now=NOW + 61 * MINUTE) == 0

    def test_what_is_of_no_use_any_more_holds_nothing_up(self) -> None:
        _found, row = self.chained()
        ended(expires_at=NOW + 30 * MINUTE)

        assert self.state(row, now=NOW + 31 * MINUTE) == CampaignState.DONE


def test_what_is_sent_again_by_hand_can_still_be_stopped() -> None:
    found = scene(doctors=2)
    row = begun(found)
    ended(DeliveryState.FAILED)
    run_due(now=NOW + MINUTE)
    row.refresh_from_db()
    assert row.state == CampaignState.DONE
    with pytest.raises(CampaignError):
        stop(campaign=row, actor=UserFactory.create(), now=NOW + MINUTE)
    outbox.retry(which=Q(campaign=row), now=NOW + 2 * MINUTE)

    assert stop(campaign=row, actor=UserFactory.create(), now=NOW + 3 * MINUTE) == 2
    row.refresh_from_db()
    assert row.state == CampaignState.STOPPED
