"""Machines that follow the calendar: the steps by hand, and moto's Auto Scaling, ECS and CloudWatch as the far end."""

import itertools
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, strategies
from moto.server import ThreadedMotoServer

from operations.domain.autoscaling.aws import DIMENSION, PREFIX, action_name
from operations.domain.autoscaling.calendar import Event, coming_events, expected_doctors
from operations.domain.autoscaling.plan import AFTER, BEFORE, Limits, limits_at, most_connections, steps_of, table
from operations.domain.autoscaling.tending import apply_calendar, check_capacity, look_ahead, too_many_connections
from operations.domain.autoscaling.tiers import AutoscaleError, Tier, read_tiers
from operations.tasks import tend_capacity
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import LiveWebinarFactory
from webinars.models import Registration, Webinar

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WEB = Tier("web", "rounds-web", 2, 20)
PEAK = 5  # web replicas for 10,000 doctors: docs/scaling.md
CLUSTER = "rounds"
WHERE = {"ServiceNamespace": "ecs", "ResourceId": f"service/{CLUSTER}/rounds-web", "ScalableDimension": DIMENSION}


def by_thousands(doctors: int) -> dict[str, int]:
    return {"web": 1 + doctors // 1_000}


def event(start: datetime, *, doctors: int = 10_000, minutes: int = 60, number: int = 1) -> Event:
    return Event(
        webinar_id=number,
        title=f"Lecture {number}",
        timezone="Asia/Kolkata",
        starts_at=start,
        ends_at=start + minutes * MINUTE,
        doctors=doctors,
    )


class TestPlan:
    def test_up_before_and_back_after(self) -> None:
        steps = steps_of([event(NOON)], [WEB], by_thousands, now=NOON - 5 * HOUR)

        assert [(step.at, step.limits["web"].low) for step in steps] == [
            (NOON - 5 * HOUR, 2),
            (NOON - 45 * MINUTE, 11),
            (NOON + 90 * MINUTE, 2),
        ]
        assert steps[1].limits["web"].high == 22
        assert steps[2].limits["web"] == Limits(low=2, high=20)

    def test_overlapping_webinars_are_one_audience(self) -> None:
        events = [event(NOON), event(NOON + HOUR, doctors=20_000, number=2)]
        steps = steps_of(events, [WEB], by_thousands, now=NOON - 5 * HOUR)

        assert [(step.at - NOON, step.limits["web"].low) for step in steps[1:]] == [
            (-45 * MINUTE, 11),
            (15 * MINUTE, 31),
            (90 * MINUTE, 21),
            (150 * MINUTE, 2),
        ]

    @given(
        given_events=strategies.lists(
            strategies.builds(
                event,
                strategies.integers(-300, 3_000).map(lambda minutes: NOON + minutes * MINUTE),
                doctors=strategies.integers(0, 100_000),
                minutes=strategies.integers(5, 720),
            ),
            max_size=6,
        )
    )
    def test_every_moment_has_what_it_needs(self, given_events: list[Event]) -> None:
        steps = steps_of(given_events, [WEB], by_thousands, now=NOON)

        assert steps[0].at == NOON
        assert [step.at for step in steps] == sorted({step.at for step in steps})
        assert all(WEB.low <= step.limits["web"].low <= step.limits["web"].high for step in steps)
        assert all(one.limits != two.limits for one, two in itertools.pairwise(steps))
        for one in given_events:
            for moment in (one.starts_at - BEFORE, one.starts_at, one.ends_at + AFTER - MINUTE):
                if moment >= NOON:
                    valid = [step for step in steps if step.at <= moment][-1]
                    assert valid.limits == limits_at(moment, given_events, [WEB], by_thousands)[1]
                    assert valid.limits["web"].low >= by_thousands(one.doctors)["web"]

    def test_the_table_has_both_clocks(self) -> None:
        lines = table(steps_of([event(NOON)], [WEB], by_thousands, now=NOON - HOUR), [WEB])

        assert "2027-03-01 11:15" in lines[3]
        assert "01 Mar 16:45 Asia/Kolkata" in lines[3]
        assert "11 to 22" in lines[3]
        assert "Lecture 1" in lines[3]

    @pytest.mark.parametrize(
        ("numbers", "doctors"),
        [
            ((300, 1_000, 50, None, True), 450),
            ((300, 1_000, 0, None, False), 600),
            ((900, 1_000, 0, None, False), 1_200),
            ((900, 1_000, 50, 500, True), 500),
            ((0, 0, 0, None, False), 0),
        ],
    )
    def test_expected_doctors(self, numbers: tuple[int, int, int, int | None, bool], doctors: int) -> None:
        names = ("registered", "enrolled", "free_at_the_door", "places", "needs_registration")

        assert expected_doctors(**dict(zip(names, numbers, strict=True))) == doctors  # type: ignore[arg-type]

    @pytest.mark.parametrize("word", ["web", "web=rounds", "beat=b:1-2", "web=w:0-2", "web=w:3-2", "web=w d:1-2"])
    def test_a_service_that_cannot_be_read_is_named(self, word: str) -> None:
        with pytest.raises(AutoscaleError, match="AUTOSCALE_SERVICES"):
            read_tiers([word])


def announced(start: datetime, registered: int, **given: Any) -> Webinar:
    """`registered` doctors of a webinar for which one registers."""
    webinar = LiveWebinarFactory.create(starts_at=start, needs_registration=True, **given)
    users = UserFactory.create_batch(registered)
    Registration.objects.bulk_create(Registration(webinar=webinar, user=user, registered_at=NOON) for user in users)
    return webinar


@pytest.mark.django_db
class TestCalendar:
    def test_only_what_will_be_is_planned(self) -> None:
        coming = announced(NOON + HOUR, 3)
        announced(NOON + HOUR, 1, cancelled_at=NOON)
        announced(NOON + timedelta(days=20), 1)
        draft = announced(NOON + HOUR, 1)
        draft.lesson.course.status = "draft"
        draft.lesson.course.save()
        Registration.objects.filter(webinar=coming, user=coming.registrations.earliest("pk").user).update(
            cancelled_at=NOON
        )

        assert [(one.webinar_id, one.doctors) for one in coming_events(now=NOON)] == [(coming.pk, 3)]

    def test_without_registration_the_programme_comes(self) -> None:
        webinar = LiveWebinarFactory.create(starts_at=NOON)
        for status in ("active", "invited", "active", "withdrawn"):
            EnrolmentFactory.create(programme=webinar.lesson.course.programme, status=status)

        assert [one.doctors for one in coming_events(now=NOON)] == [2]

    def test_the_end_is_the_real_one_and_moves_while_it_runs_on(self) -> None:
        webinar = LiveWebinarFactory.create(starts_at=NOON, live_at=NOON + 5 * MINUTE)

        def end(now: datetime) -> datetime:
            return coming_events(now=now)[0].ends_at

        assert end(NOON + 30 * MINUTE) == NOON + 65 * MINUTE
        assert end(NOON + 70 * MINUTE) == end(NOON + 74 * MINUTE) == NOON + 90 * MINUTE
        assert end(NOON + 76 * MINUTE) == NOON + 105 * MINUTE
        Webinar.objects.filter(pk=webinar.pk).update(ended_at=NOON + 40 * MINUTE + timedelta(seconds=1))
        assert end(NOON + 76 * MINUTE) == NOON + 41 * MINUTE

    def test_queries_do_not_grow(self, django_assert_num_queries: Any) -> None:
        announced(NOON, 1)
        announced(NOON + HOUR, 1)
        announced(NOON + 2 * HOUR, 1)

        with django_assert_num_queries(4):
            coming_events(now=NOON)


class Gate(ThreadingHTTPServer):
    """In front of moto: refuses calls of one kind with an error, so many times, as AWS does when it throttles."""

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target = target
        self.refuse, self.times, self.error = "", 0, ""
        self.calls: list[str] = []
        self.health = ["HEALTHY", "HEALTHY"]  # of the tasks of the service: moto starts none

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def names(self, ending: str) -> list[str]:
        return [call for call in self.calls if call.endswith(ending)]


class _Passing(BaseHTTPRequestHandler):
    server: Gate

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        call = self.headers.get("X-Amz-Target", "")
        self.server.calls.append(call)
        if self.server.refuse and call.endswith(self.server.refuse) and self.server.times:
            self.server.times -= 1
            return self.answer(400, f'{{"__type":"{self.server.error}","message":"refused"}}'.encode())
        arns = [f"arn:aws:ecs:eu-central-1:123456789012:task/{CLUSTER}/{at}" for at in range(len(self.server.health))]
        if call.endswith(".ListTasks"):
            first = int(json.loads(body).get("nextToken", 0))
            more = {"nextToken": str(first + 100)} if len(arns) > first + 100 else {}
            return self.answer(200, json.dumps({"taskArns": arns[first : first + 100], **more}).encode())
        if call.endswith(".DescribeTasks"):
            asked = [self.server.health[int(arn.rpartition("/")[2])] for arn in json.loads(body)["tasks"]]
            return self.answer(200, json.dumps({"tasks": [{"healthStatus": one} for one in asked]}).encode())
        request = urllib.request.Request(self.server.target + self.path, data=body, headers=dict(self.headers))
        try:
            with urllib.request.urlopen(request, timeout=30) as found:
                self.answer(found.status, found.read())
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests print what they need."""


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def gate(moto: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Gate]:
    """A cluster with one scalable service, as the infrastructure makes it."""
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST"), timeout=30).close()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    ecs = far("ecs", moto)
    ecs.create_cluster(clusterName=CLUSTER)
    container = {"name": "web", "image": "rounds", "memory": 512}
    ecs.register_task_definition(family="rounds", containerDefinitions=[container])
    ecs.create_service(cluster=CLUSTER, serviceName="rounds-web", taskDefinition="rounds", desiredCount=2)
    far("application-autoscaling", moto).register_scalable_target(**WHERE, MinCapacity=2, MaxCapacity=20)
    server = Gate(moto)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    settings.AWS_ENDPOINT_URL, settings.AWS_REGION = server.url, "eu-central-1"
    settings.AUTOSCALE_CLUSTER, settings.AUTOSCALE_SERVICES = CLUSTER, ["web=rounds-web:2-20"]
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def far(service: str, url: str) -> Any:
    return boto3.client(service, region_name="eu-central-1", endpoint_url=url)  # type: ignore[call-overload]


def actions(gate: Gate) -> dict[str, tuple[str, int, int]]:
    rows = far("application-autoscaling", gate.target).describe_scheduled_actions(**WHERE)["ScheduledActions"]
    return {
        row["ScheduledActionName"]: (
            row["Schedule"],
            row["ScalableTargetAction"]["MinCapacity"],
            row["ScalableTargetAction"]["MaxCapacity"],
        )
        for row in rows
    }


def limits(gate: Gate) -> tuple[int, int]:
    [target] = far("application-autoscaling", gate.target).describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    return target["MinCapacity"], target["MaxCapacity"]


def places(webinar: Webinar, doctors: int) -> None:
    """An audience of thousands without thousands of rows: free places at the door."""
    webinar.spot_windows.all().delete()
    webinar.spot_windows.create(
        opens_at=NOON - timedelta(days=9), closes_at=NOON + timedelta(days=9), capacity=doctors, created_at=NOON
    )


@pytest.mark.django_db
class TestApply:
    def test_a_webinar_becomes_two_actions_and_again_changes_nothing(self, gate: Gate) -> None:
        places(announced(NOON, 0), 10_000)
        changes = apply_calendar(now=NOON - 5 * HOUR)

        up, down = action_name(NOON - 45 * MINUTE), action_name(NOON + 90 * MINUTE)
        assert actions(gate) == {up: ("at(2027-03-01T11:15:00)", PEAK, 20), down: ("at(2027-03-01T13:30:00)", 2, 20)}
        assert [(change.what, change.action) for change in changes] == [("added", up), ("added", down)]
        puts = len(gate.names("PutScheduledAction"))
        assert apply_calendar(now=NOON - 4 * HOUR) == []
        assert len(gate.names("PutScheduledAction")) == puts == 2

    def test_moved_and_cancelled_webinars_and_nothing_of_others(self, gate: Gate) -> None:
        webinar = announced(NOON, 0)
        places(webinar, 10_000)
        other = {"ScheduledActionName": "nightly", "Schedule": "cron(0 1 * * ? *)"}
        far("application-autoscaling", gate.target).put_scheduled_action(
            **WHERE, **other, ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 2}
        )
        apply_calendar(now=NOON - 5 * HOUR)
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=NOON + HOUR)
        moved = apply_calendar(now=NOON - 5 * HOUR)

        assert sorted(change.what for change in moved) == ["added", "added", "removed", "removed"]
        expected = {action_name(NOON + 15 * MINUTE), action_name(NOON + 150 * MINUTE)}
        assert set(actions(gate)) == {"nightly", *expected}
        Webinar.objects.filter(pk=webinar.pk).update(cancelled_at=NOON - 5 * HOUR)
        apply_calendar(now=NOON - 5 * HOUR)
        assert set(actions(gate)) == {"nightly"}

    def test_what_should_be_there_already_is_set_at_once_and_taken_back(self, gate: Gate) -> None:
        webinar = announced(NOON, 0)
        places(webinar, 90_000)
        changes = apply_calendar(now=NOON - 10 * MINUTE)

        assert changes[0].what == "limits"
        low, high = limits(gate)
        assert (low > 20, high) == (True, 2 * low)
        places(webinar, 10_000)
        assert [change.what for change in apply_calendar(now=NOON)] == ["limits"]
        assert limits(gate) == (PEAK, 20)
        Webinar.objects.filter(pk=webinar.pk).update(live_at=NOON, ended_at=NOON + 10 * MINUTE)
        apply_calendar(now=NOON + 41 * MINUTE)
        assert limits(gate) == (2, 20)
        assert actions(gate) == {}

    def test_throttled_calls_are_made_again(self, gate: Gate) -> None:
        places(announced(NOON, 0), 10_000)
        gate.refuse, gate.times, gate.error = "PutScheduledAction", 1, "ThrottlingException"
        apply_calendar(now=NOON - 5 * HOUR)

        assert len(gate.names("PutScheduledAction")) == 3
        assert len(actions(gate)) == 2

    def test_broken_off_says_how_far_and_goes_on_the_next_time(self, gate: Gate) -> None:
        places(announced(NOON, 0), 10_000)
        apply_calendar(now=NOON - 9 * HOUR)
        Webinar.objects.update(starts_at=NOON + HOUR)
        gate.refuse, gate.times, gate.error = "DeleteScheduledAction", 1, "ConcurrentUpdateException"

        with pytest.raises(AutoscaleError, match="after 2 changes; run it again"):
            apply_calendar(now=NOON - 5 * HOUR)
        assert len(actions(gate)) == 4, "too much, never too little"
        apply_calendar(now=NOON - 5 * HOUR)
        assert set(actions(gate)) == {action_name(NOON + 15 * MINUTE), action_name(NOON + 150 * MINUTE)}

    def test_a_service_that_cannot_scale_is_named(self, gate: Gate, settings: Any) -> None:
        settings.AUTOSCALE_SERVICES = ["web=other:2-20"]

        with pytest.raises(AutoscaleError, match="service/rounds/other is no scalable target"):
            apply_calendar(now=NOON)


@pytest.mark.django_db
class TestAlarm:
    def test_short_from_thirty_minutes_before(self, gate: Gate) -> None:
        places(announced(NOON, 0), 10_000)

        def missing(now: datetime) -> list[tuple[int, int, int]]:
            return [(one.wanted, one.running, one.missing) for one in check_capacity(now=now)]

        [(standing, running, _)] = missing(NOON - 31 * MINUTE)
        assert standing == 2
        assert missing(NOON - 30 * MINUTE) == [(PEAK, running, PEAK - running)]
        assert missing(NOON + HOUR)[0][0] == 2

    def test_tasks_that_start_or_hang_are_not_there(self, gate: Gate) -> None:
        def running() -> list[int]:
            return [one.running for one in check_capacity(now=NOON)]

        assert running() == [2]
        gate.health = ["HEALTHY"] * 120 + ["UNKNOWN", "UNHEALTHY"]
        assert running() == [120], "by pages of a hundred"
        gate.health = []
        assert running() == [0]
        far("ecs", gate.target).delete_service(cluster=CLUSTER, service="rounds-web", force=True)
        gate.health = ["HEALTHY"]
        assert running() == [0], "tasks of nobody"

    def test_the_task_applies_logs_and_reports(self, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
        start = datetime.now(UTC).replace(second=0, microsecond=0) + 10 * MINUTE
        webinar = announced(start, 0)
        webinar.spot_windows.create(opens_at=start - HOUR, closes_at=start + HOUR, capacity=10_000, created_at=start)
        missing = tend_capacity()

        assert missing == PEAK - 2
        assert limits(gate) == (PEAK, 20)
        assert "Capacity is not there: web has" in caplog.text
        [metric] = far("cloudwatch", gate.target).list_metrics(Namespace="Rounds")["Metrics"]
        assert metric["MetricName"] == "CapacityMissing"
        where = {entry["Name"]: entry["Value"] for entry in metric["Dimensions"]}
        assert where == {"Cluster": CLUSTER, "Tier": "web"}

    def test_the_alarm_is_raised_when_aws_takes_no_changes(self, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
        gate.refuse, gate.times, gate.error = "DescribeScalableTargets", 1, "AccessDeniedException"
        tend_capacity()

        assert "could not be put into Auto Scaling" in caplog.text
        assert far("cloudwatch", gate.target).list_metrics(Namespace="Rounds")["Metrics"]

    def test_without_a_cluster_nothing_is_asked(self, gate: Gate, settings: Any) -> None:
        settings.AUTOSCALE_CLUSTER = ""

        assert tend_capacity() == 0
        assert gate.calls == []
        with pytest.raises(CommandError, match="AUTOSCALE_CLUSTER is not set"):
            call_command("autoscale", "apply")

    def test_the_command(self, gate: Gate, settings: Any) -> None:
        start = datetime.now(UTC) + 6 * HOUR
        webinar = announced(start, 0)
        webinar.spot_windows.create(opens_at=start - HOUR, closes_at=start + HOUR, capacity=10_000, created_at=start)

        def said(*arguments: str) -> str:
            out = StringIO()
            call_command("autoscale", *arguments, stdout=out)
            return out.getvalue()

        assert f"{PEAK} to 20" in said("plan")
        steps = look_ahead(now=datetime.now(UTC)).steps
        in_production = 20 * 4 * 8 + 1 * 2 * 2 + 2 * 4 * 2 + 1 * 2 + 2 * 8 + 2 * 1  # by production.tfvars
        assert most_connections(steps) == in_production
        assert "may open 680 connections, and PostgreSQL takes " in too_many_connections(steps)
        assert too_many_connections([]) == ""
        settings.AUTOSCALE_CONNECTIONS = 600
        assert "may open 680 connections, and PgBouncer takes 600" in too_many_connections(steps)
        settings.AUTOSCALE_CONNECTIONS = 5000
        assert too_many_connections(steps) == ""
        assert f"web: added {PREFIX}" in said("apply")
        assert said("apply") == "Nothing to change.\n"
        Webinar.objects.update(starts_at=datetime.now(UTC) + 5 * MINUTE)
        with pytest.raises(SystemExit) as left:
            said("check")
        assert left.value.code == 1
        running = far("ecs", gate.target).update_service(cluster=CLUSTER, service="rounds-web", desiredCount=PEAK)
        assert running["service"]["runningCount"] == PEAK
        gate.health = ["HEALTHY"] * PEAK
        assert said("check") == f"web (rounds-web): {PEAK} of {PEAK} are running and healthy: ok\n"
