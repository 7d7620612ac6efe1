"""The image, compose.yaml and its nginx: linted, right by their schemas, and with what the product needs."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from celery import current_app
from django.conf import settings

from deploy.docker import healthcheck
from tests.deploy.product import DEPLOY, ROOT, differences, processes
from tests.deploy.test_workflows import schema_problems
from tests.our_apps import APPS

BIN = Path(sys.executable).parent
DOCKER = DEPLOY / "docker"
# What .env holds (docs/deploying.md).
GIVEN = {
    "SECRET_KEY": "kX9-aB7_" * 8, "SITE_HOST": "learn.example.org", "POSTGRES_PASSWORD": "abc",
    "VALKEY_PASSWORD": "abc",
    "EMAIL_HOST": "mail.example.org", "DEFAULT_FROM_EMAIL": "no-reply@example.org", "TLS_DIR": "/etc/ssl/rounds",
}  # fmt: skip


def lint(path: Path) -> str:
    done = subprocess.run([BIN / "hadolint", path], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode else ""


def interpolated(value: Any) -> Any:
    """As compose does it, after parsing: ${NAME}, ${NAME:-default}, ${NAME:?what is missing}."""

    def replaced(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if kind == ":?" and name not in GIVEN:
            raise KeyError(name)
        return GIVEN.get(name, rest if kind == ":-" else "")

    if isinstance(value, dict):
        return {name: interpolated(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [interpolated(entry) for entry in value]
    return re.sub(r"\$\{([A-Z_]+)(?:(:[-?])([^}]*))?\}", replaced, value) if isinstance(value, str) else value


def compose_problems(text: str) -> list[str]:
    services = interpolated(yaml.safe_load(text))["services"]
    expected = processes() | {"migrate", "operations", "postgres", "pooler", "valkey", "nginx"}
    found = [f"services differ: {name}" for name in sorted(expected ^ set(services))]
    for name in sorted(processes() & set(services)):
        service = services[name]
        bare = service.get("read_only") and service.get("cap_drop") == ["ALL"] and service.get("user") == "10001:10001"
        if not bare:
            found.append(f"{name} has more rights than it needs")
        if service["command"][0] != name or service["healthcheck"]["test"][-1] != name:
            found.append(f"{name} runs or checks something else")
        if service["depends_on"]["migrate"]["condition"] != "service_completed_successfully":
            found.append(f"{name} starts before the migrations")
        found += [f"{name}: {difference}" for difference in differences_once(service["environment"])]
        if urlsplit(service["environment"]["DATABASE_URL"]).hostname != "pooler":
            found.append(f"{name} goes past PgBouncer")
    for name in ("postgres", "valkey", "pooler"):
        service = services[name]
        if service["networks"] != ["inside"] or "ports" in service:
            found.append(f"{name} can be reached from outside")
        bare = service.get("read_only") and service.get("cap_drop") == ["ALL"]
        if not bare or service["user"].startswith("0") or service.get("security_opt") != ["no-new-privileges:true"]:
            found.append(f"{name} has more rights than it needs")
    for name in ("migrate", "operations"):
        environment = services[name]["environment"]
        direct = urlsplit(environment["DATABASE_URL"]).hostname == "postgres"
        if not direct or environment["DATABASE_TRANSACTION_POOLER"] != "false":
            found.append(f"{name} goes by PgBouncer")
        found += [f"{name}: {difference}" for difference in differences_once(environment)]
    return [*found, *around(services)]


def around(services: dict[str, Any]) -> Iterator[str]:
    start = (DOCKER / "pooler" / "start").read_text()
    if unknown := [name for name in services["pooler"]["environment"] if not re.search(rf"\b{name}\b", start)]:
        yield f"pooler: unknown: {unknown}"
    most = int(re.findall(r"max_connections=(\d+)", " ".join(services["postgres"]["command"]))[0])
    if int(services["pooler"]["environment"]["POOLER_CONNECTIONS"]) > most - 50:
        yield "PgBouncer opens more connections than PostgreSQL has"
    command = services["nginx"]["healthcheck"]["test"]
    port = urlsplit(command[-1]).port
    if command[1] != "curl" or f"listen {port} ssl" not in (DOCKER / "nginx.conf").read_text():
        yield "nobody asks nginx"


_CHECKED: dict[frozenset[tuple[str, str]], list[str]] = {}


def differences_once(environment: dict[str, str]) -> list[str]:
    """Most services have the same one, and asking the settings takes a second."""
    key = frozenset(environment.items())
    if key not in _CHECKED:
        _CHECKED[key] = differences(environment)
    return _CHECKED[key]


def test_the_dockerfile_is_sound() -> None:
    assert lint(DOCKER / "Dockerfile") == ""
    last = (DOCKER / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    for line in ("USER 10001:10001", "HEALTHCHECK ", "VOLUME ", "ENTRYPOINT "):
        assert line in last


def test_the_linter_finds_a_planted_mistake(tmp_path: Path) -> None:
    spoiled = tmp_path / "Dockerfile"
    text = (DOCKER / "Dockerfile").read_text()
    text = text.replace("WORKDIR /srv/rounds\nCOPY . .", "WORKDIR srv\nADD . .")
    spoiled.write_text(text.replace("USER 10001:10001", "USER root"))

    assert set(re.findall(r"DL\d+", lint(spoiled))) >= {"DL3000", "DL3002", "DL3020"}


def test_what_the_image_copies_exists_and_no_secret_is_among_it() -> None:
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert [name for name in kept if not (ROOT / name).exists() and name != "locale"] == []
    assert not {"var", ".git", ".venv", "tests", "compose.yaml", ".env", "messages.env"} & set(kept)
    assert set(APPS) <= set(kept)  # an app that stays outside is missed at the first start only


def test_every_process_can_be_started() -> None:
    started = set(re.findall(r"^    ([a-z]+)\) ", (DOCKER / "start").read_text(), re.MULTILINE))

    assert started == processes() | {"manage"}
    assert subprocess.run(["/bin/sh", "-n", DOCKER / "start"], check=False).returncode == 0
    nonsense = subprocess.run(["/bin/sh", DOCKER / "start", "nonsense"], check=False, capture_output=True, text=True)
    assert nonsense.returncode == 64
    assert "nonsense is none of" in nonsense.stderr


def test_compose_is_sound() -> None:
    assert schema_problems("compose-spec", ROOT / "compose.yaml") == ""
    assert compose_problems((ROOT / "compose.yaml").read_text()) == []


def test_planted_mistakes_in_compose_are_found(tmp_path: Path) -> None:
    text = (ROOT / "compose.yaml").read_text()
    spoiled = tmp_path / "compose.yaml"
    spoiled.write_text(text.replace("stop_grace_period: 60s", "stop_grace: 60s"))

    assert "stop_grace" in schema_problems("compose-spec", spoiled)
    mistakes = (
        ("command: [beat]", "command: [worker]", "beat runs or checks something else"),
        ("cap_drop: [ALL]", "cap_drop: []", "web has more rights"),
        ("    networks: [inside]\n", "    networks: [inside, outside]\n", "postgres can be reached"),
        ('user: "999:999" # valkey', 'user: "0:0"', "valkey has more rights"),
        ("@pooler:6432/rounds?sslmode=require", "@postgres:5432/rounds", "web goes past PgBouncer"),
        ('      DATABASE_TRANSACTION_POOLER: "false"\n', "", "migrate goes by PgBouncer"),
        ("max_connections=100", "max_connections=60", "PgBouncer opens more"),
        ("PGSSLMODE: ", "PGSSL: ", "pooler: unknown: ['PGSSL']"),
        ("https://127.0.0.1:8443/", "https://127.0.0.1:443/", "nobody asks nginx"),
        ("condition: service_completed_successfully", "condition: service_started", "web starts before the migrations"),
        ("    MEDIA_GRANTS: nginx", "    MEDIA_GRANT: nginx", "web: unknown: MEDIA_GRANT"),
        ("    SITE_URL: https://", "    SITE_URL: http://", "web: refused: "),
    )
    for old, new, _wanted in mistakes:
        assert old in text
        text = text.replace(old, new)
    found = compose_problems(text)
    assert [wanted for *_, wanted in mistakes if not any(one.startswith(wanted) for one in found)] == []


def nginx_answer(folder: Path, text: str) -> str:
    """`nginx -t` on this machine: names that only compose knows and its paths are replaced."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x"]
    if not (folder / "privkey.pem").exists():
        files = ["-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"]
        subprocess.run([*command, *files], check=True, capture_output=True)
    shutil.copy(DEPLOY / "nginx" / "proxy_params_rounds", folder)
    for old, new in (
        ("/tmp/", f"{folder}/"), ("/etc/ssl/rounds/", f"{folder}/"), ("web:8001", "127.0.0.1:1"),
        ("realtime:8002", "127.0.0.1:2"), ("/dev/stderr", f"{folder}/error.log"),
        ("/dev/stdout", f"{folder}/access.log"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    done = subprocess.run(
        [program, "-t", "-q", "-c", folder / "nginx.conf"], capture_output=True, text=True, check=False, timeout=30
    )
    return done.stderr if done.returncode else ""


def test_the_nginx_of_compose_is_sound_and_a_mistake_is_found(tmp_path: Path) -> None:
    text = (DOCKER / "nginx.conf").read_text()

    assert nginx_answer(tmp_path, text) == ""
    assert "unknown directive" in nginx_answer(tmp_path, text.replace("proxy_buffering off;", "proxy_bufering off;"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("/opt/venv/bin/python /opt/venv/bin/gunicorn -c deploy/gunicorn_web.py lms.wsgi", "web"),
        ("python deploy/realtime.py", "realtime"),
        ("/opt/venv/bin/python /opt/venv/bin/celery -A lms.celery worker -Q long", "worker"),
        ("/opt/venv/bin/python /opt/venv/bin/celery -A lms.celery beat", "beat"),
        ("python manage.py ingest", "ingest"),
        ("python manage.py migrate", ""),
    ],
)
def test_the_health_check_knows_what_runs(line: str, name: str) -> None:
    assert healthcheck.runs_as(line) == name


def test_a_worker_is_not_restarted_for_a_broker_that_is_away_or_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes calls, and never answers
        frozen = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        assert healthcheck.consumes(frozen)
    assert healthcheck.consumes(frozen), "nobody listens there any more"


def test_a_worker_that_does_not_answer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "SECONDS", 1)
    assert not healthcheck.consumes(settings.REDIS_URL)
    assert current_app.main == "lms", "what it asks with must not become whose tasks are rung"


def test_the_health_check_sees_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("RTMP_PORT", str(port))
        assert healthcheck.main(["ingest"]) == 0
    monkeypatch.setenv("WEB_BIND", f"0.0.0.0:{port}")

    assert healthcheck.main(["ingest"]) == 1
    assert healthcheck.main(["web"]) == 1
    assert healthcheck.main(["manage"]) == 0
