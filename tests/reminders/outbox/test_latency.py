"""How long providers take: counted where workers can, shown where Prometheus asks."""

from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection

from operations.domain import gauges
from reminders.domain import latency
from tests.reminders.outbox.test_sending import due, send


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    get_redis_connection("default").delete("messages:calls")
    yield
    get_redis_connection("default").delete("messages:calls")


def samples() -> dict[tuple[str, ...], float]:
    return {
        (one.name, *one.labels.values()): one.value
        for family in gauges.Site().collect()
        if family.name.startswith(("lms_messages_call_seconds", "lms_messages_handed_over"))
        for one in family.samples
    }


@pytest.mark.django_db
def test_nothing_was_called_and_nothing_is_shown() -> None:
    assert samples() == {}


@pytest.mark.django_db
def test_calls_by_provider_with_their_time_and_messages() -> None:
    for seconds, messages in ((0.05, 10), (0.3, 200), (31.0, 8)):
        latency.note(transport="smtp", channel="email", seconds=seconds, messages=messages)
    latency.note(transport="twilio", channel="sms", seconds=99.0, messages=1)
    found = samples()
    name = "lms_messages_call_seconds"
    buckets = {key[-1]: value for key, value in found.items() if key[:2] == (f"{name}_bucket", "smtp")}
    assert buckets == {
        "0.05": 1, "0.25": 1, "1.0": 2, "2.5": 2, "5.0": 2, "10.0": 2, "20.0": 2, "40.0": 3, "+Inf": 3,
    }  # fmt: skip
    assert found[f"{name}_count", "smtp", "email"] == 3
    assert found[f"{name}_sum", "smtp", "email"] == pytest.approx(31.35)
    assert found["lms_messages_handed_over_total", "smtp", "email"] == 218
    assert found[f"{name}_bucket", "twilio", "sms", "40.0"] == 0
    assert found[f"{name}_bucket", "twilio", "sms", "+Inf"] == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("sink")
def test_each_hand_over_counts() -> None:
    due(doctors=3)
    send()
    found = samples()
    assert found["lms_messages_call_seconds_count", "sink", "email"] == 1
    assert found["lms_messages_handed_over_total", "sink", "email"] == 3
