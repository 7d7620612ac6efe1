"""`manage.py drill` as an operator runs it: refusals, and one small drill from end to end."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.utils.timezone import now

from accounts.models import User
from core.processes import wait_until
from operations.domain.backups.programs import parameters_of_site
from operations.domain.drill.conducting import Wishes, preview
from operations.domain.drill.errors import DrillError
from operations.domain.drill.faults import plan_faults
from operations.domain.drill.injecting import check_targets
from operations.domain.drill.place import Place
from operations.domain.drill.record import FILE, Record
from operations.domain.drill.report import PAGE
from operations.domain.drill.site import Elsewhere, read_environment
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
from tests.operations.test_drill_copy import digest
from tests.processes import living
from webinars.models import Registration, Webinar

DOCTORS = 20
AT_DOOR = 4  # besides
PATIENCE = 500.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """VAR_DIR of the site, where the unprivileged user of PostgreSQL may pass."""
    with tempfile.TemporaryDirectory(prefix="lms-drill-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def url_of_site() -> str:
    given = parameters_of_site()
    return f"postgresql://{given['user']}@/{given['dbname']}?host={given['host']}"


def surroundings(folder: Path) -> dict[str, str]:
    own = {"VAR_DIR": str(folder), "DATABASE_URL": url_of_site(), "DEBUG": "false"}
    return os.environ | own | {"SECRET_KEY": secrets.token_urlsafe(64)}


def drill(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, on this test's database: the exit code is part of what is promised."""
    return subprocess.run(
        [sys.executable, "manage.py", "drill", *arguments],
        cwd=settings.BASE_DIR,
        env=surroundings(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def begin_until(folder: Path, words: str, *arguments: str) -> "subprocess.Popen[str]":
    """In a session of its own, as from a terminal; returns when it has said these words."""
    log = folder / "said.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "drill", *arguments],
            cwd=settings.BASE_DIR,
            env=surroundings(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )
    assert wait_until(lambda: words in log.read_text() or process.poll() is not None, seconds=PATIENCE)
    assert process.poll() is None, log.read_text()
    return process


def register(webinar: Webinar, count: int, country: str) -> list[User]:
    programme = webinar.lesson.course.programme
    users: list[User] = [UserFactory(country=country) for _ in range(count)]
    for user in users:
        EnrolmentFactory(user=user, programme=programme, status="invited")
        Registration.objects.create(webinar=webinar, user=user, registered_at=now())
    return users


def processes_of(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(folder) in line and living([process]):
            found.append(line)
    return found


@pytest.mark.long
@pytest.mark.site
@pytest.mark.django_db(transaction=True)
class TestDrill:
    @pytest.mark.timeout(600)  # it starts a whole site, beside whatever else runs
    def test_a_small_one_from_end_to_end(self, folder: Path) -> None:
        """Everything in one drill: it starts a whole site."""
        webinar = LiveWebinarFactory(needs_registration=True)
        register(webinar, DOCTORS // 2, "IN")
        register(webinar, DOCTORS - DOCTORS // 2, "KE")
        register(WebinarFactory(starts_at=webinar.starts_at), 3, "FR")  # of another webinar: they stay at home
        before = digest(parameters_of_site())

        done = drill(
            folder, f"--webinar={webinar.pk}", "--minutes=0.1", "--within=0.1", "--stay=8", "--yes",
            "--spot=20", "--sign-in=50", "--fault=redis-restart@0.03",
            "--web=1", "--realtime=1", "--worker=0", "--beat=0", "--processes=1",
            # How fast a busy machine is, and who gives up there, is no matter of this test.
            "--limit-page-p95-ms=90000", "--limit-join-p95-ms=90000", "--limit-errors=1000",
            "--limit-fault-errors-percent=100", "--limit-recovery-seconds=120",
        )  # fmt: skip

        assert done.returncode == 0, done.stdout + done.stderr
        assert "20 registered, of whom 20 come" in done.stdout
        assert f"besides, {AT_DOOR} without an account ask at the door" in done.stdout
        assert "Fault: Redis dies and starts again" in done.stdout
        assert done.stdout.splitlines()[-2] == "GO"
        (report,) = (folder / "drill" / "reports").iterdir()
        assert done.stdout.splitlines()[-1] == f"The report: {report / PAGE}"
        record = Record.from_json((report / FILE).read_text())
        assert record.goes
        assert (report / "logs" / "web.1.log").is_file()
        assert set(record.countries) == {"IN", "KE"}
        assert (record.lost, record.doctors, record.audience) == (0, DOCTORS + AT_DOOR, "registered")
        assert (record.at_door, record.by_link) == (AT_DOOR, DOCTORS // 2)
        assert record.acknowledged > 0
        assert [(fault.name, fault.recovered_at is not None) for fault in record.faults] == [("redis-restart", True)]
        named = {one.name: one.ok for one in record.operations}
        assert named["join"] > 0
        assert named["page"] > named["join"], "again when the recording opened"
        assert {"beat_ack", "play_session", "segment", "socket"} <= named.keys()
        assert named["sign_in"] > 1, "by a link: its page, and the tap"
        assert named["spot"] > 0, "from the form to being in"
        assert any(line.endswith("let in at the door") for line in record.told)
        assert any("recording open" in line for line in record.told)
        assert any(moment.cpu.get("web") for moment in record.moments)
        assert any(moment.sessions for moment in record.moments)
        assert digest(parameters_of_site()) == before, "production was only read"
        assert processes_of(folder / "drill" / "site") == []
        assert not (folder / "drill" / "site").exists()

    def test_it_refuses_in_words_and_with_its_own_exit_code(self, folder: Path) -> None:
        empty = LiveWebinarFactory(needs_registration=True)
        nobody = drill(folder, f"--webinar={empty.pk}", "--yes")
        assert (nobody.returncode, nobody.stdout) == (2, "")
        assert "Nobody is registered" in nobody.stderr

    @pytest.mark.timeout(600)
    def test_a_killed_one_is_cleaned_up_and_an_interrupted_one_cleans_up_itself(self, folder: Path) -> None:
        """Both while they copy the data, when their own databases run already."""
        webinar = LiveWebinarFactory()
        copying = begin_until(folder, "Copying the data", f"--webinar={webinar.pk}", "--synthetic=5", "--yes")
        copying.kill()
        copying.wait(PATIENCE)
        assert (folder / "drill" / "site").exists()

        cleaned = drill(folder, "--clean")
        assert (cleaned.returncode, cleaned.stdout) == (0, "The copy was removed.\n")
        assert not (folder / "drill" / "site").exists()
        assert wait_until(lambda: processes_of(folder / "drill" / "site") == [], seconds=PATIENCE)

        copying = begin_until(folder, "Copying the data", f"--webinar={webinar.pk}", "--synthetic=5", "--yes")
        os.killpg(copying.pid, signal.SIGINT)  # as a terminal does
        assert copying.wait(PATIENCE) == 2
        assert not (folder / "drill" / "site").exists()
        assert wait_until(lambda: processes_of(folder / "drill" / "site") == [], seconds=PATIENCE)


@pytest.mark.django_db
class TestElsewhere:
    """What is refused before anything is sent, or written."""

    def test_only_with_the_environment_of_that_site(self, tmp_path: Path) -> None:
        file = tmp_path / "staging.env"
        with pytest.raises(DrillError, match="cannot be read"):
            read_environment(file)
        file.write_text("# staging\nDATABASE_URL='postgresql://lms@db/lms'\nREDIS_URL=redis://cache/0\n")
        with pytest.raises(DrillError, match="does not say SECRET_KEY"):
            read_environment(file)
        file.write_text(file.read_text() + "SECRET_KEY=a=b")
        assert read_environment(file) == {
            "DATABASE_URL": "postgresql://lms@db/lms", "REDIS_URL": "redis://cache/0", "SECRET_KEY": "a=b"
        }  # fmt: skip

    def test_never_on_a_database_that_is_no_copy(self, tmp_path: Path) -> None:
        given = {"DATABASE_URL": url_of_site(), "REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "x"}
        with pytest.raises(DrillError, match="no copy made by a drill"):
            Elsewhere(Place(tmp_path / "drill"), url="http://127.0.0.1:1", given=given)

    def test_its_processes_are_not_ours_to_break(self) -> None:
        with pytest.raises(DrillError, match=r"needs web\.1, which this drill does not run"):
            check_targets(plan_faults(["web-kill"], seconds=60.0), [])


@pytest.mark.django_db
class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"webinar_id": 0}, "There is no webinar 0"),
            ({"multiple": 5}, "between 1 and 4"),
            ({"minutes": 0.0}, "up to 60 minutes"),
            ({"minutes": 61.0}, "up to 60 minutes"),
            ({"spot_percent": 51.0}, "at most 50 percent"),
            ({"link_percent": -1.0}, "--sign-in at most 100"),
            ({"synthetic": 30_000, "spot_percent": 20.0}, "6,000 without an account are more than the door takes"),
            ({"synthetic": 10_010, "spot_percent": 3.0, "into": "https://staging.example"}, "301 without an account"),
            ({"synthetic": 20_000, "multiple": 4}, "80,000 doctors are more"),
            ({"faults": ("fire",), "synthetic": 5}, "There is no fault fire"),
            ({}, "Nobody is registered"),
        ],
    )
    def test_what_cannot_be_played(self, arguments: dict[str, Any], words: str) -> None:
        webinar = LiveWebinarFactory()
        with pytest.raises(DrillError, match=words):
            preview(Wishes(**{"webinar_id": webinar.pk} | arguments))

    def test_who_comes(self) -> None:
        webinar = LiveWebinarFactory()
        programme = webinar.lesson.course.programme
        for status in ("active", "invited", "suspended"):
            EnrolmentFactory(user=UserFactory(), programme=programme, status=status)
        EnrolmentFactory(user=UserFactory(is_active=False), programme=programme, status="active")

        enrolled = preview(Wishes(webinar.pk, multiple=3))
        assert (enrolled.kind, enrolled.people, enrolled.doctors) == ("enrolled", 2, 6)
        register(webinar, 10, "IN")
        registered = preview(Wishes(webinar.pk, multiple=2, minutes=5.0))
        assert (registered.kind, registered.people, registered.doctors) == ("registered", 10, 10)
        besides = preview(Wishes(webinar.pk, multiple=2, minutes=5.0, spot_percent=25.0))
        assert (besides.doctors, besides.at_door) == (10, 3)
        invented = preview(Wishes(webinar.pk, synthetic=1_000, minutes=1.0))
        assert (invented.kind, invented.doctors) == ("synthetic", 100)
