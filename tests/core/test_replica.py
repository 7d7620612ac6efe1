"""Heavy reads go to the replica where there is one, and to the database itself while it does not answer."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import InternalError, OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models import User
from core import replica
from core.replica import REPLICA, reading
from lms.databases import database
from lms.environment import Environment
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _mended() -> Iterator[None]:
    replica._breaker.open_until = float("-inf")
    yield
    replica._breaker.open_until = float("-inf")


def second_connection(**other: object) -> Iterator[BaseDatabaseWrapper]:
    """To the same server, as the settings would make it: a following server only adds its delay."""
    default = settings.DATABASES["default"]
    options = {"options": "-c default_transaction_read_only=on"}
    connections.settings[REPLICA] = {**connections.settings["default"], "OPTIONS": {**options}} | {
        "HOST": default["HOST"] or default["OPTIONS"].get("host", ""),
        "NAME": connection.settings_dict["NAME"],
        **other,
    }
    wrapper = connections[REPLICA]

    def ensure_connection() -> None:
        """As Django has it; test cases refuse the connections that they do not empty, and this one is the same."""
        if wrapper.connection is None:
            with wrapper.wrap_database_errors:
                wrapper.connect()

    wrapper.ensure_connection = ensure_connection  # type: ignore[method-assign]
    yield wrapper
    wrapper.close()
    del connections[REPLICA]
    del connections.settings[REPLICA]


@pytest.fixture
def following() -> Iterator[BaseDatabaseWrapper]:
    yield from second_connection()


@pytest.fixture
def absent() -> Iterator[BaseDatabaseWrapper]:
    yield from second_connection(HOST="127.0.0.1", PORT="1")


def backend(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_without_one_the_database_itself_is_read() -> None:
    assert reading() == "default"


def test_with_one_it_is_another_connection_that_reads_the_same(following: BaseDatabaseWrapper) -> None:
    person = UserFactory.create()

    assert reading() == REPLICA
    assert backend(reading()) != backend("default")
    assert list(User.objects.using(reading())) == [person]


def test_nothing_can_be_written_there(following: BaseDatabaseWrapper) -> None:
    with pytest.raises(InternalError, match="read-only transaction"):
        User.objects.using(reading()).update(last_name="X")


def test_while_it_does_not_answer_the_database_is_read_without_asking_each_time(
    absent: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory.create()
    assert reading() == "default"

    assert replica._breaker.open_until > 0
    assert User.objects.using(reading()).count() == 1
    connections.settings[REPLICA]["PORT"] = "2"  # who asked now would see another error
    assert reading() == "default"


def test_it_is_asked_again_after_a_while(following: BaseDatabaseWrapper) -> None:
    replica._breaker.open_until = float("inf")
    assert reading() == "default"
    replica._breaker.open_until = 0.0
    assert reading() == REPLICA


def test_only_one_tries_whether_it_is_back(absent: BaseDatabaseWrapper) -> None:
    replica._breaker.open_until = 0.0
    with replica._breaker.asking:  # another thread
        assert reading() == "default"
        assert replica._breaker.open_until == 0.0
    assert reading() == "default"
    assert replica._breaker.open_until > 0.0


def cut_off(wrapper: BaseDatabaseWrapper) -> None:
    """As when its server goes: nobody tells the connection."""
    wrapper.ensure_connection()
    pid = wrapper.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_what_it_fails_to_answer_the_database_is_asked(following: BaseDatabaseWrapper) -> None:
    person = UserFactory.create()
    cut_off(following)
    alias = reading()
    assert alias == REPLICA

    assert list(User.objects.using(alias).filter(pk=person.pk)) == [person]
    assert replica._breaker.open_until > 0
    assert reading() == "default"
    replica._breaker.open_until = 0.0
    assert reading() == REPLICA
    assert backend(REPLICA) != backend("default")


def test_so_it_is_row_by_row(following: BaseDatabaseWrapper) -> None:
    person = UserFactory.create()
    cut_off(following)
    assert list(User.objects.using(reading()).iterator(chunk_size=1)) == [person]


def test_within_a_transaction_it_fails_and_is_left_alone_from_then_on(following: BaseDatabaseWrapper) -> None:
    def count_after_it_went() -> None:
        with transaction.atomic(using=REPLICA):
            cut_off(following)
            User.objects.using(REPLICA).count()

    with pytest.raises(OperationalError):
        count_after_it_went()
    assert reading() == "default"


STOPPED_THERE = """
DO $$ BEGIN
    IF current_setting('default_transaction_read_only') = 'on' THEN RAISE 'stopped' USING ERRCODE = '%s'; END IF;
END $$
"""


def test_a_statement_that_is_stopped_there_runs_here_and_the_next_one_there(following: BaseDatabaseWrapper) -> None:
    with connections[reading()].cursor() as cursor:
        cursor.execute(STOPPED_THERE % "40001")  # a conflict with recovery
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] == backend("default")
    assert reading() == REPLICA
    assert backend(REPLICA) != backend("default")


def test_a_statement_that_takes_too_long_is_not_tried_again(following: BaseDatabaseWrapper) -> None:
    with connections[reading()].cursor() as cursor, pytest.raises(OperationalError, match="stopped"):
        cursor.execute(STOPPED_THERE % "57014")
    assert reading() == REPLICA


def test_a_connection_that_died_in_the_pool_is_not_handed_out(following: BaseDatabaseWrapper) -> None:
    made = database("postgresql://x@/x", env=Environment({}), is_copy=True)
    following.settings_dict["CONN_HEALTH_CHECKS"] = made["CONN_HEALTH_CHECKS"]
    following.settings_dict["OPTIONS"] = {**following.settings_dict["OPTIONS"], "pool": made["OPTIONS"]["pool"]}
    try:
        cut_off(following)
        following.connection._pool.putconn(following.connection)
        following.connection = None
        assert reading() == REPLICA
        assert following.is_usable()
    finally:
        following.close()
        following.close_pool()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://reader:secret@copy.example:5433/lms?sslmode=require",
            "copy.example 5433 require read_only=on 2 s checked",
        ),
        ("", "none"),
    ],
)
def test_the_settings_make_it_from_its_variable(url: str, said: str) -> None:
    code = (
        "from lms import settings as s; d = s.DATABASES.get('replica');"
        "o = d and d['OPTIONS'];"
        "print(f\"{d['HOST']} {d['PORT']} {o['sslmode']} {o['options'].split('_')[-2]}_{o['options'].split('_')[-1]}"
        " {o['pool']['timeout']} s {'checked' if d['CONN_HEALTH_CHECKS'] else ''}\""
        " if d else 'none')"
    )
    environment = {**os.environ, "DATABASE_REPLICA_URL": url}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=Path(settings.BASE_DIR),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == said
