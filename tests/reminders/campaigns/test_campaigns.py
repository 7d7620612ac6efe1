"""From the draft to the last message: begun once, on each doctor's own clock, and stopped where nothing has left."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import Q
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from courses.enums import PublishStatus
from courses.models import Course, Programme
from reminders.domain import outbox
from reminders.domain.campaigns import (
    CampaignError,
    forecast,
    is_own_path,
    moments,
    run_due,
    save_campaign,
    schedule,
    start,
    stop,
    take_back,
)
from reminders.enums import CampaignState, Channel, DeliveryState, SkipReason
from reminders.models import Campaign, Delivery, MessagePolicy
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, CampaignFactory, ChannelChoiceFactory, Scene, scene

pytestmark = pytest.mark.django_db
ZONES = ("Asia/Kolkata", "America/New_York", "Pacific/Kiritimati")
NINE = "2027-01-14T09:00"
WORDS = {"en": {"email": {"subject": "Come back", "body": "{{ doctor.name }}, there is news."}}}


@pytest.fixture
def there() -> Scene:
    """Three doctors around the world; and another programme."""
    found = scene(doctors=3, zones=ZONES)
    scene(doctors=2)
    return found


@pytest.fixture
def author() -> User:
    return UserFactory.create()


def written(there: Scene, **values: Any) -> Campaign:
    return CampaignFactory.create(programme=there.programme, texts=WORDS, **values)


def values(**changed: Any) -> dict[str, Any]:
    return {"title": "News", "path": "", "channels": ["email"], "audience": {}, "texts": WORDS} | changed


def saying(body: str) -> dict[str, Any]:
    return {"texts": {"en": {"email": {"subject": "News", "body": body}}}}


def planned() -> list[tuple[int, str, datetime]]:
    rows = Delivery.objects.filter(state=DeliveryState.PLANNED).order_by("due_at", "user_id")
    return list(rows.values_list("user_id", "channel", "due_at"))


class TestSaved:
    def test_a_draft(self, there: Scene, author: User) -> None:
        made = save_campaign(
            campaign=None,
            programme=there.programme,
            values=values(audience={"countries": ["IN"]}),
            actor=author,
            now=NOW,
        )

        made.refresh_from_db()
        assert (made.state, made.audience, made.texts) == ("draft", {"countries": ["IN"]}, WORDS)
        assert AuditEvent.objects.get().action == "campaign.saved"

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"title": "  "}, "title"),
            ({"title": "x" * 121}, "title"),
            ({"channels": []}, "channels"),
            ({"channels": ["email", "email"]}, "channels"),
            ({"channels": ["pigeon"]}, "channels"),
            ({"path": "https://elsewhere.example/"}, "path"),
            ({"audience": {"is_superuser": True}}, "audience.is_superuser"),
            (saying("{{ settings.SECRET_KEY }}"), "texts.en.email.body"),
            (saying("{% include 'x' %}"), "texts.en.email.body"),
            (saying("See https://elsewhere.example"), "texts.en.email.body"),
            ({"texts": {"en": {"pigeon": {"body": "Hello"}}}}, "texts"),
            ({"texts": {"tlh": {"email": {"body": "Hello"}}}}, "texts"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_said_and_nothing_is_saved(
        self, wrong: dict[str, Any], field: str, there: Scene, author: User
    ) -> None:
        with pytest.raises(CampaignError) as refused:
            save_campaign(campaign=None, programme=there.programme, values=values(**wrong), actor=author, now=NOW)

        assert {where for where, _told in refused.value.problems} == {field}
        assert not Campaign.objects.exists()

    def test_empty_words_and_unknown_columns_are_not_kept(self, there: Scene, author: User) -> None:
        said = {"en": {"email": {**WORDS["en"]["email"], "button": "", "css": "x"}, "sms": {"body": ""}}}
        made = save_campaign(campaign=None, programme=there.programme, values=values(texts=said), actor=author, now=NOW)

        assert made.texts == WORDS

    def test_what_is_on_its_way_is_not_changed(self, there: Scene, author: User) -> None:
        for state in (CampaignState.SCHEDULED, CampaignState.RUNNING):
            row = written(there, state=state)
            with pytest.raises(CampaignError):
                save_campaign(campaign=row, programme=there.programme, values=values(), actor=author, now=NOW)
            row.refresh_from_db()
            assert row.title != "News"

    @pytest.mark.parametrize(
        "path", ["//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "/a\nb", "/a b", "x", "/" * 201]
    )
    def test_a_page_elsewhere_is_none_of_ours(self, path: str) -> None:
        assert not is_own_path(path)

    def test_a_page_of_ours(self) -> None:
        assert is_own_path("/programmes/fertility/?from=mail")


class TestClock:
    def test_nine_o_clock_is_everybodys_own(self) -> None:
        found = moments(NINE, [*ZONES, "Nowhere/At_All"], since=NOW)

        assert found == {
            "Asia/Kolkata": datetime(2027, 1, 14, 3, 30, tzinfo=UTC),
            "America/New_York": datetime(2027, 1, 14, 14, 0, tzinfo=UTC),
            "Pacific/Kiritimati": datetime(2027, 1, 13, 19, 0, tzinfo=UTC),
            "Nowhere/At_All": datetime(2027, 1, 14, 9, 0, tzinfo=UTC),
        }

    def test_whose_hour_has_passed_gets_it_a_day_later(self) -> None:
        found = moments("2027-01-12T09:00", ZONES, since=NOW)

        assert found["America/New_York"] == datetime(2027, 1, 12, 14, 0, tzinfo=UTC)
        assert found["Asia/Kolkata"] == datetime(2027, 1, 13, 3, 30, tzinfo=UTC)

    def test_clocks_that_are_set_forward(self) -> None:
        """02:30 on 28 March 2027 does not exist in Berlin: the first moment after the gap."""
        found = moments("2027-03-28T02:30", ["Europe/Berlin"], since=NOW)

        assert found == {"Europe/Berlin": datetime(2027, 3, 28, 1, 0, tzinfo=UTC)}

    def test_what_is_foretold_is_what_happens(self, there: Scene, author: User) -> None:
        row = written(there)
        told = schedule(campaign=row, local_at="2027-01-12T09:00", actor=author, now=NOW)
        run_due(now=NOW + timedelta(hours=1, minutes=50))

        assert (told.doctors, told.next_day) == (3, 2)
        assert [due for _user, _channel, due in planned()] == sorted(due for _user, _channel, due in planned())
        assert (told.first_at, told.last_at) == (planned()[0][2], planned()[-1][2])

    def test_one_question_for_the_sentence(
        self, there: Scene, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        row = Campaign.objects.select_related("programme").get(pk=written(there).pk)
        with django_assert_num_queries(1):
            told = forecast(row, local_at=NINE, now=NOW)

        assert (told.doctors, told.next_day) == (3, 0)
        assert told.first_at == datetime(2027, 1, 13, 19, 0, tzinfo=UTC)


class TestScheduled:
    @pytest.mark.parametrize(
        "local_at", ["tomorrow", "2027-01-14", "2027-13-01T09:00", "2027-01-02T09:00", "2029-01-01T09:00"]
    )
    def test_hours_that_are_none(self, local_at: str, there: Scene, author: User) -> None:
        with pytest.raises(CampaignError):
            schedule(campaign=written(there), local_at=local_at, actor=author, now=NOW)

        assert Campaign.objects.get().state == CampaignState.DRAFT

    def test_not_before_it_can_be_sent(self, there: Scene, author: User) -> None:
        told: dict[str, str] = {}
        changes: dict[str, Callable[[Campaign], object]] = {
            "words": lambda row: Campaign.objects.filter(pk=row.pk).update(channels=["email", "sms"]),
            "nobody": lambda row: Campaign.objects.filter(pk=row.pk).update(audience={"countries": ["AQ"]}),
            "messages": lambda row: MessagePolicy.objects.update(is_on=False),
            "programme": lambda row: Programme.objects.update(status=PublishStatus.DRAFT),
        }
        for name, change in changes.items():
            row = written(there)
            with transaction.atomic():
                change(row)
                with pytest.raises(CampaignError) as refused:
                    schedule(campaign=row, local_at="", actor=author, now=NOW)
                told[name] = str(refused.value)
                transaction.set_rollback(True)

        assert told == {
            "words": "The text for SMS in English is missing: everybody gets it who has no other language.",
            "nobody": "These filters leave no doctor.",
            "messages": "The programme sends no messages: switch them on first.",
            "programme": "The programme is not published.",
        }

    def test_taken_off_the_clock_it_can_be_changed(self, there: Scene, author: User) -> None:
        row = written(there)
        schedule(campaign=row, local_at=NINE, actor=author, now=NOW)
        take_back(campaign=row, actor=author, now=NOW)
        row.refresh_from_db()

        assert (row.state, row.local_at, row.scheduled_at) == ("draft", "", None)
        assert run_due(now=NOW + timedelta(days=3)) == 0


class TestBegun:
    def test_each_at_their_own_hour_and_nobody_elses(self, there: Scene, author: User) -> None:
        india, york, line = there.doctors
        row = written(there)
        schedule(campaign=row, local_at=NINE, actor=author, now=NOW)

        assert run_due(now=datetime(2027, 1, 13, 18, 44, tzinfo=UTC)) == 0
        assert run_due(now=datetime(2027, 1, 13, 18, 45, tzinfo=UTC)) == 3
        assert planned() == [
            (line.pk, "email", datetime(2027, 1, 13, 19, 0, tzinfo=UTC)),
            (india.pk, "email", datetime(2027, 1, 14, 3, 30, tzinfo=UTC)),
            (york.pk, "email", datetime(2027, 1, 14, 14, 0, tzinfo=UTC)),
        ]
        one = Delivery.objects.filter(user=india).get()
        assert (one.kind, one.subject, one.campaign_id) == ("campaign", f"campaign/{row.pk}", row.pk)
        assert one.expires_at == one.due_at + timedelta(hours=24)

    def test_at_once(self, there: Scene, author: User) -> None:
        schedule(campaign=written(there), local_at="", actor=author, now=NOW)
        run_due(now=NOW + timedelta(seconds=30))

        assert [due for _user, _channel, due in planned()] == [NOW] * 3

    def test_for_whom_it_is_then(self, there: Scene, author: User) -> None:
        """Who came meanwhile is among them, who left is not."""
        row = written(there, audience={"countries": ["IN"]})
        User.objects.filter(pk__in=[one.pk for one in there.doctors[1:]]).update(country="KE")
        schedule(campaign=row, local_at="", actor=author, now=NOW)
        User.objects.filter(pk=there.doctors[0].pk).update(country="KE")
        User.objects.filter(pk=there.doctors[1].pk).update(country="IN")
        run_due(now=NOW)

        assert [user for user, _channel, _due in planned()] == [there.doctors[1].pk]

    def test_the_first_channel_that_is_wanted(self, there: Scene, author: User) -> None:
        """Of whoever wants none of them, the first: the outbox says then why nothing went out."""
        one, two, three = there.doctors
        ChannelChoiceFactory.create(user=two, channel=Channel.EMAIL, is_on=False)
        for channel in (Channel.EMAIL, Channel.INBOX):
            ChannelChoiceFactory.create(user=three, channel=channel, is_on=False)
        texts = {"en": {**WORDS["en"], "inbox": {"subject": "News", "body": "News"}}}
        row = CampaignFactory.create(programme=there.programme, texts=texts, channels=["email", "inbox"])
        schedule(campaign=row, local_at="", actor=author, now=NOW)
        run_due(now=NOW)

        assert [found[:2] for found in planned()] == [(one.pk, "email"), (two.pk, "inbox"), (three.pk, "email")]

    def test_a_second_one_who_begins_it_plans_nothing(self, there: Scene, author: User) -> None:
        row = written(there)
        schedule(campaign=row, local_at="", actor=author, now=NOW)

        assert [start(campaign_id=row.pk, now=NOW), start(campaign_id=row.pk, now=NOW)] == [3, 0]
        with pytest.raises(CampaignError):
            schedule(campaign=row, local_at="", actor=author, now=NOW)

    def test_a_filter_whose_thing_is_gone_means_nobody(self, there: Scene, author: User) -> None:
        extra = Course.objects.create(programme=there.programme, position=9, title="Extra")
        row = written(there, audience={"courses_not_completed": [extra.pk]})
        schedule(campaign=row, local_at="", actor=author, now=NOW)
        extra.delete()

        assert run_due(now=NOW) == 0
        row.refresh_from_db()
        assert row.state == CampaignState.STOPPED
        assert not Delivery.objects.exists()

    @pytest.mark.parametrize("doctors", [1, 3])
    def test_as_many_questions_for_one_doctor_as_for_three(
        self, doctors: int, author: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        found = scene(doctors=doctors, zones=ZONES)
        row = written(found)
        schedule(campaign=row, local_at="", actor=author, now=NOW)
        with django_assert_num_queries(11):  # two of them the savepoint, three ask for names of sponsors
            assert start(campaign_id=row.pk, now=NOW) == doctors

    def test_done_when_nothing_is_left(self, there: Scene, author: User) -> None:
        row = written(there)
        schedule(campaign=row, local_at="", actor=author, now=NOW)
        run_due(now=NOW)
        row.refresh_from_db()
        assert row.state == CampaignState.RUNNING

        outbox.drop(which=Q(campaign=row), now=NOW)
        run_due(now=NOW + timedelta(minutes=1))
        row.refresh_from_db()
        assert (row.state, row.ended_at) == (CampaignState.DONE, NOW + timedelta(minutes=1))


class TestStopped:
    def test_what_has_not_left_never_will(self, there: Scene, author: User) -> None:
        row = written(there)
        schedule(campaign=row, local_at="", actor=author, now=NOW)
        run_due(now=NOW)
        claimed = outbox.claim_due(channel="email", limit=1, now=NOW)
        gone = Delivery.objects.exclude(pk=claimed.deliveries[0].pk).earliest("pk")
        Delivery.objects.filter(pk=gone.pk).update(state=DeliveryState.SENT, ended_at=NOW)

        assert stop(campaign=row, actor=author, now=NOW) == 2
        assert set(Delivery.objects.values_list("state", "skip_reason")) == {
            ("sent", ""), ("skipped", SkipReason.STOPPED.value),
        }  # fmt: skip
        late = {claimed.deliveries[0].pk: SkipReason.DONE}
        assert outbox.skip(claim=claimed.claim, reasons=late, now=NOW) == 0  # the worker's claim holds no more

    def test_before_it_began(self, there: Scene, author: User) -> None:
        row = written(there)
        schedule(campaign=row, local_at="", actor=author, now=NOW)

        assert stop(campaign=row, actor=author, now=NOW) == 0
        assert run_due(now=NOW) == 0
        with pytest.raises(CampaignError):
            stop(campaign=row, actor=author, now=NOW)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_two_schedulers_begin_it_once(self) -> None:
        """Two connections, both with the same row before them."""
        found = scene(doctors=3)
        row = written(found)
        schedule(campaign=row, local_at="", actor=UserFactory.create(), now=NOW)
        gate = threading.Barrier(2)
        told: list[int] = []

        def run() -> None:
            try:
                connection.ensure_connection()
                gate.wait(60)
                told.append(start(campaign_id=row.pk, now=NOW))
            finally:
                connections.close_all()

        both = [threading.Thread(target=run) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join(60)

        assert sorted(told) == [0, 3]
        assert Delivery.objects.count() == 3

    def test_two_tabs_put_it_on_the_clock_once(self) -> None:
        found = scene(doctors=1)
        row, author = written(found), UserFactory.create()
        gate = threading.Barrier(2)
        told: list[str] = []

        def run() -> None:
            try:
                connection.ensure_connection()
                gate.wait(60)
                schedule(campaign=row, local_at="", actor=author, now=NOW)
                told.append("scheduled")
            except CampaignError as refused:
                told.append(str(refused))
            finally:
                connections.close_all()

        both = [threading.Thread(target=run) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join(60)

        assert sorted(told) == ["It was put on the clock already.", "scheduled"]
        assert AuditEvent.objects.filter(action="campaign.scheduled").count() == 1
