"""Old months in files: the same reports are read before and after, and at every moment each row is in one place."""

import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import hypothesis
import psycopg
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from accounts.domain.erasure import erase
from analytics.domain import partitions
from analytics.domain.cold import files, moving
from analytics.domain.erasure import PART
from analytics.domain.exporting.catalogue import DATASETS
from analytics.domain.exporting.datasets import Row, Source
from analytics.domain.playback import Report
from analytics.domain.presenting.devices import Devices, devices_of
from analytics.domain.rollups.refreshing import refresh_all
from analytics.models import ColdFile, PlaybackReport, PlayerSummary, QualityHour, QualityMinute
from tests.analytics.cold.dying import MOMENTS, move_and_die
from tests.analytics.reports import open_again, reported, tell
from tests.forked import forked
from tests.webinars.watching import NOON, open_player
from webinars.models import PlaySession, Webinar

pytestmark = [pytest.mark.django_db(transaction=True)]
LATER = datetime(2027, 2, 5, tzinfo=UTC)  # December and January stay
PATIENCE_SECONDS = 120.0
NOVEMBER = date(2026, 11, 1)
DECEMBER = datetime(2026, 12, 31, 23, 50, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    storages = {**settings.STORAGES, "media": _storage(tmp_path)}
    with override_settings(STORAGES=storages):
        yield tmp_path
    for model in partitions.PARTITIONED:
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class WHERE relname ~ %s", [f"^{model._meta.db_table}_[0-9]{{6}}$"])
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TABLE "{name}"')


def _storage(place: Path, name: str = "django.core.files.storage.FileSystemStorage") -> dict[str, Any]:
    return {"BACKEND": name, "OPTIONS": {"location": str(place)}}


def world() -> Webinar:
    """Three players in November, one of them with three reports; twenty minutes around the turn to January."""
    session = open_player()
    tell(session, Report(1, play_ms=60_000, start_ms=400, replayed=((0, 30),)), Report(2, play_ms=10_000), country="DE")
    tell(session, Report(3, play_ms=5_000, errors=1), after=900)
    tell(open_again(session), Report(1, play_ms=60_000), after=500)
    tell(open_again(session, started_at=NOON + timedelta(hours=1)), Report(1, play_ms=1_000), after=3_700)
    reported(session.webinar, 20, at=DECEMBER)
    return session.webinar


def exported(webinar: Webinar) -> list[Row]:
    return list(DATASETS["playback"].rows(Source(webinar.lesson.course.programme, webinar)))


def devices_seen(webinar: Webinar) -> Devices:
    return devices_of([webinar.pk])


def everywhere() -> int:
    """Rows of the table and of the files that count."""
    return PlaybackReport.objects.count() + sum(sum(1 for _ in files.rows_of(cold)) for cold in ColdFile.objects.all())


def moved(now: datetime = LATER) -> list[tuple[str, int, str]]:
    return [(f"{one.month:%Y-%m}", one.rows, one.outcome) for one in moving.move(older_than=2, now=now)]


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '^analytics_playbackreport_[0-9]{6}$' ORDER BY 1")
        return [name.removeprefix("analytics_playbackreport_") for (name,) in cursor.fetchall()]


def lying(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_read_is_the_same_before_and_after(folder: Path) -> None:
    webinar = world()
    other = open_player().webinar
    reported(other, 3)
    before, others, devices = exported(webinar), exported(other), devices_seen(webinar)
    assert len(before) == 25
    assert Counter(row[0] for row in before) == {"2026-11": 5, "2026-12": 10, "2027-01": 10}

    assert moved() == [("2026-11", 8, "moved")]

    assert exported(webinar) == before
    assert exported(other) == others
    assert devices_seen(webinar) == devices
    summaries = PlayerSummary.objects.filter(webinar=webinar).order_by("session__started_at", "pk")
    assert sorted((one.month, one.replayed) for one in summaries) == [(NOVEMBER, ())] * 2 + [(NOVEMBER, ((0, 30),))]
    cold = ColdFile.objects.get()
    assert (cold.table, cold.month, cold.rows, cold.moved_at) == ("analytics_playbackreport", NOVEMBER, 8, LATER)
    assert lying(folder) == [cold.key]
    assert PlaybackReport.objects.count() == 20
    assert "202611" not in tables()
    assert moved() == []
    assert moved(LATER + timedelta(days=60)) == [("2026-12", 10, "moved"), ("2027-01", 10, "moved")]
    assert exported(webinar) == before


def test_pages_go_on_over_the_months() -> None:
    webinar = world()
    whole = exported(webinar)
    moved()
    dataset, source = DATASETS["playback"], Source(webinar.lesson.course.programme, webinar)

    found: list[Row] = []
    while page := list(dataset.rows(source, after=dataset.key_of(found[-1]) if found else (), limit=4)):
        found += page

    assert found == whole


def test_a_month_that_is_moved_while_it_is_read_is_read_to_its_end() -> None:
    webinar = world()
    whole = exported(webinar)
    rows = iter(DATASETS["playback"].rows(Source(webinar.lesson.course.programme, webinar)))
    first = next(rows)

    assert moved() == [("2026-11", 5, "moved")]

    assert [first, *rows] == whole


def test_a_webinar_without_a_row_in_a_month_does_not_read_its_file(folder: Path) -> None:
    webinar, other = world(), open_player().webinar
    reported(other, 3, at=DECEMBER)
    others, before = exported(other), exported(webinar)
    assert moved() == [("2026-11", 5, "moved")]
    cold = ColdFile.objects.get()
    assert cold.webinars == [webinar.pk]
    content = (folder / cold.key).read_bytes()
    (folder / cold.key).unlink()

    assert exported(other) == others
    with pytest.raises(files.ColdFileError):
        exported(webinar)
    (folder / cold.key).write_bytes(content)
    ColdFile.objects.update(webinars=None)  # moved before that was written down
    assert (exported(other), exported(webinar)) == (others, before)


def test_figures_stay_when_they_are_made_anew() -> None:
    world()
    refresh_all(now=LATER, whole=True)
    hours, minutes = (list(model.objects.order_by("pk").values()) for model in (QualityHour, QualityMinute))
    assert len(hours) > 3

    moved()
    refresh_all(now=LATER, whole=True)
    refresh_all(now=LATER + timedelta(hours=1))

    assert list(QualityHour.objects.order_by("pk").values()) == hours
    assert list(QualityMinute.objects.order_by("pk").values()) == minutes


def test_of_the_last_week_of_a_player_nothing_is_forgotten_either() -> None:
    """Opened on the last day of November, it tells until a week later: those hours are not made from the rest alone."""
    session = open_player()
    PlaySession.objects.update(started_at=datetime(2026, 11, 30, 23, tzinfo=UTC))
    session.refresh_from_db()
    week_later = (datetime(2026, 12, 7, 22, tzinfo=UTC) - NOON).total_seconds()
    tell(session, Report(1, play_ms=60_000), after=week_later)
    reported(session.webinar, 1, at=datetime(2026, 12, 7, 22, 10, tzinfo=UTC), play_ms=7_000)
    refresh_all(now=LATER, whole=True)
    assert sum(QualityHour.objects.values_list("play_ms", flat=True)) == 67_000

    assert moved() == [("2026-11", 1, "moved")]
    refresh_all(now=LATER, whole=True)

    assert sum(QualityHour.objects.values_list("play_ms", flat=True)) == 67_000


def test_a_file_has_nothing_by_which_a_person_is_found(folder: Path) -> None:
    webinar = world()
    sessions = {str(one) for one in PlaySession.objects.values_list("pk", flat=True)}
    moved()
    cold = ColdFile.objects.get()

    table = pq.read_table(folder / cold.key)

    assert table.column_names == list(files.COLUMNS)
    found = table.to_pylist()
    assert len({row["session"] for row in found}) == 3, "of one player is still seen"
    assert {row["session"] for row in found} & sessions == set()
    assert {row["session_started_at"] for row in found} == {date(2026, 11, 21)}
    assert {(row["received_at"].second, row["received_at"].microsecond) for row in found} == {(0, 0)}
    content = (folder / cold.key).read_bytes()
    user = PlaySession.objects.first().user  # type: ignore[union-attr]
    assert [word for word in (*sessions, user.email, user.last_name) if word.encode() in content] == []

    PART.erase(user=user, now=LATER)

    assert (folder / cold.key).read_bytes() == content
    assert len(exported(webinar)) == 25


def test_a_dry_run_says_what_would_go_and_moves_nothing(folder: Path) -> None:
    world()
    partitions.keep(now=LATER)

    found = list(moving.move(older_than=2, now=LATER, dry_run=True))

    assert [(one.rows, one.outcome) for one in found] == [(5, "would be moved")]
    assert (PlaybackReport.objects.count(), lying(folder), ColdFile.objects.count()) == (25, [], 0)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_each_row_is_in_one_place(moment: str, folder: Path) -> None:
    webinar = world()
    before = exported(webinar)
    with forked(move_and_die, moment, str(folder), LATER) as process:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == -signal.SIGKILL

    assert everywhere() == 25
    assert exported(webinar) == before
    assert ColdFile.objects.count() == (moment == "second reading")

    assert moved(LATER + timedelta(days=2)) == [("2026-11", 5, "moved")]

    assert everywhere() == 25
    assert exported(webinar) == before
    assert ("202611" in tables(), moved()) == (False, [])
    os_later = datetime.now(UTC) + timedelta(days=2)
    moving.remove_orphans(now=os_later)
    assert lying(folder) == [ColdFile.objects.get().key]


class ErasingStorage(FileSystemStorage):
    """While it takes the file, somebody else erases a person."""

    def _save(self, name: str, content: Any) -> str:
        stored: str = super()._save(name, content)  # type: ignore[misc]
        with psycopg.connect(**connection.get_connection_params()) as other:
            other.execute("DELETE FROM analytics_playbackreport WHERE number = 3")
        return stored


def test_rows_that_change_meanwhile_stop_it_and_the_next_run_moves_what_is_there(folder: Path) -> None:
    world()
    with override_settings(STORAGES={**settings.STORAGES, "media": _storage(folder, f"{__name__}.ErasingStorage")}):
        assert moved() == [("2026-11", 5, "changed")]
    assert (PlaybackReport.objects.count(), lying(folder), ColdFile.objects.count()) == (24, [], 0)

    assert moved() == [("2026-11", 4, "moved")]
    assert everywhere() == 24


def test_a_table_that_is_busy_waits_for_another_time(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    world()
    partitions.keep(now=LATER)
    monkeypatch.setattr(partitions, "LOCK_WAIT", "50ms")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("LOCK TABLE analytics_playbackreport IN ACCESS SHARE MODE")
        assert moved() == [("2026-11", 5, "busy")]
    assert (everywhere(), lying(folder)) == (25, [])
    assert moved() == [("2026-11", 5, "moved")]


@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_a_file_that_is_not_what_it_was_brings_the_rows_back(damage: str, folder: Path) -> None:
    """The run died before the part was dropped, and until the next one something happened to the file."""
    webinar = world()
    before = exported(webinar)
    partitions.keep(now=LATER)
    key = f"cold/analytics_playbackreport/2026-11-{'0' * 16}.parquet"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_playbackreport DETACH PARTITION analytics_playbackreport_202611")
    ColdFile.objects.create(
        table="analytics_playbackreport", month=NOVEMBER, key=key, rows=5, sha256="0" * 64, moved_at=LATER
    )
    for session in PlaySession.objects.all():
        PlayerSummary.objects.create(session=session, phase=session.phase, webinar=webinar, month=NOVEMBER, device="tv")
    if damage == "changed":
        (folder / key).parent.mkdir(parents=True)
        (folder / key).write_bytes(b"PAR1")

    first = next(moving.move(older_than=2, now=LATER))
    assert first.outcome.startswith("attached again: ")
    assert (exported(webinar), everywhere(), PlayerSummary.objects.count()) == (before, 25, 0)
    assert moved() == [("2026-11", 5, "moved")]
    assert (exported(webinar), everywhere(), moved()) == (before, 25, [])


def test_who_was_erased_meanwhile_does_not_come_back_with_the_rows(folder: Path) -> None:
    """The part was detached, the person erased, and then the file was lost."""
    webinar = world()
    session = open_player(webinar=webinar)
    tell(session, Report(1, play_ms=1_000))
    gone = open_player(webinar=webinar)
    tell(gone, Report(1, play_ms=2_000), Report(2, play_ms=3_000))
    before = {one.pk for one in PlaybackReport.objects.all()}
    partitions.keep(now=LATER)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_playbackreport DETACH PARTITION analytics_playbackreport_202611")
    ColdFile.objects.create(
        table="analytics_playbackreport", month=NOVEMBER, key="cold/lost", rows=8, sha256="0" * 64, moved_at=LATER
    )
    erase(user=session.user, now=LATER)
    PlaySession.objects.filter(pk=gone.pk).delete()

    assert next(moving.move(older_than=2, now=LATER)).outcome.startswith("attached again: ")

    assert {one.pk for one in PlaybackReport.objects.all()} == {
        one for one in before if one[1] not in {session.pk, gone.pk}
    }
    assert len(before) == 28


def test_verify_reads_every_file_and_the_command_says_all(folder: Path) -> None:
    world()
    out = StringIO()
    with pytest.raises(CommandError, match="2 months at least"):
        call_command("coldstore", "move", "--older-than", "1")
    partitions.keep(now=LATER)
    list(moving.move(older_than=2, now=LATER))
    call_command("coldstore", "status", stdout=out)
    call_command("coldstore", "verify", stdout=out)
    cold = ColdFile.objects.get()
    assert out.getvalue().splitlines() == [f"2026-11            5  2027-02-05  {cold.key}", "2026-11 good"]

    (folder / cold.key).unlink()
    with pytest.raises(CommandError, match="1 of the files cannot be read"):
        call_command("coldstore", "verify", stdout=out)
    out = StringIO()
    call_command("coldstore", "move", "--dry-run", stdout=out)
    assert out.getvalue() == "Nothing is old enough.\n"


def test_in_s3_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        options: dict[str, Any] = {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-central-1"}
        bucket = boto3.resource("s3", **options).Bucket("lectures")
        bucket.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        bucket.put_object(Key="cold/analytics_playbackreport/2026-11-feed.parquet", Body=b"of a run that died")
        backend = {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {"bucket_name": "lectures", "file_overwrite": True, "default_acl": None, **options},
        }
        with override_settings(STORAGES={**settings.STORAGES, "media": backend}):
            webinar = world()
            before = exported(webinar)
            assert moved() == [("2026-11", 5, "moved")]
            assert exported(webinar) == before
            assert moving.remove_orphans(now=datetime.now(UTC)) == 0
            assert moving.remove_orphans(now=datetime.now(UTC) + timedelta(days=2)) <= 1
            assert [one.key for one in bucket.objects.all()] == [ColdFile.objects.get().key]
    finally:
        moto.stop()


texts = st.text(max_size=8).filter(lambda text: "\x00" not in text)
small = st.integers(0, 2**31 - 1)
moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
reports = st.tuples(
    moments, moments, st.sampled_from([UUID(int=n) for n in range(4)]), small, small, texts, texts, texts, texts,
    st.none() | small, small, small, small, st.integers(0, 2**63 - 1), small, texts, texts,
)  # fmt: skip


@given(st.lists(reports, max_size=30))
@hypothesis.settings(
    deadline=None, max_examples=25, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
def test_whatever_is_written_is_read_back(folder: Path, found: list[Any]) -> None:
    path = folder / "rows.parquet"
    written = files.write(path, found)
    cold = ColdFile(key="rows.parquet", rows=len(found), sha256=written.sha256)

    files.check(cold, content=written.content)
    read: list[Any] = list(files.rows_of(cold))

    assert [row[3:] for row in read] == [row[3:] for row in found]
    assert [(row[0], row[1]) for row in read] == [
        (row[0].date(), row[1].replace(second=0, microsecond=0)) for row in found
    ]
    pairs = {(before[2], after[2]) for before, after in zip(found, read, strict=True)}
    assert len(pairs) == len({row[2] for row in found}) == len({row[2] for row in read})
