"""Figures that say what is known, and nothing else; a file that no spreadsheet runs."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from core.exports import csv_lines
from reminders.domain.campaign_results import results_of, table_of
from reminders.domain.campaigns import subject_of
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Campaign, Delivery
from tests.factories.accounts import UserFactory
from tests.factories.courses import LessonFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.reminders.campaigns.playing import play
from tests.reminders.factories import NOW, CampaignFactory, DeliveryFactory, Scene, scene

pytestmark = pytest.mark.django_db


def of(campaign: Campaign, **values: Any) -> Delivery:
    about = {
        "programme": campaign.programme,
        "campaign": campaign,
        "kind": Kind.CAMPAIGN,
        "subject": subject_of(campaign),
    }
    return DeliveryFactory.create(**(about | {"state": DeliveryState.SENT} | values))


@pytest.fixture
def there() -> Scene:
    return scene(doctors=4)


@pytest.fixture
def campaign(there: Scene) -> Campaign:
    """Beside another one, whose messages are in no figure."""
    other = CampaignFactory.create(programme=there.programme)
    of(other, user=there.doctors[0], read_at=NOW)
    return CampaignFactory.create(programme=there.programme)


class TestFigures:
    def test_by_channel(self, there: Scene, campaign: Campaign) -> None:
        one, two, three, four = there.doctors
        of(campaign, user=one, followed_at=NOW, read_at=NOW)
        of(campaign, user=two, bounced_at=NOW, delivered_at=NOW)
        of(campaign, user=three, state=DeliveryState.FAILED)
        of(campaign, user=four, state=DeliveryState.SKIPPED, skip_reason=SkipReason.OPTED_OUT)
        of(campaign, user=one, channel=Channel.INBOX, delivered_at=NOW)
        of(campaign, user=two, channel=Channel.INBOX, state=DeliveryState.UNKNOWN)
        of(campaign, user=three, channel=Channel.INBOX, state=DeliveryState.PLANNED)
        found = results_of(campaign)
        email, inbox = found.channels

        assert (email.sent, email.failed, email.skipped, email.left, email.unknown) == (2, 1, 1, 0, 0)
        assert (email.opened, email.followed, email.opened_note) == (1, 1, "only what loads pictures")
        assert (inbox.sent, inbox.unknown, inbox.left, inbox.delivered, inbox.opened) == (1, 1, 1, 1, 0)
        assert inbox.opened_note == ""
        assert found.reasons == [("The doctor does not want this channel", 1)]
        assert (found.people.meant, found.people.reached, found.people.left) == (4, 2, 1)
        assert found.planned == 7

    def test_what_no_provider_tells_is_not_a_nought(self, there: Scene, campaign: Campaign) -> None:
        of(campaign, user=there.doctors[0])
        of(campaign, user=there.doctors[0], channel=Channel.PUSH)
        email, push = results_of(campaign).channels

        assert (email.delivered, email.opened, email.followed) == (None, None, 0)
        assert (push.delivered, push.opened, push.followed) == (None, None, None)

    def test_who_came_within_a_day(self, there: Scene, campaign: Campaign) -> None:
        """Not before it was sent, not later, not elsewhere, and nobody to whom nothing was sent."""
        came, early, late, elsewhere = there.doctors
        for doctor in there.doctors:
            of(campaign, user=doctor)
        missed = UserFactory.create()
        of(campaign, user=missed, state=DeliveryState.FAILED)
        play(there.webinar, came, at=NOW + timedelta(hours=23, minutes=59))
        play(there.webinar, early, at=NOW - timedelta(minutes=1))
        play(there.webinar, late, at=NOW + timedelta(hours=24))
        play(scene().webinar, elsewhere, at=NOW + timedelta(hours=1))
        play(there.webinar, missed, at=NOW + timedelta(hours=1))

        assert [one.came for one in results_of(campaign).channels] == [1]
        assert [row[1] for row in table_of(campaign) if row[-1] == "yes"] == [came.email]

    def test_of_a_campaign_about_a_webinar_only_that_one_counts(self, there: Scene, campaign: Campaign) -> None:
        campaign.audience = {"webinar": there.webinar.pk}
        campaign.save()
        lesson = LessonFactory.create(course=there.webinar.lesson.course)
        other = LiveWebinarFactory.create(lesson=lesson, starts_at=NOW)
        came, elsewhere = there.doctors[:2]
        for doctor in (came, elsewhere):
            of(campaign, user=doctor)
        play(there.webinar, came, at=NOW + timedelta(hours=1))
        play(other, elsewhere, at=NOW + timedelta(hours=1))
        found = results_of(campaign)

        assert (found.people.came, found.about) == (1, there.webinar.lesson.title)
        rows = list(table_of(campaign))
        assert rows[0][-1] == f"Came to “{there.webinar.lesson.title}” within 24 hours"
        assert [row[1] for row in rows if row[-1] == "yes"] == [came.email]

    def test_who_got_it_twice_came_once_after_the_last_before_they_came(self, there: Scene, campaign: Campaign) -> None:
        early, late, between = there.doctors[:3]
        for doctor in (early, late, between):
            before = of(campaign, user=doctor)
            of(campaign, user=doctor, channel=Channel.SMS, fallback_of=before, ended_at=NOW + timedelta(hours=2))
        of(campaign, user=there.doctors[3], state=DeliveryState.PLANNED)
        play(there.webinar, early, at=NOW + timedelta(hours=1))
        play(there.webinar, late, at=NOW + timedelta(hours=3))
        found = results_of(campaign)

        assert {one.channel: one.came for one in found.channels} == {Channel.EMAIL: 1, Channel.SMS: 1}
        people = found.people
        assert (people.meant, people.left, people.reached, people.came, people.over) == (4, 1, 3, 2, 3)
        assert [(row[1], row[4]) for row in table_of(campaign) if row[-1] == "yes"] == [
            (early.email, "E-mail"), (late.email, "SMS"),
        ]  # fmt: skip

    def test_of_a_failed_one_nobody_came_again(self, there: Scene, campaign: Campaign) -> None:
        """The second message never left, so the first one counts."""
        doctor = there.doctors[0]
        before = of(campaign, user=doctor)
        of(campaign, user=doctor, channel=Channel.SMS, fallback_of=before, state=DeliveryState.FAILED)
        play(there.webinar, doctor, at=NOW + timedelta(hours=3))

        assert {one.channel: one.came for one in results_of(campaign).channels} == {Channel.EMAIL: 1, Channel.SMS: 0}

    def test_a_meeting_elsewhere_counts(self, there: Scene, campaign: Campaign) -> None:
        of(campaign, user=there.doctors[0])
        at = NOW + timedelta(minutes=5)
        there.webinar.visits.create(user=there.doctors[0], joined_at=at, seen_at=at)

        assert [one.came for one in results_of(campaign).channels] == [1]


def test_for_whom_it_holds_no_more_is_one_whom_the_filters_mean_no_longer(there: Scene, campaign: Campaign) -> None:
    of(campaign, user=there.doctors[0], state=DeliveryState.SKIPPED, skip_reason=SkipReason.GONE)

    assert results_of(campaign).reasons == [("The filters do not mean the doctor any more", 1)]
    assert [row[6] for row in table_of(campaign)][1:] == ["The filters do not mean the doctor any more"]


class TestQueries:
    @pytest.mark.parametrize("number", [1, 3])
    def test_three_for_the_figures_and_one_for_the_file(
        self, number: int, there: Scene, campaign: Campaign, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for doctor in there.doctors[:number]:
            of(campaign, user=doctor)
        with django_assert_num_queries(3):
            assert sum(one.sent for one in results_of(campaign).channels) == number
        with django_assert_num_queries(1):
            assert len(list(table_of(campaign))) == number + 1


class TestFile:
    def test_what_looks_like_a_formula_is_text(self, campaign: Campaign) -> None:
        odd = UserFactory.create(title="", first_name="=cmd|' /C calc'!A0", last_name="X", specialty="@SUM(A1)")
        of(campaign, user=odd)
        written = b"".join(csv_lines(table_of(campaign))).decode()

        assert "'=cmd|' /C calc'!A0 X" in written
        assert "'@SUM(A1)" in written
        assert not any(
            cell.startswith(("=", "@", "+", "-")) for line in written.splitlines() for cell in line.split(",")
        )
