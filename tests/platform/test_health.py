"""`/healthz` asks nobody; `/readyz` says which part is missing and nothing more."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client, override_settings

from lms import health

NOWHERE = "redis://:secret@127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def fresh_client() -> Iterator[None]:
    health._redis_client.cache_clear()
    yield
    health._redis_client.cache_clear()


def test_healthz_answers_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert response["Cache-Control"] == "no-store"


@override_settings(ALLOWED_HOSTS=["learn.example.org"], SECURE_SSL_REDIRECT=True)
def test_probes_know_neither_the_host_nor_https(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "10.0.0.7"}).status_code == 200


@pytest.mark.django_db
def test_readyz_names_three_parts(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "postgresql": "ok", "redis": "ok", "migrations": "ok"}


@pytest.mark.django_db
def test_readyz_says_that_redis_is_missing_but_not_where_it_was_sought(client: Client) -> None:
    with override_settings(REDIS_URL=NOWHERE):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "postgresql": "ok", "redis": "failed", "migrations": "ok"}


@pytest.mark.site
@pytest.mark.django_db
def test_readyz_says_in_time_that_postgresql_is_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that takes the connection and never says a word: only the time-out ends the attempt."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", str(silent.getsockname()[1]))
        started = time.monotonic()
        response = client.get("/readyz")
        assert time.monotonic() - started < 2 * health.SECONDS + 1
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "postgresql": "failed", "redis": "ok", "migrations": "unknown"}


@pytest.mark.django_db(transaction=True)
def test_readyz_says_that_a_migration_is_not_applied(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'sessions' AND name = '0001_initial' RETURNING applied"
        )
        (applied,) = cursor.fetchone()
        try:
            response = client.get("/readyz")
        finally:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('sessions', '0001_initial', %s)", [applied]
            )
    assert response.status_code == 503
    assert response.json()["migrations"] == "1 not applied"


@pytest.mark.django_db
def test_many_probes_at_once_share_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty callers wait while the first check is held up by a silent server; two connections serve them all."""
    asked = threading.Barrier(21)

    def probe(_number: int) -> int:
        caller = Client()
        caller.get("/healthz")  # loads what it asks through: all shall ask within the two seconds of the first check
        asked.wait(60)
        return caller.get("/readyz").status_code

    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent, ThreadPoolExecutor(20) as pool:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", str(silent.getsockname()[1]))
        answers = pool.map(probe, range(20))
        asked.wait(60)
        assert set(answers) == {503}
        silent.setblocking(False)
        connections = 0
        while True:
            try:
                silent.accept()[0].close()
            except BlockingIOError:
                break
            connections += 1
    assert 1 <= connections <= 2
