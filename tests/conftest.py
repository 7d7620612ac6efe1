"""One throw-away PostgreSQL and Valkey per pytest run, shared by its xdist workers, gone at its end."""

import fcntl
import gc
import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, settings

from lms.embedded import Embedded, Urls
from tests.migrated import copy_migrated_cluster

PREFIX = "lms-tests-"
MIGRATED = "lms_migrated"
SERVERS = pytest.StashKey[Embedded]()
# How long an example takes says how busy the machine is. What must be fast has a test that measures it.
settings.register_profile("rounds", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rounds")
# Left from the developer's shell these would change what the tests mean.
FOREIGN = re.compile(
    r"^(ALLOWED_HOSTS|AWS_.*|CSRF_.*|DATABASE_.*|DEBUG|DEFAULT_FROM_EMAIL|DEVICE_LIMIT|DJANGO_.*|EMAIL_.*|LANGUAGES|LIVE_.*|MEDIA_.*|REDIS_.*"
    r"|MAILGUN_.*|MESSAGES_.*|META_.*|PUSH_.*|SENDGRID_.*|SES_.*|TWILIO_.*|VAPID_.*|VONAGE_.*|RTMP_.*|SECRET_.*|SECURE_.*|SITE_.*|STATIC_ROOT|TRUSTED_PROXIES|VAR_DIR)$"
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Runs before pytest-django reads the settings, whose database is the one started here.

    Durability is off: a crash of the machine may lose a test run's data. `durable_servers` is for tests of crashes.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:  # The controller's environment came along; only the Valkey database is this worker's own.
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = re.sub(r"/\d+$", f"/{number}", os.environ["REDIS_URL"])
        os.environ["DJANGO_SETTINGS_MODULE"] = "lms.settings"
    else:
        _start_servers(config)
    _configure_django()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A worker that inherits the name reads the settings before `pytest_configure`: with everybody's database."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def _start_servers(config: pytest.Config) -> None:
    for name in [name for name in os.environ if FOREIGN.match(name)]:
        del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # every program that is started would compile the product anew
    _sweep()
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    directory.chmod(0o755)  # the unprivileged user that PostgreSQL runs as must pass
    (directory / "static").mkdir()  # WhiteNoise warns of a missing one
    servers = Embedded(directory, durable=False)
    config.stash[SERVERS] = servers
    is_migrated = copy_migrated_cluster(directory)
    os.environ.update(servers.start().environment())
    if is_migrated:
        with psycopg.connect(os.environ["DATABASE_URL"].replace("/lms?", "/postgres?"), autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "lms" RENAME TO "{MIGRATED}"')
            connection.execute('CREATE DATABASE "lms"')
        (directory / MIGRATED).touch()
    os.environ.update(VAR_DIR=str(directory), DJANGO_SETTINGS_MODULE="lms.settings", DJANGO_ENV="development")


def _configure_django() -> None:
    from django.conf import settings as project

    project.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Argon2 would cost 0.3 s a user


def _sweep() -> None:
    """Directories of runs that were killed; their servers died with them."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(path, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers last: Playwright leaves an event loop running, beside which no asynchronous test can run, no other one
    of it and no query; and those last that keep it for the whole session.

    Before that what takes long: of the tests that a worker begins last, the others wait for the end.
    """
    items.sort(key=lambda item: not item.get_closest_marker("long"))
    items.sort(key=_leaves_a_loop)


def _leaves_a_loop(item: pytest.Item) -> int:
    if item.get_closest_marker("browser") is None:
        return 0
    return 2 if "playwright" in getattr(item, "fixturenames", ()) else 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """What is imported and collected stays to the end: to look through it for garbage, now and again, takes long."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(SERVERS, None)
    if servers:
        servers.stop()
        shutil.rmtree(servers.directory, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _valkey_has_time() -> None:
    """A page waits a quarter of a second for it and goes on without: what it counts must not depend on that here."""
    import core.valkey

    core.valkey.PATIENCE_SECONDS = 30.0


@pytest.fixture
def durable_servers() -> Iterator[Urls]:
    """PostgreSQL with fsync and Valkey with its append-only file, for one test that crashes things."""
    with tempfile.TemporaryDirectory(prefix="lms-durable-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        with Embedded(directory) as urls:
            yield urls


def migrated_template() -> str:
    """A database of the run in which all migrations have run and nothing else; empty while there is none."""
    return MIGRATED if Path(os.environ["VAR_DIR"], MIGRATED).exists() else ""


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[IO[str] | None]:
    """Migrations cost three seconds of a core: of a run's workers the first pays them, and the others wait for it."""
    from django.db import connection

    # In a race a hundred threads stand in line for eight connections: they may wait longer than a page.
    connection.settings_dict["OPTIONS"]["pool"]["timeout"] = 60
    if template := migrated_template():
        connection.settings_dict["TEST"]["TEMPLATE"] = template
        yield None
        return
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield None
        return
    with Path(os.environ["VAR_DIR"], f"{MIGRATED}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if template := migrated_template():
            connection.settings_dict["TEST"]["TEMPLATE"] = template
            fcntl.flock(turn, fcntl.LOCK_UN)
        yield turn


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_modify_db_settings: IO[str] | None, django_db_blocker: Any
) -> None:
    """Tests with real commits empty every table at their end; the audit trail and the ledgers, rightly, refuse that."""
    from django.db import connection

    from tests.claims import refuse_across_joins
    from tests.emptying import empty_instead_of_flush

    if django_db_modify_db_settings and not migrated_template():
        name = str(connection.settings_dict["NAME"])
        if name.startswith("test_"):  # otherwise no test of this worker needs a database
            connection.close()
            connection.close_pool()  # type: ignore[attr-defined]  # nobody may be in what is copied
            with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{MIGRATED}" TEMPLATE "{name}"')
            Path(os.environ["VAR_DIR"], MIGRATED).touch()
        fcntl.flock(django_db_modify_db_settings, fcntl.LOCK_UN)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(  # 32: of TRUNCATE
            "DO $$ DECLARE one record; BEGIN"
            " FOR one IN SELECT tgrelid::regclass AS place, tgname FROM pg_trigger WHERE tgtype & 32 <> 0 LOOP"
            "  EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', one.place, one.tgname);"
            " END LOOP; END $$"
        )
    connection.close()
    empty_instead_of_flush()
    refuse_across_joins()
