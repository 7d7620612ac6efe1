"""Lists of credit for authorities: `manage.py credit_report`, and buttons of the activity's page.

* `pars`: learners' credit for ACCME's PARS, in the order and under the headings of its Excel template for learners
  (https://accme.org/resource/excel-learner-batch-template/, 917_20240125_Learner_Excel_CME_MOC_Template.xlsx: a row of
  guidance, then the headings). The template itself was not at hand: headings, order and the form of an example row are
  as public programs that read it have them. Rows go below its headings; its columns for certifying boards, to the right
  of ours, stay empty. What PARS matches a physician by says ACCME's checklist (names, month and day of birth, state of
  licensure, license ID), with the learner's permission to report:
  https://accme.org/publications/cme-credit-reporting-checklist. What this product does not know is left empty, and
  `missing` says how often. PARS's web services (XML, JSON) are not spoken.
* `councils`: the list that councils ask for after an event.
* `eaccme`: numbers for the event report, which EACCME wants by a template of its own with the participants' feedback
  (https://www.eadv.org/education/cme-cpd-guidance/). The template itself was not found: a person fills it in from here.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest
from django.utils import translation
from django_countries import countries

from accounts.domain import audit
from accounts.domain.erasure import is_erased
from accounts.models import User
from assessments.domain.evaluation_results import results_of
from assessments.models import Evaluation
from certification.authorities import NoPackError, pack
from certification.domain.issuing import certifiable
from certification.domain.states import state_of
from certification.enums import AuthorityKey, EntryKind, Format
from certification.models import Activity, Certificate, Claim
from core.exports import Cell, csv_lines, neutral, xlsx_file
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord

BATCH = 1_000
KINDS = ("pars", "councils", "eaccme")
FORMS = {"pars": ("txt", "xlsx"), "councils": ("csv", "xlsx"), "eaccme": ("csv", "xlsx")}
Row = Sequence[Cell]


@dataclass
class Report:
    """`rows` with headings first, read once; `missing` fills up meanwhile: what was left empty or out, how often."""

    rows: Iterator[Row]
    missing: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Credited:
    """A claim that holds today. `number`: of its newest certificate that was not revoked."""

    claim: Claim
    credits: str
    number: str


class ReportError(Exception):
    """There is no such report of this activity; the text is for a person."""


def report_of(*, kind: str, activity: Activity) -> Report:
    """Raises ReportError."""
    authority = {"pars": AuthorityKey.ACCME, "eaccme": AuthorityKey.EACCME}.get(kind)
    if kind not in KINDS:
        raise ReportError(f"There is no report {kind!r}: choose one of {', '.join(KINDS)}.")
    if authority and not activity.accreditations.filter(authority=authority).exists():
        raise ReportError(f"This activity is not accredited by {authority.label}.")
    if kind == "eaccme":
        return Report(_event(activity))
    missing: Counter[str] = Counter()
    return Report((_pars if kind == "pars" else _councils)(activity, missing), missing)


def write_report(*, report: Report, form: str, to: IO[bytes]) -> None:
    if form == "xlsx":
        with xlsx_file(report.rows, sheet="Credits") as file:
            while block := file.read(1 << 20):
                to.write(block)
    else:
        to.writelines(tab_lines(report.rows) if form == "txt" else csv_lines(report.rows))


def missing_lines(report: Report) -> list[str]:
    """After the rows were read."""
    return [f"left empty or out, {number:,} rows: {what}" for what, number in sorted(report.missing.items()) if number]


def tab_lines(rows: Iterator[Row]) -> Iterator[bytes]:
    """No sign may end a cell or a line before its time, and no cell runs a formula where somebody opens it in Excel."""
    for row in rows:
        cells = (neutral(" ".join(str(cell).split())) for cell in row)
        yield ("\t".join(cells) + "\r\n").encode()


def record_report(
    *, kind: str, activity: Activity, form: str, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> None:
    """Before the first row leaves the house."""
    details = {"kind": kind, "form": form}
    audit.record("credit_report.taken", actor=actor, subject=activity, request=request, details=details, now=now)


# Rows of people


def _pars(activity: Activity, missing: Counter[str]) -> Iterator[Row]:
    yield (
        "Record Action", "ACCME Activity ID", "Completion Date", "First Name", "Last Name", "Date of Birth",
        "Licensing State", "Licensing ID or NPI", "Number of CME Credits",
    )  # fmt: skip
    for one in _credited(activity, missing, authority=AuthorityKey.ACCME):
        person, state = one.claim.user, state_of(one.claim.user.medical_council)
        missing["month and day of birth: not asked for by this product"] += 1
        missing["permission to report to PARS: not asked for by this product, get it before you upload"] += 1
        missing["PARS activity ID: type it as the approval code of the accreditation"] += not _code(one.claim)
        missing["state of licensure: the profile's medical council names none of the United States"] += not state
        missing["license ID: the profile has no registration number"] += not person.registration_number
        missing["first or last name"] += not (person.first_name and person.last_name)
        yield (
            "Add",
            _code(one.claim),
            f"{one.claim.took_part_on:%m/%d/%Y}",
            person.first_name,
            person.last_name,
            "",
            state,
            person.registration_number,
            one.credits,
        )


def _councils(activity: Activity, missing: Counter[str]) -> Iterator[Row]:
    yield (
        "Name", "Council", "Registration number", "Authority", "Credits", "Date", "Approval code", "Certificate number"
    )  # fmt: skip
    for one in _credited(activity, missing):
        person, claim = one.claim.user, one.claim
        missing["registration number"] += not person.registration_number
        missing["certificate: none was issued yet, or it was revoked"] += not one.number
        missing["approval code"] += not _code(claim)
        council = _council_title(claim) or person.medical_council
        names = (person.get_full_name(), council, person.registration_number, str(claim.get_authority_display()))
        yield (*names, one.credits, claim.took_part_on.isoformat(), _code(claim), one.number)


def _credited(activity: Activity, missing: Counter[str], *, authority: str = "") -> Iterator[Credited]:
    """By name, in thousands: two queries each. Attendance without a figure of credit is on the list as well."""
    claims = certifiable(Claim.objects.filter(accreditation__activity=activity))
    claims = claims.filter(authority=authority) if authority else claims
    ids = list(claims.order_by("user__last_name", "user__first_name", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        numbers = _numbers(some)
        found: dict[int, Any] = claims.select_related("user", "accreditation").in_bulk(some)
        for claim in (found[claim_id] for claim_id in some if claim_id in found):  # or revoked since
            if is_erased(claim.user):
                missing["people who were erased: their rows are left out"] += 1
            else:
                yield Credited(claim, f"{claim.worth:.2f}", numbers.get(claim.pk, ""))


def _numbers(claim_ids: Sequence[int]) -> dict[int, str]:
    rows = _valid(Certificate.objects.filter(claim__in=claim_ids)).order_by("edition")
    return {claim_id: number for claim_id, number in rows.values_list("claim", "number") if claim_id}


def _valid(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    return certificates.filter(replaced_by=None).exclude(entries__kind=EntryKind.CERTIFICATE_REVOKED)


def _code(claim: Claim) -> str:
    return claim.accreditation.approval_code


def _council_title(claim: Claim) -> str:
    try:
        rules = pack(claim.authority, version=claim.accreditation.version)
    except NoPackError:
        return claim.council
    found = getattr(rules, "councils", {}).get(claim.council)
    return str(found.title) if found else claim.council


# Numbers of the event


def _event(activity: Activity) -> Iterator[Row]:
    """Counts without names, in English."""
    with translation.override("en"):
        yield ("Section", "What", "Number")
        yield ("Event", "Title", activity.title)
        for one in activity.accreditations.filter(authority=AuthorityKey.EACCME):
            yield ("Event", "EACCME number", one.approval_code)
            yield ("Event", "ECMEC designated", f"{one.credits:.2f}")
        people = participants(activity)
        yield ("Participants", "All", people.count())
        for code, number in _counted(people, "country"):
            yield ("Participants by country", countries.name(code) or "Not stated", number)
        for specialty, number in _counted(people, "specialty"):
            yield ("Participants by specialty", specialty or "Not stated", number)
        yield from _feedback(activity)
        yield from _certificates(activity)


def participants(activity: Activity) -> QuerySet[User]:
    """Who was there: watched any of this format, or came to the meeting elsewhere."""
    phase = Phase.LIVE if activity.format == Format.LIVE else Phase.ON_DEMAND
    found = WatchRecord.objects.filter(webinar__lesson=activity.lesson_id, phase=phase).values("user")
    if activity.format == Format.LIVE:
        found = found.union(Visit.objects.filter(webinar__lesson=activity.lesson_id).values("user"))
    return User.objects.filter(pk__in=found)


def _counted(people: QuerySet[User], name: str) -> list[tuple[str, int]]:
    """The most first."""
    rows = people.order_by().values_list(name).annotate(number=Count("pk")).order_by("-number", name)
    return [(value, number) for value, number in rows]


def _feedback(activity: Activity) -> Iterator[Row]:
    evaluation = Evaluation.objects.filter(lesson=activity.evaluation_id).first() if activity.evaluation_id else None
    if evaluation is None:
        return
    found = results_of(evaluation=evaluation)
    yield ("Feedback", "Forms handed in", found.answered)
    for one in found.dimensions:
        if one.mean is not None:
            yield ("Feedback, mean of 5", one.label, f"{one.mean:.2f}")
    if found.is_suppressed:
        yield ("Feedback, mean of 5", "Too few answers to be told", "")


def _certificates(activity: Activity) -> Iterator[Row]:
    claims = certifiable(Claim.objects.filter(accreditation__activity=activity, authority=AuthorityKey.EACCME))
    found = claims.aggregate(people=Count("pk"), granted=Sum("worth"))
    issued = _valid(Certificate.objects.filter(claim__in=claims.values("pk")))
    yield ("Credit", "People with credit", found["people"])
    yield ("Credit", "ECMEC granted", f"{found['granted'] or 0:.2f}")
    yield ("Credit", "Certificates", issued.count())
