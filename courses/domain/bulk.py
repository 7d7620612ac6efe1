"""Enrolling many people from a pasted list or a CSV file: read it, look at it, then do it."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from courses import rules
from courses.domain.enrolment import Enrolled, bulk_enrol
from courses.models import Cohort, Enrolment, Programme, RoleGrant

LONGEST_TEXT = 2_000_000
EMAIL_COLUMNS = frozenset({"email", "e-mail", "mail", "e-mail address", "email address"})
_BETWEEN = re.compile(r"[\s,;<>\"'()]+")


class UnreadableFileError(Exception):
    """The text is for the person who chose the file."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What enrolling would do. Addresses are in lower case, sorted, and in exactly one of the lists."""

    new: tuple[User, ...]
    enrolled: tuple[Enrolment, ...]
    unknown: tuple[str, ...]
    inactive: tuple[str, ...]
    unreadable: tuple[str, ...]


def addresses_of_csv(content: bytes) -> str:
    """The e-mail column, one address on each line. UTF-8 with or without a mark, as spreadsheets save it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise UnreadableFileError(_("The file is not UTF-8 text. Save it as “CSV UTF-8” and try again.")) from wrong
    if "\0" in text:
        raise UnreadableFileError(_("This is not a CSV file."))
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        column = next((number for number, name in enumerate(header) if name in EMAIL_COLUMNS), None)
        if column is None and not (len(header) == 1 and "@" in header[0]):
            raise UnreadableFileError(_("The first line of the file has to name a column “email”."))
        found = [header[0]] if column is None else []
        found += [row[column or 0].strip() for row in rows if len(row) > (column or 0)]
    except csv.Error as wrong:
        raise UnreadableFileError(_("The file cannot be read as CSV: %(reason)s") % {"reason": wrong}) from wrong
    return "\n".join(address for address in found if address)


def plan_enrolment(*, programme: Programme, text: str, actor: User) -> Plan:
    """Three queries, whatever the number of addresses. Words without an @ are taken for parts of names.

    Only an operator of all programmes finds everybody. To anybody else a person outside the programmes they staff is
    as unknown as one without an account: a list of addresses must not tell who is registered here.
    """
    addresses, unreadable = _read(text)
    people = {user.email: user for user in _findable_by(actor).filter(email__in=addresses)}
    enrolments = Enrolment.objects.filter(programme=programme, user__in=people.values()).select_related(
        "user", "cohort"
    )
    enrolled = {one.user_id: one for one in enrolments}
    known = [people[address] for address in sorted(addresses) if address in people]
    return Plan(
        new=tuple(user for user in known if user.pk not in enrolled and user.is_active),
        enrolled=tuple(enrolled[user.pk] for user in known if user.pk in enrolled),
        unknown=tuple(sorted(addresses - people.keys())),
        inactive=tuple(user.email for user in known if user.pk not in enrolled and not user.is_active),
        unreadable=tuple(sorted(unreadable)),
    )


@transaction.atomic
def enrol_planned(
    *,
    programme: Programme,
    text: str,
    cohort: Cohort | None,
    status: str,
    actor: User,
    request: HttpRequest | None = None,
    now: datetime,
) -> Enrolled:
    """Plans again: between the preview and the confirmation the world may have moved."""
    plan = plan_enrolment(programme=programme, text=text, actor=actor)
    done = bulk_enrol(
        programme=programme, user_ids=[user.pk for user in plan.new], cohort=cohort, status=status, now=now
    )
    details = {"created": len(done.created), "cohort": cohort and cohort.name, "status": status}
    audit.record("enrolment.bulk", actor=actor, subject=programme, request=request, details=details, now=now)
    return done


def _findable_by(actor: User) -> QuerySet[User]:
    if rules.is_operator(actor):
        return User.objects.all()
    staffed = rules.programmes_staffed_by(actor)
    enrolments = Enrolment.objects.filter(user=OuterRef("pk"), programme__in=staffed)
    grants = RoleGrant.objects.filter(user=OuterRef("pk"), programme__in=staffed)
    return User.objects.filter(Exists(enrolments) | Exists(grants))


def _read(text: str) -> tuple[set[str], set[str]]:
    words = {word.strip(".:").lower() for word in _BETWEEN.split(text) if "@" in word}
    good = {word for word in words if _is_address(word)}
    return good, words - good


def _is_address(word: str) -> bool:
    try:
        validate_email(word)
    except ValidationError:
        return False
    return len(word) <= 254
