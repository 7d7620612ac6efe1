"""The image of PgBouncer: its start script, run here before a real PostgreSQL, behind TLS, that wants SCRAM."""

import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import pytest
from django.db import connections

from core.processes import wait_until
from lms.databases import database
from lms.embedded_postgres import Postgres
from lms.embedded_server import plain_environment
from lms.environment import Environment
from tests.deploy.encrypted import encrypted
from tests.deploy.product import DEPLOY
from tests.deploy.test_containers import lint
from tests.ports import free_port

FOLDER = DEPLOY / "docker" / "pooler"
PASSWORD = 'a"b c\\d/with?signs%'
SECONDS = 60.0
Connection = psycopg.Connection[Any]


@dataclass
class Server:
    folder: Path
    port: int  # of TLS
    user: dict[str, Any]  # who PostgreSQL and PgBouncer run as: neither does as root

    @property
    def certificate(self) -> Path:
        return self.folder / "server.crt"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """By TCP nobody gets in but `rounds` with its password, and by TLS."""
    folder = Path(tempfile.mkdtemp(prefix="pooler-", dir="/tmp"))  # nobody can pass through pytest's
    found = Postgres(folder, durable=False, detach=False)
    user: dict[str, Any] = {"user": found.user[0], "group": found.user[1], "extra_groups": []} if found.user else {}
    made, port = Server(folder, 0, user), free_port()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if found.user:
            os.chown(folder, *found.user)
        _initialise(made, found.bin)
        options = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off")
        flags = [part for option in options for part in ("-c", option)]
        with (folder / "log").open("wb") as log:
            command = [str(found.bin / "postgres"), "-D", str(folder / "data"), *flags]
            process = subprocess.Popen(command, cwd="/", env=plain_environment(), stdout=log, stderr=log, **user)
        stack.callback(process.wait, SECONDS)
        stack.callback(process.send_signal, signal.SIGINT)
        ready = lambda: process.poll() is not None or _prepared(folder, port)  # noqa: E731  # one line of waiting
        assert wait_until(ready, seconds=SECONDS), (folder / "log").read_text()
        assert process.poll() is None, (folder / "log").read_text()
        made.port = stack.enter_context(
            encrypted(("127.0.0.1", port), certificate=made.certificate, key=folder / "server.key")
        )
        yield made


def _initialise(server: Server, programs: Path) -> None:
    run = functools.partial(
        subprocess.run, check=True, capture_output=True, cwd="/", env=plain_environment(), **server.user
    )
    data, files = server.folder / "data", ["-keyout", server.folder / "server.key", "-out", server.certificate]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    run([programs / "initdb", "-D", data, "-U", "owner", "-A", "trust", "--no-sync", "-E", "UTF8"])
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, *files])
    (data / "pg_hba.conf").write_text("local all all trust\nhost rounds rounds 127.0.0.1/32 scram-sha-256\n")


def _prepared(folder: Path, port: int) -> bool:
    try:
        with psycopg.connect(host=str(folder), port=port, user="owner", dbname="postgres", autocommit=True) as own:
            own.execute(psycopg.sql.SQL("CREATE ROLE rounds LOGIN PASSWORD {}").format(PASSWORD))
            own.execute("CREATE DATABASE rounds OWNER rounds")
    except psycopg.OperationalError:
        return False
    return True


@dataclass
class Pooler:
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    place: Path  # its /tmp

    def connect(self, **other: Any) -> Connection:
        given: dict[str, Any] = {"host": "127.0.0.1", "port": self.port}
        given |= {"user": "rounds", "dbname": "rounds", "password": PASSWORD}
        given |= {"sslmode": "require", "prepare_threshold": None, "autocommit": True}
        return psycopg.connect(**{**given, **other})

    def healthy(self) -> bool:
        environment = os.environ | {"POOLER_LISTEN": str(self.port)}
        return subprocess.run(["/bin/sh", FOLDER / "healthcheck"], env=environment, check=False).returncode == 0


@contextmanager
def pooler(server: Server, **other: str) -> Iterator[Pooler]:
    """As in the image: nothing in the environment but what a task gets."""
    port, program = free_port(), server.folder / "program"
    shutil.copytree(FOLDER, program, dirs_exist_ok=True)  # where the user that it runs as may read
    place = server.folder / f"tmp-{port}"
    place.mkdir()
    if server.user:
        os.chown(place, server.user["user"], server.user["group"])
    environment = {
        "PATH": f"{os.environ['PATH']}:/usr/sbin", "TMPDIR": str(place), "POOLER_LISTEN": str(port),
        "PGHOST": "localhost", "PGPORT": str(server.port), "PGDATABASE": "rounds", "PGUSER": "rounds",
        "PGPASSWORD": PASSWORD, "PGSSLROOTCERT": str(server.certificate), "POOLER_CONNECTIONS": "1", **other,
    }  # fmt: skip
    log = server.folder / f"pooler-{port}.log"
    with log.open("wb") as output:
        command = ["/bin/sh", str(program / "start")]
        process = subprocess.Popen(command, env=environment, cwd="/", stdout=output, stderr=output, **server.user)
    started = Pooler(process, port, log, place)
    try:
        assert wait_until(lambda: started.healthy() or process.poll() is not None, seconds=SECONDS)
        assert process.poll() is None, log.read_text()
        yield started
    finally:
        for one in [*psutil.Process(process.pid).children(), process] if process.poll() is None else []:
            one.kill()
        process.wait(SECONDS)


def backend(connection: Connection) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def test_callers_share_an_encrypted_connection_and_must_know_the_password(server: Server) -> None:
    with pooler(server) as started:
        with started.connect() as one, started.connect() as other:
            assert backend(one) == backend(other), "one connection for both: by the transaction"
        with pytest.raises(psycopg.OperationalError, match="SASL authentication failed"):
            started.connect(password="made-up")
        with pytest.raises(psycopg.OperationalError, match="SSL required"):
            started.connect(sslmode="disable")
        tree = [psutil.Process(started.process.pid), *psutil.Process(started.process.pid).children(recursive=True)]
        assert [one.name() for one in tree] == ["sh", "pgbouncer"]
        assert not any(PASSWORD in part or "signs" in part for one in tree for part in one.cmdline())
        assert "PGPASSWORD" not in tree[1].environ()
        limits = Path(f"/proc/{tree[1].pid}/limits").read_text()
        assert re.search(r"Max open files +(\w+) +\1 ", limits), "as many files as it may have"
        (file,) = started.place.glob("pooler.*/users")
        assert file.stat().st_mode & 0o077 == file.parent.stat().st_mode & 0o077 == 0
        started.process.terminate()
        assert started.process.wait(SECONDS) == 0
        assert not started.healthy()
        assert "signs" not in started.log.read_text()
        assert not list(started.place.iterdir()), "the password outlives its process"


def test_the_product_asks_through_it(server: Server, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the very options of the address that Terraform gives to the services."""
    (options,) = re.findall(r"address\}/rounds\?(\S+)\"", (DEPLOY / "terraform/environment.tf").read_text())
    with pooler(server) as started, django_db_blocker.unblock():
        url = f"postgresql://rounds:{quote(PASSWORD, safe='')}@127.0.0.1:{started.port}/rounds?{options}"
        monkeypatch.setitem(
            connections.settings, "pooled", connections["default"].settings_dict | database(url, env=Environment())
        )
        product: Any = connections["pooled"]
        try:
            with product.cursor() as cursor:
                cursor.execute("SELECT current_user, %s", ["value"])
                assert cursor.fetchone() == ("rounds", "value")
                assert cursor.connection.pgconn.ssl_in_use
        finally:
            product.close()
            product.close_pool()
            del connections["pooled"]


def test_it_serves_on_until_its_callers_have_gone_elsewhere(server: Server) -> None:
    with pooler(server) as started:
        idle, busy = started.connect(), started.connect(autocommit=False)
        before = backend(busy)
        started.process.terminate()
        idle.close()
        assert backend(busy) == before, "the transaction goes on"
        busy.commit()
        assert backend(busy) == before
        assert started.process.poll() is None
        busy.rollback()
        busy.close()
        assert started.process.wait(SECONDS) == 0


def test_a_caller_that_stays_too_long_ends_its_transaction(server: Server) -> None:
    with pooler(server, POOLER_DRAIN_SECONDS="0") as started:
        idle, busy = started.connect(), started.connect(autocommit=False)
        busy.execute("CREATE TEMPORARY TABLE kept (what text) ON COMMIT DROP")
        started.process.terminate()
        assert wait_until(lambda: "SIGINT" in started.log.read_text(), seconds=SECONDS)
        busy.execute("INSERT INTO kept VALUES ('row')")
        assert busy.execute("SELECT what FROM kept").fetchall() == [("row",)]
        busy.commit()
        assert started.process.wait(SECONDS) == 0
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
        busy.close()


def test_a_server_that_another_authority_signed_gets_no_password(server: Server) -> None:
    others = server.folder / "others.crt"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*command, "-keyout", os.devnull, "-out", others], check=True, capture_output=True)
    others.chmod(0o644)
    with pooler(server, PGSSLROOTCERT=str(others)) as started:
        with pytest.raises(psycopg.OperationalError):
            started.connect(connect_timeout=2)
        assert wait_until(lambda: "certificate verify failed" in started.log.read_text(), seconds=SECONDS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"PGPASSWORD": ""}, "PGPASSWORD"),
        ({"PGHOST": "db\nadmin_users = rounds"}, "signs that a setting may not have"),
        ({"PGPASSWORD": "secret\nline"}, "the password has two lines"),
    ],
)
def test_what_would_spoil_the_settings_is_refused(wrong: Mapping[str, str], said: str, tmp_path: Path) -> None:
    given = {"PGHOST": "db", "PGDATABASE": "d", "PGUSER": "u", "PGPASSWORD": "p", "POOLER_CONNECTIONS": "1", **wrong}
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), **given}
    command = ["/bin/sh", str(FOLDER / "start")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)

    assert done.returncode != 0
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert not list(tmp_path.iterdir())


def image_problems(folder: Path) -> list[str]:
    text = (folder / "Dockerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for name in line.split()]
    wanted = ("USER 10001:10001", "HEALTHCHECK ", 'VOLUME ["/tmp"]', "STOPSIGNAL SIGTERM", "ENTRYPOINT ")
    return [
        *([answer] if (answer := lint(folder / "Dockerfile")) else []),
        *(f"no {line}" for line in wanted if f"\n{line}" not in text),
        *(f"{name} is not there" for name in copied if not (DEPLOY / "docker" / name).exists()),
    ]


def test_the_image_is_sound_and_planted_mistakes_are_found(tmp_path: Path) -> None:
    assert image_problems(FOLDER) == []
    text = (FOLDER / "Dockerfile").read_text()
    spoiled = text.replace("USER 10001:10001", "USER root").replace("pooler/limits.ini", "pooler/limit.ini")
    (tmp_path / "Dockerfile").write_text(spoiled.replace("COPY ca/", "ADD ca/"))

    found = image_problems(tmp_path)

    assert {"no USER 10001:10001", "pooler/limit.ini is not there"} <= set(found)
    assert set(re.findall(r"DL\d+", found[0])) >= {"DL3002", "DL3020"}
