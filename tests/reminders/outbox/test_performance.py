"""What became of a programme's messages, against a count one message after another."""

from typing import Any

import pytest
from django.conf import settings as conf
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses.models import Programme
from reminders.domain.performance import Sent, by_channel, by_kind, performance_of
from reminders.enums import Channel, DeliveryState, Kind
from reminders.models import Delivery
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory
from tests.reminders.factories import NOW, DeliveryFactory

pytestmark = pytest.mark.django_db
STATES = ("sent", "failed", "unknown", "skipped")
messages = st.fixed_dictionaries(
    {
        "kind": st.sampled_from((Kind.DAY_BEFORE, Kind.LIVE, Kind.CAMPAIGN, Kind.TEST)),
        "channel": st.sampled_from(Channel),
        "state": st.sampled_from((*DeliveryState, *[DeliveryState.SENT] * 6)),
        "delivered_at": st.sampled_from((None, NOW)),
        "bounced_at": st.sampled_from((None, None, NOW)),
        "read_at": st.sampled_from((None, NOW)),
        "followed_at": st.sampled_from((None, NOW)),
    }
)


# By what a programme sends with, what its providers tell. Messages on this site are told by the site itself.
PROVIDERS: dict[str, tuple[dict[str, str], dict[str, set[Channel]]]] = {
    "silent": ({}, {"delivered": set(), "opened": set()}),
    "telling": (
        {"MESSAGES_SMS": "vonage", "MESSAGES_WHATSAPP": "twilio"},
        {"delivered": {Channel.SMS, Channel.WHATSAPP}, "opened": {Channel.WHATSAPP}},
    ),
}


@given(
    drawn=st.lists(messages, max_size=14),
    foreign=st.lists(messages, max_size=3),
    providers=st.sampled_from(sorted(PROVIDERS)),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_by_kind_and_channel(drawn: list[dict[str, Any]], foreign: list[dict[str, Any]], providers: str) -> None:
    programme, other = ProgrammeFactory.create(), ProgrammeFactory.create()
    doctors = UserFactory.create_batch(3)
    for where, some in ((programme, drawn), (other, foreign)):
        for number, one in enumerate(some):
            DeliveryFactory.create(programme=where, user=doctors[number % 3], **one)
    chosen, tells = PROVIDERS[providers]
    with override_settings(MESSAGES={**conf.MESSAGES, **chosen}):
        _check(programme, tells)


def _check(programme: Programme, tells: dict[str, set[Channel]]) -> None:
    got = performance_of(programme_id=programme.pk)
    ended = [
        one for one in Delivery.objects.filter(programme=programme) if one.kind != Kind.TEST and one.state in STATES
    ]
    pairs = [(kind, channel) for kind in Kind for channel in Channel]
    held = [pair for pair in pairs if any((one.kind, one.channel) == pair for one in ended)]
    lines = [_counted([one for one in ended if (one.kind, one.channel) == pair], *pair, tells) for pair in held]
    assert got == lines
    channels = [one for one in Channel if any(one == channel for _, channel in held)]
    assert by_channel(got) == _in_order(
        got, [_counted([one for one in ended if one.channel == channel], None, channel, tells) for channel in channels]
    )
    kinds = [kind for kind in Kind if any(kind == one for one, _ in held)]
    assert by_kind(got) == [_added([one for one in lines if one.kind == kind], kind) for kind in kinds]


def _in_order(lines: list[Sent], sums: list[Sent]) -> list[Sent]:
    """As the channels come in the lines."""
    order = [one.channel for one in lines]
    return sorted(sums, key=lambda one: order.index(one.channel))


def _added(lines: list[Sent], kind: Kind) -> Sent:
    """Of all channels: what is told is of those that tell it."""
    sums: dict[str, Any] = {}
    for name in ("sent", "failed", "unknown", "skipped", "returned", "delivered", "opened", "followed"):
        told = [number for one in lines if (number := getattr(one, name)) is not None]
        sums[name] = sum(told) if told else None
    return Sent(kind=kind, channel=None, **sums)


def _counted(rows: list[Delivery], kind: Kind | None, channel: Channel, tells: dict[str, set[Channel]]) -> Sent:
    """What nobody tells is not known, unless somebody told it all the same."""
    sent = [one for one in rows if one.state == "sent"]
    is_here = channel == Channel.INBOX
    delivered = sum(one.delivered_at is not None and one.bounced_at is None for one in sent)
    opened = sum(one.read_at is not None for one in sent)
    return Sent(
        kind=kind,
        channel=channel,
        sent=len(sent),
        failed=sum(one.state == "failed" for one in rows),
        unknown=sum(one.state == "unknown" for one in rows),
        skipped=sum(one.state == "skipped" for one in rows),
        returned=sum(one.bounced_at is not None for one in sent),
        delivered=delivered if is_here or delivered or channel in tells["delivered"] else None,
        opened=opened if is_here or opened or channel in tells["opened"] else None,
        followed=None if channel == Channel.PUSH else sum(one.followed_at is not None for one in sent),
    )


def test_it_costs_the_same_for_many_kinds(django_assert_num_queries: Any) -> None:
    programme = ProgrammeFactory.create()
    for kinds in ((Kind.LIVE,), (Kind.DAY_BEFORE, Kind.CAMPAIGN)):
        for kind in kinds:
            DeliveryFactory.create(programme=programme, kind=kind, state=DeliveryState.SENT)
        with django_assert_num_queries(1):
            performance_of(programme_id=programme.pk)
