"""Backup and restore with the real programs, into real databases of this run's server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now
from moto.server import ThreadedMotoServer
from psycopg import sql

from core.processes import wait_until
from operations.domain.backups import restoring, space
from operations.domain.backups.contents import acknowledged_tables
from operations.domain.backups.errors import BackupError
from operations.domain.backups.making import LOCK, make_backup
from operations.domain.backups.manifest import Manifest, read_manifest, sha256_of
from operations.domain.backups.programs import find_program, parameters_of_site
from operations.domain.backups.restoring import try_backup
from operations.domain.backups.stores import DUMP, MANIFEST, Folder, store_at
from operations.domain.checkup import site
from operations.domain.checkup.report import Verdict
from tests.factories.accounts import UserFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from webinars.models import Question, QuestionVote, WatchRecord

# Another worker of the run may be at these tests as well, on the same server.
RESTORED = f"drill_restored_{os.environ.get('PYTEST_XDIST_WORKER', '')}"


def ask(database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(**(parameters_of_site() | {"dbname": database}), autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def databases() -> set[str]:
    """Of this process: its own, what is made of a backup of it or beside it, and what is restored."""
    own = (parameters_of_site()["dbname"], RESTORED)
    return {name for (name,) in ask("postgres", "SELECT datname FROM pg_database") if name.startswith(own)}


def visitors(database: str) -> int:
    """A connection that was closed is there for a moment longer."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    return int(ask("postgres", f"{query} AND datname = '{database}'")[0][0])


@pytest.fixture
def target() -> Iterator[str]:
    """The address of a database that is not there yet."""
    yield _url(RESTORED)
    with psycopg.connect(**(parameters_of_site() | {"dbname": "postgres"}), autocommit=True) as connection:
        for name in databases():
            if name.startswith(RESTORED):
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _url(database: str) -> str:
    given = parameters_of_site()
    return f"postgresql://{given['user']}@/{database}?host={given['host']}"


@pytest.fixture(scope="module")
def made(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    directory = tmp_path_factory.mktemp("made")
    manifest = make_backup(source=parameters_of_site(), store=Folder(directory), keep=3, now=now())
    return directory, manifest


@pytest.fixture
def backup(made: tuple[Path, Manifest], tmp_path: Path) -> tuple[Path, Manifest]:
    """A copy that a test may spoil; the dump is its path."""
    directory, manifest = made
    for ending in (DUMP, MANIFEST):
        (tmp_path / f"{manifest.name}{ending}").write_bytes((directory / f"{manifest.name}{ending}").read_bytes())
    return tmp_path / f"{manifest.name}{DUMP}", manifest


def restore(dump: Path, into: str, *more: str) -> str:
    out = StringIO()
    call_command("restore", str(dump), f"--into={into}", *more, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_drill_what_was_acknowledged_comes_back_from_another_database(tmp_path: Path, target: str) -> None:
    webinar = WebinarFactory()
    records = [WatchRecordFactory(webinar=webinar, coverage=((0, 600), (700, 1450))) for _ in range(3)]
    question = Question.objects.create(webinar=webinar, author=records[0].user, text="Dose – naïve? 💊", asked_at=now())
    QuestionVote.objects.create(question=question, user=records[1].user, at=now())
    call_command("backup", f"--to={tmp_path}", stdout=StringIO())
    WatchRecord.objects.filter(pk=records[0].pk).update(seen_seconds=1, coverage=((0, 1),))  # after the backup

    out = StringIO()
    call_command("restore", "latest", f"--from={tmp_path}", f"--into={target}", stdout=out)

    [dump] = tmp_path.glob("*.dump")
    manifest = read_manifest(dump.with_suffix(MANIFEST).read_text())
    assert manifest.rows["webinars_watchrecord"] == 3
    assert set(manifest.checksums) == set(acknowledged_tables())
    assert f"videos/{webinar.video.key}/" in json.dumps(manifest.media)
    rows = ask(RESTORED, "SELECT coverage::text FROM webinars_watchrecord ORDER BY id")
    assert rows == [("{[0,600),[700,1450)}",)] * 3
    assert ask(RESTORED, "SELECT text FROM webinars_question") == [("Dose – naïve? 💊",)]
    assert ask(RESTORED, "SELECT user_id FROM webinars_questionvote") == [(records[1].user_id,)]
    assert "compared one by one" in out.getvalue()
    assert dump.stat().st_mode & 0o077 == 0
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".partial"]


class TestSpoiledFiles:
    """Each gives a sentence, and nothing is left behind: no database, not a half one either."""

    @pytest.fixture(autouse=True)
    def _nothing_left(self, made: tuple[Path, Manifest]) -> Iterator[None]:
        before = databases()
        yield
        assert databases() == before

    def test_a_truncated_dump(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, _ = backup
        os.truncate(dump, dump.stat().st_size // 2)

        with pytest.raises(CommandError, match="cut off"):
            restore(dump, target)

    def test_a_changed_dump(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, _ = backup
        content = bytearray(dump.read_bytes())
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)

        with pytest.raises(CommandError, match="SHA-256"):
            restore(dump, target)

    def test_a_changed_dump_whose_manifest_was_changed_along(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, manifest = backup
        dump.write_bytes(dump.read_bytes() + b"x")
        sheet = dump.with_suffix(MANIFEST)
        values = json.loads(sheet.read_text()) | {"bytes": manifest.bytes + 1, "sha256": sha256_of(dump)}
        sheet.write_text(json.dumps(values))

        with pytest.raises(CommandError, match="signature"):
            restore(dump, target)

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": "x"}', "\x00\x01", '{"name": '])
    def test_a_manifest_of_something_else(self, backup: tuple[Path, Manifest], target: str, text: str) -> None:
        dump, _ = backup
        dump.with_suffix(MANIFEST).write_text(text)

        with pytest.raises(CommandError, match="manifest"):
            restore(dump, target)

    def test_a_dump_without_its_manifest(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, _ = backup
        dump.with_suffix(MANIFEST).unlink()

        with pytest.raises(CommandError, match="no readable manifest"):
            restore(dump, target)

    def test_a_file_that_is_no_dump(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, manifest = backup
        dump.write_bytes(b"-- SQL, perhaps\n" * 100)
        dump.with_suffix(MANIFEST).write_text(
            replace(manifest, bytes=dump.stat().st_size, sha256=sha256_of(dump)).to_text()
        )

        with pytest.raises(CommandError, match="no dump of PostgreSQL"):
            restore(dump, target)

    def test_a_backup_of_another_product(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, manifest = backup
        foreign = replace(manifest, migrations=["shop.0001_initial", "auth.0001_initial"])
        dump.with_suffix(MANIFEST).write_text(foreign.to_text())

        with pytest.raises(CommandError, match=r"another product: shop\.0001_initial"):
            restore(dump, target)

    def test_a_backup_of_a_newer_release(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, manifest = backup
        newer = replace(manifest, migrations=[*manifest.migrations, "webinars.9999_later"])
        dump.with_suffix(MANIFEST).write_text(newer.to_text())

        with pytest.raises(CommandError, match=r"newer release \(webinars\.9999_later\)"):
            restore(dump, target)

    def test_a_backup_that_ran_step_by_step_what_is_squashed_today_lacks_no_migration(
        self, backup: tuple[Path, Manifest]
    ) -> None:
        steps = [name for name in backup[1].migrations if "_squashed_" not in name]
        assert restoring._missing_migrations(replace(backup[1], migrations=steps)) == []
        older = [name for name in steps if name != "webinars.0013_find_sessions_by_start"]
        assert restoring._missing_migrations(replace(backup[1], migrations=older)) == [
            "webinars.0013_find_sessions_by_start"
        ]

    def test_rows_that_are_not_those_of_the_manifest(self, backup: tuple[Path, Manifest], target: str) -> None:
        dump, manifest = backup
        rows = manifest.rows | {"webinars_watchrecord": manifest.rows["webinars_watchrecord"] + 1}
        sums = manifest.checksums | {"webinars_question": "1"}
        dump.with_suffix(MANIFEST).write_text(replace(manifest, rows=rows, checksums=sums).to_text())

        with pytest.raises(CommandError, match=r"webinars_watchrecord: 1 rows in the backup, 0 rows") as error:
            restore(dump, target)
        assert "webinars_question: rows differ" in str(error.value)


def test_a_database_that_is_not_empty_is_refused_and_set_aside_on_request(
    backup: tuple[Path, Manifest], target: str
) -> None:
    dump, _ = backup
    with psycopg.connect(**(parameters_of_site() | {"dbname": "postgres"}), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(RESTORED)))
    with psycopg.connect(target, autocommit=True) as visitor:
        visitor.execute("CREATE TABLE precious AS SELECT 42 AS answer")
        with pytest.raises(CommandError, match="not empty"):
            restore(dump, target)
        assert wait_until(lambda: visitors(RESTORED) == 1, seconds=60)
        with pytest.raises(CommandError, match="1 connections"):
            restore(dump, target, "--replace")
        assert visitor.execute("SELECT answer FROM precious").fetchall() == [(42,)]

    assert wait_until(lambda: visitors(RESTORED) == 0, seconds=60)
    out = restore(dump, target, "--replace")

    [aside] = [name for name in databases() if name.startswith(f"{RESTORED}_before_")]
    assert aside in out
    assert ask(aside, "SELECT answer FROM precious") == [(42,)]
    assert ask(RESTORED, "SELECT to_regclass('precious')::text, to_regclass('accounts_user')::text") == [
        (None, "accounts_user")
    ]


def test_a_key_of_another_site_needs_a_word(backup: tuple[Path, Manifest], settings: Any) -> None:
    dump, manifest = backup
    text = dump.with_suffix(MANIFEST).read_text()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10

    assert read_manifest(text) == manifest  # the old key is still known
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BackupError, match="--unsigned"):
        read_manifest(text)
    assert read_manifest(text, trusted=True) == manifest


def test_the_newest_stay_and_a_failed_backup_removes_nothing(made: tuple[Path, Manifest], tmp_path: Path) -> None:
    _, manifest = made
    store = Folder(tmp_path)
    for day in range(1, 4):
        name = f"rounds-2026110{day}T020000Z"
        (tmp_path / f"{name}{DUMP}").write_bytes(b"x")
        (tmp_path / f"{name}{MANIFEST}").write_text(replace(manifest, name=name).to_text())
    (tmp_path / f"rounds-20261104T020000Z{DUMP}").write_bytes(b"without a manifest this is no backup")

    source = parameters_of_site()
    with pytest.raises(BackupError, match="does not exist"):
        make_backup(source=source | {"dbname": "nowhere"}, store=store, keep=1, now=now())
    assert len(store.names()) == 3
    newest = make_backup(source=source, store=store, keep=2, now=now())

    assert store.names() == ["rounds-20261103T020000Z", newest.name]


def test_a_trial_restore_that_would_fill_the_disk_is_refused_before_it_begins(
    made: tuple[Path, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, manifest = made
    before = databases()
    monkeypatch.setattr(space, "RESERVE", 2**60)

    with pytest.raises(BackupError, match=r"would fill the disk of .*1073741824\.0 GiB must stay free"):
        try_backup(store=Folder(directory), name=manifest.name, beside=parameters_of_site())

    assert databases() == before
    elsewhere = parameters_of_site() | {"host": "db.example.org"}
    assert not space._is_here(elsewhere), "whose disk nobody here can see"


@pytest.fixture
def slow() -> Iterator[None]:
    """A database whose backup takes minutes to restore."""
    with psycopg.connect(**parameters_of_site(), autocommit=True) as connection:
        connection.execute("CREATE TABLE drill_slow AS SELECT 0 AS seconds")
        connection.execute("CREATE MATERIALIZED VIEW drill_slept AS SELECT pg_sleep(seconds)::text FROM drill_slow")
        connection.execute("UPDATE drill_slow SET seconds = 600")
        yield
        connection.execute("DROP MATERIALIZED VIEW drill_slept")
        connection.execute("DROP TABLE drill_slow")


@pytest.mark.usefixtures("django_db_setup", "slow")
def test_a_checkup_that_is_ended_in_the_middle_leaves_no_copy_behind(tmp_path: Path) -> None:
    make_backup(source=parameters_of_site(), store=Folder(tmp_path / "backups"), keep=1, now=now())
    given = {"DATABASE_URL": _url(parameters_of_site()["dbname"]), "BACKUP_URL": str(tmp_path / "backups")}
    code = "import django; django.setup(); from operations.domain.checkup import site; site.PING_SECONDS = 0.1; "
    code += "from django.core.management import call_command; call_command('checkup', '--weekly')"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | given | {"VAR_DIR": str(tmp_path / "var"), "SITE_URL": "http://127.0.0.1:1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        sleeping = "SELECT datname FROM pg_stat_activity WHERE query LIKE 'REFRESH%' AND state = 'active'"
        sleeping += f" AND datname LIKE '{parameters_of_site()['dbname']}%'"
        assert wait_until(lambda: process.poll() is not None or bool(ask("postgres", sleeping)), seconds=90)
        [(copy,)] = ask("postgres", sleeping)
        assert "_restoring_" in copy
        process.terminate()

        assert process.wait(90) == 143
        assert copy not in databases()
    finally:
        process.kill()
        process.wait(90)


def test_what_a_crash_before_the_manifest_left_is_named_and_goes_after_a_day(
    made: tuple[Path, Manifest], tmp_path: Path
) -> None:
    store, at = Folder(tmp_path), now()
    ages = {"rounds-20261104T020000Z": 25, "rounds-20261105T020000Z": 23, "by-hand": 99, "rounds-20261101T020000Z": 99}
    for name, hours in ages.items():
        dump = tmp_path / f"{name}{DUMP}"
        dump.write_bytes(b"x")
        moment = (at - timedelta(hours=hours)).timestamp()
        os.utime(dump, (moment, moment))
    whole = replace(made[1], name="rounds-20261101T020000Z")
    (tmp_path / f"{whole.name}{MANIFEST}").write_text(whole.to_text())
    [line] = [one for one in site.backups(store, now=at) if one.name == "half backup"]
    assert line.verdict is Verdict.WARNING
    assert line.text.startswith("rounds-20261104T020000Z, rounds-20261105T020000Z: ")

    with pytest.raises(BackupError, match="does not exist"):
        make_backup(source=parameters_of_site() | {"dbname": "nowhere"}, store=store, keep=5, now=at)
    assert len(list(tmp_path.glob(f"*{DUMP}"))) == 4
    newest = make_backup(source=parameters_of_site(), store=store, keep=5, now=at)

    left = {path.stem for path in tmp_path.glob(f"*{DUMP}")}
    assert left == {"rounds-20261105T020000Z", "by-hand", whole.name, newest.name}
    assert store.names() == [whole.name, newest.name]


def test_a_second_backup_at_the_same_time_is_refused(made: tuple[Path, Manifest], tmp_path: Path) -> None:
    with psycopg.connect(**parameters_of_site()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        with pytest.raises(BackupError, match="Another backup"):
            make_backup(source=parameters_of_site(), store=Folder(tmp_path), keep=1, now=now())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", ["idle_in_transaction_session_timeout=1", "statement_timeout=1"])
def test_limits_of_the_site_do_not_end_a_backup(django_db_setup: None, tmp_path: Path, limit: str) -> None:
    """In milliseconds; a minute in production, which pg_dump of a large site takes several times."""
    source = parameters_of_site() | {"options": f"-c {limit}"}

    made = make_backup(source=source, store=Folder(tmp_path), keep=1, now=now())

    assert made.rows["django_migrations"] > 0


def test_a_program_older_than_the_server_is_not_taken() -> None:
    with pytest.raises(BackupError, match="postgresql-client-99"):
        find_program("pg_dump", at_least=99)


def test_the_users_of_a_backup_are_the_ones_of_the_site(db: None) -> None:
    """The address that libpq gets is the one that Django uses."""
    UserFactory()

    assert ask(parameters_of_site()["dbname"], "SELECT 1 FROM accounts_user LIMIT 1") == []  # not committed
    assert parameters_of_site()["dbname"].startswith("test_")


def test_a_bucket_is_a_place_as_well(made: tuple[Path, Manifest], tmp_path: Path, settings: Any) -> None:
    """moto on loopback speaks S3's protocol."""
    directory, manifest = made
    settings.VAR_DIR = tmp_path / "var"
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _host, port = server.get_host_and_port()
        settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{port}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", "testing")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
            store = store_at("s3://backups/rounds/daily")
            with pytest.raises(BackupError, match="NoSuchBucket"):
                store.names()
            boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL, region_name="us-east-1").create_bucket(
                Bucket="backups"
            )
            dump = directory / f"{manifest.name}{DUMP}"
            for name in ("rounds-1", "rounds-2"):
                store.put(name, dump=dump, manifest=replace(manifest, name=name).to_text())
            store.remove("rounds-1")

            assert store.names() == ["rounds-2"]
            store.put("rounds-20261104T020000Z", dump=dump, manifest=manifest.to_text())
            client = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL, region_name="us-east-1")
            client.delete_object(Bucket="backups", Key="rounds/daily/rounds-20261104T020000Z.json")
            assert store.halves(before=now() + timedelta(days=1)) == ["rounds-20261104T020000Z"]
            assert store.halves(before=now() - timedelta(days=1)) == []
            assert read_manifest(store.read_manifest("rounds-2")).sha256 == manifest.sha256
            with store.local_dump("rounds-2") as fetched:
                assert sha256_of(fetched) == manifest.sha256
    finally:
        server.stop()
    assert list((tmp_path / "var").iterdir()) == []
