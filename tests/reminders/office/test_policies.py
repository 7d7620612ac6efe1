"""What a programme sends, in the office: by whom, with what from the start, and what is on record."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent
from courses.models import Programme
from reminders.domain.builtin_words import built_in_set
from reminders.domain.journeys import BEFORE, USUAL, examples, problem_with
from reminders.domain.planning.which import planned_kinds
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Delivery, Journey, MessagePolicy
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.reminders.factories import NOW, DeliveryFactory, JourneyFactory, MessagePolicyFactory, scene
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme() -> Programme:
    one: Programme = ProgrammeFactory.create(timezone="Asia/Kolkata")
    return one


@pytest.fixture
def client(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory.create(programme=programme).user)


def form_of(programme: Programme, **values: Any) -> dict[str, Any]:
    return {
        "programme": programme.pk, "is_on": "on", "template_set": built_in_set().pk, "sender_name": "Office",
        "reply_to": "", "quiet_from": "21:00", "quiet_until": "08:00", "most_a_day": 3, "most_a_week": 8, **values,
    }  # fmt: skip


def test_every_kind_is_there_from_the_first_saving_and_the_change_is_on_record(
    client: Client, programme: Programme
) -> None:
    response = client.post(reverse("admin:reminders_messagepolicy_add"), form_of(programme))
    assert response.status_code == 302, response.context["errors"]
    policy = MessagePolicy.objects.get()
    assert (policy.programme, policy.is_on) == (programme, True)
    assert set(Journey.objects.filter(programme=programme).values_list("kind", flat=True)) == set(planned_kinds())
    event = AuditEvent.objects.get(action="messages.changed")
    assert event.details["journeys"]["day_before"] == [-1440, "18:00:00", "email"]


def test_what_was_taken_away_does_not_come_back(client: Client, programme: Programme) -> None:
    client.post(reverse("admin:reminders_messagepolicy_add"), form_of(programme))
    Journey.objects.exclude(kind=Kind.LIVE).delete()
    policy = MessagePolicy.objects.get()
    client.post(reverse("admin:reminders_messagepolicy_change", args=(policy.pk,)), form_of(programme))
    assert [one.kind for one in Journey.objects.all()] == ["live"]


def test_what_is_usual_passes_its_own_check() -> None:
    for kind, usual in USUAL.items():
        channels = [channel.value for channel in usual.channels]
        problem = problem_with(
            kind=kind,
            offset_minutes=usual.minutes,
            channels=channels,
            local_time=None if usual.hour is None else time(usual.hour),
            is_urgent=usual.is_urgent,
        )
        assert problem == "", kind
    assert set(USUAL) == set(planned_kinds())


def journey_form(programme: Programme, **values: Any) -> dict[str, Any]:
    return {
        "programme": programme.pk, "kind": "live", "is_on": "on", "offset_minutes": 0, "local_time": "",
        "first": "email", "second": "sms", "third": "", "fallback_minutes": 5, **values,
    }  # fmt: skip


def test_channels_are_kept_in_their_order(client: Client, programme: Programme) -> None:
    address = reverse("admin:reminders_journey_add")
    response = client.post(address, journey_form(programme, first="whatsapp", second="email", third="sms"))
    assert response.status_code == 302, response.context["errors"]
    assert Journey.objects.get().channels == ["whatsapp", "email", "sms"]


@pytest.mark.parametrize(
    "values",
    [
        {"offset_minutes": -5},
        {"kind": "hour_before", "offset_minutes": 0},
        {"kind": "campaign"},
        {"kind": "invitation"},
        {"second": "email"},
        {"second": "", "third": ""},
        {"offset_minutes": 600_000},
        {"first": "pigeon"},
        {"kind": "weekly_progress", "offset_minutes": 10_080},
        {"kind": "weekly_progress", "offset_minutes": 9_000, "local_time": "05:59"},  # of the Monday after
        {"kind": "day_before", "offset_minutes": -1_439, "local_time": "18:00"},
        {"kind": "soon", "offset_minutes": -10, "local_time": "00:00"},
        {"kind": "certificate_ready", "is_urgent": "on"},
    ],
)
def test_what_makes_no_sense_is_not_saved(client: Client, programme: Programme, values: dict[str, Any]) -> None:
    response = client.post(reverse("admin:reminders_journey_add"), journey_form(programme, **values))
    assert response.status_code == 200
    assert response.context["errors"]
    assert not Journey.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "weekly_progress", "offset_minutes": 10_079},
        {"kind": "weekly_progress", "offset_minutes": 9_000, "local_time": "06:00"},
        {"kind": "day_before", "offset_minutes": -1_440, "local_time": "23:59"},
        {"kind": "soon", "offset_minutes": -10, "is_urgent": "on"},
    ],
)
def test_what_just_makes_sense_is_saved(client: Client, programme: Programme, values: dict[str, Any]) -> None:
    response = client.post(reverse("admin:reminders_journey_add"), journey_form(programme, **values))
    assert response.status_code == 302, response.context["errors"]
    assert Journey.objects.get().kind == values["kind"]


def test_only_ones_own_programmes_and_never_those_of_others(client: Client, programme: Programme) -> None:
    mine = MessagePolicyFactory.create(programme=programme)
    other = MessagePolicyFactory.create()
    JourneyFactory.create(programme=other.programme)
    shown = client.get(reverse("admin:reminders_messagepolicy_changelist")).context["cl"].result_list
    assert list(shown) == [mine]
    assert client.get(reverse("admin:reminders_messagepolicy_change", args=(other.pk,))).status_code == 302
    response = client.post(reverse("admin:reminders_journey_add"), journey_form(other.programme))
    assert response.status_code == 200
    assert Journey.objects.count() == 1


def test_the_page_says_when_each_would_go_out_for_the_home_zone(client: Client) -> None:
    found = scene(starts_at=now() + timedelta(days=9))
    Programme.objects.filter(pk=found.programme.pk).update(timezone="Asia/Kolkata")
    found.policy.programme.refresh_from_db()
    MessagePolicy.objects.update(quiet_from=time(21), quiet_until=time(8))
    found.policy.refresh_from_db()
    JourneyFactory.create(programme=found.programme, kind=Kind.DAY_BEFORE, local_time=time(18))
    JourneyFactory.create(programme=found.programme, kind=Kind.COURSE_COMPLETED, offset_minutes=0)
    RoleGrantFactory.create(user=client.session and _person(client), programme=found.programme)
    page = client.get(reverse("admin:reminders_messagepolicy_change", args=(found.policy.pk,))).content.decode()
    assert "18:00" in page
    assert "Asia/Kolkata" in page
    assert "after what the doctor does" in page


def _person(client: Client) -> Any:
    from accounts.models import User

    return User.objects.get(pk=client.session["_auth_user_id"])


def test_examples_wait_for_the_morning() -> None:
    found = scene(starts_at=NOW + timedelta(days=9, hours=9))  # 02:30 in Kolkata
    MessagePolicy.objects.update(quiet_from=time(21), quiet_until=time(8))
    found.policy.refresh_from_db()
    JourneyFactory.create(programme=found.programme, kind=Kind.DAY_BEFORE)
    JourneyFactory.create(programme=found.programme, kind=Kind.SOON, offset_minutes=-10, is_urgent=True)
    shown = {
        one.journey.kind: (one.at, one.is_late) for one in examples(policy=found.policy, zone="Asia/Kolkata", now=NOW)
    }
    assert shown == {
        "day_before": (NOW + timedelta(days=8, hours=14, minutes=30), True),
        "soon": (NOW + timedelta(days=9, hours=8, minutes=50), False),
    }
    assert Kind.DAY_BEFORE in BEFORE


class TestDeliveries:
    def address(self, row: Delivery | None = None) -> str:
        return (
            reverse("admin:reminders_delivery_change", args=(row.pk,))
            if row
            else reverse("admin:reminders_delivery_changelist")
        )

    def test_what_became_of_it_is_told_and_looking_is_on_record(self, client: Client, programme: Programme) -> None:
        sent = DeliveryFactory.create(
            programme=programme, state=DeliveryState.SENT, transport="smtp", bounced_at=NOW + timedelta(hours=1)
        )
        skipped = DeliveryFactory.create(
            programme=programme, state=DeliveryState.SKIPPED, skip_reason=SkipReason.OPTED_OUT
        )
        DeliveryFactory.create()  # of another programme
        page = client.get(self.address())
        assert set(page.context["cl"].result_list) == {sent, skipped}
        assert "Came back" in page.content.decode()
        assert "The doctor does not want this channel" in page.content.decode()
        assert AuditEvent.objects.filter(action="deliveries.listed").count() == 1
        told = client.get(self.address(sent)).content.decode()
        assert "Handed over (smtp)" in told
        assert "(&#x27;" not in told
        (event,) = AuditEvent.objects.filter(action="deliveries.read")
        assert (event.subject_type, event.subject_id) == ("accounts.user", str(sent.user_id))
        assert event.details == {"row": sent.pk}

    def test_sec_32_what_was_searched_for_is_not_kept_for_ever(self, client: Client, programme: Programme) -> None:
        row = DeliveryFactory.create(programme=programme)
        client.get(self.address(), {"q": row.user.email})
        client.get(self.address())
        events = AuditEvent.objects.filter(action="deliveries.listed").order_by("pk")
        assert [one.details for one in events] == [{"searched": True, "page": ""}, {"searched": False, "page": ""}]
        assert not AuditEvent.objects.filter(details__icontains=row.user.email).exists()

    def test_nobody_changes_what_was_sent(self, client: Client, programme: Programme) -> None:
        row = DeliveryFactory.create(programme=programme, state=DeliveryState.SENT)
        assert client.post(self.address(row), {"channel": "sms"}).status_code == 403
        assert client.get(reverse("admin:reminders_delivery_add")).status_code == 403
        row.refresh_from_db()
        assert row.channel == Channel.EMAIL

    def test_its_queries_do_not_grow(self, programme: Programme, django_assert_num_queries: Any) -> None:
        client = signed_in(RoleGrantFactory.create(programme=programme, role=Role.OPERATOR).user)
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        numbers = []
        for _ in (1, 2):
            DeliveryFactory.create(programme=programme)
            with CaptureQueriesContext(connection) as seen:
                client.get(self.address())
            numbers.append(len(seen))
            DeliveryFactory.create(programme=programme)
        assert numbers[0] == numbers[1]
