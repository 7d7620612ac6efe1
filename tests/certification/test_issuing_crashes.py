"""Killed at each step of issuing, and raced: one serial, one certificate, the same bytes."""

import hashlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from certification.domain.chain import verify
from certification.domain.files import make_missing, pdf_of, read_file
from certification.domain.issuing import issue, issue_due, reissue, revoke
from certification.domain.templates import COPIED, save_template
from certification.models import Certificate, CertificateFile, CertificateTemplate, Chain, Claim, LedgerEntry
from courses.models import Programme
from tests.assessments.formats.drafts import picture
from tests.certification.dying import make_files, make_files_and_die
from tests.certification.earned import NOW, claim_of, issuing_programme
from tests.forked import Forked, forked
from tests.meanwhile import somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 90.0
NO_FILES = "LOCK TABLE certification_certificatefile IN ACCESS EXCLUSIVE MODE"


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    options = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": options}
    return tmp_path


def wait_until_held_up(process: Forked | None = None) -> None:
    """Until some statement, of that process or of a thread, waits for the lock that this test holds."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        assert process is None or process.is_alive(), "it came to its end instead of waiting"
        if somebody_waits():
            return
        time.sleep(0.02)
    raise AssertionError("nothing waits for the lock")


def kill_where(lock: str, work: Callable[..., Any], *arguments: Any, **settings: Any) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(lock)
        with forked(work, *arguments, **settings) as process:
            wait_until_held_up(process)
            process.kill()
            process.join(PATIENCE_SECONDS)
            assert process.exitcode == -signal.SIGKILL


def granted(programme: Programme, number: int) -> list[Claim]:
    return [claim_of(programme) for _ in range(number)]


# Where the process stands when it is killed: a statement before or after which it waits for this test. In order.
STEPS = {
    "asking for the lock": "",
    "before the certificates": "BEFORE INSERT ON certification_certificate FOR EACH ROW",
    "a certificate is written": "AFTER INSERT ON certification_certificate FOR EACH ROW",
    "the template is fixed": "AFTER UPDATE ON certification_certificatetemplate FOR EACH ROW",
    "the serial is taken": "AFTER UPDATE ON certification_chain FOR EACH ROW WHEN (NEW.last_serial > OLD.last_serial)",
    "before the lines": "BEFORE INSERT ON certification_ledgerentry FOR EACH ROW",
    "a line is written": "AFTER INSERT ON certification_ledgerentry FOR EACH ROW",
    "the head moves on": "AFTER UPDATE ON certification_chain FOR EACH ROW WHEN (NEW.length > OLD.length)",
    "committing": "AFTER INSERT ON certification_ledgerentry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
}
GATE = 4711


@contextmanager
def gate(where: str) -> Iterator[None]:
    """Whoever comes there waits until this ends: for an advisory lock that this test holds."""
    kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in where else "TRIGGER"
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE {kind} gate {where} EXECUTE FUNCTION wait_at_the_gate()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION wait_at_the_gate() CASCADE")


def wait_until_alone() -> None:
    """PostgreSQL notices that a client is gone when it answers it: until then a transaction of the dead goes on."""
    ends = time.monotonic() + PATIENCE_SECONDS
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    )
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute(others)
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)
    raise AssertionError("a transaction of the dead goes on")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_nothing_is_half_done_and_again_does_it(step: str, media: Path) -> None:
    """One serial, one certificate, the same bytes. Killed within its commit, the database decides: all or nothing."""
    programme = issuing_programme()
    claims = granted(programme, 3)
    command = (call_command, "issue_certificates", "--programme", programme.slug)
    if step == "asking for the lock":
        kill_where("SELECT FROM certification_chain FOR UPDATE", *command)
    else:
        with gate(STEPS[step]):
            kill_where(f"SELECT pg_advisory_xact_lock({GATE})", *command)
            wait_until_alone()
    before = list(Certificate.objects.order_by("serial").values_list("serial", "number", "public_id", "facts"))
    assert len(before) in ({0, 3} if step == "committing" else {0})
    assert (Chain.objects.get().last_serial, Chain.objects.get().length) == (len(before), 3 + len(before))
    call_command("issue_certificates", "--files", stdout=StringIO())
    rows = list(Certificate.objects.order_by("serial"))
    assert [(row.serial, row.claim_id) for row in rows] == [(at, one.pk) for at, one in enumerate(claims, 1)]
    assert [(row.serial, row.number, row.public_id, row.facts) for row in rows][: len(before)] == before
    assert (verify(programme_id=programme.pk).length, verify(programme_id=programme.pk).flaw) == (6, None)
    assert [pdf_of(row) for row in rows] == [read_file(row.file) for row in rows]


@pytest.mark.parametrize(
    ("table", "number"),
    [("certification_certificate", 2), ("certification_ledgerentry", 1), ("certification_ledgerentry", 3)],
)
def test_a_database_that_fails_at_the_nth_row_leaves_no_gap(table: str, number: int) -> None:
    programme = issuing_programme()
    granted(programme, 3)
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE rows_written")
        cursor.execute(
            "CREATE FUNCTION fail_at_a_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('rows_written') = {number} THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE TRIGGER fail BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fail_at_a_row()")
    try:
        with pytest.raises(DatabaseError, match="disk full"):
            issue_due(programme=programme, now=NOW)
        assert (Certificate.objects.count(), LedgerEntry.objects.count()) == (0, 3)
        assert CertificateTemplate.objects.get().used_at is None
        with connection.cursor() as cursor:
            cursor.execute("ALTER SEQUENCE rows_written RESTART WITH 100")
        issue_due(programme=programme, now=NOW)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION fail_at_a_row() CASCADE")
            cursor.execute("DROP SEQUENCE rows_written")
    assert [row.serial for row in Certificate.objects.order_by("serial")] == [1, 2, 3]
    assert verify(programme_id=programme.pk).flaw is None


@pytest.mark.parametrize(("moment", "share"), [("before", 0.0), ("half", 0.5), ("after", 1.0)])
def test_a_worker_killed_while_it_stores_a_file_leaves_it_to_the_next(media: Path, moment: str, share: float) -> None:
    """Whatever part of the file is there has the name of the whole: it is taken away, and the same one made."""
    certificate = issue(of=claim_of(issuing_programme()), now=NOW)
    wanted = pdf_of(Certificate.objects.get())
    with forked(make_files_and_die, moment, str(media)) as process:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == -signal.SIGKILL
    assert CertificateFile.objects.count() == 0
    assert [path.read_bytes() for path in media.rglob("*.pdf")] == (
        [wanted[: int(len(wanted) * share)]] if share else []
    )
    filed(certificate, media, wanted)


@pytest.mark.parametrize(
    "stand", ["", "BEFORE INSERT ON certification_certificatefile FOR EACH ROW",
              "AFTER INSERT ON certification_certificatefile FOR EACH ROW",
              "AFTER INSERT ON certification_certificatefile DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"],
    ids=["looking for work", "before the row", "the row is written", "committing"],
)  # fmt: skip
def test_a_worker_killed_around_the_row_of_its_file_leaves_it_to_the_next(
    media: Path, settings: Any, stand: str
) -> None:
    certificate = issue(of=claim_of(issuing_programme()), now=NOW)
    wanted = pdf_of(Certificate.objects.get())
    if stand:
        with gate(stand):
            kill_where(f"SELECT pg_advisory_xact_lock({GATE})", make_files, STORAGES=settings.STORAGES)
            wait_until_alone()
    else:
        kill_where(NO_FILES, make_files, STORAGES=settings.STORAGES)
    assert CertificateFile.objects.count() in ({0, 1} if "DEFERRED" in stand else {0})
    filed(certificate, media, wanted)


def filed(certificate: Certificate, media: Path, wanted: bytes) -> None:
    """By the next worker: one row and one file, with the bytes that every other one would make."""
    had = CertificateFile.objects.count()
    assert make_missing(now=NOW) == 1 - had
    assert [path.read_bytes() for path in media.rglob("*.pdf")] == [wanted]
    row = CertificateFile.objects.get(certificate=certificate)
    assert (bytes(row.sha256), read_file(row)) == (hashlib.sha256(wanted).digest(), wanted)
    assert pdf_of(Certificate.objects.get()) == wanted


def test_workers_share_the_files_that_are_missing(media: Path) -> None:
    """None is made twice, and who is killed with one in hand leaves it to the others."""
    programme = issuing_programme()
    granted(programme, 12)
    issue_due(programme=programme, now=NOW)
    seen: list[int] = []
    done = at_once(*[lambda: make_missing(now=NOW, progress=seen.append)] * 3)
    assert sum(done) == CertificateFile.objects.count() == 12
    assert make_missing(now=NOW) == 0
    assert len(list(media.rglob("*.pdf"))) == 12


def at_once(*works: Any) -> list[Any]:
    """What each of them came to, begun in the same moment."""
    start = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)

    def run(at: int) -> None:
        try:
            start.wait(PATIENCE_SECONDS)
            found[at] = works[at]()
        except Exception as error:  # noqa: BLE001  # looked at by the test
            found[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return found


class RacedStorage(FileSystemStorage):
    """Between the look whether a file is there and its writing, another worker has written the same one."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        path = Path(self.path(str(name)))
        path.parent.mkdir(parents=True)
        path.write_bytes(content.read())
        content.seek(0)
        return super().save(name, content, max_length)


def test_two_workers_who_make_the_same_file_leave_one(media: Path, settings: Any) -> None:
    options = {"BACKEND": f"{__name__}.RacedStorage", "OPTIONS": {"location": str(media)}}
    settings.STORAGES = {**settings.STORAGES, "media": options}
    issue(of=claim_of(issuing_programme()), now=NOW)
    assert make_missing(now=NOW) == 1
    (left,) = media.rglob("*.pdf")
    row = CertificateFile.objects.get()
    assert (media / row.stored_as, read_file(row)) == (left, left.read_bytes())


def change_template(template: CertificateTemplate) -> CertificateTemplate:
    values = {name: getattr(template, name) for name in COPIED}
    return save_template(
        programme=template.programme,
        template=template,
        values=values,
        signatures=[],
        logo=picture(400, 200),
        now=NOW,
    )


def test_a_template_that_is_being_changed_is_waited_for_by_its_first_certificate(media: Path) -> None:
    """Else it would be signed with pictures that are not there any more, and no file of it could be made."""
    claim = claim_of(issuing_programme())
    issued: list[Any] = []
    thread = threading.Thread(target=lambda: issued.extend(at_once(lambda: issue(of=claim, now=NOW))))
    with transaction.atomic():
        template = change_template(CertificateTemplate.objects.get())
        thread.start()
        wait_until_held_up()
    thread.join(PATIENCE_SECONDS)
    assert (issued[0].template, issued[0].template.version) == (template, 1)
    assert issued[0].facts["logo"] == hashlib.sha256(bytes(template.logo or b"")).hexdigest()
    assert make_missing(now=NOW) == 1


def test_who_changes_a_template_waits_for_its_first_certificate_and_makes_the_next_version(media: Path) -> None:
    claim = claim_of(issuing_programme())
    template, changed = CertificateTemplate.objects.get(), list[Any]()
    thread = threading.Thread(target=lambda: changed.extend(at_once(lambda: change_template(template))))
    with transaction.atomic():
        issue(of=claim, now=NOW)
        thread.start()
        wait_until_held_up()
    thread.join(PATIENCE_SECONDS)
    assert changed[0].version == 2
    assert make_missing(now=NOW) == 1


def test_eight_at_once_issue_one_certificate() -> None:
    claim = claim_of(issuing_programme())
    found = at_once(*[lambda: issue(of=claim, now=NOW).public_id] * 8)
    assert len(set(found)) == 1
    assert found[0] == Certificate.objects.get().public_id
    assert (Chain.objects.get().last_serial, LedgerEntry.objects.count()) == (1, 2)


def test_four_commands_at_once_issue_each_one_once() -> None:
    programme = issuing_programme()
    claims = granted(programme, 12)
    done = at_once(*[lambda: issue_due(programme=programme, now=NOW).new] * 4)
    assert sum(done) == 12
    assert sorted(row.claim_id or 0 for row in Certificate.objects.all()) == [one.pk for one in claims]
    assert [row.serial for row in Certificate.objects.order_by("serial")] == list(range(1, 13))
    assert verify(programme_id=programme.pk).flaw is None


def test_of_two_who_issue_anew_one_is_told_that_it_was_done() -> None:
    first = issue(of=claim_of(issuing_programme()), now=NOW)
    again = lambda: reissue(certificate=first, reason="Name", actor=None, now=NOW).edition  # noqa: E731
    assert sorted(str(one) for one in at_once(again, again)) == [
        "2",
        "This certificate has been replaced: issue the newest edition anew.",
    ]
    assert Certificate.objects.count() == 2


def test_two_who_revoke_leave_one_line() -> None:
    certificate = issue(of=claim_of(issuing_programme()), now=NOW)
    again = lambda: revoke(certificate=certificate, reason="Wrong", actor=None, now=NOW).pk  # noqa: E731
    assert len(set(at_once(again, again, again))) == 1
    assert verify(programme_id=certificate.programme_id).length == 3
