"""The table of limits in docs/deploying.md says what the code and the configurations say."""

import inspect
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps as django_apps
from django.conf import settings
from django.db import connection

from core import hashing, valkey
from deploy.cluster import boss
from lms import health
from tests.faults.world import ROOT
from webinars import consumers
from webinars.realtime import doorbell
from webinars.realtime.committer import GroupCommitter

NGINX = (ROOT / "deploy/cluster/nginx.conf").read_text() + (ROOT / "deploy/cluster/proxy_params").read_text()
CACHE: dict[str, Any] = settings.CACHES["default"]
POOLER = (ROOT / "deploy/docker/pooler/limits.ini").read_text()
ROWS = {
    cells[0].strip(): " | ".join(cells[1:])
    for line in (ROOT / "docs/deploying.md").read_text().partition("## Limits on every hop")[2].splitlines()
    if (cells := line.strip("|").split("|"))[0].strip() and len(cells) == 4
}


def nginx(name: str) -> str:
    """One value for all of nginx, or the test has to say which."""
    (value,) = set(re.findall(rf"\b{name} ([^;]+);", NGINX))
    return str(value)


def pooler(name: str) -> str:
    (value,) = re.findall(rf"^{name} = (.*)$", POOLER, re.MULTILINE)
    return str(value)


def default(function: object, name: str) -> object:
    return inspect.signature(function).parameters[name].default  # type: ignore[arg-type]


def gunicorn() -> dict[str, object]:
    return runpy.run_path(str(ROOT / "deploy/gunicorn_web.py"))


@pytest.mark.parametrize(
    ("hop", "words"),
    [
        ("caller → nginx", f"{nginx('keepalive_timeout').removesuffix('s')} s idle"),
        ("caller → nginx", f"{nginx('client_max_body_size').removesuffix('m')} MB"),
        ("nginx → web", f"connect {nginx('proxy_connect_timeout').removesuffix('s')} s, answer 60 s"),
        ("nginx → web", f"one other replica, {nginx('proxy_next_upstream_timeout').removesuffix('s')} s in all"),
        ("nginx → realtime", "silence 90 s"),
        ("nginx → realtime", f"503, Retry-After {consumers.FULL_SECONDS}"),
        ("web: a request", f"{gunicorn()['timeout']} s"),
        ("web: SIGTERM", f"then {gunicorn()['graceful_timeout']} s"),
        ("web: password hash", f"{hashing.WAIT_SECONDS:g} s in line"),
        ("web: password hash", f"Retry-After {hashing.HashPoolBusyError.retry_after_seconds}"),
        ("realtime: commit", f"{default(GroupCommitter, 'max_wait')} s collecting"),
        ("realtime: commit", f"{default(GroupCommitter, 'max_batch'):,} beats a commit"),
        ("realtime: commit", f"{default(GroupCommitter, 'max_queue'):,} waiting"),
        ("realtime: commit", "after {:g} … {:g} s".format(*default(GroupCommitter, "pauses"))),  # type: ignore[misc]
        ("process → its pool", f"{settings.DATABASES['default']['OPTIONS']['pool']['timeout']} s"),
        ("pool → PgBouncer → PostgreSQL", f"{pooler('query_wait_timeout')} s in line"),
        ("pool → PgBouncer → PostgreSQL", f"connect {pooler('server_connect_timeout')} s"),
        ("pool → PgBouncer → PostgreSQL", f"{int(pooler('max_client_conn')):,} in, {boss.POOL} out"),
        ("pool → PgBouncer → PostgreSQL", f"again after {pooler('server_login_retry')} s"),
        ("web → Redis (cache)", f"{CACHE['OPTIONS']['SOCKET_TIMEOUT']} s"),
        (
            "web → Redis (line, what is made once)",
            f"{valkey.PATIENCE_SECONDS} s, then {valkey.SILENT_SECONDS:g} s without",
        ),
        ("realtime → Redis (doorbell)", f"{doorbell.PATIENCE_SECONDS} s, then {doorbell.SILENT_SECONDS:g} s without"),
        ("process → broker", f"connect {settings.CELERY_BROKER_TRANSPORT_OPTIONS['socket_connect_timeout']} s"),
        ("process → broker", f"answer {settings.CELERY_BROKER_TRANSPORT_OPTIONS['socket_timeout']} s"),
        ("`/readyz`", f"{health.SECONDS} s a step"),
    ],
)
def test_the_table_says_what_the_code_says(hop: str, words: str) -> None:
    assert words in ROWS[hop]


def test_nginx_waits_for_the_tiers_as_the_table_says() -> None:
    assert sorted(re.findall(r"proxy_read_timeout (\w+);", NGINX)) == ["60s", "90s"]
    assert nginx("proxy_next_upstream_tries") == "2"
    assert nginx("proxy_next_upstream") == "error timeout", "non_idempotent would send a POST twice"


def test_nothing_of_a_session_outlives_a_transaction() -> None:
    """What PgBouncer's transaction pooling needs; the locks are looked for in the sources."""
    assert connection.get_connection_params()["prepare_threshold"] is None
    apps = [config.path for config in django_apps.get_app_configs() if Path(config.path).parent == ROOT]
    text = "\n".join(path.read_text() for app in apps for path in Path(app).rglob("*.py"))
    assert set(re.findall(r"pg_(?:try_)?advisory_\w*lock\w*", text)) <= {
        "pg_advisory_xact_lock",
        "pg_advisory_xact_lock_shared",
        "pg_try_advisory_xact_lock",
    }
    assert (
        re.findall(
            r"\b(?:LISTEN \w+|SET (?!LOCAL|CONSTRAINTS)[a-z_.]+ ?(?:=|TO)|PREPARE \w+ AS|TEMP(?:ORARY)? TABLE)\b", text
        )
        == []
    )
