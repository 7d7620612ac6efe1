"""`manage.py xapi`, the variables, the check of a release and the gauges."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils.timezone import now

from analytics.domain.statements.making import make_all
from analytics.models import Statement, StatementFeed
from analytics.tasks import make_all_statements, make_statements, send_statements
from lms.checks import record_store_takes_the_credentials
from lms.environment import Environment
from lms.xapi import xapi
from operations.domain.gauges import read_database
from tests.analytics.statements.store import record_store, settings_for
from tests.analytics.statements.world import LATER, watched
from tests.reminders.transports.servers import closed_port

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: str) -> str:
    out = StringIO()
    call_command("xapi", *words, stdout=out)
    return out.getvalue()


def test_from_nothing_to_sent_and_what_the_store_did_not_want_is_shown_and_tried_again() -> None:
    with record_store() as store:
        watched()
        assert run("make") == "2 new.\n"
        bad = Statement.objects.get(verb="paused")
        store.unwanted = {str(bad.pk)}
        assert run("send") == "1 sent, 1 refused, 0 later.\n"

        out = StringIO()
        with pytest.raises(SystemExit, match="1"):
            call_command("xapi", "status", stdout=out)
        lines = out.getvalue().splitlines()
        assert lines[:6] == [
            "due                  0", "later                0", "in hand              0", "sent                 1",
            "refused              1", "given up             0",
        ]  # fmt: skip
        assert lines[-1].startswith(f"refused: {bad.pk} paused ")
        assert lines[-1].endswith(" HTTP 400: Statement rejected")

        store.unwanted = set()
        with pytest.raises(CommandError, match="--id, or --all"):
            run("retry")
        assert run("retry", "--id", str(bad.pk)) == "1 wait again.\n"
        assert run("send") == "1 sent, 0 refused, 0 later.\n"
        assert "refused              0" in run("status")


def test_a_store_in_trouble_is_named_and_the_exit_says_so() -> None:
    with override_settings(XAPI=settings_for(f"http://127.0.0.1:{closed_port()}/xapi")):
        watched()
        run("make")
        with pytest.raises(CommandError, match="no answer"):
            run("send")
        assert "no answer (ConnectionError)" in run("status")


def test_without_a_store_nothing_is_done() -> None:
    watched()
    assert "Off: XAPI_URL names no store." in run("status")
    with pytest.raises(CommandError, match="XAPI_URL"):
        run("make")
    assert (make_statements(), make_all_statements(), send_statements()) == (0, 0, 0)
    assert record_store_takes_the_credentials() == []


def test_the_tasks_make_and_send() -> None:
    with record_store() as store:
        watched()
        assert make_statements() == 2
        assert make_all_statements() == 0
        assert send_statements() == 2
        assert len(store.taken) == 2
        Statement.objects.filter(verb="paused").update(ended_at=now() - timedelta(days=31))
        assert make_all_statements() == 0
        assert list(Statement.objects.filter(body={}).values_list("verb", flat=True)) == ["paused"]


def test_what_cannot_be_made_is_named_and_the_exit_says_so() -> None:
    with record_store():
        StatementFeed.objects.create(name="lrs", made_through=LATER)
        StatementFeed.objects.create(name="tests", made_through=LATER, problem="TypeError: no points")
        StatementFeed.objects.create(name="watching", problem="KeyError: 'title'")
        out = StringIO()
        with pytest.raises(SystemExit, match="1"):
            call_command("xapi", "status", stdout=out)
        assert out.getvalue().splitlines()[-2:] == [
            f"not made: tests since {LATER:%Y-%m-%d %H:%M} UTC: TypeError: no points",
            "not made: watching: KeyError: 'title'",
        ]


def test_the_check_of_a_release_asks_the_store() -> None:
    with record_store():
        assert record_store_takes_the_credentials() == []
    with record_store(XAPI_SECRET="wrong"):
        (found,) = record_store_takes_the_credentials()
        assert (found.id, found.level) == ("lms.E004", 40)
        assert "XAPI_KEY" in found.msg
    with override_settings(XAPI=settings_for(f"http://127.0.0.1:{closed_port()}/xapi")):
        (found,) = record_store_takes_the_credentials()
        assert (found.id, found.level) == ("lms.W006", 30)


def test_what_is_missing_is_named() -> None:
    env = Environment({"XAPI_URL": "http://lrs.example/xapi", "XAPI_KEY": "k"})
    xapi(env, site_url="https://learn.example", production=True)

    assert env.problems == [
        "XAPI_SECRET is missing: XAPI_URL is set, and a learning record store lets nobody in without it",
        "XAPI_URL must start with https://: credentials go there",
    ]
    off = Environment({})
    assert xapi(off, site_url="https://learn.example", production=True)["XAPI_URL"] == ""
    assert off.problems == []


def test_prometheus_is_told_how_late_and_how_many_are_dead() -> None:
    with override_settings(XAPI=settings_for("https://lrs.example/xapi")):
        watched()
        make_all(now=LATER)
    found = read_database()
    assert (found["lms_statements_oldest_seconds"] > 3_600, found["lms_statements_dead"]) == (True, 0)

    Statement.objects.update(state="refused", ended_at=now() - timedelta(hours=23))
    Statement.objects.filter(verb="paused").update(ended_at=now() - timedelta(hours=25))

    found = read_database()
    assert (found["lms_statements_oldest_seconds"], found["lms_statements_dead"]) == (0, 1)
    StatementFeed.objects.create(name="tests", problem="TypeError: no points")
    assert read_database()["lms_statements_dead"] == 2
