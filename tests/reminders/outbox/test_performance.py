"""What became of a programme's messages, against a count one message after another."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


@given(drawn=st.lists(messages, max_size=14), foreign=st.lists(messages, max_size=3))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_by_kind_and_channel(drawn: list[dict[str, Any]], foreign: list[dict[str, Any]]) -> None:
    programme, other, doctor = ProgrammeFactory.create(), ProgrammeFactory.create(), UserFactory.create()
    for where, some in ((programme, drawn), (other, foreign)):
        for one in some:
            DeliveryFactory.create(programme=where, user=doctor, **one)
    got = performance_of(programme_id=programme.pk)
    ended = [
        one for one in Delivery.objects.filter(programme=programme) if one.kind != Kind.TEST and one.state in STATES
    ]
    pairs = [(kind, channel) for kind in Kind for channel in Channel]
    held = [pair for pair in pairs if any((one.kind, one.channel) == pair for one in ended)]
    assert got == [_counted([one for one in ended if (one.kind, one.channel) == pair], *pair) for pair in held]
    for line in by_channel(got):
        mine = [one for one in ended if one.channel == line.channel]
        assert line == _counted(mine, None, line.channel)
    assert {one.channel for one in by_channel(got)} == {channel for _, channel in held}
    for line in by_kind(got):
        parts = [one for one in got if one.kind == line.kind]
        told = [one.opened for one in parts if one.opened is not None]
        assert line.opened == (sum(told) if told else None)
        assert line.sent == sum(one.kind == line.kind and one.state == "sent" for one in ended)
    assert [one.kind for one in by_kind(got)] == [kind for kind in Kind if any(kind == pair[0] for pair in held)]


def _counted(rows: list[Delivery], kind: Kind | None, channel: Channel | None) -> Sent:
    """No provider of the tests tells anything: what nobody told is not known, but for messages on this site."""
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
        delivered=delivered if is_here or delivered else None,
        opened=opened if is_here or opened else None,
        followed=None if channel == Channel.PUSH else sum(one.followed_at is not None for one in sent),
    )


def test_it_costs_the_same_for_many_kinds(django_assert_num_queries: Any) -> None:
    programme = ProgrammeFactory.create()
    for kinds in ((Kind.LIVE,), (Kind.DAY_BEFORE, Kind.CAMPAIGN)):
        for kind in kinds:
            DeliveryFactory.create(programme=programme, kind=kind, state=DeliveryState.SENT)
        with django_assert_num_queries(1):
            performance_of(programme_id=programme.pk)
