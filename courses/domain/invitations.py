"""A list of people becomes accounts, enrolments and invitations of a programme: all of it, or nothing."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.domain.audit import record
from accounts.domain.invitations import queue_invitations
from accounts.domain.people_table import Candidate, PeopleTable, Problem, read_people
from accounts.models import Invitation, User
from courses.domain.enrolment import bulk_enrol
from courses.enums import EnrolmentStatus
from courses.models import Cohort, Enrolment, Programme

CHUNK = 1_000
PERSON_FIELDS = (
    "title",
    "first_name",
    "last_name",
    "specialty",
    "country",
    "timezone",
    "language",
    "phone",
    "medical_council",
    "registration_number",
)
Progress = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(slots=True)
class ImportReport:
    """What was done, or with `written=False` what would be done. `problems` are the rows left out."""

    rows: int
    problems: list[Problem]
    notes: list[Problem]
    created: int = 0
    completed: int = 0
    enrolled: int = 0
    already_enrolled: int = 0
    invited: int = 0
    written: bool = False


def import_people(
    *,
    programme: Programme,
    content: bytes,
    actor: User | None,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
    send: bool = True,
    progress: Progress | None = None,
) -> ImportReport:
    """Raises `UnreadableTableError` when the file as a whole is of no use.

    One transaction: with a bad row nothing is written, unless `skip_bad` says to take the good ones. A dry run does
    everything and rolls it back, so that its figures are true. Running it twice changes nothing the second time; what
    a person has entered about themselves is never overwritten, only gaps are filled.
    """
    table = read_people(content)
    cohorts = {cohort.name.casefold(): cohort for cohort in Cohort.objects.filter(programme=programme)}
    _check_against_database(table, cohorts)
    report = ImportReport(rows=table.rows, problems=sorted(table.problems), notes=table.notes)
    if not table.candidates or (report.problems and not (skip_bad or dry_run)):
        return report
    with transaction.atomic():
        _write(table.candidates, programme, cohorts, report, actor=actor, now=now, send=send, progress=progress)
        if dry_run:
            transaction.set_rollback(True)
    report.written = not dry_run
    return report


def _check_against_database(table: PeopleTable, cohorts: dict[str, Cohort]) -> None:
    """Rows that only the database can judge: unknown cohorts and disabled accounts."""
    emails = [candidate.email for candidate in table.candidates]
    disabled: set[str] = set()
    for chunk in _chunks(emails):
        disabled.update(User.objects.filter(email__in=chunk, is_active=False).values_list("email", flat=True))
    good: list[Candidate] = []
    for candidate in table.candidates:
        cohort = candidate.values.get("cohort", "")
        if candidate.email in disabled:
            text = _("This account is disabled. Enable it first, or remove the row.")
            table.problems.append(Problem(candidate.line, "email", text))
        elif cohort and cohort.casefold() not in cohorts:
            text = _("The programme has no cohort of this name. Create it first, or correct the name.")
            table.problems.append(Problem(candidate.line, "cohort", text))
        else:
            good.append(candidate)
    table.candidates = good


def _write(
    candidates: Sequence[Candidate],
    programme: Programme,
    cohorts: dict[str, Cohort],
    report: ImportReport,
    *,
    actor: User | None,
    now: datetime,
    send: bool,
    progress: Progress | None,
) -> None:
    """Sorted by address, so that two imports at once lock people in the same order and cannot deadlock."""
    ordered = sorted(candidates, key=lambda candidate: candidate.email)
    done = 0
    for chunk in _chunks(ordered):
        ids = _people(chunk, report, now=now)
        to_invite = _enrol(chunk, ids, programme, cohorts, report, now=now)
        report.invited += queue_invitations(
            user_ids=to_invite,
            created_by=actor,
            now=now,
            occasion=programme.title[:200],
            next_path=reverse("programme", args=[programme.slug])[:200],
            send=send,
        )
        done += len(chunk)
        if progress:
            progress(done, len(ordered))
    details = {"rows": report.rows, "left_out": len({problem.line for problem in report.problems})}
    details |= {"created": report.created, "enrolled": report.enrolled, "invited": report.invited}
    record("people.imported", actor=actor, subject=programme, details=details, now=now)


def _people(chunk: Sequence[Candidate], report: ImportReport, *, now: datetime) -> dict[str, int]:
    """Ids by address. Three statements for a chunk, and one more when gaps are filled."""
    emails = [candidate.email for candidate in chunk]
    known = {user.email: user for user in User.objects.filter(email__in=emails)}
    new = [
        User(email=candidate.email, password=_no_password(), created_at=now, **_fields(candidate))
        for candidate in chunk
        if candidate.email not in known
    ]
    User.objects.bulk_create(new, ignore_conflicts=True)
    filled = [user for candidate in chunk if (user := known.get(candidate.email)) and _fill_gaps(user, candidate)]
    if filled:
        User.objects.bulk_update(filled, PERSON_FIELDS)
    report.created += len(new)
    report.completed += len(filled)
    return dict(User.objects.filter(email__in=emails).values_list("email", "pk"))


def _no_password() -> str:
    """What Django's `set_unusable_password` writes, made in a hundredth of its time. Differs from person to person,
    because session hashes are made from it.
    """
    return UNUSABLE_PASSWORD_PREFIX + secrets.token_urlsafe(30)


def _fields(candidate: Candidate) -> dict[str, str]:
    return {name: value for name in PERSON_FIELDS if (value := candidate.values.get(name))}


def _fill_gaps(user: User, candidate: Candidate) -> bool:
    """Staff accounts are nobody's list to change. A time zone the person confirmed stays."""
    if user.is_staff or user.is_superuser:
        return False
    changed = False
    for name, value in _fields(candidate).items():
        is_gap = not getattr(user, name)
        if name == "timezone":
            is_gap = user.timezone == "UTC" and user.timezone_confirmed_at is None and value != "UTC"
        if is_gap:
            setattr(user, name, value)
            changed = True
    return changed


def _enrol(
    chunk: Sequence[Candidate],
    ids: dict[str, int],
    programme: Programme,
    cohorts: dict[str, Cohort],
    report: ImportReport,
    *,
    now: datetime,
) -> set[int]:
    """Returns who needs an invitation: the newly enrolled, and those enrolled before whom nobody ever invited."""
    groups: dict[str, list[int]] = defaultdict(list)
    for candidate in chunk:
        groups[candidate.values.get("cohort", "").casefold()].append(ids[candidate.email])
    new: set[int] = set()
    for name, user_ids in groups.items():
        done = bulk_enrol(programme=programme, user_ids=user_ids, cohort=cohorts.get(name), now=now)
        new |= done.created
        report.enrolled += len(done.created)
        report.already_enrolled += len(done.existing)
    waiting = Enrolment.objects.filter(programme=programme, user__in=ids.values(), status=EnrolmentStatus.INVITED)
    never = waiting.exclude(user__in=Invitation.objects.filter(user__in=ids.values()).values("user"))
    return new | set(never.values_list("user_id", flat=True))


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
