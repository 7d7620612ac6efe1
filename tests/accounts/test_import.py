"""A list becomes people, enrolments and invitations: from the command line and in the admin."""

import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.domain import imports, invitations
from accounts.enums import ImportState, Role
from accounts.models import AuditEvent, Invitation, PendingImport, User
from courses import tasks
from courses.domain import people_imports
from courses.domain.invitations import ImportReport, import_people
from courses.enums import EnrolmentStatus
from courses.models import Enrolment, Programme, RoleGrant
from tests.accounts.helpers import deliver, link_in
from tests.factories.accounts import UserFactory
from tests.factories.courses import CohortFactory, ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db

GOOD = "email,name,country,cohort\nmeera@example.org,Meera Nair,IN,Asia\nana@example.org,Ana Lima,BR,\n"
UPLOAD = "/admin/invite-people/"


@pytest.fixture
def programme(db: None) -> Programme:
    programme: Programme = ProgrammeFactory.create(slug="fertility", title="Fertility 2026")
    CohortFactory.create(programme=programme, name="Asia")
    return programme


def run(programme: Programme, text: str, **options: Any) -> ImportReport:
    return import_people(programme=programme, content=text.encode(), actor=None, now=now(), **options)


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (User, Enrolment, Invitation)]


def test_people_are_made_enrolled_and_invited(programme: Programme) -> None:
    report = run(programme, GOOD)

    assert (report.created, report.enrolled, report.invited, report.written) == (2, 2, 2, True)
    meera = User.objects.get(email="meera@example.org")
    assert (meera.first_name, meera.last_name, meera.country, meera.timezone) == ("Meera", "Nair", "IN", "Asia/Kolkata")
    assert not meera.has_usable_password()
    assert not meera.is_staff
    enrolments = Enrolment.objects.order_by("user__email").values_list("user__email", "status", "cohort__name")
    assert list(enrolments) == [
        ("ana@example.org", EnrolmentStatus.INVITED, None),
        ("meera@example.org", EnrolmentStatus.INVITED, "Asia"),
    ]
    assert AuditEvent.objects.get(action="people.imported").details["created"] == 2


def test_the_whole_way_from_the_list_into_the_programme(programme: Programme) -> None:
    run(programme, GOOD)
    messages = deliver()
    assert sorted(message.to for message in messages) == [["ana@example.org"], ["meera@example.org"]]
    browser = Client()

    response = browser.post(link_in(messages[0]), {"timezone": "Asia/Calcutta"})

    assert response["Location"] == "/programmes/fertility/"
    assert browser.get(response["Location"]).status_code == 200
    assert Enrolment.objects.get(user__email=messages[0].to[0]).status == EnrolmentStatus.ACTIVE


def test_a_second_run_changes_nothing(programme: Programme) -> None:
    run(programme, GOOD)
    deliver()
    before = everything()

    report = run(programme, GOOD)

    assert everything() == before
    assert (report.created, report.completed, report.enrolled, report.already_enrolled, report.invited) == (
        0,
        0,
        0,
        2,
        0,
    )
    assert deliver() == []


def test_a_dry_run_says_the_truth_and_changes_nothing(programme: Programme) -> None:
    UserFactory.create(email="ana@example.org", last_name="")
    before = everything()

    rehearsal = run(programme, GOOD, dry_run=True)

    assert everything() == before
    assert not AuditEvent.objects.exists()
    real = run(programme, GOOD)
    figures = [(r.created, r.completed, r.enrolled, r.already_enrolled, r.invited) for r in (rehearsal, real)]
    assert figures == [(1, 1, 2, 0, 2)] * 2
    assert (rehearsal.written, real.written) == (False, True)


def test_one_bad_row_stops_everything_unless_told_otherwise(programme: Programme) -> None:
    text = GOOD + "broken,Bob Stone,IN,\nbob@example.org,Bob,IN,Europe\n"
    before = everything()

    report = run(programme, text)

    assert [(problem.line, problem.column) for problem in report.problems] == [(4, "email"), (5, "cohort")]
    assert not report.written
    assert everything() == before
    assert run(programme, text, skip_bad=True).created == 2


def test_what_people_said_about_themselves_is_kept_and_gaps_are_filled(programme: Programme) -> None:
    UserFactory.create(email="meera@example.org", first_name="Meera K.", last_name="", country="", timezone="UTC")
    text = "email,first name,last name,country,timezone,phone\nmeera@example.org,M,Nair,IN,Asia/Kolkata,+919876543210\n"

    report = run(programme, text)

    meera = User.objects.get(email="meera@example.org")
    assert (report.created, report.completed) == (0, 1)
    assert (meera.first_name, meera.last_name, meera.country, str(meera.phone)) == (
        "Meera K.",
        "Nair",
        "IN",
        "+919876543210",
    )
    assert meera.timezone == "UTC"  # confirmed by the person


def test_staff_accounts_are_enrolled_but_not_changed(programme: Programme) -> None:
    staff = UserFactory.create(email="meera@example.org", last_name="", is_staff=True)

    run(programme, GOOD)

    staff.refresh_from_db()
    assert staff.last_name == ""
    assert Enrolment.objects.filter(user=staff).exists()


def test_a_disabled_account_is_a_problem_not_a_surprise(programme: Programme) -> None:
    UserFactory.create(email="ana@example.org", is_active=False)

    assert [(problem.line, problem.column) for problem in run(programme, GOOD).problems] == [(3, "email")]


def test_who_has_signed_in_before_is_active_at_once_and_told(programme: Programme) -> None:
    UserFactory.create(email="ana@example.org", last_login=now())

    run(programme, GOOD)

    assert Enrolment.objects.get(user__email="ana@example.org").status == EnrolmentStatus.ACTIVE
    assert ["ana@example.org"] in [message.to for message in deliver()]


def test_a_withdrawn_doctor_and_a_withdrawn_invitation_stay_withdrawn(programme: Programme) -> None:
    run(programme, GOOD)
    Enrolment.objects.filter(user=User.objects.get(email="ana@example.org")).update(status=EnrolmentStatus.WITHDRAWN)
    for invitation in Invitation.objects.all():
        invitations.revoke(invitation=invitation, actor=None, now=now())

    report = run(programme, GOOD)

    assert report.invited == 0
    assert Enrolment.objects.get(user__email="ana@example.org").status == EnrolmentStatus.WITHDRAWN


@pytest.mark.django_db(transaction=True)
def test_a_failure_in_the_middle_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    from courses.domain import invitations as module

    programme = ProgrammeFactory.create()
    monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setattr(module, "record", _fail)
    before = everything()

    with pytest.raises(ConnectionError):
        run(programme, "email\n" + "".join(f"p{number}@example.org\n" for number in range(7)))

    assert everything() == before


def _fail(*_: object, **__: object) -> None:
    raise ConnectionError


def test_queries_grow_with_chunks_not_with_people(programme: Programme) -> None:
    def queries(first: int, count: int) -> int:
        text = "email\n" + "".join(f"p{number}@example.org\n" for number in range(first, first + count))
        with CaptureQueriesContext(connection) as captured:
            run(programme, text)
        return len(captured)

    assert queries(0, 10) == queries(100, 900)


def command(programme: Programme, path: Path, *options: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("invite", programme.slug, str(path), *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_reports_row_by_row_and_refuses(programme: Programme, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(GOOD + "broken,Bob,IN,\n")
    err = StringIO()

    with pytest.raises(CommandError, match="Nothing was changed: 3 rows, 1 bad"):
        call_command("invite", "fertility", str(path), stdout=StringIO(), stderr=err)

    assert "line 4, email: This is no e-mail address." in err.getvalue()
    assert not User.objects.exists()
    assert "enrolled 2" in command(programme, path, "--skip-bad")[0]


@pytest.mark.serial
def test_twenty_thousand_rows_take_less_than_a_minute_and_no_more_for_each_than_few(
    programme: Programme, tmp_path: Path
) -> None:
    """The second is a ratio in one run: each of so many may take at most three times as long as one of five hundred."""

    def seconds(first: int, count: int) -> float:
        path = tmp_path / f"{first}.csv"
        numbers = range(first, first + count)
        rows = (f"p{number}@example.org,Dr,Meera,Nair,IN,+91 98765 {number:05}\n" for number in numbers)
        path.write_text("email,title,first name,last name,country,phone\n" + "".join(rows))
        started = time.perf_counter()
        assert f"New people {count}" in command(programme, path)[0].replace(",", "")
        return time.perf_counter() - started

    seconds(70_000, 50)
    small = max(seconds(80_000, 500), seconds(90_000, 500))
    known = Enrolment.objects.filter(programme=programme).count()
    taken = seconds(0, 20_000)

    assert taken < 60
    assert taken < 3 * 20_000 / 500 * small
    assert Enrolment.objects.filter(programme=programme).count() - known == 20_000
    assert Invitation.objects.unsent().count() == known + 20_000


def test_the_command_rehearses_holds_and_repeats(programme: Programme, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(GOOD)

    assert "Dry run, nothing was changed: 2 rows" in command(programme, path, "--dry-run")[0]
    assert not User.objects.exists()
    assert "New people 2" in command(programme, path, "--hold")[0]
    assert deliver() == []
    assert "New people 0" in command(programme, path)[0]


@pytest.mark.parametrize(
    ("slug", "content", "words"),
    [
        ("nowhere", GOOD.encode(), "There is: fertility"),
        ("fertility", None, "No such file"),
        ("fertility", b"PK\x03\x04", "Excel workbook"),
        ("fertility", b"email,n\na@example.org," + b"A" * 10 * 1024 * 1024, "line 2"),
    ],
)
def test_the_command_says_what_is_wrong(
    programme: Programme, tmp_path: Path, slug: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=words):
        call_command("invite", slug, str(path), stdout=StringIO(), stderr=StringIO())
    assert not User.objects.exists()


def test_terminal_signs_in_a_list_do_not_reach_the_terminal(programme: Programme, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email,\x1b[2Jnasty\nbroken,x\n")
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError):
        call_command("invite", "fertility", str(path), stdout=out, stderr=err)

    assert "\x1b" not in out.getvalue() + err.getvalue()


@pytest.fixture
def operator(programme: Programme) -> User:
    user: User = RoleGrantFactory.create(role=Role.OPERATOR, programme=programme).user
    return user


def choose(browser: Client, programme: Programme, content: bytes) -> str:
    file = SimpleUploadedFile("list.csv", content, "text/csv")
    response = browser.post(UPLOAD, {"programme": programme.pk, "file": file})
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def test_in_the_admin_first_a_rehearsal_then_the_deed(programme: Programme, operator: User) -> None:
    browser = signed_in(operator)
    people = User.objects.count()
    report = choose(browser, programme, (GOOD + "broken,Bob,IN,\n").encode())

    for _ in range(2):
        page = browser.get(report).content.decode()
        assert "This is no e-mail address." in page
        assert "Take the good rows, leave 1 out" in page
    assert User.objects.count() == people

    for _ in range(2):  # a double click
        done = browser.post(report, {"send": "on"}, follow=True)
        assert done.redirect_chain == [(report, 302)]
        assert "people were added to" in done.content.decode()
    assert User.objects.count() == people + 2
    assert Invitation.objects.filter(created_by=operator, queued_at__isnull=False).count() == 2
    assert AuditEvent.objects.get(action="people.imported").actor == operator
    assert bytes(PendingImport.objects.get().content) == b""


def test_a_rehearsal_is_made_once_and_its_figures_are_kept(programme: Programme, operator: User) -> None:
    browser = signed_in(operator)
    report = choose(browser, programme, GOOD.encode())
    figures = PendingImport.objects.get().report
    assert figures is not None
    assert (figures["rows"], figures["created"], figures["good"], figures["bad"]) == (2, 2, 2, 0)
    UserFactory.create(email="meera@example.org")

    with CaptureQueriesContext(connection) as captured:
        browser.get(report)

    assert PendingImport.objects.get().report == figures
    assert [query["sql"] for query in captured if query["sql"].startswith(("INSERT", "UPDATE", "SAVEPOINT"))] == []
    assert not [query for query in captured if '"content"' in query["sql"]]


def long_list(count: int = people_imports.MOST_LINES_AT_ONCE) -> bytes:
    return ("email\n" + "".join(f"p{number}@example.org\n" for number in range(count))).encode()


def import_id(report: str) -> UUID:
    return UUID(report.rstrip("/").rpartition("/")[2])


def test_a_long_list_is_for_the_worker_and_the_page_looks_again_by_itself(
    programme: Programme, operator: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    browser = signed_in(operator)
    with django_capture_on_commit_callbacks() as bells:
        report = choose(browser, programme, long_list())
    page = browser.get(report).content.decode()
    assert len(bells) == 1
    assert '<meta http-equiv="refresh" content="3">' in page
    assert "is being looked through" in page
    assert "It has 1,001 lines" in page

    assert people_imports.run(import_id=import_id(report), now=now())
    page = browser.get(report).content.decode()
    assert "http-equiv" not in page
    assert "these are the figures of a rehearsal" in page
    assert not User.objects.filter(email="p1@example.org").exists()

    for _ in range(2):
        browser.post(report, {})
    page = browser.get(report).content.decode()
    assert "are being added to" in page
    assert "people so far" not in page
    imports.note_progress(import_id=import_id(report), done=500, total=1_000)
    page = browser.get(report).content.decode()
    assert "500 of 1,000 people so far." in page
    assert '<progress class="mb-6 w-full max-w-4xl" value="500" max="1000"' in page
    tasks.sweep()  # as beat does, for a bell that nobody heard
    tasks.run_import(str(import_id(report)))

    assert "people were added to" in browser.get(report).content.decode()
    assert Enrolment.objects.filter(programme=programme).count() == 1_000
    assert Invitation.objects.filter(queued_at=None).count() == 1_000
    assert not people_imports.run(import_id=import_id(report), now=now())
    assert AuditEvent.objects.filter(action="people.imported").count() == 1


def test_a_list_is_not_written_by_somebody_who_is_no_operator_any_longer(programme: Programme, operator: User) -> None:
    browser = signed_in(operator)
    report = choose(browser, programme, long_list())
    people_imports.run(import_id=import_id(report), now=now())
    browser.post(report, {"send": "on"})
    RoleGrant.objects.filter(user=operator).delete()

    people_imports.run(import_id=import_id(report), now=now())

    assert PendingImport.objects.get().state == ImportState.FAILED
    assert not Enrolment.objects.exists()


def test_a_list_that_fails_every_time_is_given_up_and_said_so(
    programme: Programme, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit trail's writer fails here as it would without a disk; nothing else is replaced."""
    from courses.domain import invitations as module

    browser = signed_in(operator)
    report = choose(browser, programme, long_list())
    people_imports.run(import_id=import_id(report), now=now())
    browser.post(report, {"send": "on"})
    monkeypatch.setattr(module, "record", _fail)
    for _ in range(imports.MOST_FAILURES):
        with pytest.raises(ConnectionError):
            people_imports.run(import_id=import_id(report), now=now())

    assert "more than once" in browser.get(report).content.decode()
    assert imports.waiting() == []
    assert not Enrolment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_writes_the_list_and_a_new_upload_does_not_wait_for_it() -> None:
    programme = ProgrammeFactory.create()
    operator = RoleGrantFactory.create(role=Role.OPERATOR, programme=programme).user
    kept = imports.keep(
        content=long_list(), file_name="a.csv", purpose=f"invite:{programme.pk}", created_by=operator, now=now()
    )

    def second() -> tuple[bool, bool]:
        try:
            ran = people_imports.run(import_id=kept.pk, now=now())
            newer = imports.keep(content=b"email", file_name="b.csv", purpose="x", created_by=operator, now=now())
            return ran, PendingImport.objects.filter(pk__in=[kept.pk, newer.pk]).count() == 2
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        assert imports.claim(import_id=kept.pk) is not None
        assert pool.submit(second).result(timeout=60) == (False, True)
    assert people_imports.run(import_id=kept.pk, now=now())


def test_in_the_admin_a_useless_file_is_explained(programme: Programme, operator: User) -> None:
    browser = signed_in(operator)

    page = browser.get(choose(browser, programme, b"PK\x03\x04")).content.decode()

    assert "Excel workbook" in page
    assert "Nothing was changed." in page


def test_in_the_admin_scripts_in_a_list_are_text(programme: Programme, operator: User) -> None:
    browser = signed_in(operator)
    nasty = "email,<script>alert(1)</script>\n<img src=x onerror=alert(2)>,x\n"

    page = browser.get(choose(browser, programme, nasty.encode())).content.decode()

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_an_operator_invites_to_no_other_programme(operator: User) -> None:
    foreign = ProgrammeFactory.create()
    browser = signed_in(operator)
    file = SimpleUploadedFile("list.csv", GOOD.encode(), "text/csv")

    response = browser.post(UPLOAD, {"programme": foreign.pk, "file": file})

    assert response.status_code == 200
    assert not PendingImport.objects.exists()


def test_nobody_else_sees_an_uploaded_list(programme: Programme, operator: User) -> None:
    report = choose(signed_in(operator), programme, GOOD.encode())
    colleague = RoleGrantFactory.create(role=Role.OPERATOR, programme=programme).user

    assert signed_in(colleague).get(report).status_code == 404
    assert signed_in(colleague).post(report, {"send": "on"}).status_code == 404


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.PRESENTER])
def test_other_roles_do_not_invite(programme: Programme, role: str) -> None:
    person = RoleGrantFactory.create(role=role, programme=programme).user

    assert signed_in(person).get(UPLOAD).status_code in {302, 403}
    assert signed_in(person).post(UPLOAD, {}).status_code in {302, 403}
