"""The status page: open to everybody, true, and there when the database is not."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from django_redis import get_redis_connection

import core.valkey
from core.shedding.line import KEYS
from operations.domain import gauges, incidents, status
from operations.enums import Health, Part, Reason, Severity
from operations.models import Incident
from operations.tasks import tell_incidents
from tests.factories.accounts import UserFactory
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A look of its own for each test, which lasts as long as the test, with more patience than a page has."""
    monkeypatch.setattr(status, "FRESH_SECONDS", 600.0)
    monkeypatch.setattr(core.valkey, "PATIENCE_SECONDS", 30.0)
    core.valkey._client_of.cache_clear()
    forget_all()
    yield
    forget_all()
    core.valkey._client_of.cache_clear()


def forget_all() -> None:
    status.forget()
    status.forget_announced()
    get_redis_connection("default").delete(status.KNOWN, *gauges.QUEUES, *KEYS)


def written(**given: Any) -> Incident:
    incident = Incident(
        **{"title": "Videos are slow", "part": Part.VIDEO, "started_at": now() - timedelta(hours=1)} | given
    )
    incidents.save_incident(incident)
    status.forget()  # the test's transaction never commits
    return incident


def health(at: datetime | None = None) -> dict[str, str]:
    return {one.part.value: one.health.value for one in status.read_status(now=at or now()).parts}


GOOD = dict.fromkeys(("website", "live", "video", "messages"), "good")


class TestWhatTheSiteNotices:
    def test_nothing_on_a_quiet_day(self) -> None:
        found = status.read_status(now=now())
        assert (health(), found.health, found.knows_incidents) == (GOOD, Health.GOOD, True)

    @pytest.mark.parametrize(
        ("numbers", "reasons"),
        [
            ({"live_broadcasts": 1, "live_lag_seconds": 31}, [Reason.LATE]),
            ({"live_broadcasts": 0, "live_lag_seconds": 31}, []),
            ({"live_broadcasts": 1, "live_lag_seconds": 29}, []),
            ({"transcode_oldest_seconds": 3_601}, [Reason.RECORDING]),
            ({"recordings_oldest_seconds": 3_601}, [Reason.RECORDING]),
        ],
    )
    def test_what_is_late_or_waits_is_told(self, numbers: dict[str, float], reasons: list[Reason]) -> None:
        read = gauges.read_database()
        assert status._of_database(read | {f"lms_{name}": value for name, value in numbers.items()}) == reasons

    def test_a_line_before_the_door(self) -> None:
        client: Any = get_redis_connection("default")
        client.zadd(KEYS[2], {"somebody": now().timestamp() + 600})
        found = status.read_status(now=now())
        assert found.parts[0].reasons == (Reason.LINE,)
        assert found.health is Health.SLOW

    def test_tasks_that_pile_up(self) -> None:
        get_redis_connection("default").rpush("default", *range(status.MANY_TASKS + 1))
        assert health() == GOOD | {"messages": "slow"}

    def test_mail_that_nobody_sends(self) -> None:
        client: Any = get_redis_connection("default")
        for seconds, messages in ((60, "good"), (180, "slow")):
            client.rpush("default", json.dumps({"headers": {"sent_at": now().timestamp() - seconds}}))
            status.forget()
            assert health() == GOOD | {"messages": messages}

    def test_thousands_who_ask_look_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looks: list[int] = []
        read = gauges.read_database

        def look() -> dict[str, float]:
            looks.append(1)
            return read()

        monkeypatch.setattr(gauges, "read_database", look)
        for _ in range(30):
            assert Client().get("/status/").status_code == 200
        assert len(looks) == 1


class TestWhatOperatorsWrite:
    def test_changes_the_part_while_it_lasts(self) -> None:
        incident = written(severity=Severity.DOWN)
        assert health() == GOOD | {"video": "down"}
        incident.ended_at = now()
        incidents.save_incident(incident)
        status.forget()
        assert health() == GOOD

    def test_an_announcement_changes_nothing_but_is_read(self) -> None:
        written(severity=Severity.NOTICE, title="Tonight from 22:00 we change a machine")
        assert health() == GOOD
        assert "Tonight from 22:00 we change a machine" in Client().get("/status/").content.decode()

    def test_what_is_planned_is_told_before(self) -> None:
        written(started_at=now() + timedelta(hours=5), severity=Severity.DOWN, title="A new database")
        page = Client().get("/status/").content.decode()
        assert health() == GOOD
        assert "Planned" in page
        assert "A new database" in page

    def test_the_last_ninety_days_are_shown_each_with_its_worst(self) -> None:
        today = now().replace(hour=12)
        written(started_at=today - timedelta(days=3), ended_at=today - timedelta(days=2), severity=Severity.SLOW)
        written(
            started_at=today - timedelta(days=2, hours=1), ended_at=today - timedelta(days=2), severity=Severity.DOWN
        )
        written(started_at=today - timedelta(days=120), ended_at=today - timedelta(days=119), title="Long ago")
        found = status.read_status(now=today)
        days = found.days(today.date())
        assert (len(days), days[-1]) == (90, (today.date(), Health.GOOD))
        assert [health for _, health in days[-4:]] == [Health.SLOW, Health.DOWN, Health.GOOD, Health.GOOD]
        assert "Long ago" not in [one.title for one in found.incidents]

    def test_it_cannot_end_before_it_began(self) -> None:
        with pytest.raises(ValidationError, match="cannot end before"):
            Incident(title="x", started_at=now(), ended_at=now() - timedelta(hours=1)).full_clean()

    def test_sec_22_what_they_write_is_text(self) -> None:
        nasty = "<script>alert(1)</script>"
        written(title=nasty, words=nasty)
        assert nasty not in Client().get("/status/").content.decode()


class TestTheHeadOfEveryPage:
    def test_tells_the_worst_that_lasts_and_nothing_when_it_is_over(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        browser = signed_in(UserFactory.create())
        assert "announced" not in browser.get("/").content.decode()
        with django_capture_on_commit_callbacks(execute=True):
            written(title="We write new certificates", severity=Severity.NOTICE)
            worse = written(title="Nobody can sign in by code", severity=Severity.DOWN)
            written(title="A machine is changed tomorrow", started_at=now() + timedelta(hours=20))
        shown = browser.get("/").content.decode()
        assert "Nobody can sign in by code" in shown
        assert "We write new certificates" not in shown
        assert "A machine is changed tomorrow" not in shown
        with django_capture_on_commit_callbacks(execute=True):
            incidents.delete_incident(worse)
        assert "We write new certificates" in browser.get("/").content.decode()

    def test_comes_back_by_itself_when_valkey_was_emptied(self) -> None:
        written(title="Videos are slow today")
        get_redis_connection("default").flushdb()
        status.forget_announced()
        with CaptureQueriesContext(connection) as queries:
            assert status.announced(now=now()) is None
        assert len(queries) == 0, "not by asking the database for every page"
        assert ("operations.tell_incidents", 20.0) in [
            (one["task"], one["schedule"]) for one in settings.CELERY_BEAT_SCHEDULE.values()
        ]

        tell_incidents()

        assert tell_incidents.name == "operations.tell_incidents"
        status.forget_announced()
        told = status.announced(now=now())
        assert told is not None
        assert told.title == "Videos are slow today"

    def test_asks_valkey_once_for_many_pages_and_the_database_never(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(status, "ANNOUNCED_SECONDS", 600.0)
        status.forget_announced()
        asked: list[Any] = []
        known = status._known

        def counted() -> list[dict[str, Any]]:
            asked.append(1)
            return known()

        monkeypatch.setattr(status, "_known", counted)
        with CaptureQueriesContext(connection) as queries:
            assert [status.announced(now=now()) for _ in range(20)] == [None] * 20
        assert (len(asked), len(queries)) == (1, 0)


class TestWithoutTheDatabase:
    @pytest.fixture
    def _no_database(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Nobody answers at its address, and no statement may be tried, also not for sessions and sign-in."""
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", "1")

        def refuse(execute: Any, sql: str, *_: Any) -> Any:
            raise AssertionError(f"asked the database: {sql}")

        with connection.execute_wrapper(refuse):
            yield

    def test_it_says_so_and_shows_what_was_announced_before(self, request: pytest.FixtureRequest) -> None:
        written(title="A machine is being changed")
        assert health()["video"] == "slow"  # somebody looked while the database was there
        status.forget()
        browser = signed_in(UserFactory.create())
        request.getfixturevalue("_no_database")

        page, answer = browser.get("/status/"), browser.get("/status.json")

        assert (page.status_code, answer.status_code) == (200, 200)
        told = json.loads(answer.content)
        assert told["parts"] == {"website": "down", "live": "unknown", "video": "slow", "messages": "good"}
        assert (told["status"], told["knows_incidents"]) == ("down", False)
        text = page.content.decode()
        assert "What was saved before is safe" in text
        assert "A machine is being changed" in text
        assert "database" not in text.lower()

    @pytest.mark.usefixtures("_no_database")
    def test_a_stranger_reads_it_too(self) -> None:
        assert Client().get("/status/").status_code == 200


class TestPages:
    def test_sec_01_the_page_and_its_json_name_nobody(self) -> None:
        """With people, programmes and devices there, none is on it."""
        RoleGrantFactory.create(user=UserFactory.create(first_name="Meera", email="meera@example.org"))
        page = Client().get("/status/")
        assert "Meera" not in page.content.decode()
        told = json.loads(Client().get("/status.json").content)
        assert set(told) == {"status", "at", "parts", "knows_incidents", "incidents"}
        assert "no-store" in page["Cache-Control"]

    def test_another_method_is_refused(self) -> None:
        assert Client().post("/status/").status_code == 405

    def test_an_operator_writes_and_ends_one_in_the_admin(self, django_capture_on_commit_callbacks: Any) -> None:
        operator = UserFactory.create()
        RoleGrantFactory.create(user=operator, role="operator", programme=None)
        operator.refresh_from_db()
        browser = signed_in(operator)
        at = now() - timedelta(days=1)
        sent = {
            "title": "Videos are slow", "words": "", "part": "video", "severity": "slow",
            "started_at_0": f"{at:%Y-%m-%d}", "started_at_1": "00:00", "ended_at_0": "", "ended_at_1": "",
        }  # fmt: skip
        assert health() == GOOD
        with django_capture_on_commit_callbacks(execute=True):
            assert browser.post("/admin/operations/incident/add/", sent).status_code == 302
        incident = Incident.objects.get()
        assert health() == GOOD | {"video": "slow"}
        with django_capture_on_commit_callbacks(execute=True):
            done = {"action": "end_now", "_selected_action": [incident.pk]}
            assert browser.post("/admin/operations/incident/", done).status_code == 302
        incident.refresh_from_db()
        assert incident.ended_at is not None
        assert health() == GOOD
        assert "manage.py checkup" in browser.get("/admin/operations/incident/").content.decode()
